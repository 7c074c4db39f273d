"""MIDI clock, heard: pulses that come with jitter, as a steady beat with transport and song position.

`Lock` is a second-order delay-locked loop (Fons Adriaensen, "Using a DLL to filter time", Linux Audio
Conference 2005) whose bandwidth follows its memory: with the gains of an expanding-memory filter (Brookner,
"Tracking and Kalman Filtering Made Easy", 1998, section 4.4) its first pulses are fitted by a line, and
from `memory` pulses on it forgets as it learns. The memory is as long as the jitter asks for.
"""

from __future__ import annotations

import math
import threading
from collections import deque

import numpy as np
from numpy.typing import NDArray

from perform.clock import BEATS_PER_BAR
from perform.rhythm.tempo import FASTEST, HOLD, SLOWEST
from perform.signals import Event

PULSES = 24  # per quarter note
SIXTEENTH = PULSES // 4  # pulses: the unit of the song position pointer
REALTIME = frozenset({"clock", "start", "continue", "stop", "songpos"})  # mido's names
NAME = "tempo.midi"

SHORTEST, USUAL, LONGEST = PULSES // 2, 2 * PULSES, 12 * PULSES  # pulses: the memory
WANTED = 0.0004  # seconds of jitter that may be left
FIRST_JITTER = 0.005  # seconds, before it is known
GATE, LEAST_GATE = 6.0, 0.002  # times the jitter, and seconds: a pulse further off is not believed
SURE = 4.5  # deviations of the mean error of the last pulses from which the tempo has changed
MOST_LOST = 2  # pulses in a row; of more it is likelier that the sender stood still
LEAST_DRIFT = 0.001  # seconds: a mean error that is no reason to learn anew


class Lock:
    """Pulses' times, filtered: `time` is when the last pulse should have come, `period` seconds lie
    between two. `count` is how many are remembered, 0 before the first; `lost` how many seem to be."""

    def __init__(self) -> None:
        self.time = self.period = 0.0
        self.count = self.lost = 0
        self._heard = 0
        self._jitter = FIRST_JITTER
        self._arrivals: deque[float] = deque(maxlen=SHORTEST)
        self._errors: deque[float] = deque(maxlen=SHORTEST)
        self._doubted = 0  # pulses in a row that were not believed

    @property
    def ready(self) -> bool:
        """Whether a beat has passed, so that it can be followed."""
        return self._heard >= PULSES

    def gone(self, time: float) -> bool:
        """Whether a pulse at `time` does not belong to those before."""
        return bool(self._arrivals) and abs(time - self._arrivals[-1]) > HOLD["midi"]

    def hear(self, time: float) -> None:
        """A pulse came at `time` (seconds)."""
        self._arrivals.append(time)
        self._heard += 1
        if self.count < 2:
            self._begin(time)
            return
        error = time - (self.time + self.period)
        gate = max(GATE * self._jitter, LEAST_GATE)
        heard = min(abs(error), max(3 * self._jitter, LEAST_GATE / 2))  # a stall is no jitter
        self._jitter = math.sqrt(self._jitter**2 + (heard**2 - self._jitter**2) / (2 * PULSES))
        believed = abs(error) < gate or self.count < SHORTEST
        self._doubted = 0 if believed else self._doubted + 1
        self._learn(error if believed else 0.0)
        if self._doubted >= SHORTEST or self._drifts():
            self._refit(gate)

    def _begin(self, time: float) -> None:
        self.period = time - self.time if self.count else 60 / (120 * PULSES)
        self.time = time
        self.count += 1

    def _learn(self, error: float) -> None:
        """One step of the loop, with the gains of its memory."""
        self._errors.append(error)
        memory = 4 * (self._jitter / WANTED) ** 2  # since it leaves jitter * sqrt(4 / memory)
        n = self.count = min(self.count + 1, round(min(max(memory, USUAL), LONGEST)))
        self.time += self.period + 2 * (2 * n - 1) / (n * (n + 1)) * error
        self._tune(self.period + 6 / (n * (n + 1)) * error)

    def _drifts(self) -> bool:
        """Whether the last errors have a mean that jitter does not explain."""
        if len(self._errors) < SHORTEST or self.count <= SHORTEST:
            return False
        mean = abs(sum(self._errors) / SHORTEST)
        return mean > max(SURE * self._jitter / math.sqrt(SHORTEST), LEAST_DRIFT)

    def _refit(self, gate: float) -> None:
        """Learn anew from the last pulses, unless they make no line: a burst after a stall."""
        arrivals, numbers = np.array(self._arrivals), np.arange(1 - len(self._arrivals), 1)
        slope, last = np.polyfit(numbers, arrivals, 1)
        even = np.abs(arrivals - last - slope * numbers).max() < gate
        if even and 60 / (FASTEST * PULSES) <= slope <= 60 / (SLOWEST * PULSES):
            self._miss((last - self.time) / self.period, slope / self.period)
            self.period, self.time, self.count = float(slope), float(last), len(arrivals)
            self._errors.clear()
            self._doubted = 0

    def _miss(self, late: float, slower: float) -> None:
        """Pulses that are late by one or two of them, at the same tempo, tell of as many that were lost."""
        lost = round(late)
        if 1 <= lost <= MOST_LOST and abs(late - lost) < 0.25 and abs(slower - 1) < 0.1:
            self.lost += lost

    def _tune(self, period: float) -> None:
        self.period = min(max(period, 60 / (FASTEST * PULSES)), 60 / (SLOWEST * PULSES))


class Sender:
    """One sender of MIDI clock: its pulses, its transport and its place in the song.

    Before its first start or song position nobody knows which pulse begins a beat: only its tempo counts.
    """

    def __init__(self) -> None:
        self.lock = Lock()
        self.playing = True
        self.starts = 0  # and continues
        self._pulse = -1  # counted from the song's beginning, once that is known
        self._next: int | None = None  # the pulse that is to come, where a message has said so
        self._known = False

    def hear(self, kind: str, time: float, position: int = 0) -> None:
        """A message of REALTIME came at `time`; `position` is that of `songpos`, in sixteenths."""
        match kind:
            case "clock":
                self.lock = Lock() if self.lock.gone(time) else self.lock
                lost = self.lock.lost
                self.lock.hear(time)
                self._advance()
                self._pulse += self.lock.lost - lost
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
        period = self.lock.period
        beat = (self._pulse + (now - self.lock.time) / period) / PULSES % BEATS_PER_BAR
        unit = BEATS_PER_BAR if self._known else 1 / PULSES
        said = [60 / (period * PULSES), beat, unit, self.playing, self.starts]
        return np.array(said, np.float32)

    def _play(self) -> None:
        self.playing = True
        self.starts += 1

    def _advance(self) -> None:
        """A pulse further. A clock that goes on ticking while its song stands still keeps the beat."""
        if self._next is not None and self.playing:
            self._pulse, self._next = self._next, None
        else:
            self._pulse += 1


class MidiClocks:
    """The clocks of all ports: the first that ticks is followed until it falls silent. Any thread may
    `hear`; `now` of `take` is the show's time."""

    def __init__(self) -> None:
        self._senders: dict[str, Sender] = {}
        self._led = ""
        self._lock = threading.Lock()
        self._new = False

    def hear(self, port: str, kind: str, time: float, position: int = 0) -> None:
        """A message of REALTIME."""
        with self._lock:
            self._senders.setdefault(port, Sender()).hear(kind, time, position)
            self._new = self._new or port == self._led or not self._led

    def forget(self, port: str) -> None:
        """The port has gone."""
        with self._lock:
            self._senders.pop(port, None)

    def take(self, now: float) -> list[Event]:
        """`tempo.midi`, if there is a clock and it has ticked since."""
        with self._lock:
            there = [port for port, sender in self._senders.items() if _ticks(sender, now)]
            if not there:
                self._led = ""
                return []
            led = self._led if self._led in there else there[0]
            new, self._new = self._new or led != self._led, False
            self._led = led
            if not new:
                return []
            return [Event(now, NAME, self._senders[self._led].numbers(now))]

    @property
    def led(self) -> str:
        """The port that is followed, empty if none is."""
        return self._led


def _ticks(sender: Sender, now: float) -> bool:
    return sender.lock.ready and now - sender.lock.time < HOLD["midi"]
