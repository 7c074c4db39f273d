"""The subcommands of `perform dataset`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from perform.paths import write_whole
from perform.terminal import (
    ENDLESS,
    LARGEST_SEED,
    AsJson,
    Force,
    check_new,
    complaints,
    err,
    options_of,
    out,
    progress_bar,
    say,
)

if TYPE_CHECKING:
    from perform.training.dataset.films import FrameChoice
    from perform.training.dataset.manifest import Manifest
    from perform.training.dataset.settings import DatasetSettings
    from perform.training.dataset.sources import PictureSource

dataset_app = typer.Typer(
    help="Datasets: prepare pictures, films or drawn flowers for training.", no_args_is_help=True
)

MOST_WORKERS = 8  # by default; with more, the disk is the limit
OutFolder = Annotated[
    Path,
    typer.Argument(
        metavar="OUT", help="The new folder. If the command was stopped, give it again: it continues."
    ),
]
DatasetFolder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A dataset, or a folder of pictures.")]
PictureSize = Annotated[str, typer.Option(help="A power of two 16..2048, or WIDTHxHEIGHT.")]
Fit = Annotated[str, typer.Option(help="crop (the middle), fit (the whole picture, with bars) or stretch.")]
Background = Annotated[str, typer.Option(help="Colour of bars and behind transparency: #rrggbb.")]
MirrorPictures = Annotated[bool, typer.Option("--mirror", help="Train on each picture mirrored, too.")]
Format = Annotated[str, typer.Option(help="png, jpg or webp.")]
Quality = Annotated[int, typer.Option(help="Quality of jpg and webp, 1..100; webp at 100 is lossless.")]
Smallest = Annotated[
    int,
    typer.Option(
        min=0, help="Drop pictures with a shorter side. 0: those that would be enlarged more than twice."
    ),
]
Duplicates = Annotated[
    int,
    typer.Option(
        help="Drop a picture whose hash differs from another one in at most this many of 64 bits, 0..12. "
        "0 keeps all."
    ),
]
Blur = Annotated[
    float, typer.Option(min=0, max=1e6, help="Drop pictures that are less sharp: try 20. 0 keeps all.")
]
Flat = Annotated[float, typer.Option(help="Drop pictures with less contrast, 0..0.5: try 0.03. 0 keeps all.")]
Dark = Annotated[float, typer.Option(help="Drop pictures that are darker on average, 0..1. 0 keeps all.")]
Bright = Annotated[float, typer.Option(help="Drop pictures that are brighter on average, 0..1. 1 keeps all.")]
Limit = Annotated[int, typer.Option(min=0, help="Stop after this many pictures. 0: all.")]
Workers = Annotated[
    int | None, typer.Option(min=1, max=256, help="Number of processes. (default: one per core, at most 8)")
]


@dataset_app.command()
def pictures(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Pictures of any kind, also in subfolders.")],
    target: OutFolder,
    size: PictureSize = "256",
    fit: Fit = "crop",
    background: Background = "#000000",
    mirror: MirrorPictures = False,
    frames: Annotated[str, typer.Option(help="Frames of animated files: first or all.")] = "first",
    format: Format = "png",
    quality: Quality = 95,
    smallest: Smallest = 0,
    duplicates: Duplicates = 3,
    blur: Blur = 0.0,
    flat: Flat = 0.0,
    dark: Dark = 0.0,
    bright: Bright = 1.0,
    limit: Limit = 0,
    workers: Workers = None,
) -> None:
    """Make a dataset from a folder of pictures."""
    from perform.training.dataset.sources import PictureFolder

    with complaints():
        if target.resolve().is_relative_to(folder.resolve()):  # the next run would read it as pictures
            raise ValueError(f"{target} lies in {folder}: give a folder outside it")
        _make(PictureFolder(folder), _settings(context), target, workers)


@dataset_app.command()
def film(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="A film of any kind that FFmpeg reads.")],
    target: OutFolder,
    start: Annotated[
        float, typer.Option("--from", min=0, max=ENDLESS, help="Begin at this second of the film.")
    ] = 0.0,
    end: Annotated[
        float | None,
        typer.Option("--to", min=0, max=ENDLESS, help="End at this second. (default: the end)"),
    ] = None,
    stride: Annotated[int, typer.Option(min=1, help="Take every n-th frame.")] = 1,
    fps: Annotated[
        float, typer.Option(min=0, max=1000, help="Take this many frames a second. 0: all.")
    ] = 0.0,
    scenes: Annotated[
        int, typer.Option(min=0, help="Take this many frames of each scene, evenly spread. 0: all.")
    ] = 0,
    margin: Annotated[
        int | None,
        typer.Option(
            min=0, help="Leave out this many frames on both sides of a cut. (default: 0; with --scenes 2)"
        ),
    ] = None,
    size: PictureSize = "256",
    fit: Fit = "crop",
    background: Background = "#000000",
    mirror: MirrorPictures = False,
    format: Format = "png",
    quality: Quality = 95,
    smallest: Smallest = 0,
    duplicates: Duplicates = 3,
    blur: Blur = 0.0,
    flat: Flat = 0.0,
    dark: Dark = 0.0,
    bright: Bright = 1.0,
    limit: Limit = 0,
    workers: Workers = None,
) -> None:
    """Make a dataset from the frames of a film."""
    from perform.training.dataset.films import FrameChoice

    with complaints():
        kept_out = margin if margin is not None else 2 * bool(scenes)
        choice = FrameChoice(start, end, stride, fps, scenes, kept_out)
        make_from_film(file, target, choice, _settings(context), workers)


@dataset_app.command()
def flora(
    context: typer.Context,
    target: OutFolder,
    count: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many flowers.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="Seed of the flowers' parameters.")] = 0,
    size: Annotated[str, typer.Option(help="A power of two 32..2048.")] = "256",
    mirror: MirrorPictures = False,
    format: Format = "png",
    quality: Quality = 95,
    workers: Workers = None,
) -> None:
    """Make a dataset of drawn flowers. The parameters of each flower are stored with it."""
    from perform.flora import latents, render_flower
    from perform.training.dataset.sources import RenderedPictures

    with complaints():
        settings = _settings(context)
        wide, high = settings.size
        if wide != high or wide < 32:
            raise ValueError(f"size {size!r}, must be a power of two 32..2048: flowers are drawn as squares")
        _make(RenderedPictures("flora", latents(seed, count), render_flower, seed), settings, target, workers)


@dataset_app.command()
def report(
    folder: DatasetFolder,
    file: Annotated[
        Path | None, typer.Option("--out", help="The page to write. (default: FOLDER/report.html)")
    ] = None,
    force: Force = False,
) -> None:
    """Write a report: an HTML page with counts, reasons, sizes, colours and the pictures."""
    from perform.training.dataset import Dataset
    from perform.training.dataset.manifest import REPORT
    from perform.training.dataset.report import report_page

    with complaints():
        check_new(file, force=force)
        found = Dataset.open(folder)
        written = file or folder / REPORT
        write_whole(written, report_page(found).encode())
    say(str(written))


@dataset_app.command("check")
def check_pictures(
    folder: DatasetFolder,
    quick: Annotated[
        bool, typer.Option("--quick", help="Check hashes only; do not decode the pictures.")
    ] = False,
) -> None:
    """Check that a dataset is complete and unchanged; exit code 1 if not."""
    from perform.training.dataset import Dataset
    from perform.training.dataset.checking import faults

    with complaints(), _counting_bar("checking") as move:
        found = list(faults(folder, not quick, lambda done, total: move(done, total, "")))
        if found:
            raise ValueError("\n".join(found))
        count = len(Dataset.open(folder))
    say(f"{folder}: {count} pictures, all whole")


@dataset_app.command()
def info(folder: DatasetFolder, as_json: AsJson = False) -> None:
    """Show what is in a dataset."""
    from perform.training.dataset import Dataset

    with complaints():
        found = Dataset.open(folder)
        digest = found.digest
    if as_json:
        facts = {"pictures": len(found), "size": found.size, "mirror": found.mirror, "digest": digest}
        typer.echo(json.dumps(facts | ({"recipe": found.manifest.recipe} if found.manifest else {})))
    elif found.manifest:
        _print_summary(found.manifest, folder)
    else:
        out.print(f"{len(found)} pictures, {found.size[0]}x{found.size[1]}, a plain folder", highlight=False)


def make_from_film(
    file: Path, target: Path, choice: FrameChoice, settings: DatasetSettings, workers: int | None = None
) -> None:
    """Make or resume a dataset of a film's frames."""
    from perform.training.dataset.films import Film

    source = Film(file, choice, _workers(workers))
    _make(source, settings, target, workers, source.expected)


def _settings(context: typer.Context) -> DatasetSettings:
    """The settings that a command's options give; the others have their defaults."""
    from perform.training.dataset.settings import DatasetSettings, dataset_size

    given = options_of(context, DatasetSettings)
    return DatasetSettings(**{**given, "size": dataset_size(given["size"])})


def _make(
    source: PictureSource,
    settings: DatasetSettings,
    target: Path,
    workers: int | None,
    expected: int | None = None,
) -> None:
    """Make or resume a dataset, write its report, and print what happened to the pictures."""
    from perform.training.dataset import Dataset
    from perform.training.dataset.making import make
    from perform.training.dataset.manifest import REPORT
    from perform.training.dataset.report import report_page

    total = expected or source.total
    try:
        with _counting_bar(target.name) as move:

            def watch(seen: int, kept: int) -> None:
                move(seen, total, f"{kept} kept")

            made = make(source, settings, target, _workers(workers), watch)
    except KeyboardInterrupt:
        err.print("stopped: the same command continues it", highlight=False)
        raise typer.Exit(130) from None
    if not (target / REPORT).exists():
        write_whole(target / REPORT, report_page(Dataset.open(target)).encode())
    _print_summary(made, target)


def _print_summary(made: Manifest, folder: Path) -> None:
    """Print what happened to the pictures, as a table."""
    from perform.training.dataset.outcomes import REASONS

    counts, (width, height) = made.counts, made.size
    weight = sum(shard.bytes for shard in made.shards) / 2**20
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row(Text("seen", "bold"), Text(f"{counts.seen:,}"), "")
    for reason, count in counts.dropped.items():
        table.add_row(Text(f"  {reason}"), Text(f"{count:,}"), Text(REASONS.get(reason, ""), "dim"))
    table.add_row(
        Text("kept", "bold"), Text(f"{counts.kept:,}"), Text(f"{width}x{height}, {weight:.1f} MiB", "dim")
    )
    if counts.rest != 0:
        table.add_row(Text("not seen"), Text("" if counts.rest is None else f"{counts.rest:,}"), "")
    out.print(table, highlight=False)
    say(f"{folder}, {folder / 'report.html'}")


def _workers(requested: int | None) -> int:
    return requested or min(os.cpu_count() or 1, MOST_WORKERS)


@contextmanager
def _counting_bar(what: str) -> Iterator[Callable[[int, int | None, str], None]]:
    """A progress bar; the function moves it to (done, total or None, a few words)."""
    columns = BarColumn(), MofNCompleteColumn(), "{task.fields[note]}", TimeRemainingColumn()
    with progress_bar("{task.description}", *columns, description=what, total=None, note="") as update:
        yield lambda done, total, note: update(completed=done, total=total, note=note)
