"""A grid of beats at even distances, which runs on by itself. In hops."""

from __future__ import annotations

import numpy as np

from perform.clock import HIGHEST_BPM, LOWEST_BPM
from perform.rhythm.features import HOPS_PER_SECOND

PER_MINUTE = 60 * HOPS_PER_SECOND
SHORTEST_PERIOD, LONGEST_PERIOD = PER_MINUTE / HIGHEST_BPM, PER_MINUTE / LOWEST_BPM  # hops per beat


class BeatGrid:
    """Beats every `period` hops, the next one `due` hops from now; infinite before the first lock."""

    def __init__(self) -> None:
        self.period = LONGEST_PERIOD
        self.due = np.inf
        self.age = 0  # since the last lock

    @property
    def running(self) -> bool:
        return self.due < np.inf

    @property
    def bpm(self) -> float:
        """Its tempo; 0 before the first lock."""
        return PER_MINUTE / self.period if self.running else 0.0

    @property
    def ago(self) -> float:
        """Hops since the last beat."""
        return self.period - self.due

    def pass_hop(self) -> None:
        self.due -= 1
        self.age += 1

    def beat(self) -> float | None:
        """How many hops ago the due beat fell; None if no beat is due."""
        if self.due > 0:
            return None
        ago = -self.due
        self.due += self.period
        return ago

    def lock(self, period: float, ago: float) -> None:
        """Start anew: a beat every `period` hops, the last one `ago` hops ago."""
        self.period = _in_range(period)
        self.due = self.period - ago % self.period
        self.age = 0

    def pull(self, early: float, phase: float, period: float) -> None:
        """Move towards beats that come `early` hops before its own, by these shares of it."""
        self.due -= phase * early
        self.period = _in_range(self.period - period * early)


def _in_range(period: float) -> float:
    return min(max(period, SHORTEST_PERIOD), LONGEST_PERIOD)


class GridTracker:
    """A beat tracker whose beats are those of a grid."""

    def __init__(self, grid: BeatGrid) -> None:
        self._beats = grid
        self.confidence = 0.0  # how sure it is of its beat now, 0..1

    @property
    def bpm(self) -> float:
        """The tempo of the grid; 0 before there is one."""
        return self._beats.bpm

    @property
    def ahead(self) -> float:
        """Seconds from the last hop to the next beat; infinite before there is a grid."""
        return self._beats.due / HOPS_PER_SECOND
