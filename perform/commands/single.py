"""The commands `perform train single` and `perform train stretch`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from typer.core import TyperGroup

from perform.terminal import complaints, err, out, size_of

if TYPE_CHECKING:
    from perform.training.single.run import ReportStep, SingleRun

LEARN = "model"  # the command for datasets, when no other is named


class Kinds(TyperGroup):
    """`perform train`: a command of its own for one picture, else what learns from datasets."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """What names no command is for the one of datasets."""
        return super().parse_args(ctx, args if args and args[0] in self.commands else [LEARN, *args])


def kinds(train: Callable[..., None]) -> typer.Typer:
    """`single`, `stretch`, and `train` for all that is neither."""
    app = typer.Typer(cls=Kinds, help="Learn a model: from a dataset, or from one picture.")
    app.command(LEARN, hidden=True, epilog="From one picture: perform train single.")(train)
    app.command()(single)
    app.command()(stretch)
    return app


def single(
    what: Annotated[
        list[Path], typer.Argument(metavar="[PICTURE...] RUN", help="What to learn, and the run's folder.")
    ],
    size: Annotated[
        str | None, typer.Option(help="WIDTHxHEIGHT in pixels; else the picture's, 256 at most.")
    ] = None,
    coarsest: Annotated[
        int | None,
        typer.Option(help="Pixels of the coarsest scale's shorter side; fewer: freer details. [20]"),
    ] = None,
    ground: Annotated[
        str | None,
        typer.Option(help="WIDTHxHEIGHT of the colours that all variations share: 1x1, 1x6, 4x4. [1x6]"),
    ] = None,
    scales: Annotated[int | None, typer.Option(help="How many; else as the size needs.")] = None,
    width: Annotated[int | None, typer.Option(help="Features of each layer. [32]")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of each scale. [1000]")] = None,
    crop: Annotated[int | None, typer.Option(help="Pixels that a step looks at. [64]")] = None,
    fidelity: Annotated[
        float | None, typer.Option(help="How much likeness weighs against variety. [10]")
    ] = None,
    penalty: Annotated[
        float | None, typer.Option(help="How smooth the critic is kept; 0.1: more grain. [1]")
    ] = None,
    seed: Annotated[int | None, typer.Option(min=0, help="Of all chance. [0]")] = None,
    every: Annotated[int | None, typer.Option(help="Steps from one checkpoint to the next. [200]")] = None,
) -> None:
    """Learn a generator from one picture, or a few frames of one size; again, it goes on where it was."""
    from perform.training.single.run import open_run

    given: dict[str, Any] = {
        "coarsest": coarsest,
        "scales": scales,
        "width": width,
        "steps": steps,
        "crop": crop,
        "fidelity": fidelity,
        "penalty": penalty,
        "seed": seed,
        "every": every,
    }
    with complaints():
        given["ground"] = pair(ground) if ground else None
        given["size"] = size_of(size) if size else None
        *pictures, folder = what
        run = open_run(pictures, folder, {name: value for name, value in given.items() if value is not None})
        with _progress(run) as report:
            done = run.train(report)
    told = f"{run.folder.latest} can be played"
    if not done:
        told = f"interrupted at scale {run.scale + 1} of {run.config.scales}; the same command goes on"
    out.print(told, markup=False, highlight=False, soft_wrap=True)


def stretch(
    model: Annotated[Path, typer.Argument(help="A model learnt from one picture.")],
    to: Annotated[Path, typer.Argument(help="The file to write, a .safetensors.")],
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT in pixels.")],
) -> None:
    """The same model for pictures of another shape: there is more in them, not the same larger."""
    from perform.generators.singan import resized
    from perform.networks.modelfiles import read_weights, write_weights

    with complaints():
        weights = read_weights(model)
        if weights.config.family != "singan":
            raise ValueError(f"{model} is of family {weights.config.family}, must be singan")
        write_weights(to, resized(weights, size_of(size)))
    out.print(f"{to} can be played", markup=False, highlight=False, soft_wrap=True)


def pair(text: str) -> tuple[int, int]:
    """Width and height of a text such as 1x6. ValueError when it is none."""
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ValueError(f"ground {text!r}, must be WIDTHxHEIGHT, such as 1x6")
    return int(width), int(height)


@contextmanager
def _progress(run: SingleRun) -> Iterator[ReportStep]:
    """A bar over all scales, with how the last step went."""
    columns: tuple[Any, ...] = TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn()
    steps = run.options.steps
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("", total=run.config.scales * steps, completed=run.scale * steps + run.step)

        def report(scale: int, step: int, losses: Any) -> None:
            height, width = run.config.sizes[scale]
            told = (
                f"scale {scale + 1} of {run.config.scales}, {width}x{height}, likeness {losses.likeness:.4f}"
            )
            bar.update(task, description=told, completed=scale * steps + step)

        yield report
