"""The window: the picture on a display, in a frame or full screen, and the keys pressed there.

Everything here belongs to the main thread, as macOS demands of windows.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import glfw

from perform.faults import Health
from perform.outputs.window.displays import Display, WindowError, attempt, displays, find_display, monitors
from perform.outputs.window.further import DisplayWindow, Shows, shown_in
from perform.outputs.window.gamepads import Gamepads
from perform.outputs.window.handles import MonitorHandle, WindowHandle, current, hints
from perform.outputs.window.help import Help, Rows
from perform.outputs.window.keys import key_name
from perform.outputs.window.placing import NOTHING, Placing, filled_display, wayland
from perform.outputs.window.pointer import Pointer
from perform.scenes.look import Look
from perform.signals import Event

if TYPE_CHECKING:
    import moderngl

__all__ = ["Display", "DisplayWindow", "Window", "WindowError", "displays"]

log = logging.getLogger("perform")
ESCAPE_TIME = 3.0  # seconds within which a second Esc leaves
LEAVE_NOTE = "press Esc again to leave"
OWN_KEYS = (("H", "this list"), ("F11", "full screen, and back"), ("Esc Esc", "leave"))


class Window:
    """A window of `size` (width, height, in the desktop's units), or full screen.

    `display` is where it opens, by name (None: the primary one); `rows` are the keys that the help
    lists, as (key, what it does), before the window's own. Its `context` is OpenGL 4.1 core, current on
    the main thread from then on; `attach` gives the current context, and `present` what draws in it at a
    size. A display that is pulled while it is full screen leaves a window behind, and is filled again when
    it comes back.

    A further window of the show gets the `first` one. It shares the textures of the first, whose context
    stays current, and its help; it does not wait for its display. Gamepads and the mouse are reported by the
    first, for all windows. `waits`: whether the first waits for its display; one that is not `visible` has
    the context, the keys of the others and the gamepads, and is never drawn.

    Raises WindowError without a desktop or the display, and what `attach` raises (GLError without OpenGL
    4.1).
    """

    name = "window"

    def __init__(
        self,
        size: tuple[int, int],
        attach: Callable[[], moderngl.Context],
        present: Callable[[moderngl.Context, tuple[int, int]], Shows],
        title: str = "perform",
        fullscreen: bool = False,
        display: str | None = None,
        rows: Rows = (),
        first: Window | None = None,
        waits: bool = True,
        visible: bool = True,
    ) -> None:
        if threading.current_thread() is not threading.main_thread():
            name = threading.current_thread().name
            raise WindowError(f"no window: opened by thread {name}, must be opened by the main one")
        attempt(glfw.init)
        chosen = find_display(display)
        self._title, self._display, self._visible = title, chosen.name if display else None, visible
        self.placing = Placing(size, chosen, chosen.name if fullscreen else None)
        self._strokes: list[tuple[str, float, int]] = []
        self._asked: float | None = None
        self._note = ""
        self._first = first or self
        self._pointer: Pointer = first._pointer if first else Pointer()
        self._pads: Gamepads = first._pads if first else Gamepads()
        self._window: WindowHandle = self._open(first and first._window)
        with current(self._window):
            # A Wayland desktop keeps a hidden window waiting for ever in swap_buffers, and never tears.
            glfw.swap_interval(1 if waits and not first and not wayland() else 0)
            self.context = attach()
            self.presenter = present(self.context, size)
        self._help: Help = first._help if first else Help(title, (*rows, *OWN_KEYS), attach, self.pressed)
        # Those of the show, this one too.
        self._windows: list[Window | DisplayWindow[Any]] = first._windows if first else []
        self._windows.append(self)
        glfw.set_monitor_callback(self._first._replugged)
        self._settle()

    @property
    def closed(self) -> bool:
        """Whether its user has closed it."""
        return self._window is None or bool(glfw.window_should_close(self._window))

    @property
    def fullscreen(self) -> str | None:
        """The name of the display that it fills, None in a frame."""
        return filled_display(self._window)

    @property
    def handle(self) -> WindowHandle:
        """GLFW's handle of it."""
        return self._window

    @property
    def focused(self) -> bool:
        """Whether the keys that are pressed go to it."""
        return bool(self._window and glfw.get_window_attrib(self._window, glfw.FOCUSED))

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
        if self._window is None or not self._visible:
            return
        if self is self._first:
            shown_in(self._window, self.presenter, image, look)
        else:  # contexts do not wait for each other: it is drawn before it is read, and read before the next
            self._first.context.finish()
            shown_in(self._window, self.presenter, image, look, self.context.finish)
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
        """Full screen, or back into a frame; never over a display that another window fills."""
        placing, others = self.placing, {one.fullscreen for one in self._windows if one is not self}
        wanted = None if self.fullscreen else placing.to_fill(self._window, self._display)
        if not self._visible or (wanted and wanted in others):
            return
        placing.wanted, placing.moved = wanted, True

    def add(self, further: DisplayWindow[Any]) -> None:
        """Take a window for a display of the show: its keys are those of this one, which ends the show."""
        self._windows.append(further)

    def remove(self, further: DisplayWindow[Any]) -> None:
        """Forget a window for a display, which was closed."""
        self._windows.remove(further)

    def close(self) -> None:
        """Close it, and the help with the first one; safe to call twice."""
        if self._window is None:
            return
        if self is self._first:
            glfw.set_monitor_callback(NOTHING)
            self._help.close()
        glfw.make_context_current(self._window)
        self.presenter.release()
        glfw.destroy_window(self._window)
        self._window = None
        self._windows.remove(self)
        glfw.make_context_current(self._first._window)

    def _open(self, shared: WindowHandle) -> WindowHandle:
        # Not iconified, or the picture would vanish when the operator clicks elsewhere.
        hints(visible=self._visible, auto_iconify=False)
        window = attempt(glfw.create_window, *self.placing.size, self._title, None, shared)
        if not wayland():
            glfw.set_window_pos(window, *self.placing.corner)
        glfw.set_key_callback(window, self.pressed)
        self._pointer.watch(window)
        return window

    def pressed(self, _window: WindowHandle, key: int, scancode: int, action: int, mods: int) -> None:
        """Take a key, as GLFW reports it, also of another window of the show."""
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
            window.placing.moved = True

    def _settle(self) -> None:
        """Fill the wanted display if it is there, else be a window."""
        if self.placing.settle(self._window) and self._help.shown:
            self._toggle_help()
            self._toggle_help()  # away from the display that is now the audience's
