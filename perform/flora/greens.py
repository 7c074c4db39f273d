"""What is not a petal: stem, leaves, pistil and stamens, as points with colours."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Doubles
from perform.flora import petals
from perform.flora.plant import GOLDEN, MOST_STAMENS, Plant

BARE, BLADE = 0.0, 1.0  # what the shader draws on it: nothing, or a leaf's veins


@dataclass(frozen=True, slots=True)
class Solid:
    """A part: points and normals [n, 3], uv [n, 2], colours [n, 3] (linear), kind, triangles [m, 3]."""

    points: Doubles
    normals: Doubles
    uv: Doubles
    colours: Doubles
    kind: float
    triangles: NDArray[np.int32]


def solids(
    plant: Plant, numbers: Mapping[str, float], colours: Mapping[str, Doubles], fine: int
) -> list[Solid]:
    """All of them, in the world. `colours` are linear: leaf, stem, pistil, anther, filament."""
    way = _stem_way(plant, numbers, 13 * fine)
    return [
        _stem(plant, way, colours, 8 * fine),
        _leaves(plant, numbers, way, colours["leaf"], fine),
        _pistil(plant, colours),
        *_stamens(plant, colours),
    ]


def _stem_way(plant: Plant, numbers: Mapping[str, float], steps: int) -> Doubles:
    """Points of the stem's middle [steps, 3], from the flower downwards (a Bézier curve)."""
    down = -plant.axis[:, 2]
    side = 0.5 * numbers["bend"]
    corners = np.array(
        [
            -0.03 * down,
            down * 0.75,
            [down[0] * 1.0 + side * 0.5, down[1] * 0.9 + 0.1, -2.0],
            [down[0] * 0.7 + side, 0.25, -4.2],
        ]
    )
    t = np.linspace(0, 1, steps)[:, None]
    weights = np.concatenate([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3], 1)
    return np.asarray(weights @ corners)


def _stem(plant: Plant, way: Doubles, colours: Mapping[str, Doubles], sides: int) -> Solid:
    share = np.linspace(0, 1, len(way))
    swell = 1 + 0.45 * np.exp(-share * 30) + 0.2 * share
    return _tube(way, plant.form.stem * swell, sides, colours["stem"])


def _tube(way: Doubles, radius: Doubles, sides: int, colour: Doubles) -> Solid:
    along = np.gradient(way, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    # Any fixed direction across the way does; the camera looks along y, no stem does for long.
    first = np.cross(along, [0.02, 1.0, 0.05])
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    second = np.cross(along, first)
    turn = np.linspace(0, 2 * np.pi, sides + 1)
    normal = np.cos(turn)[:, None] * first[:, None] + np.sin(turn)[:, None] * second[:, None]
    points = way[:, None] + normal * radius[:, None, None]
    uv = np.stack(np.broadcast_arrays(turn / np.pi - 1, np.linspace(0, 1, len(way))[:, None]), -1)
    return _solid(points, normal, uv, colour, BARE, petals.triangles(len(way), sides + 1))


def _solid(
    points: Doubles, normals: Doubles, uv: Doubles, colour: Doubles, kind: float, corners: NDArray[np.int32]
) -> Solid:
    flat = points.reshape(-1, 3)
    painted = np.broadcast_to(colour, points.shape).reshape(-1, 3)
    return Solid(flat, normals.reshape(-1, 3), uv.reshape(-1, 2), painted, kind, corners)


def _leaves(plant: Plant, numbers: Mapping[str, float], way: Doubles, colour: Doubles, fine: int) -> Solid:
    """Three leaves from the stem: left, right, and one behind."""
    form, turn = plant.form, numbers["leaf_turn"]
    n = np.ones(3)
    size = np.array([1.9, 1.55, 1.25]) * form.leaves
    blades = petals.Blades(
        azimuth=np.array([2.75, 0.35, 1.5]) + turn * np.array([0.7, -0.6, 1.0]),
        length=size,
        width=form.leaf_width * np.array([1.0, 0.85, 0.7]) * (0.6 + 0.4 * form.leaves),
        belly=0.6 * n,
        blunt=1.5 * n,
        point=0.85 * n,
        claw=0.3 * n,
        base=np.array([0.25, 0.3, 0.2]),
        middle=np.array([0.3, 0.42, 0.3]) + 0.12 * numbers["bend"] * np.array([-1, 1, 0]),
        tip=np.array([0.95, 1.15, 0.8]) + 0.4 * turn * np.array([1, -1, 0.5]),
        reach=0.3 * n,
        cup=0.55 * n,
        radius=0.02 * n,
        ruffle=np.array([0.2, 0.28, 0.15]),
        waves=1.3 * n,
        phase=np.array([0.3, 2.2, 4.1]) + 0.6 * numbers["ruffle_place"],
        crease=0.14 * n,
        notch=0 * n,
        overlap=0.05 * n,
        twist=np.array([0.5, -0.4, 0.2]) * (1 + turn),
    )
    rows, columns = 16 * fine, 7 * fine
    mesh = petals.surfaces(blades, rows, columns)
    feet = way[[-1]] * np.array([[0.42], [0.36], [0.4]]) * np.array([1, 1, 1])
    points = mesh.points + feet[:, None, None]
    uv = np.broadcast_to(np.stack([mesh.u, mesh.v], -1), (*points.shape[:3], 2))
    return _solid(points, mesh.normals, uv, colour, BLADE, petals.triangles(rows, columns, 3))


def _ball(rows: int, sides: int) -> tuple[Doubles, NDArray[np.int32]]:
    """A unit sphere [rows, sides + 1, 3]."""
    up, turn = np.linspace(0, np.pi, rows)[:, None], np.linspace(0, 2 * np.pi, sides + 1)
    ring = np.sin(up)
    points = np.stack(np.broadcast_arrays(ring * np.cos(turn), ring * np.sin(turn), -np.cos(up)), -1)
    return points, petals.triangles(rows, sides + 1)


def _pistil(plant: Plant, colours: Mapping[str, Doubles]) -> Solid:
    """A capsule with a crown of three lobes."""
    ball, corners = _ball(9, 12)
    high, tall = ball[..., 2], plant.form.pistil
    turn = np.arctan2(ball[..., 1], ball[..., 0])
    crown = np.exp(-(((high - 0.8) / 0.22) ** 2))
    wide = (0.12 + 0.2 * plant.form.base_shut / 90) * tall * (
        1 + 0.55 * crown * (1 + 0.35 * np.cos(3 * turn))
    ) + 0.1 * tall * (1 - high**2)
    points = np.stack([ball[..., 0] * wide, ball[..., 1] * wide, (high + 1) / 2 * tall], -1)
    painted = colours["pistil"] + (colours["anther"] - colours["pistil"]) * 0.25 * crown[..., None]
    return _solid(
        points @ plant.axis.T, ball @ plant.axis.T, np.zeros((*high.shape, 2)), painted, BARE, corners
    )


def _stamens(plant: Plant, colours: Mapping[str, Doubles]) -> list[Solid]:
    """Filaments around the pistil, each with its anther; they appear one after the other."""
    form = plant.form
    number = np.arange(MOST_STAMENS)
    growth = np.clip(form.stamens + 0.5 - number, 0, 1)
    number, growth = number[growth > 0], growth[growth > 0]
    n = len(number)
    many = np.clip((form.stamens - 6) / 14, 0, 1)
    turn = number * (np.pi / 3 + many * (GOLDEN - np.pi / 3))
    ring = 0.5 + 0.5 * ((number * 0.381966) % 1) * many + 0.25 * (1 - many)
    out = np.stack([np.cos(turn), np.sin(turn), np.zeros(n)], -1)
    room = form.base_shut / 90 * (0.3 + 0.7 * plant.bloom)  # a shut or narrow flower holds them together
    flare = (0.08 + 0.5 * ring * room) * form.filament
    t = np.linspace(0, 1, 5)[None, :, None]
    rise = form.filament * (0.75 + 0.35 * (1 - ring))[:, None, None] * np.array([0, 0, 1.0])
    ways = out[:, None] * (0.24 * form.pistil * room + flare[:, None, None] * t**1.3) + rise * t**0.9
    ways = ways * growth[:, None, None]
    return [_filaments(plant, ways, colours["filament"]), _anthers(plant, ways, growth, colours["anther"])]


def _filaments(plant: Plant, ways: Doubles, colour: Doubles) -> Solid:
    """Four-sided tubes along ways [n, steps, 3]."""
    turn = np.linspace(0, 2 * np.pi, 5)
    around = np.stack([np.cos(turn), np.sin(turn), 0 * turn], -1)
    thick = 0.011 * np.linspace(1.3, 0.8, ways.shape[1])[None, :, None, None]
    points = (ways[:, :, None] + thick * around) @ plant.axis.T
    normals = np.broadcast_to(around @ plant.axis.T, points.shape)
    uv = np.zeros((*points.shape[:3], 2))
    return _solid(points, normals, uv, colour, BARE, petals.triangles(ways.shape[1], 5, len(ways)))


def _anthers(plant: Plant, ways: Doubles, growth: Doubles, colour: Doubles) -> Solid:
    """Ellipsoids at the ends of ways [n, steps, 3], along them."""
    ball, _ = _ball(5, 5)
    along = ways[:, -1] - ways[:, -2]
    along /= np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    side = np.cross(along, [0.0, 0.0, 1.0]) + np.array([1e-6, 0, 0])
    side /= np.linalg.norm(side, axis=1, keepdims=True)
    frame = np.stack([side, np.cross(along, side), along], 1)  # [n, 3, 3]
    normals = np.einsum("rcj,njk->nrck", ball, frame)
    size = plant.form.anther * np.array([0.3, 0.3, 0.85])
    spread = np.einsum("rcj,njk->nrck", ball * size, frame) * growth[:, None, None, None]
    points = (ways[:, -1][:, None, None] + spread) @ plant.axis.T
    rows, columns = ball.shape[:2]
    uv = np.zeros((*points.shape[:3], 2))
    grid = petals.triangles(rows, columns, len(ways))
    return _solid(points, normals @ plant.axis.T, uv, colour, BARE, grid)
