"""Two hands keep their sides: through crossings, absences, doubles and errors of the tracker."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from perform.inputs.hands.sides import (
    APPEARS_AFTER,
    LEAVES_AFTER,
    SWAP_AFTER,
    HandPair,
    HandSighting,
    distinct_hands,
)
from perform.inputs.hands.signals import HAND_SIGNALS, palm
from tests.doubles.drawn_hands import Hand

FPS = 30
ASPECT = 4 / 3
Row = dict[str, float]


def seen(x: float, y: float = 0.3, left: float = 0.95, curls: tuple[float, ...] = (0,) * 5) -> HandSighting:
    return HandSighting(Hand(x, y, side="left" if left > 0.5 else "right", curls=curls).points(), left)


def play(pair: HandPair, at: Callable[[int], list[HandSighting]], frames: int, start: int = 0) -> list[Row]:
    """What holds after each frame."""
    rows: list[Row] = []
    for frame in range(start, start + frames):
        held = rows[-1] if rows else {}
        rows.append(held | pair.step(frame / FPS, at(frame), ASPECT))
    return rows


def test_a_hand_appears_after_a_short_time_and_goes_after_a_longer_one() -> None:
    pair = HandPair()
    rows = play(pair, lambda frame: [seen(0.4)] if frame < 30 else [], 60)
    present = [row.get("hand.left.present", 0.0) for row in rows]
    came, went = present.index(1.0), 30 + present[30:].index(0.0)
    assert came == np.ceil(APPEARS_AFTER * FPS)
    assert went - 29 == np.floor(LEAVES_AFTER * FPS) + 1
    assert present == [0.0] * came + [1.0] * (went - came) + [0.0] * (60 - went)
    assert [row["hand.count"] for row in rows] == present


def test_a_short_detection_is_no_hand() -> None:
    rows = play(HandPair(), lambda frame: [seen(0.4)] if frame == 3 else [], 20)
    assert all(row == {"hand.count": 0.0} for row in rows)


def test_a_flickering_hand_stays() -> None:
    rows = play(HandPair(), lambda frame: [seen(0.4)] if frame % 5 < 2 else [], 90)
    assert {row["hand.left.present"] for row in rows[10:]} == {1.0}


def test_the_last_position_holds_and_gestures_are_released() -> None:
    fist = (0.0, 1.0, 1.0, 1.0, 1.0)
    rows = play(HandPair(), lambda frame: [seen(0.2 + 0.005 * frame, curls=fist)] if frame < 40 else [], 70)
    before, after = rows[39], rows[-1]
    assert before["hand.left.fist"] == before["hand.left.present"] == 1.0
    assert before["hand.left.speed"] > 0.02
    for word in ("present", "fist", "open", "point", "pinch", "speed"):
        assert after[f"hand.left.{word}"] == 0.0
    for word in ("x", "y", "depth", "openness", "roll", "curl.index"):
        assert after[f"hand.left.{word}"] == before[f"hand.left.{word}"]


def test_only_declared_signals_are_sent() -> None:
    rows = play(HandPair(), lambda frame: [seen(0.3), seen(0.9, left=0.05)], 20)
    assert {*rows[-1]} == {*HAND_SIGNALS} - {"hand.latency", "hand.rate"}


def test_gestures_have_two_thresholds() -> None:
    held = []
    pair = HandPair()
    for frame, curl in enumerate([*np.linspace(0, 1, 300), *np.linspace(1, 0, 300)]):
        said = pair.step(frame / FPS, [seen(0.4, curls=(0, curl, curl, curl, curl))], ASPECT)
        held.append(said.get("hand.left.fist", 0.0))
    assert sum(a != b for a, b in pairwise(held)) == 2  # once on, once off
    on, off = held.index(1.0), held[::-1].index(1.0)  # frames from either end
    assert on - off > 15  # it ends at a lower value than it started, by more than smoothing delays it


def test_each_hand_is_assigned_to_its_side() -> None:
    for hands in ([seen(0.3), seen(0.9, left=0.05)], [seen(0.9, left=0.05), seen(0.3)]):
        row = play(HandPair(), lambda frame, hands=hands: hands, 10)[-1]
        assert row["hand.left.x"] < 0.4 < 0.6 < row["hand.right.x"]
        assert row["hand.count"] == 2


VOTES = {"right": (0.9, 0.1), "both left": (0.9, 0.7), "the other way": (0.3, 0.7)}


def crossing(frame: int, lost: int = 0, votes: str = "right") -> list[HandSighting]:
    """Hands that pass each other in two seconds; where they meet one hides the other for some frames, and
    the tracker's votes are what they are called."""
    along = frame / 60
    near = abs(along - 0.5) < 0.1
    left_vote, right_vote = VOTES[votes if near else "right"]
    left, right = seen(0.3 + 0.7 * along, 0.32, left_vote), seen(1.0 - 0.7 * along, 0.28, right_vote)
    hidden = abs(frame - 30) * 2 < lost
    return [left] if hidden else [right, left] if frame % 2 else [left, right]


@pytest.mark.parametrize("lost", [0, 4, 10])
@pytest.mark.parametrize("votes", VOTES)
def test_crossing_hands_keep_their_identity(lost: int, votes: str) -> None:
    pair_rows = play(HandPair(), lambda frame: crossing(frame, lost, votes), 61)
    xs = np.array([[row.get("hand.left.x", np.nan), row.get("hand.right.x", np.nan)] for row in pair_rows])
    said = xs[5:]
    assert (np.diff(said[:, 0]) > -0.02).all() and (np.diff(said[:, 1]) < 0.02).all()  # never back
    assert said[-1, 0] > 0.65 and said[-1, 1] < 0.35
    assert all(row["hand.count"] == 2 for row in pair_rows[5:])


def test_fast_crossing_hands_keep_their_identity() -> None:
    """From one picture to the next each moves to where the other was: only their paths distinguish them."""

    def at(frame: int) -> list[HandSighting]:
        way = 0.1 * (min(max(frame, 8), 18) - 12.5)
        return [
            HandSighting(Hand(0.66 + way, 0.3).points(), 0.9 if frame < 8 else 0.5),
            HandSighting(Hand(0.66 - way, 0.3, side="right").points(), 0.1 if frame < 8 else 0.5),
        ]

    row = play(HandPair(), at, 24)[-1]
    assert row["hand.left.x"] > 0.8 and row["hand.right.x"] < 0.2


def test_a_steady_vote_moves_a_hand_to_the_other_side() -> None:
    pair = HandPair()
    rows = play(pair, lambda frame: [seen(0.5, left=0.6 if frame < 5 else 0.05)], 60)
    sides = [
        "left" if row.get("hand.left.present") else "right" if row.get("hand.right.present") else ""
        for row in rows
    ]
    assert sides[8] == "left" and sides[-1] == "right"
    assert sides.index("right") / FPS > SWAP_AFTER
    assert rows[-1]["hand.count"] == 1


def test_a_few_wrong_votes_change_nothing() -> None:
    rows = play(HandPair(), lambda frame: [seen(0.5, left=0.1 if 30 <= frame < 36 else 0.9)], 80)
    assert all(row["hand.left.present"] == 1 and "hand.right.present" not in row for row in rows[5:])


def test_two_hands_on_the_wrong_sides_are_swapped() -> None:
    def at(frame: int) -> list[HandSighting]:
        doubt = 0.45 if frame < 4 else 0.9
        return [seen(0.3, left=1 - doubt), seen(0.9, left=doubt)]

    row = play(HandPair(), at, 90)[-1]
    assert row["hand.left.x"] > 0.6 and row["hand.right.x"] < 0.4


def test_a_hand_detected_twice_is_one_hand() -> None:
    one = seen(0.4)
    again = HandSighting(one.points + 0.2 * palm(one.points), 0.2)
    assert distinct_hands([one, again]) == [one]
    assert len(distinct_hands([one, seen(0.8)])) == 2
    assert play(HandPair(), lambda frame: [one, again], 20)[-1]["hand.count"] == 1


def test_a_hand_that_returns_elsewhere_jumps_there() -> None:
    def at(frame: int) -> list[HandSighting]:
        return [seen(0.2)] if frame < 20 else [seen(1.0)] if frame >= 60 else []

    rows = play(HandPair(), at, 80)
    xs = [row.get("hand.left.x", 0.0) for row in rows]
    assert len({round(x, 3) for x in xs[5:]}) == 2  # here, then there


def test_smoothing_steadies_a_resting_hand_and_hardly_delays_a_moving_one() -> None:
    rng = np.random.default_rng(0)

    def noisy(x: float) -> HandSighting:
        one = seen(x)
        return HandSighting(one.points + rng.normal(0, 0.004, (21, 3)), one.left)

    still = play(HandPair(), lambda frame: [noisy(0.5)], 120)
    assert np.std([row["hand.left.x"] for row in still[30:]]) < 0.0008
    moving = play(HandPair(), lambda frame: [noisy(0.1 + frame / FPS)], 30)  # a picture height a second
    behind = (0.1 + 29 / FPS) - (
        moving[-1]["hand.left.x"] * ASPECT - (still[-1]["hand.left.x"] * ASPECT - 0.5)
    )
    assert 0 <= behind < 0.03  # 30 ms
    assert moving[-1]["hand.left.speed"] == pytest.approx(0.5, abs=0.08)
