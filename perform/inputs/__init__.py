"""Inputs: what the world says, as events. One kind of device per file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from perform.signals import Event


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
