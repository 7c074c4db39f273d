"""The last pass: master fade, blackout, gamma and dither, to a texture or to a window.

How light is handled, here and nowhere else: every texture of the chain holds sRGB-encoded values, as
pictures, cameras and ISF shaders have them; nothing is linearised on the way, blends and
fades are made in encoded values as in other VJ programs, and framebuffers never convert
(GL_FRAMEBUFFER_SRGB stays off). What leaves here is sRGB for screens, files and streams. `gamma` is
the one correction: an exponent 1 / gamma for projectors that show mid-tones too dark (> 1) or too
light (< 1). Alpha ends here: what is seen are the colours as they are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perform.render.strips import Region, Strip
from perform.render.targets import Target
from perform.scenes.look import Look

if TYPE_CHECKING:
    import moderngl

_PRESENT = """
uniform sampler2D image;
uniform vec2 shown;     // share of the image that is seen, per axis
uniform float master;
uniform float shift;

void main() {
    vec3 value = texture(image, (place - 0.5) * shown + 0.5).rgb;
    value = corrected(value);
    color = vec4(dithered(value * master, gl_FragCoord.xy + shift), 1.0);
}
"""
# Two programs, for llvmpipe pays for both sides of a branch, and pow doubles the pass.
_PLAIN = "vec3 corrected(vec3 value) { return value; }\n"
_GAMMA = """
uniform float exponent;
vec3 corrected(vec3 value) { return pow(clamp(value, 0.0, 1.0), vec3(exponent)); }
"""


class Present:
    """Draws finished images in a context: to a texture of `size` (width, height), or into a window."""

    def __init__(self, context: moderngl.Context, size: tuple[int, int]) -> None:
        self.size = size
        self._context = context
        self._plain = Strip(context, _PLAIN + _PRESENT)
        self._gamma = Strip(context, _GAMMA + _PRESENT)
        self._target: Target | None = None  # a window needs none

    def render(self, image: moderngl.Texture, look: Look) -> moderngl.Texture:
        """The frame as a texture of 8 bits, for reading back. An image that is left as it is comes back
        itself, without a pass."""
        changed = look.blackout or look.master < 1 or look.gamma != 1
        if not changed and image.size == self.size and image.dtype == "f1":
            return image
        target = self._target = self._target or Target(self._context, self.size)
        self.draw(image, target.framebuffer, (0, 0, *self.size), look)
        return target.texture

    def show(self, image: moderngl.Texture, size: tuple[int, int], look: Look) -> None:
        """The frame into the window of the context, which is of `size` (width, height)."""
        self.draw(image, self._context.screen, (0, 0, *size), look)

    def draw(
        self, image: moderngl.Texture, framebuffer: moderngl.Framebuffer, viewport: Region, look: Look
    ) -> None:
        """The frame into `viewport` (x, y, width, height) of a framebuffer, cropped where its shape is
        another. The image may be of another context, if that shares its textures."""
        framebuffer.use()
        if look.blackout or look.master <= 0:
            framebuffer.clear(alpha=1.0, viewport=viewport)
            return
        image.use(0)  # by its number, in the context that is current
        strip = self._plain
        if look.gamma != 1:
            strip = self._gamma
            strip.set(exponent=1 / look.gamma)
        strip.over(
            framebuffer,
            viewport,
            image=0,
            shown=shown(image.size, viewport[2:]),
            master=min(look.master, 1.0),
            shift=dither_shift(look.frame),
        )

    def release(self) -> None:
        """Release the texture; safe to call twice."""
        if self._target:
            self._target.release()


def dither_shift(frame: int) -> float:
    """How far the pattern of the dither has moved, in pixels: by a step that keeps its spectrum (Jimenez
    2014), 64 frames long."""
    return 5.588238 * (frame % 64)


def shown(image: tuple[int, int], output: tuple[int, int]) -> tuple[float, float]:
    """The share of an image's width and height that fills an output of another shape."""
    wide = image[0] * output[1] / max(image[1] * output[0], 1)
    return (1 / wide, 1.0) if wide > 1 else (1.0, wide)
