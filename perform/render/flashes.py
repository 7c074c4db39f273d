"""Flashes of a picture, as WCAG 2.3.1 and ITU-R BT.1702 count them.

A general flash is a pair of opposing changes of the relative luminance by 0.1 or more, where the darker of
both is below 0.8. A red flash is a pair of opposing changes to or from a saturated red. More than three
flashes within one second over a quarter of the picture can cause seizures.

Sources: "Web Content Accessibility Guidelines 2.2", definitions of general flash, red flash and relative
luminance; Recommendation ITU-R BT.1702-3 for the area.
"""

from __future__ import annotations

import math
from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Floats

LEAST_CHANGE = 0.1  # of the relative luminance, 0..1
BRIGHT = 0.8  # changes between pictures that are both brighter do not count
RED_SHARE = 0.8  # of red in R + G + B, from which it is saturated
LEAST_RED_CHANGE = 20 / 320  # of R - G - B, 0..1
MOST_FLASHES = 3  # a second
AREA = 0.25  # of the picture
SECOND = 1.0
LUMINANCE = (0.2126, 0.7152, 0.0722)

Numbers: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]


def linear_light(encoded: Floats | Numbers) -> Numbers:
    """sRGB-encoded values 0..1 as linear ones."""
    values = np.asarray(encoded, np.float64)
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


@dataclass(frozen=True, slots=True)
class Flashing:
    """The flashes of the last second that a quarter of the picture has at least: `general` and `red`."""

    general: int = 0
    red: int = 0

    @property
    def too_many(self) -> bool:
        """Whether it is more than allowed."""
        return max(self.general, self.red) > MOST_FLASHES


class _Changes:
    """Counts the opposing changes of a value in every cell."""

    def __init__(self, least: float) -> None:
        self._least = least
        self._low: Numbers | None = None  # the extremes since the last change of each cell
        self._high: Numbers | None = None
        self._rising: NDArray[np.int8] | None = None  # 1 after a rise, -1 after a fall, 0 before any
        self._counted: deque[tuple[float, Flags]] = deque()  # when, and in which cells

    def seen(self, values: Numbers, counts: Flags | Numbers) -> Flags:
        """The cells in which these values [cells] complete a change, of those that count."""
        if self._low is None or self._high is None or self._rising is None:
            return np.zeros(values.shape, bool)
        rises = (values - self._low >= self._least) & (self._rising <= 0)
        falls = (self._high - values >= self._least) & (self._rising >= 0)
        return np.asarray((rises | falls) & np.asarray(counts, bool), bool)

    def add(self, seconds: float, values: Numbers, counts: Flags | Numbers) -> None:
        """Take the values that are shown."""
        if self._low is None or self._high is None or self._rising is None:
            self._low, self._high = values.copy(), values.copy()
            self._rising = np.zeros(values.shape, np.int8)
            return
        changed = self.seen(values, counts)
        up = changed & (values - self._low >= self._least) & (self._rising <= 0)
        self._rising = np.where(changed, np.where(up, 1, -1), self._rising).astype(np.int8)
        self._low = np.where(changed, values, np.minimum(self._low, values))
        self._high = np.where(changed, values, np.maximum(self._high, values))
        self._counted.append((seconds, changed))
        while self._counted and self._counted[0][0] <= seconds - SECOND:
            self._counted.popleft()

    def pairs(self, seconds: float, more: Flags | None = None) -> int:
        """The flashes within the second before that a quarter of the cells has, with `more` changes now."""
        recent = [cells for at, cells in self._counted if at > seconds - SECOND]
        recent += [] if more is None else [more]
        if not recent:
            return 0
        counts = np.sort(np.sum(recent, axis=0))
        return int(counts[-math.ceil(AREA * len(counts))]) // 2

    def darker(self, values: Numbers) -> Numbers:
        """The darker of these values and those that they may change from."""
        if self._low is None or self._high is None:
            return values
        return np.minimum(values, np.where(values - self._low >= self._least, self._low, values))


class FlashMeter:
    """Counts flashes in pictures of a few cells [height, width, 3], sRGB-encoded 0..1."""

    def __init__(self) -> None:
        self._light, self._red = _Changes(LEAST_CHANGE), _Changes(LEAST_RED_CHANGE)
        self._last_red: Flags | None = None  # the cells that are a saturated red

    def would_be(self, seconds: float, cells: Floats | Numbers) -> Flashing:
        """The flashes if these cells were shown now."""
        light, red, counts = self._values(cells)
        return Flashing(
            self._light.pairs(seconds, self._light.seen(light, self._light.darker(light) < BRIGHT)),
            self._red.pairs(seconds, self._red.seen(red, counts)),
        )

    def show(self, seconds: float, cells: Floats | Numbers) -> Flashing:
        """Take the cells that are shown; the flashes so far."""
        light, red, counts = self._values(cells)
        self._light.add(seconds, light, self._light.darker(light) < BRIGHT)
        self._red.add(seconds, red, counts)
        self._last_red = self._saturated(cells)
        return Flashing(self._light.pairs(seconds), self._red.pairs(seconds))

    def _values(self, cells: Floats | Numbers) -> tuple[Numbers, Numbers, Flags]:
        """Relative luminance and redness of each cell, and whether a change of redness would count."""
        rgb = linear_light(cells).reshape(-1, 3)
        red = np.maximum(rgb[:, 0] - rgb[:, 1] - rgb[:, 2], 0.0)
        saturated = self._saturated(cells)
        before = saturated if self._last_red is None else self._last_red
        return rgb @ np.array(LUMINANCE), red, saturated | before

    def _saturated(self, cells: Floats | Numbers) -> Flags:
        rgb = linear_light(cells).reshape(-1, 3)
        return np.asarray(rgb[:, 0] >= RED_SHARE * np.maximum(rgb.sum(axis=1), 1e-6), bool)
