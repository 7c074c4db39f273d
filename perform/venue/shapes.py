"""The points of a projection that somebody moves by hand, as they lie on the display, and back again."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal, TypeAlias

import numpy as np

from perform.arrays import Doubles, Floats
from perform.render.warp import PIECES, PLAIN_MESH, surface
from perform.scenes.projection import SQUARE, Mask, Mesh, Point, Projection, homography
from perform.venue.values import FARTHEST

Mode: TypeAlias = Literal["corners", "mesh", "blend", "masks", "colour"]
COARSE = PIECES // 4  # pieces of the surface that a line crosses straight
Line: TypeAlias = Floats | Doubles
# Of the picture, as the handles of soft edges follow each other.
BLEND_EDGES = ("left", "right", "bottom", "top")


def handles(projection: Projection, mode: Mode) -> tuple[Point, ...]:
    """The points that can be moved, on the display: corners, points of the mesh row by row, the inner ends of
    the soft edges, or the points of all masks. Colours have none."""
    match mode:
        case "corners":
            return projection.corners
        case "mesh":
            rows = projection.mesh or PLAIN_MESH
            return _pinned(projection, np.array([point for row in rows for point in row]))
        case "blend":
            blend = projection.blend
            inner = [(blend.left, 0.5), (1 - blend.right, 0.5), (0.5, blend.bottom), (0.5, 1 - blend.top)]
            return _pinned(projection, surface_points(projection.mesh, np.array(inner)))
        case "masks":
            return tuple(point for mask in projection.masks for point in mask.points)
        case "colour":
            return ()


def outlines(projection: Projection, mode: Mode) -> list[Line]:
    """The lines [n, 2] that show on the display what is edited: around the picture, along the mesh, where
    soft edges end, around masks."""
    if mode == "masks":
        return [np.array([*mask.points, mask.points[0]]) for mask in projection.masks]
    blend, points = projection.blend, surface(projection.mesh, projection.corners)[1:-1, 1:-1]
    flat = points[..., :2] / points[..., 2:]
    rows, columns = flat.shape[:2]
    if mode == "mesh":
        across, up = [*range(0, rows, PIECES)], [*range(0, columns, PIECES)]
    else:
        across, up = [0, rows - 1], [0, columns - 1]
    if mode == "blend":
        up += [round(at * (columns - 1)) for at in (blend.left, 1 - blend.right)]
        across += [round(at * (rows - 1)) for at in (blend.bottom, 1 - blend.top)]
    return [flat[row, ::COARSE] for row in across] + [flat[::COARSE, column] for column in up]


def moved(projection: Projection, mode: Mode, number: int, to: Point) -> Projection:
    """The projection with one of its handles at another place of the display; as it is, if it could not be
    drawn with that."""
    match mode:
        case "corners":
            first, second, third, fourth = _with(projection.corners, number, _near(to))
            changed = replace(projection, corners=(first, second, third, fourth))
            return projection if changed.faults() else changed
        case "mesh":
            return replace(projection, mesh=_with_mesh_point(projection, number, to))
        case "blend":
            at = _middle_line(projection, number // 2, to)
            width = 1 - at if number % 2 else at  # from the right and the top
            return replace(projection, blend=replace(projection.blend, **{BLEND_EDGES[number]: width}))
        case "masks":
            mask, at = mask_at(projection.masks, number)
            points = projection.masks[mask].points
            return with_mask(
                projection, mask, replace(projection.masks[mask], points=_with(points, at, _near(to)))
            )
        case "colour":
            return projection


def _middle_line(projection: Projection, axis: int, to: Point) -> float:
    """How far along the middle of the picture, 0..1 from its left (axis 0) or bottom (1), its surface is
    nearest to a point of the display."""
    mesh = projection.mesh or PLAIN_MESH
    count = (len(mesh[0]) if axis == 0 else len(mesh)) - 1
    places = np.full((count * PIECES + 1, 2), 0.5)
    places[:, axis] = np.linspace(0, 1, len(places))
    line = surface_points(mesh, places)
    begin, along = line[:-1], np.diff(line, axis=0)
    off = np.array(_unpinned(projection, to)) - begin
    part = np.clip((off * along).sum(1) / np.maximum((along**2).sum(1), 1e-12), 0, 1)
    nearest = int(np.hypot(*(off - part[:, None] * along).T).argmin())
    return (nearest + float(part[nearest])) / len(part)


def resampled(mesh: Mesh, rows: int, columns: int) -> Mesh:
    """A mesh with so many rows and columns on the same surface."""
    u, v = np.meshgrid(np.linspace(0, 1, columns), np.linspace(0, 1, rows))
    found = surface_points(mesh, np.stack([u, v], -1)).tolist()
    return tuple(tuple((x, y) for x, y in row) for row in found)


def surface_points(mesh: Mesh, places: Doubles) -> Doubles:
    """Where places [..., 2] of the picture are on the surface, before the corner pin."""
    points = surface(mesh, SQUARE)[1:-1, 1:-1, :2].astype(np.float64)
    x, y = (places[..., axis] * (points.shape[1 - axis] - 1) for axis in (0, 1))
    left = np.clip(x.astype(int), 0, points.shape[1] - 2)
    low = np.clip(y.astype(int), 0, points.shape[0] - 2)
    across, up = (x - left)[..., None], (y - low)[..., None]
    lower = points[low, left] * (1 - across) + points[low, left + 1] * across
    upper = points[low + 1, left] * (1 - across) + points[low + 1, left + 1] * across
    found: Doubles = lower * (1 - up) + upper * up
    return found


def mask_at(masks: tuple[Mask, ...], number: int) -> tuple[int, int]:
    """The mask that a handle is of, and the number of its point. IndexError if there is no such handle."""
    for index, mask in enumerate(masks):
        if number < len(mask.points):
            return index, number
        number -= len(mask.points)
    raise IndexError("there is no such point")


def with_mask(projection: Projection, number: int, *masks: Mask) -> Projection:
    """The projection with other masks, or none, in the place of one."""
    before, after = projection.masks[:number], projection.masks[number + 1 :]
    return replace(projection, masks=(*before, *masks, *after))


def _with_mesh_point(projection: Projection, number: int, to: Point) -> Mesh:
    mesh = projection.mesh or PLAIN_MESH
    row, column = divmod(number, len(mesh[0]))
    changed = _with(mesh[row], column, _near(_unpinned(projection, to)))
    return (*mesh[:row], changed, *mesh[row + 1 :])


def _with(points: tuple[Point, ...], number: int, point: Point) -> tuple[Point, ...]:
    return (*points[:number], point, *points[number + 1 :])


def _near(point: Point) -> Point:
    """A point as near to the display as the file of a venue may have it."""
    x, y = (min(max(one, -FARTHEST), 1 + FARTHEST) for one in point)
    return x, y


def _pinned(projection: Projection, points: Doubles) -> tuple[Point, ...]:
    """Points [n, 2] of the picture, on the display."""
    matrix = homography(projection.corners)
    assert matrix is not None, "a projection is checked when it is read"
    x, y, weight = matrix @ np.vstack([points.T, np.ones(len(points))])
    return tuple(zip((x / weight).tolist(), (y / weight).tolist(), strict=True))


def _unpinned(projection: Projection, point: Point) -> Point:
    """Where a point of the display is in the picture, before the corner pin."""
    matrix = homography(projection.corners)
    assert matrix is not None, "a projection is checked when it is read"
    x, y, weight = np.linalg.solve(matrix, np.array([*point, 1.0]))
    return float(x / weight), float(y / weight)
