"""Events and signals: what the inputs said, and what holds between two things said."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform.clock import Moment

Value: TypeAlias = float | str | NDArray[np.float32]

LARGEST = 1e30  # what counts as a number: squares and cubes of it are still far from overflow


@dataclass(frozen=True, slots=True)
class Event:
    """A value that an input sends.

    `time` is in seconds of the show's clock; `name` is a signal such as `midi.cc21`, `audio.low` or
    `osc["/sensor/1"]`, or the address of a parameter such as `/filter/grade/gain`. A trigger (a note, an
    onset) is an event with a value above 0; its input sends a 0 in a later frame.
    """

    time: float
    name: str
    value: Value


@dataclass(frozen=True, slots=True)
class Signals:
    """The frozen snapshot of every signal that one frame sees; `values` is the mapping of them."""

    values: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))

    def after(self, moment: Moment, events: Iterable[Event]) -> Signals:
        """The snapshot of the next frame: these signals, changed by what was said since."""
        values = dict(self.values)
        values.update((event.name, event.value) for event in events)
        values.update(moment.signals())
        return Signals(MappingProxyType(values))

    def joined(self, said: Mapping[str, Value]) -> Signals:
        """These signals, and others beside them."""
        return Signals(MappingProxyType({**self.values, **said})) if said else self

    def number(self, name: str, default: float = 0.0) -> float:
        """The signal as a float; `default` when nothing was said yet or it is no number within ±1e30."""
        value = self.values.get(name)
        if isinstance(value, int | float | np.floating | np.integer) and -LARGEST < value < LARGEST:
            return float(value)
        return default

    def __getitem__(self, name: str) -> Value:
        return self.values[name]

    def __contains__(self, name: object) -> bool:
        return name in self.values

    def __iter__(self) -> Iterator[str]:
        return iter(self.values)

    def __len__(self) -> int:
        return len(self.values)
