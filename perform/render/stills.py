"""Image files as textures, for the pictures that a shader imports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from perform import media
from perform.render.isf import ISFError
from perform.render.sizes import LARGEST

if TYPE_CHECKING:
    import moderngl

BLACK = b"\0\0\0\xff"
SEAMLESS = 0x884F  # GL_TEXTURE_CUBE_MAP_SEAMLESS: no lines along the edges of a cube


def read(path: Path) -> NDArray[np.uint8]:
    """The picture in a file [height, width, 4], upright, sRGB with alpha, top row first. Raises ISFError."""
    import av

    try:
        with av.open(media.address(path), options=dict(media.OPTIONS), metadata_errors="replace") as file:
            frame = next(file.decode(video=0))
            pixels = frame.to_ndarray(format="rgba").astype(np.uint8, copy=False)
            upright = media.orientation(frame).upright(pixels)
    except (IndexError, StopIteration):
        raise ISFError(f"{path}: cannot be read as an image: it holds no picture") from None
    except media.faults() as error:
        raise ISFError(f"{path}: cannot be read as an image: {media.why(error)}") from None
    height, width, _ = upright.shape
    if max(height, width) > LARGEST:
        raise ISFError(f"{path}: {width}x{height} pixels, must be at most {LARGEST} on each side")
    return upright


def imported(context: moderngl.Context, paths: Sequence[Path]) -> moderngl.Texture | moderngl.TextureCube:
    """The picture in a file as a texture, or the pictures in six files as a cube; black if a file is not
    there. Raises ISFError for one that is no picture."""
    there = all(path.is_file() for path in paths)
    if len(paths) == 1:
        return still(context, paths[0]) if there else context.texture((1, 1), 4, BLACK)
    return cube(context, paths) if there else context.texture_cube((1, 1), 4, BLACK * len(paths))


def still(context: moderngl.Context, path: Path) -> moderngl.Texture:
    """The picture in a file as a texture, the right way up."""
    pixels = np.ascontiguousarray(read(path)[::-1])  # a texture's first row is its lowest
    texture = context.texture((pixels.shape[1], pixels.shape[0]), 4, pixels)
    texture.repeat_x = texture.repeat_y = False
    return texture


def cube(context: moderngl.Context, paths: Sequence[Path]) -> moderngl.TextureCube:
    """The faces +x, -x, +y, -y, +z, -z as a cube; the first row of a face is its top, as OpenGL has it for
    cubes. Raises ISFError if they are not squares of one size."""
    faces = [read(path) for path in paths]
    side = faces[0].shape[0]
    for path, face in zip(paths, faces, strict=True):
        if face.shape[:2] != (side, side):
            raise ISFError(
                f"{path}: {face.shape[1]}x{face.shape[0]} pixels, must be {side}x{side}: the faces of a cube"
                " are squares of one size"
            )
    context.enable_direct(SEAMLESS)
    return context.texture_cube((side, side), 4, np.concatenate(faces).tobytes())
