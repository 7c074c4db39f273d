"""Noise that moves from seed to seed, for every family with noise."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache

from perform.arrays import Floats


class MovingNoise:
    """Noise by seed and phase; `draw` gives that of a seed, with a mean of 0."""

    def __init__(self, draw: Callable[[int], Floats]) -> None:
        self._draw = lru_cache(maxsize=2)(draw)
        self.at = lru_cache(maxsize=1)(self._at)  # the same array as long as it is the same

    def _at(self, seed: int, phase: float) -> Floats:
        """`seed` and the whole part of `phase` name a noise; the fraction fades into the next one.

        Along a quarter of a circle, so that the variance stays: halfway on a straight line half of it
        would be lost, and the picture would pulse.
        """
        whole = math.floor(phase)
        turn = (phase - whole) * math.pi / 2
        start = self._draw(seed + whole)
        if not turn:
            return start
        blended: Floats = math.cos(turn) * start + math.sin(turn) * self._draw(seed + whole + 1)
        return blended
