"""What the shipped shaders guarantee: neutral values change nothing, feedback fades, no strobe."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest
from numpy.typing import NDArray

from perform.clock import Moment, OfflineClock, Tempo
from perform.render import isf
from perform.render.shader import Shader
from tests.folders import ROOT

SHADERS = ROOT / "shaders"
FILTERS = sorted((SHADERS / "filters").glob("*.fs"))
WIDTH, HEIGHT = SIZE = (160, 90)
Picture = NDArray[np.uint8]


def moments(seconds: float) -> Iterator[Moment]:
    clock = OfflineClock(30)
    for _ in range(round(seconds * 30)):
        clock.advance()
        yield clock.moment(Tempo())


def texture(context: moderngl.Context, picture: Picture) -> moderngl.Texture:
    made = context.texture(SIZE, 4, picture[::-1].tobytes())
    made.repeat_x = made.repeat_y = False
    return made


def plain(colour: tuple[int, int, int]) -> Picture:
    picture = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    picture[..., :3] = colour
    return picture


def pixels(drawn: moderngl.Texture) -> Picture:
    rows = drawn.read()
    assert drawn.dtype == "f1"
    return np.frombuffer(rows, np.uint8).reshape(HEIGHT, WIDTH, 4)[::-1, :, :3]


def defaults(shader: Shader, **values: Any) -> dict[str, Any]:
    return {parameter.name: parameter.default for parameter in shader.parameters} | values


def neutral(path: Path) -> dict[str, Any]:
    header = json.loads(path.read_text(encoding="utf-8").split("/*")[1].split("*/")[0])
    return {one["NAME"]: one["IDENTITY"] for one in header["INPUTS"] if "IDENTITY" in one}


@pytest.mark.parametrize("path", sorted(SHADERS.glob("*/*.fs")), ids=lambda path: path.stem)
def test_what_may_grow_for_days_wraps(path: Path) -> None:
    """A formula such as `time.seconds` comes to the end of the widest range."""
    wide = [p for p in isf.load(path).parameters if p.kind == "float" and p.high >= 1000]
    assert [p.name for p in wide if not p.wraps] == []


@pytest.mark.parametrize("path", FILTERS, ids=lambda path: path.stem)
def test_a_filter_at_its_neutral_values_does_not_change_the_picture(
    context: moderngl.Context, path: Path
) -> None:
    picture = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, 4), dtype=np.uint8)
    picture[..., 3] = 255
    shader, image, values = Shader(context, isf.load(path), SIZE), texture(context, picture), neutral(path)
    assert values, f"{path.name} says no IDENTITY"
    for moment in moments(0.2):
        assert np.array_equal(
            pixels(shader.render(moment, defaults(shader, **values), image)), picture[..., :3]
        )
    shader.release()


def test_a_hit_leaves_one_echo_in_the_next_colour_that_moves_aside_and_fades(
    context: moderngl.Context,
) -> None:
    shader = Shader(context, isf.load(SHADERS / "filters/echoes.fs"), SIZE)
    lit = plain((0, 0, 0))
    lit[40:50, 75:85] = 255
    light, dark = texture(context, lit), texture(context, plain((0, 0, 0)))
    reds, drawn = {"second": (1.0, 0.0, 0.0, 1.0)}, plain((0, 0, 0))
    for moment in moments(4):
        hit = float(0.5 <= moment.seconds < 0.7)
        seen = light if moment.seconds < 0.6 else dark
        drawn = pixels(shader.render(moment, defaults(shader, hit=hit, fade=0.2, **reds), seen)).copy()
        if moment.frame == 14:  # before the hit nothing is kept
            assert drawn[40:50, :70].max() == drawn[40:50, 90:].max() == 0
        if moment.frame == 24:
            across = np.flatnonzero(drawn[..., 0].max(0) > 60)
            assert drawn[..., 1:].max() == 0  # one echo: the second, which is red and goes to the right
            assert 85 < across.min() < across.max() < WIDTH
    assert drawn.max() == 0
    shader.release()


@pytest.mark.parametrize("values", [{}, {"hue": 1.0, "zoom": -2.0, "amount": 1.0, "decay": 2.0}])
def test_feedback_never_overexposes_and_fades_to_black(
    context: moderngl.Context, values: dict[str, float]
) -> None:
    shader = Shader(context, isf.load(SHADERS / "filters/feedback.fs"), SIZE)
    lit, dark = plain((0, 0, 0)), texture(context, plain((0, 0, 0)))
    lit[30:60, 50:100, :3] = (200, 40, 20)
    light, brightest = texture(context, lit), 0
    for moment in moments(15):
        drawn = shader.render(moment, defaults(shader, **values), light if moment.seconds < 2 else dark)
        if moment.frame % 15 == 0:
            brightest = max(brightest, int(pixels(drawn).max()))
    assert brightest <= 201
    assert pixels(drawn).max() == 0
    shader.release()


def test_feedback_that_sinks_brings_nothing_in_from_the_edges(context: moderngl.Context) -> None:
    shader = Shader(context, isf.load(SHADERS / "filters/feedback.fs"), SIZE)
    lit = plain((0, 0, 0))
    lit[:, :1] = lit[:1] = 255  # along two edges, and a square that does sink
    lit[30:60, 110:140] = 255
    for moment in moments(2):
        drawn = pixels(shader.render(moment, defaults(shader, amount=1, zoom=-0.3), texture(context, lit)))
    assert drawn[45, 100].min() > 0
    assert drawn[8:40, 8:50].max() == 0
    shader.release()


def test_hits_at_eight_a_second_flash_at_most_three_times_a_second(context: moderngl.Context) -> None:
    shader = Shader(context, isf.load(SHADERS / "filters/pulse.fs"), SIZE)
    grey, light = texture(context, plain((128, 128, 128))), []
    for moment in moments(4):
        hit = float(np.exp(-5 * (moment.seconds * 8 % 1)))
        drawn = shader.render(moment, defaults(shader, hit=hit, scale=0.0, flash=1.0), grey)
        light.append(float(pixels(drawn).mean()))
    flashes = int((np.diff(light) > 10).sum())
    assert 1 <= flashes <= 12
    shader.release()


@pytest.mark.parametrize("size", [0.1, 0.37, 0.62, 1.0])
@pytest.mark.parametrize("name", ["wind", "tumble"])
def test_petals_are_where_they_were_when_their_wind_goes_through_its_range_again(
    context: moderngl.Context, name: str, size: float
) -> None:
    shader = Shader(context, isf.load(SHADERS / "filters/flurry.fs"), SIZE)
    image, (moment, *_) = texture(context, plain((200, 60, 90))), moments(0.1)
    way = next(parameter for parameter in shader.parameters if parameter.name == name)
    assert way.wraps
    low, high, between = (
        pixels(shader.render(moment, defaults(shader, size=size, **{name: at}), image)).astype(int)
        for at in (way.low, way.high, 0.9)
    )
    assert np.abs(low - high).mean() < 0.5 < 2 < np.abs(low - between).mean()
    shader.release()


def test_a_flower_of_the_field_that_changes_is_never_the_ghost_of_another(context: moderngl.Context) -> None:
    shader = Shader(context, isf.load(SHADERS / "filters/field.fs"), SIZE)
    red, blue = (texture(context, plain(colour)) for colour in ((255, 0, 0), (0, 0, 255)))
    plants = defaults(shader, **dict.fromkeys(("ground", "leaves", "sky", "dusk"), (0.0, 0.0, 0.0, 1.0)))
    mixed, whole = [], 0
    for moment in moments(2):
        drawn = pixels(shader.render(moment, plants, red if moment.seconds < 1 else blue)).astype(int)
        both = np.minimum(drawn[..., 0], drawn[..., 2])
        mixed.append(int((both > 40).sum()))
        whole = max(whole, min(int((drawn[..., part] > 80).sum()) for part in (0, 2)))
    assert whole > 500  # some rows are red and others blue
    assert max(mixed) < 0.02 * WIDTH * HEIGHT
    shader.release()


@pytest.mark.parametrize(
    ("turn", "grounds", "lights"),
    [(0, ("black", "blue"), ("white", "red")), (1, ("blue", "blue"), ("red", "red"))],
)
def test_each_print_shows_the_middle_of_the_picture_in_its_own_inks(
    context: moderngl.Context, turn: float, grounds: tuple[str, str], lights: tuple[str, str]
) -> None:
    rgb = {"black": (0, 0, 0), "blue": (0, 0, 255), "red": (255, 0, 0), "white": (255, 255, 255)}
    inks = zip(("paper", "first", "second", "third"), rgb.values(), strict=True)
    colours = {name: (*(part / 255 for part in colour), 1.0) for name, colour in inks}
    shader = Shader(context, isf.load(SHADERS / "filters/posterise.fs"), SIZE)
    bar = plain((0, 0, 0))
    bar[:, 3 * WIDTH // 8 : 5 * WIDTH // 8] = 255
    values = defaults(shader, screen=0.0, columns=2.0, rows=1.0, turn=float(turn), **colours)
    (moment,) = moments(1 / 30)
    drawn = pixels(shader.render(moment, values, texture(context, bar)))[HEIGHT // 2]
    for number, (ground, light) in enumerate(zip(grounds, lights, strict=True)):
        left = number * WIDTH // 2
        assert tuple(drawn[left + WIDTH // 16]) == tuple(drawn[left + 7 * WIDTH // 16]) == rgb[ground]
        assert tuple(drawn[left + WIDTH // 4]) == rgb[light]
    shader.release()
