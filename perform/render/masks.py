"""The masks of a display as one picture of how much light it lets through."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from perform.arrays import Floats
from perform.render.strips import Strip
from perform.scenes.projection import Mask

if TYPE_CHECKING:
    import moderngl

# A row for each mask: its number of sides, feather in pixels and inversion, then the ends of its sides.
_MASKS = """
uniform sampler2D sides;
uniform ivec2 count;   // of the columns and rows that are used
uniform vec2 extent;   // of the display in pixels

float beyond(vec2 at, int row, int ends) {  // pixels from the polygon, below 0 inside of it
    float nearest = 1e20, outside = 1.0;
    for (int i = 1; i <= ends; i++) {
        vec4 side = texelFetch(sides, ivec2(i, row), 0);
        vec2 along = side.zw - side.xy, from = at - side.xy;
        vec2 off = from - along * clamp(dot(from, along) / max(dot(along, along), 1e-9), 0.0, 1.0);
        nearest = min(nearest, dot(off, off));
        bool crosses = (side.y > at.y) != (side.w > at.y);
        if (crosses && from.x < along.x * from.y / along.y) outside = -outside;
    }
    return outside * sqrt(nearest);
}

void main() {
    float light = 1.0;
    for (int row = 0; row < count.y; row++) {
        vec4 mask = texelFetch(sides, ivec2(0, row), 0);
        float away = beyond(place * extent, row, int(mask.x)) * mask.z;
        light *= mask.y > 1.0 ? smoothstep(0.0, mask.y, away) : clamp(away + 0.5, 0.0, 1.0);
    }
    color = vec4(light);
}
"""


class MaskPicture:
    """The light that all masks of a display let through, drawn again when they or its size change."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._drawn: tuple[Sequence[Mask], tuple[int, int]] | None = None
        self._texture: moderngl.Texture | None = None

    def render(self, masks: Sequence[Mask], size: tuple[int, int]) -> moderngl.Texture:
        """A texture of `size` (width, height) with one channel, 0..1; the framebuffer in use changes."""
        if self._texture and self._drawn == (masks, size):
            return self._texture
        self.release()
        self._texture = self._context.texture(size, 1, dtype="f2")
        self._draw(table(masks, size))
        self._drawn = masks, size
        return self._texture

    def release(self) -> None:
        """Release the texture; safe to call twice."""
        if self._texture:
            self._texture.release()
        self._texture = None

    def _draw(self, sides: Floats) -> None:
        assert self._texture
        rows, columns, _ = sides.shape
        given = self._context.texture((columns, rows), 4, sides.tobytes(), dtype="f4")
        target = self._context.framebuffer([self._texture])
        given.use(0)
        size = self._texture.size
        strip = Strip(self._context, _MASKS)
        strip.over(target, (0, 0, *size), sides=0, count=(columns, rows), extent=size)
        self._context.detect_framebuffer(0).use()
        target.release()
        given.release()


def table(masks: Sequence[Mask], size: tuple[int, int]) -> Floats:
    """What the graphics card reads of masks [masks, 1 + sides, 4], in pixels; those without an area are
    left out."""
    usable = [one for one in masks if len(one.points) > 2 and np.isfinite(one.points).all()]
    most = max((len(one.points) for one in usable), default=0)
    sides = np.zeros((max(len(usable), 1), 1 + most, 4), np.float32)
    sides[0, 0] = 0, 0, 1, 0
    for row, mask in zip(sides, usable, strict=False):
        points = np.array(mask.points) * size
        row[0, :3] = len(points), mask.feather * size[1], -1 if mask.invert else 1
        row[1 : 1 + len(points)] = np.concatenate([points, np.roll(points, -1, 0)], axis=1)
    return sides
