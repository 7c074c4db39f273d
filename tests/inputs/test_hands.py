"""Signals of landmarks: exact values for hands whose angles and lengths are known."""

from __future__ import annotations

import numpy as np
import pytest

from perform import paths
from perform.arrays import Doubles
from perform.formula.smoothing import OneEuro
from perform.inputs.hands import signals as hands
from perform.inputs.hands.signals import (
    APART,
    CLOSED,
    CURLED,
    FAR_PALM,
    HAND_SIGNALS,
    KNUCKLES,
    NEAR_PALM,
    STRAIGHT,
    TOUCHING,
    WIDE,
)
from tests.doubles.drawn_hands import Hand
from tests.doubles.formulas import compiled


def fan(bend: float = 0.0, palm: float = 0.2, angles: tuple[float, ...] = (-40, -15, 0, 15, 30)) -> Doubles:
    """Five fingers of four bones, straight from the wrist at (0.5, 0.3), bent towards the camera."""
    points = np.zeros((21, 3))
    points[0] = 0.5, 0.3, 0.0
    for finger, angle in enumerate(np.radians(angles)):
        ahead, near = np.array([np.sin(angle), np.cos(angle), 0]), np.array([0, 0, -1.0])
        for joint in range(4):
            step = np.cos(joint * bend) * ahead + np.sin(joint * bend) * near
            before = points[0] if joint == 0 else points[4 * finger + joint]
            points[4 * finger + joint + 1] = before + step * (palm if joint == 0 else 0.3 * palm)
    return points


def turned(points: Doubles, turns: float, axis: str = "z") -> Doubles:
    """Points turned about their wrist, clockwise in the picture for z."""
    c, s = np.cos(2 * np.pi * turns), np.sin(2 * np.pi * turns)
    matrix = {"z": [[c, s, 0], [-s, c, 0], [0, 0, 1]], "x": [[1, 0, 0], [0, c, s], [0, -s, c]]}[axis]
    return np.asarray((points - points[0]) @ np.array(matrix).T + points[0])


def test_points_are_in_picture_heights_from_the_lower_left() -> None:
    landmarks = np.zeros((21, 3), np.float32)
    landmarks[4] = 0.5, 0.25, -0.1
    points = hands.points_of(landmarks, 4 / 3)
    assert points[0] == pytest.approx([0, 1, 0])
    assert points[4] == pytest.approx([2 / 3, 0.75, -0.4 / 3])


@pytest.mark.parametrize("bend", [0.0, 0.3, 0.9, 1.3])
def test_bends_are_the_angles_of_the_joints(bend: float) -> None:
    assert hands.bends(fan(bend)) == pytest.approx([3 * bend] * 5, abs=1e-6)


def test_bends_do_not_depend_on_rotation_and_size() -> None:
    assert hands.bends(turned(fan(0.7, 0.05), 0.13, "x")) == pytest.approx([2.1] * 5)


def test_curls_run_from_straight_to_curled() -> None:
    assert hands.curls(fan(0.0)) == pytest.approx([0] * 5)
    assert hands.curls(fan(1.3)) == pytest.approx([1] * 5)
    half = (STRAIGHT[1] + CURLED[1]) / 2
    assert hands.curls(fan(half / 3))[1:] == pytest.approx([0.5] * 4)
    assert hands.curls(fan((STRAIGHT[0] + CURLED[0]) / 6))[0] == pytest.approx(0.5)


def test_openness_ignores_the_thumb() -> None:
    assert hands.openness(np.array([1, 0, 0, 0, 0.0])) == 1
    assert hands.openness(np.array([0, 1, 1, 1, 1.0])) == 0
    assert hands.openness(np.array([0, 0.5, 1, 0, 0.5])) == 0.5


@pytest.mark.parametrize(
    ("curled", "word"), [((0, 1, 1, 1, 1), "fist"), ((1, 0, 0, 0, 0), "open"), ((0, 0, 1, 1, 1), "point")]
)
def test_each_gesture_excludes_the_others(curled: tuple[float, ...], word: str) -> None:
    found = hands.gestures(np.array(curled, float))
    assert found == {name: float(name == word) for name in ("fist", "open", "point")}


def test_one_wrong_finger_prevents_a_gesture() -> None:
    assert hands.gestures(np.array([0, 0.8, 0.6, 0.7, 0.9])) == pytest.approx(
        {"fist": 0.6, "open": 0.1, "point": 0.2}
    )


@pytest.mark.parametrize("turns", [0.0, 0.1, -0.2])
def test_the_length_of_a_palm_does_not_depend_on_its_rotation(turns: float) -> None:
    assert hands.palm(turned(fan(palm=0.2), turns, "x")) == pytest.approx(0.2)


def test_depth_rises_by_one_step_for_each_doubling() -> None:
    assert hands.depth(fan(palm=FAR_PALM)) == pytest.approx(0)
    assert hands.depth(fan(palm=NEAR_PALM)) == pytest.approx(1)
    one, two, four = (hands.depth(fan(palm=size)) for size in (0.08, 0.16, 0.32))
    assert two - one == pytest.approx(four - two)
    assert hands.depth(fan(palm=0.01)) == 0 and hands.depth(fan(palm=3)) == 1


def test_pinch_is_measured_in_palms() -> None:
    for palm in (0.1, 0.3):
        for gap in (0.0, TOUCHING, (TOUCHING + APART) / 2, APART, 2.0):
            points = fan(palm=palm)
            points[4] = points[8] + [gap * palm, 0, 0]
            expected = 1 - np.clip((gap - TOUCHING) / (APART - TOUCHING), 0, 1)
            assert hands.pinch(points) == pytest.approx(expected)


def test_spread_is_the_angle_between_index_and_pinky() -> None:
    def at(radians: float) -> float:
        degrees = float(np.degrees(radians))
        return hands.spread(fan(angles=(-60, 0, degrees / 3, degrees / 2, degrees)))

    assert at(CLOSED) == pytest.approx(0)
    assert at((CLOSED + WIDE) / 2) == pytest.approx(0.5)
    assert at(WIDE) == pytest.approx(1)


@pytest.mark.parametrize("turns", [-0.4, -0.25, 0.0, 0.1, 0.25, 0.49])
def test_roll_is_in_turns_to_the_right(turns: float) -> None:
    upright = fan(angles=(-40, -15, -5, 5, 15))  # its four knuckles are symmetrical
    assert hands.roll(turned(upright, turns)) == pytest.approx(turns)


def test_the_position_of_a_hand_is_the_middle_of_its_palm() -> None:
    points = Hand(0.6, 0.3).points()
    middle = points[[0, *KNUCKLES]].mean(0)
    said = hands.shape(points, 4 / 3)
    assert said["x"] == pytest.approx(middle[0] / (4 / 3))
    assert said["y"] == pytest.approx(middle[1])
    assert said["height"] == pytest.approx((middle[1] - 0.2) / 0.6)


def test_every_signal_is_sent_and_within_its_range() -> None:
    rng = np.random.default_rng(3)
    for _ in range(200):
        said = hands.shape(rng.normal(0.5, 0.4, (21, 3)), 16 / 9)
        assert {*said, "present", "speed"} == {*hands.WORDS}
        assert all(0 <= value <= 1 for word, value in said.items() if word != "roll")
        assert -0.5 <= said["roll"] <= 0.5
    assert all(np.isfinite(list(hands.shape(np.zeros((21, 3)), 1.0).values())))


def test_left_and_right_hands_give_the_same_values() -> None:
    left, right = (Hand(0.5, 0.4, side=side).points() for side in ("left", "right"))
    one, other = (hands.shape(points, 1.0) for points in (left, right))
    for word in ("depth", "openness", "pinch", "spread", "curl.index", "height"):
        assert one[word] == pytest.approx(other[word])
    assert one["roll"] == pytest.approx(-other["roll"])


def test_a_drawn_fist_and_a_drawn_flat_hand_are_distinguished() -> None:
    flat = hands.shape(Hand(0.5, 0.4).points(), 1.0)
    fist = hands.shape(Hand(0.5, 0.4, curls=(1,) * 5).points(), 1.0)
    assert flat["openness"] > 0.9 and fist["openness"] < 0.1
    assert flat["open"] > 0.9 and fist["fist"] > 0.9


def test_formulas_know_the_signals_and_suggest_similar_ones() -> None:
    assert all(compiled(name).names == {name} for name in HAND_SIGNALS)
    with pytest.raises(ValueError, match=r"unknown signal hand\.left\.pich; did you mean hand\.left\.pinch"):
        compiled("hand.left.pich")


def test_the_page_lists_every_declared_signal() -> None:
    page = (paths.shipped() / "docs" / "hands.md").read_text(encoding="utf-8")
    for name, about in {**hands.WORDS, **hands.TOTALS}.items():
        assert f"| `{name}` | {about} |" in page


def test_one_euro_equals_the_filter_of_the_paper() -> None:
    cutoff, beta, dt = 1.5, 0.7, 1 / 30
    xs = [0.0, 0.1, 0.4, 0.35, 0.9]
    value = before = xs[0]
    speed = 0.0
    filter_ = OneEuro(cutoff, beta)
    assert filter_.step(np.array([value]), 0.0)[0] == value
    for x in xs[1:]:

        def alpha(hertz: float) -> float:
            return 1 / (1 + 1 / (2 * np.pi * hertz) / dt)  # the paper's: 1 / (1 + tau / Te)

        speed = alpha(1.0) * (x - before) / dt + (1 - alpha(1.0)) * speed
        a = alpha(cutoff + beta * abs(speed))
        value, before = a * x + (1 - a) * value, x
        assert filter_.step(np.array([x]), dt)[0] == pytest.approx(value)


def test_one_euro_uses_the_real_times() -> None:
    often, seldom = OneEuro(1.0, 0.0), OneEuro(1.0, 0.0)
    often.step(np.zeros(1), 0.0)
    seldom.step(np.zeros(1), 0.0)
    for _ in range(100):
        often.step(np.ones(1), 0.001)
    for _ in range(10):
        last = seldom.step(np.ones(1), 0.01)
    assert often.step(np.ones(1), 0.0)[0] == pytest.approx(last[0], abs=0.02)
    assert often.step(np.ones(1) * 9, 0.0)[0] == pytest.approx(last[0], abs=0.02)  # no time, no change
