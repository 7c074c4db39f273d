"""The place in the bar: a belief over bars of three and of four beats, beat by beat."""

from __future__ import annotations

import numpy as np

from perform.arrays import Doubles

METERS = (4, 3)  # beats in a bar
OTHER_METER = 0.002  # how likely the next bar has the other number of beats
SLIP = 0.002  # how likely a beat belongs to any other place
BETTER = 2.0  # how much more another place has to be believed
LEAST, MOST = 0.1, 0.9  # of an activation that counts
CLEAR = 10  # hops after a beat in which the window of the chroma still holds the beat before
HARMONY = 10.0  # weight of a change of harmony
USUALLY = 0.05  # share of a beat in the usual change
EVEN = 0.3  # the activation that speaks neither for a downbeat nor against it


class Harmony:
    """What sounds throughout a beat, and how much it differs from the beat before."""

    def __init__(self) -> None:
        self._before: Doubles = np.zeros(12)
        self._now: Doubles = np.ones(12)

    def add(self, chroma: Doubles, ago: float) -> None:
        """Add a hop, `ago` hops after the last beat. The minimum leaves the drums out."""
        if ago >= CLEAR:
            self._now = np.minimum(self._now, chroma)

    def change(self) -> float:
        """A beat is over: 0 for the same harmony as in the beat before, 1 for nothing in common."""
        before, now = self._before, self._now
        self._before, self._now = now, np.ones(12)
        size = np.sqrt((before @ before) * (now @ now))
        return float(1 - before @ now / size) if size > 0 else 0.0


class BarPointer:
    """Which beat of the bar comes next."""

    def __init__(self) -> None:
        self._places = np.concatenate([np.arange(meter) for meter in METERS])
        self._first = np.flatnonzero(self._places == 0)
        self._last = np.cumsum(METERS) - 1
        self._start = np.concatenate([np.full(meter, 1 / meter / len(METERS)) for meter in METERS])
        self._start[: METERS[0]] *= 1.8  # most music has four
        self._start /= self._start.sum()
        self._usual = 0.2  # change of harmony from a beat to the next
        self._belief, self._here = self._start.copy(), int(self._last[0])  # next is the first of four
        self._following = np.arange(len(self._places)) + 1
        self._following[self._last] = self._first

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
        ratio = activation / (1 - activation) * (1 - EVEN) / EVEN
        self._belief[self._first] *= ratio
        self._belief /= self._belief.sum()

    def changed(self, distance: float) -> None:
        """How far the harmony of the beat before the present one was from that before it (0..1)."""
        ratio = np.exp(HARMONY * (distance - self._usual))
        self._usual += (distance - self._usual) * USUALLY
        self._belief[self._following[self._first]] *= ratio
        self._belief /= self._belief.sum()

    def restart(self) -> None:
        """The beats are others: what was known of the bar is gone."""
        self._belief, self._here = self._start.copy(), int(self._last[0])  # next is the first of four
