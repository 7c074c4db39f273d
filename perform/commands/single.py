"""The commands `perform train single` and `perform train stretch`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, TimeRemainingColumn
from typer.core import TyperGroup

from perform.commands.beats import beats
from perform.parameters import size_of
from perform.terminal import (
    INTERRUPTED,
    LARGEST_SEED,
    Force,
    check_new,
    complaints,
    err,
    model_names,
    options_of,
    progress_bar,
    say,
    say_cut_short,
)

if TYPE_CHECKING:
    from perform.training.single.run import ReportStep, SingleRun
    from perform.training.single.scale import ScaleLosses

Seed = Annotated[
    int | None, typer.Option(min=0, max=LARGEST_SEED, help="Seed of all random numbers. (default: 0)")
]
DATASET_COMMAND = "model"  # trains from a dataset, if no other command is named


class Kinds(TyperGroup):
    """`perform train`: the commands for one picture; for other arguments, the command for datasets."""

    def make_context(self, info_name: str | None, args: list[str], *rest: Any, **more: Any) -> Any:
        """The context of this group, or, for arguments that name no command, of the command for datasets."""
        if args and args[0] in self.commands:
            return super().make_context(info_name, args, *rest, **more)
        return self.commands[DATASET_COMMAND].make_context(info_name, args, *rest, **more)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that a context is of."""
        return super().invoke(ctx) if ctx.command is self else ctx.command.invoke(ctx)


def kinds(train: Callable[..., None]) -> typer.Typer:
    """The commands `single`, `stretch` and `beats`, and `train` for everything else."""
    app = typer.Typer(cls=Kinds, help="Train a model from a dataset or from one picture.")
    app.command(DATASET_COMMAND, hidden=True, epilog="From one picture: perform train single.")(train)
    app.command()(single)
    app.command()(stretch)
    app.command()(beats)
    return app


def single(
    context: typer.Context,
    pictures: Annotated[
        list[Path],
        typer.Argument(metavar="PICTURE", default_factory=list, help="The training pictures."),
    ],
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="The folder of the run.")],
    size: Annotated[
        str | None,
        typer.Option(
            help="WIDTHxHEIGHT, or one number for a square. (default: the picture's size, at most 256)"
        ),
    ] = None,
    coarsest: Annotated[
        int | None,
        typer.Option(
            help="Pixels of the coarsest scale's shorter side. Fewer keep more of the layout. (default: 20)"
        ),
    ] = None,
    ground: Annotated[
        str | None,
        typer.Option(
            help="WIDTHxHEIGHT of the colours that all variations share: 1x1, 1x6, 4x4. (default: 1x6)"
        ),
    ] = None,
    scales: Annotated[
        int | None, typer.Option(help="Number of scales. (default: computed from the size)")
    ] = None,
    width: Annotated[int | None, typer.Option(help="Features of each layer. (default: 32)")] = None,
    steps: Annotated[int | None, typer.Option(help="Steps of each scale. (default: 1000)")] = None,
    crop: Annotated[
        int | None, typer.Option(help="Side of the square that a step sees, in pixels. (default: 64)")
    ] = None,
    fidelity: Annotated[
        float | None, typer.Option(help="Larger: closer to the picture. Smaller: more variety. (default: 10)")
    ] = None,
    penalty: Annotated[
        float | None, typer.Option(help="Smoothness of the critic; 0.1 gives more grain. (default: 1)")
    ] = None,
    seed: Seed = None,
    every: Annotated[int | None, typer.Option(help="Steps between checkpoints. (default: 200)")] = None,
) -> None:
    """Train a generator from one picture or a few frames of one size. Give it again to continue."""
    from perform.training.single import SingleSettings
    from perform.training.single.run import open_run

    with complaints():
        options = options_of(context, SingleSettings)
        options["ground"] = pair(ground) if ground else None
        options["size"] = size_of(size, square=True) if size else None
        given = {name: value for name, value in options.items() if value is not None}
        run = open_run(pictures, folder, given)
        with _scales_bar(run) as report:
            done = run.train(report)
    if done:
        say(f"{run.folder.latest} can be played")
    else:
        say_cut_short(f"at scale {run.scale + 1} of {run.config.scales}; the same command continues it")
        raise typer.Exit(INTERRUPTED)


def stretch(
    model: Annotated[
        str,
        typer.Argument(help="A model that was trained from one picture.", autocompletion=model_names),
    ],
    to: Annotated[Path, typer.Argument(help="The file to write, a .safetensors.")],
    size: Annotated[str, typer.Option(help="WIDTHxHEIGHT, or one number for a square.")],
    force: Force = False,
) -> None:
    """Change the size of the model's pictures. A larger picture shows more things; it is not enlarged."""
    from perform.generators.load import load_weights
    from perform.generators.singan import resized
    from perform.models import located
    from perform.networks.modelfiles import write_weights

    with complaints():
        file = located(model)
        check_new(to, force=force, reads=[file])
        weights = load_weights(file)
        if weights.config.family != "singan":
            raise ValueError(f"{model} is of family {weights.config.family}, must be singan")
        write_weights(to, resized(weights, size_of(size, square=True)))
    say(f"{to} can be played")


def pair(text: str) -> tuple[int, int]:
    """Width and height of a text such as 1x6. ValueError if invalid."""
    width, _, height = text.lower().partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise ValueError(f"ground {text!r}, must be WIDTHxHEIGHT, such as 1x6")
    return int(width), int(height)


@contextmanager
def _scales_bar(run: SingleRun) -> Iterator[ReportStep]:
    """A progress bar over all scales, with the losses of the last step; without a terminal, a line for each
    scale."""
    steps = run.options.steps
    total, done = run.config.scales * steps, run.scale * steps + run.step
    columns = "{task.description}", BarColumn(), TimeRemainingColumn()
    begun = set[int]()
    with progress_bar(*columns, description="the first steps", total=total, completed=done) as update:

        def report(scale: int, step: int, losses: ScaleLosses) -> None:
            height, width = run.config.sizes[scale]
            size = f"scale {scale + 1} of {run.config.scales}, {width}x{height}"
            note = f"{size}, likeness {losses.likeness:.4f}"
            update(description=note, completed=scale * steps + step)
            if not err.is_terminal and scale not in begun:
                begun.add(scale)
                err.print(size, markup=False, highlight=False)

        yield report
