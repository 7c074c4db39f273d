"""OpenGL 4.1 core, without a window or in one, and what draws it."""

from __future__ import annotations

import ctypes
import sys
from types import TracebackType
from typing import Any

import moderngl

from perform.render import egl

REQUIRED = 410  # the highest on macOS
SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "basic render", "software")


class GLError(RuntimeError):
    """No usable OpenGL; the message has the remedy."""


def headless(cuda: int | None = None) -> moderngl.Context:
    """A context that draws into textures only: EGL on Linux (no display needed), the platform's own
    elsewhere; on the device `cuda` of CUDA, if EGL knows which one that is. Raises GLError."""
    options: dict[str, Any] = {"backend": "egl"} if sys.platform.startswith("linux") else {}
    if options and cuda is not None and (device := egl.device_of(cuda)) is not None:
        options["device_index"] = device
    try:
        return moderngl.create_context(standalone=True, require=REQUIRED, **options)
    except Exception as error:
        raise GLError(f"no OpenGL 4.1 without a window: {error}; {_remedy()}") from error


def of_window() -> moderngl.Context:
    """The context of the GLFW window that is current on this thread; the window owns it. Raises GLError."""
    current: Any = _Current()
    try:
        return moderngl.create_context(require=REQUIRED, context=current)
    except Exception as error:
        raise GLError(f"no OpenGL 4.1 in a window: {error}; update the graphics driver") from error


class _Current:
    """Functions of the current context by name, as moderngl asks for them.

    Its own way looks for GLX on Linux, and finds nothing in a Wayland window.
    """

    def load_opengl_function(self, name: str) -> int:
        import glfw

        return ctypes.cast(glfw.get_proc_address(name), ctypes.c_void_p).value or 0

    def release(self) -> None:
        """The window owns its context."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass


def describe(context: moderngl.Context) -> dict[str, str]:
    """`renderer`, `vendor` and `version` of a context, as its driver names them."""
    info = context.info
    return {
        "renderer": str(info["GL_RENDERER"]),
        "vendor": str(info["GL_VENDOR"]),
        "version": str(info["GL_VERSION"]),
    }


def is_software(context: moderngl.Context) -> bool:
    """Whether the processor draws, without a graphics card."""
    renderer = describe(context)["renderer"].lower()
    return any(name in renderer for name in SOFTWARE)


def _remedy() -> str:
    if sys.platform.startswith("linux"):
        return "install a driver, or Mesa's software one: apt install libegl1 libgl1-mesa-dri"
    return "update the graphics driver"
