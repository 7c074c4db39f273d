"""MIDI clock, received: pulses that come with jitter, as a steady beat with transport and song position.

`DelayLockedLoop` is of second order (Fons Adriaensen, "Using a DLL to filter time", Linux Audio Conference
2005), and its bandwidth follows its memory: with the gains of an expanding-memory filter (Brookner, "Tracking
and Kalman Filtering Made Easy", 1998, section 4.4) it fits a line to its first pulses, and from
`memory` pulses on it forgets as it learns. The memory is as long as the jitter requires.
"""

from __future__ import annotations

import math
import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray

from perform.clock import BEATS_PER_BAR
from perform.rhythm.tempo import FASTEST, SLOWEST, SOURCE_TIMEOUT
from perform.signals import Event

PULSES = 24  # per quarter note
SIXTEENTH = PULSES // 4  # pulses: the unit of the song position pointer
REALTIME = frozenset({"clock", "start", "continue", "stop", "songpos"})  # mido's names
CLOCK_SIGNAL = "tempo.midi"

SHORTEST_MEMORY, USUAL_MEMORY, LONGEST_MEMORY = PULSES // 2, 2 * PULSES, 12 * PULSES  # pulses
WANTED_JITTER = 0.0004  # seconds of jitter that may be left
FIRST_JITTER = 0.005  # seconds, before it is known
GATE, LEAST_GATE = 6.0, 0.002  # times the jitter, and seconds: a pulse further off is an outlier
DRIFT_DEVIATIONS = 4.5  # of the mean error of the last pulses, above which the tempo has changed
MOST_LOST = 2  # pulses in a row; with more, the sender probably paused
LEAST_DRIFT = 0.001  # seconds: a smaller mean error is no reason to fit again


class DelayLockedLoop:
    """Filters the times of pulses: `time` is when the last pulse should have come, `period` the seconds
    between two. `count` is how many are remembered, 0 before the first; `lost` how many seem to be lost."""

    def __init__(self) -> None:
        self.time = self.period = 0.0
        self.count = self.lost = 0
        self._received = 0
        self._jitter = FIRST_JITTER
        self._arrivals: deque[float] = deque(maxlen=SHORTEST_MEMORY)
        self._errors: deque[float] = deque(maxlen=SHORTEST_MEMORY)
        self._outliers = 0  # in a row

    @property
    def ready(self) -> bool:
        """Whether a beat has passed, so that it can be followed."""
        return self._received >= PULSES

    def gone(self, time: float) -> bool:
        """Whether a pulse at `time` does not belong to those before."""
        return bool(self._arrivals) and abs(time - self._arrivals[-1]) > SOURCE_TIMEOUT["midi"]

    def receive(self, time: float) -> None:
        """A pulse came at `time` (seconds)."""
        self._arrivals.append(time)
        self._received += 1
        if self.count < 2:
            self._begin(time)
            return
        error = time - (self.time + self.period)
        gate = max(GATE * self._jitter, LEAST_GATE)
        deviation = min(abs(error), max(3 * self._jitter, LEAST_GATE / 2))  # a stall is no jitter
        self._jitter = math.sqrt(self._jitter**2 + (deviation**2 - self._jitter**2) / (2 * PULSES))
        outlier = abs(error) >= gate and self.count >= SHORTEST_MEMORY
        self._outliers = self._outliers + 1 if outlier else 0
        self._learn(0.0 if outlier else error)
        if self._outliers >= SHORTEST_MEMORY or self._drifts():
            self._refit(gate)

    def _begin(self, time: float) -> None:
        self.period = time - self.time if self.count else 60 / (120 * PULSES)
        self.time = time
        self.count += 1

    def _learn(self, error: float) -> None:
        """One step of the loop, with the gains of its memory."""
        self._errors.append(error)
        memory = 4 * (self._jitter / WANTED_JITTER) ** 2  # since it leaves jitter * sqrt(4 / memory)
        n = self.count = min(self.count + 1, round(min(max(memory, USUAL_MEMORY), LONGEST_MEMORY)))
        self.time += self.period + 2 * (2 * n - 1) / (n * (n + 1)) * error
        period = self.period + 6 / (n * (n + 1)) * error
        self.period = min(max(period, 60 / (FASTEST * PULSES)), 60 / (SLOWEST * PULSES))

    def _drifts(self) -> bool:
        """Whether the mean of the last errors is more than jitter explains."""
        if len(self._errors) < SHORTEST_MEMORY or self.count <= SHORTEST_MEMORY:
            return False
        mean = abs(sum(self._errors) / SHORTEST_MEMORY)
        return mean > max(DRIFT_DEVIATIONS * self._jitter / math.sqrt(SHORTEST_MEMORY), LEAST_DRIFT)

    def _refit(self, gate: float) -> None:
        """Fit the last pulses again, unless they are not even: a burst after a stall."""
        arrivals, numbers = np.array(self._arrivals), np.arange(1 - len(self._arrivals), 1)
        slope, last = np.polyfit(numbers, arrivals, 1)
        even = np.abs(arrivals - last - slope * numbers).max() < gate
        if even and 60 / (FASTEST * PULSES) <= slope <= 60 / (SLOWEST * PULSES):
            self._miss((last - self.time) / self.period, slope / self.period)
            self.period, self.time, self.count = float(slope), float(last), len(arrivals)
            self._errors.clear()
            self._outliers = 0

    def _miss(self, late: float, slower: float) -> None:
        """If pulses at the same tempo are late by one or two, as many were lost."""
        lost = round(late)
        if 1 <= lost <= MOST_LOST and abs(late - lost) < 0.25 and abs(slower - 1) < 0.1:
            self.lost += lost


class ClockSender:
    """One sender of MIDI clock: its pulses, its transport and its place in the song.

    Before its first start or song position it is unknown which pulse begins a beat: only its tempo counts.
    """

    def __init__(self) -> None:
        self.loop = DelayLockedLoop()
        self.playing = True
        self.starts = 0  # and continues
        self._pulse = -1  # counted from the song's beginning, once that is known
        self._next: int | None = None  # the number of the next pulse, if a message set it
        self._known = False

    def receive(self, kind: str, time: float, position: int = 0) -> None:
        """A message of REALTIME came at `time`; `position` is that of `songpos`, in sixteenths."""
        match kind:
            case "clock":
                self.loop = DelayLockedLoop() if self.loop.gone(time) else self.loop
                lost = self.loop.lost
                self.loop.receive(time)
                self._advance()
                self._pulse += self.loop.lost - lost
            case "start":
                self._next, self._known = 0, True
                self._play()
            case "continue":
                self._next = self._pulse + 1 if self._next is None else self._next
                self._play()
            case "stop":
                self.playing = False
                self._next = self._pulse + 1
            case "songpos":
                self._next, self._known = position * SIXTEENTH, True

    def numbers(self, now: float) -> NDArray[np.float32]:
        """[bpm, beat, unit, playing, starts] at `now`; see `perform.rhythm.tempo`."""
        period = self.loop.period
        beat = (self._pulse + (now - self.loop.time) / period) / PULSES % BEATS_PER_BAR
        unit = BEATS_PER_BAR if self._known else 1 / PULSES
        numbers = [60 / (period * PULSES), beat, unit, self.playing, self.starts]
        return np.array(numbers, np.float32)

    def _play(self) -> None:
        self.playing = True
        self.starts += 1

    def _advance(self) -> None:
        """One pulse on. A clock that goes on ticking while its song is stopped keeps the beat."""
        if self._next is not None and self.playing:
            self._pulse, self._next = self._next, None
        else:
            self._pulse += 1


class MidiClocks:
    """The clocks of all ports: the first that ticks is followed until it falls silent. Any thread may call
    `receive`; `now` of `take` is the show's time."""

    def __init__(self) -> None:
        self._senders: dict[str, ClockSender] = {}
        self.followed = ""  # port; empty if there is none
        self._lock = threading.Lock()
        self._new = False

    def receive(self, port: str, kind: str, time: float, position: int = 0) -> None:
        """A message of REALTIME."""
        with self._lock:
            self._senders.setdefault(port, ClockSender()).receive(kind, time, position)
            self._new = self._new or port == self.followed or not self.followed

    def forget(self, port: str) -> None:
        """The port has gone."""
        with self._lock:
            self._senders.pop(port, None)

    def take(self, now: float) -> list[Event]:
        """`tempo.midi`, if there is a clock and it has ticked since."""
        with self._lock:
            there = [port for port, sender in self._senders.items() if _ticks(sender, now)]
            if not there:
                self.followed = ""
                return []
            followed = self.followed if self.followed in there else there[0]
            new, self._new = self._new or followed != self.followed, False
            self.followed = followed
            if not new:
                return []
            return [Event(now, CLOCK_SIGNAL, self._senders[self.followed].numbers(now))]


def _ticks(sender: ClockSender, now: float) -> bool:
    return sender.loop.ready and now - sender.loop.time < SOURCE_TIMEOUT["midi"]
