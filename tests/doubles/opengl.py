"""One OpenGL for all tests of a process: software compiles a shader for longer than a test draws with it."""

from __future__ import annotations

import os
import threading
from collections import defaultdict, deque
from collections.abc import Callable
from typing import Any

import moderngl
from _moderngl import Uniform


class OneOpenGL:
    """Takes the place of `moderngl.create_context`: on this thread, contexts without a window are parts of
    one, which keeps all programs that it compiled. Each context and each program behaves like a new one."""

    def __init__(self) -> None:
        self._owner = here()
        self._create: Callable[..., moderngl.Context] = moderngl.create_context
        self._real: moderngl.Context | None = None
        self._free: defaultdict[object, list[Program]] = defaultdict(list)  # by text

    def __call__(self, *arguments: Any, **named: Any) -> moderngl.Context:
        """The context that `create_context` would make."""
        if not named.get("standalone") or here() != self._owner:
            return self._create(*arguments, **named)
        self._real = self._real or self._create(*arguments, **named)
        return Context(self._real, self._free)


def here() -> tuple[int, int]:
    """The process and the thread, to which an OpenGL context belongs."""
    return os.getpid(), threading.get_ident()


class Context(moderngl.Context):
    """A part of a real context. Its release gives back its programs."""

    def __init__(self, real: moderngl.Context, free: defaultdict[object, list[Program]]) -> None:
        vars(self).update(vars(real), _objects=deque())
        self._free = free
        self._taken: list[Program] = []
        self.mglo.__enter__()  # current on this thread, also after another
        self.detect_framebuffer(0).use()
        self.enable_only(moderngl.NOTHING)

    def program(self, *texts: Any, **named: Any) -> moderngl.Program:
        """A program that was compiled before, as it was then, or a new one."""
        free = self._free[(texts, *sorted(named.items()))]
        program = free.pop().again() if free else Program(super().program(*texts, **named), free)
        self._taken.append(program)
        return program

    def release(self) -> None:
        for program in self._taken:
            program.release()
        self._taken.clear()
        self.mglo = moderngl.InvalidObject()


class Program(moderngl.Program):
    """A compiled program that its release gives back."""

    def __init__(self, compiled: moderngl.Program, free: list[Program]) -> None:
        vars(self).update(vars(compiled))
        self._compiled, self._free = compiled, free
        members = [compiled[name] for name in compiled]
        self._values = [(one, one.read()) for one in members if isinstance(one, Uniform)]

    def again(self) -> Program:
        """Another one, with the values that it had first."""
        for uniform, value in self._values:
            uniform.write(value)
        return Program(self._compiled, self._free)

    def release(self) -> None:
        if self.mglo is self._compiled.mglo:
            self.mglo = moderngl.InvalidObject()
            self._free.append(self)
