"""The place in the bar: a belief over bars of three and of four beats, beat by beat."""

from __future__ import annotations

import numpy as np

METERS = (4, 3)  # beats in a bar
OTHER_METER = 0.002  # how likely the next bar has the other number of beats
SLIP = 0.002  # how likely a beat belongs to any other place
TRUST = 1.0  # of the evidence
BETTER = 3.0  # how much more another place has to be believed
LEAST, MOST = 0.02, 0.9  # of an activation that counts
EVEN = 0.15  # the activation that speaks neither for a downbeat nor against it


class BarPointer:
    """Which beat of the bar comes next."""

    def __init__(self) -> None:
        self._places = np.concatenate([np.arange(meter) for meter in METERS])
        self._first = np.flatnonzero(self._places == 0)
        self._last = np.cumsum(METERS) - 1
        self._start = np.concatenate([np.full(meter, 1 / meter / len(METERS)) for meter in METERS])
        self._start[: METERS[0]] *= 1.8  # most music has four
        self._start /= self._start.sum()
        self._following = np.arange(len(self._places)) + 1
        self._following[self._last] = self._first
        self.restart()

    def next(self) -> bool:
        """Go on to the next beat; returns whether it begins a bar."""
        over = self._belief[self._last]
        self._belief[1:] = self._belief[:-1].copy()
        self._belief[self._first] = (1 - OTHER_METER) * over + OTHER_METER * over[::-1]
        self._belief = (1 - SLIP) * self._belief + SLIP * self._start
        self._here = int(self._following[self._here])
        best = int(self._belief.argmax())
        if self._belief[best] > BETTER * self._belief[self._here]:
            self._here = best
        return bool(self._places[self._here] == 0)

    def hear(self, activation: float) -> None:
        """How much the beat that `next` went to sounded like the first of a bar (0..1)."""
        activation = min(max(activation, LEAST), MOST)
        ratio = (activation / (1 - activation) * (1 - EVEN) / EVEN) ** TRUST
        self._belief[self._first] *= ratio
        self._belief /= self._belief.sum()

    def restart(self) -> None:
        """The beats are others: what was known of the bar is gone."""
        self._belief = self._start.copy()
        self._here = int(self._last[0])  # the next beat is the first of four
