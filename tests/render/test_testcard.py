"""Test cards, to the pixel."""

from __future__ import annotations

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from perform.render.card_drawing import BACKGROUND, FINE, WHITE, CardDrawing, cell, row_name
from perform.render.testcard import (
    BARS,
    NEAR_BLACK,
    NEAR_WHITE,
    OVERLAP,
    Card,
    Shown,
    canvas_card,
    display_card,
)

WHOLE = (0.0, 0.0, 1.0, 1.0)
SIZES = ((1280, 720), (1920, 1080), (1024, 768), (1080, 1920), (1366, 768), (1280, 1024), (800, 800))
Picture = NDArray[np.uint8]


def shown(size: tuple[int, int], name: str = "left", number: int = 1) -> Shown:
    return Shown(number, name, size, WHOLE)


def colours(picture: Picture) -> set[tuple[int, ...]]:
    packed = picture.astype(np.int32) @ (65536, 256, 1)
    return {(int(one) >> 16, int(one) >> 8 & 255, int(one) & 255) for one in np.unique(packed)}


@pytest.mark.parametrize("size", SIZES)
def test_the_outermost_pixels_are_white_and_the_next_black(size: tuple[int, int]) -> None:
    picture = display_card(shown(size)).pixels
    assert picture.shape == (size[1], size[0], 3)
    for inset in range(3):
        sides = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
        assert (sides == (255 if inset == 0 else 0)).all()
        picture = picture[1:-1, 1:-1]


def test_cells_are_squares_that_divide_the_display() -> None:
    sides = [cell(size) for size in SIZES]
    assert sides == [80, 120, 64, 120, 85, 128, 100]
    assert CardDrawing((1366, 768)).lines(1) == list(range(1, 768, 85))
    assert CardDrawing((1920, 1080)).lines(0) == list(range(0, 1921, 120))


def test_rows_have_letters() -> None:
    assert [row_name(number) for number in (1, 26, 27, 52, 53, 703)] == ["A", "Z", "AA", "AZ", "BA", "AAA"]


@pytest.mark.parametrize("side", [64, 65])
def test_a_ring_is_round_and_in_the_middle(side: int) -> None:
    drawing = CardDrawing((side, side))
    drawing.ring(drawing.middle, 20, 2, WHITE)
    picture = drawing.pixels()[..., 0].astype(int)
    lit = picture > 140
    assert (lit.any(0) == lit.any(1)).all() and lit.any(0).sum() in (42, 43)
    assert (picture == picture[::-1]).all() and (picture == picture.T).all()
    light = (picture - BACKGROUND[0]).sum() / (255 - BACKGROUND[0])
    assert light == pytest.approx(np.pi * (21**2 - 19**2), rel=0.01)


def test_the_axes_and_a_grid_of_an_even_size_are_symmetric() -> None:
    drawing = CardDrawing((640, 360))
    drawing.grid()
    picture = drawing.pixels()[2:-2, 2:-2]
    assert (picture == picture[::-1]).all() and (picture == picture[:, ::-1]).all()
    assert tuple(picture[98, 78]) == tuple(picture[98, 77]) == FINE


@pytest.mark.parametrize("size", SIZES)
def test_colours_and_greys_have_their_exact_values(size: tuple[int, int]) -> None:
    found = colours(display_card(shown(size)).pixels)
    assert {*BARS} <= found
    greys = [round(25.5 * step) for step in range(11)]
    assert {(value, value, value) for value in (*greys, *NEAR_BLACK, *NEAR_WHITE)} <= found


@pytest.mark.parametrize("size", SIZES)
def test_a_long_name_stays_in_the_circle(size: tuple[int, int]) -> None:
    short, long = (
        display_card(shown(size, name)) for name in ("a", "the wall behind the bar, upper left " * 3)
    )
    x, y = np.arange(size[0]) + 0.5, np.arange(size[1]) + 0.5
    outside = np.hypot(x[None] - short.middle[0], y[:, None] - short.middle[1]) > short.radius - 2
    changed = (short.pixels != long.pixels).any(2)
    assert changed.any() and not (changed & outside).any()


def test_each_number_has_its_own_colour_until_they_begin_again() -> None:
    assert len({shown((64, 48), number=number).colour for number in range(1, 9)}) == 8
    assert shown((64, 48), number=9).colour == shown((64, 48), number=1).colour


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (16, 400), (640, 8), (64, 48)])
def test_any_size_has_a_card(size: tuple[int, int]) -> None:
    assert display_card(shown(size, number=12)).pixels.shape == (size[1], size[0], 3)
    assert canvas_card(size, [shown(size)]).pixels.shape == (size[1], size[0], 3)


def test_the_card_of_a_canvas_shows_where_displays_overlap() -> None:
    parts = ((0.0, 0.0, 0.6, 1.0), (0.4, 0.0, 0.6, 1.0))
    displays = [Shown(number, "", (600, 360), part) for number, part in enumerate(parts, 1)]
    picture = canvas_card((1000, 360), displays).pixels
    brighter = (picture == OVERLAP).all(2).sum(0)
    assert (brighter[407:593] > 200).mean() > 0.8 and not brighter[:400].any() and not brighter[600:].any()
    apart = canvas_card((1000, 360), [Shown(1, "", (500, 360), (0.0, 0.0, 0.4, 1.0)), displays[1]])
    assert OVERLAP not in colours(apart.pixels)


def test_its_hand_turns_in_a_second_and_its_line_crosses_in_two(context: moderngl.Context) -> None:
    drawn = canvas_card((360, 240))
    card = Card(context, drawn)

    def ink(seconds: float) -> tuple[Picture, Picture]:
        rows = np.frombuffer(card.render(seconds).read(), np.uint8).reshape(240, 360, 4)[::-1, :, :3]
        changed = (rows != drawn.pixels).any(2)
        columns = changed.sum(0)
        return changed, np.flatnonzero(columns > 200)

    changed, line = ink(0.5)
    assert set(line) == {89, 90}
    lower = np.argwhere(changed[:, 100:])
    assert lower[:, 0].min() > 120 + 0.85 * drawn.radius and set(lower[:, 1]) <= {*range(77, 83)}
    changed, line = ink(1.25)
    assert set(line) == {224, 225}
    right = np.argwhere(changed[:, 230:])
    assert set(right[:, 0]) <= {*range(117, 123)} and right[:, 1].max() + 230 <= 180 + drawn.radius
    assert (ink(86400.5)[0] == ink(0.5)[0]).all()
    card.release()
    assert context.error == "GL_NO_ERROR"
