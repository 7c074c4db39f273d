"""Figures of docs/hands.md: drawn hands on known ways, before the real tracker.

    python -m scripts.hands_table

Landmark error in palms, hands that kept their sides through crossings, and milliseconds from a camera's
picture to the signals, at 30 pictures a second of 640x480 in real time. The tracker's model must be there:
perform models import hands.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from itertools import count

import numpy as np

from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.inputs.camera import Camera
from perform.inputs.hands import Hands, model_file
from perform.inputs.hands.sides import HandPair, HandSighting
from perform.inputs.hands.signals import points_of
from perform.inputs.hands.tracker import Tracker
from perform.terminal import out
from tests.doubles.drawn_hands import Hand, picture

FPS = 30
WIDTH, HEIGHT = 640, 480
ASPECT = WIDTH / HEIGHT
CROSSINGS = 20
SHAPES = {"relaxed": (0.3,) * 5, "fist": (0.6, 1.0, 1.0, 1.0, 1.0), "pointing": (0.8, 0.0, 1.0, 1.0, 1.0)}
SECONDS = 10.0  # of real time


class DrawnTracker:
    """A tracker that is asked in step, whatever time it takes."""

    def __init__(self) -> None:
        self._tracker = Tracker(str(model_file()))
        self._frames = count(1)
        while self.see(()) is None:
            threading.Event().wait(0.05)

    def see(self, hands: Sequence[Hand]) -> list[HandSighting] | None:
        """The hands in the next picture."""
        rows = self._tracker.track(picture(hands, WIDTH, HEIGHT), next(self._frames) / FPS)
        if rows is None:
            return None
        return [HandSighting(points_of(row[1:].reshape(21, 3), ASPECT), 1 - float(row[0])) for row in rows]

    def close(self) -> None:
        """End the tracker."""
        self._tracker.close()


class Film:
    """A camera that shows pictures in real time, forwards and back."""

    def __init__(self, pictures: Sequence[Pixels]) -> None:
        self._pictures, self._began, self._shown = [*pictures, *pictures[::-1]], stopwatch(), 0

    def read(self) -> tuple[Pixels, float]:
        """The next picture at its time."""
        self._shown += 1
        taken = self._began + self._shown / FPS
        threading.Event().wait(max(taken - stopwatch(), 0.0))
        return self._pictures[self._shown % len(self._pictures)].copy(), taken

    def close(self) -> None:
        """Nothing is open."""


def errors(drawn: DrawnTracker, palm: float, curls: tuple[float, ...]) -> Iterator[float]:
    """Mean landmark errors in palms of a hand on a circle; inf where none or two were seen."""
    for frame in range(30):
        turn = 2 * np.pi * frame / 30
        place = 0.66 + 0.2 * np.cos(turn), 0.35 + 0.1 * np.sin(turn)
        hand = Hand(*place, palm, roll=0.06 * np.sin(turn), curls=curls)
        seen = drawn.see([hand]) or []
        for one in seen[:1] if len(seen) == 1 else []:
            yield float(np.linalg.norm((one.points - hand.points())[:, :2], axis=1).mean()) / palm
        if len(seen) != 1:
            yield np.inf


def crossed(drawn: DrawnTracker, number: int) -> bool:
    """Whether two hands keep their sides through a crossing, each another one."""
    rng = np.random.default_rng(number)
    high, palm, frames = rng.uniform(0.25, 0.4, 2), rng.uniform(0.14, 0.22), int(rng.integers(15, 45))
    drawn.see(())
    drawn.see(())
    pair, held = HandPair(), dict[str, float]()
    for frame in range(frames + 12):
        along = min(max((frame - 6) / frames, 0.0), 1.0)
        left = Hand(0.35 + 0.7 * along, high[0], palm, curls=SHAPES["relaxed"])
        right = Hand(1.05 - 0.7 * along, high[1], palm, "right", curls=SHAPES["relaxed"])
        held |= pair.step(frame / FPS, drawn.see([left, right]) or [], ASPECT)
    return held["hand.count"] == 2 and held["hand.left.x"] > 0.6 > 0.4 > held["hand.right.x"]


def latencies() -> list[float]:
    """Seconds from picture to signals, of two hands in real time."""
    pictures = [
        picture(
            [
                Hand(0.35 + 0.01 * i, 0.3, 0.18, curls=SHAPES["relaxed"]),
                Hand(1.0, 0.3 + 0.01 * i, 0.18, "right", curls=SHAPES["relaxed"]),
            ],
            WIDTH,
            HEIGHT,
        )[:, ::-1]
        for i in range(15)
    ]
    camera = Camera("film", lambda name: Film(pictures))
    hands = Hands(lambda: camera, stopwatch)
    hands.use(frozenset({"hand.latency"}))
    found: list[float] = []
    began = stopwatch()
    while stopwatch() - began < SECONDS:
        threading.Event().wait(0.005)
        found += [float(e.value) for e in hands.poll(stopwatch()) if e.name == "hand.latency"]
    hands.close()
    camera.close()
    return found[FPS:]


def main() -> None:
    drawn = DrawnTracker()
    for name, curls in SHAPES.items():
        for palm in (0.2, 0.08):
            off = np.array([*errors(drawn, palm, curls)])
            seen = np.isfinite(off)
            out.print(f"{name}, palm {palm}: seen {seen.mean():.0%}, error {off[seen].mean():.3f} palms")
    kept = sum(crossed(drawn, number) for number in range(CROSSINGS))
    out.print(f"crossings: {kept} of {CROSSINGS} kept")
    drawn.close()
    p50, p95 = 1000 * np.percentile(latencies(), (50, 95))
    out.print(f"latency: p50 {p50:.0f} ms, p95 {p95:.0f} ms")


if __name__ == "__main__":
    main()
