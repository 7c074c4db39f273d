"""The control that a hand moves: of all signals, the one that goes farthest from its rest.

A control's rest is the range of its values in the seconds before the last one. Its movement is how far newer
values leave that range. So a knob that jitters by a few steps, a sensor that streams all the time and a fader
that drifts are at rest.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from perform.midi.names import PLAIN_MESSAGE, SHARED_CONTROL
from perform.signals import PAD_BUTTONS, PAD_TRIGGERS, Event

WINDOW = 1.0  # seconds of a movement
REST_WINDOW = 2.0  # seconds before a movement, in which the control was at rest
CHOICE_DELAY = 0.3  # seconds from the first moved control to the choice
INITIAL_REST = 0.6  # seconds at the beginning in which everything but buttons counts as rest
LEAST_MOVEMENT = 0.1  # of a control's range: 13 steps of 127
LEAST_MOVEMENTS = {"hand": 0.4}  # families that are never still
MOVED_FAMILIES = ("midi", "osc", "pad", "hand")  # first words of the signals of controls
MOST_SIGNALS = 4096  # thousands of OSC addresses must not fill the memory
SAMPLES_KEPT = 512  # of one signal
FINE_VALUES = (
    4  # values that the lower half of a control of 14 bits takes, and a button with its number does not
)
LOWER_HALF = 32  # its number above that of the upper half (MIDI 1.0, table III)
FAMILY = re.compile(rf"(?:{'|'.join(MOVED_FAMILIES)})[.\[]")
NOTE = re.compile(r"midi\.(?:\w+\.)*note\d+")
PAD = re.compile(rf"pad\.(?:\d+\.)?(?:{'|'.join(PAD_BUTTONS)}|button\d+)")
CC = re.compile(r"(?P<before>midi\.(?:\w+\.)*cc)(?P<number>\d+)(?P<fine>\.fine)?")
NOT_CONTROLS = re.compile(
    r"midi\.(?:scene|start|stop|continue)"
)  # what asks for something, and is turned by nobody


@dataclass(frozen=True, slots=True)
class Control:
    """A moved control: the name of its signal, whether it is a button, and the ends of its range."""

    signal: str
    button: bool = False
    low: float = 0.0
    high: float = 1.0


class _SignalHistory:
    """The values of one signal."""

    def __init__(self, button: bool) -> None:
        self.button = button
        self.least, self.most = math.inf, -math.inf
        self.whole = True  # all values were 0 or 1
        self._earlier: float | None = 0.0 if button else None  # the value before those that are kept
        self._values: deque[tuple[float, float]] = deque()

    def add(self, time: float, value: float) -> None:
        """Add a value."""
        self.least, self.most = min(self.least, value), max(self.most, value)
        self.whole &= value in (0.0, 1.0)
        self._values.append((time, value))
        if len(self._values) > SAMPLES_KEPT:
            self._earlier = self._values.popleft()[1]

    def movement(self, begun: float, now: float) -> float:
        """How far the signal left its rest since `begun`; 1 for a pressed button."""
        while self._values and self._values[0][0] < now - WINDOW - REST_WINDOW:
            self._earlier = self._values.popleft()[1]
        if self.button:
            since = max(begun, now - WINDOW)
            return float(any(value > 0 and time >= since for time, value in self._values))
        since = max(begun + INITIAL_REST, now - WINDOW)
        rest = [value for time, value in self._values if time < since]
        rest += [] if self._earlier is None else [self._earlier]
        moved = [value for time, value in self._values if time >= since]
        rest = rest or moved[:1]
        return max(max(moved) - max(rest), min(rest) - min(moved), 0.0) if moved else 0.0

    def times(self, since: float) -> tuple[float, ...]:
        """The times of the values since then."""
        return tuple(time for time, _ in self._values if time >= since)

    @property
    def different(self) -> int:
        """The number of different values."""
        return len({value for _, value in self._values})


class MovementDetector:
    """Finds the moved control among the events, from `begun` (seconds of the show) on."""

    def __init__(self, begun: float = 0.0) -> None:
        self._histories: dict[str, _SignalHistory] = {}
        self._begun, self._first = begun, math.inf

    def begin(self, now: float) -> None:
        """Begin again: all values until now are rest."""
        self._begun, self._first = now, math.inf

    def hear(self, events: Iterable[Event]) -> None:
        """Take the events of a frame."""
        for event in events:
            if FAMILY.match(event.name) and isinstance(event.value, int | float):
                history = self._histories.get(event.name)
                if (
                    history is None
                    and len(self._histories) < MOST_SIGNALS
                    and not NOT_CONTROLS.fullmatch(event.name)
                ):
                    button = bool(NOTE.fullmatch(event.name) or PAD.fullmatch(event.name))
                    history = self._histories[event.name] = _SignalHistory(button)
                if history is not None:
                    history.add(event.time, float(event.value))

    def moved(self, now: float) -> Control | None:
        """The moved control; None if none has moved yet."""
        movements = {
            n: history.movement(self._begun, now) / LEAST_MOVEMENTS.get(n.partition(".")[0], LEAST_MOVEMENT)
            for n, history in self._histories.items()
        }
        there = [name for name, far in movements.items() if far >= 1 and not self._fine(name, movements)]
        self._first = min(self._first, now) if there else math.inf
        if now - self._first < CHOICE_DELAY or not there:
            return None
        best = max(there, key=lambda name: (round(movements[name], 6), -name.count("."), -len(name)))
        return self._control(self._alike(best, now))

    def _fine(self, name: str, movements: dict[str, float]) -> bool:
        """Whether it is the lower half of a 14-bit control whose upper half moved too."""
        match = CC.fullmatch(name)
        if not match or not LOWER_HALF <= int(match["number"]) < 2 * LOWER_HALF:
            return False
        return (
            movements.get(f"{match['before']}{int(match['number']) - LOWER_HALF}", 0.0) * LEAST_MOVEMENT
            > 1 / 127
        )

    def _alike(self, name: str, now: float) -> list[str]:
        """All signals of the same messages of a device, this one first."""
        if not name.startswith("midi."):
            return [name]
        since = now - WINDOW
        times = self._histories[name].times(since)
        others = (one for one in self._histories if one.startswith("midi.") and one != name)
        return [name, *(one for one in others if self._histories[one].times(since) == times)]

    def _control(self, alike: Sequence[str]) -> Control:
        best = max(alike, key=lambda name: (self._clear(name), -name.count("."), -len(name)))
        history = self._histories[best]
        low, high = _ends(best, history.least, history.most)
        button = history.button or history.whole or any(NOTE.fullmatch(name) for name in alike)
        return Control(best, button, low, high)

    def _clear(self, name: str) -> int:
        """How well a name identifies a control. Best is a device's own name; a number without a device if
        only one device sends it, else a number with its device."""
        if not name.startswith("midi."):
            return 0
        body = name.removeprefix("midi.")
        if PLAIN_MESSAGE.fullmatch(body):
            devices = {_device_of(one) for one in self._histories if one.endswith(f".{body}")} - {""}
            return (4 if len(devices) <= 1 else 0) + self._exact(name)
        if not (device := _device_of(name)) or SHARED_CONTROL.fullmatch(body):
            return 0
        return (2 if PLAIN_MESSAGE.fullmatch(body.removeprefix(f"{device}.")) else 8) + self._exact(name)

    def _exact(self, name: str) -> int:
        """1 for a 14-bit control with both halves, -2 for a name to avoid, else 0."""
        match = CC.fullmatch(name)
        if match is None or not match["fine"]:
            return -2 if name.endswith(".pressure") or ".ch" in name else 0
        lower = self._histories.get(f"{match['before']}{int(match['number']) + LOWER_HALF}")
        return 1 if lower and lower.different > FINE_VALUES else -2


def _device_of(name: str) -> str:
    """The device in a signal's name, such as `midimix` in `midi.midimix.cc19`; empty if there is none."""
    first, dot, rest = name.removeprefix("midi.").partition(".")
    return first if dot and not re.fullmatch(r"ch\d+|(?:cc|note)\d+", first) and rest else ""


def _ends(name: str, least: float, most: float) -> tuple[float, float]:
    """The ends of a control's range: 0..1, -1..1 if values go below 0, else the extreme values so far."""
    last = name.rpartition(".")[2]
    if last == "program":
        return 0.0, 127.0
    if least >= -1 and most <= 1:
        button = last in (*PAD_BUTTONS, *PAD_TRIGGERS) or last.startswith("button")
        stick = name.startswith("pad.") and not button
        return (-1.0, 1.0) if least < 0 or stick or last == "pitch" else (0.0, 1.0)
    if least >= 0 and 64 < most <= 127:  # many OSC layouts send MIDI's numbers
        return 0.0, 127.0
    return min(least, 0.0), max(most, 0.0)
