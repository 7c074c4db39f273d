"""A camera and a hand tracker that a test directs."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.inputs.hands.process import ROW
from tests.doubles.drawn_hands import Hand

ASPECT = 64 / 48
NO_HANDS = np.zeros((0, ROW), np.float32)


class FakeCamera:
    """A device whose pictures contain their number; it can disconnect."""

    def __init__(self) -> None:
        self.gone = False
        self.count = 0
        self._pause = threading.Event()

    def __call__(self, name: str) -> FakeCamera:
        if self.gone:
            raise OSError("unplugged")
        return self

    def read(self) -> tuple[Pixels, float]:
        self._pause.wait(0.005)
        if self.gone:
            raise OSError("unplugged")
        self.count += 1
        return np.full((48, 64, 3), self.count % 250, np.uint8), stopwatch()

    def close(self) -> None: ...


class FakeTracker:
    """A tracker that finds the hands in `found`."""

    def __init__(self) -> None:
        self.note = ""
        self.found: NDArray[np.float32] | None = NO_HANDS
        self.shown: list[Pixels] = []
        self.fault = ""
        self.closed = 0

    def track(self, pixels: Pixels, taken: float) -> NDArray[np.float32] | None:
        self.shown = [*self.shown[-9:], pixels]
        if self.fault:
            raise RuntimeError(self.fault)
        return self.found

    def close(self) -> None:
        self.closed += 1


def row(hand: Hand, left: float) -> NDArray[np.float32]:
    """The row of a tracker for a hand that is `left` in a mirror: the tracker swaps the sides."""
    points = hand.points()
    landmarks = np.stack((points[:, 0] / ASPECT, 1 - points[:, 1], points[:, 2] / ASPECT), 1)
    return np.concatenate(([1 - left], landmarks.ravel())).astype(np.float32)
