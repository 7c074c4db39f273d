"""Inputs: what devices send, as events. One kind of device per file."""

from __future__ import annotations

from typing import Protocol

from perform.arrays import Pixels
from perform.faults import Health
from perform.signals import Event


class Input(Protocol):
    """An opened input. Threads behind it hand over through bounded buffers only."""

    name: str

    def poll(self, until: float) -> list[Event]:
        """What came up to `until` (seconds of the show's clock), oldest first; never waits."""
        ...

    def health(self) -> Health:
        """Whether the device is there, and what is wrong if it is not."""
        ...

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        ...


class CameraDevice(Protocol):
    """An opened camera."""

    def read(self) -> tuple[Pixels, float]:
        """The next picture [height, width, 3 | 4], as soon as there is one, and when it was taken
        (stopwatch). A fourth channel is no alpha. Any exception means that the device is gone."""
        ...

    def close(self) -> None: ...
