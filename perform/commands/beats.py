"""The command `perform train beats`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, TimeRemainingColumn

from perform.terminal import INTERRUPTED, LARGEST_SEED, complaints, progress_bar, say, say_cut_short, watched

if TYPE_CHECKING:
    from perform.training.beats.run import Report


def beats(
    tracks: Annotated[
        Path | None,
        typer.Argument(
            metavar="FOLDER", help="Sounds of your own, each with its beats in NAME.beats. (default: none)"
        ),
    ] = None,
    run: Annotated[Path, typer.Option(help="The folder of the run.")] = Path("runs/beats"),
    pieces: Annotated[int, typer.Option(min=2, help="Pieces of music to make, 40 seconds each.")] = 1500,
    steps: Annotated[int, typer.Option(min=1, help="Steps in all.")] = 12000,
    rate: Annotated[float, typer.Option(min=0, max=1, help="Adam's learning rate.")] = 1.5e-3,
    new: Annotated[
        bool, typer.Option("--new", help="Do not begin with the weights that are played.")
    ] = False,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of all random numbers.")] = 0,
    font: Annotated[
        Path | None, typer.Option(help="A General MIDI sound font, .sf2. (default: the installed one)")
    ] = None,
) -> None:
    """Train the beat tracker on made music, and on tracks of your own. Give it again to continue.

    The music needs FluidSynth and a sound font: apt install fluidsynth fluid-soundfont-gm
    """
    from perform.rhythm.hearing import own_weights, read_weights, weight_files
    from perform.training.beats.recording import FluidSynth
    from perform.training.beats.run import BeatFolder, BeatRun, BeatSettings, begin_or_continue, make_music
    from perform.training.beats.tracks import tracks_of

    with complaints():
        band = FluidSynth(font)
        own = tracks_of(tracks) if tracks else ()
        folder = BeatFolder(run)
        settings = BeatSettings(pieces=pieces, steps=steps, rate=rate, seed=seed)
        begin_or_continue(folder, settings, tracks)
        with closing(make_music(folder, settings, band)) as music:
            for _ in watched(music, "music", pieces):
                pass
        teaching = BeatRun(folder, settings, own)
        if teaching.step == 0 and not new:
            teaching.begin_from(read_weights(weight_files()[0]))
        with _bar(steps, teaching.step) as report:
            done = teaching.learn(report)
    if not done:
        say_cut_short(f"at step {teaching.step} of {steps}; the same command continues it")
        raise typer.Exit(INTERRUPTED)
    say(f"{folder.latest} is trained. To play with it, copy it to {own_weights()}")


@contextmanager
def _bar(total: int, completed: int) -> Iterator[Report]:
    """A progress bar of steps, with the figures of the last line of the log."""
    columns = (
        "{task.description}",
        BarColumn(),
        "{task.completed:.0f} of {task.total:.0f}",
        TimeRemainingColumn(),
    )
    with progress_bar(*columns, description="steps", total=total, completed=completed) as update:

        def report(step: int, figures: Mapping[str, float]) -> None:
            update(completed=step)
            if figures:
                values = ", ".join(f"{name.replace('_', ' ')} {value:.4f}" for name, value in figures.items())
                update(description=f"steps ({values})")

        yield report
