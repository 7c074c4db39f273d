"""Hands before a camera, as signals.

The camera's newest picture goes to a tracker in a process of its own; of what that finds only landmarks come
back. Sides, presence, smoothing and all features are made of landmarks here, on a thread beside the show.
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
from perform.faults import reason
from perform.inputs import Health
from perform.inputs.camera import Camera, Shot, View
from perform.inputs.hands.pair import Pair, Seen
from perform.inputs.hands.signals import SIGNALS, points_of
from perform.inputs.hands.tracker import Tracker
from perform.inputs.hands.tracker import lacking as lacking
from perform.inputs.slots import Slots
from perform.signals import Event

MODEL = "hand_landmarker.task"
TICK = 0.05  # seconds that a picture is waited for
LOST = 2.5  # seconds for which hands hold while no tracker is ready: the next one is being begun
ALONE, SELDOM = 2.0, 0.09  # seconds without hands after which pictures are looked at this far apart
TRIGGERS = ("present", "fist", "open", "point")  # of which none may be lost between two polls
SETTLING = 0.1  # weight of the newest picture in the running mean of their rate


class Finder(Protocol):
    """What finds hands in pictures: a Tracker, or what stands for one in a test."""

    note: str

    def track(self, pixels: Pixels, taken: float) -> NDArray[np.float32] | None: ...

    def close(self) -> None: ...


def model_file() -> Path:
    """Where the tracker's model is kept; may not exist yet."""
    return paths.user_data() / MODEL


class Hands:
    """Two hands as `hand.left.*` and `hand.right.*`, as they are in a mirror; `now` is the show's time.

    Nothing is opened before `use`. `camera` gives the camera, `finder` what finds hands in its pictures.
    """

    name = "hands"

    def __init__(
        self,
        camera: Callable[[], Camera],
        now: Callable[[], float],
        view: View | None = None,
        finder: Callable[[], Finder] | None = None,
    ) -> None:
        self._open, self._now = camera, now
        self._view = view or View(lift=True)
        self._finder = finder or (lambda: Tracker(str(model_file())))
        self._slots, self._lock = Slots(), threading.Lock()
        self._newest: dict[str, Event] = {}
        self._pair = Pair()
        self._note = "starting"
        self._rate = self._last = self._seen_at = (
            0.0  # pictures a second; when one was looked at, and had hands
        )
        self._camera: Camera | None = None
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def use(self, heard: frozenset[str]) -> None:
        """Begin if any of these signals is a hand's; what has begun goes on."""
        if self._thread is None and not heard.isdisjoint(SIGNALS):
            self._camera = self._open()
            self._thread = threading.Thread(target=self._run, name="hands", daemon=True)
            self._thread.start()

    def __len__(self) -> int:
        return int(self._thread is not None)

    def poll(self, until: float) -> list[Event]:
        with self._lock:
            newest, self._newest = self._newest, {}
        still = [event if event.time <= until else replace(event, time=until) for event in newest.values()]
        return sorted([*still, *self._slots.take(until)], key=lambda event: event.time)

    def health(self) -> Health:
        if self._camera is None:
            return Health("ok", "hands are not asked for")
        told = self._camera.health()
        if told.state != "ok":
            return Health("waiting", f"hands: {told.detail}")
        return Health("waiting", f"hands: {self._note}") if self._note else Health("ok", "hands")

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(5.0)

    def _run(self) -> None:
        finder = self._finder()
        number = 0
        try:
            while not self._closing.is_set():
                shot = self._camera.wait(number, TICK) if self._camera else None
                number = number if shot is None else shot.number
                try:
                    self._see(shot, finder)
                except Exception as error:  # noqa: BLE001 - one picture's fault must not end the hands
                    self._note = reason(error)
        finally:
            finder.close()

    def _see(self, shot: Shot | None, finder: Finder) -> None:
        """A picture, or none in time."""
        if shot is None:
            self._say(stopwatch(), self._pair.step(stopwatch(), (), 1.0))
            return
        if shot.taken - self._seen_at > ALONE and shot.taken - self._last < SELDOM:
            return
        pixels = self._view.of(shot.pixels)
        found = finder.track(pixels, shot.taken)
        self._note = finder.note
        if found is None:
            if shot.taken - self._last > LOST:
                self._say(shot.taken, self._pair.step(shot.taken, (), 1.0))
            return
        aspect = pixels.shape[1] / pixels.shape[0]
        self._seen_at = shot.taken if len(found) else self._seen_at
        said = self._pair.step(shot.taken, [self._seen(row, aspect) for row in found], aspect)
        self._count(shot.taken)
        times = {"hand.latency": stopwatch() - shot.taken, "hand.rate": self._rate}
        self._say(shot.taken, said | times)

    def _seen(self, row: NDArray[np.float32], aspect: float) -> Seen:
        left = float(row[0])
        return Seen(points_of(row[1:].reshape(-1, 3), aspect), 1 - left if self._view.mirror else left)

    def _count(self, taken: float) -> None:
        gap, self._last = taken - self._last, taken
        if 0 < gap < 1:
            self._rate += ((1 / gap) - self._rate) * (SETTLING if self._rate else 1.0)

    def _say(self, taken: float, said: dict[str, float]) -> None:
        """Signals at the show's time of `taken` (stopwatch)."""
        time = self._now() - (stopwatch() - taken)
        for name, value in said.items():
            if name.rpartition(".")[2] in TRIGGERS:
                self._slots.put(time, name, value)
        with self._lock:
            self._newest |= {
                name: Event(time, name, value)
                for name, value in said.items()
                if name.rpartition(".")[2] not in TRIGGERS
            }
