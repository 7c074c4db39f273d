"""The blend modes in GLSL, with the formulas of "Compositing and Blending Level 1" (W3C, 2024): `Cb` is the
colour below, `Cs` that of the layer, both 0..1 and sRGB-encoded, as the specification blends them.
"""

from __future__ import annotations

_CHANNEL = {  # one channel; the specification calls these modes separable
    "normal": "Cs",
    "add": "min(Cb + Cs, 1.0)",
    "multiply": "Cb * Cs",
    "screen": "Cb + Cs - Cb * Cs",
    "overlay": "hard_light(Cs, Cb)",
    "darken": "min(Cb, Cs)",
    "lighten": "max(Cb, Cs)",
    "color-dodge": "Cb <= 0.0 ? 0.0 : Cs >= 1.0 ? 1.0 : min(Cb / (1.0 - Cs), 1.0)",
    "color-burn": "Cb >= 1.0 ? 1.0 : Cs <= 0.0 ? 0.0 : 1.0 - min((1.0 - Cb) / Cs, 1.0)",
    "hard-light": "hard_light(Cb, Cs)",
    "soft-light": "soft_light(Cb, Cs)",
    "difference": "abs(Cb - Cs)",
    "exclusion": "Cb + Cs - 2.0 * Cb * Cs",
}
_COLOUR = {  # all three at once
    "hue": "with_lum(with_sat(Cs, sat(Cb)), lum(Cb))",
    "saturation": "with_lum(with_sat(Cb, sat(Cs)), lum(Cb))",
    "color": "with_lum(Cs, lum(Cb))",
    "luminosity": "with_lum(Cb, lum(Cs))",
}
MODES = (*_CHANNEL, *_COLOUR)
_HARD_LIGHT = """
float hard_light(float Cb, float Cs) {
    return Cs <= 0.5 ? Cb * 2.0 * Cs : Cb + (2.0 * Cs - 1.0) - Cb * (2.0 * Cs - 1.0);
}
"""
_SOFT_LIGHT = """
float soft_light(float Cb, float Cs) {
    float D = Cb <= 0.25 ? ((16.0 * Cb - 12.0) * Cb + 4.0) * Cb : sqrt(Cb);
    return Cs <= 0.5 ? Cb - (1.0 - 2.0 * Cs) * Cb * (1.0 - Cb) : Cb + (2.0 * Cs - 1.0) * (D - Cb);
}
"""
_COLOURS = """
float lum(vec3 C) { return dot(C, vec3(0.3, 0.59, 0.11)); }
float sat(vec3 C) { return max(C.r, max(C.g, C.b)) - min(C.r, min(C.g, C.b)); }
vec3 clipped(vec3 C) {
    float L = lum(C);
    float n = min(C.r, min(C.g, C.b));
    float x = max(C.r, max(C.g, C.b));
    if (n < 0.0) C = L + (C - L) * L / (L - n);
    if (x > 1.0) C = L + (C - L) * (1.0 - L) / (x - L);
    return C;
}
vec3 with_lum(vec3 C, float l) { return clipped(C + (l - lum(C))); }
vec3 with_sat(vec3 C, float s) {
    float range = sat(C);
    return range > 0.0 ? (C - min(C.r, min(C.g, C.b))) * s / range : vec3(0.0);
}
"""


def function(mode: str) -> str:
    """The function `vec3 blended(vec3 below, vec3 layer)` of a mode. Raises KeyError for an unknown one."""
    if mode in _COLOUR:
        return f"{_COLOURS}vec3 blended(vec3 Cb, vec3 Cs) {{ return {_COLOUR[mode]}; }}\n"
    channel = f"float channel(float Cb, float Cs) {{ return {_CHANNEL[mode]}; }}\n"
    each = ", ".join(f"channel(below.{c}, layer.{c})" for c in "rgb")
    blended = f"vec3 blended(vec3 below, vec3 layer) {{ return vec3({each}); }}\n"
    return "".join((_HARD_LIGHT, _SOFT_LIGHT, channel, blended))
