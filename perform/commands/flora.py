"""The subcommands of `perform flora`."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import numpy as np
import typer

from perform.paths import write_whole
from perform.terminal import (
    LARGEST_SEED,
    FilmCodec,
    FilmQuality,
    Force,
    check_new,
    check_suffix,
    complaints,
    say,
    watched,
)

flora_app = typer.Typer(help="Flora: drawn flowers to train models with.", no_args_is_help=True)

SideLength = Annotated[int, typer.Option(min=32, max=2048, help="Pixels of a side.")]
Seed = Annotated[
    int, typer.Option(min=0, max=LARGEST_SEED, help="The seed: each number gives other flowers.")
]


@flora_app.command()
def pictures(
    folder: Annotated[Path, typer.Argument(help="The folder to fill with PNGs.")],
    count: Annotated[int, typer.Option(min=1, max=10_000_000, help="How many pictures.")] = 100,
    size: SideLength = 256,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Draw pictures, with their latents in latents.npy and the meaning of each in latents.csv."""
    from perform import flora
    from perform.flora.sheets import save_latents
    from perform.sampling.pictures import encode_png

    with complaints():
        latents = flora.latents(seed, count)
        check_new(*(folder / name for name in ("latents.npy", "latents.csv", "000000.png")), force=force)
        folder.mkdir(parents=True, exist_ok=True)
        save_latents(folder, latents)
        for number, z in enumerate(watched(latents, "drawing")):
            write_whole(folder / f"{number:06d}.png", encode_png(flora.render_flower(z, size)))
    say(f"{count} pictures in {folder}")


@flora_app.command()
def film(
    path: Annotated[Path, typer.Argument(help="The .mp4, .mov or .mkv to write.")],
    seconds: Annotated[float, typer.Option(help="Length of the film.")] = 30.0,
    size: SideLength = 256,
    fps: Annotated[float, typer.Option(help="Frames a second.")] = 30.0,
    codec: FilmCodec = "h264",
    quality: FilmQuality = None,
    seed: Seed = 0,
    force: Force = False,
) -> None:
    """Write a seamless film of flowers that bloom and change into each other."""
    from perform.flora import films

    with complaints():
        check_new(path, force=force)
        watch = partial(watched, what="filming")
        frames = films.write_film(path, seconds, size, fps, seed, watch, codec=codec, quality=quality)
    say(f"{frames} frames in {path}")


@flora_app.command()
def sheet(
    path: Annotated[Path, typer.Argument(help="The .png to write.")],
    seed: Seed = 0,
    columns: Annotated[int, typer.Option(min=1, max=64, help="Pictures in a row.")] = 8,
    rows: Annotated[int, typer.Option(min=1, max=64, help="Rows.")] = 8,
    size: SideLength = 256,
    force: Force = False,
) -> None:
    """Draw a contact sheet."""
    from perform.flora.sheets import flower_sheet as drawn
    from perform.sampling.pictures import encode_png

    with complaints():
        check_suffix(path, ".png")
        check_new(path, force=force)
        write_whole(path, encode_png(drawn(seed, columns, rows, size)))
    say(f"{columns * rows} pictures in {path}")


@flora_app.command()
def directions(
    path: Annotated[Path, typer.Argument(help="The .safetensors to write.")],
    force: Force = False,
) -> None:
    """Write the latent's dimensions as named directions.

    `perform directions MODEL --import FILE` makes them controls of a model that was trained with
    `perform train --teacher`.
    """
    from perform import flora
    from perform.flora.dimensions import TABLE
    from perform.generators.latents import write_directions
    from perform.latent.directions import Directions

    with complaints():
        check_suffix(path, ".safetensors")
        check_new(path, force=force)
        names = tuple(one.name for one in TABLE)
        write_directions(path, Directions(names, np.eye(flora.DIMENSIONS, dtype=np.float32), space="z"))
    say(f"{len(names)} directions in {path}")
