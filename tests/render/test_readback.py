"""Textures back to pixels: order of rows and of frames."""

from __future__ import annotations

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from perform.render.readback import Readback


def frame(number: int, width: int = 5, height: int = 3) -> NDArray[np.uint8]:
    """A frame [height, width, 4] of its own, top row first."""
    return np.random.default_rng(number).integers(0, 256, (height, width, 4), dtype=np.uint8)


def texture(context: moderngl.Context, pixels: NDArray[np.uint8]) -> moderngl.Texture:
    return context.texture((pixels.shape[1], pixels.shape[0]), 4, np.ascontiguousarray(pixels[::-1]))


def test_pixels_are_read_back(context: moderngl.Context) -> None:
    readback = Readback(context, (5, 3))
    for number in range(9):
        pixels = readback.read(texture(context, frame(number)))
        assert pixels.flags.c_contiguous and (pixels == frame(number)[:, :, :3]).all()


def test_floats_are_read_as_bytes(context: moderngl.Context) -> None:
    floats = np.full((3, 5, 4), 0.4, np.float16)
    image = context.texture((5, 3), 4, floats, dtype="f2")
    assert (Readback(context, (5, 3)).read(image) == 102).all()


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_frames_are_read_back_in_order_and_delayed(context: moderngl.Context, depth: int) -> None:
    readback = Readback(context, (5, 3), depth)
    image = texture(context, frame(0))
    given = []
    for number in range(6):
        image.write(np.ascontiguousarray(frame(number)[::-1]))
        given.append(readback.push(image))
    assert given[:depth] == [None] * depth
    got = [*given[depth:], *readback.drain()]
    assert len(got) == 6 and not readback.drain()
    for number, pixels in enumerate(got):
        assert pixels is not None and (pixels == frame(number)[:, :, :3]).all()


def test_frames_belong_to_the_caller(context: moderngl.Context) -> None:
    readback = Readback(context, (5, 3))
    image = texture(context, frame(0))
    first = readback.read(image)
    image.write(np.ascontiguousarray(frame(1)[::-1]))
    readback.read(image)
    assert (first == frame(0)[:, :, :3]).all()


def test_another_size_is_rejected(context: moderngl.Context) -> None:
    with pytest.raises(ValueError, match=r"a frame of \(5, 3\), must be of \(4, 3\)"):
        Readback(context, (4, 3)).read(texture(context, frame(0)))
    with pytest.raises(ValueError, match="depth = 0, must be 1 or more"):
        Readback(context, (4, 3), 0)


def test_release_is_safe_twice(context: moderngl.Context) -> None:
    readback = Readback(context, (5, 3), 2)
    readback.push(texture(context, frame(0)))
    readback.release()
    readback.release()
    assert context.error == "GL_NO_ERROR"
