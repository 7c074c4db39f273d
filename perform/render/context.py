"""OpenGL 4.1 core without a window, and what it is drawn by."""

from __future__ import annotations

import sys
from typing import Any

import moderngl

REQUIRED = 410  # the highest on macOS
SOFTWARE = ("llvmpipe", "softpipe", "swrast", "swiftshader", "basic render", "software")


class GLError(RuntimeError):
    """No usable OpenGL; the message has the remedy."""


def headless() -> moderngl.Context:
    """A context that draws into textures only: EGL on Linux (no display needed), the platform's own
    elsewhere. Raises GLError."""
    options: dict[str, Any] = {"backend": "egl"} if sys.platform.startswith("linux") else {}
    try:
        return moderngl.create_context(standalone=True, require=REQUIRED, **options)
    except Exception as error:
        raise GLError(f"no OpenGL 4.1 without a window: {error}; {_remedy()}") from error


def describe(context: moderngl.Context) -> dict[str, str]:
    """`renderer`, `vendor` and `version` of a context, as its driver names them."""
    info = context.info
    return {
        "renderer": str(info["GL_RENDERER"]),
        "vendor": str(info["GL_VENDOR"]),
        "version": str(info["GL_VERSION"]),
    }


def is_software(context: moderngl.Context) -> bool:
    """Whether the processor draws, for want of a graphics card."""
    renderer = describe(context)["renderer"].lower()
    return any(name in renderer for name in SOFTWARE)


def _remedy() -> str:
    if sys.platform.startswith("linux"):
        return "install a driver, or Mesa's software one: apt install libegl1 libgl1-mesa-dri"
    return "update the graphics driver"
