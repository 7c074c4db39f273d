"""The command `perform loop`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from perform import paths
from perform.commands.render import render_show
from perform.loops import TEMPLATE, Loop, choose_keyframes, keyframe_sheet, read_loop, write_loop
from perform.outputs.codecs import encoding
from perform.parameters import size_of
from perform.paths import quoted, write_whole
from perform.terminal import (
    LARGEST_SEED,
    FilmCodec,
    FilmQuality,
    Force,
    check_new,
    check_suffix,
    complaints,
    model_names,
    say,
)

if TYPE_CHECKING:
    from perform.show import Options

KEYFRAME_FRAMES = 100  # frames from key to key

FirstSeed = Annotated[
    int, typer.Option(min=0, max=LARGEST_SEED, help="The first seed that --choose considers.")
]
LoopSource = Annotated[
    str,
    typer.Argument(
        metavar="MODEL|PRESET.toml", help="A model, or a loop to change.", autocompletion=model_names
    ),
]
FilmSize = Annotated[
    str | None,
    typer.Option(
        help="Size of the film: WIDTHxHEIGHT, or one number for a square. (default: the model's size)"
    ),
]


def loop(
    what: LoopSource,
    keys: Annotated[str | None, typer.Option(help="The keyframes' seeds, in order: 3,14,15-17.")] = None,
    choose: Annotated[
        int | None, typer.Option(help="Choose this many keyframes that differ as much as possible.")
    ] = None,
    seed: FirstSeed = 0,
    reshuffle: Annotated[
        str | None, typer.Option(help="Choose other keyframes for these positions: 2,5.")
    ] = None,
    order: Annotated[str | None, typer.Option(help="The keyframes' positions in a new order: 3,1,2.")] = None,
    each: Annotated[
        int | None, typer.Option(min=1, help="Frames from one keyframe to the next. (default: 100)")
    ] = None,
    hold: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Frames at each keyframe in which the picture does not move; a part of --each. (default: 0)",
        ),
    ] = None,
    interpolation: Annotated[
        str | None, typer.Option(help="linear, slerp or spline. (default: linear)")
    ] = None,
    space: Annotated[str | None, typer.Option(help="Space of the path: z or w. (default: z)")] = None,
    psi: Annotated[float | None, typer.Option(min=-1.5, max=2, help="Truncation. (default: 1)")] = None,
    fps: Annotated[float, typer.Option(min=1, max=240, help="Frames a second.")] = 30.0,
    size: FilmSize = None,
    film: Annotated[
        Path | None,
        typer.Option("--out", help="Render one turn of the loop to this video file: .mp4, .mov or .mkv."),
    ] = None,
    codec: FilmCodec = "h264",
    quality: FilmQuality = None,
    save: Annotated[Path | None, typer.Option(help="The preset file to write: a .toml.")] = None,
    picture: Annotated[Path | None, typer.Option("--sheet", help="Draw the keyframes to this .png.")] = None,
    force: Force = False,
) -> None:
    """Make a seamless loop through keyframes: a preset to play live, and a film of one turn."""
    with complaints():
        check_suffix(picture, ".png")
        check_suffix(save, ".toml")
        encoding(film, codec, quality)
        check_new(picture, film, force=force)
        check_new(save, force=True)  # `_write_preset` says what may be done with a preset that is there
        pixels = size_of(size, square=True) if size else None
        source = _LoopSource.at(what)
        points = _keyframes(source, keys, choose, seed)
        made = source.loop(points, each, hold, fps, interpolation=interpolation, space=space, psi=psi)
        made = made.reshuffled(_positions(reshuffle)) if reshuffle else made
        made = made.ordered(_positions(order)) if order else made
        preset = save or source.file or (film or Path("loop")).with_suffix(".toml")
        recorded = {"record": film, "codec": codec, "quality": quality}
        options = _film_options(made, pixels, setlist=str(preset), fps=fps, **recorded) if film else None
        _write_preset(preset, write_loop(made, source.text), replaces=force or preset == source.file)
        say(f"{preset}: {', '.join(map(str, made.keys))}")
        if picture:
            keyframe_sheet(made, picture)
        if options:
            render_show(options, made.seconds)


@dataclass(frozen=True, slots=True)
class _LoopSource:
    """What the command begins with: a model, or the loop in a preset's text."""

    model: str
    text: str = TEMPLATE
    file: Path | None = None
    before: Loop | None = None

    @classmethod
    def at(cls, what: str) -> _LoopSource:
        from perform.documents import read_marked_text
        from perform.generators.model import Model
        from perform.models import located

        if not what.lower().endswith(".toml"):
            Model.read(located(what))  # raises what is wrong with it
            return cls(what)
        file = paths.found(Path(what)) or Path(what)
        text = read_marked_text(file)
        before = read_loop(text, file)
        return cls(before.model, text, file, before)

    def loop(
        self, keys: tuple[int, ...], each: int | None, hold: int | None, fps: float, **settings: Any
    ) -> Loop:
        """A loop with these keys; `each` and `hold` are in frames; None: as before, or the default."""
        frames = each or (round(self.before.each * fps) if self.before else KEYFRAME_FRAMES)
        still = None if hold is None else hold / frames
        given = {"keys": keys, "each": frames / fps, "hold": still, **settings}
        wanted = {name: value for name, value in given.items() if value is not None}
        return replace(self.before, **wanted) if self.before else Loop(self.model, **wanted)


def _keyframes(source: _LoopSource, keys: str | None, choose: int | None, seed: int) -> tuple[int, ...]:
    """The keyframes that were asked for, else those of the preset."""
    from perform.models import located
    from perform.sampling.pictures import parse_seeds

    if keys and choose:
        raise ValueError("give one of --keys and --choose")
    if keys:
        return tuple(parse_seeds(keys))
    if choose is not None:
        return choose_keyframes(located(source.model), choose, seed)
    if source.before is None:
        raise ValueError("the keyframes are missing: give --keys 3,14,15 or --choose 8")
    return source.before.keys


def _write_preset(file: Path, text: str, replaces: bool) -> None:
    if file.exists() and not replaces:
        raise FileExistsError(
            f"{file} is there already: perform loop {quoted(file)} changes it, --force replaces it"
        )
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, text.encode())


def _positions(text: str) -> list[int]:
    words = text.split(",")
    if not all(word.strip().isdecimal() for word in words):
        raise ValueError(f"places {text!r}, must be numbers such as 2,5")
    return [int(word) for word in words]


def _film_options(loop: Loop, size: tuple[int, int] | None, **film: Any) -> Options:
    """The options of a show that renders a loop; `film` are those that it is made with. ValueError if one of
    them is wrong."""
    from perform import show
    from perform.generators.model import Model
    from perform.models import located

    return show.Options(size=size or Model.read(located(loop.model)).size, headless=True, **film)
