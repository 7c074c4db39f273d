"""Curves: exact points and their edge cases."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.latent.curves import circle, eased, held, linear, slerp, spline

X, Y, ZERO = (np.array(v, np.float32) for v in ([1, 0, 0], [0, 1, 0], [0, 0, 0]))
HALF = math.sqrt(0.5)


def test_linear_is_a_straight_line() -> None:
    np.testing.assert_array_equal(linear(X, Y, 0.25), np.float32([0.75, 0.25, 0]))


def test_slerp_turns_evenly() -> None:
    np.testing.assert_allclose(slerp(X, Y, 0.5), [HALF, HALF, 0], atol=1e-7)
    np.testing.assert_allclose(slerp(X, Y, 1 / 3), [math.cos(math.pi / 6), 0.5, 0], atol=1e-7)


def test_slerp_changes_lengths_evenly() -> None:
    np.testing.assert_allclose(slerp(X, 3 * Y, 0.5), [2 * HALF, 2 * HALF, 0], atol=1e-6)


def test_slerp_of_equal_points_stays_there() -> None:
    np.testing.assert_allclose(slerp(X, X, 0.3), X, atol=1e-7)
    np.testing.assert_allclose(slerp(X, 2 * X, 0.5), 1.5 * X, atol=1e-7)


def test_slerp_of_opposite_points_turns_half_a_circle() -> None:
    way = [slerp(X, -X, t) for t in (0, 0.25, 0.5, 1)]
    np.testing.assert_allclose([np.linalg.norm(p) for p in way], 1, atol=1e-6)
    np.testing.assert_allclose(way[0], X, atol=1e-6)
    np.testing.assert_allclose(way[3], -X, atol=1e-6)
    assert abs(float(way[2] @ X)) < 1e-6


def test_slerp_with_a_zero_vector_is_linear() -> None:
    np.testing.assert_allclose(slerp(ZERO, Y, 0.25), 0.25 * Y)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.floats(-1, 1), st.floats(0, 1))
def test_slerp_is_finite_and_between(seed: int, other: int, factor: float, t: float) -> None:
    a = np.random.RandomState(seed).randn(8).astype(np.float32)
    b = np.float32(factor) * (a if other % 2 else np.random.RandomState(other).randn(8).astype(np.float32))
    point = slerp(a, b, t)
    lengths = sorted([float(np.linalg.norm(a)), float(np.linalg.norm(b))])
    assert lengths[0] - 1e-3 <= np.linalg.norm(point) <= lengths[1] + 1e-3 or lengths[0] < 1e-6
    assert np.isfinite(point).all()


def test_spline_passes_its_points_and_leaves_straight_lines_straight() -> None:
    a, b, c, d = (np.float32([v, 2 * v]) for v in range(4))
    np.testing.assert_allclose(spline(a, b, c, d, 0), b)
    np.testing.assert_allclose(spline(a, b, c, d, 1), c)
    np.testing.assert_allclose(spline(a, b, c, d, 0.3), [1.3, 2.6], atol=1e-6)


def test_spline_of_a_step_overshoots_as_catmull_rom_does() -> None:
    zero, one = np.zeros(1, np.float32), np.ones(1, np.float32)
    assert spline(zero, zero, one, one, 0.5) == pytest.approx(0.5)
    assert spline(zero, one, one, zero, 0.5) == pytest.approx(1.125)


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_ease_rises_from_0_to_1(ease: float, a: float, b: float) -> None:
    assert (eased(0, ease), eased(1, ease)) == (0, pytest.approx(1))
    low, high = sorted((a, b))
    assert eased(low, ease) <= eased(high, ease) + 1e-12
    assert eased(a, 0) == a


@pytest.mark.parametrize(
    ("t", "hold", "at"),
    [(0.0, 0.2, 0), (0.2, 0.2, 0), (0.6, 0.2, 0.5), (1.0, 0.2, 1), (0.3, 0.0, 0.3), (0.9, 1.0, 0)],
)
def test_held_waits_and_then_moves(t: float, hold: float, at: float) -> None:
    assert held(t, hold) == pytest.approx(at)


def test_circle_is_square_and_even() -> None:
    across, along = circle(ZERO, 2 * X, X + Y)
    np.testing.assert_allclose(across, 2 * X)
    np.testing.assert_allclose(along, 2 * Y, atol=1e-6)


def test_circle_without_a_plane_is_finite() -> None:
    assert np.isfinite(np.array([*circle(X, X, X), *circle(X, 2 * X, 3 * X)])).all()
