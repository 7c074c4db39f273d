"""Displays by name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from typing import TypeVar

import glfw

from perform.outputs.window.handles import MonitorHandle, address_of
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


class MonitorNames:
    """Names of monitors that differ, and stay: a second one of a name is called `name 2`, and so on.

    While a monitor is plugged in, it keeps its name, whichever of the others are pulled. One that comes
    again gets the name that a monitor of its kind had at its place on the desktop, else the first free one.
    """

    def __init__(self) -> None:
        self._names: dict[int, tuple[str, str]] = {}  # by the address of the handle: the kind, and the name
        self._places: dict[str, tuple[int, int]] = {}  # where each name was last

    def named(self, found: Sequence[tuple[int, str, tuple[int, int]]]) -> list[str]:
        """The names of all monitors that are there, each given by its handle's address, its own name and its
        place."""
        there = {address: kind for address, kind, _ in found}
        self._names = {at: one for at, one in self._names.items() if there.get(at) == one[0]}
        for address, kind, place in found:
            if address not in self._names:
                self._names[address] = kind, self._free(kind, place)
        names = [self._names[address][1] for address, _, _ in found]
        self._places |= {name: place for name, (_, _, place) in zip(names, found, strict=True)}
        return names

    def _free(self, kind: str, place: tuple[int, int]) -> str:
        taken = {name for _, name in self._names.values()}
        numbered = (kind if number == 1 else f"{kind} {number}" for number in count(1))
        free = list(islice((name for name in numbered if name not in taken), len(self._places) + 1))
        return next((name for name in free if self._places.get(name) == place), free[0])


_known = MonitorNames()


def monitors() -> Iterator[tuple[Display, MonitorHandle]]:
    """Every display with its handle, by a name that no other has (`MonitorNames`)."""
    found = [(monitor, state) for monitor in glfw.get_monitors() if (state := _state(monitor))]
    own = [(address_of(one) or 0, kind, position) for one, (kind, position, _, _) in found]
    named = zip(found, _known.named(own), strict=True)
    for index, ((monitor, (_, position, size, rate)), name) in enumerate(named):
        yield Display(name, position, size, rate, index == 0), monitor


def _state(monitor: MonitorHandle) -> tuple[str, tuple[int, int], tuple[int, int], int] | None:
    """A monitor's own name, its position, size and rate; None for one that is just being pulled."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # glfw warns of it
        try:
            mode = glfw.get_video_mode(monitor)
        except ValueError:  # it has none any more
            return None
        x, y = glfw.get_monitor_pos(monitor)
    size = mode.size.width, mode.size.height
    return text_of(glfw.get_monitor_name(monitor)), (x, y), size, mode.refresh_rate


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
