"""Ableton Link: two peers of the real library, and doubles of its process that fail in several ways."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.clock import LiveClock, stopwatch
from perform.inputs import link
from perform.inputs.link import Link
from tests.doubles.waiting import eventually

NOBODY = ("no such program",)
TRIES = 10  # another test's show, or a program of this machine, may have an older session, which continues
TURNS = 33 if os.environ.get("PERFORM_SOAK") else 1  # of three processes each


class Deaf(Link):
    """An input that starts no process."""

    def start(self) -> None: ...


DEAF = Deaf(lambda: 10.0, peer=NOBODY)


def line(**other: Any) -> dict[str, Any]:
    return {"at": stopwatch(), "bpm": 120.0, "phase": 1.5, "peers": 2, "playing": 1} | other


def bytes_of(told: Any) -> bytes:
    return json.dumps(told).encode() + b"\n"


@pytest.fixture
def unit() -> Iterator[Link]:
    """An input without a process."""
    unit = Link(lambda: 10.0, peer=NOBODY)
    yield unit
    unit.close()


def test_a_session_with_others_gives_a_beat_grid(unit: Link) -> None:
    assert unit.receive(bytes_of(line(at=stopwatch() - 0.1)))
    grid, peers = unit.poll(10.0)
    assert (grid.name, grid.time) == ("tempo.link", pytest.approx(9.9, abs=0.02))
    assert grid.value.tolist() == [120.0, 1.5, 4.0, 1.0, 0.0]  # type: ignore[union-attr]
    assert (peers.name, peers.value) == ("tempo.peers", 2.0)
    assert unit.poll(10.0) == []


def test_alone_it_reports_only_the_number_of_peers(unit: Link) -> None:
    unit.receive(bytes_of(line(peers=0)))
    assert [(event.name, event.value) for event in unit.poll(10.0)] == [("tempo.peers", 0.0)]


@pytest.mark.parametrize(
    "told",
    [
        {"bpm": 0.0}, {"bpm": float("nan")}, {"bpm": 1e9}, {"phase": -1.0}, {"phase": 4.0}, {"peers": -1},
        {"peers": 1e6}, {"playing": 7}, {"at": "now"}, {"at": float("inf")}, {"bpm": None}, {"bpm": [120]},
    ],
)  # fmt: skip
def test_invalid_sessions_are_counted_and_ignored(unit: Link, told: dict[str, Any]) -> None:
    assert not unit.receive(bytes_of(line(**told)))
    assert unit.garbage == 1
    assert [event for event in unit.poll(10.0) if event.name == "tempo.link"] == []


def test_old_and_future_lines_are_ignored(unit: Link) -> None:
    assert not unit.receive(bytes_of(line(at=stopwatch() - 2)))
    assert not unit.receive(bytes_of(line(at=stopwatch() + 2)))


@given(
    st.one_of(
        st.binary(max_size=200), st.recursive(st.none() | st.floats() | st.text(), st.lists).map(bytes_of)
    )
)
def test_any_line_is_read_or_counted(text: bytes) -> None:
    before = DEAF.garbage
    assert not DEAF.receive(text)
    assert DEAF.garbage == before + 1


HEAD = """
import json, os, sys, time
if "PIDS" in os.environ:
    with open(os.environ["PIDS"], "a") as pids:
        pids.write(f"{os.getpid()}\\n")
def say(**other):
    told = {"at": time.perf_counter(), "bpm": 120.0, "phase": 0.0, "peers": 1, "playing": 0}
    print(json.dumps(told | other), flush=True)
"""


def program(text: str) -> tuple[str, ...]:
    return (sys.executable, "-S", "-c", HEAD + text)


FAULTS = {
    "stalls": "say()\ntime.sleep(60)",
    "says nothing": "time.sleep(60)",
    "lies": "while True:\n    say(bpm=-1)\n    time.sleep(0.01)",
    "floods": "while True:\n    sys.stdout.write('x' * 5000)",
    "dies": "say()\nsys.exit(9)",
    "dies at once": "sys.exit(9)",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_failing_process_is_replaced(fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    monkeypatch.setattr(link, "SILENT", 0.3)
    monkeypatch.setattr(link, "RESTART_AFTER", (0.02, 0.1))
    unit = Link(LiveClock().now, peer=program(FAULTS[fault]))
    for turn in range(TURNS):
        eventually(lambda turn=turn: unit.starts >= 3 * turn + 3, "the next process")
    eventually(lambda: unit.health().state == "waiting", "the note")
    assert "ended" in unit.health().detail
    unit.close()
    for pid in (tmp_path / "pids").read_text().split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)


def test_the_wait_between_two_starts_doubles(monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    unit = Link(lambda: 0.0, peer=NOBODY)
    unit.close()

    class Closing:
        def is_set(self) -> bool:
            return len(waits) == 9

        def wait(self, seconds: float) -> None:
            waits.append(seconds)

    unit._listen(Closing())  # type: ignore[arg-type] # with waits that are noted, and not waited
    assert waits == [0.5, 1, 2, 2, 2, 2, 2, 2, 2]
    assert "cannot be started" in unit.health().detail


def test_a_lost_session_returns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "RESTART_AFTER", (0.02, 0.1))
    flag = tmp_path / "well"
    text = f"import os\nwhile os.path.exists({str(flag)!r}):\n    say()\n    time.sleep(0.02)\n"
    unit = Link(LiveClock().now, peer=program(text))
    for _ in range(2):
        flag.touch()
        eventually(lambda: unit.health().state == "ok", "the session")
        assert unit.health().detail == "1 peer"
        assert [event.value for event in unit.poll(0.0) if event.name == "tempo.peers"] == [1.0]
        flag.unlink()
        eventually(lambda: unit.health().state == "waiting", "the loss")
        assert [event.value for event in unit.poll(0.0) if event.name == "tempo.peers"] == [0.0]
    unit.close()


def test_without_the_extra_the_note_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    unit = Link(lambda: 0.0, peer=program("sys.exit(3)"))
    eventually(lambda: "pip install 'perform-live[link]'" in unit.health().detail)
    assert unit.health().state == "waiting"
    unit.close()
    monkeypatch.setattr(link, "LIBRARY", "no-such-library")
    assert not link.installed()
    assert link.session_found() == link.not_installed()


def test_the_process_ends_with_its_input_and_without_the_library() -> None:
    gone = (
        "import sys; sys.modules['link'] = None\nfrom perform.inputs.link.peer import main; sys.exit(main())"
    )
    assert subprocess.run([sys.executable, "-c", gone]).returncode == 3


def test_the_program_never_imports_the_library() -> None:
    text = "import sys; import perform.inputs.link, perform.show; sys.exit('link' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", text]).returncode == 0


PEER = """
import sys
from link import Link
peer = Link(float(sys.argv[1]))
peer.enabled = True
state = peer.captureSessionState()
for text in sys.stdin:
    state = peer.captureSessionState()
    now = peer.clock().micros()
    if text.strip() != "?":
        state.setTempo(float(text), now)
        peer.commitSessionState(state)
    import time
    print(time.perf_counter(), state.tempo(), state.phaseAtTime(now, 4.0), peer.numPeers(), flush=True)
"""


class Other:
    """Another program on this machine, with its own session."""

    def __init__(self, bpm: float) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", PEER, str(bpm)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def ask(self, text: str = "?") -> list[float]:
        """[at, bpm, phase, peers] after a command."""
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()
        return [float(word) for word in self._process.stdout.readline().split()]

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


@pytest.fixture
def newcomer() -> Iterator[Callable[[float], Other]]:
    """Makes other programs, which end with the test."""
    if not link.installed():
        if os.environ.get("CI"):
            pytest.fail(f"{link.LIBRARY} must be installed")
        pytest.skip(f"{link.LIBRARY} not installed: {link.INSTALL}")
    with ExitStack() as made:

        def come(bpm: float) -> Other:
            other = Other(bpm)
            made.callback(other.close)
            return other

        yield come


@pytest.fixture
def other(newcomer: Callable[[float], Other]) -> Other:
    return newcomer(137.0)


def pause(seconds: float) -> None:
    began = stopwatch()
    eventually(lambda: stopwatch() - began > seconds)


def others(unit: Link) -> int:
    """How many other peers there are."""
    said = re.fullmatch(r"(\d) peers?", unit.health().detail)
    return int(said[1]) if said else 0


def met(unit: Link) -> bool:
    """Whether there is another peer."""
    return others(unit) > 0


def newest(unit: Link, now: Callable[[], float]) -> Any:
    return [event for event in unit.poll(now()) if event.name == "tempo.link"][-1:]


def test_two_peers_on_this_machine_find_each_other(other: Other) -> None:
    other.ask()
    unit = Link(stopwatch)
    try:
        eventually(lambda: met(unit), "the other peer; does multicast work here?")
        other.ask("97")
        heard: list[Any] = []
        eventually(
            lambda: heard and abs(heard[-1].value[0] - 97) < 0.01,
            "its tempo",
            lambda: heard.extend(newest(unit, stopwatch)),
        )
        at, bpm, phase, peers = other.ask()
        assert bpm == pytest.approx(97.0)
        assert peers >= 1  # other tests may be looking for peers
        found: list[Any] = []
        eventually(lambda: found, "a line", lambda: found.extend(newest(unit, stopwatch)))
        ours = found[-1].value[1] + (at - found[-1].time) * 97 / 60
        off = (ours - phase + 2) % 4 - 2
        assert abs(off) * 60 / 97 < 0.002
        there = max(others(unit), 1)
        other.close()
        eventually(lambda: others(unit) < there, "the loss of the other peer")
        assert np.isfinite(unit.poll(stopwatch())[-1].time)
    finally:
        unit.close()


def test_the_session_is_joined_and_never_changed(newcomer: Callable[[float], Other]) -> None:
    def attempt() -> bool:
        other = newcomer(137.0)
        before = other.ask()
        # of two sessions that meet the older one continues; where both began within half a second, either
        eventually(lambda: other.ask()[0] - before[0] > 0.7)
        unit = Link(stopwatch)
        try:
            eventually(lambda: other.ask()[3] >= 1, "the meeting")
            after = other.ask()
        finally:
            unit.close()
            other.close()
        expected = before[2] + (after[0] - before[0]) * 137 / 60
        off = (after[2] - expected + 2) % 4 - 2
        return after[1] == before[1] == pytest.approx(137.0) and abs(off) * 60 / 137 < 0.002

    assert any(attempt() for _ in range(TRIES))


def test_a_later_peer_takes_the_tempo_of_the_show_which_then_follows(
    newcomer: Callable[[float], Other],
) -> None:
    def attempt() -> bool:
        bpm = 128.0
        unit = Link(stopwatch, lambda: bpm)
        later = None
        try:
            eventually(lambda: unit.health().state == "ok")
            pause(0.7)  # Link takes half a second for the same moment
            later = newcomer(97.0)
            pause(3.0)
            if later.ask()[1] != pytest.approx(128.0):
                return False
            eventually(lambda: met(unit))
            bpm = 150.0
            pause(0.5)
            return later.ask()[1] == pytest.approx(128.0)
        finally:
            unit.close()
            if later:
                later.close()

    assert any(attempt() for _ in range(TRIES))


def test_the_scan_describes_the_session(other: Other) -> None:
    other.ask()
    found = ""
    for _ in range(5):
        found = found if "bpm" in found else link.session_found()
    assert re.fullmatch(r"\d peers? at [0-9.]+ bpm", found)
