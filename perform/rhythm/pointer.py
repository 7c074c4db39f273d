"""The beat pointer: follows tempo and beat through what a network hears of a beat in each hop.

A hidden Markov model whose states are a tempo and a place within the beat (Whiteley, Cemgil and Godsill,
"Bayesian modelling of temporal structure in musical audio", ISMIR 2006; with the states of Krebs, Böck and
Widmer, "An efficient state-space model for joint tempo and meter tracking", ISMIR 2015), only read forwards.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Doubles
from perform.rhythm.grid import LONGEST_PERIOD, PER_MINUTE, SHORTEST_PERIOD

FINEST = 0.02  # between two tempi, at least
ONSET = 3  # hops from the beginning of a beat in which its onset is expected
STEADINESS = 90.0  # how unlikely another tempo is at the next beat: exp(-STEADINESS * change)
FORGET = 2e-5  # share of a hop that starts anew at any place, so that a new tempo or phase is found
USUAL, OCTAVES = 112.0, 0.75  # bpm and octaves: where people tap (log-normal),
SLOW, SLOW_RARE = 57.0, 48  # the bpm up to which a tempo is rare, and how steeply,
FAST, FAST_RARE = 190.0, 24  # and those from which on it is
PREFER = 1.0  # how much that counts at each beat
LEAST_HEARD, MOST_HEARD = 0.01, 0.9  # of an activation that counts
EVEN = 0.06  # the activation that speaks neither for a beat nor against it
NEAR = 0.05  # tempi this near count as the same


@dataclass(frozen=True, slots=True)
class Pointed:
    """Where the pointer is: hops per beat, the place within the beat (0..1), how sharp that place is
    (0..1), and which share of the belief has that tempo."""

    period: float
    place: float
    sharpness: float
    belief: float


class BeatPointer:
    """Belief over tempi and places within the beat, hop by hop."""

    def __init__(self) -> None:
        self._periods = _periods()  # hops per beat of each tempo
        self._starts = np.concatenate(([0], np.cumsum(self._periods)[:-1]))  # its first state
        self._ends = self._starts + self._periods - 1
        place = np.concatenate([np.arange(period) / period for period in self._periods])
        self._onset = (self._starts[:, None] + np.arange(ONSET)).ravel()
        self._circle = np.exp(2j * np.pi * place).astype(np.complex64)
        ratio = np.log(self._periods[:, None] / self._periods)
        self._near = (np.abs(ratio) < NEAR).astype(np.float32)
        steps = np.gradient(np.log(self._periods))
        prior = _prior(PER_MINUTE / self._periods)
        fresh = prior * steps / (prior @ steps) / self._periods
        self._fresh = np.repeat(fresh, self._periods).astype(np.float32)
        change = np.exp(-STEADINESS * np.abs(ratio)) * steps[:, None]
        self._change = (change / change.sum(axis=0) * prior[:, None] ** PREFER).astype(np.float32)
        self._belief = self._fresh.copy()

    def hear(self, activation: float) -> None:
        """Pass a hop in which the network gives `activation` (0..1) to a beat."""
        belief = self._belief
        over = self._change @ belief[self._ends]
        belief[1:] = belief[:-1].copy()
        belief[self._starts] = over
        activation = min(max(activation, LEAST_HEARD), MOST_HEARD)
        belief[self._onset] *= np.float32(activation / (1 - activation) * (1 - EVEN) / EVEN)
        belief *= np.float32((1 - FORGET) / belief.sum())
        belief += np.float32(FORGET) * self._fresh

    def place(self) -> Pointed:
        """What the belief says now."""
        tempi = np.add.reduceat(self._belief, self._starts)
        around = self._near @ tempi
        best = int(around.argmax())
        first, last = np.flatnonzero(self._near[best])[[0, -1]]
        period = float(tempi[first : last + 1] @ self._periods[first : last + 1] / around[best])
        states = slice(int(self._starts[first]), int(self._ends[last]) + 1)
        direction = complex(self._belief[states] @ self._circle[states]) / float(around[best])
        place = float(np.angle(direction)) / (2 * np.pi) - (ONSET - 1) / 2 / period  # heard in the middle
        return Pointed(period, place % 1, abs(direction), float(around[best]))


def _periods() -> NDArray[np.int64]:
    wanted = np.exp(np.arange(np.log(SHORTEST_PERIOD), np.log(LONGEST_PERIOD), FINEST))
    return np.unique(np.round(wanted)).astype(np.int64)


def _prior(bpm: Doubles) -> Doubles:
    """How usual each tempo is, in no unit."""
    usual: Doubles = np.exp(-0.5 * (np.log2(bpm / USUAL) / OCTAVES) ** 2)
    return usual / (1 + (bpm / FAST) ** FAST_RARE) / (1 + (SLOW / bpm) ** SLOW_RARE)
