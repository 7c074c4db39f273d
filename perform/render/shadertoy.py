"""Shaders of Shadertoy: the names that it gives them, and the `main` that calls their `mainImage`.

Source: the inputs that shadertoy.com lists above its editor.
"""

from __future__ import annotations

import re
from collections.abc import Collection

SHADERTOY_NAMES = {
    "iResolution": "vec3(RENDERSIZE, 1.0)",
    "iTime": "TIME",
    "iGlobalTime": "TIME",  # until 2017
    "iTimeDelta": "TIMEDELTA",
    "iFrame": "FRAMEINDEX",
    "iFrameRate": "(1.0 / TIMEDELTA)",
    "iDate": "DATE",
    "iMouse": "vec4(0.0)",
    "iSampleRate": "48000.0",
}
CALLING_MAIN = """
void main() {
    isf_FragColor = vec4(0.0, 0.0, 0.0, 1.0);
    mainImage(isf_FragColor, gl_FragCoord.xy);
    isf_FragColor.a = 1.0;
}
"""
_MAIN_IMAGE = re.compile(r"\bvoid\s+mainImage\s*\(")
_MAIN = re.compile(r"\bmain\s*\(")


def is_shadertoy(text: str) -> bool:
    """Whether a text without comments has a `mainImage` and no `main` that calls it."""
    return bool(_MAIN_IMAGE.search(text)) and not _MAIN.search(text)


def macros(names: Collection[str]) -> str:
    """Shadertoy's names as macros, without those that the header declares."""
    return "".join(f"#define {name} {ours}\n" for name, ours in SHADERTOY_NAMES.items() if name not in names)
