"""OpenGL without a window."""

from __future__ import annotations

from typing import Any

import moderngl
import pytest

from perform.render.context import REQUIRED, GLError, describe, headless


def test_a_context_says_what_it_is() -> None:
    context = headless()
    about = describe(context)
    assert set(about) == {"renderer", "vendor", "version"} and all(about.values())
    assert context.version_code >= REQUIRED
    context.release()


def test_without_opengl_the_remedy_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_options: Any) -> None:
        raise Exception("cannot open display")

    monkeypatch.setattr(moderngl, "create_context", refuse)
    monkeypatch.setattr("sys.platform", "linux")
    with pytest.raises(GLError, match=r"no OpenGL 4\.1 without a window: cannot open display; .*apt install"):
        headless()
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(GLError, match="update the graphics driver"):
        headless()
