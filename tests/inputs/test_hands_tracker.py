"""The tracker's process is started, used, and replaced: when killed, hung, broken, grown or old."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.inputs.hands import tracker as _hand_tracker
from perform.inputs.hands.process import ROW
from perform.inputs.hands.tracker import Tracker, TrackerProcess
from tests.doubles import hand_trackers
from tests.doubles.waiting import eventually

KILLS = 100 if os.environ.get("PERFORM_SOAK") else 3


@pytest.fixture(autouse=True)
def nothing_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hand_tracker, "lacking", lambda model: "")


@pytest.fixture
def tracker() -> Iterator[Tracker]:
    unit = Tracker("", hand_trackers.double)
    eventually(lambda: found(unit))
    yield unit
    unit.close()


def picture(first: int = 0, last: int = 51, height: int = 48, width: int = 64) -> Pixels:
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[0, 0], pixels[-1, -1] = first, last
    return pixels


def found(tracker: Tracker, first: int = 0) -> bool:
    return tracker.track(picture(first), stopwatch()) is not None


def test_the_tracker_returns_the_hands_it_finds(tracker: Tracker) -> None:
    rows = tracker.track(picture(), 12.345)
    assert rows is not None and rows.shape == (1, ROW) and rows.dtype == np.float32
    assert rows[0, 1:4] == pytest.approx([0.2, 0.2, 0.2])
    assert rows[0, 5:7] == pytest.approx([48, 64])
    assert rows[0, 7] != os.getpid()
    assert tracker.note == ""


def test_times_always_increase(tracker: Tracker) -> None:
    times = []
    for taken in (10**6, 10**6, 10**6 - 5, 10**6 + 0.002):
        rows = tracker.track(picture(), taken / 1000)
        assert rows is not None
        times.append(rows[0, 4])
    assert times == sorted(set(times))


def test_mirrored_and_large_pictures_are_tracked_fully(tracker: Tracker) -> None:
    rows = tracker.track(picture(last=102)[:, ::-1], 1.0)
    assert rows is not None and rows[0, 1] == 0  # what was last is first in its row
    rows = tracker.track(np.full((1080, 1920, 3), 102, np.uint8), 2.0)
    assert rows is not None and rows[0, 1] == pytest.approx(0.4)
    assert rows[0, 5:7] == pytest.approx([360, 640])
    rows = tracker.track(np.full((1080, 1920, 4), 102, np.uint8), 3.0)  # of another program, such as NDI
    assert rows is not None and rows[0, 1] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("colour", "note"),
    [
        (hand_trackers.DIE, "the tracker died"),
        (hand_trackers.HANG, "the tracker does not answer"),
        (hand_trackers.RAISE, "ValueError: a bad picture"),
    ],
)
def test_a_failing_tracker_is_replaced(
    tracker: Tracker, colour: int, note: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if colour == hand_trackers.HANG:
        monkeypatch.setattr(_hand_tracker, "ANSWER_TIMEOUT", 0.2)
    before = tracker.pid
    assert tracker.track(picture(colour), 1.0) is None
    assert tracker.note == note and tracker.lost == 1
    monkeypatch.undo()
    monkeypatch.setattr(_hand_tracker, "lacking", lambda model: "")
    eventually(lambda: found(tracker), "the next one")
    assert tracker.pid != before and tracker.note == ""


def test_a_tracker_that_is_killed_between_two_pictures_is_replaced(tracker: Tracker) -> None:
    for kill in range(1, KILLS + 1):
        assert tracker.pid is not None
        os.kill(tracker.pid, signal.SIGKILL)
        eventually(lambda kill=kill: tracker.lost == kill, "the loss", lambda: found(tracker))
        eventually(lambda: found(tracker), "the next one")


def test_a_leaking_tracker_is_replaced_without_a_gap(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_hand_tracker, "MOST_MEMORY", 200 * 2**20)
    pids, gaps = {tracker.pid}, 0
    for _ in range(4):
        assert found(tracker, hand_trackers.LEAK)  # 64 MiB each

    def relieved() -> bool:
        nonlocal gaps
        gaps += not found(tracker)
        pids.add(tracker.pid)
        return len(pids) == 2

    eventually(relieved, "the relief")
    assert gaps == 0 and tracker.lost == 0
    assert found(tracker) and tracker.begun == 2  # the second one is small: no third one comes


def test_an_old_tracker_is_replaced_without_a_gap(tracker: Tracker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hand_tracker, "LONGEST_LIFE", 0.0)
    first = tracker.pid
    gaps = []
    eventually(lambda: gaps.append(not found(tracker)) or tracker.pid != first, "the relief")
    assert not any(gaps)


def test_a_replacement_that_does_not_start_leaves_the_old_tracker_working(
    tracker: Tracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = tracker.pid
    monkeypatch.setattr(_hand_tracker, "LONGEST_LIFE", 0.0)
    monkeypatch.setattr(
        _hand_tracker, "TrackerProcess", lambda model, _: TrackerProcess(model, hand_trackers.broken)
    )
    eventually(lambda: tracker.lost >= 2, "two tries", lambda: found(tracker))
    assert found(tracker) and tracker.pid == first and tracker.note == ""


def test_a_tracker_that_never_starts_is_retried_ever_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now, pauses = 1000.0, []
    monkeypatch.setattr(_hand_tracker, "stopwatch", lambda: now)
    tracker = Tracker("", hand_trackers.broken)
    for tries in range(1, 5):
        eventually(lambda: tracker.lost == tries, "the end of a try", tracker.tend)  # noqa: B023
        failed = now
        while tracker.begun == tries:
            now += _hand_tracker.START_AFTER[0] / 4
            tracker.tend()
        pauses.append((now - failed) / _hand_tracker.START_AFTER[0])
    assert tracker.note == "RuntimeError: no such model"
    assert pauses == pytest.approx([1, 2, 4, 8], abs=0.3)
    tracker.close()


def test_a_missing_part_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_hand_tracker, "lacking", lambda model: f"{model} is missing")
    tracker = Tracker("x", hand_trackers.double)
    assert tracker.track(picture(), 1.0) is None
    assert tracker.note == "x is missing" and tracker.begun == 0
    tracker.close()


def test_closing_leaves_no_process_and_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[SharedMemory] = []

    def kept(**of: Any) -> SharedMemory:
        made.append(SharedMemory(**of))
        return made[-1]

    monkeypatch.setattr(_hand_tracker, "SharedMemory", kept)
    tracker = Tracker("", hand_trackers.double)
    eventually(lambda: found(tracker))
    (memory,), pid = made, tracker.pid
    assert Path("/dev/shm", memory.name).exists()
    tracker.close()
    tracker.close()
    assert not Path("/dev/shm", memory.name).exists()
    with pytest.raises(ProcessLookupError):
        os.kill(pid or 0, 0)


def test_the_tracker_process_has_no_network() -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        tracker = Tracker(str(server.getsockname()[1]), hand_trackers.caller)
        eventually(lambda: found(tracker))
        rows = tracker.track(picture(), stopwatch())
        tracker.close()
    assert rows is not None and rows[0, 1] == 1
    if rows[0, 0]:
        pytest.skip("this system gives processes no network of their own; the proxy and certificates remain")
