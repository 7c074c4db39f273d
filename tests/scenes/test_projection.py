"""The values of a display's projection, and the matrix of its corner pin."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.scenes.projection import (
    SQUARE,
    ColourCorrection,
    Corners,
    EdgeBlend,
    Mask,
    Projection,
    homography,
    white_gains,
)

PINNED: Corners = ((0.1, 0.2), (0.9, 0.1), (1.1, 0.95), (0.2, 0.8))
TRIANGLE = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))
COORDINATES = st.floats(-2, 3, allow_nan=False)
POINTS = st.tuples(COORDINATES, COORDINATES)


def mapped(corners: Corners, point: tuple[float, float]) -> tuple[float, float]:
    matrix = homography(corners)
    assert matrix is not None
    x, y, w = matrix @ (*point, 1.0)
    return x / w, y / w


def test_a_homography_maps_the_square_to_the_corners() -> None:
    for point, corner in zip(SQUARE, PINNED, strict=True):
        assert mapped(PINNED, point) == pytest.approx(corner)
    matrix = homography(SQUARE)
    assert matrix is not None and np.array_equal(matrix, np.eye(3))


def test_a_homography_keeps_the_diagonals_straight() -> None:
    """The middle of the square is where the diagonals cross; that of a trapezium is not half way up."""
    x, y = mapped(((0.0, 0.0), (1.0, 0.0), (0.75, 1.0), (0.25, 1.0)), (0.5, 0.5))
    assert (x, y) == pytest.approx((0.5, 2 / 3))


@pytest.mark.parametrize(
    "corners",
    [
        ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)),  # a bow-tie
        ((0.0, 0.0), (1.0, 0.0), (0.2, 0.2), (0.0, 1.0)),  # a dent
        ((0.0, 0.0), (1.0, 0.0), (2.0, 0.0), (3.0, 0.0)),  # no area
        ((0.5, 0.5),) * 4,
        ((math.nan, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
        ((math.inf, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
    ],
)
def test_corners_without_a_picture_are_a_fault(corners: Corners) -> None:
    assert homography(corners) is None
    assert [fault.split(":")[0] for fault in Projection(corners=corners).faults()] == ["corners"]


@given(st.tuples(POINTS, POINTS, POINTS, POINTS))
def test_any_corners_have_a_matrix_or_a_fault(corners: Corners) -> None:
    matrix = homography(corners)
    if matrix is None:
        assert Projection(corners=corners).faults()
        return
    for point, corner in zip(SQUARE, corners, strict=True):
        assert mapped(corners, point) == pytest.approx(corner, abs=1e-4)


def test_other_geometry_that_cannot_be_drawn_is_a_fault() -> None:
    wrong = Projection(part=(0, 0, 0, 1), mesh=(((0, 0), (1, 0)), ((0, 1),)), masks=(Mask(TRIANGLE[:2]),))
    assert [fault.split(":")[0] for fault in wrong.faults()] == ["part", "mesh", "masks[0]"]
    nowhere = Projection(part=(0, math.nan, 1, 1), mesh=(((0, 0), (1, 0)), ((0, 1), (1, math.inf))))
    assert [fault.split(":")[0] for fault in nowhere.faults()] == ["part", "mesh"]
    fine = Projection(corners=PINNED, mesh=(((0, 0), (1, 0)), ((0, 1), (1, 1))), masks=(Mask(TRIANGLE),))
    assert fine.faults() == []


def test_a_projection_is_plain_until_anything_is_set() -> None:
    plain = Projection()
    assert plain.is_plain and replace(plain, blend=EdgeBlend(gamma=1.8)).is_plain
    changes = (
        {"part": (0.0, 0.0, 0.5, 1.0)},
        {"rotation": 180},
        {"flip": True},
        {"corners": PINNED},
        {"mesh": (((0.0, 0.0), (1.0, 0.0)), ((0.0, 1.0), (1.0, 1.0)))},
        {"blend": EdgeBlend(right=0.1)},
        {"masks": (Mask(TRIANGLE),)},
        {"colour": ColourCorrection(white=(1.0, 0.9, 1.0))},
    )
    assert not any(replace(plain, **change).is_plain for change in changes)


def test_white_is_warm_below_the_neutral_temperature_and_cold_above() -> None:
    assert white_gains(6504) == (1.0, 1.0, 1.0)
    red, green, blue = white_gains(3200)
    assert red == 1.0 > green > blue > 0.4
    red, green, blue = white_gains(9300)
    assert blue == 1.0 > green > red > 0.75
    with pytest.raises(ValueError, match="1000 K, must be 1667 to 25000"):
        white_gains(1000)


@pytest.mark.parametrize("seam", [2222.0, 4000.0])
def test_the_parts_of_the_locus_meet(seam: float) -> None:
    assert white_gains(seam) == pytest.approx(white_gains(seam + 0.01), abs=2e-3)
