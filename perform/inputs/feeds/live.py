"""Feeds as inputs: a device on a thread of its own, tried again while it is away; or a file, replayed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import cast

from perform.faults import reason
from perform.inputs import Health, Input
from perform.inputs.feeds import Source
from perform.inputs.feeds.document import Feed, Found, Reading, chosen
from perform.signals import Event

UNITS = {"artnet": "dmx", "sacn": "dmx"}  # of the kinds whose unit has another name
AGAIN = 0.5, 2.0  # seconds before a device is tried again: at first, and at most
PATIENCE = 3.0  # seconds that a thread has to end


class LiveFeed:
    """A device's numbers as signals; `now` is the show's time."""

    def __init__(self, feed: Feed, source: Source, now: Callable[[], float]) -> None:
        self.name = f"feed {feed.name}"
        self._source, self._now = source, now
        self._paths = feed.values
        self._readings = {name: Reading(name, feed.text) for name in self._paths}
        self._lock, self._closing = threading.Lock(), threading.Event()
        self._note, self._messages, self._empty = "nothing was said yet", 0, 0
        self._polled = -1.0, 0  # until when, and how many messages there had been
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def poll(self, until: float) -> list[Event]:
        before, self._polled = self._polled, (until, self._messages)
        if self._polled == before:
            return []
        with self._lock:
            return [event for reading in self._readings.values() for event in reading.events(until)]

    def health(self) -> Health:
        lost = f", {self._empty} of {self._messages} messages without its value" if self._empty else ""
        if self._note:
            return Health("waiting", f"{self.name}: {self._note}{lost}")
        return Health("ok", f"{self.name}{lost}")

    def close(self) -> None:
        self._closing.set()
        self._thread.join(PATIENCE)

    def _say(self, found: Found) -> None:
        values = {name: chosen(found, path) for name, path in self._paths.items()}
        now = self._now()
        self._messages += 1
        self._empty += all(value is None for value in values.values())
        with self._lock:
            for name, value in values.items():
                if value is not None:
                    self._note = ""
                    self._readings[name].take(now, value)

    def _run(self) -> None:
        first, most = AGAIN
        wait = first
        while not self._closing.is_set():
            heard = self._messages
            try:
                self._source.listen(self._say, self._closing)
            except Exception as error:  # noqa: BLE001 - whatever a driver or a stranger's server raises
                self._note = reason(error)
            wait = first if self._messages > heard else min(2 * wait, most)
            self._closing.wait(wait)


def open(feed: Feed, now: Callable[[], float]) -> Input:
    """A feed, opened. A device that is away is the feed's health and no error; a file of rows that is
    wrong raises ValueError or OSError."""
    unit = import_module(f"perform.inputs.feeds.{UNITS.get(feed.text.kind, feed.text.kind)}")
    if feed.text.kind == "csv":
        return cast(Input, unit.Replay(feed))
    return LiveFeed(feed, unit.open(feed.text), now)


class Feeds:
    """All feeds of a show, as one input; `use` opens what is new and closes what is no longer wanted."""

    name = "feeds"

    def __init__(self, feeds: Sequence[Feed], now: Callable[[], float]) -> None:
        self._now = now
        self._open: dict[str, tuple[Feed, Input]] = {}
        self.use(feeds)

    def use(self, feeds: Sequence[Feed]) -> None:
        """Hear these feeds; one that has not changed goes on. What `open` raises changes nothing."""
        known = {name: feed for name, (feed, _) in self._open.items()}
        new = {feed.name: (feed, open(feed, self._now)) for feed in feeds if known.get(feed.name) != feed}
        kept = {feed.name: self._open[feed.name] for feed in feeds if feed.name not in new}
        leaving = [unit for name, (_, unit) in self._open.items() if name not in kept]
        self._open = kept | new
        _closed(leaving)  # an edit's frame must not wait for a server that hangs

    def __len__(self) -> int:
        return len(self._open)

    def poll(self, until: float) -> list[Event]:
        return [event for _, unit in self._open.values() for event in unit.poll(until)]

    def health(self) -> Health:
        told = [unit.health() for _, unit in self._open.values()]
        waiting = [health for health in told if health.state != "ok"]
        if waiting:
            return Health("waiting", "; ".join(health.detail for health in waiting))
        return Health("ok", ", ".join(self._open) or "none")

    def close(self) -> None:
        closing = _closed([unit for _, unit in self._open.values()])
        self._open.clear()
        for thread in closing:
            thread.join(PATIENCE)


def _closed(units: Sequence[Input]) -> list[threading.Thread]:
    """Close units beside the show, all at the same time."""
    threads = [threading.Thread(target=unit.close, name="closing", daemon=True) for unit in units]
    for thread in threads:
        thread.start()
    return threads
