"""Contact sheets of flowers, and latents beside pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perform.flora import describe, latents, render_flower
from perform.flora.dimensions import TABLE
from perform.paths import whole_file, write_whole


def flower_sheet(seed: int, columns: int, rows: int, size: int) -> NDArray[np.uint8]:
    """Pictures side by side [rows * size, columns * size, 3]."""
    drawn = [render_flower(z, size) for z in latents(seed, columns * rows)]
    return np.vstack([np.hstack(drawn[row * columns : (row + 1) * columns]) for row in range(rows)])


def save_latents(folder: Path, zs: NDArray[np.float32]) -> None:
    """Latents [n, DIMENSIONS] as latents.npy, and what they stand for as latents.csv, a row for each."""
    with whole_file(folder / "latents.npy") as part, part.open("wb") as stream:
        np.save(stream, zs)
    lines = [",".join(one.name for one in TABLE)]
    lines += [",".join(f"{value:.6g}" for value in describe(z).values()) for z in zs]
    write_whole(folder / "latents.csv", ("\n".join(lines) + "\n").encode())
