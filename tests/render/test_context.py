"""OpenGL without a window."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import moderngl
import pytest

from perform.render.context import REQUIRED, GLError, describe, headless, is_software
from perform.render.strips import VERTEX


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


def test_a_program_of_the_shared_context_is_as_new() -> None:
    """What `tests.doubles.opengl` keeps from test to test does not show."""
    fragment = "#version 410 core\nuniform float level = 0.25;\nout vec4 c;\nvoid main() { c = vec4(level); }"
    for _ in range(2):
        context = headless()
        program, other = (context.program(VERTEX, fragment) for _ in range(2))
        assert program["level"].value == other["level"].value == 0.25
        program["level"].value = 0.5
        assert other["level"].value == 0.25
        context.release()
        for gone in (context, program, other):
            assert isinstance(gone.mglo, moderngl.InvalidObject)
