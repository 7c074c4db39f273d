"""OpenGL 4.1 core in a glfw window, however the platform makes its contexts (GLX, EGL, WGL, NSGL)."""

from __future__ import annotations

import ctypes
from types import TracebackType
from typing import Any

import glfw
import moderngl

from perform.outputs.window.displays import WindowError

VERSION = (4, 1)  # the highest on macOS


def hints(
    visible: bool = True, resizable: bool = True, focus_on_show: bool = True, auto_iconify: bool = True
) -> None:
    """How the next window is to be."""
    glfw.default_window_hints()
    glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, VERSION[0])
    glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, VERSION[1])
    glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
    glfw.window_hint(glfw.OPENGL_FORWARD_COMPAT, True)  # macOS gives no core profile without it
    glfw.window_hint(glfw.DEPTH_BITS, 0)
    glfw.window_hint(glfw.STENCIL_BITS, 0)
    glfw.window_hint(glfw.VISIBLE, visible)
    glfw.window_hint(glfw.RESIZABLE, resizable)
    glfw.window_hint(glfw.FOCUS_ON_SHOW, focus_on_show)
    glfw.window_hint(glfw.AUTO_ICONIFY, auto_iconify)


def attached() -> moderngl.Context:
    """The context that is current, as moderngl's. Raises WindowError where it is older than 4.1."""
    current: Any = _Current()
    try:
        return moderngl.create_context(require=VERSION[0] * 100 + VERSION[1] * 10, context=current)
    except Exception as error:
        raise WindowError(f"no OpenGL 4.1 in a window: {error}; update the graphics driver") from error


class _Current:
    """Functions of the current context by name, as moderngl asks for them.

    Its own way looks for GLX on Linux, and finds nothing in a Wayland window.
    """

    def load_opengl_function(self, name: str) -> int:
        return ctypes.cast(glfw.get_proc_address(name), ctypes.c_void_p).value or 0

    def release(self) -> None:
        """The window owns its context."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass
