"""Image files as textures, for the pictures that a shader imports."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perform.render.isf import ISFError

if TYPE_CHECKING:
    import moderngl


def read(path: Path) -> NDArray[np.uint8]:
    """The picture in a file [height, width, 4], sRGB with alpha, top row first. Raises ISFError."""
    import av

    try:
        with av.open(str(path)) as file:
            return next(file.decode(video=0)).to_ndarray(format="rgba").astype(np.uint8, copy=False)
    except (OSError, ValueError, IndexError, StopIteration) as error:
        raise ISFError(f"{path}: cannot be read as an image: {error}") from None


def still(context: moderngl.Context, path: Path) -> moderngl.Texture:
    """The picture in a file as a texture, the right way up."""
    pixels = np.ascontiguousarray(read(path)[::-1])  # a texture's first row is its lowest
    texture = context.texture((pixels.shape[1], pixels.shape[0]), 4, pixels)
    texture.repeat_x = texture.repeat_y = False
    return texture
