"""How a layer lies over the layers below it: its declared controls."""

from __future__ import annotations

from perform.parameters import Parameter, Values

# As in "Compositing and Blending Level 1" of the W3C, with its names; and add, its plus-lighter.
BLEND_MODES = (
    "normal",
    "add",
    "multiply",
    "screen",
    "overlay",
    "darken",
    "lighten",
    "color-dodge",
    "color-burn",
    "hard-light",
    "soft-light",
    "difference",
    "exclusion",
    "hue",
    "saturation",
    "color",
    "luminosity",
)
FEEDBACK = ("scene", "stage")  # whose last image a source may be
KEYS = ("none", "luma", "chroma")
LEAST_SCALE = 1e-3  # a smaller layer is not seen
MATTE_PARTS = ("alpha", "luma")  # of the matte's picture, that the layer is seen through


def _edge(name: str) -> Parameter:
    return Parameter(f"crop_{name}", 0.0, 0.0, 1.0, description=f"how much is cut off at the {name}")


LAYER_PARAMETERS = (
    Parameter("opacity", 1.0, 0.0, 1.0, description="how much of it is seen"),
    Parameter(
        "blend", "normal", kind="choice", choices=BLEND_MODES, description="how it mixes with what is below"
    ),
    Parameter(
        "position",
        (0.0, 0.0),
        -2.0,
        2.0,
        kind="point",
        description="where its middle is, in widths and heights of the frame from the frame's middle",
    ),
    Parameter("scale", 1.0, 0.0, 8.0, description="1 is as large as the frame"),
    Parameter("rotation", 0.0, -360.0, 360.0, "degrees", "to the left around its middle", wraps=True),
    *map(_edge, ("left", "right", "bottom", "top")),
    Parameter(
        "key", "none", kind="choice", choices=KEYS, description="cuts out by brightness, or by a colour"
    ),
    Parameter(
        "key_color", (0.0, 1.0, 0.0, 1.0), 0.0, 1.0, kind="color", description="chroma: what is cut out"
    ),
    Parameter(
        "key_level",
        0.3,
        0.0,
        1.0,
        description="luma: what is darker is cut out; chroma: what is as near to the colour",
    ),
    Parameter("key_softness", 0.1, 0.0, 1.0, description="how soft the edge of the key is"),
    Parameter("key_invert", False, 0, 1, kind="bool", description="cuts out the rest"),
    Parameter(
        "matte_part",
        "alpha",
        kind="choice",
        choices=MATTE_PARTS,
        description="what of the matte's picture it is seen through",
    ),
    Parameter("matte_invert", False, 0, 1, kind="bool", description="it is seen where the matte is not"),
    Parameter("visible", True, 0, 1, kind="bool", description="off: it is not drawn, but can be a matte"),
)


def is_seen(placement: Values) -> bool:
    """Whether there is anything to see of a layer with these values of its controls."""
    return bool(placement["visible"]) and placement["opacity"] > 0 and placement["scale"] >= LEAST_SCALE
