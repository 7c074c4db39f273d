"""Pictures on their way to the display: upload, blend and fit, with exact pixels where they are exact."""

from __future__ import annotations

import moderngl
import numpy as np
import pytest

from perform.arrays import Pixels
from perform.clock import Moment
from perform.render.pictures import FITS, PARAMETERS, Pictures, spans

MOMENT = Moment(0.0, 0, 0.0, 0.0, 0.0, 120.0)


def drawn(pictures: Pictures, fit: str = "fill", blend: float = 1.0, sharpness: float = 1.0) -> Pixels:
    """The image [height, width, 3], top row first."""
    texture = pictures.render(MOMENT, {"fit": fit, "sharpness": sharpness}, blend)
    width, height = texture.size
    return np.frombuffer(texture.read(), np.uint8).reshape(height, width, 4)[::-1, :, :3]


def flat(value: int, size: int = 8, channels: int = 3) -> Pixels:
    return np.full((size, size, channels), value, np.uint8)


def test_the_defaults_are_valid() -> None:
    assert [p.check(p.default) for p in PARAMETERS] == ["mirror", 1.0]


def test_it_is_black_without_a_picture(context: moderngl.Context) -> None:
    assert (drawn(Pictures(context, (16, 9))) == 0).all()


@pytest.mark.parametrize("fit", FITS)
def test_another_size_shows_the_same_picture(context: moderngl.Context, fit: str) -> None:
    ramp = np.repeat(np.linspace(40, 200, 32).astype(np.uint8)[None, :, None], 32, 0).repeat(3, 2)
    pictures, fresh = (Pictures(context, size) for size in ((90, 50), (45, 25)))
    for one in (pictures, fresh):
        one.upload(ramp)
    drawn(pictures, fit)
    pictures.resize((45, 25))
    assert (drawn(pictures, fit) == drawn(fresh, fit)).all()
    pictures.resize((90, 50))
    assert drawn(pictures, fit).shape == (50, 90, 3)
    pictures.release()


@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("value", [0, 1, 77, 254, 255])
def test_flat_pictures_stay_exact(context: moderngl.Context, fit: str, value: int) -> None:
    pictures = Pictures(context, (90, 50))
    pictures.upload(flat(value, 20))
    image = drawn(pictures, fit)
    shown = image[:, 20:70] if fit == "fit" else image
    assert (shown == value).all()
    assert fit != "fit" or ((image[:, :20] == 0).all() and (image[:, 70:] == 0).all())
    pictures.release()


def test_any_number_of_channels_is_shown(context: moderngl.Context) -> None:
    pictures = Pictures(context, (4, 4))
    color = np.array([10, 20, 30, 40], np.uint8)
    for channels, expected in ((4, (10, 20, 30)), (3, (10, 20, 30)), (1, (10, 10, 10))):
        pictures.upload(np.broadcast_to(color[:channels], (8, 8, channels)))  # without its own buffer
        assert (drawn(pictures) == expected).all()
    pictures.upload(np.full((3, 5), 99, np.uint8))
    assert (drawn(pictures) == 99).all()


def test_the_top_row_is_the_top_row_and_left_is_left(context: moderngl.Context) -> None:
    picture = flat(0)
    picture[0], picture[:, 0, 1] = 255, 200
    pictures = Pictures(context, (8, 8))
    pictures.upload(picture)
    image = drawn(pictures)
    assert image[0, 4, 0] > 100 and (image[2:, :, 0] == 0).all()
    assert image[4, 0, 1] > 80 and (image[2:, 2:, 1] == 0).all()


def test_two_pictures_are_blended(context: moderngl.Context) -> None:
    pictures = Pictures(context, (8, 8))
    pictures.upload(flat(100))
    assert (drawn(pictures, blend=0.0) == 100).all()  # the first picture has none before it
    pictures.upload(flat(200))
    assert [int(drawn(pictures, blend=blend)[0, 0, 0]) for blend in (0.0, 0.5, 1.0, 7.0)] == [
        100,
        150,
        200,
        200,
    ]
    pictures.upload(flat(40))
    assert [int(drawn(pictures, blend=blend)[0, 0, 0]) for blend in (0.0, 1.0)] == [200, 40]


def test_a_picture_of_another_size_starts_again(context: moderngl.Context) -> None:
    pictures = Pictures(context, (8, 8))
    pictures.upload(flat(100))
    pictures.upload(flat(200, 16))
    assert (drawn(pictures, blend=0.0) == 200).all()


def ramp(size: int = 32) -> Pixels:
    return np.broadcast_to(np.arange(size, dtype=np.uint8)[None, :, None] * 4, (size, size, 3))


def test_mirror_extends_by_mirrored_edges(context: moderngl.Context) -> None:
    pictures = Pictures(context, (128, 64))
    pictures.upload(ramp())
    image = drawn(pictures, "mirror")[0, :, 0].astype(int)
    inside, left, right = image[32:96], image[:32], image[96:]
    assert abs(left - inside[:32][::-1]).max() <= 1 and abs(right - inside[32:][::-1]).max() <= 1
    assert inside[0] < 4 and inside[-1] > 120


def test_tile_repeats(context: moderngl.Context) -> None:
    pictures = Pictures(context, (128, 64))
    pictures.upload(ramp())
    image = drawn(pictures, "tile")[0, :, 0].astype(int)
    assert abs(image[:64] - image[64:]).max() <= 1


def test_fill_crops(context: moderngl.Context) -> None:
    pictures = Pictures(context, (64, 128))
    pictures.upload(ramp())
    image = drawn(pictures, "fill")[0, :, 0]
    assert abs(image[0] - 30.5) <= 1 and abs(image[-1] - 93.5) <= 1  # texels 7.625 and 23.375


def test_a_ramp_is_drawn_in_its_position(context: moderngl.Context) -> None:
    """Pixel x of 256 shows the ramp at (x + 0.5) / 8 - 0.5 texels, between the edges."""
    pictures = Pictures(context, (256, 256))
    pictures.upload(ramp())
    image = drawn(pictures)[128, :, 0]
    expected = 4 * ((np.arange(256) + 0.5) / 8 - 0.5)
    assert np.abs(image - expected)[24:-24].max() <= 1


def test_sharpness_raises_detail(context: moderngl.Context) -> None:
    picture = flat(104, 32)
    picture[:, ::2] = 152
    pictures = Pictures(context, (256, 256))
    pictures.upload(picture)
    contrasts = [float(np.ptp(drawn(pictures, sharpness=s)[100, 64:192, 0].astype(int))) for s in (0, 1, 2)]
    # a B-spline leaves a third of the finest stripes; each whole of sharpness adds them once before
    assert contrasts == pytest.approx([16, 32, 48], abs=2)


def test_shrinking_does_not_flicker(context: moderngl.Context) -> None:
    """Fine stripes shown far smaller become their mean."""
    picture = flat(0, 256)
    picture[:, ::2] = 200
    pictures = Pictures(context, (32, 32))
    pictures.upload(picture)
    assert np.abs(drawn(pictures).astype(int) - 100).max() <= 1


def test_bars_stay_black_after_a_change_of_fit(context: moderngl.Context) -> None:
    pictures = Pictures(context, (60, 20))
    pictures.upload(flat(255))
    assert (drawn(pictures, "fill") == 255).all()
    assert (drawn(pictures, "fit")[:, :20] == 0).all() and (drawn(pictures, "fit")[:, 20:40] == 255).all()


def test_an_unchanged_picture_is_not_drawn_again(context: moderngl.Context) -> None:
    pictures = Pictures(context, (8, 8))
    pictures.upload(flat(50))
    texture = pictures.render(MOMENT, {"fit": "fill", "sharpness": 1.0})
    texture.write(bytes(8 * 8 * 4))
    assert (drawn(pictures) == 0).all()
    pictures.upload(flat(50))
    assert (drawn(pictures) == 50).all()


@pytest.mark.parametrize("output", [(1, 1), (1920, 540), (360, 640), (7, 500)])
@pytest.mark.parametrize("picture", [(1, 1), (256, 256), (3, 200)])
def test_spans_stay_inside_their_layout(picture: tuple[int, int], output: tuple[int, int]) -> None:
    for fit in FITS:
        _, *axes = spans(picture, output, fit)
        for span, side in zip(axes, output, strict=True):
            pixels = span.start + np.array([0, span.length - 1]) + 0.5
            first, last = np.floor(pixels * span.step + span.shift)
            assert span.start >= 0 and span.start + span.length <= side
            assert first - 1 >= 0 and last + 2 <= span.texels - 1


@pytest.mark.parametrize("size", [(1, 1), (640, 360), (37, 91)])
@pytest.mark.parametrize("fit", FITS)
def test_every_aspect_ratio_draws_without_an_error(
    context: moderngl.Context, fit: str, size: tuple[int, int]
) -> None:
    for picture in (flat(120, 1), flat(120, 64), np.full((5, 130, 3), 120, np.uint8)):
        pictures = Pictures(context, size)
        pictures.upload(picture)
        assert drawn(pictures, fit).max() == 120 and context.error == "GL_NO_ERROR"
        pictures.release()
