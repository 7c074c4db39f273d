"""Feeds as inputs: a device on its own thread, tried again while it is away; or a file that is replayed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Protocol

from perform.faults import Health, reason
from perform.inputs import Input
from perform.inputs.feeds import FeedSource
from perform.inputs.feeds.document import Feed, Reading
from perform.inputs.feeds.messages import Fields, chosen
from perform.inputs.listener import Listener
from perform.parameters import name_hint
from perform.signals import Event
from perform.threads import Background

SOURCES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "artnet": ("dmx", "Universe"),
        "http": ("http", "Page"),
        "mqtt": ("mqtt", "Broker"),
        "sacn": ("dmx", "Universe"),
        "serial": ("serial", "SerialPort"),
    }
)  # the module and the class of each kind
MOST_SHOWN, MOST_NAMED = 32, 12  # letters of a text that is no number, and names of a message, in a fault
CLOSE_TIMEOUT = 3.0  # seconds that a source has to end
RETRY_AFTER = 0.5, 2.0  # seconds before a device is tried again: at first, and at most


class FeedInput(Input, Protocol):
    """A feed, opened."""

    @property
    def faults(self) -> list[str]:
        """What is wrong with what it reads, a phrase each."""
        ...


class LiveFeed(Listener):
    """A device's numbers as signals; `now` is the show's time."""

    def __init__(self, feed: Feed, source: FeedSource, now: Callable[[], float]) -> None:
        super().__init__(f"feed {feed.name}", "no value yet")
        self._source, self._now = source, now
        self._paths = feed.values
        self._readings = {name: Reading(name, feed.text) for name in self._paths}
        self._lock = threading.Lock()
        self._messages = self._empty = 0
        self._faults: dict[str, str] = {}  # of values, in the newest messages that had them
        self._polled = -1.0, 0  # until when, and how many messages there had been
        self.start()

    def poll(self, until: float) -> list[Event]:
        before, self._polled = self._polled, (until, self._messages)
        if self._polled == before:
            return []
        with self._lock:
            return [event for reading in self._readings.values() for event in reading.events(until)]

    def health(self) -> Health:
        """`waiting` also while the newest message has another text in the place of a number."""
        health = super().health()
        detail = ", ".join((health.detail, *self.faults))
        return replace(health, state="waiting" if self._faults else health.state, detail=detail)

    @property
    def faults(self) -> list[str]:
        """What is wrong with its messages."""
        lost = f"{self._empty} of {self._messages} messages without its value"
        return [*([lost] if self._empty else []), *self._faults.copy().values()]

    def _take(self, found: Fields) -> None:
        """The fields of a message."""
        values = {name: chosen(found, path) for name, path in self._paths.items()}
        now = self._now()
        self._messages += 1
        self._empty += all(value is None for value in values.values())
        with self._lock:
            for name, value in values.items():
                if value is not None:
                    self.note = ""
                    self._readings[name].take(now, value)
                    self._faults.pop(name, None)
                elif fault := _no_number(found, self._paths[name], self._readings[name].raw is not None):
                    self._faults[name] = fault

    def _listen(self, closing: threading.Event) -> None:
        first, most = RETRY_AFTER
        wait = first
        while not closing.is_set():
            before = self._messages
            try:
                self._source.listen(self._take, closing)
            except Exception as error:  # noqa: BLE001 - whatever a driver or a server raises
                self.note = reason(error)
            wait = first if self._messages > before else min(2 * wait, most)
            closing.wait(wait)


def _no_number(found: Fields, path: str, known: bool) -> str:
    """What a message has in the place of a number. With several topics, a message may have nothing there; it
    is empty then once the number is `known`."""
    if not path and found:
        path = next(iter(found))
    if path in found:
        return f"{path or 'its value'} = {str(found[path])[:MOST_SHOWN]!r} is no number"
    return "" if known or not path else f"there is no {path}{name_hint(path, list(found)[:MOST_NAMED])}"


def open_feed(feed: Feed, now: Callable[[], float]) -> FeedInput:
    """A feed, opened. A device that is away shows in the feed's health and is no error; a file of rows that
    is wrong raises ValueError or OSError."""
    if feed.text.kind == "csv":
        from perform.inputs.feeds.csv import Replay

        return Replay(feed)
    module, kind = SOURCES[feed.text.kind]
    source: FeedSource = getattr(import_module(f"perform.inputs.feeds.{module}"), kind)(feed.text)
    return LiveFeed(feed, source, now)


class Feeds:
    """All feeds of a show, as one input; `use` opens new ones and closes those that are no longer used."""

    name = "feeds"

    def __init__(self, feeds: Sequence[Feed], now: Callable[[], float]) -> None:
        self._now = now
        self._open: dict[str, tuple[Feed, FeedInput]] = {}
        self.use(feeds)

    def use(self, feeds: Sequence[Feed]) -> None:
        """Use these feeds; one that has not changed goes on. If `open_feed` raises, nothing changes."""
        known = {name: feed for name, (feed, _) in self._open.items()}
        new: dict[str, tuple[Feed, FeedInput]] = {}
        try:
            for feed in feeds:
                if known.get(feed.name) != feed:
                    new[feed.name] = feed, open_feed(feed, self._now)
        except BaseException:
            _close_all([unit for _, unit in new.values()])
            raise
        kept = {feed.name: self._open[feed.name] for feed in feeds if feed.name not in new}
        leaving = [unit for name, (_, unit) in self._open.items() if name not in kept]
        self._open = kept | new
        _close_all(leaving)  # an edit's frame must not wait for a server that hangs

    def __len__(self) -> int:
        return len(self._open)

    def poll(self, until: float) -> list[Event]:
        return [event for _, unit in self._open.values() for event in unit.poll(until)]

    def health(self) -> Health:
        healths = [unit.health() for _, unit in self._open.values()]
        waiting = [health for health in healths if health.state != "ok"]
        if waiting:
            return Health("waiting", "; ".join(health.detail for health in waiting))
        names = (", ".join((name, *unit.faults)) for name, (_, unit) in self._open.items())
        return Health("ok", "; ".join(names) or "none")

    def close(self) -> None:
        closing = _close_all([unit for _, unit in self._open.values()])
        self._open.clear()
        for thread in closing:
            thread.close(CLOSE_TIMEOUT)


def _close_all(units: Sequence[Input]) -> list[Background]:
    """Close units in the background, all at the same time."""
    return [Background(partial(_close, unit), "closing") for unit in units]


def _close(unit: Input, _closing: threading.Event) -> None:
    unit.close()
