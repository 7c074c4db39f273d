"""The values of a network's controls while it plays, by the names of its parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

ControlValue: TypeAlias = float | str | Sequence[float]
Controls: TypeAlias = Mapping[str, ControlValue]


@dataclass(frozen=True, slots=True)
class NetworkValues:
    """The values that a network draws one picture with: of its parameters by name, of each of its bends,
    and of its blend. What is not given has its default."""

    parameters: Controls = field(default_factory=dict)
    bends: Sequence[Controls] = ()
    blend: Controls = field(default_factory=dict)


def number(controls: Controls, name: str, default: float | None = None) -> float:
    """The number of a control. TypeError for another value, or for none without a default."""
    value = controls.get(name, default)
    if value is None or isinstance(value, str | Sequence):
        raise TypeError(f"{name} = {value!r}, must be a number")
    return value


def numbers(controls: Controls, name: str) -> tuple[float, ...]:
    """The numbers of a control such as a pair of layers. TypeError for another value."""
    value = controls[name]
    if isinstance(value, str | float | int):
        raise TypeError(f"{name} = {value!r}, must be numbers")
    return tuple(value)
