"""The surface that a picture is bent over, as points for the graphics card.

A mesh is a Catmull-Rom surface through its control points, which lie at even distances in the picture. At its
ends it goes on straight. So four points make a bilinear surface, and evenly spaced ones change nothing.
Source: Catmull and Rom, A class of local interpolating splines, 1974.
"""

from __future__ import annotations

import numpy as np

from perform.arrays import Doubles, Floats
from perform.scenes.projection import SQUARE, Corners, Mesh, homography

PIECES = 16  # pieces from one control point to the next: between them the surface is flat
PLAIN_MESH: Mesh = (SQUARE[:2], (SQUARE[3], SQUARE[2]))


def surface(mesh: Mesh, corners: Corners) -> Floats:
    """Points [rows, columns, 3] of the warped picture in the display, as x, y and 1 times a weight: those of
    the picture, with one more on every side. ValueError if the corners are not of a picture."""
    matrix = homography(corners)
    if matrix is None:
        raise ValueError(f"corners = {corners}: no convex quadrilateral")
    controls = np.array(mesh or PLAIN_MESH, np.float64)
    rows, columns = (_spline(count) for count in controls.shape[:2])
    points = columns @ np.tensordot(rows, controls, 1)  # einsum would take a fifth of a second for 16x16
    pinned: Floats = (np.insert(points, 2, 1.0, axis=2) @ matrix.T).astype(np.float32)
    return pinned


def _spline(count: int) -> Doubles:
    """How much each of `count` control points counts at each point along one axis [points, count]."""
    along = np.arange(-1, (count - 1) * PIECES + 2) / PIECES  # in distances of control points
    first = np.clip(np.floor(along).astype(int), 0, count - 2)
    t = along - first
    outside = (t < 0) | (t > 1)  # a straight line there
    basis = np.stack(
        [
            np.where(outside, 0.0, (-t + 2 * t**2 - t**3) / 2),
            np.where(outside, 1 - t, (2 - 5 * t**2 + 3 * t**3) / 2),
            np.where(outside, t, (t + 4 * t**2 - 3 * t**3) / 2),
            np.where(outside, 0.0, (-(t**2) + t**3) / 2),
        ],
        axis=1,
    )
    # The points before the first and after the last one continue the line of the two that are nearest.
    weights = np.zeros((len(along), count + 2))
    np.put_along_axis(weights, first[:, None] + np.arange(4), basis, axis=1)
    inner = weights[:, 1:-1]
    inner[:, 0] += 2 * weights[:, 0]
    inner[:, 1] -= weights[:, 0]
    inner[:, -1] += 2 * weights[:, -1]
    inner[:, -2] -= weights[:, -1]
    return inner
