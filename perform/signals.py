"""Events and signals: the values that inputs send, and the newest value of each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform.clock import Moment

Value: TypeAlias = float | str | NDArray[np.float32]

LARGEST = 1e30  # of a number: its square and cube do not overflow


@dataclass(frozen=True, slots=True)
class Event:
    """A value that reaches the show at one time.

    `time` is in seconds of the show's clock; `name` is a signal such as `midi.cc21`, `audio.low` or
    `osc["/sensor/1"]`, or the address of a parameter such as `/filter/grade/gain`. A trigger (a note, an
    onset) is an event with a value above 0; its input sends a 0 in a later frame. The events `model.ready`
    and `model.failed`, of a model's name, are for recordings of takes; nothing else reads them.
    """

    time: float
    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Signals:
    """All signals of one frame by name, frozen."""

    values: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    def after(self, moment: Moment, events: Iterable[Event]) -> Signals:
        """The signals of the next frame: these, changed by the events since."""
        values = dict(self.values)
        values.update((event.name, event.value) for event in events)
        values.update(moment.signals())
        return Signals(MappingProxyType(values))

    def joined(self, others: Mapping[str, Value]) -> Signals:
        """These signals and others; of one name, the other."""
        return Signals(MappingProxyType({**self.values, **others})) if others else self

    def number(self, name: str, default: float = 0.0) -> float:
        """The signal as a float; `default` if there is no value or it is not a number within ±1e30."""
        number = as_number(self.values.get(name))
        return default if number is None else number

    def __getitem__(self, name: str) -> Value:
        return self.values[name]

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)


# Signals of the keyboard and the mouse.
KEYS = (
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *("space", "escape", "return", "tab", "backspace", "insert", "delete", "shift"),
    *("left", "right", "up", "down", "pageup", "pagedown", "home", "end"),
    *("minus", "equal", "comma", "period"),
    *(f"f{n}" for n in range(1, 13)),
)
MOUSE = ("x", "y", "left", "right", "middle", "wheel")

# Gamepads.
PAD_STICKS = ("lx", "ly", "rx", "ry")
PAD_TRIGGERS = ("lt", "rt")
# In GLFW's order, by the layout of an Xbox pad: others have the same in the same places.
PAD_BUTTONS = (
    "a", "b", "x", "y", "lb", "rb", "back", "start", "guide", "ls", "rs", "up", "right", "down", "left",
)  # fmt: skip
NUMBERED_CONTROLS = (  # of pads without a known layout
    *(f"axis{number}" for number in range(1, 9)),
    *(f"button{number}" for number in range(1, 33)),
    *(f"hat{number}{way}" for number in (1, 2) for way in "xy"),
)
PAD_PLACES = range(1, 9)
PAD_SIGNALS = frozenset(
    f"pad.{place}{control}"
    for place in ("", *(f"{place}." for place in PAD_PLACES))
    for control in (*PAD_STICKS, *PAD_TRIGGERS, *PAD_BUTTONS, *NUMBERED_CONTROLS)
)
KEY_SIGNALS = PAD_SIGNALS.union((f"key.{key}" for key in KEYS), (f"mouse.{word}" for word in MOUSE))


def as_number(value: object) -> float | None:
    """A number as a float; None if it is none, or not within ±LARGEST, also after it was rounded."""
    if isinstance(value, int | float | np.floating | np.integer) and -LARGEST < value < LARGEST:
        number = float(value)
        return number if -LARGEST < number < LARGEST else None
    return None
