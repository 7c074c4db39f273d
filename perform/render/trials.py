"""Trials: a process draws a shader before the show does, and may take a minute, never end, or crash.

Nothing within this process could stop it: a draw holds the interpreter until it is done. The picture grows
from a sixteenth of each side, and when one takes longer than the budget, the cost of the whole is known. What
the driver compiles there, it keeps on the disk: the show then has it in a twentieth of the time. So a shader
that is new in a show that plays is tried whoever made it.
Then small pictures follow, at other times and with each input at either end: a loop may be endless there.
"""

from __future__ import annotations

import logging
import os
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from perform import children
from perform.faults import reason, steps
from perform.render import isf
from perform.render.costs import STANDSTILL, Costs, drawing, situations
from perform.render.drawing_process import NO_OPENGL, answers, ask, serve_shaders, started
from perform.render.isf import ISF
from perform.render.passed import PassedShaders
from perform.render.shader import Shader, ShaderError
from perform.render.targets import Target
from perform.threads import Background

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger("perform")

BUDGET = 0.5  # seconds for a frame of a live show
LIMIT = 15.0  # seconds for the trial of a shader, with its compilation
SHARES = (16, 8, 4, 2, 1)  # of a side, smallest picture first
COMMAND = children.command("from perform.render.trials import try_shaders; try_shaders()")

Drawn: TypeAlias = tuple[int, int, float, str]  # width, height, seconds, and in which situation


class Trials:
    """Tries the shaders of a live show that draws at `size` (width, height), one after the other in the
    background. `trusted` is the folder whose shaders pass as they are before the show begins; `known` are
    those that passed in a show before."""

    def __init__(
        self,
        size: tuple[int, int],
        trusted: Path,
        command: Sequence[str] = COMMAND,
        limit: float = LIMIT,
        known: PassedShaders | None = None,
    ) -> None:
        self._size, self._limit, self._known = size, limit, known
        self._trusted, self._command = trusted.resolve(), command
        self._verdicts: dict[str, tuple[ISF, str]] = {}  # by file: what was tried, and why it is refused
        self._waiting: dict[str, ISF] = {}
        self._changed = threading.Condition()
        self._process: subprocess.Popen[str] | None = None
        self._thread = Background(self._work, "trials", self._changed)

    def passed(self, shaders: Sequence[ISF], trusting: bool = False) -> bool:
        """Whether all of them passed; those that are new are tried from now on, but for those of the trusted
        folder while it is `trusting`. Raises ShaderError for one that is refused, with its cost."""
        with self._changed:
            for shader in shaders:
                self._ask(shader, trusting)
            if self._waiting:
                self._changed.notify_all()
            for shader in shaders:
                tried, refusal = self._verdicts.get(shader.name, (None, ""))
                if tried is shader and refusal:
                    raise ShaderError(refusal)
            return not any(shader.name in self._waiting for shader in shaders)

    def wait(self, shaders: Sequence[ISF]) -> None:
        """Wait until all of them passed; those of the trusted folder pass as they are. Raises ShaderError."""
        if not self.passed(shaders, trusting=True):
            steps.info("trying shaders that are new here")
        while not self.passed(shaders) and self._thread.running:
            with self._changed:
                self._changed.wait(0.05)

    def close(self) -> None:
        """End the process; safe to call twice."""
        self._thread.stop()
        with self._changed:
            if self._process:
                self._process.kill()
        self._thread.close()

    def _ask(self, shader: ISF, trusting: bool) -> None:
        """Put a shader on the list, unless it is known."""
        known = self._verdicts.get(shader.name)
        if known and known[0] is shader:
            return
        if trusting and self._trusted in Path(shader.name).resolve().parents:
            self._verdicts[shader.name] = shader, ""
        else:
            self._waiting[shader.name] = shader

    def _work(self, closing: threading.Event) -> None:
        try:
            while shader := self._next(closing):
                refusal = self._refusal(shader)
                with self._changed:
                    self._verdicts[shader.name] = shader, refusal
                    if self._waiting.get(shader.name) is shader:
                        del self._waiting[shader.name]
                    self._changed.notify_all()
        finally:
            self._end()

    def _next(self, closing: threading.Event) -> ISF | None:
        """The next shader to try, None when it is time to close."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or closing.is_set())
            return None if closing.is_set() else next(iter(self._waiting.values()))

    def _refusal(self, shader: ISF) -> str:
        """Why a shader cannot play, empty if it can."""
        key = self._known.key(shader) if self._known else ""
        if self._known and key in self._known:
            return ""
        try:
            drawn, code = self._tried(shader)
        except (OSError, ValueError) as error:
            self._end()
            log.warning("%s: could not be tried: %s", shader.name, reason(error))
            return ""
        refusal = self._verdict(shader.name, drawn, code)
        if self._known and code is None and not refusal and self._known.key(shader) == key:
            self._known.add(key)
        return refusal

    def _verdict(self, file: str, drawn: Sequence[Drawn], code: int | None) -> str:
        """Why a shader cannot play, empty if it can: from the pictures that were drawn, the smallest first,
        and the exit code of the process, None if it goes on."""
        if code == NO_OPENGL:
            return ""
        width, height, seconds, where = drawn[-1] if drawn else (1, 1, 0.0, "")
        cost = seconds * self._size[0] * self._size[1] / (width * height)
        if seconds > BUDGET or (code is not None and cost > BUDGET):
            at = " ".join(filter(None, (_share_of(self._size, 1), where)))
            most = STANDSTILL if where else BUDGET
            return (
                f"{file}:1: takes about {cost:.1f} s a frame at {at}, a live show has {most:g} s for it;"
                " perform render has no limit"
            )
        if code is None:
            return ""
        if code < 0:
            return f"{file}:1: the graphics driver crashed on it (signal {-code})"
        if len(drawn) == len(SHARES):
            return f"{file}:1: draws no picture within {self._limit:g} s at other times or with other values"
        tried = _share_of(self._size, SHARES[len(drawn)])
        return f"{file}:1: draws no picture of {tried} within {self._limit:g} s, it may never end"

    def _tried(self, shader: ISF) -> tuple[list[Drawn], int | None]:
        """The pictures that the process drew, and its exit code if it ended."""
        process = self._process or self._start()
        ask(process, shader.name, self._size, self._limit)
        found, ended = answers(process)
        return [tuple(one) for one in found], self._end() if ended else None

    def _start(self) -> subprocess.Popen[str]:
        process = started(self._command, LP_NUM_THREADS="1")  # llvmpipe leaves a core to the show
        with self._changed:
            self._process = process
            if self._thread.closing.is_set():  # `close` did not see it
                process.kill()
        return process

    def _end(self) -> int | None:
        """End the process; its exit code."""
        with self._changed:
            process, self._process = self._process, None
        if process is None:
            return None
        with suppress(OSError), process:
            with suppress(subprocess.TimeoutExpired):
                process.wait(1.0)
            process.kill()
        return process.returncode


def try_shaders() -> None:
    """The process: answers with width, height, seconds and situation of each picture."""
    with suppress(AttributeError, OSError):
        os.nice(10)  # the show goes first
    serve_shaders(_tried_pictures)


def _tried_pictures(context: moderngl.Context, file: Path, size: tuple[int, int]) -> Iterator[Drawn]:
    with suppress(Exception):  # faults of the shader, and of this process: the show finds them itself
        yield from _trial_pictures(context, isf.load(file), size)


def _trial_pictures(context: moderngl.Context, shader: ISF, size: tuple[int, int]) -> Iterator[Drawn]:
    """Pictures of a shader with its default values, the smallest first, until one takes too long; then the
    first of all situations in which a picture would take as long as no show survives."""
    costs, unit = Costs(context), Shader(context, shader, (1, 1))
    image = Target(context, size)  # as another shader's is: they compile for its form
    images = [image.texture] * len(shader.images)
    _, _, defaults = next(situations(unit.parameters))
    try:
        for share in SHARES:
            width, height = (max(side // share, 1) for side in size)
            unit.resize((width, height))
            for frame in range(2 if share == SHARES[0] else 1):  # the driver compiles what it draws first
                seconds = costs.seconds(unit, drawing(1.0 + frame / 30, frame, defaults, images))
            yield width, height, seconds, ""
            if seconds > BUDGET:
                return
        for where, at, values in situations(unit.parameters):
            seconds = costs.frame(unit, size, drawing(at, 1, values, images))
            if seconds > STANDSTILL:
                yield *size, seconds, where
                return
    finally:
        unit.release()
        image.release()


def _share_of(size: tuple[int, int], share: int) -> str:
    return "x".join(str(max(side // share, 1)) for side in size)
