"""Inputs: what the world says, as events. One kind of device per file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from perform.signals import Event

if TYPE_CHECKING:
    from perform.scenes.addresses import Plays


@dataclass(frozen=True, slots=True)
class Health:
    """How an input is: `waiting` for a device that is not there (yet, or any more), or `ok`."""

    state: Literal["ok", "waiting", "failed"]
    detail: str = ""


class Input(Protocol):
    """An opened input. Threads behind it hand over through bounded buffers only."""

    name: str

    def poll(self, until: float) -> list[Event]:
        """What was said up to `until` (seconds of the show's clock), oldest first; never waits."""
        ...

    def health(self) -> Health:
        """Whether the device is there, and what is wrong when it is not."""
        ...

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        ...


@runtime_checkable
class Tells(Protocol):
    """An input whose device shows its player what plays."""

    name: str

    def tell(self, seconds: float, show: Plays) -> None:
        """How the show stands at `seconds` of its clock, called once a frame; never waits."""
        ...
