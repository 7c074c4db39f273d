"""The plant as vertices: what is uploaded to be drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Doubles
from perform.flora import petals
from perform.flora.greens import Solid, solids
from perform.flora.petals import Blades, Mesh
from perform.flora.plant import Plant

OUTER_PETALS = 12  # petals with a fine mesh; those further in are small, and many
FINE_GRID, COARSE_GRID = (23, 13), (15, 9)  # rows and columns


@dataclass(frozen=True, slots=True)
class Vertices:
    """Float32 rows [n, 12]: point, normal, paint (see place.vert), colour; and triangles [m, 3]."""

    data: NDArray[np.float32]
    triangles: NDArray[np.int32]
    coarse: NDArray[np.int32]  # fewer, for shadows


@dataclass(frozen=True, slots=True)
class Anatomy:
    """Everything of a plant; `bloom` are points of the petals [n, 3]."""

    petals: Vertices
    greens: Vertices
    bloom: Doubles
    fringe: float
    count: int  # of petals


def anatomy(plant: Plant, numbers: Mapping[str, float], colours: Mapping[str, Doubles], size: int) -> Anatomy:
    """The vertices of a plant, fine enough for a picture of `size` pixels."""
    fine = fineness(size)
    grown = _petals(plant, fine)
    cut = plant.form.fringe * (0.5 + 0.5 * numbers["fringe"]) + 0.8 * max(numbers["fringe"] - 0.75, 0.0)
    return Anatomy(
        grown,
        _joined([_solid(part) for part in solids(plant, numbers, colours, fine)]),
        grown.data[:, :3].astype(np.float64),
        max(cut - 0.12, 0.0),
        len(plant.growth),
    )


def fineness(size: int) -> int:
    """How many times finer than for 256 pixels things have to be."""
    return min(-(-size // 256), 4)


def _petals(plant: Plant, fine: int) -> Vertices:
    parts = [_mesh(plant, slice(0, OUTER_PETALS), FINE_GRID, fine)]
    if len(plant.growth) > OUTER_PETALS:
        parts.append(_mesh(plant, slice(OUTER_PETALS, None), COARSE_GRID, fine))
    return _joined(parts)


def _mesh(plant: Plant, which: slice, grid: tuple[int, int], fine: int) -> Vertices:
    rows, columns = ((one - 1) * fine + 1 for one in grid)
    blades = Blades(**{one.name: getattr(plant.petals, one.name)[which] for one in fields(Blades)})
    mesh: Mesh = petals.surfaces(blades, rows, columns)
    count = len(mesh.points)
    number = np.arange(len(plant.growth))[which, None, None]
    points, normals = mesh.points @ plant.axis.T, mesh.normals @ plant.axis.T
    paint = np.stack(np.broadcast_arrays(mesh.u, mesh.v, number), -1)
    data = np.concatenate([points, normals, paint, np.zeros_like(points)], -1)
    nearest = points[..., 1].mean((1, 2)).argsort(kind="stable")  # drawn first, they hide the rest
    return Vertices(
        data[nearest].reshape(-1, 12).astype(np.float32),
        petals.triangles(rows, columns, count),
        petals.triangles(rows, columns, count, 2 * fine),
    )


def _solid(part: Solid) -> Vertices:
    kind = np.full((len(part.points), 1), part.kind)
    data = np.concatenate([part.points, part.normals, part.uv, kind, part.colours], -1)
    return Vertices(data.astype(np.float32), part.triangles, part.triangles)


def _joined(parts: list[Vertices]) -> Vertices:
    starts = np.cumsum([0, *(len(part.data) for part in parts[:-1])])
    placed = list(zip(parts, starts.astype(np.int32), strict=True))
    return Vertices(
        np.concatenate([part.data for part in parts]),
        np.concatenate([part.triangles + start for part, start in placed]),
        np.concatenate([part.coarse + start for part, start in placed]),
    )
