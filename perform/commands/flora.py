"""The subcommands of `perform flora`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from perform.terminal import complaints, err, out

app = typer.Typer(help="Flora: flowers drawn by the machine, to train models on.", no_args_is_help=True)

SideLength = Annotated[int, typer.Option(min=32, max=2048, help="Pixels of a side.")]
Seed = Annotated[int, typer.Option(min=0, help="Other flowers for every number.")]


@app.command()
def pictures(
    folder: Annotated[Path, typer.Argument(help="The folder to fill with PNGs.")],
    count: Annotated[int, typer.Option(min=1, help="How many.")] = 100,
    size: SideLength = 256,
    seed: Seed = 0,
) -> None:
    """Draw pictures, with their latents (latents.npy) and what these mean (latents.csv) beside them."""
    from rich.progress import track

    from perform import flora
    from perform.flora.sheets import save_latents
    from perform.sampling.pictures import encode_png

    with complaints():
        latents = flora.latents(seed, count)
        folder.mkdir(parents=True, exist_ok=True)
        save_latents(folder, latents)
        watched = track(latents, "drawing", console=err, transient=True, disable=not err.is_terminal)
        for number, z in enumerate(watched):
            (folder / f"{number:06d}.png").write_bytes(encode_png(flora.render_flower(z, size)))
    _say(f"{count} pictures in {folder}")


@app.command()
def film(
    path: Annotated[Path, typer.Argument(help="The .mp4, .mov or .mkv to write.")],
    seconds: Annotated[float, typer.Option(help="How long one turn lasts.")] = 30.0,
    size: SideLength = 256,
    fps: Annotated[float, typer.Option(help="Frames a second.")] = 30.0,
    seed: Seed = 0,
) -> None:
    """Film flowers that bloom and become one another, without a seam."""
    from rich.progress import track

    from perform.flora import films

    with complaints():
        frames = films.write_film(
            path,
            seconds,
            size,
            fps,
            seed,
            lambda way: track(way, "filming", console=err, transient=True, disable=not err.is_terminal),
        )
    _say(f"{frames} frames in {path}")


@app.command()
def sheet(
    path: Annotated[Path, typer.Argument(help="The .png to write.")],
    seed: Seed = 0,
    columns: Annotated[int, typer.Option(min=1, max=64)] = 8,
    rows: Annotated[int, typer.Option(min=1, max=64)] = 8,
    size: SideLength = 256,
) -> None:
    """Draw a contact sheet."""
    from perform.flora.sheets import flower_sheet as drawn
    from perform.sampling.pictures import encode_png

    with complaints():
        if path.suffix.lower() != ".png":
            raise ValueError(f"{path}, must be a .png")
        path.write_bytes(encode_png(drawn(seed, columns, rows, size)))
    _say(f"{columns * rows} pictures in {path}")


@app.command()
def directions(
    path: Annotated[Path, typer.Argument(help="The .safetensors to write.")],
) -> None:
    """Write the latent's dimensions as directions with names, for `perform directions MODEL --import FILE`:
    a model that was taught with the latents (`perform train --teacher`) then has them as controls."""
    from perform import flora
    from perform.flora.dimensions import TABLE
    from perform.generators.latents import write_directions
    from perform.latent.directions import Directions

    with complaints():
        if path.suffix.lower() != ".safetensors":
            raise ValueError(f"{path}, must be a .safetensors")
        names = tuple(one.name for one in TABLE)
        write_directions(path, Directions(names, np.eye(flora.DIMENSIONS, dtype=np.float32), space="z"))
    _say(f"{len(names)} directions in {path}")


def _say(text: str) -> None:
    out.print(text, markup=False, highlight=False, soft_wrap=True)
