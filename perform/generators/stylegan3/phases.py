"""Resampling along one axis in phases: what a filter does between every `factor`-th pixel, numpy only.

Upsampling by zeros and a filter makes `up` phases, each the input filtered with every up-th tap at the
input's own rate (a polyphase filter: Vaidyanathan 1993, Multirate systems and filter banks). Activation
is blind to their order, and downsampling takes sums of such filters, so that nothing is ever spread out
on the fine grid.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Taps: TypeAlias = NDArray[np.float64]
Choice: TypeAlias = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Phase:
    """y[i] = sum of taps[j] * x[i + start + j], where x is 0 outside."""

    taps: Taps
    start: int

    def fitted(self, given: int, wanted: int) -> tuple[Taps, int, int]:
        """The taps and the padding before and after (0 or more) that make `wanted` values of `given`."""
        before, after = -self.start, wanted - 1 + self.start + len(self.taps) - given
        taps = np.pad(self.taps, (max(-before, 0), max(-after, 0)))
        return taps, max(before, 0), max(after, 0)


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of a layer. Of the convolution's values those from `first` up to `last` are read; `ups`
    make phases of `fine` values each; output phase q takes of phase p the flipped taps downs[q][p] (-1:
    none), and the outputs in turn, cut off at `out`, are the layer's."""

    first: int
    last: int
    ups: tuple[Phase, ...]
    fine: int
    downs: tuple[tuple[Choice, ...], ...]
    out: int

    @property
    def turns(self) -> int:
        """How many values each output phase has."""
        return -(-self.out // len(self.downs))

    def strips(self, most: int) -> list[Axis]:
        """The axis in parts of at most so many turns, as even as can be, each for itself: `first` and
        `last` count from this axis's own first, and the parts' outputs in a row are this axis's."""
        count = max(-(-self.turns // most), 1)
        ends = [self.turns * i // count for i in range(count + 1)]
        return [self._strip(begin, end) for begin, end in pairwise(ends)]

    def _strip(self, begin: int, end: int) -> Axis:
        rate, fine = len(self.downs), self.fine - self.turns + end - begin
        ups = [replace(phase, start=phase.start + begin) for phase in self.ups]
        first, last, moved = _read(ups, self.last - self.first, fine)
        return Axis(first, last, moved, fine, self.downs, min(self.out, rate * end) - rate * begin)


def axis(given: int, out: int, up: int, down: int, before: int, up_taps: Taps, down_taps: int) -> Axis:
    """The axis of a layer with `given` values and padding `before`. `up` is a multiple of `down`."""
    downs = downward(down_taps, up, down)
    fine = -(-out * down // up) + len(downs[0][0]) - 1
    first, last, ups = _read(upward(up_taps, up, before), given, fine)
    return Axis(first, last, ups, fine, downs, out)


def _read(ups: list[Phase], given: int, fine: int) -> tuple[int, int, tuple[Phase, ...]]:
    """Which of the given values the phases read, and the phases counted from the first of them."""
    first = min(max(min(phase.start for phase in ups), 0), given - 1)
    last = max(phase.start + len(phase.taps) + fine - 1 for phase in ups)
    moved = tuple(replace(phase, start=phase.start - first) for phase in ups)
    return first, max(min(last, given), first + 1), moved


def upward(taps: Taps, up: int, before: int) -> list[Phase]:
    """The phases of zeros between the values, padding (less than 0: cropping), and the filter."""
    phases = []
    for phase in range(up):
        at = phase + len(taps) - 1 - before
        own = taps[at % up :: up] * up  # the gain makes up for the zeros
        own = own if len(own) else np.zeros(1)
        phases.append(Phase(own[::-1], at // up - len(own) + 1))
    return phases


def downward(taps: int, up: int, down: int) -> tuple[tuple[Choice, ...], ...]:
    """The taps of the flipped filter that each output phase takes from each phase; equally many for all."""
    rate = up // down
    most = (down * (rate - 1) + taps - 1) // up + 1
    rows = [[up * np.arange(most) + p - down * q for p in range(up)] for q in range(rate)]
    return tuple(tuple(np.where((k >= 0) & (k < taps), k, -1) for k in row) for row in rows)
