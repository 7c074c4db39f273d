"""The command line: names the commands of `perform`."""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable, Mapping
from typing import Annotated, Any, TypeAlias

import typer
from rich.logging import RichHandler
from typer.core import TyperGroup

from perform import __version__
from perform.bench.command import bench
from perform.commands.dataset import dataset_app as dataset
from perform.commands.demonstrate import demonstrate
from perform.commands.files import beats, check
from perform.commands.flora import flora_app as flora
from perform.commands.learn import learn
from perform.commands.loop import loop
from perform.commands.machine import devices, doctor, hands
from perform.commands.metrics import metrics
from perform.commands.models import app as models
from perform.commands.models import directions
from perform.commands.monitor import monitor
from perform.commands.new import new
from perform.commands.osc import osc
from perform.commands.play import play
from perform.commands.render import render
from perform.commands.shaders import app as shaders
from perform.commands.single import kinds
from perform.commands.train import train
from perform.commands.venue import app as venue
from perform.faults import steps
from perform.terminal import err, out, written, wrong_value


class Program(TyperGroup):
    """The program: if what it prints cannot be written, it ends with one line on stderr and exit code 1. A
    wrong number of an option is shown, with what is allowed."""

    def main(self, *words: Any, **settings: Any) -> Any:
        with written():
            return super().main(*words, **settings)

    def invoke(self, ctx: Any) -> Any:  # before click ends a broken pipe without a word
        with written():
            try:
                return super().invoke(ctx)
            except typer.BadParameter as error:
                error.message = wrong_value(error)
                raise


app = typer.Typer(
    name="perform",
    cls=Program,
    help="An instrument for live visuals: trained image generators, played like a synthesizer.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_version, is_eager=True)
    ] = False,
) -> None:
    """An instrument for live visuals."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")  # a terminal of another encoding, and odd names
    if err.is_terminal:
        logging.basicConfig(format="%(message)s", handlers=[RichHandler(console=err, show_path=False)])
        steps.propagate = False  # `perform.terminal.opening` shows them
    else:  # the log of a supervisor
        logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", datefmt="%Y-%m-%dT%H:%M:%S%z")
    logging.getLogger("perform").setLevel(logging.INFO)


def version() -> None:
    """Print the version."""
    out.print(f"perform {__version__}")


Commands: TypeAlias = Mapping[str, Callable[..., None] | typer.Typer]
PANELS: Mapping[str, Commands] = {  # the commands by what you do
    "Perform": {"play": play, "monitor": monitor, "learn": learn, "demonstrate": demonstrate, "osc": osc},
    "Prepare": {
        "new": new,
        "check": check,
        "shaders": shaders,
        "beats": beats,
        "render": render,
        "loop": loop,
        "venue": venue,
    },
    "Models and training": {
        "models": models,
        "directions": directions,
        "dataset": dataset,
        "train": kinds(train),
        "metrics": metrics,
        "flora": flora,
    },
    "Look after": {
        "doctor": doctor,
        "devices": devices,
        "hands": hands,
        "bench": bench,
        "version": version,
    },
}
for panel, commands in PANELS.items():
    for name, one in commands.items():
        if isinstance(one, typer.Typer):
            app.add_typer(one, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(one)
