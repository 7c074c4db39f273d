"""The command `perform loop`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

import typer

from perform.loops import TEMPLATE, Loop, choose_keyframes, keyframe_sheet, read_loop, write_loop
from perform.terminal import complaints, out, size_of

KEYFRAME_FRAMES = 100  # frames from key to key


def loop(
    what: Annotated[str, typer.Argument(metavar="MODEL|PRESET.toml", help="A model, or a loop to change.")],
    keys: Annotated[str | None, typer.Option(help="The keyframes' seeds, in order: 3,14,15-17.")] = None,
    choose: Annotated[int | None, typer.Option(help="Choose so many keyframes that differ.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="The first that --choose looks at.")] = 0,
    reshuffle: Annotated[str | None, typer.Option(help="Places that get another keyframe: 2,5.")] = None,
    order: Annotated[str | None, typer.Option(help="The keyframes' places in a new order: 3,1,2.")] = None,
    each: Annotated[int | None, typer.Option(min=1, help="Frames from one to the next. [100]")] = None,
    hold: Annotated[
        int | None, typer.Option(min=0, help="Of these, frames that it stands still. [0]")
    ] = None,
    interpolation: Annotated[str | None, typer.Option(help="linear, slerp or spline. [linear]")] = None,
    space: Annotated[str | None, typer.Option(help="Where the way runs: z or w. [z]")] = None,
    psi: Annotated[float | None, typer.Option(min=-1.5, max=2, help="Truncation. [1]")] = None,
    fps: Annotated[float, typer.Option(min=1, max=240, help="Frames a second.")] = 30.0,
    size: Annotated[str | None, typer.Option(help="WIDTHxHEIGHT of the film. [the model's]")] = None,
    film: Annotated[Path | None, typer.Option("--out", help="Render one turn: an .mp4 or .mkv.")] = None,
    save: Annotated[Path | None, typer.Option(help="The preset to write: a .toml.")] = None,
    picture: Annotated[Path | None, typer.Option("--sheet", help="Draw the keyframes: a .png.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a preset.")] = False,
) -> None:
    """A seamless loop through keyframes: as a preset to play live, and as a film of one turn."""
    with complaints():
        if picture and picture.suffix.lower() != ".png":
            raise ValueError(f"{picture}, must be a .png")
        begun = _LoopSource.at(what)
        points = _keyframes(begun, keys, choose, seed)
        made = begun.loop(points, each, hold, fps, interpolation=interpolation, space=space, psi=psi)
        made = made.reshuffled(_positions(reshuffle)) if reshuffle else made
        made = made.ordered(_positions(order)) if order else made
        preset = save or begun.file or (film or Path("loop")).with_suffix(".toml")
        if preset.exists() and preset != begun.file and not force:
            raise FileExistsError(
                f"{preset} is there already: perform loop {preset} changes it, --force writes over"
            )
        preset.parent.mkdir(parents=True, exist_ok=True)
        preset.write_text(write_loop(made, begun.text), encoding="utf-8")
        out.print(
            f"{preset}: {', '.join(map(str, made.keys))}", markup=False, highlight=False, soft_wrap=True
        )
        if picture:
            keyframe_sheet(made, picture)
        if film:
            _render(made, preset, film, fps, size)


@dataclass(frozen=True, slots=True)
class _LoopSource:
    """What a command begins with: a model, or the loop of a preset's text."""

    model: str
    text: str = TEMPLATE
    file: Path | None = None
    before: Loop | None = None

    @classmethod
    def at(cls, what: str) -> _LoopSource:
        from perform.models import located

        if not what.endswith(".toml"):
            located(what)
            return cls(what)
        text = Path(what).read_text(encoding="utf-8")
        before = read_loop(text, Path(what))
        return cls(before.model, text, Path(what), before)

    def loop(
        self, keys: tuple[int, ...], each: int | None, hold: int | None, fps: float, **ways: Any
    ) -> Loop:
        """A loop with these keys; `each` and `hold` in frames; None: as before, or the default."""
        frames = each or (round(self.before.each * fps) if self.before else KEYFRAME_FRAMES)
        given = {"keys": keys, "each": frames / fps, "hold": None if hold is None else hold / frames, **ways}
        wanted = {name: value for name, value in given.items() if value is not None}
        return replace(self.before, **wanted) if self.before else Loop(self.model, **wanted)


def _keyframes(begun: _LoopSource, keys: str | None, choose: int | None, seed: int) -> tuple[int, ...]:
    """The keyframes asked for, else those before."""
    from perform.models import located
    from perform.sampling.pictures import parse_seeds

    if keys and choose:
        raise ValueError("give one of --keys and --choose")
    if keys:
        return tuple(parse_seeds(keys))
    if choose is not None:
        return choose_keyframes(located(begun.model), choose, seed)
    if begun.before is None:
        raise ValueError("which keyframes? give --keys 3,14,15 or --choose 8")
    return begun.before.keys


def _positions(text: str) -> list[int]:
    words = text.split(",")
    if not all(word.strip().isdigit() for word in words):
        raise ValueError(f"places {text!r}, must be numbers such as 2,5")
    return [int(word) for word in words]


def _render(loop: Loop, preset: Path, film: Path, fps: float, size: str | None) -> None:
    """One turn of the loop as a film."""
    from perform import show
    from perform.commands.render import render_show
    from perform.generators.model import Model
    from perform.models import located

    pixels = size_of(size) if size else Model.read(located(loop.model)).size
    options = show.Options(setlist=str(preset), size=pixels, fps=fps, record=film, headless=True)
    render_show(options, loop.seconds)
