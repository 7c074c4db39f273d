"""OpenGL without a window."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import moderngl
import pytest

from perform.render.context import REQUIRED, GLError, describe, headless, is_software


def test_a_context_describes_itself() -> None:
    context = headless()
    about = describe(context)
    assert set(about) == {"renderer", "vendor", "version"} and all(about.values())
    assert context.version_code >= REQUIRED
    context.release()


@pytest.mark.parametrize(
    ("renderer", "software"),
    [
        ("llvmpipe (LLVM 15.0.6, 256 bits)", True),
        ("Apple Software Renderer", True),
        ("Microsoft Basic Render Driver", True),
        ("NVIDIA GeForce RTX 4070/PCIe/SSE2", False),
        ("Apple M2", False),
    ],
)
def test_the_renderer_name_tells_whether_the_processor_draws(renderer: str, software: bool) -> None:
    context: Any = SimpleNamespace(info={"GL_RENDERER": renderer, "GL_VENDOR": "", "GL_VERSION": "4.5"})
    assert is_software(context) is software


def test_without_opengl_the_error_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_options: Any) -> None:
        raise Exception("cannot open display")

    monkeypatch.setattr(moderngl, "create_context", refuse)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(GLError, match=r"no OpenGL 4\.1 without a window: cannot open display; .*apt install"):
        headless()
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(GLError, match="update the graphics driver"):
        headless()
