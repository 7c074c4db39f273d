"""A display that pictures are drawn on through projections."""

from __future__ import annotations

from typing import Any

import moderngl
import numpy as np
from numpy.typing import NDArray

from perform.render.projection import Projector
from perform.scenes.look import Look
from perform.scenes.projection import Mesh, Projection

SIZE = (64, 48)
Picture = NDArray[np.uint8]


def texture(context: moderngl.Context, picture: Any) -> moderngl.Texture:
    """A picture [height, width, 3] or [height, width], top row first."""
    values = np.asarray(picture, np.uint8)
    if values.ndim == 2:
        values = np.repeat(values[..., None], 3, axis=2)
    data = np.ascontiguousarray(values[::-1])
    made = context.texture((values.shape[1], values.shape[0]), 3, data.tobytes(), alignment=1)
    made.repeat_x = made.repeat_y = False
    return made


def noise(size: tuple[int, int] = SIZE) -> Picture:
    return np.random.default_rng(3).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)


class Display:
    """Where pictures are drawn through projections, filled with red before each."""

    def __init__(self, context: moderngl.Context, size: tuple[int, int] = SIZE) -> None:
        self.size = size
        self.framebuffer = context.framebuffer([context.texture(size, 4)])
        self.projector = Projector(context, size)

    def show(self, image: moderngl.Texture, projection: Projection, look: Look | None = None) -> Picture:
        """Pixels [height, width, 3], top row first."""
        self.framebuffer.clear(1.0, 0.0, 0.0, 1.0)
        self.projector.projection = projection
        self.projector.draw(image, self.framebuffer, (0, 0, *self.size), look or Look())
        rows = np.frombuffer(self.framebuffer.read(components=3, alignment=1), np.uint8)
        return rows.reshape(self.size[1], self.size[0], 3)[::-1]


def places(size: tuple[int, int] = SIZE) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """x and y [height, width] of the middles of pixels, 0..1 from the lower left, top row first."""
    x, y = (np.arange(side) + 0.5 for side in size)
    across, up = np.meshgrid(x / size[0], y[::-1] / size[1])
    return across, up


def regular(rows: int, columns: int) -> Mesh:
    up, across = np.linspace(0, 1, rows), np.linspace(0, 1, columns)
    return tuple(tuple((float(x), float(y)) for x in across) for y in up)
