"""Flashes: made ones around every threshold of WCAG 2.3.1 and ITU-R BT.1702."""

from collections.abc import Callable

import numpy as np
import pytest

from perform.arrays import Floats
from perform.render.flashes import Flashing, FlashMeter, linear_light

SHAPE = (6, 8)
FPS = 60


def encoded(value: float) -> float:
    """A relative luminance of grey as sRGB."""
    return 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055


def grey(luminance: float) -> Floats:
    return np.full((*SHAPE, 3), encoded(luminance), np.float32)


def colour(red: float, green: float, blue: float) -> Floats:
    return np.full((*SHAPE, 3), [encoded(red), encoded(green), encoded(blue)], np.float32)


def played(
    first: Floats, second: Floats, rate: float, seconds: float = 2.0, fps: int = FPS
) -> list[Flashing]:
    """Two pictures in turn, `rate` times a second each."""
    meter = FlashMeter()
    return [
        meter.show(frame / fps, second if int(2 * rate * frame / fps) % 2 else first)
        for frame in range(int(seconds * fps))
    ]


def most(found: list[Flashing], kind: Callable[[Flashing], int] = lambda one: one.general) -> int:
    return max(map(kind, found))


def test_linear_values() -> None:
    assert linear_light(np.array([0.0, 0.04045, 0.5, 1.0])) == pytest.approx(
        [0, 0.0031308, 0.2140411, 1], abs=1e-6
    )
    assert linear_light(np.array([encoded(v) for v in (0.001, 0.2, 0.9)])) == pytest.approx([0.001, 0.2, 0.9])


@pytest.mark.parametrize("rate", [1, 2, 3, 4, 10])
@pytest.mark.parametrize("fps", [30, 60, 144])
def test_the_rate_of_black_and_white(rate: int, fps: int) -> None:
    found = played(grey(0.0), grey(1.0), rate, fps=fps)
    assert most(found) == rate
    assert any(one.too_many for one in found) == (rate > 3)


@pytest.mark.parametrize(
    ("low", "high", "flashing"),
    [
        (0.2, 0.29, False),  # less than a tenth of the whole range
        (0.2, 0.31, True),
        (0.79, 0.95, True),
        (0.81, 0.95, False),  # both are bright
        (0.0, 0.09, False),
        (0.0, 0.11, True),
    ],
)
def test_the_change_of_a_flash(low: float, high: float, flashing: bool) -> None:
    assert (most(played(grey(low), grey(high), 5)) > 3) == flashing


@pytest.mark.parametrize(("cells", "flashing"), [(11, False), (12, True)])
def test_the_area(cells: int, flashing: bool) -> None:
    bright = grey(0.0).reshape(-1, 3)
    bright[:cells] = 1.0
    assert (most(played(grey(0.0), bright.reshape(*SHAPE, 3), 5)) > 3) == flashing


def test_places_that_flash_in_turn_are_no_flash_of_the_whole() -> None:
    meter, black = FlashMeter(), grey(0.0)
    for frame in range(120):  # each of eight columns is lit once in eight frames of 1/15 s
        cells = black.copy()
        cells[:, frame // 4 % 8] = 1.0
        found = meter.show(frame / 60, cells)
    assert not found.too_many
    assert found.general in (1, 2)


@pytest.mark.parametrize(
    ("red", "flashing"),
    [
        ((0.3, 0.0, 0.0), True),
        ((0.3, 0.03, 0.03), True),  # 0.83 of it is red
        ((0.28, 0.045, 0.045), False),  # 0.76
        ((0.06, 0.0, 0.0), False),  # changes by less than 20 / 320
    ],
)
def test_saturated_red(red: tuple[float, float, float], flashing: bool) -> None:
    found = played(grey(0.0), colour(*red), 5)
    assert (most(found, lambda one: one.red) > 3) == flashing
    assert most(found) <= 3  # its luminance changes too little


def test_a_slow_fade_is_one_change_and_a_flicker_upon_it_counts() -> None:
    meter = FlashMeter()
    for frame in range(300):
        found = meter.show(frame / 60, grey(0.5 - 0.5 * np.cos(np.pi * frame / 150)))
    assert found.general <= 1
    meter = FlashMeter()
    worst = max(
        meter.show(frame / 60, grey(0.2 + 0.3 * frame / 120 + 0.08 * (frame // 6 % 2))).general
        for frame in range(120)
    )
    assert worst <= 3  # 0.08 are too little
    meter = FlashMeter()
    worst = max(
        meter.show(frame / 60, grey(0.2 + 0.3 * frame / 120 + 0.16 * (frame // 6 % 2))).general
        for frame in range(120)
    )
    assert worst > 3


def test_what_would_be_is_not_counted() -> None:
    meter = FlashMeter()
    meter.show(0.0, grey(0.0))
    for frame in range(1, 20):
        assert meter.would_be(frame / 60, grey(1.0)) == Flashing()  # one change is half a flash
    for frame in range(20, 32, 6):
        meter.show(frame / 60, grey(1.0))
        meter.show((frame + 3) / 60, grey(0.0))
    assert meter.would_be(0.6, grey(1.0)).general == 2
    assert meter.show(0.6, grey(0.0)).general == 2


def test_a_second_later_it_is_forgotten() -> None:
    meter = FlashMeter()
    for frame in range(60):
        meter.show(frame / 60, grey(float(frame // 3 % 2)))
    assert meter.show(1.0, grey(0.0)).too_many
    assert meter.show(2.1, grey(0.0)).general == 0.0
