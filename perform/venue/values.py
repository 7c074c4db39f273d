"""Values of a venue's file that are more than a number or a word: sizes, points, parts, whites.

Each is read by a function that gives the value in the program's own type, or says what is allowed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any, TypeAlias, TypeVar

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from perform.inputs.camera import region_of
from perform.parameters import place_of, size_of
from perform.scenes.projection import Mesh, Point, white_gains
from perform.sharing import KINDS, share_of

Result = TypeVar("Result")

FARTHEST = 10.0  # displays that a point may be away from its display
MOST_GAIN = 4.0


def _checked(read: Callable[[Any], Any], allowed: str) -> Any:
    """What reads a value, and says what is allowed if it raises ValueError or TypeError."""

    def check(value: object) -> Any:
        try:
            return read(value)
        except (TypeError, ValueError):
            raise PydanticCustomError("venue", "must be {allowed}", {"allowed": allowed}) from None

    return BeforeValidator(check)


def _real(value: object) -> float:
    """A finite number. Raises TypeError, ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(value)
    if not math.isfinite(value):
        raise ValueError(value)
    return float(value)


def _bounded(value: Any, count: int, low: float, high: float) -> tuple[float, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    found = tuple(map(_real, value))
    if len(found) != count or not all(low <= one <= high for one in found):
        raise ValueError(value)
    return found


def _point(value: Any) -> Point:
    x, y = _bounded(value, 2, -FARTHEST, 1 + FARTHEST)
    return x, y


def _points(value: Any) -> tuple[Point, ...]:
    if not isinstance(value, list):
        raise TypeError(value)
    return tuple(map(_point, value))


def _corners(value: Any) -> tuple[Point, ...]:
    found = _points(value)
    if len(found) != 4:
        raise ValueError(value)
    return found


def _share(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return str(share_of(value))


def _polygon(value: Any) -> tuple[Point, ...]:
    found = _points(value)
    if len(found) < 3:
        raise ValueError(value)
    return found


def _rows(value: Any) -> Mesh:
    if not isinstance(value, list):
        raise TypeError(value)
    rows = tuple(map(_points, value))
    if rows and (len(rows) < 2 or len(rows[0]) < 2 or len({len(row) for row in rows}) > 1):
        raise ValueError(value)
    return rows


def _canvas_part(value: Any) -> tuple[float, ...]:
    left, bottom, width, height = _bounded(value, 4, -FARTHEST, 1 + FARTHEST)
    if min(width, height) <= 0:
        raise ValueError(value)
    return left, bottom, width, height


def _white(value: Any) -> tuple[float, ...]:
    return _bounded(value, 3, 0, MOST_GAIN) if isinstance(value, list) else white_gains(_real(value))


def _size(value: Any) -> tuple[int, int]:
    if not isinstance(value, str):
        raise TypeError(value)
    return size_of(value)


def _place(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError(value)
    place_of(str(value))
    return str(value)


def _region(value: Any) -> tuple[float, ...]:
    found = _bounded(value, 4, 0, 1)
    return region_of(",".join(map(str, found)))


Size: TypeAlias = Annotated[
    tuple[int, int], _checked(_size, "WIDTHxHEIGHT in quotes, each 16..16384 pixels"), Field(strict=False)
]
SharedPlace: TypeAlias = Annotated[
    str, _checked(_share, '"KIND:NAME", such as "ndi:stage", with KIND one of ' + ", ".join(KINDS))
]
Place: TypeAlias = Annotated[str, _checked(_place, '"HOST:PORT" or a port 0..65535')]
CameraRegion: TypeAlias = Annotated[
    tuple[float, float, float, float],
    _checked(_region, "[left, top, right, bottom], each 0..1, left below right and top below bottom"),
]
CanvasPart: TypeAlias = Annotated[
    tuple[float, float, float, float],
    _checked(_canvas_part, "[left, bottom, width, height], 1 is the whole canvas, width and height above 0"),
]
CornerPoints: TypeAlias = Annotated[
    tuple[Point, Point, Point, Point],
    _checked(_corners, "4 points [x, y] within -10..11: lower left, lower right, upper right, upper left"),
]
MeshPoints: TypeAlias = Annotated[
    Mesh,
    _checked(
        _rows,
        "rows of points [x, y] within -10..11, the lowest row first, all of one length, 2x2 or more",
    ),
]
Polygon: TypeAlias = Annotated[
    tuple[Point, ...], _checked(_polygon, "3 points [x, y] or more, each within -10..11")
]
White: TypeAlias = Annotated[
    tuple[float, float, float],
    _checked(_white, "a colour temperature 1667..25000 (kelvin), or the gains [red, green, blue], each 0..4"),
]
