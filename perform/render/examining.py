"""Examines shaders: parses, compiles and draws each, twice, in a process that may never end, or crash."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from perform import children
from perform.clock import Moment, stopwatch
from perform.faults import reason
from perform.parameters import Parameter
from perform.render import isf
from perform.render.context import headless
from perform.render.drawing_process import NO_OPENGL, answers, ask, serve_shaders, started
from perform.render.isf import ISF
from perform.render.shader import Shader

if TYPE_CHECKING:
    import moderngl

DRAWN_FRAMES = 4
Picture: TypeAlias = np.ndarray[Any, np.dtype[Any]]  # [height, width, 4], of bytes or floats
MOST_SECONDS = 30.0  # seconds for one shader
TONE_SAMPLES = 512  # samples
EXAMINE = children.command("from perform.render.examining import examine_lines; examine_lines()")


@dataclass(frozen=True, slots=True)
class ShaderReport:
    """What is known of a shader: whether it could be parsed and compiled, whether it draws without an error
    of OpenGL, and twice the same pixels (`repeat`); whether it draws a number that is none (`nan`) and one
    colour only (`flat`); the milliseconds of a frame, None if it draws none; `warnings` and the `error` are
    sentences."""

    file: str
    parse: bool = False
    compile: bool = False
    draw: bool = False
    repeat: bool = False
    nan: bool = False
    flat: bool = False
    ms: float | None = None
    warnings: Sequence[str] = ()
    error: str = ""


def examined(
    files: Iterable[Path],
    size: tuple[int, int],
    limit: float = MOST_SECONDS,
    command: Sequence[str] = EXAMINE,
) -> Iterator[ShaderReport]:
    """The report of each file, drawn at `size` (width, height). One that takes longer than `limit` seconds,
    or that crashes its process, is reported as far as it came. Raises GLError without OpenGL."""
    process: subprocess.Popen[str] | None = None
    try:
        for file in files:
            process = process or started(command)
            with suppress(BrokenPipeError):  # it has ended already
                ask(process, str(file), size, limit)
            found, ended = answers(process)
            report = ShaderReport(**found[-1]) if found else ShaderReport(str(file))
            if ended and process.wait() == NO_OPENGL:
                headless().release()  # raises the error that the process had
            if ended:
                report = replace(report, error=_why_ended(process.wait(), limit))
                process = None
            yield report
    finally:
        if process:
            process.kill()
            process.wait()


def _why_ended(code: int, limit: float) -> str:
    if code < 0:
        return f"the graphics driver crashed on it (signal {-code})"
    return f"takes longer than {limit:g} s, it may never end"


def examine_lines() -> None:
    """The process: answers with its report after each step."""
    serve_shaders(_reports)


def _reports(context: moderngl.Context, file: Path, size: tuple[int, int]) -> Iterator[dict[str, Any]]:
    report = ShaderReport(str(file))
    try:
        for step in _steps(context, report, size):
            report = step
            yield asdict(report)
    except Exception as error:  # noqa: BLE001 - whatever a shader does to the program
        yield asdict(replace(report, error=reason(error)))


def _steps(context: moderngl.Context, report: ShaderReport, size: tuple[int, int]) -> Iterator[ShaderReport]:
    """The report after each step."""
    shader = isf.load(Path(report.file))
    yield (report := replace(report, parse=True, warnings=[*shader.warnings, *shader.notes]))
    with closing(_Stimulus(context, shader, size)) as shown:
        yield from _drawing_steps(context, report, shader, shown)


def _drawing_steps(
    context: moderngl.Context, report: ShaderReport, shader: ISF, shown: _Stimulus
) -> Iterator[ShaderReport]:
    """The report after each step that draws."""
    _ = context.error  # that of a shader before
    unit = Shader(context, shader, shown.size)
    yield (report := replace(report, compile=True))
    pictures, seconds = shown.drawn(unit)
    if (error := context.error) != "GL_NO_ERROR":
        raise RuntimeError(f"draws with an error of OpenGL: {error}")
    spread = np.ptp(pictures[-1][..., :3].reshape(-1, 3), axis=0).max()
    yield (report := replace(report, draw=True, ms=round(1000 * median(seconds), 2), flat=bool(spread <= 1)))
    again, _ = shown.drawn(Shader(context, shader, shown.size))
    same = all(np.array_equal(one, other) for one, other in zip(pictures, again, strict=True))
    yield (report := replace(report, repeat=same))
    yield replace(report, nan=shown.has_nan(), warnings=[*report.warnings, *shown.claims()])


class _Stimulus:
    """What a shader is shown: pictures, a tone, and its own default values."""

    def __init__(self, context: moderngl.Context, shader: ISF, size: tuple[int, int]) -> None:
        self._context, self._shader, self.size = context, shader, size
        self._textures = [_texture(context, size, number) for number, _ in enumerate(shader.images)]
        self._values: dict[str, Any] = {p.name: _value(p) for p in shader.parameters} | {"progress": 0.5}

    def drawn(
        self, unit: Shader, values: Mapping[str, Any] | None = None
    ) -> tuple[list[Picture], list[float]]:
        """The pictures [height, width, 4] of some frames and the seconds of each but the first, for which the
        driver compiles. The unit is released."""
        pictures, seconds = [], []
        try:
            for frame in range(DRAWN_FRAMES):
                began = stopwatch()
                image = unit.render(
                    Moment(frame / 30, frame, 1 / 30 if frame else 0.0, frame / 15, frame / 60, 120.0),
                    self._values | dict(values or {}),
                    *self._textures,
                )
                self._context.finish()
                seconds.append(stopwatch() - began)
                pictures.append(_pixels(image))
        finally:
            unit.release()
        return pictures, seconds[1:]

    def close(self) -> None:
        """Release the pictures."""
        for texture in self._textures:
            texture.release()

    def has_nan(self) -> bool:
        """Whether it draws what is no number, in any frame of a target of floats."""
        floats = replace(
            self._shader, passes=tuple(replace(step, floating=True) for step in self._shader.passes)
        )
        pictures, _ = self.drawn(Shader(self._context, floats, self.size, heal=False))
        return any(not np.isfinite(picture).all() for picture in pictures)

    def claims(self) -> Iterator[str]:
        """What the shader claims to be and is not: the start image at progress 0, the end image at 1; the
        image as it was, at the IDENTITY of its inputs."""
        claimed: list[tuple[str, dict[str, Any], int]] = []
        if self._shader.kind == "transition":
            claimed += [("the start image at progress 0", {"progress": 0.0}, 0)]
            claimed += [("the end image at progress 1", {"progress": 1.0}, 1)]
        if self._shader.kind == "filter" and self._shader.identity:
            claimed += [("its image at IDENTITY", dict(self._shader.identity), 0)]
        for what, values, number in claimed:
            pictures, _ = self.drawn(Shader(self._context, self._shader, self.size), values)
            wanted = _pixels(self._textures[number])[..., :3].astype(int)
            off = int(np.abs(_eight_bit(pictures[0])[..., :3] - wanted).max())
            if off > 1:
                yield f"{self._shader.name}:1: is not {what}, but off by {off} of 255"


def _value(parameter: Parameter) -> Any:
    """The default of a parameter; a tone for a sound."""
    if parameter.kind != "sound":
        return parameter.default
    places = np.arange(TONE_SAMPLES, dtype=np.float32)
    if parameter.default == "audio.waveform":
        return (0.5 + 0.4 * np.sin(places / 7)).astype(np.float32)
    return np.exp(-places / 90).astype(np.float32)


def _texture(context: moderngl.Context, size: tuple[int, int], number: int) -> moderngl.Texture:
    """A picture of slopes and squares; each number has its own colours."""
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    squares = ((x * 8).astype(int) + (y * 6).astype(int)) % 2
    planes = [x, y, 0.25 + 0.5 * squares]
    colours = np.stack([*np.roll(planes, number, axis=0), np.ones_like(x)], axis=-1)
    pixels = (255 * colours).round().astype(np.uint8)
    texture = context.texture(size, 4, pixels.tobytes())
    texture.repeat_x = texture.repeat_y = False
    return texture


def _pixels(image: moderngl.Texture) -> Picture:
    """The pixels of a texture [height, width, 4]: bytes or 16-bit floats, as they are."""
    width, height = image.size
    dtype = np.uint8 if image.dtype == "f1" else np.float16
    return np.frombuffer(image.read(), dtype).reshape(height, width, 4)


def _eight_bit(picture: Picture) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A picture in steps of 8 bits."""
    if picture.dtype == np.uint8:
        return picture.astype(np.int64)
    return (np.nan_to_num(picture.astype(np.float64)).clip(0, 1) * 255).round().astype(np.int64)
