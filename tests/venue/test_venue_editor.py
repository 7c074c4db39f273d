"""The editor of displays as values: every key, the mouse, undo and redo, with exact numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perform.scenes.projection import SQUARE, ColourCorrection, Corners, EdgeBlend, Mask, Projection
from perform.venue.drawing import CHOSEN, LARGE, SMALL, THIN, Overlay, triangles
from perform.venue.editor import EDITOR_KEYS, HELP, NEW_MASK, UNDO_STEPS, Editor
from perform.venue.shapes import BLEND_EDGES, handles, moved, outlines, resampled, surface_points

PINNED = ((0.1, 0.0), (1.0, 0.1), (0.9, 1.0), (0.0, 0.8))
BENT = (
    ((0.0, 0.0), (0.5, 0.1), (1.0, 0.0)),
    ((0.0, 0.5), (0.5, 0.6), (1.0, 0.5)),
    ((0.0, 1.0), (0.5, 1.1), (1.0, 1.0)),
)


def editor(*projections: Projection, mode: str = "1") -> Editor:
    """An editor of displays of 100x50 pixels, in a mode."""
    given = projections or (Projection(), Projection())
    names = tuple(f"display {number}" for number in range(len(given)))
    return Editor(names, given, size=(100, 50)).press(mode)


def test_arrows_move_a_corner_by_a_pixel_and_with_shift_by_a_tenth() -> None:
    state = editor().press("right").press("right").press("up").press("left", shift=True)
    assert state.projection.corners[0] == pytest.approx((0.019, 0.02))
    assert state.projections[1] == Projection()
    state = state.press("pagedown").press("down").press("pageup").press("pageup").press("down")
    corners = ((0.019, 0.02), (1.0, -0.02), (1.0, 1.0), (0.0, 0.98))
    assert np.allclose(state.projection.corners, corners)


def test_tab_chooses_the_display_and_shift_the_one_before() -> None:
    state = editor(*[Projection()] * 3)
    displays = [state.display]
    for shift in (False, False, False, True):
        state = state.press("tab", shift)
        displays.append(state.display)
    assert displays == [0, 1, 2, 0, 2]
    assert state.press("right").projections[2].corners[0] == pytest.approx((0.01, 0))


def test_a_corner_never_goes_where_there_is_no_picture() -> None:
    state = editor().grab((0, 0)).drag((2.0, 2.0))
    assert state.projection.corners == SQUARE
    assert state.drag((0.4, 0.4)).projection.corners[0] == (0.4, 0.4)


def test_the_mouse_takes_the_nearest_point_in_reach() -> None:
    state = editor().press("pagedown").press("pagedown")
    away = state.grab((0.5, 0.5))
    assert not away.held and away.drag((0.6, 0.6)) == away
    state = state.grab((0.99, 0.02))
    assert state.held and state.point == 1
    state = state.drag((0.9, 0.05)).drag((0.8, 0.1)).drop()
    assert state.projection.corners == ((0.0, 0.0), (0.8, 0.1), (1.0, 1.0), (0.0, 1.0))
    assert state.drag((0.5, 0.1)) == state, "it holds nothing any more"
    assert state.undo().projection == Projection(), "a whole drag is one step"


def test_reach_is_the_same_in_both_directions_on_a_wide_display() -> None:
    wide = replace(editor(), size=(200, 50))
    assert wide.grab((0.009, 0)).held and not wide.grab((0.011, 0)).held
    assert wide.grab((0, 0.039)).held and not wide.grab((0, 0.041)).held


def test_steps_of_one_point_are_one_and_of_another_are_not() -> None:
    state = editor().press("right").press("right").press("pagedown").press("up").press("up", shift=True)
    assert len(state.past) == 2
    first = state.undo()
    assert first.projection.corners[0] == pytest.approx((0.02, 0)) and first.projection.corners[1] == (1, 0)
    assert first.undo().projection == Projection() and first.undo().undo().projection == Projection()
    assert first.undo().redo().redo().redo().projections == state.projections
    assert first.press("left").redo().projections == first.press("left").projections, "redo is over"


def test_undo_keeps_a_limited_number_of_steps() -> None:
    state = editor()
    for number in range(UNDO_STEPS + 20):
        state = state.press("pagedown").press("right" if number % 8 < 4 else "left")
    assert len(state.past) == UNDO_STEPS


def test_a_row_or_a_column_of_the_mesh_leaves_the_surface_as_it_is() -> None:
    state = editor(mode="2").press("r").press("c").press("c")
    third, half = 1 / 3, 0.5
    grid = [[[x, y] for x in (0, third, 2 * third, 1)] for y in (0, half, 1)]
    assert np.allclose(state.projection.mesh, grid)
    assert len(state.handles) == 12
    state = state.press("c", shift=True)
    assert [len(row) for row in state.projection.mesh] == [3, 3, 3]
    for _ in range(5):
        state = state.press("r", shift=True)
    assert len(state.projection.mesh) == 2, "no fewer than two"
    for _ in range(40):
        state = state.press("r")
    assert len(state.projection.mesh) == 16, "no more than sixteen"


def test_a_bent_surface_stays_when_rows_are_doubled() -> None:
    finer = resampled(BENT, 5, 5)
    places = np.stack(np.meshgrid(np.linspace(0, 1, 9), np.linspace(0, 1, 9)), -1)
    assert np.allclose(surface_points(finer, places), surface_points(BENT, places), atol=0.006)
    assert np.allclose(
        surface_points(BENT, np.array([[0.5, 0.5], [1, 0], [0, 1]])), [[0.5, 0.6], [1, 0], [0, 1]]
    )


def test_a_mesh_point_is_moved_on_the_pinned_display() -> None:
    state = editor(Projection(corners=PINNED, mesh=BENT), mode="2")
    state = state.grab(state.handles[4]).drag((0.55, 0.45))
    assert state.handles[4] == pytest.approx((0.55, 0.45))
    others = [index for index in range(9) if index != 4]
    before = handles(Projection(corners=PINNED, mesh=BENT), "mesh")
    assert np.allclose([state.handles[one] for one in others], [before[one] for one in others])


@settings(max_examples=60, deadline=None)
@given(
    number=st.integers(0, 8),
    x=st.floats(0.05, 0.95),
    y=st.floats(0.05, 0.95),
)
def test_a_moved_point_is_where_it_was_moved_to(number: int, x: float, y: float) -> None:
    for mode, count in (("mesh", 9), ("masks", 3)):
        projection = Projection(
            corners=PINNED, mesh=BENT, masks=(Mask(((0.0, 0.0), (1.0, 0.0), (0.0, 1.0))),)
        )
        changed = moved(projection, mode, number % count, (x, y))  # type: ignore[arg-type]
        assert handles(changed, mode)[number % count] == pytest.approx((x, y))  # type: ignore[arg-type]


def test_soft_edges_follow_their_handles() -> None:
    state = editor(mode="3")
    assert state.handles == ((0.0, 0.5), (1.0, 0.5), (0.5, 0.0), (0.5, 1.0))
    state = state.press("right").press("pagedown").press("left").press("left")
    assert state.projection.blend == EdgeBlend(
        left=pytest.approx(0.01, abs=1e-6), right=pytest.approx(0.02, abs=1e-6)
    )
    state = state.grab((0.5, 1.0)).drag((0.3, 0.75)).drop().press("equal").press("equal").press("minus")
    assert state.projection.blend.top == 0.25 and state.projection.blend.gamma == pytest.approx(2.25)
    assert state.grab((0.01, 0.5)).drag((-3, 0)).projection.blend.left == 0


SHIFTED = tuple(
    tuple((x + 0.1 + 0.2 * x * (1 - x), y - 0.05) for x in (0.0, 0.5, 1.0)) for y in (0.0, 0.5, 1.0)
)


@pytest.mark.parametrize("corners", [SQUARE, PINNED])
@pytest.mark.parametrize(
    ("number", "key", "way"), [(0, "right", 1), (1, "left", 1), (2, "up", 1), (3, "up", -1)]
)
def test_a_soft_edge_on_a_mesh_moves_by_a_pixel(corners: Corners, number: int, key: str, way: int) -> None:
    soft = EdgeBlend(0.2, 0.3, 0.25, 0.15)
    state = editor(Projection(corners=corners, mesh=SHIFTED, blend=soft), mode="3")
    state = replace(state, point=number)
    x, y = state.handles[number]
    across, up = {"right": (0.01, 0), "left": (-0.01, 0), "up": (0, 0.02)}[key]
    moved = state.press(key)
    assert moved.handles[number] == pytest.approx((x + across, y + up), abs=0.004)
    edge = BLEND_EDGES[number]
    assert 0 < way * (getattr(moved.projection.blend, edge) - getattr(soft, edge)) < 0.04
    assert replace(moved.projection.blend, **{edge: getattr(soft, edge)}) == soft
    assert getattr(state.grab((x, y)).drag((x, y)).projection.blend, edge) == pytest.approx(
        getattr(soft, edge)
    )


def test_masks_are_made_shaped_and_removed() -> None:
    state = editor(mode="4")
    assert state.press("a") == state.press("d") == state.press("i") == state.press("right") == state
    state = state.press("n")
    assert state.projection.masks == (Mask(NEW_MASK),) and state.point == 0
    state = state.press("a")
    assert state.projection.masks[0].points[:3] == ((0.4, 0.4), (0.5, 0.4), (0.6, 0.4)) and state.point == 1
    state = state.press("down").press("i").press("equal").press("equal")
    mask = state.projection.masks[0]
    assert mask.points[1] == pytest.approx((0.5, 0.38))
    assert (mask.invert, mask.feather) == (True, 0.01)
    state = state.press("n").press("d")
    assert [len(one.points) for one in state.projection.masks] == [5, 3]
    state = state.press("d")
    assert [len(one.points) for one in state.projection.masks] == [5] and state.point == 4
    assert [len(one.points) for one in state.undo().projection.masks] == [5, 3]


def test_colours_are_rows_with_their_limits() -> None:
    state = editor(mode="5").press("right").press("down").press("left").press("left", shift=True)
    assert state.projection.colour == ColourCorrection(brightness=0.01, contrast=pytest.approx(0.989))
    state = state.press("up").press("up").press("right")
    assert state.projection.colour.white == (1.0, 1.0, 1.01)
    for _ in range(200):
        state = state.press("down").press("left").press("up")
    assert state.projection.colour.brightness == -1


def test_reset_is_of_the_mode_alone_and_can_be_undone() -> None:
    bent = Projection(
        corners=PINNED, mesh=BENT, blend=EdgeBlend(left=0.1), masks=(Mask(NEW_MASK),),
        colour=ColourCorrection(contrast=2),
    )  # fmt: skip
    expected = {
        "1": replace(bent, corners=SQUARE),
        "2": replace(bent, mesh=()),
        "3": replace(bent, blend=EdgeBlend()),
        "4": replace(bent, masks=()),
        "5": replace(bent, colour=ColourCorrection()),
    }
    for mode, projection in expected.items():
        state = editor(bent, mode=mode).press("backspace")
        assert state.projection == projection and state.press("z").projection == bent
        assert state.press("z").press("y").projection == projection


def test_a_file_that_somebody_saves_is_a_step_that_can_be_undone() -> None:
    state = editor().press("right")
    other = Projection(rotation=180)
    reloaded = state.reloaded({"display 1": other, "another": other})
    assert reloaded.projections == (state.projections[0], other)
    assert reloaded.undo().projections == state.projections
    assert state.reloaded({"display 1": Projection()}) == state


def test_k_goes_through_the_test_cards() -> None:
    state, cards = editor(), []
    for _ in range(4):
        cards.append(state.card)
        state = state.press("k")
    assert cards == ["", "canvas", "display", ""]


def test_the_note_says_what_is_chosen() -> None:
    assert editor().press("pagedown").describe() == "edit display 0 corners 2/4: 100.0, 0.0"
    assert editor(mode="3").press("right").describe() == "edit display 0 blend 1/4: left 0.0100"
    assert editor(mode="4").describe() == "edit display 0 masks: N makes one"
    assert editor(mode="5").press("down").describe() == "edit display 0 colour: contrast 1.000"


@settings(max_examples=80, deadline=None)
@given(
    keys=st.lists(st.tuples(st.sampled_from(sorted(EDITOR_KEYS)), st.booleans()), max_size=40),
    corners=st.sampled_from([SQUARE, PINNED]),
)
def test_whatever_is_pressed_can_be_drawn_and_undone(
    keys: list[tuple[str, bool]], corners: tuple[tuple[float, float], ...]
) -> None:
    first = Projection(corners=corners)  # type: ignore[arg-type]
    state = editor(first, Projection(mesh=BENT))
    for key, shift in keys:
        state = state.press(key, shift)
        assert all(one.faults() == [] for one in state.projections)
        assert state.describe() and outlines(state.projection, state.mode) is not None
        assert not state.handles or state.mode == "colour" or state.point < len(state.handles)
    while state.past:
        state = state.undo()
    assert state.projections == (first, Projection(mesh=BENT))


def test_the_help_names_every_key() -> None:
    words = " ".join(key for key, _ in HELP).split()
    named = {"PgUp": "pageup", "PgDn": "pagedown", "-": "minus", "=": "equal"}
    told = {named.get(word, word.lower()) for word in words} - {"e", "1", "5", "arrows"}
    told |= {"minus"}
    assert told == EDITOR_KEYS - {"left", "right", "up", "down", *"12345", "shift"}


def test_handles_are_squares_and_lines_of_a_width_in_pixels() -> None:
    overlay = Overlay([np.array([[0.0, 0.5], [1.0, 0.5]])], [(0.25, 0.5), (0.5, 0.5)], chosen=1)
    corners = triangles(overlay, (200, 100))
    boxes = corners.reshape(-1, 6, 5)
    pixels = boxes[..., :2] * (200, 100)
    spans = [tuple(np.ptp(one, axis=0)) for one in pixels]
    expected = [(200, THIN + 2), (200, THIN), (SMALL + 2,) * 2, (SMALL,) * 2, (LARGE + 2,) * 2, (LARGE,) * 2]
    assert np.allclose(spans, expected, atol=1e-3)
    assert np.allclose(boxes[-1, :, 2:], CHOSEN) and np.allclose(pixels[-1].mean(0), (100, 50), atol=1e-3)
