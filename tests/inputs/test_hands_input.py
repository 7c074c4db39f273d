"""Hands as an input, between a camera and a tracker that are doubles."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import pytest

from perform.clock import stopwatch
from perform.inputs import hands as module
from perform.inputs.camera import Camera, View
from perform.inputs.hands import Hands
from perform.inputs.hands.process import ROW, rows
from perform.inputs.hands.signals import HAND_SIGNALS
from perform.signals import Event
from tests.doubles.drawn_hands import Hand
from tests.doubles.hand_inputs import ASPECT, NO_HANDS, FakeCamera, FakeTracker, row
from tests.doubles.waiting import eventually

Opened = tuple[Hands, FakeCamera, FakeTracker, Callable[[], dict[str, float]]]


@pytest.fixture
def opened(request: pytest.FixtureRequest) -> Iterator[Opened]:
    eye, mind = FakeCamera(), FakeTracker()
    camera = Camera("eye", eye)
    unit = Hands(lambda: camera, stopwatch, getattr(request, "param", None), lambda: mind)
    said: dict[str, float] = {}

    def polled() -> dict[str, float]:
        said.update((event.name, float(event.value)) for event in unit.poll(stopwatch()))
        return said

    unit.use(frozenset({"hand.left.x"}))
    eventually(lambda: mind.shown)
    yield unit, eye, mind, polled
    unit.close()
    eye.gone = True
    camera.close()


def test_a_show_without_hands_opens_no_camera() -> None:
    unit = Hands(lambda: pytest.fail("opened"), stopwatch)
    unit.use(frozenset({"audio.low", "midi.cc1"}))
    assert not unit and unit.poll(1.0) == [] and unit.health().state == "ok"
    unit.close()


def test_hands_become_signals(opened: Opened) -> None:
    unit, _, mind, polled = opened
    left, right = Hand(0.4, 0.3), Hand(0.9, 0.35, side="right", curls=(1,) * 5)
    mind.found = np.stack((row(right, 0.04), row(left, 0.97)))
    eventually(lambda: polled().get("hand.count") == 2)
    said = polled()
    assert {*said} == {*HAND_SIGNALS}
    assert said["hand.left.x"] == pytest.approx(left.points()[[0, 5, 9, 13, 17], 0].mean() / ASPECT, abs=1e-4)
    assert said["hand.left.open"] == 1 and said["hand.right.fist"] == 1
    assert said["hand.latency"] > 0 and said["hand.rate"] > 0
    assert unit.health().state == "ok" and len(unit) == 1


def put(unit: Hands, values: dict[str, float]) -> None:
    """The values of a picture, when the test wants them: a camera's pictures come when they come."""
    unit._put(stopwatch(), values)


def test_a_press_within_a_frame_gives_press_and_release(opened: Opened) -> None:
    unit, _, _, _ = opened
    unit.poll(stopwatch())
    for value in (0.0, 1.0, 0.0):
        put(unit, {"hand.left.fist": value, "hand.left.x": value / 2})
    fists = [[e.value for e in unit.poll(stopwatch()) if e.name == "hand.left.fist"] for _ in range(3)]
    assert fists == [[0.0], [1.0], [0.0]] or fists == [[1.0], [0.0], []]


def test_the_newest_position_wins(opened: Opened) -> None:
    unit, _, _, _ = opened
    unit.poll(stopwatch())
    for x in (0.1, 0.0, 0.7):
        put(unit, {"hand.right.x": x})
    assert [e.value for e in unit.poll(stopwatch()) if e.name == "hand.right.x"] == [0.7]
    events: list[Event] = unit.poll(0.0)
    assert all(event.time <= 0 for event in events)


@pytest.mark.parametrize("opened", [View(mirror=False)], indirect=True)
def test_without_a_mirror_the_sides_are_swapped(opened: Opened) -> None:
    _, _, mind, polled = opened
    mind.found = row(Hand(0.4, 0.3), 0.9)[None]  # in a mirror it would be a left one
    eventually(lambda: polled().get("hand.count") == 1)
    assert polled().get("hand.right.present") == 1


@pytest.mark.parametrize("opened", [View((0.0, 0.0, 0.5, 1.0))], indirect=True)
def test_the_tracker_gets_the_mirrored_region(opened: Opened) -> None:
    _, _, mind, _ = opened
    assert mind.shown[-1].shape == (48, 32, 3)


def test_hands_are_absent_without_a_camera(opened: Opened) -> None:
    unit, eye, mind, polled = opened
    mind.found = row(Hand(0.4, 0.3), 0.9)[None]
    eventually(lambda: polled().get("hand.left.present") == 1)
    eye.gone = True
    eventually(lambda: polled().get("hand.left.present") == 0)
    assert polled()["hand.left.x"] > 0.2  # where it was, holds
    eventually(lambda: unit.health().state == "waiting")
    assert "unplugged" in unit.health().detail
    eye.gone = False
    eventually(lambda: polled().get("hand.left.present") == 1)


def test_a_starting_or_failing_tracker_shows_in_the_health(opened: Opened) -> None:
    unit, _, mind, polled = opened
    mind.found, mind.note = None, "the tracker died"
    eventually(lambda: unit.health().detail == "hands: the tracker died")
    mind.fault = "a fault of ours"
    eventually(lambda: unit.health().detail == "hands: a fault of ours")
    mind.found, mind.note, mind.fault = row(Hand(0.4, 0.3), 0.9)[None], "", ""
    eventually(lambda: polled().get("hand.left.present") == 1 and unit.health().state == "ok")


def test_hands_hold_while_a_tracker_starts_and_end_when_none_comes(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, eye, mind, polled = opened
    mind.found = row(Hand(0.4, 0.3), 0.9)[None]
    eventually(lambda: polled().get("hand.left.present") == 1)
    mind.found, count = None, eye.count
    eventually(lambda: eye.count > count + 100)
    assert polled()["hand.left.present"] == 1
    monkeypatch.setattr(module, "HOLD_FOR", 0.1)
    eventually(lambda: polled()["hand.left.present"] == 0)


def test_without_hands_the_tracker_runs_less_often(opened: Opened, monkeypatch: pytest.MonkeyPatch) -> None:
    _, _, mind, polled = opened
    mind.found = row(Hand(0.4, 0.3), 0.9)[None]
    eventually(lambda: polled().get("hand.rate", 0.0) > 16 and polled().get("hand.left.present") == 1)
    monkeypatch.setattr(module, "IDLE_AFTER", 0.1)
    mind.found = NO_HANDS
    eventually(lambda: polled()["hand.rate"] < 13 and polled()["hand.left.present"] == 0)
    mind.found = row(Hand(0.4, 0.3), 0.9)[None]
    eventually(lambda: polled()["hand.rate"] > 16 and polled()["hand.left.present"] == 1)


def test_closing_closes_the_tracker(opened: Opened) -> None:
    unit, _, mind, _ = opened
    unit.close()
    unit.close()
    assert mind.closed == 1


def test_a_mediapipe_result_becomes_rows() -> None:
    class Of:
        def __init__(self, **values: object) -> None:
            vars(self).update(values)

    marks = [Of(x=i / 100, y=i / 50, z=-i / 200) for i in range(21)]
    result = Of(
        hand_landmarks=[marks, marks],
        handedness=[[Of(category_name=name, score=0.75)] for name in ("Left", "Right")],
    )
    found = rows(result)
    assert found.shape == (2, ROW)
    assert found[:, 0] == pytest.approx([0.75, 0.25])
    assert found[0, 1:].reshape(21, 3)[10] == pytest.approx([0.1, 0.2, -0.05])
    assert rows(Of(hand_landmarks=[], handedness=[])).shape == (0, ROW)
