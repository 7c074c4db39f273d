"""What draws on a display: the picture through its projection, a test card, and the handles of the editor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from perform.arrays import Doubles, Floats
from perform.render.present import Present
from perform.render.projection import Projector
from perform.scenes.look import Look
from perform.scenes.projection import Point, Projection
from perform.venue.shapes import Line

if TYPE_CHECKING:
    import moderngl

LINE, POINT, CHOSEN = (0.9, 0.9, 0.9), (1.0, 1.0, 1.0), (0.0, 0.85, 1.0)
SHADOW = (0.0, 0.0, 0.0)  # below all of them: they are seen on any picture
THIN, SMALL, LARGE = 2.0, 9.0, 15.0  # pixels of a line, a point, and the chosen one
_VERTEX = """#version 410 core
in vec2 corner;
in vec3 ink;
out vec3 shade;
void main() {
    shade = ink;
    gl_Position = vec4(corner * 2.0 - 1.0, 0.0, 1.0);
}
"""
_FRAGMENT = """#version 410 core
in vec3 shade;
out vec4 color;
void main() { color = vec4(shade, 1.0); }
"""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What the editor draws over a display, whose places are 0..1 from the lower left: lines [n, 2], and
    points, of which one is `chosen`."""

    lines: Sequence[Line]
    points: Sequence[Point]
    chosen: int = 0


class DisplayPresenter:
    """Draws one display in its context: pictures through `projection`, or as they are while it shows a
    `plain` one, and the `overlay` of the editor over them."""

    def __init__(
        self, context: moderngl.Context, size: tuple[int, int], projection: Projection | None = None
    ) -> None:
        self._context = context
        self._projector, self._present = Projector(context, size, projection), Present(context, size)
        self._projector.warm()
        self._marks: tuple[moderngl.Program, moderngl.Buffer, moderngl.VertexArray] | None = None
        self._drawn: tuple[Overlay, tuple[int, int], int] | None = None  # for which size, how many corners
        self.plain = False
        self.overlay: Overlay | None = None

    @property
    def projection(self) -> Projection:
        """What pictures are drawn through."""
        return self._projector.projection

    @projection.setter
    def projection(self, projection: Projection) -> None:
        if projection != self._projector.projection:
            self._projector.projection = projection

    def show(self, image: moderngl.Texture, size: tuple[int, int], look: Look) -> None:
        """Draw into the window of the context, which is of `size` (width, height)."""
        self.draw(image, self._context.screen, size, look)

    def draw(
        self, image: moderngl.Texture, framebuffer: moderngl.Framebuffer, size: tuple[int, int], look: Look
    ) -> None:
        """Draw into a framebuffer of `size`."""
        draws = self._present if self.plain else self._projector
        draws.draw(image, framebuffer, (0, 0, *size), look)
        if self.overlay:
            self._mark(self.overlay, framebuffer, size)

    def release(self) -> None:
        """Release what it draws with; safe to call twice."""
        self._projector.release()
        self._present.release()
        for one in self._marks or ():
            one.release()
        self._marks = None

    def _mark(self, overlay: Overlay, framebuffer: moderngl.Framebuffer, size: tuple[int, int]) -> None:
        if self._drawn is None or self._drawn[0] is not overlay or self._drawn[1] != size:
            corners = triangles(overlay, size)
            self._upload(corners.tobytes())
            self._drawn = overlay, size, len(corners)
        assert self._marks is not None
        framebuffer.use()
        framebuffer.viewport = (0, 0, *size)
        self._marks[2].render(self._context.TRIANGLES, self._drawn[2])

    def _upload(self, content: bytes) -> None:
        """Write corners of triangles where the program reads them."""
        if self._marks is None or self._marks[1].size < len(content):
            for one in self._marks or ():
                one.release()
            program = self._context.program(vertex_shader=_VERTEX, fragment_shader=_FRAGMENT)
            buffer = self._context.buffer(reserve=2 * len(content) + 1024)
            array = self._context.vertex_array(program, [(buffer, "2f 3f", "corner", "ink")])
            self._marks = program, buffer, array
        self._marks[1].write(content)


def triangles(overlay: Overlay, size: tuple[int, int]) -> Floats:
    """The corners [3 n, 5] of the triangles that draw an overlay on a display of `size` (width, height): x
    and y 0..1, and a colour."""
    pixels = np.array(size, np.float64)
    begins = np.concatenate([np.zeros((0, 2)), *(line[:-1] for line in overlay.lines)]) * pixels
    ends = np.concatenate([np.zeros((0, 2)), *(line[1:] for line in overlay.lines)]) * pixels
    found = [_thick(begins, ends, THIN + 2, SHADOW), _thick(begins, ends, THIN, LINE)]
    middles = np.array(overlay.points, np.float64).reshape(-1, 2) * pixels
    chosen = np.arange(len(middles)) == overlay.chosen
    for places, side, colour in ((middles[~chosen], SMALL, POINT), (middles[chosen], LARGE, CHOSEN)):
        for wide, ink in ((side + 2, SHADOW), (side, colour)):
            half = np.array([wide / 2, 0.0])
            found.append(_thick(places - half, places + half, wide, ink))
    corners = np.concatenate(found)
    corners[:, :2] /= pixels
    return corners.astype(np.float32)


def _thick(begin: Doubles, end: Doubles, width: float, colour: tuple[float, float, float]) -> Doubles:
    """Lines from [n, 2] to [n, 2] of a width, as two triangles each [6 n, 5]."""
    along = end - begin
    length = np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    beside = np.stack([-along[:, 1], along[:, 0]], 1) * (width / 2 / length)
    a, b, c, d = begin - beside, begin + beside, end - beside, end + beside
    corners = np.stack([a, b, c, c, b, d], 1).reshape(-1, 2)
    return np.concatenate([corners, np.tile(colour, (len(corners), 1))], axis=1)
