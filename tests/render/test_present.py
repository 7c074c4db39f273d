"""The last pass, with exact pixels."""

from __future__ import annotations

from typing import Any

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from perform.render.present import Present
from perform.scenes.look import Look


def texture(context: moderngl.Context, grey: Any, floating: bool = False) -> moderngl.Texture:
    """Grey values [height, width], top row first: 0..255, or 0..1 as 16-bit floats."""
    values = np.asarray(grey, np.float16 if floating else np.uint8)
    data = np.repeat(values[::-1, :, None], 4, axis=2)
    shape = values.shape[1], values.shape[0]
    return context.texture(shape, 4, np.ascontiguousarray(data), dtype="f2" if floating else "f1")


def pixels(texture: moderngl.Texture) -> NDArray[np.uint8]:
    width, height = texture.size
    return np.frombuffer(texture.read(), np.uint8).reshape(height, width, 4)[::-1, :, 0]


ROWS = np.arange(32).reshape(4, 8) * 8


def test_an_unchanged_image_is_passed_on(context: moderngl.Context) -> None:
    image = texture(context, ROWS)
    assert Present(context, (8, 4)).render(image, Look()) is image


def test_whole_values_pass_the_dither_unchanged(context: moderngl.Context) -> None:
    image, shown = texture(context, ROWS), texture(context, ROWS * 0)
    window = context.framebuffer([shown])
    present = Present(context, (8, 4))
    for frame in range(70):
        present.draw(image, window, (0, 0, 8, 4), Look(frame=frame))
        assert (pixels(shown) == ROWS).all()


def test_values_between_are_dithered_to_their_mean(context: moderngl.Context) -> None:
    image = texture(context, np.full((64, 64), 100.25 / 255), floating=True)
    first = pixels(Present(context, (64, 64)).render(image, Look(frame=0)))
    second = pixels(Present(context, (64, 64)).render(image, Look(frame=1)))
    assert set(np.unique(first)) == {100, 101} and first.mean() == pytest.approx(100.25, abs=0.05)
    assert (first != second).any()
    assert (pixels(Present(context, (64, 64)).render(image, Look(frame=0))) == first).all()


def test_master_and_blackout(context: moderngl.Context) -> None:
    image = texture(context, ROWS)
    present = Present(context, (8, 4))
    assert (pixels(present.render(image, Look(master=0.5))) == ROWS // 2).all()
    assert (pixels(present.render(image, Look(master=0.0))) == 0).all()
    assert (pixels(present.render(image, Look(master=0.5))) == ROWS // 2).all()
    assert (pixels(present.render(image, Look(blackout=True))) == 0).all()


def test_gamma_lifts_mid_tones_and_keeps_black_and_white(context: moderngl.Context) -> None:
    image = texture(context, [[0, 64, 255]])
    made = pixels(Present(context, (3, 1)).render(image, Look(gamma=2.0)))
    assert made[0, 0] == 0 and made[0, 2] == 255
    assert abs(int(made[0, 1]) - round(255 * (64 / 255) ** 0.5)) <= 1


def test_another_aspect_ratio_is_cropped_and_has_no_bars(context: moderngl.Context) -> None:
    image = texture(context, np.repeat([[10, 10, 200, 200, 200, 200, 10, 10]], 4, axis=0))
    assert (pixels(Present(context, (4, 4)).render(image, Look())) == 200).all()
    tall = texture(context, np.repeat([[10, 10, 200, 200, 200, 200, 10, 10]], 4, axis=0).T)
    assert (pixels(Present(context, (4, 4)).render(tall, Look())) == 200).all()


def test_a_window_is_drawn_in_its_viewport(context: moderngl.Context) -> None:
    window = context.framebuffer([context.texture((12, 8), 4)])
    window.clear()
    present = Present(context, (8, 4))
    present.draw(texture(context, ROWS + 3), window, (2, 1, 8, 4), Look())
    shown = np.frombuffer(window.read(components=1), np.uint8).reshape(8, 12)[::-1]
    assert (shown[3:7, 2:10] == ROWS + 3).all() and shown.astype(int).sum() == (ROWS + 3).sum()
    present.draw(texture(context, ROWS), window, (2, 1, 8, 4), Look(blackout=True))
    assert not np.frombuffer(window.read(components=1), np.uint8).any()
    assert context.error == "GL_NO_ERROR"


def test_release_is_safe_twice(context: moderngl.Context) -> None:
    present = Present(context, (8, 4))
    present.release()
    present.release()
