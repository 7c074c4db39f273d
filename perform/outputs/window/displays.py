"""Displays by name."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import glfw

from perform.outputs.window.handles import MonitorHandle
from perform.parameters import names_meant

Result = TypeVar("Result")
NO_DESKTOP_REMEDY = "run it from a desktop session (DISPLAY or WAYLAND_DISPLAY set), or with --headless"


class WindowError(OSError):
    """No window can be opened here, or not so; the message has the remedy."""


@dataclass(frozen=True, slots=True)
class Display:
    """A display: `position` of its corner on the desktop and `size`, both in the desktop's units
    (pixels nearly everywhere), `rate` in pictures a second, 0 where there is none."""

    name: str
    position: tuple[int, int]
    size: tuple[int, int]
    rate: int
    primary: bool

    def holds(self, x: float, y: float) -> bool:
        """Whether a point of the desktop is on it."""
        left, top = self.position
        return left <= x < left + self.size[0] and top <= y < top + self.size[1]

    def __str__(self) -> str:
        return f"{self.name} {self.size[0]}x{self.size[1]}" + (f" at {self.rate} Hz" if self.rate else "")


def attempt(call: Callable[..., Result], *arguments: object) -> Result:
    """The result of a call of the window system; WindowError with its message if there is none."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # glfw warns of what is raised below
        given = call(*arguments)
    if not given:
        text = text_of(glfw.get_error()[1]) or "the window system gives no reason"
        raise WindowError(f"no window: {text}; {NO_DESKTOP_REMEDY}")
    return given


def displays() -> list[Display]:
    """The displays that are plugged in, the primary one first. Raises WindowError without a desktop."""
    attempt(glfw.init)
    return [display for display, _ in monitors()]


def monitors() -> Iterator[tuple[Display, MonitorHandle]]:
    """Every display with its handle. A second one of a name is called `name 2`, and so on."""
    count: Counter[str] = Counter()
    for index, monitor in enumerate(glfw.get_monitors()):
        name = text_of(glfw.get_monitor_name(monitor))
        count[name] += 1
        name = name if count[name] == 1 else f"{name} {count[name]}"
        mode = glfw.get_video_mode(monitor)
        position = glfw.get_monitor_pos(monitor)
        yield (
            Display(name, position, (mode.size.width, mode.size.height), mode.refresh_rate, index == 0),
            monitor,
        )


def text_of(raw: bytes | str | None) -> str:
    """A text of the window system, which gives bytes or strings."""
    return raw.decode(errors="replace") if isinstance(raw, bytes) else raw or ""


def find_display(name: str | None) -> Display:
    """The display of a name, or of the only name that begins so; the primary one for None.
    Letters may be large or small. Raises WindowError with the names that there are."""
    present = [display for display, _ in monitors()]
    if name is None and present:
        return present[0]
    meant = names_meant(name or "", [one.name for one in present])
    chosen = [one for one in present if one.name in meant]
    if len(chosen) != 1:
        names = ", ".join(map(str, present)) or "none"
        what = "is not plugged in" if not chosen else "could be any of several"
        raise WindowError(f"display {name!r} {what}; the displays are: {names}")
    return chosen[0]
