"""Layers over each other: blend modes against the formulas of the W3C, places, crops, keys and mattes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import moderngl
import numpy as np
import pytest

from perform.arrays import Pixels
from perform.render import DrawnLayer, blend_modes, compositing
from perform.render.compositing import DEFAULTS, Compositor, variant_of
from perform.scenes.layers import BLEND_MODES

SIZE = (32, 18)
Colour = np.ndarray[Any, np.dtype[np.float64]]


@pytest.fixture
def compositor(context: moderngl.Context) -> Iterator[Compositor]:
    compositor = Compositor(context, SIZE)
    yield compositor
    compositor.release()


def layer(context: moderngl.Context, pixels: Pixels, **values: Any) -> DrawnLayer:
    """A layer of RGBA pixels [height, width, 4], the top row first."""
    matte, alpha = values.pop("matte", None), values.pop("alpha", "straight")
    height, width = pixels.shape[:2]
    texture = context.texture((width, height), 4, pixels[::-1].tobytes())
    texture.repeat_x = texture.repeat_y = False
    return DrawnLayer(texture, DEFAULTS | values, alpha, matte)


def flat(*rgba: int, size: tuple[int, int] = SIZE) -> Pixels:
    return np.full((size[1], size[0], 4), rgba, np.uint8)


def pixels(compositor: Compositor, *layers: DrawnLayer) -> Pixels:
    """The composite [height, width, 3], the top row first."""
    image = compositor.render(layers)
    width, height = image.size
    return np.frombuffer(image.read(), np.uint8).reshape(height, width, 4)[::-1, :, :3]


# The formulas of "Compositing and Blending Level 1", section 10, word for word; Cb and Cs are 0..1.


def multiply(cb: float, cs: float) -> float:
    return cb * cs


def screen(cb: float, cs: float) -> float:
    return cb + cs - cb * cs


def hard_light(cb: float, cs: float) -> float:
    return multiply(cb, 2 * cs) if cs <= 0.5 else screen(cb, 2 * cs - 1)


def color_dodge(cb: float, cs: float) -> float:
    if cb == 0:
        return 0
    return 1 if cs == 1 else min(1, cb / (1 - cs))


def color_burn(cb: float, cs: float) -> float:
    if cb == 1:
        return 1
    return 0 if cs == 0 else 1 - min(1, (1 - cb) / cs)


def soft_light(cb: float, cs: float) -> float:
    if cs <= 0.5:
        return cb - (1 - 2 * cs) * cb * (1 - cb)
    d = ((16 * cb - 12) * cb + 4) * cb if cb <= 0.25 else cb**0.5
    return cb + (2 * cs - 1) * (d - cb)


SEPARABLE: dict[str, Callable[[float, float], float]] = {
    "normal": lambda cb, cs: cs,
    "add": lambda cb, cs: min(1, cb + cs),
    "multiply": multiply,
    "screen": screen,
    "overlay": lambda cb, cs: hard_light(cs, cb),
    "darken": min,
    "lighten": max,
    "color-dodge": color_dodge,
    "color-burn": color_burn,
    "hard-light": hard_light,
    "soft-light": soft_light,
    "difference": lambda cb, cs: abs(cb - cs),
    "exclusion": lambda cb, cs: cb + cs - 2 * cb * cs,
}


def lum(c: Colour) -> float:
    return float(0.3 * c[0] + 0.59 * c[1] + 0.11 * c[2])


def clip_color(c: Colour) -> Colour:
    light, n, x = lum(c), c.min(), c.max()
    if n < 0:
        c = light + (c - light) * light / (light - n)
    if x > 1:
        c = light + (c - light) * (1 - light) / (x - light)
    return c


def set_lum(c: Colour, light: float) -> Colour:
    return clip_color(c + (light - lum(c)))


def sat(c: Colour) -> float:
    return float(c.max() - c.min())


def set_sat(c: Colour, s: float) -> Colour:
    """The smallest part becomes 0, the largest s, the middle one in proportion."""
    least, middle, most = np.argsort(c, kind="stable")
    found = np.zeros(3)
    if c[most] > c[least]:
        found[middle] = (c[middle] - c[least]) * s / (c[most] - c[least])
        found[most] = s
    return found


NON_SEPARABLE: dict[str, Callable[[Colour, Colour], Colour]] = {
    "hue": lambda cb, cs: set_lum(set_sat(cs, sat(cb)), lum(cb)),
    "saturation": lambda cb, cs: set_lum(set_sat(cb, sat(cs)), lum(cb)),
    "color": lambda cb, cs: set_lum(cs, lum(cb)),
    "luminosity": lambda cb, cs: set_lum(cb, lum(cs)),
}


def blended(mode: str, cb: Colour, cs: Colour) -> Colour:
    if mode in NON_SEPARABLE:
        return NON_SEPARABLE[mode](cb, cs)
    return np.array([SEPARABLE[mode](float(b), float(s)) for b, s in zip(cb, cs, strict=True)])


def test_every_declared_mode_has_its_formula() -> None:
    assert blend_modes.MODES == BLEND_MODES
    assert {*SEPARABLE, *NON_SEPARABLE} == {*BLEND_MODES}


@pytest.mark.parametrize("mode", BLEND_MODES)
def test_blend_modes_are_those_of_the_specification(
    compositor: Compositor, context: moderngl.Context, mode: str
) -> None:
    random = np.random.default_rng(1)
    below, over = (random.integers(0, 256, (SIZE[1], SIZE[0], 4), np.uint8) for _ in range(2))
    ends = random.integers(0, 2, (2, 6, SIZE[0], 4), np.uint8) * 255  # 0 and 1 are where formulas branch
    below[:6], over[6:12] = ends
    over[0, :3, :3] = below[0, :3, :3]
    below[..., 3] = 255
    wanted = np.zeros((*below.shape[:2], 3))
    for at in np.ndindex(below.shape[:2]):
        cb, cs, alpha = below[at][:3] / 255, over[at][:3] / 255, over[at][3] / 255
        wanted[at] = (1 - alpha) * cb + alpha * blended(mode, cb, cs)
    seen = pixels(compositor, layer(context, below), layer(context, over, blend=mode))
    assert np.abs(seen - 255 * wanted).max() <= 1.0


def test_the_ground_is_black(compositor: Compositor, context: moderngl.Context) -> None:
    assert (pixels(compositor) == 0).all()
    half = pixels(compositor, layer(context, flat(200, 100, 0, 255), opacity=0.5))
    assert (half == (100, 50, 0)).all()
    clear = pixels(compositor, layer(context, flat(200, 100, 0, 128)))
    assert (np.abs(clear.astype(int) - (100, 50, 0)) <= 1).all()


@pytest.mark.parametrize("value", [0, 1, 77, 128, 254, 255])
def test_an_opaque_layer_is_as_it_is(compositor: Compositor, context: moderngl.Context, value: int) -> None:
    random = np.random.default_rng(value).integers(0, 256, (SIZE[1], SIZE[0], 4), np.uint8)
    random[..., 3] = 255
    random[0, 0, :3] = value
    below = layer(context, flat(9, 9, 9, 255))
    assert (pixels(compositor, below, layer(context, random)) == random[..., :3]).all()


def test_premultiplied_colours(compositor: Compositor, context: moderngl.Context) -> None:
    below = layer(context, flat(0, 0, 200, 255))
    over = layer(context, flat(128, 0, 0, 128), alpha="premultiplied")
    assert (np.abs(pixels(compositor, below, over).astype(int) - (128, 0, 100)) <= 1).all()


@pytest.mark.parametrize("opacity", [0, 7, 255])
def test_alpha_that_is_ignored(compositor: Compositor, context: moderngl.Context, opacity: int) -> None:
    over = layer(context, flat(30, 60, 90, opacity), alpha="ignored")
    assert (pixels(compositor, over) == (30, 60, 90)).all()


@pytest.mark.parametrize("left", [0.25, 0.5, 0.516, 0.7])
def test_crops_that_meet_leave_nothing(
    compositor: Compositor, context: moderngl.Context, left: float
) -> None:
    over = layer(context, flat(255, 255, 255, 255), crop_left=left, crop_right=1 - left)
    assert (pixels(compositor, over) == 0).all()


@pytest.mark.parametrize("hidden", [{"visible": False}, {"opacity": 0.0}, {"scale": 0.0}])
def test_what_is_not_seen_changes_nothing(
    compositor: Compositor, context: moderngl.Context, hidden: dict[str, float]
) -> None:
    below, over = flat(40, 80, 120, 255), flat(255, 255, 255, 255)
    assert (pixels(compositor, layer(context, below), layer(context, over, **hidden)) == below[..., :3]).all()


def test_position_and_scale(compositor: Compositor, context: moderngl.Context) -> None:
    white = flat(255, 255, 255, 255)
    right = pixels(compositor, layer(context, white, position=(0.5, 0.0)))
    assert (right[:, :16] == 0).all()
    assert (right[:, 16:] == 255).all()
    up = pixels(compositor, layer(context, white, position=(0.0, 0.5)))
    assert (up[:9] == 255).all()  # the upper half
    assert (up[9:] == 0).all()
    small = pixels(compositor, layer(context, white, scale=0.5, position=(0.25, 0.0)))
    assert (small.any(axis=(1, 2)) == ([False] * 4 + [True] * 10 + [False] * 4)).all()
    assert small[5:13, 16:].all()
    assert not small[:, :16].any()
    assert set(small[[4, 13], 16:].ravel()) <= {127, 128}  # half a pixel at the edge


def test_a_quarter_turn_keeps_the_shape_of_the_picture(
    compositor: Compositor, context: moderngl.Context
) -> None:
    marked = flat(0, 0, 0, 0)
    marked[7:11, 18:22] = (255, 255, 255, 255)  # 4 x 4 pixels, 4 to the right of the middle
    turned = pixels(compositor, layer(context, marked, rotation=90.0))[..., 0]
    wanted = np.zeros_like(turned)
    wanted[3:7, 14:18] = 255  # 4 above it
    assert (turned == wanted).all()


def test_crop(compositor: Compositor, context: moderngl.Context) -> None:
    white = flat(255, 255, 255, 255)
    seen = pixels(
        compositor,
        layer(context, white, crop_left=0.25, crop_right=0.5, crop_top=1 / 3, crop_bottom=1 / 6),
    )
    wanted = np.zeros_like(seen)
    wanted[6:15, 8:16] = 255
    assert (seen == wanted).all()


def test_a_luma_key_cuts_out_what_is_dark(compositor: Compositor, context: moderngl.Context) -> None:
    steps = flat(0, 0, 0, 255)
    for x in range(32):
        steps[:, x, :3] = 8 * x
    below = layer(context, flat(255, 0, 0, 255))
    seen = pixels(compositor, below, layer(context, steps, key="luma", key_level=0.5, key_softness=0.0))
    assert (seen[:, :16] == (255, 0, 0)).all()
    assert (seen[:, 16:] == steps[:, 16:, :3]).all()
    inverted = {"key": "luma", "key_level": 0.5, "key_softness": 0.0, "key_invert": True}
    seen = pixels(compositor, below, layer(context, steps, **inverted))
    assert (seen[:, :16] == steps[:, :16, :3]).all()
    assert (seen[:, 16:] == (255, 0, 0)).all()


def test_a_chroma_key_cuts_out_a_colour(compositor: Compositor, context: moderngl.Context) -> None:
    screen_green = flat(20, 220, 30, 255)
    screen_green[:, 16:] = (210, 170, 150, 255)  # skin
    below = layer(context, flat(0, 0, 255, 255))
    seen = pixels(compositor, below, layer(context, screen_green, key="chroma"))
    assert (seen[:, :16] == (0, 0, 255)).all()
    assert (seen[:, 16:] == (210, 170, 150)).all()
    blue = {"key": "chroma", "key_color": (0.8, 0.66, 0.6, 1.0), "key_level": 0.1, "key_invert": True}
    seen = pixels(compositor, below, layer(context, screen_green, **blue))
    assert (seen[:, :16] == (0, 0, 255)).all()
    assert (seen[:, 16:] == (210, 170, 150)).all()


@pytest.mark.parametrize("part", ["alpha", "luma"])
@pytest.mark.parametrize("invert", [False, True])
def test_a_matte(compositor: Compositor, context: moderngl.Context, part: str, invert: bool) -> None:
    matte = flat(0, 0, 0, 255 if part == "luma" else 0)
    matte[:, 16:] = (255, 255, 255, 255)
    below = layer(context, flat(0, 50, 0, 255))
    over = layer(
        context,
        flat(200, 0, 0, 255),
        matte=layer(context, matte).image,
        matte_part=part,
        matte_invert=invert,
    )
    seen = pixels(compositor, below, over)
    left, right = ((200, 0, 0), (0, 50, 0)) if invert else ((0, 50, 0), (200, 0, 0))
    assert (seen[:, :16] == left).all()
    assert (seen[:, 16:] == right).all()


def test_what_is_warm_is_not_compiled_again(
    compositor: Compositor, context: moderngl.Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    below, over = layer(context, flat(9, 9, 9, 255)), layer(context, flat(5, 5, 5, 255), blend="screen")
    matted = layer(context, flat(5, 5, 5, 255), blend="hue", key="chroma", matte=below.image)
    compositor.warm(variant_of(one.values, one.alpha, bool(one.matte)) for one in (below, over, matted))
    monkeypatch.setattr(compositing, "Strip", lambda *_: pytest.fail("compiled"))
    compositor.render([below, over, matted])
    compositor.warm([("normal", "none", "", "straight")])


def test_another_size(compositor: Compositor, context: moderngl.Context) -> None:
    over = layer(context, flat(10, 20, 30, 255))
    assert pixels(compositor, over).shape == (18, 32, 3)
    compositor.resize((8, 5))
    assert pixels(compositor, over).shape == (5, 8, 3)
    assert (pixels(compositor, over) == (10, 20, 30)).all()


def test_numbers_that_no_colour_has_stay_within_their_layer(
    compositor: Compositor, context: moderngl.Context
) -> None:
    wild = np.full((SIZE[1], SIZE[0], 4), [4.0, -3.0, 0.5, 2.0], np.float16)
    texture = context.texture(SIZE, 4, wild.tobytes(), dtype="f2")
    seen = pixels(compositor, DrawnLayer(texture, DEFAULTS), layer(context, flat(0, 0, 0, 255), opacity=0.5))
    assert (np.abs(seen.astype(int) - (128, 0, 64)) <= 1).all()
