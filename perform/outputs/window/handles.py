"""Windows and monitors of GLFW as handles, and the hints for a window with OpenGL 4.1 core."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import glfw

WindowHandle: TypeAlias = Any  # a pointer of GLFW, which has no types
MonitorHandle: TypeAlias = Any  # the same

GL_VERSION = (4, 1)  # the highest on macOS


def hints(
    visible: bool = True,
    resizable: bool = True,
    focus_on_show: bool = True,
    auto_iconify: bool = True,
    focused: bool = True,
) -> None:
    """Set how the next window is made."""
    glfw.default_window_hints()
    glfw.window_hint(glfw.CONTEXT_VERSION_MAJOR, GL_VERSION[0])
    glfw.window_hint(glfw.CONTEXT_VERSION_MINOR, GL_VERSION[1])
    glfw.window_hint(glfw.OPENGL_PROFILE, glfw.OPENGL_CORE_PROFILE)
    glfw.window_hint(glfw.OPENGL_FORWARD_COMPAT, True)  # macOS gives no core profile without it
    glfw.window_hint(glfw.DEPTH_BITS, 0)
    glfw.window_hint(glfw.STENCIL_BITS, 0)
    glfw.window_hint(glfw.VISIBLE, visible)
    glfw.window_hint(glfw.RESIZABLE, resizable)
    glfw.window_hint(glfw.FOCUS_ON_SHOW, focus_on_show)
    glfw.window_hint(glfw.AUTO_ICONIFY, auto_iconify)
    glfw.window_hint(glfw.FOCUSED, focused)


@contextmanager
def current(window: WindowHandle) -> Iterator[None]:
    """Make a window's context current; afterwards the one before is current again, if there was one."""
    before = glfw.get_current_context()
    glfw.make_context_current(window)
    try:
        yield
    finally:
        glfw.make_context_current(before or window)


def address_of(handle: MonitorHandle) -> int | None:
    """The address of a handle: ctypes does not compare pointers by it."""
    return ctypes.cast(handle, ctypes.c_void_p).value if handle else None
