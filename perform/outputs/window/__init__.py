"""The window: the picture on a display, in a frame or full screen, and the keys pressed there.

Everything here belongs to the main thread, as macOS demands of windows.
"""

from __future__ import annotations

import ctypes
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

import glfw

from perform.faults import Health
from perform.outputs.window.displays import Display, WindowError, attempt, displays, find_display, monitors
from perform.outputs.window.gamepads import Gamepads
from perform.outputs.window.handles import MonitorHandle, WindowHandle, current, hints
from perform.outputs.window.help import Help, Rows
from perform.outputs.window.keys import key_name
from perform.outputs.window.pointer import Pointer
from perform.scenes.look import Look
from perform.signals import Event

if TYPE_CHECKING:
    import moderngl

__all__ = ["Display", "Window", "WindowError", "displays"]

log = logging.getLogger("perform")
ESCAPE_TIME = 3.0  # seconds within which a second Esc leaves
LEAVE_NOTE = "press Esc again to leave"
OWN_KEYS = (("H", "this list"), ("F11", "full screen, and back"), ("Esc Esc", "leave"))


class Presenter(Protocol):
    """Draws pictures in one context, also those of a context that shares its textures with it."""

    def show(self, image: moderngl.Texture, size: tuple[int, int], look: Look) -> None:
        """Draw into the window, which is of `size` (width, height) in pixels."""
        ...

    def release(self) -> None:
        """Release what it draws with; the context is current."""
        ...


class Window:
    """A window of `size` (width, height, in the desktop's units), or full screen.

    `display` is where it opens, by name (None: the primary one); `rows` are the keys that the help
    lists, as (key, what it does), before the window's own. Its `context` is OpenGL 4.1 core, current on
    the main thread from then on; `attach` gives the current context, and `present` what draws in it at a
    size. A display that is pulled while it is full screen leaves a window behind, and is filled again when
    it comes back.

    A further window of the show gets the `first` one. It shares the textures of the first, whose context
    stays current, and its help; it does not wait for its display. Gamepads and the mouse are reported by the
    first, for all windows.

    Raises WindowError without a desktop or the display, and what `attach` raises (GLError without OpenGL
    4.1).
    """

    name = "window"

    def __init__(
        self,
        size: tuple[int, int],
        attach: Callable[[], moderngl.Context],
        present: Callable[[moderngl.Context, tuple[int, int]], Presenter],
        title: str = "perform",
        fullscreen: bool = False,
        display: str | None = None,
        rows: Rows = (),
        first: Window | None = None,
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            name = threading.current_thread().name
            raise WindowError(f"no window: opened by thread {name}, must be opened by the main one")
        attempt(glfw.init)
        chosen = find_display(display)
        self._title, self._size, self._place = title, size, _middle(chosen, size)
        self._display = chosen.name if display else None
        self._wanted = chosen.name if fullscreen else None
        self._filled: str | None = None
        self._strokes: list[tuple[str, float, int]] = []
        self._asked: float | None = None
        self._note = ""
        self._first = first or self
        self._pointer: Pointer = first._pointer if first else Pointer()
        self._pads: Gamepads = first._pads if first else Gamepads()
        self._window: WindowHandle = self._open(first and first._window)
        with current(self._window):
            # A Wayland desktop keeps a hidden window waiting for ever in swap_buffers, and never tears.
            glfw.swap_interval(0 if first or _wayland() else 1)
            self.context = attach()
            self._present = present(self.context, size)
        self._help: Help = first._help if first else Help(title, (*rows, *OWN_KEYS), attach, self._pressed)
        self._windows: list[Window] = first._windows if first else []  # of the show, this one too
        self._windows.append(self)
        self._moved = True
        glfw.set_monitor_callback(self._first._replugged)
        self._settle()

    @property
    def closed(self) -> bool:
        """Whether its user has closed it."""
        return self._window is None or bool(glfw.window_should_close(self._window))

    @property
    def fullscreen(self) -> str | None:
        """The name of the display that it fills, None in a frame."""
        handle = _address(glfw.get_window_monitor(self._window)) if self._window else None
        return next((display.name for display, one in monitors() if handle and _address(one) == handle), None)

    @property
    def notice(self) -> str:
        """The note that its operator sees, or nothing."""
        return LEAVE_NOTE if self._asked is not None else self._note

    def health(self) -> Health:
        return Health("ok", self.fullscreen or "")

    def notify(self, note: str) -> None:
        """Show a note to the operator until the next one; an empty one removes it."""
        self._note = note
        self._show_note(self.notice)

    def show(self, image: moderngl.Texture, look: Look) -> None:
        """Draw a picture and bring it to the display, the first window at its rhythm where it has one.

        A window that is minimised is not drawn.
        """
        if self._window is None:
            return
        size = glfw.get_framebuffer_size(self._window)
        if min(size) > 0:
            further = self is not self._first
            if further:  # contexts do not wait for each other: the picture must be drawn before it is read …
                self._first.context.finish()
            with current(self._window):
                self._present.show(image, size, look)
                if further:  # … and read before the next one is drawn
                    self.context.finish()
                glfw.swap_buffers(self._window)
        self._help.draw()

    def poll(self, until: float) -> list[Event]:
        """Keys since the last call as `key.<name>` = 1 and 0 at `until` (seconds of the show), the mouse,
        and gamepads.

        A key has one event a call: a release that came with its press waits for the next call, so that a
        frame sees the shortest stroke.
        """
        if self._window is None:
            return []
        glfw.poll_events()
        strokes, self._strokes = self._strokes, []
        events: list[Event] = []
        for name, value, mods in strokes:
            if any(event.name == f"key.{name}" for event in events):
                self._strokes.append((name, value, mods))
                continue
            events.append(Event(until, f"key.{name}", value))
            if value:
                self._command(name, mods, until)
        self._expire(until)
        self._settle()
        return events + (self._pointer.poll(until) + self._pads.poll(until) if self is self._first else [])

    def toggle(self) -> None:
        """Full screen, or back into a frame."""
        self._wanted = None if self.fullscreen else self._display_to_fill()
        self._moved = True

    def close(self) -> None:
        """Close it, and the help with the first one; safe to call twice."""
        if self._window is None:
            return
        if self is self._first:
            glfw.set_monitor_callback(_nothing)
            self._help.close()
        glfw.make_context_current(self._window)
        self._present.release()
        glfw.destroy_window(self._window)
        self._window = None
        self._windows.remove(self)
        glfw.make_context_current(self._first._window)

    def _open(self, shared: WindowHandle) -> WindowHandle:
        hints(auto_iconify=False)  # or the picture would vanish when the operator clicks elsewhere
        window = attempt(glfw.create_window, *self._size, self._title, None, shared)
        if not _wayland():
            glfw.set_window_pos(window, *self._place)
        glfw.set_key_callback(window, self._pressed)
        self._pointer.watch(window)
        return window

    def _pressed(self, _window: WindowHandle, key: int, scancode: int, action: int, mods: int) -> None:
        name = key_name(key, scancode)
        if name and action != glfw.REPEAT:
            self._strokes.append((name, float(action == glfw.PRESS), mods))

    def _command(self, name: str, mods: int, until: float) -> None:
        """The keys of the window itself."""
        if name == "escape":
            self._leave(until)
        elif name == "f11" or (name == "return" and mods & glfw.MOD_ALT):
            self.toggle()
        elif name == "h":
            self._toggle_help()

    def _leave(self, until: float) -> None:
        if self._asked is not None and until - self._asked <= ESCAPE_TIME:
            glfw.set_window_should_close(self._window, True)
            return
        self._asked = until
        self._show_note(LEAVE_NOTE)

    def _expire(self, until: float) -> None:
        if self._asked is not None and until - self._asked > ESCAPE_TIME:
            self._asked = None
            self._show_note(self._note)

    def _show_note(self, note: str) -> None:
        glfw.set_window_title(self._window, f"{self._title} – {note}" if note else self._title)
        if self is self._first:
            self._help.notify(note)

    def _toggle_help(self) -> None:
        """Show or hide the keys, on a display that the audience does not see."""
        if self._help.shown:
            self._help.hide()
            return
        present, filled = [display for display, _ in monitors()], {one.fullscreen for one in self._windows}
        seen = [display for display in present if display.name in filled]
        free = [one for one in present if not any(other.holds(*one.position) for other in seen)]
        if free:
            self._help.show(free[0])
        else:
            log.info("the keys are not shown on the only display: F11 leaves full screen")

    def _replugged(self, _monitor: MonitorHandle, _event: int) -> None:
        for window in self._windows:
            window._moved = True

    def _settle(self) -> None:
        """Fill the wanted display if it is there, else be a window."""
        if not self._moved:
            return
        self._moved = False
        wanted = next((one for one in monitors() if one[0].name == self._wanted), None)
        name = wanted[0].name if wanted else None
        if name == self._filled == self.fullscreen:
            return
        self._filled = name
        if wanted:
            self._fill(*wanted)
        else:
            self._frame()

    def _fill(self, display: Display, monitor: MonitorHandle) -> None:
        if not self.fullscreen and not _wayland():
            self._place, self._size = glfw.get_window_pos(self._window), glfw.get_window_size(self._window)
        if not _wayland():  # some desktops fill the display that a window is on, not the wanted one
            glfw.set_window_pos(self._window, *_middle(display, self._size))
        glfw.set_window_monitor(self._window, monitor, 0, 0, *display.size, display.rate or glfw.DONT_CARE)
        glfw.set_input_mode(self._window, glfw.CURSOR, glfw.CURSOR_HIDDEN)
        if self._help.shown:
            self._toggle_help()
            self._toggle_help()  # away from the display that is now the audience's

    def _frame(self) -> None:
        if self._wanted:
            log.warning("display %s is gone: the picture is now in a window", self._wanted)
        present = [display for display, _ in monitors()]
        if present and not any(display.holds(*self._place) for display in present):
            self._place = _middle(present[0], self._size)
        glfw.set_window_monitor(self._window, _nothing, *self._place, *self._size, glfw.DONT_CARE)
        glfw.set_input_mode(self._window, glfw.CURSOR, glfw.CURSOR_NORMAL)

    def _display_to_fill(self) -> str | None:
        """The display of the options, else the one under the window's middle."""
        present = [display for display, _ in monitors()]
        names = [display.name for display in present]
        if self._display in names:
            return self._display
        if _wayland():  # no program knows there where a window is
            return next(iter(names), None)
        x, y = glfw.get_window_pos(self._window)
        width, height = glfw.get_window_size(self._window)
        under = [display.name for display in present if display.holds(x + width / 2, y + height / 2)]
        return next(iter([*under, *names]), None)


_nothing: MonitorHandle = None  # no monitor, or no callback


def _middle(display: Display, size: tuple[int, int]) -> tuple[int, int]:
    """The corner of a window in the middle of a display."""
    (left, top), (width, height) = display.position, display.size
    return left + max(0, (width - size[0]) // 2), top + max(0, (height - size[1]) // 2)


def _wayland() -> bool:
    return bool(glfw.get_platform() == glfw.PLATFORM_WAYLAND)


def _address(handle: MonitorHandle) -> int | None:
    """The address of a handle: ctypes does not compare pointers by it."""
    return ctypes.cast(handle, ctypes.c_void_p).value if handle else None
