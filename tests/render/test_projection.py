"""A display's projection, with exact pixels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any, Literal

import moderngl
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perform.render.present import Present
from perform.render.projection import Projector
from perform.scenes.look import Look
from perform.scenes.projection import (
    SQUARE,
    ColourCorrection,
    Corners,
    EdgeBlend,
    Mask,
    Projection,
    homography,
)
from tests.doubles.projections import SIZE, Display, noise, places, regular, texture


@pytest.fixture(scope="module")
def display(context: moderngl.Context) -> Display:
    return Display(context)


def test_a_plain_projection_is_drawn_as_present_draws(context: moderngl.Context, display: Display) -> None:
    for size in (SIZE, (80, 48), (31, 57)):
        image = texture(context, noise(size))
        for look in (Look(), Look(master=0.4, frame=5), Look(gamma=1.7), Look(blackout=True)):
            Present(context, SIZE).draw(image, display.framebuffer, (0, 0, *SIZE), look)
            rows = np.frombuffer(display.framebuffer.read(components=3, alignment=1), np.uint8)
            assert np.array_equal(
                display.show(image, Projection(), look), rows.reshape(SIZE[1], SIZE[0], 3)[::-1]
            )


@pytest.mark.parametrize(
    "projection",
    [
        Projection(mesh=regular(2, 2)),
        Projection(mesh=regular(4, 3)),
        Projection(masks=(Mask(((2.0, 2.0), (3.0, 2.0), (3.0, 3.0))),)),
        Projection(masks=(Mask(((-1.0, -1.0), (2.0, -1.0), (2.0, 2.0), (-1.0, 2.0)), invert=True),)),
        Projection(colour=ColourCorrection(white=(1.0, 1.0, 1 - 1e-7))),
        Projection(blend=EdgeBlend(left=1e-5)),
        Projection(corners=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0 - 1e-7))),
    ],
)
def test_a_projection_that_changes_nothing_keeps_each_pixel(
    context: moderngl.Context, display: Display, projection: Projection
) -> None:
    assert not projection.is_plain
    for frame in range(3):
        assert np.array_equal(display.show(texture(context, noise()), projection, Look(frame=frame)), noise())


def test_a_part_fills_the_display_to_the_pixel(context: moderngl.Context) -> None:
    canvas = noise((128, 96))
    display = Display(context)
    image = texture(context, canvas)
    left = display.show(image, Projection(part=(0.0, 0.0, 0.5, 0.5)))
    right = display.show(image, Projection(part=(0.5, 0.5, 0.5, 0.5)))
    assert np.array_equal(left, canvas[48:, :64]) and np.array_equal(right, canvas[:48, 64:])


def test_the_whole_canvas_is_cropped_and_a_part_is_not(context: moderngl.Context, display: Display) -> None:
    wide = np.zeros((48, 128), np.uint8)
    wide[:, 32:96] = 200
    image = texture(context, wide)
    brighter = ColourCorrection(brightness=1e-5)
    assert (display.show(image, Projection(colour=brighter)) == 200).all()
    pinned = display.show(image, Projection(corners=((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 0.9999))))
    assert set(np.unique(pinned[10:, [0, 15, 48, 63]])) == {0} and (pinned[10:, 17:46] == 200).all()


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", [False, True])
def test_rotation_turns_to_the_left_and_flip_mirrors_what_is_seen(
    context: moderngl.Context, rotation: Any, flip: bool
) -> None:
    size = SIZE if rotation % 180 == 0 else SIZE[::-1]
    expected = np.rot90(noise(), rotation // 90)
    expected = expected[:, ::-1] if flip else expected
    display = Display(context, size)
    shown = display.show(texture(context, noise()), Projection(rotation=rotation, flip=flip))
    assert np.array_equal(shown, expected)


PINNED: Corners = ((0.1, 0.2), (0.95, 0.05), (0.8, 0.9), (0.2, 0.75))


@dataclass(frozen=True)
class Ramp:
    """A picture whose red and green say which place of it is seen; its blue is 128."""

    context: moderngl.Context
    display: Display
    image: moderngl.Texture


@pytest.fixture(scope="module")
def ramp(context: moderngl.Context, display: Display) -> Ramp:
    x, y = places((256, 192))
    image = texture(context, np.stack([x * 255, y * 255, np.full_like(x, 128)], axis=2).round())
    return Ramp(context, display, image)


def test_a_corner_pin_maps_as_the_homography(ramp: Ramp) -> None:
    made = ramp.display.show(ramp.image, Projection(corners=PINNED)).astype(float)
    matrix = homography(PINNED)
    assert matrix is not None
    across, up = places()
    u, v, w = np.einsum("ij,jyx->iyx", np.linalg.inv(matrix), np.stack([across, up, np.ones_like(up)]))
    u, v = u / w, v / w
    inside = (np.minimum(u, v) > 0.03) & (np.maximum(u, v) < 0.97)
    outside = (np.minimum(u, v) < -0.05) | (np.maximum(u, v) > 1.05)
    assert inside.sum() > 800 and outside.sum() > 800
    assert np.abs(made[..., 0] - u * 255)[inside].max() < 1.5
    assert np.abs(made[..., 1] - v * 255)[inside].max() < 1.5
    assert (made[inside][:, 2] == 128).all() and not made[outside].any()


@given(st.tuples(*[st.tuples(st.floats(-0.3, 0.3), st.floats(-0.3, 0.3))] * 4))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_corner_pin_maps_as_the_homography(ramp: Ramp, moves: tuple[tuple[float, float], ...]) -> None:
    a, b, c, d = ((x + dx, y + dy) for (x, y), (dx, dy) in zip(SQUARE, moves, strict=True))
    corners = a, b, c, d
    made = ramp.display.show(ramp.image, Projection(corners=corners)).astype(float)
    matrix = homography(corners)
    if matrix is None:
        assert not made.any()
        return
    across, up = places()
    u, v, w = np.einsum("ij,jyx->iyx", np.linalg.inv(matrix), np.stack([across, up, np.ones_like(up)]))
    u, v = u / w, v / w
    lit = (np.minimum(u, v) > 0) & (np.maximum(u, v) < 1)
    whole = sum(np.roll(lit, (y, x), (0, 1)) for x in (-2, 0, 2) for y in (-2, 0, 2)) == 9
    whole[:2] = whole[-2:] = whole[:, :2] = whole[:, -2:] = False
    assert np.abs(made[..., 0] - u * 255)[whole].max(initial=0) < 2
    assert np.abs(made[..., 1] - v * 255)[whole].max(initial=0) < 2


@given(
    st.integers(2, 4),
    st.integers(2, 4),
    st.randoms(use_true_random=False),
    st.sampled_from([1.0, 30.0, 1e6]),
)
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_mesh_is_drawn(ramp: Ramp, rows: int, columns: int, random: Random, far: float) -> None:
    mesh = tuple(
        tuple((random.uniform(-far, far), random.uniform(-far, far)) for _ in range(columns))
        for _ in range(rows)
    )
    shown = ramp.display.show(ramp.image, Projection(mesh=mesh, corners=PINNED))
    assert set(np.unique(shown[..., 2])) <= set(range(129)) and ramp.context.error == "GL_NO_ERROR"


def test_straight_lines_stay_straight_under_a_corner_pin(context: moderngl.Context) -> None:
    """A diagonal of the picture is the diagonal of its corners, without a kink between its triangles."""
    size = (256, 256)
    x, y = places(size)
    display = Display(context, size)
    image = texture(context, np.where(np.abs(x - (1 - y)) < 0.02, 255, 0))
    made = display.show(image, Projection(corners=PINNED))[..., 0]
    lit = made > 128
    (ax, ay), (bx, by) = PINNED[1], PINNED[3]
    distance = np.abs((bx - ax) * (ay - y) - (ax - x) * (by - ay)) / np.hypot(bx - ax, by - ay)
    assert lit.sum() > 500 and distance[lit].max() < 0.025


def test_the_edge_of_a_warped_picture_is_smooth(context: moderngl.Context, display: Display) -> None:
    """The light along a slanted edge sums to the area of the picture."""
    corners: Corners = ((0.2, 0.2), (0.8, 0.3), (0.8, 0.7), (0.2, 0.8))
    made = display.show(texture(context, np.full((48, 64), 255)), Projection(corners=corners))[..., 0]
    area = 0.6 * (0.6 + 0.4) / 2
    assert made.mean() / 255 == pytest.approx(area, abs=0.002)
    assert len(np.unique(made)) > 6


def test_a_mesh_goes_through_its_points(context: moderngl.Context) -> None:
    """A dot at the place of a control point is seen where the point is, also after the corner pin."""
    size = (256, 256)
    mesh = [[*row] for row in regular(3, 4)]
    mesh[1][2] = (0.6, 0.58)
    mesh[0][1] = (0.3, 0.06)
    x, y = places(size)
    near = np.minimum(np.hypot(x - 2 / 3, y - 0.5), np.hypot(x - 1 / 3, y - 0.03))
    display, image = Display(context, size), texture(context, np.where(near < 0.02, 255, 0))
    bent = display.show(image, Projection(mesh=tuple(map(tuple, mesh))))[..., 0] > 128
    upper, lower = bent & (y > 0.3), bent & (y < 0.3)
    assert (x[upper].mean(), y[upper].mean()) == pytest.approx((0.6, 0.58), abs=0.005)
    assert x[lower].mean() == pytest.approx(0.3, abs=0.01)
    pinned = Projection(mesh=tuple(map(tuple, mesh)), corners=((0, 0), (1, 0), (0.75, 1), (0.25, 1)))
    matrix = homography(pinned.corners)
    assert matrix is not None
    u, v, w = matrix @ (0.6, 0.58, 1.0)
    seen = display.show(image, pinned)[..., 0] > 128
    upper = seen & (y > 0.3)
    assert (x[upper].mean(), y[upper].mean()) == pytest.approx((u / w, v / w), abs=0.008)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_what_is_beyond_the_canvas_is_black(
    context: moderngl.Context, display: Display, rotation: Literal[0, 90, 180, 270]
) -> None:
    white = texture(context, np.full((48, 64), 255))
    part = (-0.5, -0.25, 1.0, 1.0)  # the left half, and the lowest quarter, are not of the canvas
    shown = display.show(white, Projection(part, rotation))[..., 0]
    expected = np.zeros((4, 4), np.uint8)
    expected[:3, 2:] = 255  # the canvas is in the upper right, and turns to the left
    assert np.array_equal(shown, np.kron(np.rot90(expected, rotation // 90), np.full((12, 16), 1)))


@pytest.mark.parametrize("covered", [0.1, 0.25, 0.5, 0.75])
def test_an_edge_without_a_blend_stays_smooth_beside_a_soft_one(
    context: moderngl.Context, display: Display, covered: float
) -> None:
    white = texture(context, np.full((48, 64), 255))
    left = (7 - covered) / 64  # the seventh pixel is covered in part
    corners = ((left, 0.0), (1.0, 0.0), (1.0, 1.0), (left, 1.0))
    for blend in (EdgeBlend(), EdgeBlend(right=0.2), EdgeBlend(right=0.2, top=0.1)):
        row = display.show(white, Projection(corners=corners, blend=blend))[24, :, 0]
        assert row[5:8].tolist() == [0, pytest.approx(255 * covered, abs=1), 255]


def test_two_soft_edges_sum_to_one_light(context: moderngl.Context) -> None:
    """Two projectors of 64 pixels that overlap by 16, with gamma 2.2 and 1.8."""
    for gamma in (2.2, 1.8):
        display, white = Display(context), texture(context, np.full((48, 112), 255))
        width, part = 16 / 64, 64 / 112
        left = Projection(part=(0, 0, part, 1), blend=EdgeBlend(right=width, gamma=gamma))
        right = Projection(part=(1 - part, 0, part, 1), blend=EdgeBlend(left=width, gamma=gamma))
        first = (display.show(white, left)[24, -16:, 0] / 255.0) ** gamma
        second = (display.show(white, right)[24, :16, 0] / 255.0) ** gamma
        assert first + second == pytest.approx(np.ones(16), abs=0.0087)
        assert (np.diff(first) < 0).all() and first[0] > 0.99 and first[-1] < 0.01


def test_four_soft_corners_sum_to_one_light(context: moderngl.Context, display: Display) -> None:
    white = texture(context, np.full((48, 64), 255))
    light = np.zeros((12, 16))
    for across in ("left", "right"):
        for up in ("bottom", "top"):
            soft = EdgeBlend(**{across: 0.25, up: 0.25})
            shown = (
                display.show(white, Projection(part=(0, 0, 1, 0.999), blend=soft))[..., 0] / 255.0
            ) ** 2.2
            rows = slice(-12, None) if up == "bottom" else slice(0, 12)
            light += shown[rows, slice(0, 16) if across == "left" else slice(-16, None)]
    assert light == pytest.approx(np.ones((12, 16)), abs=0.012)


def test_a_mask_is_black_inside_and_its_edge_is_smooth(context: moderngl.Context, display: Display) -> None:
    white, (x, y) = texture(context, np.full((48, 64), 255)), places()
    triangle = Mask(((0.1, 0.1), (0.9, 0.1), (0.5, 0.9)))
    made = display.show(white, Projection(masks=(triangle,)))[..., 0]
    inverse = display.show(white, Projection(masks=(replace(triangle, invert=True),)))[..., 0]
    area = 0.8 * 0.8 / 2
    assert 1 - made.mean() / 255 == pytest.approx(area, abs=0.002)
    assert inverse.mean() / 255 == pytest.approx(area, abs=0.002)
    assert abs(made.astype(int) + inverse - 255).max() <= 1
    inside = (y > 0.15) & (np.abs(x - 0.5) < (0.9 - y) / 2 - 0.05)
    assert not made[inside].any() and (made[y < 0.07] == 255).all()


def test_a_feather_leaves_the_black_part_black(context: moderngl.Context, display: Display) -> None:
    white, (x, _) = texture(context, np.full((48, 64), 255)), places()
    half = ((-1.0, -1.0), (0.5, -1.0), (0.5, 2.0), (-1.0, 2.0))
    made = display.show(white, Projection(masks=(Mask(half, feather=0.25),)))[20, :, 0]
    x = x[0]
    t = np.clip((x - 0.5) * 64 / 12, 0, 1)  # 12 pixels: a quarter of the height
    assert abs(made - 255 * t * t * (3 - 2 * t)).max() <= 1
    inverse = display.show(white, Projection(masks=(Mask(half, 0.25, invert=True),)))[20, :, 0]
    assert not inverse[32:].any() and inverse[:20].min() == 255


def test_masks_with_a_hole_and_several_of_them(context: moderngl.Context, display: Display) -> None:
    white = texture(context, np.full((48, 64), 255))
    left = Mask(((0.0, 0.0), (0.25, 0.0), (0.25, 1.0), (0.0, 1.0)))
    low = Mask(((0.0, 0.0), (1.0, 0.0), (1.0, 0.25), (0.0, 0.25)))
    made = display.show(white, Projection(masks=(left, low)))[..., 0]
    expected = np.full((48, 64), 255)
    expected[:, :16] = expected[36:] = 0
    assert np.array_equal(made, expected)
    one = display.show(white, Projection(masks=(left,)))[..., 0]
    assert one[40, 40] == 255


def test_colour_correction_is_of_encoded_values(context: moderngl.Context, display: Display) -> None:
    ramp = np.repeat(np.arange(64)[None] * 4, 48, axis=0)
    colour = ColourCorrection(brightness=0.1, contrast=1.5, gamma=1.4, white=(1.0, 0.8, 0.6))
    made = display.show(texture(context, ramp), Projection(colour=colour))[0].astype(float)
    value = np.clip((ramp[0] / 255 - 0.5) * 1.5 + 0.5 + 0.1, 0, 1) ** (1 / 1.4)
    assert np.abs(made - 255 * value[:, None] * (1.0, 0.8, 0.6)).max() < 1


def test_master_blackout_and_gamma_come_last(context: moderngl.Context, display: Display) -> None:
    image = texture(context, np.full((48, 64), 100))
    lifted = Projection(
        colour=ColourCorrection(brightness=0.5), corners=((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))
    )
    lit = display.show(image, lifted)
    assert not display.show(image, lifted, Look(blackout=True)).any()
    assert not display.show(image, lifted, Look(master=0.0)).any()
    value = 100 / 255 + 0.5
    assert abs(lit[24, 32, 0] - 255 * value) < 1
    assert abs(display.show(image, lifted, Look(master=0.5))[24, 32, 0] - 127.5 * value) < 1
    assert abs(display.show(image, lifted, Look(gamma=2.0))[24, 32, 0] - 255 * value**0.5) < 1
    assert not lit[:4].any() and not lit[:, :5].any()


@pytest.mark.parametrize(
    "corners",
    [
        ((0.0, 0.0), (1.0, 1.0), (1.0, 0.0), (0.0, 1.0)),
        ((0.5, 0.5),) * 4,
        ((0.0, 0.0), (1.0, 0.0), (0.2, 0.2), (0.0, 1.0)),
        ((float("nan"), 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
    ],
)
def test_corners_without_a_picture_are_black(
    context: moderngl.Context, display: Display, corners: Corners
) -> None:
    assert not display.show(texture(context, noise()), Projection(corners=corners)).any()
    assert context.error == "GL_NO_ERROR"


def test_corners_far_away_show_their_picture_where_it_reaches(
    context: moderngl.Context, display: Display
) -> None:
    image = texture(context, np.full((48, 64), 90))
    huge = Projection(corners=((-50.0, -50.0), (60.0, -40.0), (40.0, 55.0), (-45.0, 70.0)))
    assert (display.show(image, huge) == 90).all()
    steep = Projection(corners=((0.0, 0.0), (1.0, 0.0), (0.501, 1.0), (0.499, 1.0)))
    made = display.show(image, steep)
    assert set(np.unique(made[-4:-1, 4:-4])) == {90} and not made[:12, :20].any()


def test_a_mesh_that_folds_hides_nothing_behind_its_edge(context: moderngl.Context, display: Display) -> None:
    rows = (((0.0, 0.0), (0.9, 0.0), (0.5, 0.0)), ((0.0, 1.0), (0.9, 1.0), (0.5, 1.0)))
    made = display.show(texture(context, np.full((48, 64), 90)), Projection(mesh=rows))
    assert (made[:, 1:50] == 90).all()


def test_a_viewport_of_a_larger_framebuffer(context: moderngl.Context) -> None:
    framebuffer = context.framebuffer([context.texture((100, 80), 4)])
    framebuffer.clear(0.0, 0.0, 1.0, 1.0)
    mask = Mask(((0.0, 0.0), (0.5, 0.0), (0.5, 1.0), (0.0, 1.0)))
    projection = Projection(masks=(mask,), mesh=regular(2, 2))
    projector = Projector(context, SIZE, projection)
    projector.draw(texture(context, noise()), framebuffer, (20, 10, *SIZE), Look())
    shown = np.frombuffer(framebuffer.read(components=3, alignment=1), np.uint8).reshape(80, 100, 3)[::-1]
    expected = noise()
    expected[:, :32] = 0
    assert np.array_equal(shown[22:70, 20:84], expected)
    shown = shown.copy()
    shown[22:70, 20:84] = (0, 0, 255)
    assert (shown == (0, 0, 255)).all()
