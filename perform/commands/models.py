"""The subcommands of `perform models`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, TaskProgressColumn
from rich.table import Table
from rich.text import Text

from perform.parameters import choice
from perform.paths import quoted
from perform.terminal import (
    LARGEST_SEED,
    AsJson,
    Force,
    check_new,
    check_suffix,
    complaints,
    model_names,
    out,
    print_facts,
    progress_bar,
    watched,
)

if TYPE_CHECKING:
    from perform.models.store import ReportProgress as Report

app = typer.Typer(
    help="Models: list, describe, import, export, verify and sample them.", no_args_is_help=True
)

ModelArgument = Annotated[
    str, typer.Argument(help="A model by name, or its file.", autocompletion=model_names)
]


@app.command("list")
def listing(as_json: AsJson = False) -> None:
    """List the models that you can play by name."""
    from dataclasses import asdict

    from perform.models.listing import list_models

    with complaints():
        rows = list(list_models())
    if as_json:
        typer.echo(json.dumps([asdict(row) for row in rows]))
        return
    table = Table("name", "family", "size", "classes", "file", "from", box=None)
    for row in rows:
        size = "x".join(map(str, row.size)) if row.size else ""
        last = Text(row.fault, "red") if row.fault else Text(row.origin)
        cells = (row.name, row.family, size, str(row.classes or ""), _bytes(row.bytes))
        table.add_row(*map(Text, cells), last)
    out.print(table)


@app.command()
def info(
    model: ModelArgument,
    measure: Annotated[bool, typer.Option(help="Measure how fast it plays here.")] = True,
    as_json: AsJson = False,
) -> None:
    """Describe a model: family, size, classes, memory, speed on this machine, licence, remarks."""
    from perform.models import listing

    with complaints():
        found = listing.model_info(model, measure)
    if as_json:
        typer.echo(json.dumps(found))
        return
    print_facts(_facts(found))


@app.command("import")
def bring(
    file: Annotated[Path, typer.Argument(help="A model file of any known project, or the word hands.")],
    name: Annotated[str | None, typer.Argument(help="The name to give it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a model of that name.")] = False,
) -> None:
    """Save a model under a name, as safetensors. Nothing in the file is run. `perform models import hands`
    downloads the model of the hand tracker."""
    from perform.models import hands, store

    with complaints(), _progress_bar() as progress:
        if name is None and str(file) != hands.HANDS:
            again = f"perform models import {quoted(file)} NAME"
            raise ValueError(f"{file}: a model needs a name: {again}")
        if name is None or (name == hands.HANDS and file.suffix.lower() == ".whl"):
            kept, name = hands.import_hands(None if name is None else file, progress), hands.HANDS
        else:
            kept = store.import_model(file, name, force, progress)
    word = "was imported before" if kept.known else "is imported"
    out.print(f"{name} {word}: {kept.file}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def export(
    model: ModelArgument,
    file: Annotated[Path, typer.Argument(help="The file to write: a .safetensors.")],
    precision: Annotated[str, typer.Option(help="float32, or float16: half as large.")] = "float32",
    title: Annotated[str | None, typer.Option(help="A title for it. (default: unchanged)")] = None,
    licence: Annotated[
        str | None, typer.Option(help="The licence: what others may do with it. (default: unchanged)")
    ] = None,
    discriminator: Annotated[
        bool,
        typer.Option(
            "--discriminator",
            help="Also write its discriminator, for perform train --from FILE. A run has its newest one.",
        ),
    ] = False,
    force: Force = False,
) -> None:
    """Write a model to one file that you can share. It holds no code."""
    from perform.models import located, store

    notes = {name: note for name, note in (("title", title), ("licence", licence)) if note}
    with complaints():
        dtype, place = choice("precision", precision, ("float32", "float16")), located(model)
        check_new(file, force=force, reads=[place])
        if not discriminator:
            store.export_model(place, file, dtype, notes)
        else:
            from perform.networks.modelfiles import discriminator_file
            from perform.training.files import save_tensors
            from perform.training.pretrained import discriminator_of

            judge = discriminator_of(Path(place), dtype)
            store.export_model(place, file, dtype, notes)
            save_tensors(discriminator_file(file), judge)
    out.print(f"{model} is in {file} ({_bytes(file.stat().st_size)})", markup=False, highlight=False)


@app.command()
def verify(name: ModelArgument) -> None:
    """Check that a model is complete, unchanged, and plays correctly. The exit code is 1 if not."""
    from perform.models import located, store

    with complaints(), _progress_bar() as progress:
        findings = store.verify_model(located(name), progress)
    out.print(f"{name}: {'; '.join(findings)}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def sample(
    model: ModelArgument,
    out_path: Annotated[
        Path,
        typer.Option(
            "--out",
            help="The file or folder to write: an .npz (`ws`, `images`), a .gif or .webp that shows each "
            "picture for 0.1 s, or a folder of PNGs.",
        ),
    ],
    seeds: Annotated[str | None, typer.Option(help="Seeds, such as 0-9 or 3,5,8-10. (default: 0)")] = None,
    z: Annotated[Path | None, typer.Option(help="A file of z, shape (n, z_dim).")] = None,
    ws: Annotated[
        Path | None, typer.Option(help="A file of w, shape (n, w_dim) or (n, num_ws, w_dim).")
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(help="A file of classes, shape (n or 1, classes). (default: the first class)"),
    ] = None,
    psi: Annotated[
        float | None, typer.Option(help="Truncation towards the mean. (default: no truncation)")
    ] = None,
    cutoff: Annotated[
        int | None, typer.Option(help="Layers to truncate, coarsest first. (default: all)")
    ] = None,
    noise: Annotated[str, typer.Option(help="const (the network's own), none, or a seed.")] = "const",
    precision: Annotated[str, typer.Option(help="float32, or fast: as in perform play.")] = "float32",
    setting: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the model: rotate=0.25.")
    ] = None,
    force: Force = False,
) -> None:
    """Draw pictures of a model to a file or a folder, without filters."""
    from perform.models import located
    from perform.sampling.pictures import SampleRequest, Sampling, sample_files, save_samples

    with complaints():
        if sum(one is not None for one in (seeds, z, ws)) > 1:
            raise ValueError("give one of --seeds, --z and --ws")
        first = "0" if seeds is None else seeds
        controls = _settings(setting or [])
        request = SampleRequest(first, z, ws, labels, psi, cutoff, noise, precision, controls)
        sampling = Sampling(located(model), request)
        check_new(*sample_files(sampling, out_path), force=force, reads=(z, ws, labels))
        save_samples(sampling, watched(sampling, "drawing", len(sampling)), out_path)
    count = f"{len(sampling)} pictures" if len(sampling) > 1 else "1 picture"
    out.print(f"{count} in {out_path}", markup=False, highlight=False, soft_wrap=True)


def directions(
    model: ModelArgument,
    method: Annotated[str, typer.Option(help="pca or sefa.")] = "pca",
    count: Annotated[int, typer.Option(help="How many directions.")] = 10,
    layers: Annotated[
        str | None, typer.Option(help="Layers for sefa and the sheet: 0-7. (default: all)")
    ] = None,
    samples: Annotated[int, typer.Option(help="How many latents to measure.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, max=LARGEST_SEED, help="The seed of these latents.")] = 0,
    given: Annotated[
        Path | None, typer.Option("--import", help="Take the directions of a file: GANSpace, SeFa, Autolume.")
    ] = None,
    name: Annotated[list[str] | None, typer.Option(help="A new name for a direction: pca1=bloom.")] = None,
    sheet: Annotated[Path | None, typer.Option(help="Draw what the directions change, to this .png.")] = None,
    seeds: Annotated[str, typer.Option(help="Seeds of the pictures on the sheet.")] = "0,1",
    force: Force = False,
) -> None:
    """Find directions in a model's latent space, and save them for the direction tables of presets."""
    from perform import generators
    from perform.models import located
    from perform.models.directions import (
        DIRECTION_METHODS,
        DirectionSearch,
        directions_file,
        find_directions,
        parse_labels,
        parse_layers,
        save_directions,
        write_sheet,
    )
    from perform.sampling.pictures import parse_seeds as numbers

    with complaints():
        check_suffix(sheet, ".png")
        check_new(sheet, force=force)
        labels, shown = parse_labels(name or []), numbers(seeds)
        span = parse_layers(layers) if layers else None
        search = DirectionSearch(
            choice("method", method, DIRECTION_METHODS), count, span, samples, seed, given
        )
        weights = generators.weights_of(place := located(model))
        found = find_directions(weights, search).named(labels)
        save_directions(place, found, labels)
        if sheet:
            write_sheet(weights, found, shown, span, sheet)
    assert found.scales is not None
    table = Table("direction", "standard deviation", box=None)
    for one, scale in zip(found.names, found.scales, strict=True):
        table.add_row(Text(one), f"{scale:.3f}")
    out.print(table)
    out.print(f"in {directions_file(place)}", markup=False, highlight=False, soft_wrap=True)


def _settings(texts: list[str]) -> dict[str, float]:
    """Values by name, from texts such as `rotate=0.25`."""
    found = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise ValueError(f"set {text!r}, must be NAME=NUMBER") from None
    return found


@contextmanager
def _progress_bar() -> Iterator[Report]:
    """A progress bar of one task in steps; without a share done it only moves."""
    columns = "{task.description}", BarColumn(), TaskProgressColumn()
    with progress_bar(*columns, description="", total=None) as update:

        def report(step: str, share: float | None) -> None:
            update(description=step, total=None if share is None else 1.0, completed=share or 0.0)

        yield report


def _facts(found: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The lines of `info`, a name and a text each."""
    yield "model", found["model"]
    yield "title", found["title"]
    yield "family", found["family"]
    yield "picture", f"{found['width']}x{found['height']}, {found['channels']} channels"
    yield "classes", str(found["classes"] or "none")
    yield "parameters", f"{found['parameters']:,}"
    yield "latents", f"z {found['z_dim']}, w {found['w_dim']}, for {found['num_ws']} layers"
    yield "file, memory", f"{_bytes(found['file_bytes']) or 'none'}, {_bytes(found['memory_bytes'])}"
    if "pictures_per_second" in found:
        why = f" ({found['reason']})" if found["reason"] else ""
        how = f"{found['device']}, {found['precision']}{why}"
        yield "speed here", f"{found['pictures_per_second']:.1f} pictures/s, {how}"
    elif not found["fits"]:
        yield "speed here", "none: it takes more memory than is free for models"
    yield "controls", ", ".join(found["controls"])
    yield "from", found["source"]
    yield "licence", found["licence"]
    yield "odd", "; ".join(found["odd"]) or "nothing"


def _bytes(count: int | None) -> str:
    """A number of bytes with a unit; an empty text for None."""
    if count is None:
        return ""
    return f"{count / 2**20:.1f} MiB" if count < 2**30 else f"{count / 2**30:.2f} GiB"
