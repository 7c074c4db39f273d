"""What golden images show: blend modes, keys and mattes, projections, test cards, and each shipped shader.

Every case draws the same picture each time: fixed sizes, times and seeds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, TypeAlias

import moderngl
import numpy as np

from perform.arrays import Pixels
from perform.render import DrawnLayer
from perform.render.compositing import DEFAULTS, Compositor
from perform.render.projection import Projector
from perform.render.testcard import Card, Drawn, Shown, canvas_card, display_card
from perform.scenes.layers import BLEND_MODES
from perform.scenes.look import Look
from perform.scenes.projection import ColourCorrection, Corners, EdgeBlend, Mask, Projection, white_gains
from scripts.shader_sheet import OVER, SHADERS, SHOWN, Stage, frames

Case: TypeAlias = Callable[[moderngl.Context], Pixels]

LAYERS = (96, 54)  # pixels of the pictures of layers
DISPLAY = (128, 96)
SHADER = (128, 72)
SECOND = 1.1  # when shaders are looked at
TRANSITION = 0.4  # how far a transition is
CORNERS: Corners = ((0.08, 0.12), (0.97, 0.02), (0.85, 0.93), (0.15, 0.8))
MESH = (
    ((0.0, 0.1), (0.5, 0.0), (1.0, 0.1)),
    ((0.08, 0.5), (0.56, 0.44), (0.92, 0.5)),
    ((0.0, 0.92), (0.5, 1.0), (1.0, 0.9)),
)
DOOR = Mask(((0.55, 0.0), (0.8, 0.0), (0.76, 0.6), (0.58, 0.6)), feather=0.08)
ROUND = tuple((0.5 + 0.4 * np.cos(turn), 0.5 + 0.4 * np.sin(turn)) for turn in np.arange(24) * np.pi / 12)
SPOT = Mask(ROUND, invert=True)
COLOUR = ColourCorrection(brightness=0.05, contrast=1.3, gamma=0.8, white=white_gains(4200))
SOFT = EdgeBlend(left=0.3, right=0.15, bottom=0.1, top=0.2, gamma=2.0)

LAYERED: Mapping[str, Mapping[str, Any]] = {
    **{f"blend-{mode}": {"blend": mode, "opacity": 0.9} for mode in BLEND_MODES},
    "key-luma": {"key": "luma", "key_level": 0.5, "key_softness": 0.2},
    "key-luma-inverted": {"key": "luma", "key_level": 0.5, "key_softness": 0.2, "key_invert": True},
    "key-chroma": {"key": "chroma", "key_level": 0.25, "key_softness": 0.1},
    "key-chroma-inverted": {"key": "chroma", "key_level": 0.25, "key_softness": 0.1, "key_invert": True},
    "matte-alpha": {"matte_part": "alpha"},
    "matte-luma-inverted": {"matte_part": "luma", "matte_invert": True},
    "layer-placed": {"position": (0.1, -0.05), "scale": 0.7, "rotation": 25.0, "crop_left": 0.1},
}
PROJECTED: Mapping[str, Projection] = {
    "projection-part": Projection(part=(0.25, 0.5, 0.5, 0.5)),
    "projection-rotated": Projection(rotation=90),
    "projection-mirrored": Projection(flip=True),
    "projection-corners": Projection(corners=CORNERS),
    "projection-mesh": Projection(mesh=MESH),
    "projection-edge-blend": Projection(blend=SOFT),
    "projection-masks": Projection(masks=(DOOR, SPOT)),
    "projection-colour": Projection(colour=COLOUR),
    "projection-everything": Projection(
        (0.0, 0.0, 0.7, 1.0), 180, True, CORNERS, MESH, replace(SOFT, top=0.0), (DOOR,), COLOUR
    ),
}
WALL = Shown(2, "wall", (256, 144), (0.4, 0.0, 0.6, 1.0))
CARDS: Mapping[str, Callable[[], Drawn]] = {
    "card-display": lambda: display_card(WALL),
    "card-upright": lambda: display_card(replace(WALL, number=3, name="totem", size=(144, 256))),
    "card-canvas": lambda: canvas_card((256, 96), [Shown(1, "bar", (154, 96), (0.0, 0.0, 0.6, 1.0)), WALL]),
}


def cases() -> dict[str, Case]:
    """Every case by the name of its file."""
    shaders = {
        f"{path.parent.name.removesuffix('s')}-{path.stem}": path.stem
        for path in sorted(SHADERS.glob("*/*.fs"))
    }
    return {
        **{name: partial(layered, values) for name, values in LAYERED.items()},
        **{name: partial(projected, projection) for name, projection in PROJECTED.items()},
        **{name: partial(carded, draw) for name, draw in CARDS.items()},
        **{name: partial(shaded, shader) for name, shader in shaders.items()},
    }


def layered(values: Mapping[str, Any], context: moderngl.Context) -> Pixels:
    """A layer over another: colours from left to right over colours from bottom to top."""
    across, up = np.meshgrid(np.linspace(0, 1, LAYERS[0]), np.linspace(0, 1, LAYERS[1]))
    below = DrawnLayer(texture(context, rainbow(across, up)), DEFAULTS)
    seen = rainbow(up + 0.3, across, alpha=0.4 + 0.6 * up)
    faded = rainbow(across, up, alpha=np.clip(2 * across - 0.5, 0, 1))
    matte = texture(context, faded) if "matte_part" in values else None
    layer = DrawnLayer(texture(context, seen), {**DEFAULTS, **values}, matte=matte)
    compositor = Compositor(context, LAYERS)
    drawn = pixels(compositor.render([below, layer]))
    compositor.release()
    return drawn


def projected(projection: Projection, context: moderngl.Context) -> Pixels:
    """A test card through a projection, over red, which nothing may leave."""
    drawn = canvas_card((2 * DISPLAY[0], 2 * DISPLAY[1]), [replace(WALL, part=(0.0, 0.0, 1.0, 1.0))]).pixels
    across, up = np.meshgrid(np.linspace(0, 1, drawn.shape[1]), np.linspace(0, 1, drawn.shape[0]))
    lit = np.maximum(drawn, rainbow(across, up)[..., :3] // 2)
    target, projector = context.texture(DISPLAY, 4), Projector(context, DISPLAY, projection)
    framebuffer = context.framebuffer([target])
    framebuffer.clear(1.0, 0.0, 0.0, 1.0)
    opaque = np.dstack([lit, np.full_like(lit[..., :1], 255)])
    projector.draw(texture(context, opaque), framebuffer, (0, 0, *DISPLAY), Look(frame=3))
    projector.release()
    return pixels(target)


def carded(draw: Callable[[], Drawn], context: moderngl.Context) -> Pixels:
    """A test card while it moves."""
    card = Card(context, draw())
    drawn = pixels(card.render(0.3))
    card.release()
    return drawn


def shaded(name: str, context: moderngl.Context) -> Pixels:
    """A shader, with the values that the documentation shows."""
    transition = (SHADERS / "transitions" / f"{name}.fs").is_file()
    values = {**SHOWN.get(name, {}), **({"progress": TRANSITION} if transition else {})}
    over = OVER.get(name, "drops" if transition else "tunnel")
    (drawn,) = frames(Stage(SHADER, context), name, over, values, (SECOND,))
    return drawn


def rainbow(hue: Any, light: Any, alpha: Any = 1.0) -> Pixels:
    """Colours [height, width, 4] of a hue and a lightness, 0..1."""
    turns = (hue[..., None] + np.array([0.0, 1 / 3, 2 / 3])) * 2 * np.pi
    pure = 0.5 + 0.5 * np.cos(turns)
    half = light[..., None]
    lit = np.where(half < 0.5, 2 * half * pure, 1 - 2 * (1 - half) * (1 - pure))
    rows = np.dstack([lit, np.broadcast_to(alpha, hue.shape)])
    return (rows * 255).round().astype(np.uint8)


def texture(context: moderngl.Context, picture: Pixels) -> moderngl.Texture:
    """A picture [height, width, 4] as a texture."""
    height, width, _ = picture.shape
    made = context.texture((width, height), 4, np.ascontiguousarray(picture[::-1]))
    made.repeat_x = made.repeat_y = False
    return made


def pixels(drawn: moderngl.Texture) -> Pixels:
    """A texture of 8 bits as a picture [height, width, 3]."""
    width, height = drawn.size
    rows = np.frombuffer(drawn.read(), np.uint8).reshape(height, width, 4)
    return rows[::-1, :, :3].copy()
