"""Compositing: layers drawn over each other, from the lowest up, each placed, keyed, matted and blended.

The ground is black and opaque, and so is the result: what a scene shows. Colours are blended as they are
encoded (sRGB), as the W3C's specification and other VJ programs do.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from perform.parameters import Values
from perform.render import Alpha, DrawnLayer, Image, blend_modes
from perform.render.strips import Strip
from perform.render.targets import Target
from perform.scenes.layers import LAYER_PARAMETERS, is_seen

if TYPE_CHECKING:
    import moderngl

Variant: TypeAlias = tuple[str, str, str, Alpha]  # blend mode, key, part of the matte, alpha of the image
DEFAULTS = {parameter.name: parameter.default for parameter in LAYER_PARAMETERS}
_LAYER = """
uniform sampler2D below;
uniform sampler2D layer;
uniform sampler2D matte;
uniform float opacity;
uniform mat2 turn;     // from the frame to the layer, around their middles
uniform vec2 middle;   // of the layer in the frame
uniform vec4 shown;    // left, bottom, right, top of what is not cut off

float inside(vec2 at) {  // the share of the pixel that the layer covers
    vec2 pixel = max(fwidth(at), 1e-6);
    vec2 from = clamp((at - shown.xy) / pixel + 0.5, 0.0, 1.0);
    vec2 to = clamp((at - shown.zw) / pixel + 0.5, 0.0, 1.0);
    vec2 covered = max(from - to, 0.0);
    return covered.x * covered.y;
}

void main() {
    vec3 under = texture(below, place).rgb;
    vec2 at = turn * (place - 0.5 - middle) + 0.5;
    vec4 over = straight(texture(layer, at));
    float alpha = clamp(over.a, 0.0, 1.0) * inside(at) * opacity * keyed(over.rgb) * matted(place);
    over.rgb = clamp(over.rgb, 0.0, 1.0);
    color = vec4(dithered(mix(under, blended(under, over.rgb), alpha), gl_FragCoord.xy), 1.0);
}
"""
_STRAIGHT: dict[Alpha, str] = {
    "straight": "vec4 straight(vec4 texel) { return texel; }\n",
    "premultiplied": "vec4 straight(vec4 texel) { return vec4(texel.rgb / max(texel.a, 1e-4), texel.a); }\n",
    "ignored": "vec4 straight(vec4 texel) { return vec4(texel.rgb, 1.0); }\n",
}
_KEY_UNIFORMS = "uniform vec3 key_color; uniform float key_level, key_softness, key_invert;\n"
_KEYED = {
    "none": "float keyed(vec3 c) { return 1.0; }\n",
    # The weights are those of BT.709; the distance is that of the colour differences of BT.601.
    "luma": _KEY_UNIFORMS
    + """
float keyed(vec3 c) {
    float light = dot(c, vec3(0.2126, 0.7152, 0.0722));
    float kept = smoothstep(key_level - key_softness / 2.0, key_level + key_softness / 2.0 + 1e-5, light);
    return mix(kept, 1.0 - kept, key_invert);
}
""",
    "chroma": _KEY_UNIFORMS
    + """
vec2 chroma(vec3 c) {
    return vec2(dot(c, vec3(-0.1687, -0.3313, 0.5)), dot(c, vec3(0.5, -0.4187, -0.0813)));
}
float keyed(vec3 c) {
    float far = distance(chroma(c), chroma(key_color));
    float kept = smoothstep(key_level, key_level + key_softness + 1e-5, far);
    return mix(kept, 1.0 - kept, key_invert);
}
""",
}
_MATTED = {
    "": "float matted(vec2 at) { return 1.0; }\n",
    "alpha": """
uniform float matte_invert;
float matted(vec2 at) { return mix(texture(matte, at).a, 1.0 - texture(matte, at).a, matte_invert); }
""",
    "luma": """
uniform float matte_invert;
float matted(vec2 at) {
    vec4 texel = texture(matte, at);
    float light = clamp(dot(texel.rgb, vec3(0.2126, 0.7152, 0.0722)), 0.0, 1.0);
    return mix(light, 1.0 - light, matte_invert);
}
""",
}


class Compositor:
    """Draws layers into an image of `size` (width, height)."""

    def __init__(self, context: moderngl.Context, size: tuple[int, int]) -> None:
        self.size = size
        self._context = context
        self._target: Target | None = None
        self._strips: dict[Variant, Strip] = {}

    def render(self, layers: Sequence[DrawnLayer]) -> Image:
        """The image of the layers, the lowest first; its own until it renders again."""
        target = self._fitted()
        target.framebuffer.clear(alpha=1.0)
        target.drawn()
        for layer in layers:
            if is_seen(layer.values):
                self._draw(layer, target)
        return target.texture

    def warm(self, variants: Iterable[Variant]) -> bool:
        """Draw layers of these variants once, unless one was drawn so in this context: drivers compile when
        they draw first, which would be a late frame on stage. Says whether it has drawn any."""
        new = [one for one in dict.fromkeys(variants) if not self._strip(one).warm]
        if not new:
            return False
        target = Target(self._context, self.size, double=True)
        for mode, key, matte_part, alpha in new:
            image, values = target.texture, {"blend": mode, "key": key, "matte_part": matte_part}
            self._draw(DrawnLayer(image, DEFAULTS | values, alpha, image if matte_part else None), target)
        target.release()
        return True

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size from the next image on."""
        self.size = size

    def release(self) -> None:
        """Release the texture; safe to call twice."""
        if self._target:
            self._target.release()
        self._target = None

    def _fitted(self) -> Target:
        if self._target and self._target.size != self.size:
            self._target.release()
            self._target = None
        self._target = self._target or Target(self._context, self.size, double=True)
        return self._target

    def _draw(self, layer: DrawnLayer, target: Target) -> None:
        values = layer.values
        strip = self._strip(variant_of(values, layer.alpha, bool(layer.matte)))
        target.texture.use(0)
        layer.image.use(1)
        if layer.matte:
            layer.matte.use(2)
            strip.set(matte=2, matte_invert=float(values["matte_invert"]))
        if values["key"] != "none":
            strip.set(
                key_level=values["key_level"],
                key_softness=values["key_softness"],
                key_invert=float(values["key_invert"]),
            )
        if values["key"] == "chroma":
            strip.set(key_color=tuple(values["key_color"][:3]))
        strip.set(below=0, layer=1, opacity=values["opacity"], **self._placed(values))
        strip.draw(target)

    def _placed(self, values: Values) -> dict[str, tuple[float, ...]]:
        """The uniforms of a layer's place in the frame."""
        aspect, angle = self.size[0] / self.size[1], math.radians(values["rotation"])
        cos, sin = math.cos(angle) / values["scale"], math.sin(angle) / values["scale"]
        return {
            "turn": (cos, -sin * aspect, sin / aspect, cos),  # column by column
            "middle": tuple(values["position"]),
            "shown": (
                values["crop_left"],
                values["crop_bottom"],
                1.0 - values["crop_right"],
                1.0 - values["crop_top"],
            ),
        }

    def _strip(self, variant: Variant) -> Strip:
        """The program of a layer, compiled when a layer is drawn so for the first time."""
        if variant not in self._strips:
            mode, key, matte_part, alpha = variant
            parts = (blend_modes.function(mode), _STRAIGHT[alpha], _KEYED[key], _MATTED[matte_part])
            text = _LAYER.replace("\nfloat inside", "\n".join(("", *parts, "float inside")), 1)
            self._strips[variant] = Strip(self._context, text)
        return self._strips[variant]


def variant_of(values: Values, alpha: Alpha, matted: bool) -> Variant:
    """What the program of a layer with these values of its controls depends on."""
    return values["blend"], values["key"], values["matte_part"] if matted else "", alpha
