"""Blades: the curved surfaces that petals and leaves are made of.

A blade is a midrib that bends in the plane through the flower's axis, and across it arcs of circles: hollow
where the curvature is positive, bent back where it is negative. All are smooth functions of its numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Doubles


@dataclass(frozen=True, slots=True)
class Blades:
    """n blades; every field is [n]. Lengths in petals, radians; `base`, `middle`, `tip` from the axis."""

    azimuth: Doubles
    length: Doubles
    width: Doubles
    belly: Doubles
    blunt: Doubles
    point: Doubles
    claw: Doubles
    base: Doubles
    middle: Doubles
    tip: Doubles
    reach: Doubles
    cup: Doubles
    radius: Doubles
    ruffle: Doubles
    waves: Doubles
    phase: Doubles
    crease: Doubles
    notch: Doubles
    overlap: Doubles
    twist: Doubles


@dataclass(frozen=True, slots=True)
class Mesh:
    """Points and normals [n, rows, columns, 3], u -1..1 and v 0..1 [rows, columns]."""

    points: Doubles
    normals: Doubles
    u: Doubles
    v: Doubles


def surfaces(blades: Blades, rows: int, columns: int) -> Mesh:
    """The blades as grids of rows (base to tip) and columns (side to side)."""
    v = 1 - (1 - np.linspace(0, 1, rows)) ** 1.45  # denser at the tip, where outlines are round
    u = np.linspace(-1, 1, columns)
    angle = _angles(blades, v)
    radial, height = _midrib(blades, v, angle)
    across, depth, along = _sections(blades, u, v, radial)
    sin, cos = np.sin(angle)[..., None], np.cos(angle)[..., None]
    # Local to the blade: x outward, y sideways, z along the flower's axis. [n, rows, columns]
    x = radial[..., None] + cos * depth + sin * along
    z = height[..., None] - sin * depth + cos * along
    turned = _rotated(np.stack([x, across, z], -1), blades.azimuth)
    uv = np.broadcast_arrays(u[None, :], v[:, None])
    return Mesh(turned, _normals(turned), uv[0], uv[1])


def _angles(blades: Blades, v: Doubles) -> Doubles:
    """The midrib's angle from the axis [n, rows]."""
    base = np.exp(-((v / blades.reach[:, None]) ** 1.6))
    rise = np.clip((v - 0.3) / 0.7, 0, 1)
    tip = rise * rise * (3 - 2 * rise)
    middle = blades.middle[:, None]
    return np.asarray(middle + (blades.base[:, None] - middle) * base + (blades.tip[:, None] - middle) * tip)


def _midrib(blades: Blades, v: Doubles, angle: Doubles) -> tuple[Doubles, Doubles]:
    """Distance from the axis and height [n, rows]."""
    step = np.diff(v) * blades.length[:, None]

    def summed(slope: Doubles) -> Doubles:
        parts = (slope[:, 1:] + slope[:, :-1]) / 2 * step
        return np.concatenate([np.zeros((len(parts), 1)), np.cumsum(parts, 1)], 1)

    return blades.radius[:, None] + summed(np.sin(angle)), summed(np.cos(angle))


def outline(blades: Blades, v: Doubles) -> Doubles:
    """Half widths [n, rows]."""
    belly, blunt, point = blades.belly[:, None], blades.blunt[:, None], blades.point[:, None]
    shape = (v + 0.02) ** belly * (1 - (0.998 * v) ** blunt) ** point
    shape /= shape.max(1, keepdims=True)
    claw = blades.claw[:, None]
    return np.asarray(blades.width[:, None] * (shape * (1 - claw) + claw * (1 - v) ** 2 + 0.004))


def _sections(blades: Blades, u: Doubles, v: Doubles, radial: Doubles) -> tuple[Doubles, Doubles, Doubles]:
    """Sideways, outward and lengthwise displacement of every point from the midrib [n, rows, columns]."""
    half = outline(blades, v)[..., None]
    side, up = u[None, None, :], v[None, :, None]
    bend = blades.cup[:, None] / np.sqrt(radial**2 + (0.42 * blades.width[:, None]) ** 2 + 0.004)
    bend = bend[..., None] * (1 - 0.35 * up**3)
    turn = np.clip(bend * side * half, -2.2, 2.2)
    across = np.sinc(turn / np.pi) * side * half
    depth = -(np.sinc(turn / 2 / np.pi) ** 2) * turn * side * half / 2
    one = np.newaxis
    phase, waves = blades.phase[:, one, one], blades.waves[:, one, one]
    wave = np.sin(2 * np.pi * waves * up + 2.1 * side + phase) + 0.45 * np.sin(
        2 * np.pi * 1.9 * waves * up - 3.3 * side + 2.3 * phase
    )
    ruffle, size = blades.ruffle[:, one, one], blades.width[:, one, one]
    place = side * np.minimum(half / size, 1.0)  # the sides come together in the tip
    crest = np.sin(5.1 * place + 1.7 * phase + 1.3 * up) + 0.5 * np.sin(9.7 * place - 2.9 * phase)
    depth = depth + ruffle * size * (np.abs(side) ** 2.2 * up * wave + 0.55 * up**4 * crest)
    depth = depth + blades.crease[:, one, one] * np.exp(-((side / 0.22) ** 2)) * np.sin(np.pi * up) * size * 2
    roll = blades.overlap[:, one, one] * np.sqrt(up) + blades.twist[:, one, one] * up
    across, depth = across * np.cos(roll) - depth * np.sin(roll), across * np.sin(roll) + depth * np.cos(roll)
    length = blades.length[:, one, one]
    along = (
        length * up**5 * (blades.notch[:, one, one] * (1.6 * place**2 + 0.8 * crest) + 0.25 * ruffle * crest)
    )
    return across, depth, along


def _rotated(points: Doubles, azimuth: Doubles) -> Doubles:
    """Points [n, rows, columns, 3] about the axis, each blade by its azimuth [n]."""
    cos, sin = np.cos(azimuth)[:, None, None], np.sin(azimuth)[:, None, None]
    x, y, z = points[..., 0], points[..., 1], points[..., 2]
    return np.stack([cos * x - sin * y, sin * x + cos * y, z], -1)


def _normals(points: Doubles) -> Doubles:
    """Unit normals that point away from the flower's axis."""
    along, across = np.gradient(points, axis=1), np.gradient(points, axis=2)
    normal = np.cross(across, along)
    return np.asarray(normal / np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9))


def triangles(rows: int, columns: int, count: int = 1, step: int = 1) -> NDArray[np.int32]:
    """Corners of `count` grids, one after the other [n, 3]; a step leaves out rows and columns."""
    starts = np.arange(0, rows - step, step)[:, None] * columns + np.arange(0, columns - step, step)
    below, beside = step * columns, step
    one = np.array([[0, beside, below], [beside, below + beside, below]])
    grid = (starts.reshape(-1, 1, 1) + one).reshape(-1, 3)
    every = np.arange(count)[:, None, None] * (rows * columns) + grid
    return np.asarray(every.reshape(-1, 3), np.int32)
