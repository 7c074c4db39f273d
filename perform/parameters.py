"""Parameters: the declared controls of a unit.

A control is declared once; validation, sliders, OSC addresses, MIDI learn and documentation all
come from the declaration.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal[
    "float", "int", "bool", "event", "choice", "text", "message", "point", "color", "list", "sound"
]

Constant: TypeAlias = float | str | tuple[float, ...]  # a bool and an int are floats
Values: TypeAlias = Mapping[str, Any]  # of a unit's parameters on a frame, by name

SPACED, MOST_WRITTEN = 100_000.0, 1e12  # numbers from here on have spaces; and an exponent
LARGEST_FLOAT = sys.float_info.max
SIZES = {"point": 2, "color": 4}


class ParameterError(ValueError):
    """A value that a parameter does not take; the message has what is allowed."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One control of a unit.

    `default`, `low` and `high` are in `unit`; `point` is (x, y), `color` is (r, g, b, a), each 0..1
    unless the range is another. `choice` takes one of `choices`; `list` is a list of whole
    numbers (seeds, layers); `message` is a text that can change while it plays; `sound` is fed by the audio
    input (`audio.waveform` or `audio.spectrum`, named in `default`) and is not set by a preset. A formula
    that grows out of the range of one that `wraps` goes through it again, so that it never stands still.
    """

    name: str
    default: Any
    low: float | None = None
    high: float | None = None
    unit: str = ""
    description: str = ""
    kind: Kind = "float"
    choices: tuple[str, ...] = ()
    wraps: bool = False

    @property
    def playable(self) -> bool:
        """Whether a formula may drive it."""
        return self.kind in ("float", "int", "bool", "event", "point", "color")

    def check(self, value: object) -> Constant:
        """The value in the parameter's own type, or ParameterError with what is allowed."""
        match self.kind:
            case "choice" | "text" | "message":
                return self._checked_text(value)
            case "list":
                return self._checked_list(value)
            case "point" | "color":
                return self._checked_vector(value)
            case "sound":
                raise ParameterError(f"{self.name} gets its value from the sound")
            case "bool" | "event":
                return self._checked_switch(value)
            case _:
                return self._checked_number(value)

    def clip(self, value: float) -> float:
        """The nearest allowed number: what a value out of range becomes."""
        if self.low is not None and not value >= self.low:  # NaN goes to the low end
            return self.low
        if self.high is not None and value > self.high:
            return self.high
        return value

    def cast(self, value: float) -> float:
        """What a number of a formula becomes: the nearest allowed one, in the parameter's own type."""
        number = self.clip(self._wrapped(value) if self.wraps else value)
        match self.kind:
            case "int":
                return round(number)
            case "bool" | "event":
                return number > 0.5
        return number

    def _wrapped(self, value: float) -> float:
        if self.low is None or self.high is None or self.low <= value <= self.high:
            return value
        return self.low + (value - self.low) % (self.high - self.low)

    @property
    def range(self) -> str:
        """What is allowed, in words."""
        if self.choices:
            return "one of " + ", ".join(self.choices)
        low = "-∞" if self.low is None else number_text(self.low, exact=True)
        high = "∞" if self.high is None else number_text(self.high, exact=True)
        return f"{low}..{high}" + (f" {self.unit}" if self.unit else "")

    def _checked_switch(self, value: object) -> bool:
        if not isinstance(value, int | float) or value not in (0, 1):
            raise ParameterError(f"{self.name} = {value!r}, must be true or false")
        return bool(value)

    def _checked_number(self, value: object) -> float | int:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST_FLOAT:
            raise ParameterError(f"{self.name} = {value!r}, must be a number {self.range}")
        if self.clip(value) != value:
            raise ParameterError(f"{self.name} = {value:g}, must be {self.range}")
        if self.kind == "int" and value != int(value):
            raise ParameterError(f"{self.name} = {value:g}, must be a whole number {self.range}")
        return int(value) if self.kind == "int" else value

    def _checked_text(self, value: object) -> str:
        if not isinstance(value, str):
            raise ParameterError(f"{self.name} = {value!r}, must be text")
        if self.choices and value not in self.choices:
            hint = did_you_mean(value, self.choices, 1, quote=repr)
            raise ParameterError(f"{self.name} = {value!r}, must be {self.range}; {hint}".removesuffix("; "))
        return value

    def _checked_list(self, value: object) -> tuple[int, ...]:
        if not isinstance(value, list | tuple) or not value:
            raise ParameterError(f"{self.name} = {value!r}, must be a list of whole numbers")
        if any(isinstance(item, bool) or not isinstance(item, int) for item in value):
            raise ParameterError(f"{self.name} = {value!r}, must hold whole numbers only")
        if any(self.clip(item) != item for item in value):
            raise ParameterError(f"{self.name} = {value!r}, must hold numbers {self.range}")
        return tuple(value)

    def _checked_vector(self, value: object) -> tuple[float, ...]:
        size = SIZES[self.kind]
        if not isinstance(value, list | tuple) or len(value) != size:
            raise ParameterError(f"{self.name} = {value!r}, must be {size} numbers {self.range}")
        return tuple(float(self._checked_number(item)) for item in value)


def number_text(value: float, exact: bool = False) -> str:
    """A number for people: 0.566667 is 0.57, 0.00123 is 0.0012, and 2147483648 is 2 147 483 648. `exact`: a
    limit, of which six digits are shown."""
    size = abs(value)
    if not math.isfinite(value) or (exact and size < SPACED):
        return f"{value:g}"
    if size >= MOST_WRITTEN:
        return f"{value:.2g}".replace("e+", "e")
    if value == round(value) or size >= SPACED:
        return f"{round(value):,}".replace(",", " ")
    text = f"{value:.2f}" if size >= 0.1 else f"{value:.2g}"
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def choice(what: str, value: str, allowed: tuple[str, ...]) -> Any:
    """The value of an option or a key, which must be one of those allowed; else ValueError."""
    if value not in allowed:
        raise ValueError(f"{what} {value!r}, must be one of {', '.join(allowed)}")
    return value


def did_you_mean(
    word: str, known: Iterable[str], most: int = 3, likeness: float = 0.6, quote: Callable[[str], str] = str
) -> str:
    """`did you mean low or flow?`: at most `most` of the known names, those at least so like the word
    (0..1); empty if there is none."""
    spellings = {name.casefold(): name for name in known}  # capitals are no difference
    near = get_close_matches(word.casefold(), spellings, most, likeness)
    text = " or ".join(quote(spellings[name]) for name in near)
    return f"did you mean {text}?" if text else ""


def name_hint(name: str, known: Collection[str]) -> str:
    """The end of a message on a name that is not there: the known names most like it, or all of them."""
    return "; " + (did_you_mean(name, known) or f"there are: {', '.join(known) or 'none'}")


def names_meant(text: str, names: Iterable[str]) -> list[str]:
    """The names that a text means: the one that it is, else those that begin so. Capitals do not matter."""
    wanted, names = text.casefold(), list(names)
    exact = [name for name in names if name.casefold() == wanted]
    return exact or [name for name in names if name.casefold().startswith(wanted)]


def place_of(text: str, what: str = "osc") -> tuple[str, int]:
    """Host and port of a text such as 192.168.0.7:9000, or of a port alone, on this machine. Raises
    ValueError, which names `what` it is."""
    before, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > 65535:
        raise ValueError(f"{what} {text!r}, must be HOST:PORT or a port 0..65535")
    return before or "127.0.0.1", int(port)


def size_of(text: str, square: bool = False) -> tuple[int, int]:
    """Width and height of a text such as 1280x720; with `square`, 64 is 64x64. Raises ValueError."""
    width, _, height = text.lower().partition("x")
    if square and width == text:
        height = width
    if not (
        width.isdecimal() and height.isdecimal() and 16 <= int(width) <= 16384 and 16 <= int(height) <= 16384
    ):
        allowed = "WIDTHxHEIGHT, or one number for a square" if square else "WIDTHxHEIGHT"
        raise ValueError(f"size {text!r}, must be {allowed}, each 16..16384 pixels")
    return int(width), int(height)
