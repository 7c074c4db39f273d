"""The last pass of one display: the picture through a `Projection`, with the master, blackout, gamma and
dither of `Present` after it.

What is outside of the warped picture, or of the canvas, is black. A corner pin is a homography: the weights
of the corners make the graphics card interpolate in perspective, so straight lines stay straight. In the
overlap of two projectors the light of their soft edges, t²(3 - 2t) from either side, sums to 1.
"""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from perform.render.masks import MaskPicture
from perform.render.present import Present, dither_shift, shown
from perform.render.strips import Region, Strip
from perform.render.targets import Target
from perform.render.warp import surface
from perform.scenes.look import Look
from perform.scenes.projection import WHOLE, ColourCorrection, Projection

if TYPE_CHECKING:
    import moderngl

# Rows of points from a texture, each row of pieces drawn as a strip of its own; the outermost are beyond the
# picture, where its edges are smoothed.
_WARPED = """#version 410 core
uniform sampler2D points;
out vec2 place;
void main() {
    ivec2 at = ivec2(gl_VertexID >> 1, gl_InstanceID + (gl_VertexID & 1));
    vec3 pinned = texelFetch(points, at, 0).xyz;
    place = vec2(at - 1) / vec2(textureSize(points, 0) - 3);
    gl_Position = vec4(pinned.xy * 2.0 - pinned.z, 0.0, pinned.z);
}
"""
_PROJECT = """
uniform sampler2D image;
uniform mat2 turn;      // from the picture to the canvas, around their middles
uniform vec2 middle;    // of what is seen of the canvas
uniform float master;
uniform float shift;

void main() {
    float edge = inside(place);
    vec2 at = clamp(place, 0.0, 1.0);
    vec2 there = turn * (at - 0.5) + middle, away = abs(there - 0.5);
    float lit = edge * step(max(away.x, away.y), 0.50001);  // beyond the canvas it is black
    vec3 value = texture(image, there).rgb;
    value = corrected(coloured(value)) * (lit * let_through() * softened(at) * master);
    if (edge <= 0.0) discard;  // a surface may lie over itself: what is beyond its edge hides nothing
    color = vec4(dithered(value, gl_FragCoord.xy + shift), 1.0);
}
"""
_EDGES = """
float inside(vec2 at) {
    vec2 across = dFdx(at), up = dFdy(at);
    vec2 pixel = max(sqrt(across * across + up * up), 1e-7);
    vec2 covered = clamp(min(at, 1.0 - at) / pixel + 0.5, 0.0, 1.0);
    return covered.x * covered.y;
}
"""
_NO_EDGES = "float inside(vec2 at) { return 1.0; }\n"
_MASKED = """
uniform sampler2D mask;
uniform ivec2 corner;   // of the display in the framebuffer
float let_through() { return texelFetch(mask, ivec2(gl_FragCoord.xy) - corner, 0).r; }
"""
_NO_MASKS = "float let_through() { return 1.0; }\n"
_COLOURED = """
uniform float contrast, brightness, curve;
uniform vec3 white;
vec3 coloured(vec3 value) {
    value = (clamp(value, 0.0, 1.0) - 0.5) * contrast + 0.5 + brightness;
    return clamp(pow(clamp(value, 0.0, 1.0), vec3(curve)) * white, 0.0, 1.0);
}
"""
_NO_COLOUR = "vec3 coloured(vec3 value) { return value; }\n"
_GAMMA = """
uniform float exponent;
vec3 corrected(vec3 value) { return pow(clamp(value, 0.0, 1.0), vec3(exponent)); }
"""
_NO_GAMMA = "vec3 corrected(vec3 value) { return value; }\n"
_BLENDED = """
uniform vec4 widths;    // left, right, bottom, top
uniform float encoding;
float softened(vec2 at) {
    vec4 t = clamp(vec4(at.x, 1.0 - at.x, at.y, 1.0 - at.y) / max(widths, 1e-6), 0.0, 1.0);
    t = max(t, vec4(lessThanEqual(widths, vec4(0.0))));  // an edge that is not soft is lit to its end
    vec4 part = t * t * (3.0 - 2.0 * t);
    return pow(part.x * part.y * part.z * part.w, encoding);
}
"""
_NOT_BLENDED = "float softened(vec2 at) { return 1.0; }\n"


class Variant(NamedTuple):
    """What a program does; software pays for both sides of a branch."""

    warped: bool
    masked: bool
    coloured: bool
    gamma: bool
    blended: bool

    def text(self) -> str:
        """Its fragment shader."""
        parts = (
            _EDGES if self.warped else _NO_EDGES,
            _MASKED if self.masked else _NO_MASKS,
            _COLOURED if self.coloured else _NO_COLOUR,
            _GAMMA if self.gamma else _NO_GAMMA,
            _BLENDED if self.blended else _NOT_BLENDED,
        )
        return "".join((*parts, _PROJECT))


class Projector:
    """Draws finished images in a context through a projection, in the place of a `Present`.

    The projection may be set anew at any time. A plain one is drawn as `Present` does. One with `faults()` in
    its geometry is black.
    """

    def __init__(
        self, context: moderngl.Context, size: tuple[int, int], projection: Projection | None = None
    ) -> None:
        self._context = context
        self._present = Present(context, size)
        self._masks = MaskPicture(context)
        self._strips: dict[Variant, Strip] = {}
        self._points: moderngl.Texture | None = None
        self.projection = projection or Projection()

    @property
    def projection(self) -> Projection:
        """What it draws through."""
        return self._projection

    @projection.setter
    def projection(self, projection: Projection) -> None:
        self._projection = projection
        self._plain, self._drawable = projection.is_plain, not projection.faults()
        self._stale = True

    def draw(
        self, image: moderngl.Texture, framebuffer: moderngl.Framebuffer, viewport: Region, look: Look
    ) -> None:
        """The frame into `viewport` (x, y, width, height) of a framebuffer. The image may be of another
        context, if that shares its textures."""
        if self._plain:
            self._present.draw(image, framebuffer, viewport, look)
            return
        dark = look.blackout or look.master <= 0 or not self._drawable
        if dark or self._projection.is_warped:
            framebuffer.use()
            framebuffer.clear(alpha=1.0, viewport=viewport)
        if not dark:
            self._draw(image, framebuffer, viewport, look)

    def warm(self) -> None:
        """Compile what any projection may need, and draw it once, for that is when drivers compile: so no
        frame is late when a projection is edited while it shows a picture."""
        target = Target(self._context, (1, 1))
        for flags in product((False, True), repeat=len(Variant._fields)):
            variant = Variant(*flags)
            self._compile(variant)
            self._strips[variant].over(target.framebuffer, (0, 0, 1, 1))
        target.release()
        self._masks.render((), (1, 1))

    def release(self) -> None:
        """Release textures; safe to call twice."""
        self._present.release()
        self._masks.release()
        if self._points:
            self._points.release()
        self._points = None
        self._stale = True

    def _draw(
        self, image: moderngl.Texture, framebuffer: moderngl.Framebuffer, viewport: Region, look: Look
    ) -> None:
        projection, size = self._projection, viewport[2:]
        strip, pieces = self._strip(look), {}
        if projection.is_warped:
            points = self._warp()
            points.use(1)
            strip.set(points=1)
            pieces = {"vertices": 2 * points.width, "instances": points.height - 1}
        if projection.masks:
            self._masks.render(projection.masks, size).use(2)
            strip.set(mask=2, corner=viewport[:2])
        if look.gamma != 1:
            strip.set(exponent=1 / look.gamma)
        strip.set(image=0, master=min(look.master, 1.0), shift=dither_shift(look.frame))
        strip.set(**_seen(projection, image.size, size))
        image.use(0)  # by its number, in the context that is current
        strip.over(framebuffer, viewport, **pieces)

    def _strip(self, look: Look) -> Strip:
        """The program for the projection as it is, with those of its uniforms that stay."""
        one, colour, blend = self._projection, self._projection.colour, self._projection.blend
        coloured = colour != ColourCorrection()
        variant = Variant(one.is_warped, bool(one.masks), coloured, look.gamma != 1, not blend.is_plain)
        for gamma in (False, True):  # both, so that no frame is late when the show's gamma changes
            self._compile(variant._replace(gamma=gamma))
        strip = self._strips[variant]
        if coloured:
            strip.set(contrast=colour.contrast, brightness=colour.brightness)
            strip.set(curve=1 / colour.gamma, white=colour.white)
        if variant.blended:
            widths = blend.left, blend.right, blend.bottom, blend.top
            strip.set(widths=widths, encoding=1 / blend.gamma)
        return strip

    def _compile(self, variant: Variant) -> None:
        """The program of a variant, unless it is there."""
        if variant not in self._strips:
            vertex = {"vertex": _WARPED} if variant.warped else {}
            self._strips[variant] = Strip(self._context, variant.text(), **vertex)

    def _warp(self) -> moderngl.Texture:
        """The points of the surface, uploaded when the projection has changed."""
        if self._points and not self._stale:
            return self._points
        points = surface(self._projection.mesh, self._projection.corners)
        rows, columns, _ = points.shape
        if self._points and self._points.size != (columns, rows):
            self._points.release()
            self._points = None
        self._points = self._points or self._context.texture((columns, rows), 3, dtype="f4")
        self._points.write(points.tobytes())
        self._stale = False
        return self._points


def _seen(
    projection: Projection, canvas: tuple[int, int], display: tuple[int, int]
) -> dict[str, tuple[float, ...]]:
    """The uniforms that say which place of the canvas each place of the picture shows."""
    left, bottom, width, height = projection.part
    if projection.part == WHOLE and not projection.is_warped:
        lying = projection.rotation % 180 == 90
        width, height = shown(canvas, display[::-1] if lying else display)
    angle = math.radians(projection.rotation)
    cos, sin, mirror = round(math.cos(angle)), round(math.sin(angle)), -1 if projection.flip else 1
    return {
        "turn": (width * cos * mirror, -height * sin * mirror, width * sin, height * cos),  # column by column
        "middle": (left + projection.part[2] / 2, bottom + projection.part[3] / 2),
    }
