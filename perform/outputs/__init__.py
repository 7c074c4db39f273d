"""Outputs: where pictures, sound and the state of the show go. One kind of device per file.

Every outgoing device has a name, a health and a way to close it (`Output`). What it takes makes it of one
kind: frames (`FrameOutput`: films, streams), the state of the show (`StateOutput`: lights, feedback), or the
picture on a display (`Screen`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from perform.arrays import Pixels, Samples
from perform.clock import Moment
from perform.faults import Health
from perform.scenes.look import Look
from perform.signals import Event

if TYPE_CHECKING:
    import moderngl

    from perform.scenes.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Frame:
    """What frame outputs get, once per Moment: `pixels` [height, width, 3], top row first; `sound` [n, 2],
    what passed since the frame before, None without one."""

    moment: Moment
    pixels: Pixels
    sound: Samples | None = None


class Output(Protocol):
    """An opened outgoing device."""

    name: str

    def health(self) -> Health:
        """Whether the device is there, and what is wrong if it is not."""
        ...

    def close(self) -> None:
        """Finish, and keep what was written; safe to call twice."""
        ...


@runtime_checkable
class FrameOutput(Output, Protocol):
    """Takes frames. One that `may_lag` gets them some frames late, so that the show need not wait for the
    graphics card."""

    may_lag: bool

    def write(self, frame: Frame) -> None:
        """Take one frame. Raises OSError if it cannot be kept; what was written before stays."""
        ...


@runtime_checkable
class SoundOutput(Output, Protocol):
    """Takes sound also without a frame, as a recorder does: the share of the last frame."""

    def write_sound(self, samples: Samples) -> None:
        """Take the samples [n, 2] that follow those of the last frame."""
        ...


@runtime_checkable
class StateOutput(Output, Protocol):
    """Takes the state of the show, as a device with lights or a touchscreen does."""

    def update(self, seconds: float, snapshot: Callable[[], Snapshot]) -> None:
        """The state at `seconds` of the show's clock, called once a frame; never waits. `snapshot` makes it,
        during this call only, so call it only if you send something now."""
        ...


class Screen(Output, Protocol):
    """Shows the picture to people, and gives what is pressed on it."""

    @property
    def closed(self) -> bool:
        """Whether somebody has closed it."""
        ...

    @property
    def notice(self) -> str:
        """What it asks or reports to its operator, or nothing."""
        ...

    def poll(self, until: float) -> list[Event]:
        """What was pressed up to `until` (seconds of the show's clock)."""
        ...

    def show(self, image: moderngl.Texture, look: Look) -> None:
        """Bring a picture to the display. `image` is of the show's context, which is current, and is current
        again afterwards."""
        ...
