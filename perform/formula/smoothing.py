"""The 1 euro filter: slow values without jitter, fast ones without delay."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

from perform.arrays import Doubles

Smoothed = TypeVar("Smoothed", float, Doubles)


@dataclass(slots=True)
class OneEuro(Generic[Smoothed]):
    """The 1 euro filter (Casiez, Roussel, Vogel 2012) of a number or of an array, element by element.

    `cutoff` is in Hz, `beta` adds Hz for each unit a second; speeds are filtered at 1 Hz.
    """

    cutoff: float = 1.5
    beta: float = 8.0
    value: Smoothed | None = None
    _speed: Smoothed | None = None
    _before: Smoothed | None = None

    def step(self, x: Smoothed, dt: float) -> Smoothed:
        """The filtered value, `dt` seconds after the last one; the first is `x` itself."""
        if self.value is None or self._speed is None or self._before is None:
            self.value, self._before, self._speed = x, x, x - x
        elif dt > 0:
            self._speed = self._speed + _weight(1.0, dt) * ((x - self._before) / dt - self._speed)
            weight = _weight(self.cutoff + self.beta * abs(self._speed), dt)
            self.value = self.value + weight * (x - self.value)
            self._before = x
        return self.value


def _weight(hertz: Smoothed, dt: float) -> Smoothed:
    turn = 2 * math.pi * (hertz * (hertz > 0)) * dt
    return turn / (turn + 1)
