"""Images of a moment ago."""

from __future__ import annotations

from collections.abc import Iterator

import moderngl
import numpy as np
import pytest

from perform.render.delay import MOST_IMAGES, DelayLine

SIZE = (4, 2)


def grey(context: moderngl.Context, value: int, size: tuple[int, int] = SIZE) -> moderngl.Texture:
    return context.texture(size, 4, bytes([value, value, value, 255]) * (size[0] * size[1]))


def value(texture: moderngl.Texture) -> int:
    pixels = np.frombuffer(texture.read(), np.uint8).reshape(-1, 4)[:, :3]
    assert len(np.unique(pixels)) == 1
    return int(pixels[0, 0])


@pytest.fixture
def line(context: moderngl.Context) -> Iterator[DelayLine]:
    line = DelayLine(context, 0.1)
    yield line
    line.release()


@pytest.fixture
def sizes(context: moderngl.Context, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """The sizes of the targets that were made."""
    made: list[tuple[int, int]] = []
    original = context.framebuffer

    def count(textures: list[moderngl.Texture]) -> moderngl.Framebuffer:
        made.append(textures[0].size)
        return original(textures)

    monkeypatch.setattr(context, "framebuffer", count)
    return made


def test_it_gives_the_image_of_so_long_ago(
    context: moderngl.Context, line: DelayLine, sizes: list[tuple[int, int]]
) -> None:
    image = grey(context, 0)  # the same texture is drawn again on each frame, as a scene does
    for frame in range(200):
        image.write(bytes([frame % 256] * 4) * 8)
        line.push(image, 5 + frame / 60)
        assert line.ago(0.0) is image
        assert value(line.ago(0.1)) == max(frame - 6, 0)
        assert value(line.ago(0.05)) == max(frame - 3, 0)
    assert len(sizes) == 7  # the newest, and six before it


def test_without_a_delay_nothing_is_copied(
    context: moderngl.Context, line: DelayLine, sizes: list[tuple[int, int]]
) -> None:
    image = grey(context, 7)
    for frame in range(10):
        line.push(image, frame / 60)
    line.longest = 0.0
    made = len(sizes)
    for frame in range(10, 20):
        line.push(image, frame / 60)
        assert line.ago(0.1) is image
    assert len(sizes) == made


def test_a_slow_show_gives_what_is_nearest(context: moderngl.Context, line: DelayLine) -> None:
    for frame in range(8):
        line.push(grey(context, 10 * frame), frame * 0.07)
    assert value(line.ago(0.1)) == 60 and value(line.ago(0.106)) == 50


def test_another_size_and_a_time_that_went_back(context: moderngl.Context, line: DelayLine) -> None:
    for frame in range(20):
        line.push(grey(context, 9), frame / 60)
    for frame in range(20, 40):
        line.push(grey(context, 8, (6, 6)), frame / 60)
    assert line.ago(0.1).size == (6, 6) and value(line.ago(0.1)) == 8
    line.push(grey(context, 3), 0.0)
    assert value(line.ago(0.1)) == 3


def test_it_never_holds_more_than_its_most(
    context: moderngl.Context, line: DelayLine, sizes: list[tuple[int, int]]
) -> None:
    image = grey(context, 1)
    line.longest = 0.5
    for frame in range(3 * MOST_IMAGES):
        line.push(image, frame / 500)
    assert len(sizes) == MOST_IMAGES


def test_before_the_first_image_there_is_none_and_release_is_safe_twice(
    context: moderngl.Context, line: DelayLine
) -> None:
    with pytest.raises(LookupError):
        line.ago(0.1)
    line.push(grey(context, 1), 0.0)
    line.release()
    line.release()
    line.push(grey(context, 5), 1.0)
    assert value(line.ago(0.1)) == 5 and context.error == "GL_NO_ERROR"
