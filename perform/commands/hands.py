"""`perform hands`: the tracker's view of hands, live, to set up camera and lights."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from rich.table import Table
from rich.text import Text

from perform.clock import stopwatch
from perform.inputs.camera import Cameras, View
from perform.inputs.hands import Hands
from perform.inputs.hands.signals import HAND_SIGNALS, SIDES, WORDS

LOOK_SECONDS = 0.1  # seconds between two looks
WIDTH = 24  # characters of a bar
DARK_BELOW = 0.12  # brightness
SLOW_BELOW = 15.0  # pictures a second
LATE_ABOVE = 0.1  # seconds


@dataclass(slots=True)
class HandsMeter:
    """The newest value of each signal, and the health of camera and tracker."""

    cameras: Cameras
    hands: Hands
    values: dict[str, float] = field(default_factory=dict)

    def look(self) -> None:
        """Read the new events."""
        now = stopwatch()
        for event in (*self.cameras.poll(now), *self.hands.poll(now)):
            self.values[event.name] = float(event.value)

    def missing(self) -> str:
        """What is missing; empty if nothing is."""
        for health in (self.cameras.health(), self.hands.health()):
            if health.state != "ok":
                return health.detail
        return ""

    def state(self) -> str:
        """One line: what is missing, or rate, latency and advice."""
        if missing := self.missing():
            return missing
        rate = f"{self.values.get('hand.rate', 0):.0f} pictures a second"
        latency = f"latency {1000 * self.values.get('hand.latency', 0):.0f} ms"
        return ", ".join((self.cameras.health().detail, rate, latency, *advice(self.values)))

    def table(self) -> Table:
        """Both hands as bars, with the line of `state` below."""
        table = Table(
            "", *SIDES, box=None, pad_edge=False, caption=Text(self.state()), caption_justify="left"
        )
        for word in WORDS:
            table.add_row(word, *(self._bar(side, word) for side in SIDES))
        return table

    def _bar(self, side: str, word: str) -> Text:
        value = self.values.get(f"hand.{side}.{word}", 0.0)
        here = self.values.get(f"hand.{side}.present", 0.0)
        share = value + 0.5 if word == "roll" else value
        return Text(f"{'█' * round(share * WIDTH):<{WIDTH}} {value:5.2f}", "" if here else "dim")


@contextmanager
def open_meter(camera: str, view: View) -> Iterator[HandsMeter]:
    """A meter on a camera."""
    cameras = Cameras(stopwatch, camera)
    hands = Hands(cameras.camera, stopwatch, view)
    hands.use(frozenset(HAND_SIGNALS))
    try:
        yield HandsMeter(cameras, hands)
    finally:
        hands.close()
        cameras.close()


def looks(meter: HandsMeter, seconds: float | None) -> Iterator[HandsMeter]:
    """The meter after each look, for so many seconds or without end."""
    pause, began = threading.Event(), stopwatch()
    while seconds is None or stopwatch() - began < seconds:
        pause.wait(LOOK_SECONDS)
        meter.look()
        yield meter


def advice(values: Mapping[str, float]) -> Iterator[str]:
    """What to improve."""
    if values.get("camera.level", 1.0) < DARK_BELOW:
        yield "it is dark: more light on the hands"
    if values.get("hand.count", 0.0) and values.get("hand.rate", SLOW_BELOW) < SLOW_BELOW:
        yield "few pictures: more light, or a faster machine"
    if values.get("hand.latency", 0.0) > LATE_ABOVE:
        yield "late: something else keeps this machine busy"
