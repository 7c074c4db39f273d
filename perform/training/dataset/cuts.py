"""The cuts of a film, and the frames that they leave out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

THUMBNAIL_SIZE = (32, 18)  # width, height of the thumbnails that are compared
LEAST_DIFFERENCE = 12.0  # mean difference of two thumbnails' values, of 255, below which nothing is a cut
TIMES_NEIGHBOURS = 2.5  # a cut's difference is so many times the second greatest around it
AROUND = 8  # frames on either side: the shortest scene there can be


def cuts(differences: Sequence[float]) -> list[int]:
    """The numbers of the frames that begin a scene, 0 not among them; `differences[n]` is that of the
    frames n and n + 1.

    Sliding window (Yeo and Liu, "Rapid scene analysis on compressed video", IEEE Transactions on Circuits
    and Systems for Video Technology 1995): a cut stands out from its neighbours, a fast movement does not,
    and a flash has two equal differences.
    """
    values = np.asarray(differences, np.float64)
    found = []
    for at in np.flatnonzero(values >= LEAST_DIFFERENCE).tolist():
        low = max(at - AROUND, 0)
        window = np.delete(values[low : at + AROUND + 1], at - low)
        if not len(window) or values[at] >= TIMES_NEIGHBOURS * window.max():
            found.append(at + 1)
    return found


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """How much two thumbnails differ, 0..255."""
    return float(np.abs(a.astype(np.int16) - b).mean())


def dropped_frames(chosen: Sequence[int], begins: Sequence[int], each: int, margin: int) -> dict[int, str]:
    """The chosen frames that are left out, with the reason: those within `margin` of a cut, and in each scene
    all but `each` evenly spread ones (0: none)."""
    reasons: dict[int, str] = {}
    scenes: dict[int, list[int]] = defaultdict(list)
    for number in chosen:
        scene = int(np.searchsorted(begins, number, side="right"))
        near = [begins[one] for one in (scene - 1, scene) if 0 <= one < len(begins)]
        if any(begin - margin <= number < begin + margin for begin in near):
            reasons[number] = "cut"
        else:
            scenes[scene].append(number)
    for numbers in scenes.values():
        kept = {numbers[int((n + 0.5) * len(numbers) / each)] for n in range(each)} if each else set(numbers)
        reasons |= dict.fromkeys(set(numbers) - kept, "scene")
    return reasons


class FrameChooser:
    """Takes every `stride`-th frame, or with `fps` the first frame at or after each of its steps."""

    def __init__(self, start: float, stride: int, fps: float) -> None:
        self._start, self._stride, self._fps = start, stride, fps
        self._step = 0

    def __call__(self, number: int, seconds: float) -> bool:
        if not self._fps:
            return number % self._stride == 0
        passed = int((seconds - self._start) * self._fps + 1e-4) + 1  # steps up to this frame
        due, self._step = passed > self._step, max(passed, self._step)
        return due
