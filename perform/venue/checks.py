"""What of a venue can be played but is perhaps a mistake: a sentence each, without the name of its file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from perform.parameters import names_meant
from perform.scenes.projection import Mask, Point, Projection
from perform.venue.reader import Venue, VenueDisplay

# As they follow each other when a picture turns to the left.
TURNED_EDGES = ("right", "top", "left", "bottom")
SLACK = 1e-6  # of the canvas
GRID = 64  # points of a display, each way, at which masks are tried


def warnings(venue: Venue, monitors: Sequence[str] | None) -> list[str]:
    """What is perhaps wrong with a venue; `monitors` are the names of those that are plugged in, None if that
    is not known."""
    found = [*_missing(venue, monitors)] if monitors is not None else []
    for display in venue.displays:
        found += _alone(display)
    for one, other in combinations(venue.displays, 2):
        found += _overlap(one, other)
    return found


def _missing(venue: Venue, monitors: Sequence[str]) -> Iterator[str]:
    """Monitors that are not plugged in, or whose name could be any of several."""
    wanted = [(f"display {one.name}", one.monitor) for one in venue.displays]
    wanted += [("the operator's window", venue.operator.monitor)] * bool(venue.operator.monitor)
    for what, name in wanted:
        found = names_meant(name, monitors)
        if not found:
            yield f"{what}: monitor {name!r} is not plugged in; there are: {', '.join(monitors) or 'none'}"
        elif len(found) > 1:
            yield f"{what}: monitor {name!r} could be any of several: {', '.join(found)}"


def _alone(display: VenueDisplay) -> Iterator[str]:
    """What is odd about one display."""
    projection = display.projection
    left, bottom, width, height = projection.part
    if min(left, bottom) < -SLACK or max(left + width, bottom + height) > 1 + SLACK:
        text = ", ".join(f"{one:g}" for one in projection.part)
        yield f"display {display.name}: shows = [{text}] is partly outside of the canvas, there it is black"
    if projection.masks and hidden(projection.masks):
        yield f"display {display.name}: its masks hide everything"
    blend = projection.blend
    for first, second in (("left", "right"), ("bottom", "top")):
        total = getattr(blend, first) + getattr(blend, second)
        if total > 1 + SLACK:
            yield f"display {display.name}: blend {first} and {second} are {total:g} together, more than 1"


def hidden(masks: Sequence[Mask]) -> bool:
    """Whether nothing of a display can be seen behind its masks."""
    steps = (np.arange(GRID) + 0.5) / GRID
    x, y = np.meshgrid(steps, steps)
    seen = np.ones_like(x, bool)
    for mask in masks:
        inside = np.zeros_like(seen)
        for (x0, y0), (x1, y1) in _sides(mask.points):
            crosses = (y0 > y) != (y1 > y)
            with np.errstate(divide="ignore", invalid="ignore"):
                inside ^= crosses & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
        seen &= inside if mask.invert else ~inside
    return not seen.any()


def _sides(points: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    return zip(points, [*points[1:], points[0]], strict=True)


def _overlap(one: VenueDisplay, other: VenueDisplay) -> Iterator[str]:
    """Displays beside each other whose parts overlap without soft edges. Two of one part are meant so."""
    if np.allclose(one.projection.part, other.projection.part, atol=SLACK):
        return
    a, b = _box(one.projection), _box(other.projection)
    across = min(a["right"], b["right"]) - max(a["left"], b["left"])
    down = min(a["top"], b["top"]) - max(a["bottom"], b["bottom"])
    if across <= SLACK or down <= SLACK:
        return
    beside = across / min(a["right"] - a["left"], b["right"] - b["left"])
    above = down / min(a["top"] - a["bottom"], b["top"] - b["bottom"])
    low, high, size = ("left", "right", across) if beside <= above else ("bottom", "top", down)
    first, second = (one, other) if a[low] <= b[low] else (other, one)
    for display, edge in ((first, high), (second, low)):
        projection = display.projection
        soft = picture_edge(edge, projection)
        if not getattr(projection.blend, soft):
            width = size / projection.part[2 if edge in ("left", "right") else 3]
            other_name = second.name if display is first else first.name
            yield (
                f"display {display.name} overlaps {other_name} without a soft edge:"
                f" blend = {{ {soft} = {width:.4g} }}"
            )


def _box(projection: Projection) -> Mapping[str, float]:
    left, bottom, width, height = projection.part
    return {"left": left, "bottom": bottom, "right": left + width, "top": bottom + height}


def picture_edge(edge: str, projection: Projection) -> str:
    """Where an edge of the canvas' part is in the picture, which is turned and mirrored."""
    turned = TURNED_EDGES[(TURNED_EDGES.index(edge) + projection.rotation // 90) % 4]
    if projection.flip:
        return {"left": "right", "right": "left"}.get(turned, turned)
    return turned
