"""Further windows of a show: one fills each display of a venue, with the picture and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import glfw

from perform.faults import Health
from perform.outputs.window.displays import Display, attempt
from perform.outputs.window.handles import WindowHandle, current, hints
from perform.outputs.window.placing import DESKTOP, Placing, VideoMode, filled_display, wayland
from perform.outputs.window.pointer import Pointer
from perform.scenes.look import Look
from perform.signals import Event

if TYPE_CHECKING:
    import moderngl

LOOK_AGAIN = 1.0  # seconds until it looks again where its display is
FRAME_WIDTH, FRAME_GAP = 480, 48  # in the desktop's units, of a window whose display is not there


class Shows(Protocol):
    """Draws pictures of one context in another, which is current."""

    def show(self, image: moderngl.Texture, size: tuple[int, int], look: Look) -> None:
        """Draw into the window, which is of `size` (width, height) in pixels."""
        ...

    def release(self) -> None:
        """Release what it draws with; the context is current."""
        ...


Drawing = TypeVar("Drawing", bound=Shows)


class FirstWindow(Protocol):
    """The first window of a show, as the further ones see it."""

    @property
    def handle(self) -> WindowHandle:
        """GLFW's handle of it; its context is shared."""
        ...

    def pressed(self, window: WindowHandle, key: int, scancode: int, action: int, mods: int) -> None:
        """Take a key, as GLFW reports it."""
        ...

    def add(self, further: DisplayWindow[Any]) -> None:
        """Take a window for a display."""
        ...

    def remove(self, further: DisplayWindow[Any]) -> None:
        """Forget one."""
        ...


class DisplayWindow(Generic[Drawing]):
    """Fills the display `monitor`, by name, while that is plugged in; its `name` is in the title of its
    frame while it is not. `home` gives the display for that frame, None: then it is hidden.

    It shares the textures of the `first` window, which gets its keys. Nobody can close it but the show.
    `attach` gives the current context, `present` its `presenter`, which draws in it at a size; `waits`:
    whether it waits for its display; `number` counts the displays, so that their frames lie below each other.
    Raises WindowError if it cannot be opened.
    """

    def __init__(
        self,
        first: FirstWindow,
        monitor: str,
        name: str,
        attach: Callable[[], moderngl.Context],
        present: Callable[[moderngl.Context, tuple[int, int]], Drawing],
        mode: VideoMode = DESKTOP,
        home: Callable[[], Display | None] = lambda: None,
        waits: bool = False,
        number: int = 0,
    ) -> None:
        self.name, self.pointer = name, Pointer()
        width, height = mode.size or (16, 9)
        frame = FRAME_WIDTH, FRAME_WIDTH * height // width
        self.placing = Placing(frame, home(), monitor, mode, home, partial(_aside, number))
        self._first, self._look = first, 0.0
        hints(auto_iconify=False, focus_on_show=False, focused=False)  # the keys stay with the operator
        self._window: WindowHandle = attempt(glfw.create_window, *frame, name, None, first.handle)
        if not wayland():
            glfw.set_window_pos(self._window, *self.placing.corner)
        with current(self._window):
            glfw.swap_interval(1 if waits and not wayland() else 0)
            self.context = attach()
            self.presenter = present(self.context, mode.size or frame)
        glfw.set_key_callback(self._window, first.pressed)
        glfw.set_window_close_callback(self._window, _stay)
        self.pointer.watch(self._window)
        first.add(self)
        self.placing.settle(self._window)

    @property
    def fullscreen(self) -> str | None:
        """The name of the display that it fills, None while that is not plugged in."""
        return filled_display(self._window)

    @property
    def size(self) -> tuple[int, int]:
        """Its width and height in pixels, (0, 0) while it is minimised or closed."""
        width, height = glfw.get_framebuffer_size(self._window) if self._window else (0, 0)
        return width, height

    def health(self) -> Health:
        if filled := self.fullscreen:
            return Health("ok", filled)
        return Health("waiting", f"{self.placing.wanted} {self.placing.lack}")

    def poll(self, until: float) -> list[Event]:
        """The mouse over it, and its place: on its display, if that is plugged in."""
        if self._window is None:
            return []
        if until >= self._look:  # no desktop says that a display has another place or mode
            self.placing.moved, self._look = True, until + LOOK_AGAIN
        self.placing.settle(self._window)
        return self.pointer.poll(until)

    def show(self, image: moderngl.Texture, look: Look) -> None:
        """Bring a picture of the first window's context to the display; it must be drawn, because contexts do
        not wait for each other."""
        if self._window is not None:
            shown_in(self._window, self.presenter, image, look, self.context.finish)

    def show_pointer(self, shown: bool) -> None:
        """Show or hide the mouse on the display."""
        if self._window is not None:
            mode = glfw.CURSOR_NORMAL if shown or not self.fullscreen else glfw.CURSOR_HIDDEN
            glfw.set_input_mode(self._window, glfw.CURSOR, mode)

    def close(self) -> None:
        """Close it; safe to call twice."""
        if self._window is None:
            return
        before = glfw.get_current_context()
        glfw.make_context_current(self._window)
        self.presenter.release()
        glfw.destroy_window(self._window)
        self._window = None
        self._first.remove(self)
        glfw.make_context_current(before)


def shown_in(
    window: WindowHandle,
    presenter: Shows,
    image: moderngl.Texture,
    look: Look,
    finish: Callable[[], object] = lambda: None,
) -> None:
    """Draw a picture in a window, `finish` it, and bring it to the display; not if it is minimised."""
    size = glfw.get_framebuffer_size(window)
    if min(size) > 0:
        with current(window):
            presenter.show(image, size, look)
            finish()
            glfw.swap_buffers(window)


def _aside(number: int, display: Display, size: tuple[int, int]) -> tuple[int, int]:
    """The corner of a frame at the right of a display, below those of smaller numbers."""
    (left, top), (width, height) = display.position, display.size
    down = FRAME_GAP + number * (size[1] + FRAME_GAP)
    return left + max(width - size[0], 0), top + down % max(height - size[1], 1)


def _stay(window: WindowHandle) -> None:
    """A display is not closed by a desktop's command, which is easily sent to the wrong window."""
    glfw.set_window_should_close(window, False)
