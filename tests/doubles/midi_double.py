"""A backend of mido whose ports a test connects and disconnects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mido


class Drivers:
    """What the system has: the names of ports, in order; one of a name in `broken` cannot be opened, one
    in `stuck` not closed."""

    def __init__(self) -> None:
        self.ports: list[str] = []
        self.broken: set[str] = set()
        self.stuck: set[str] = set()
        self.open: dict[str, Callable[[Any], None]] = {}
        self.opened = 0
        self.fails = False

    def send(self, port: str, *messages: list[int]) -> None:
        """The device of a port sends messages."""
        for message in messages:
            self.open[port](mido.Message.from_bytes(message))


drivers = Drivers()


def get_devices(**_options: Any) -> list[dict[str, Any]]:
    """The ports, in the form that mido needs."""
    if drivers.fails:
        raise RuntimeError("the driver is gone")
    return [{"name": port, "is_input": True, "is_output": False} for port in drivers.ports]


class Input:
    """A port that is open."""

    def __init__(self, name: str, callback: Callable[[Any], None], **_options: Any) -> None:
        if name in drivers.broken or name not in drivers.ports:
            raise OSError(f"{name}: busy")
        self.name = name
        drivers.open[name] = callback
        drivers.opened += 1

    def close(self) -> None:
        """Stop receiving."""
        drivers.open.pop(self.name, None)
        if self.name in drivers.stuck:
            raise RuntimeError(f"{self.name}: stuck")
