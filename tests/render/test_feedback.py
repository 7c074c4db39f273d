"""Feedback: what a buffer keeps of an image, for whom, and for how long."""

import moderngl
import pytest

from perform.render import Image
from perform.render.feedback import Feedback, FeedbackBuffer


@pytest.fixture
def black(context: moderngl.Context) -> Image:
    return context.texture((1, 1), 4, b"\0\0\0\xff")


def flat(context: moderngl.Context, value: int, size: tuple[int, int] = (4, 3)) -> Image:
    return context.texture(size, 4, bytes([value]) * (4 * size[0] * size[1]))


def test_the_last_image_is_kept_while_a_source_shows_it(context: moderngl.Context, black: Image) -> None:
    buffer, image = FeedbackBuffer(context, black), flat(context, 70)
    buffer.keep(image)
    assert buffer.image is black  # nobody shows it
    one, two = Feedback(buffer), Feedback(buffer)
    buffer.keep(image)
    assert buffer.image is not image and buffer.image.read() == image.read()
    one.release()
    one.release()
    buffer.keep(flat(context, 80))
    assert {*buffer.image.read()} == {80}
    two.release()
    assert buffer.image is black
    buffer.keep(image)
    assert buffer.image is black


def test_it_follows_the_size_of_the_image(context: moderngl.Context, black: Image) -> None:
    buffer = FeedbackBuffer(context, black)
    source = Feedback(buffer)
    for size in ((4, 3), (2, 2)):
        buffer.keep(flat(context, 9, size))
        assert (buffer.image.size, {*buffer.image.read()}) == (size, {9})
    source.release()


def test_its_own_image_stays(context: moderngl.Context, black: Image) -> None:
    buffer = FeedbackBuffer(context, black)
    source = Feedback(buffer)
    buffer.keep(black)
    buffer.keep(flat(context, 33))
    buffer.keep(buffer.image)
    assert {*buffer.image.read()} == {33}
    source.release()
