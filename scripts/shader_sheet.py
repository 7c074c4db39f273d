"""Contact sheets of shaders: a column per moment, a row per value of a swept parameter.

    python -m scripts.shader_sheet shaders/filters/feedback.fs --over tunnel --sweep decay --out sheet.jpg
    python -m scripts.shader_sheet --docs     # the pictures of docs/shaders.md; or those of NAMES
    python -m scripts.shader_sheet --time     # milliseconds a frame at 1280x720, beside a plain copy

Controls that answer hits get one twice a second, a spectrum input gets a made one, and a filter draws
over a generator shader. Everything else stands at its default or where `--set name=value` puts it.
"""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from perform.arrays import Pixels
from perform.clock import Moment, OfflineClock, Tempo, stopwatch
from perform.render import context, isf
from perform.render.readback import Readback
from perform.render.shader import Shader

Values = Mapping[str, Any]

SHADERS = Path(__file__).parents[1] / "shaders"
PICTURES = Path(__file__).parents[1] / "docs/pictures/shaders"
FPS = 30
HITS = ("hit", "push", "snap", "sparkle")
THROWS = ("seed",)  # a new throw on every second beat
GAP = 4  # pixels between the frames of a sheet
COPY = """/*{"INPUTS": [{"NAME": "inputImage", "TYPE": "image"}]}*/
void main() { gl_FragColor = IMG_THIS_PIXEL(inputImage); }"""

# What the documentation shows where the defaults over the tunnel would not tell enough.
OVER = {
    "chromatic": "molnar",
    "city": "drops",
    "crust": "drops",
    "displace": "truchet",
    "echoes": "dancer",
    "edges": "truchet",
    "field": "drops",
    "flurry": "drops",
    "grade": "truchet",
    "halftone": "drops",
    "kaleidoscope": "truchet",
    "mirror": "truchet",
    "posterise": "drops",
    "ridges": "drops",
    "rutt": "truchet",
    "shatter": "truchet",
    "slitscan": "drops",
    "swarm": "drops",
    "tesserae": "drops",
    "water": "moon",
}
SHOWN: Mapping[str, Values] = {
    "blend": {"mode": "screen", "amount": 0.8},
    "feedback": {"zoom": 0.6, "hue": 0.12, "rotate": 0.04},
    "grade": {"tint": 0.9, "contrast": 0.4, "vignette": 0.6},
    "corona": {"size": 0.24, "height": 0.8},
    "dancer": {"wide": 1},
    "dandelion": {"full": 0.7},
    "grain": {"amount": 0.8, "size": 4},
    "mirror": {"crossed": True},
    "rutt": {"lines": 48},
    "molnar": {"columns": 5},
    "sea": {"travel": 40, "rough": 0.5},
    "slitscan": {"span": 2.5},
    "strings": {"first": 0.9, "third": 0.3, "fourth": 0.5, "seventh": 0.8, "eighth": 0.4, "sparkle": 0.4},
    "water": {"horizon": 0.3},
}


@dataclass
class Stage:
    """Where shaders are drawn at `size` (width, height): a context and the way back to pixels."""

    size: tuple[int, int]
    gl: Any = field(default_factory=context.headless)

    def shader(self, name: str) -> Shader:
        """The shader of a file, or of that name in `shaders/`."""
        path = Path(name) if name.endswith(".fs") else next(SHADERS.glob(f"*/{name}.fs"))
        return Shader(self.gl, isf.load(path), self.size)

    def pixels(self, image: Any) -> Pixels:
        return Readback(self.gl, self.size).read(image)


def moments(seconds: float) -> Iterator[Moment]:
    """The frames from 0 to `seconds`, at 30 a second and 120 beats a minute."""
    clock = OfflineClock(Fraction(FPS))
    for _ in range(round(seconds * FPS) + 1):
        clock.advance()
        yield clock.moment(Tempo())


def spectrum(moment: Moment) -> NDArray[np.float32]:
    """A made spectrum [128], 0..1: a kick on the beat, a wandering tone, hats between the beats."""
    place, phase = np.arange(128) / 128, moment.beat % 1
    kick = np.exp(-6 * place) * (0.3 + 0.7 * np.exp(-5 * phase))
    tone = np.exp(-(((place - 0.35 - 0.1 * np.sin(moment.seconds)) / 0.04) ** 2))
    hats = np.exp(-(((place - 0.7) / 0.12) ** 2)) * np.exp(-6 * ((phase + 0.5) % 1))
    loud: NDArray[np.float64] = kick + 0.6 * tone * abs(np.sin(2.1 * moment.seconds)) + 0.4 * hats
    return np.minimum(loud, 1).astype(np.float32)


def values(shader: Shader, moment: Moment, given: Values) -> Values:
    """One value for every parameter: given, played by the beat, or the default."""
    hit = float(np.exp(-5 * (moment.beat % 1)))
    made: dict[str, Any] = {
        p.name: spectrum(moment) if p.kind == "sound" else p.default for p in shader.parameters
    }
    made |= {name: hit for name in HITS if name in made}
    made |= {name: float(moment.beat // 2) for name in THROWS if name in made}
    return made | {"progress": 0.0} | dict(given)


def frames(stage: Stage, name: str, over: str, given: Values, times: Sequence[float]) -> list[Pixels]:
    """The frames of one shader at `times`; a transition goes from `over` to the ribbons of truchet."""
    shader, sources = stage.shader(name), [stage.shader(over), stage.shader("truchet")]
    remembers = any(step.persistent for unit in (shader, *sources) for step in unit.isf.passes)
    taken = []
    for moment in moments(max(times)):
        shown = any(abs(moment.seconds - time) < 0.5 / FPS for time in times)
        if not (shown or remembers):
            continue
        images = [s.render(moment, values(s, moment, {})) for s in sources[: len(shader.isf.images)]]
        step = {"progress": moment.seconds / max(times)} if shader.isf.kind == "transition" else {}
        image = shader.render(moment, values(shader, moment, {**step, **given}), *images)
        if shown:
            taken.append(stage.pixels(image))
    for unit in (shader, *sources):
        unit.release()
    return taken


def smaller(pixels: Pixels, by: int) -> Pixels:
    """A picture [h, w, 3] at 1/by of its size, each pixel the mean of by x by."""
    height, width = (side // by * by for side in pixels.shape[:2])
    blocks = pixels[:height, :width].reshape(height // by, by, width // by, by, 3)
    return np.asarray(blocks.mean((1, 3)).round(), np.uint8)


def sheet(rows: Sequence[Sequence[Pixels]]) -> Pixels:
    """Rows of frames as one picture, on dark grey."""
    height, width, _ = rows[0][0].shape
    size = (len(rows) * (height + GAP) - GAP, len(rows[0]) * (width + GAP) - GAP, 3)
    page = np.full(size, 40, np.uint8)
    for down, row in enumerate(rows):
        for across, pixels in enumerate(row):
            top, left = down * (height + GAP), across * (width + GAP)
            page[top : top + height, left : left + width] = pixels
    return page


def write(path: Path, page: Pixels, coarseness: int = 4) -> None:
    """A picture file; `coarseness` is that of JPEG, 2 (best) to 31."""
    height, width = (side // 2 * 2 for side in page.shape[:2])
    with av.open(str(path), "w", format="image2", options={"update": "1"}) as file:
        limits = {"qmin": str(coarseness), "qmax": str(coarseness)}
        stream = file.add_stream("mjpeg" if path.suffix == ".jpg" else "png", rate=1, options=limits)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj444p" if path.suffix == ".jpg" else "rgb24"
        frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(page[:height, :width]), format="rgb24")
        file.mux([*stream.encode(frame), *stream.encode()])


def draw_docs(names: Sequence[str]) -> None:
    """docs/pictures/shaders/NAME.jpg: three moments of each shader, or of every one, each under 60 kB."""
    stage = Stage((960, 540))
    for path in (path for path in sorted(SHADERS.glob("*/*.fs")) if not names or path.stem in names):
        times = (1.0, 2.0, 2.9, 4.0) if path.parent.name == "transitions" else (4.0, 6.1, 8.3)
        over = OVER.get(path.stem, "drops" if path.parent.name == "transitions" else "tunnel")
        taken = frames(stage, str(path), over, SHOWN.get(path.stem, {}), times)[:3]
        page = sheet([[smaller(pixels, 3) for pixels in taken]])
        target = PICTURES / f"{path.stem}.jpg"
        for coarseness in range(3, 32):
            write(target, page, coarseness)
            if target.stat().st_size < 60_000:
                break


def time_all(rounds: int = 15) -> Mapping[str, float]:
    """Milliseconds a frame at 1280x720, the best of `rounds` taken in turns, so that what else the
    machine does falls on all alike; `copy` is a pass that only copies."""
    stage = Stage((1280, 720))
    units = {"copy": Shader(stage.gl, isf.parse(COPY, "copy"), stage.size)}
    units |= {path.stem: stage.shader(str(path)) for path in sorted(SHADERS.glob("*/*.fs"))}
    source, best = stage.shader("truchet"), dict.fromkeys(units, float("inf"))
    for moment in moments(rounds / FPS):
        image = source.render(moment, values(source, moment, {}))
        for name, unit in units.items():
            given = values(unit, moment, {"progress": 0.5})
            stage.gl.finish()
            start = stopwatch()
            unit.render(moment, given, image, image)
            stage.gl.finish()
            best[name] = min(best[name], 1000 * (stopwatch() - start))
    return best


def draw_sheet(options: argparse.Namespace) -> None:
    width, height = (int(side) for side in options.size.split("x"))
    stage = Stage((width, height))
    given = {name: ast.literal_eval(text) for name, _, text in (one.partition("=") for one in options.set)}
    times = [float(time) for time in options.times.split(",")]
    rows = []
    for name in options.shaders:
        for sweep in sweeps(stage.shader(name), options.sweep):
            rows.append(frames(stage, name, options.over, {**given, **sweep}, times))
    write(options.out, sheet(rows))


def sweeps(shader: Shader, name: str | None, steps: int = 4) -> list[Values]:
    """The values of one parameter from its low to its high end; nothing set when none is named."""
    if name is None:
        return [{}]
    parameter = next(p for p in shader.parameters if p.name == name)
    if parameter.choices:
        return [{name: choice} for choice in parameter.choices]
    low, high = float(parameter.low or 0), float(parameter.high or 0)
    return [{name: low + (high - low) * step / (steps - 1)} for step in range(steps)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shaders", nargs="*", help="files, or names in shaders/")
    parser.add_argument("--over", default="tunnel", help="what filters draw over")
    parser.add_argument("--sweep", help="the parameter that changes from row to row")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    parser.add_argument("--times", default="0.5,2,4.1,8", help="seconds")
    parser.add_argument("--size", default="480x270")
    parser.add_argument("--out", type=Path, default=Path("sheet.jpg"))
    parser.add_argument("--docs", action="store_true")
    parser.add_argument("--time", action="store_true")
    options = parser.parse_args()
    if options.docs:
        draw_docs(options.shaders)
    elif options.time:
        best = time_all()
        lines = (f"{name:14}{ms:7.1f} ms {ms / best['copy']:6.1f} copies" for name, ms in best.items())
        parser.exit(message="\n".join(lines) + "\n")
    else:
        draw_sheet(options)


if __name__ == "__main__":
    main()
