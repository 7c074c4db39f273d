"""Which control a hand moves: of all that inputs say, the one that goes farthest from where it was.

A control's rest is the interval of what it said in the seconds before the last one; what it says since
then counts by how far it leaves that interval. So a knob that jitters by a few steps, a sensor that
streams all the time and a fader that drifts are at rest, whatever else is moved.
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from perform.keys import BUTTONS, TRIGGERS
from perform.midi.names import PLAIN_MESSAGE, SHARED_CONTROL
from perform.signals import Event

WINDOW = 1.0  # seconds of a movement
REST_WINDOW = 2.0  # seconds before it, in which it was at rest
CHOICE_DELAY = 0.3  # seconds from the first control that has moved to the choice among those that did
INITIAL_REST = 0.6  # seconds from the beginning in which everything is taken to be at rest, but for buttons
LEAST_MOVEMENT = 0.1  # how far a control has to go: 13 steps of 127
LEAST_MOVEMENTS = {"hand": 0.4}  # what is never quite still
MOVED_FAMILIES = ("midi", "osc", "pad", "hand")  # the first words of what is moved by hand
MOST_SIGNALS = 4096  # signals watched; a stranger's thousands of addresses must not fill the memory
SAMPLES_KEPT = 512  # of one signal that are kept
FINE_VALUES = (
    4  # values that the lower half of a control of 14 bits takes, and a button with its number does not
)
LOWER_HALF = 32  # its number above that of the upper half (MIDI 1.0, table III)
FAMILY = re.compile(rf"(?:{'|'.join(MOVED_FAMILIES)})[.\[]")
NOTE = re.compile(r"midi\.(?:\w+\.)*note\d+")
PAD = re.compile(rf"pad\.(?:\d+\.)?(?:{'|'.join(BUTTONS)}|button\d+)")
CC = re.compile(r"(?P<before>midi\.(?:\w+\.)*cc)(?P<number>\d+)(?P<fine>\.fine)?")
NOT_CONTROLS = re.compile(
    r"midi\.(?:scene|start|stop|continue)"
)  # what asks for something, and is turned by nobody


@dataclass(frozen=True, slots=True)
class Control:
    """A control that was moved: the name of its signal, whether it is a button, and the ends of its way."""

    signal: str
    button: bool = False
    low: float = 0.0
    high: float = 1.0


class _SignalHistory:
    """What one signal has said."""

    def __init__(self, button: bool) -> None:
        self.button = button
        self.least, self.most = math.inf, -math.inf
        self.whole = True  # it never said anything but 0 and 1
        self._stood: float | None = 0.0 if button else None  # before all that is kept
        self._said: deque[tuple[float, float]] = deque()

    def say(self, time: float, value: float) -> None:
        """It says a value."""
        self.least, self.most = min(self.least, value), max(self.most, value)
        self.whole &= value in (0.0, 1.0)
        self._said.append((time, value))
        if len(self._said) > SAMPLES_KEPT:
            self._stood = self._said.popleft()[1]

    def gone(self, begun: float, now: float) -> float:
        """How far it left its rest, of a watch that began at `begun`; 1 for a button that was pressed."""
        while self._said and self._said[0][0] < now - WINDOW - REST_WINDOW:
            self._stood = self._said.popleft()[1]
        if self.button:
            since = max(begun, now - WINDOW)
            return float(any(value > 0 and time >= since for time, value in self._said))
        since = max(begun + INITIAL_REST, now - WINDOW)
        rest = [value for time, value in self._said if time < since]
        rest += [] if self._stood is None else [self._stood]
        moved = [value for time, value in self._said if time >= since]
        rest = rest or moved[:1]
        return max(max(moved) - max(rest), min(rest) - min(moved), 0.0) if moved else 0.0

    def times(self, since: float) -> tuple[float, ...]:
        """When it spoke since then."""
        return tuple(time for time, _ in self._said if time >= since)

    @property
    def different(self) -> int:
        """How many values it has taken."""
        return len({value for _, value in self._said})


class MovementDetector:
    """Watches what inputs say, from `begun` (seconds of the show) on."""

    def __init__(self, begun: float = 0.0) -> None:
        self._courses: dict[str, _SignalHistory] = {}
        self._begun, self._first = begun, math.inf

    def begin(self, now: float) -> None:
        """Watch for another movement: what was said until now is rest."""
        self._begun, self._first = now, math.inf

    def hear(self, events: Iterable[Event]) -> None:
        """What was said on a frame."""
        for event in events:
            if FAMILY.match(event.name) and isinstance(event.value, int | float):
                course = self._courses.get(event.name)
                if (
                    course is None
                    and len(self._courses) < MOST_SIGNALS
                    and not NOT_CONTROLS.fullmatch(event.name)
                ):
                    button = bool(NOTE.fullmatch(event.name) or PAD.fullmatch(event.name))
                    course = self._courses[event.name] = _SignalHistory(button)
                if course is not None:
                    course.say(event.time, float(event.value))

    def moved(self, now: float) -> Control | None:
        """The control that was moved, once one was; None so far."""
        gone = {n: course.gone(self._begun, now) / _least_movement(n) for n, course in self._courses.items()}
        there = [name for name, far in gone.items() if far >= 1 and not self._fine(name, gone)]
        self._first = min(self._first, now) if there else math.inf
        if now - self._first < CHOICE_DELAY or not there:
            return None
        best = max(there, key=lambda name: (round(gone[name], 6), -name.count("."), -len(name)))
        return self._control(self._alike(best, now))

    def _fine(self, name: str, gone: dict[str, float]) -> bool:
        """Whether it is the lower half of a control of 14 bits that moved as well."""
        match = CC.fullmatch(name)
        if not match or not LOWER_HALF <= int(match["number"]) < 2 * LOWER_HALF:
            return False
        return (
            gone.get(f"{match['before']}{int(match['number']) - LOWER_HALF}", 0.0) * LEAST_MOVEMENT > 1 / 127
        )

    def _alike(self, name: str, now: float) -> list[str]:
        """The signals by which a device's messages of one control are heard, this one first."""
        if not name.startswith("midi."):
            return [name]
        since = now - WINDOW
        times = self._courses[name].times(since)
        others = (one for one in self._courses if one.startswith("midi.") and one != name)
        return [name, *(one for one in others if self._courses[one].times(since) == times)]

    def _control(self, alike: Sequence[str]) -> Control:
        best = max(alike, key=lambda name: (self._clear(name), -name.count("."), -len(name)))
        course = self._courses[best]
        low, high = _ends(best, course.least, course.most)
        button = course.button or course.whole or any(NOTE.fullmatch(name) for name in alike)
        return Control(best, button, low, high)

    def _clear(self, name: str) -> int:
        """How well a name says which control is meant: best a device's own name for it; a number of any
        device where one device alone has it, a device's number elsewhere."""
        if not name.startswith("midi."):
            return 0
        body = name.removeprefix("midi.")
        if PLAIN_MESSAGE.fullmatch(body):
            devices = {_device_of(one) for one in self._courses if one.endswith(f".{body}")} - {""}
            return (4 if len(devices) <= 1 else 0) + self._exact(name)
        if not (device := _device_of(name)) or SHARED_CONTROL.fullmatch(body):
            return 0
        return (2 if PLAIN_MESSAGE.fullmatch(body.removeprefix(f"{device}.")) else 8) + self._exact(name)

    def _exact(self, name: str) -> int:
        """1 for both halves of a control of 14 bits together, -1 for a name that is to be avoided."""
        match = CC.fullmatch(name)
        if match is None or not match["fine"]:
            return -2 if name.endswith(".pressure") or ".ch" in name else 0
        lower = self._courses.get(f"{match['before']}{int(match['number']) + LOWER_HALF}")
        return 1 if lower and lower.different > FINE_VALUES else -2


def _device_of(name: str) -> str:
    """The device in a signal's name, `midimix` of `midi.midimix.cc19`; empty without one."""
    first, dot, rest = name.removeprefix("midi.").partition(".")
    return first if dot and not re.fullmatch(r"ch\d+|(?:cc|note)\d+", first) and rest else ""


def _least_movement(name: str) -> float:
    return LEAST_MOVEMENTS.get(name.partition(".")[0], LEAST_MOVEMENT)


def _ends(name: str, least: float, most: float) -> tuple[float, float]:
    """The ends of a control's way: 0..1, or -1..1 of what goes below 0, or what was seen of what goes
    beyond."""
    last = name.rpartition(".")[2]
    if last == "program":
        return 0.0, 127.0
    if least >= -1 and most <= 1:
        stick = (
            name.startswith("pad.") and last not in (*BUTTONS, *TRIGGERS) and not last.startswith("button")
        )
        return (-1.0, 1.0) if least < 0 or stick or last == "pitch" else (0.0, 1.0)
    if least >= 0 and 64 < most <= 127:  # as many OSC pages send MIDI's numbers
        return 0.0, 127.0
    return min(least, 0.0), max(most, 0.0)
