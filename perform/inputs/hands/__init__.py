"""Hands before a camera, as signals.

The camera's newest picture goes to a tracker in a process of its own, which sends back landmarks and nothing
else. Sides, presence, smoothing and all features are made of them here, on a thread of their own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from perform import paths
from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.faults import Health, reason
from perform.inputs.camera import Camera, CameraPicture, View
from perform.inputs.hands.sides import HandPair, HandSighting
from perform.inputs.hands.signals import HAND_SIGNALS, points_of
from perform.inputs.hands.tracker import Tracker
from perform.inputs.hands.tracker import lacking as lacking
from perform.inputs.listener import Listener
from perform.inputs.slots import Slots
from perform.signals import Event

MODEL = "hand_landmarker.task"
PICTURE_TIMEOUT = 0.05  # seconds to wait for a picture
HOLD_FOR = 2.5  # seconds for which hands hold while no tracker is ready: the next one is starting
IDLE_AFTER, IDLE_INTERVAL = 2.0, 0.09  # seconds without hands until pictures are tracked this far apart
GESTURES = ("present", "fist", "open", "point")  # of which no change may be lost between two polls
RATE_WEIGHT = 0.1  # of the newest picture in the running mean of their rate


class HandFinder(Protocol):
    """Finds hands in pictures: a Tracker, or a double in a test."""

    note: str

    def track(self, pixels: Pixels, taken: float) -> NDArray[np.float32] | None: ...

    def close(self) -> None: ...


def model_file() -> Path:
    """Where the tracker's model is kept; may not exist yet."""
    return paths.user_data() / MODEL


class Hands(Listener):
    """Two hands as `hand.left.*` and `hand.right.*`, as they are in a mirror; `now` is the show's time.

    Nothing is opened before `use`. `camera` gives the camera, `finder` opens the tracker.
    """

    def __init__(
        self,
        camera: Callable[[], Camera],
        now: Callable[[], float],
        view: View | None = None,
        finder: Callable[[], HandFinder] | None = None,
    ) -> None:
        super().__init__("hands")
        self._open, self._now = camera, now
        self._view = view or View(lift=True)
        self._finder = finder or (lambda: Tracker(str(model_file())))
        self._slots, self._lock = Slots(), threading.Lock()
        self._newest: dict[str, Event] = {}
        self._pair = HandPair()
        self._rate = 0.0  # pictures a second
        self._tracked_at = self._seen_at = 0.0  # when the last picture, and the last with hands, was taken
        self._camera: Camera | None = None

    def use(self, signals: frozenset[str]) -> None:
        """Start if any of these signals is a hand's; once started it goes on."""
        if self._camera is None and not signals.isdisjoint(HAND_SIGNALS):
            self._camera = self._open()
            self.start()

    def __len__(self) -> int:
        return int(self.started)

    def poll(self, until: float) -> list[Event]:
        with self._lock:
            newest, self._newest = self._newest, {}
        events = [event if event.time <= until else replace(event, time=until) for event in newest.values()]
        return sorted([*events, *self._slots.take(until)], key=lambda event: event.time)

    def health(self) -> Health:
        if self._camera is None:
            return Health("ok", "hands are not used")
        camera = self._camera.health()
        if camera.state != "ok":
            return Health("waiting", f"hands: {camera.detail}")
        return super().health()

    def _listen(self, closing: threading.Event) -> None:
        finder = self._finder()
        number = 0
        try:
            while not closing.is_set():
                picture = self._camera.wait(number, PICTURE_TIMEOUT) if self._camera else None
                number = number if picture is None else picture.number
                try:
                    self._track(picture, finder)
                except Exception as error:  # noqa: BLE001 - one picture's fault must not end the hands
                    self.note = reason(error)
        finally:
            finder.close()

    def _track(self, picture: CameraPicture | None, finder: HandFinder) -> None:
        """A picture, or None if none came in time."""
        if picture is None:
            self._put(stopwatch(), self._pair.step(stopwatch(), (), 1.0))
            return
        taken = picture.taken
        if taken - self._seen_at > IDLE_AFTER and taken - self._tracked_at < IDLE_INTERVAL:
            return
        pixels = self._view.of(picture.pixels)
        found = finder.track(pixels, taken)
        self.note = finder.note
        if found is None:
            if taken - self._tracked_at > HOLD_FOR:
                self._put(taken, self._pair.step(taken, (), 1.0))
            return
        aspect = pixels.shape[1] / pixels.shape[0]
        self._seen_at = taken if len(found) else self._seen_at
        values = self._pair.step(taken, [self._sighting(row, aspect) for row in found], aspect)
        self._count(taken)
        times = {"hand.latency": stopwatch() - taken, "hand.rate": self._rate}
        self._put(taken, values | times)

    def _sighting(self, row: NDArray[np.float32], aspect: float) -> HandSighting:
        left = float(row[0])
        points = points_of(row[1:].reshape(-1, 3), aspect)
        return HandSighting(points, 1 - left if self._view.mirror else left)

    def _count(self, taken: float) -> None:
        gap, self._tracked_at = taken - self._tracked_at, taken
        if 0 < gap < 1:
            self._rate += ((1 / gap) - self._rate) * (RATE_WEIGHT if self._rate else 1.0)

    def _put(self, taken: float, values: dict[str, float]) -> None:
        """Signals at the show's time of `taken` (stopwatch)."""
        time = self._now() - (stopwatch() - taken)
        latest: dict[str, Event] = {}
        for name, value in values.items():
            if name.rpartition(".")[2] in GESTURES:
                self._slots.put(time, name, value)
            else:
                latest[name] = Event(time, name, value)
        with self._lock:
            self._newest |= latest
