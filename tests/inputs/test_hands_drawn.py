"""Drawn hands on known paths, found by the real tracker: position, side, latency, privacy."""

from __future__ import annotations

import os
import shutil
import sys
import threading
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from perform.arrays import Doubles, Pixels
from perform.clock import stopwatch
from perform.inputs.camera import Camera, View
from perform.inputs.hands import Hands, model_file
from perform.inputs.hands import tracker as trackers
from perform.inputs.hands.sides import HandPair, HandSighting
from perform.inputs.hands.signals import points_of
from perform.inputs.hands.tracker import Tracker
from perform.models import hands as maker
from tests.doubles.drawn_hands import Hand, picture
from tests.doubles.waiting import eventually

pytestmark = pytest.mark.skipif(
    find_spec("mediapipe") is None, reason="MediaPipe is not made for this machine"
)  # found, not imported: it takes a second, and only the tracker's process needs it

KEPT = model_file()  # the user's, found before tests get their own folders
FPS = 30
FRAMES = count(1)  # that the tracker is shown, through all tests: its times only rise
WIDTH, HEIGHT = 480, 360
ASPECT = WIDTH / HEIGHT
RELAXED = (0.3,) * 5  # of a hand drawn quite flat, palm and back look the same, and so do left and right
FIST = (0.6, 1.0, 1.0, 1.0, 1.0)
POINT = (0.8, 0.0, 1.0, 1.0, 1.0)


@pytest.fixture(scope="module")
def model() -> Path:
    """The tracker's model: the person's, or made as `perform models import hands` makes it."""
    if maker.is_whole(KEPT):
        model_file().parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(KEPT, model_file())
    try:
        return maker.import_hands(None).file
    except OSError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))


@pytest.fixture(scope="module")
def tracker(model: Path) -> Iterator[Tracker]:
    """One for all: starting one takes longer than any test. It starts again with each scene, as at a cut."""
    unit = Tracker(str(model))
    eventually(lambda: unit.track(np.zeros((64, 64, 3), np.uint8), 0.0) is not None, "the tracker")
    yield unit
    unit.close()


@pytest.fixture(autouse=True)
def empty_scene(request: pytest.FixtureRequest) -> None:
    """No hands are before the camera any more."""
    if "tracker" in request.fixturenames:
        tracker = request.getfixturevalue("tracker")
        for _ in range(2):
            found(tracker, drawn([]))


def drawn(hands: Sequence[Hand], light: float = 1.0) -> Pixels:
    pixels = picture(hands, WIDTH, HEIGHT)
    return pixels if light == 1 else (pixels * light).astype(np.uint8)


def both(left: float, right: float) -> list[Hand]:
    """Two relaxed hands."""
    return [Hand(left, 0.32, 0.2, curls=RELAXED), Hand(right, 0.28, 0.2, "right", curls=RELAXED)]


def found(tracker: Tracker, pixels: Pixels) -> list[HandSighting]:
    """The hands of the next frame."""
    rows = tracker.track(pixels, next(FRAMES) / FPS)
    assert rows is not None, tracker.note
    return [HandSighting(points_of(row[1:].reshape(21, 3), ASPECT), 1 - float(row[0])) for row in rows]


def error(one: HandSighting, hand: Hand) -> float:
    """The mean distance of landmarks in the picture, in palms."""
    off: Doubles = one.points[:, :2] - hand.points()[:, :2]
    return float(np.linalg.norm(off, axis=1).mean()) / hand.palm


def test_landmarks_are_at_their_drawn_positions(tracker: Tracker) -> None:
    errors, seen = [], 0
    for frame in range(24):
        turn = 2 * np.pi * frame / 24
        hand = Hand(0.62 + 0.2 * np.cos(turn), 0.35 + 0.1 * np.sin(turn), 0.22, roll=0.06 * np.sin(turn))
        rows = found(tracker, drawn([hand]))
        seen += len(rows) == 1
        errors += [error(one, hand) for one in rows]
    assert seen >= 22
    assert np.mean(errors) < 0.2


def test_left_and_right_hands_are_distinguished(tracker: Tracker) -> None:
    for _ in range(4):
        rows = found(tracker, drawn(both(0.4, 0.95)))
    votes = sorted((float(one.points[0, 0]), one.left) for one in rows)
    assert len(votes) == 2
    assert votes[0][1] > 0.7 and votes[1][1] < 0.3


@pytest.mark.parametrize(("curls", "word"), [((0,) * 5, "open"), (FIST, "fist"), (POINT, "point")])
def test_gestures_are_recognised(tracker: Tracker, curls: tuple[float, ...], word: str) -> None:
    pair, held = HandPair(), dict[str, float]()
    for frame in range(16):
        share = min(frame / 8, 1.0)  # from a relaxed hand, which a tracker finds soonest
        hand = Hand(0.6, 0.3, 0.24, curls=tuple(0.3 + share * (curl - 0.3) for curl in curls))
        held |= pair.step(frame / FPS, found(tracker, drawn([hand])), ASPECT)
    assert held["hand.left.present"] == 1
    gestures = ("fist", "open", "point")
    assert [held[f"hand.left.{name}"] for name in gestures] == [float(name == word) for name in gestures]


def test_crossing_hands_keep_their_sides(tracker: Tracker) -> None:
    pair, held = HandPair(), dict[str, float]()
    there = 0
    for frame in range(44):
        along = min(max((frame - 4) / 36, 0.0), 1.0)
        hands = both(0.3 + 0.7 * along, 1.02 - 0.7 * along)
        held |= pair.step(frame / FPS, found(tracker, drawn(hands)), ASPECT)
        there += held["hand.count"] == 2
    assert held["hand.left.x"] > 0.6 > 0.4 > held["hand.right.x"]
    assert there > 30


def test_a_dark_hand_is_found_when_it_is_brightened(tracker: Tracker) -> None:
    dark = drawn([Hand(0.6, 0.3, 0.22, curls=RELAXED)], light=0.06)
    counts = []
    for lift in (False, True):
        view = View(mirror=False, lift=lift)
        counts.append(sum(len(found(tracker, view.of(dark))) for _ in range(6)))
    assert counts == [0, 6]


class Film:
    """A device that shows pictures in real time, over and over."""

    def __init__(self, pictures: Sequence[Pixels]) -> None:
        self._pictures, self._began, self._shown = pictures, stopwatch(), 0
        self._pause = threading.Event()

    def read(self) -> tuple[Pixels, float]:
        self._shown += 1
        taken = self._began + self._shown / FPS
        self._pause.wait(max(taken - stopwatch(), 0.0))
        return self._pictures[self._shown % len(self._pictures)].copy(), taken

    def close(self) -> None: ...


def test_hands_play_in_real_time_and_latency_is_reported(
    model: Path, record_property: pytest.RecordProperty
) -> None:
    pictures = [drawn([Hand(0.5 + 0.01 * i, 0.3, 0.22, curls=RELAXED)])[:, ::-1] for i in range(12)]
    camera = Camera("film", lambda name: Film([*pictures, *pictures[::-1]]))
    unit = Hands(lambda: camera, stopwatch)
    unit.use(frozenset({"hand.count"}))
    said: dict[str, list[float]] = {}

    def polled() -> None:
        for event in unit.poll(stopwatch()):
            said.setdefault(event.name, []).append(float(event.value))

    eventually(lambda: len(said.get("hand.left.x", ())) > 40, "the hand", polled)
    unit.close()
    camera.close()
    record_property("latency", float(np.median(said["hand.latency"])))
    assert all(latency > 0 for latency in said["hand.latency"])
    xs: NDArray[np.float64] = np.array(said["hand.left.x"][10:])
    assert 0.02 < np.ptp(xs) < 0.2


def test_a_replacement_misses_few_pictures(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The new tracker has not seen the hand before."""
    hand = drawn([Hand(0.6, 0.3, 0.22, curls=RELAXED)])
    unit = Tracker(str(model))
    eventually(lambda: unit.track(hand, next(FRAMES) / FPS) is not None, "the tracker")
    first = unit.pid
    monkeypatch.setattr(trackers, "LONGEST_LIFE", 0.0)
    seen: list[bool] = []

    def look() -> None:
        rows = unit.track(hand, next(FRAMES) / FPS)
        seen.append(rows is not None and len(rows) == 1)

    eventually(lambda: unit.pid != first, "the relief", look)
    monkeypatch.undo()
    for _ in range(5):
        look()
    unit.close()
    assert seen[2:].count(False) <= 2 and all(seen[-3:])


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_pictures_stay_in_the_tracker_process(tracker: Tracker) -> None:
    for _ in range(3):
        found(tracker, drawn([Hand(0.6, 0.3, 0.22)]))
    process = Path("/proc", str(tracker.pid))
    for place in (process / "fd").iterdir():
        target = place.readlink()
        flags = next(
            line for line in (process / "fdinfo" / place.name).read_text().splitlines() if "flags" in line
        )
        writes = int(flags.split()[1], 8) & os.O_ACCMODE != os.O_RDONLY
        allowed = target.is_relative_to("/dev") or not target.is_absolute()  # pipes, memory, nowhere
        assert allowed or not writes, f"{target} is open for writing"
    sockets = [p for p in (process / "fd").iterdir() if str(p.readlink()).startswith("socket:")]
    assert len(sockets) <= 2  # the two ends of its pipe to the show, and none to the network
