"""Trials whose end a test chooses."""

from __future__ import annotations

from collections.abc import Sequence

from perform.render.isf import ISF
from perform.render.shader import ShaderError


class Judge:
    """Trials whose end a test chooses."""

    def __init__(self) -> None:
        self.over, self.may_wait, self.refuses = False, True, ""

    def passed(self, shaders: Sequence[ISF]) -> bool:
        if self.refuses and any(self.refuses in shader.fragment for shader in shaders):
            raise ShaderError("it is too slow")
        return self.over

    def wait(self, shaders: Sequence[ISF]) -> None:
        assert self.may_wait, "a frame waits for trials"

    def close(self) -> None: ...
