"""Keys of a keyboard, as whoever has them (a window, a terminal) hands them on."""

from __future__ import annotations

from collections.abc import Callable

from perform.inputs import Health
from perform.inputs._slots import Slots
from perform.signals import Event


class Keys:
    """`press("space")` and `release("space")` become `key.space` = 1 and 0; from any thread."""

    name = "keys"

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._slots = Slots()

    def press(self, name: str) -> None:
        """A key went down."""
        self._slots.put(self._now(), f"key.{name}", 1.0)

    def release(self, name: str) -> None:
        """A key came up."""
        self._slots.put(self._now(), f"key.{name}", 0.0)

    def poll(self, until: float) -> list[Event]:
        return self._slots.take(until)

    def health(self) -> Health:
        return Health("ok", self.name)

    def close(self) -> None:
        pass
