"""Generated pictures on their way to the display: kept, blended, and fitted to the output's shape.

A 256² picture on a wall needs a better filter than the bilinear one. Three passes, each over as few
pixels as it can: `spread` blends the last two pictures at their own size, lays them out by mirrored or
repeated edges and sharpens; `tall` and `wide` are the two halves of a cubic B-spline, one axis each
(Unser, "Splines: a perfect fit for signal and image processing", IEEE Signal Processing Magazine 1999).
The sharpening takes back most of what the spline's kernel (1, 4, 1)/6 softens: a sixth of the Laplacian
is the exact answer for slow waves, a half for the finest stripes; a quarter, sharpness 1, was nearest to
the original of a drawn test picture that was shrunk to 256² and brought back.

Figures from one run on llvmpipe, 256² to 1280x720, in units of one bilinear pass: 4 bilinear taps in one pass
3.9; two passes of 2 bilinear taps 2.9; two passes of 4 texel fetches 1.8, which is what is done here.
16-bit floats in between doubled the last pass; every pass is dithered instead, so that slow gradients
do not turn into steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from perform.arrays import AnyPixels
from perform.clock import Moment
from perform.parameters import Parameter, Values
from perform.render.strips import Strip
from perform.render.targets import Target

if TYPE_CHECKING:
    import moderngl

    from perform.render.bridges import Bridges


FITS = ("mirror", "fill", "tile", "fit")
PARAMETERS = (
    Parameter(
        "fit",
        "mirror",
        kind="choice",
        choices=FITS,
        description="how a picture fills the frame: mirrored, cropped, repeated, or with black bars",
    ),
    Parameter("sharpness", 1.0, 0.0, 2.0, description="0 soft, 1 as the picture is, 2 crisp"),
)

# What a texel is: its colour, or its colour times its alpha, and that. So nothing dark comes in at the
# edges of what is clear, and a picture alone is seen as it is on black.
_OPAQUE = """
#define TEXEL vec3
vec3 seen(vec4 texel) { return texel.rgb; }
vec4 drawn(vec3 texel, vec2 at) { return vec4(dithered(texel, at), 1.0); }
"""
_CLEAR = """
#define TEXEL vec4
vec4 seen(vec4 texel) { return vec4(texel.rgb * texel.a, texel.a); }
vec4 drawn(vec4 texel, vec2 at) { return vec4(min(dithered(texel.rgb, at), texel.a), texel.a); }
"""
_SPREAD = """
uniform sampler2D newest;
uniform sampler2D before;
uniform ivec2 origin;    // the texel of the picture at the lower left
uniform vec2 extent;     // of the picture in texels
uniform int level;       // of the pictures' mipmaps
uniform int fit;         // 0 mirror, 1 fill, 2 tile, 3 fit
uniform float blend;
uniform float sharpness;

vec2 placed(vec2 at) {
    if (fit == 2) return at - extent * floor(at / extent);
    if (fit == 0) {
        vec2 folded = at - 2.0 * extent * floor(at / (2.0 * extent));
        return min(folded, 2.0 * extent - 1.0 - folded);
    }
    return clamp(at, vec2(0.0), extent - 1.0);
}

TEXEL texel(vec2 at) {
    vec2 inside = placed(at);
    ivec2 pixel = ivec2(inside.x, extent.y - 1.0 - inside.y);
    TEXEL now = seen(texelFetch(newest, pixel, level));
    return blend < 1.0 ? mix(seen(texelFetch(before, pixel, level)), now, blend) : now;
}

void main() {
    vec2 at = floor(gl_FragCoord.xy) + vec2(origin);
    TEXEL here = texel(at);
    TEXEL beside = texel(at + vec2(1, 0)) + texel(at - vec2(1, 0));
    TEXEL around = beside + texel(at + vec2(0, 1)) + texel(at - vec2(0, 1));
    color = drawn(here + sharpness / 4.0 * (4.0 * here - around), gl_FragCoord.xy);
}
"""
_SPLINE = """
uniform sampler2D image;
uniform vec2 axis;  // texels per pixel, texel of pixel 0

void main() {
    ivec2 pixel = ivec2(gl_FragCoord.xy);
    float at = gl_FragCoord.AXIS * axis.x + axis.y;
    float whole = floor(at);
    float t = at - whole;
    float u = 1.0 - t;
    vec2 inner = 4.0 - 3.0 * vec2(t * t * (1.0 + u), u * u * (1.0 + t));
    vec4 weights = vec4(u * u * u, inner, t * t * t) / 6.0;
    pixel.AXIS = int(whole) - 1;
    pixel.OTHER -= OFFSET;
    TEXEL sum = weights.x * TEXEL(texelFetch(image, pixel, 0));
    pixel.AXIS += 1;
    sum += weights.y * TEXEL(texelFetch(image, pixel, 0));
    pixel.AXIS += 1;
    sum += weights.z * TEXEL(texelFetch(image, pixel, 0));
    pixel.AXIS += 1;
    sum += weights.w * TEXEL(texelFetch(image, pixel, 0));
    color = drawn(sum, gl_FragCoord.xy);
}
"""
_TALL = _SPLINE.replace("AXIS", "y").replace("OTHER", "x").replace("OFFSET", "0")
_WIDE = "uniform int lowest;\n" + _SPLINE.replace("AXIS", "x").replace("OTHER", "y").replace(
    "OFFSET", "lowest"
)


@dataclass(frozen=True, slots=True)
class Span:
    """One axis of the way from picture to output. Pixels `start`..`start` + `length` of the output show
    the picture; pixel x shows the texel (x + 0.5) * `step` + `shift` of `texels` laid-out ones, the first
    of which is texel `origin` of the picture."""

    start: int
    length: int
    step: float
    shift: float
    origin: int
    texels: int

    @classmethod
    def of(cls, picture: int, output: int, scale: float, framed: bool) -> Span:
        """`scale` is in pixels per texel; a `framed` picture is shown once, with black around it."""
        length = min(output, max(round(picture * scale), 1)) if framed else output
        start = (output - length) // 2
        first = picture / 2 - length / 2 / scale - 0.5  # where the region's left edge falls, in texels
        origin = math.floor(first) - 1
        shift = first - origin - start / scale
        return cls(start, length, 1 / scale, shift, origin, math.floor(first + length / scale) - origin + 3)


class Pictures:
    """The last two pictures of a source, drawn at `size` (width, height) as one image between them; with
    `alpha` the image has that of the pictures, its colours multiplied by it. `bridges` take pictures that are
    on a graphics card."""

    parameters = PARAMETERS

    def __init__(
        self,
        context: moderngl.Context,
        size: tuple[int, int],
        alpha: bool = False,
        bridges: Bridges | None = None,
    ) -> None:
        self.size, self._alpha, self._bridges = size, alpha, bridges
        self._context = context
        self._held: list[moderngl.Texture] = []  # newest first, at most two
        self._drawn: tuple[float, float, str] | None = None  # what the output shows
        self._shape: tuple[tuple[int, int], str] | None = None
        texel = _CLEAR if alpha else _OPAQUE
        self._spread, self._tall, self._wide = (
            Strip(context, texel + one) for one in (_SPREAD, _TALL, _WIDE)
        )
        self._targets: list[Target] = []
        self._output = Target(context, size)

    @property
    def begun(self) -> bool:
        """Whether there is a picture to show."""
        return bool(self._held)

    def warm(self, size: tuple[int, int]) -> None:
        """Draw a black picture of some size and forget it: drivers compile when they draw first."""
        self.upload(np.zeros((size[1], size[0], 3), np.uint8))
        self._draw(1.0, 1.0, FITS[0])
        self._forget()

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size (width, height) from the next image on."""
        self.size = size

    def upload(self, picture: AnyPixels) -> None:
        """Take the newest picture [height, width, 1 | 3 | 4], sRGB, top row first.

        The one before stays for blending, unless the new one has another size or depth.
        """
        if isinstance(picture, np.ndarray) and picture.ndim == 2:
            picture = picture[:, :, None]
        height, width, channels = picture.shape
        if self._held and (self._held[0].size, self._held[0].components) != ((width, height), channels):
            self._forget()
        if len(self._held) < 2:
            self._held.insert(0, self._texture(width, height, channels))
        else:
            self._held.reverse()
        self._write(self._held[0], picture)
        self._drawn = None

    def _write(self, texture: moderngl.Texture, picture: AnyPixels) -> None:
        if isinstance(picture, np.ndarray):
            texture.write(np.ascontiguousarray(picture), alignment=1)
        elif self._bridges:
            self._bridges.upload(texture, picture)
        else:
            texture.write(picture.pixels(), alignment=1)

    def render(self, moment: Moment, values: Values, blend: float = 1.0) -> moderngl.Texture:
        """The image at `blend` between the picture before (0) and the newest (1); black before the
        first. `values` has `fit` and `sharpness`. Nothing is drawn when nothing has changed."""
        if self._output.size != self.size:
            self._output.release()
            self._output = Target(self._context, self.size)
            self._shape = self._drawn = None
        if not self._held:
            return self._output.texture
        blend = min(max(blend, 0.0), 1.0) if len(self._held) == 2 else 1.0
        wanted = blend, float(values["sharpness"]), values["fit"]
        if wanted != self._drawn:
            self._draw(*wanted)
            self._drawn = wanted
        return self._output.texture

    def release(self) -> None:
        """Release textures; safe to call twice."""
        self._forget()
        for target in (*self._targets, self._output):
            target.release()
        self._targets = []

    def _forget(self) -> None:
        for texture in self._held:
            if self._bridges:
                self._bridges.forget(texture)
            texture.release()
        self._held = []
        self._shape = self._drawn = None

    def _texture(self, width: int, height: int, channels: int) -> moderngl.Texture:
        texture = self._context.texture((width, height), channels, alignment=1)
        texture.swizzle = {1: "RRR1", 3: "RGB1"}.get(channels, "RGBA" if self._alpha else "RGB1")
        return texture

    def _draw(self, blend: float, sharpness: float, fit: str) -> None:
        self._lay_out(fit)
        newest, before = self._held[0], self._held[-1]
        for texture in {newest, before} if self._level else ():
            texture.build_mipmaps(max_level=self._level)
        newest.use(0)
        before.use(1)
        spread, tall = self._targets
        self._spread.draw(spread, blend=blend, sharpness=sharpness)
        spread.texture.use(0)
        self._tall.draw(tall)
        tall.texture.use(0)
        self._wide.draw(self._output, self._region)

    def _lay_out(self, fit: str) -> None:
        """Sizes and places of the three passes, when the picture, the output or the fit is another."""
        picture = self._held[0].size
        if (picture, fit) == self._shape:
            return
        self._shape = picture, fit
        self._level, across, up = spans(picture, self.size, fit)
        for target in self._targets:
            target.release()
        laid = across.texels, up.texels
        self._targets = [Target(self._context, laid), Target(self._context, (across.texels, up.length))]
        self._output.framebuffer.clear()
        self._region = (across.start, up.start, across.length, up.length)
        extent = tuple(max(side >> self._level, 1) for side in picture)
        self._spread.set(newest=0, before=1, level=self._level, fit=FITS.index(fit), extent=extent)
        self._spread.set(origin=(across.origin, up.origin))
        self._tall.set(image=0, axis=(up.step, up.shift + up.start * up.step))
        self._wide.set(image=0, axis=(across.step, across.shift), lowest=up.start)


def spans(picture: tuple[int, int], output: tuple[int, int], fit: str) -> tuple[int, Span, Span]:
    """The mipmap level to start from, and both axes from a picture to an output, sizes as (width, height)."""
    ratios = [there / here for here, there in zip(picture, output, strict=True)]
    scale = max(ratios) if fit == "fill" else min(ratios)
    level = min(max(math.ceil(-math.log2(scale) - 0.5), 0), int(math.log2(min(picture))))
    sides = [max(side >> level, 1) for side in picture]
    scales = [scale * here / side for here, side in zip(picture, sides, strict=True)]
    across, up = (Span.of(*axis, fit == "fit") for axis in zip(sides, output, scales, strict=True))
    return level, across, up
