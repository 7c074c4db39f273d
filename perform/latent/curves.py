"""Curves: points between points, in any number of dimensions."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Floats


def linear(a: Floats, b: Floats, t: float) -> Floats:
    """The point at `t` on the line from a to b, exact at both ends."""
    return np.float32(1 - t) * a + np.float32(t) * b


def slerp(a: Floats, b: Floats, t: float) -> Floats:
    """The point at `t` on the arc from a to b (Shoemake 1985): directions turn evenly and lengths
    change evenly. Opposite points go round by one fixed side, a zero vector takes the line."""
    lengths = float(np.linalg.norm(a)), float(np.linalg.norm(b))
    if min(lengths) < 1e-12:
        return linear(a, b, t)
    start, end = a.astype(np.float64) / lengths[0], b.astype(np.float64) / lengths[1]
    side = end - float(start @ end) * start
    if np.linalg.norm(side) < 1e-6:
        if start @ end > 0:
            return linear(a, b, t)
        side = _perpendicular(start)
    angle = t * math.atan2(float(np.linalg.norm(end - (start @ end) * start)), float(start @ end))
    turned = math.cos(angle) * start + math.sin(angle) * side / np.linalg.norm(side)
    turned *= (1 - t) * lengths[0] + t * lengths[1]
    return np.asarray(turned, np.float32)


def spline(before: Floats, a: Floats, b: Floats, after: Floats, t: float) -> Floats:
    """The point at `t` from a to b on the uniform Catmull-Rom curve (1974) through all four."""
    square, cube = t * t, t * t * t
    point: Floats = (
        np.float32((-cube + 2 * square - t) / 2) * before
        + np.float32((3 * cube - 5 * square + 2) / 2) * a
        + np.float32((-3 * cube + 4 * square + t) / 2) * b
        + np.float32((cube - square) / 2) * after
    )
    return point


def eased(t: float, ease: float) -> float:
    """t in 0..1 with a dwell at both ends: 0 moves evenly, 1 comes to rest (Perlin's fade, 2002)."""
    return t + ease * (t * t * t * (t * (6 * t - 15) + 10) - t)


def held(t: float, hold: float) -> float:
    """t in 0..1 that stands at 0 for the share `hold` of the way and is at 1 at its end."""
    return (t - hold) / (1 - hold) if t > hold else 0.0


def circle(centre: Floats, one: Floats, other: Floats) -> tuple[Floats, Floats]:
    """Two directions at right angles, both as long as `one` is away from `centre`."""
    across, along = one - centre, other - centre
    length = np.linalg.norm(across)
    along = along - (along @ across) / max(length**2, np.float32(1e-12)) * across
    along = along * (length / max(np.linalg.norm(along), np.float32(1e-12)))
    return across, along.astype(np.float32)


def _perpendicular(direction: NDArray[np.float64]) -> NDArray[np.float64]:
    """One fixed direction at a right angle: the axis that `direction` has least of, made square."""
    axis = np.zeros_like(direction)
    axis[int(np.argmin(np.abs(direction)))] = 1
    return axis - float(axis @ direction) * direction
