"""What a model file holds, as plain values: nothing in a file becomes anything but these."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from perform.arrays import AnyArray
from perform.networks.checkpoints.limits import shown

Key: TypeAlias = bool | int | float | str | None
Value: TypeAlias = (
    "bool | int | float | complex | str | bytes | memoryview | AnyArray | Record | Storage"
    " | list[Value] | tuple[Value, ...] | dict[Key, Value] | None"
)

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"


@dataclass(slots=True, eq=False)
class Record:
    """A name in a pickle, and what would be made of it; inert.

    `args` is None for the name alone, otherwise what it would have been called with; `state` is what
    would have been put into the object after.
    """

    name: str
    args: tuple[Value, ...] | None = None
    state: Value = None

    def __repr__(self) -> str:
        return f"Record({shown(self.name)})"


@dataclass(frozen=True, slots=True)
class Storage:
    """The bytes that tensors are views of; `data` is None as long as their place is unknown.

    `kind` and `order` are those of numpy's short names: f4, <.
    """

    kind: str
    order: str
    data: memoryview | None


def sequence(value: Value) -> Sequence[Value]:
    """A list or tuple; TypeError for anything else."""
    if not isinstance(value, list | tuple):
        raise TypeError(f"a {type(value).__name__} is no list")
    return value
