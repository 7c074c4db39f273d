"""The journal of a show that nobody watches."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import replace
from logging import ERROR, INFO, WARNING
from pathlib import Path

import pytest

from perform.commands.journal import changes
from perform.faults import Health
from perform.show.status import Status
from tests.doubles.command import environment, finished
from tests.doubles.library import write_library

AT_FIRST = Status(
    scene="Red",
    cue=1,
    cues=2,
    source="audio",
    bpm=124.04,
    recording="a.mp4",
    devices=(("midi", Health("waiting", "no port")), ("audio", Health("ok", "track.opus"))),
)


def test_at_first_everything_is_told() -> None:
    assert [*changes(None, AT_FIRST)] == [
        (INFO, "scene: Red, cue 1 of 2"),
        (INFO, "tempo: following the sound, 124.0 bpm"),
        (INFO, "recording: a.mp4"),
        (WARNING, "midi: waiting, no port"),
        (INFO, "audio: ok, track.opus"),
    ]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"seconds": 9.0, "level": 0.4, "bpm": 123.0, "frame_ms": 40.0, "master": 0.2}, []),
        ({"scene": "Blue", "cue": 2}, [(INFO, "scene: Blue, cue 2 of 2")]),
        ({"source": "free"}, [(INFO, "tempo: free-running, 124.0 bpm")]),
        ({"clock": "midi"}, [(INFO, "tempo: following the sound, waiting for MIDI clock, 124.0 bpm")]),
        ({"blackout": True, "freeze": True}, [(INFO, "blackout: on"), (INFO, "freeze: on")]),
        ({"recording": ""}, [(INFO, "recording: ended")]),
        ({"devices": AT_FIRST.devices[:1]}, [(WARNING, "audio: closed")]),
        (
            {"devices": (AT_FIRST.devices[0], ("audio", Health("failed", "decoder stopped")))},
            [(ERROR, "audio: failed, decoder stopped")],
        ),
        (
            {"devices": (("midi", Health("ok", "MIDImix (20:0)")), AT_FIRST.devices[1])},
            [(INFO, "midi: ok, MIDImix (20:0)")],
        ),
    ],
)
def test_a_change_is_one_line(changed: dict[str, object], told: list[tuple[int, str]]) -> None:
    assert [*changes(AT_FIRST, replace(AT_FIRST, **changed))] == told  # type: ignore[arg-type]


def test_counters_are_no_change_but_the_first_loss_is_one() -> None:
    def now(detail: str) -> Status:
        return replace(AT_FIRST, devices=(("osc", Health("ok", f"port 9000{detail}")),))

    lost = [*changes(now(""), now(", 3 messages dropped"))]
    assert lost == [(INFO, "osc: ok, port 9000, 3 messages dropped")]
    assert not [*changes(now(", 3 messages dropped"), now(", 4711 messages dropped"))]
    assert [*changes(now(""), replace(AT_FIRST, devices=(("osc", Health("ok", "port 9001")),)))]


def test_the_log_of_a_supervised_show_has_dates_and_levels(tmp_path: Path) -> None:
    """Progress from the first line on, then the scene and the tempo; no line of status."""
    write_library(tmp_path)
    words = ("play", "demo", "--headless", "--audio", "none", "--size", "64x36", "--seconds", "7")
    environ = environment() | {"XDG_CACHE_HOME": os.fspath(tmp_path / "cache")}
    done = finished(*words, "--osc-port", "0", cwd=tmp_path, env=environ, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    form = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4} (INFO|WARNING|ERROR) (.+)")
    told = [match[2] for match in map(form.fullmatch, lines) if match]
    assert len(told) == len(lines)
    assert told[:6] == [
        "loading the program", "reading demo", "opening the picture and the sound",
        "trying shaders that are new here", "opening the scene Red", "opening the scene Blue",
    ]  # fmt: skip
    assert "scene: Red, cue 1 of 2" in told and "tempo: free-running, 120.0 bpm" in told
    assert sum("120.0 bpm" in line for line in told) == 1  # a line of status has it, too


def test_compiling_is_told_once(tmp_path: Path) -> None:
    write_library(tmp_path)
    words = ("play", "neural", "--headless", "--audio", "none", "--size", "64x36", "--seconds", "0.2")
    environ = environment() | {"XDG_CACHE_HOME": os.fspath(tmp_path / "cache")}
    told = []
    for _ in range(2):
        done = finished(*words, "--osc-port", "0", cwd=tmp_path, env=environ)
        told.append("compiling the network" in done.stderr)
        assert "opening the model untrained-small" in done.stderr
    assert told == [True, False]
