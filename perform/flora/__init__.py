"""Flora: a procedural renderer of flowers, in homage to Anna Ridler's tulips.

A picture is a smooth function of a standard normal vector: every number of it has a meaning (`dimensions`),
and nothing is drawn by chance besides.
"""

from __future__ import annotations

import os
import threading
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perform.flora.dimensions import DIMENSIONS, TABLE, describe, latents

if TYPE_CHECKING:
    from perform.flora.drawing import FlowerDrawing

__all__ = ["DIMENSIONS", "TABLE", "describe", "latents", "render_flower"]

SMALLEST_FLOWER, LARGEST_FLOWER = 32, 2048  # pixels


def render_flower(z: NDArray[np.float32], size: int = 256) -> NDArray[np.uint8]:
    """The picture [size, size, 3] (sRGB) of a latent z [DIMENSIONS], standard normal.

    The same bytes for the same z on the same machine. Raises ValueError for a wrong shape, numbers that are
    not finite or a size out of 32..2048, and `perform.render.context.GLError` without OpenGL.
    """
    from perform.flora.anatomy import anatomy
    from perform.flora.plant import plant
    from perform.flora.scenery import greens, scenery

    if not SMALLEST_FLOWER <= size <= LARGEST_FLOWER:
        raise ValueError(f"size {size}, must be {SMALLEST_FLOWER}..{LARGEST_FLOWER}")
    numbers = describe(z)
    body = anatomy(plant(numbers), numbers, greens(numbers), size)
    return _drawing(os.getpid(), threading.get_ident()).draw(body, scenery(numbers, body.bloom, size), size)


@cache
def _drawing(_process: int, _thread: int) -> FlowerDrawing:
    """One for each thread: an OpenGL context belongs to the thread, and to no process forked from it."""
    from perform.flora.drawing import FlowerDrawing

    return FlowerDrawing()
