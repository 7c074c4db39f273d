"""Where a window is: in a frame on the desktop, or filling a display, also one that comes and goes."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

import glfw

from perform.outputs.window.displays import Display, monitors
from perform.outputs.window.handles import MonitorHandle, WindowHandle, address_of
from perform.parameters import names_meant

log = logging.getLogger("perform")
NOTHING: MonitorHandle = None  # no monitor, or no callback


@dataclass(frozen=True, slots=True)
class VideoMode:
    """How a display runs while a window fills it: `size` (width, height) in pixels and `rate` in hertz; None:
    as the desktop has it."""

    size: tuple[int, int] | None = None
    rate: int | None = None


DESKTOP = VideoMode()


class Placing:
    """Keeps a window of `size` (width, height) on the display that it fills, by name, while that is plugged
    in, and in a frame while it is not; first in the middle of `display`.

    `wanted` is the name of the display to fill, None: a frame. Set `moved` when displays may have come or
    gone. `home` gives the display for the frame of a window whose display was pulled; without one, the
    window is hidden until its display comes back. `place` gives the frame's corner on a display. `lack` is
    why it does not fill the display.
    """

    def __init__(
        self,
        size: tuple[int, int],
        display: Display | None,
        wanted: str | None = None,
        mode: VideoMode = DESKTOP,
        home: Callable[[], Display | None] | None = None,
        place: Callable[[Display, tuple[int, int]], tuple[int, int]] | None = None,
    ) -> None:
        self.wanted, self.moved = wanted, True
        self.lack = ""
        self._place = place or middle
        self.size, self.corner = size, self._place(display, size) if display else (0, 0)
        self._mode, self._home = mode, home
        self._filled: Display | None = None  # as it was then
        self._missing: str | None = None  # where the frame is while the display is missing, None: it is not

    def settle(self, window: WindowHandle) -> bool:
        """Fill the wanted display if it is there, else be a window; whether it fills a display anew."""
        if not self.moved:
            return False
        self.moved = False
        wanted, fills = self._find(), filled_display(window)
        if wanted:
            return self._settle_on(window, *wanted, fills)
        if fills or self._filled or self._missed():
            self._filled = None
            self._frame(window)
        return False

    def _settle_on(
        self, window: WindowHandle, display: Display, monitor: MonitorHandle, fills: str | None
    ) -> bool:
        """Fill a display, if the window does not fill it where it is now."""
        if fills == display.name and self._filled == display:
            return False
        if fills == display.name:  # it has another place or mode: out of it, and in again
            glfw.set_window_monitor(window, NOTHING, *self.corner, *self.size, glfw.DONT_CARE)
        self._fill(window, display, monitor)
        now = (one for one, _ in monitors() if one.name == display.name)
        self._filled = next(now, None)  # in its new mode
        return True

    def _missed(self) -> bool:
        """Whether a wanted display is missing, and the window is not yet where it should be then."""
        home = self._home() if self._home else None
        return self.wanted is not None and self._missing != (home.name if home else "")

    def to_fill(self, window: WindowHandle, preferred: str | None) -> str | None:
        """The preferred display, else the one under the window's middle."""
        present = [display for display, _ in monitors()]
        names = [display.name for display in present]
        if preferred in names:
            return preferred
        if wayland():  # no program knows there where a window is
            return next(iter(names), None)
        x, y = glfw.get_window_pos(window)
        width, height = glfw.get_window_size(window)
        under = [display.name for display in present if display.holds(x + width / 2, y + height / 2)]
        return next(iter([*under, *names]), None)

    def _find(self) -> tuple[Display, MonitorHandle] | None:
        """The wanted display, the one that it fills already if it could be any of several; None if it is not
        there."""
        if self.wanted is None:
            return None
        present = {display.name: (display, monitor) for display, monitor in monitors()}
        meant = names_meant(self.wanted, present)
        if self._filled and self._filled.name in meant:
            meant = [self._filled.name]
        self.lack = "could be any of several" if len(meant) > 1 else "" if meant else "is not plugged in"
        return present[meant[0]] if len(meant) == 1 else None

    def _fill(self, window: WindowHandle, display: Display, monitor: MonitorHandle) -> None:
        if not filled_display(window) and not wayland():
            self.corner, self.size = glfw.get_window_pos(window), glfw.get_window_size(window)
        if not wayland():  # some desktops fill the display that a window is on, not the wanted one
            glfw.set_window_pos(window, *self._place(display, self.size))
        if self._missing is not None:
            log.info("display %s is back", display.name)
            self._missing = None
            glfw.show_window(window)
        width, height = self._mode.size or display.size
        rate = self._mode.rate or display.rate or glfw.DONT_CARE
        glfw.set_window_monitor(window, monitor, 0, 0, width, height, rate)
        glfw.set_input_mode(window, glfw.CURSOR, glfw.CURSOR_HIDDEN)

    def _frame(self, window: WindowHandle) -> None:
        present = [display for display, _ in monitors()]
        home = self._home() if self._home else next(iter(present), None)
        if home and not any(display.holds(*self.corner) for display in ([home] if self._home else present)):
            self.corner = self._place(home, self.size)
        glfw.set_window_monitor(window, NOTHING, *self.corner, *self.size, glfw.DONT_CARE)
        glfw.set_input_mode(window, glfw.CURSOR, glfw.CURSOR_NORMAL)
        if not self.wanted:
            return
        if self._missing is None:
            place = "now in a window" if home or not present else "not shown until it comes back"
            log.warning("display %s %s: its picture is %s", self.wanted, self.lack, place)
        self._missing = home.name if home and self._home else ""
        if home or not present:
            glfw.show_window(window)
        else:
            glfw.hide_window(window)


def filled_display(window: WindowHandle) -> str | None:
    """The name of the display that a window fills, None in a frame."""
    handle = address_of(glfw.get_window_monitor(window)) if window else None
    return next((display.name for display, one in monitors() if handle and address_of(one) == handle), None)


def middle(display: Display, size: tuple[int, int]) -> tuple[int, int]:
    """The corner of a window in the middle of a display."""
    (left, top), (width, height) = display.position, display.size
    return left + max(0, (width - size[0]) // 2), top + max(0, (height - size[1]) // 2)


def wayland() -> bool:
    """Whether the desktop is a Wayland one, which places windows by itself."""
    return bool(glfw.get_platform() == glfw.PLATFORM_WAYLAND)
