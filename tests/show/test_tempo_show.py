"""Clocks in a show: the options reach the tempo authority, and the dashboard shows them."""

from __future__ import annotations

import logging
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from perform.commands.dashboard import dashboard_text
from perform.commands.journal import changes
from perform.inputs import link
from perform.library import Library
from perform.midi import ports as midiports
from perform.outputs.midiclock import MidiClockSender
from perform.rig import Rig
from perform.show import Options, play
from perform.show.status import Status, StatusMeter
from tests.doubles.library import RED, save, write_library
from tests.doubles.waiting import eventually

OPTIONS = Options("red", size=(64, 36), headless=True, osc_port=0, watch=False)
TELLS = """
import json, sys, time
while True:
    told = {"at": time.perf_counter(), "bpm": 97.0, "phase": 0.0, "peers": 2, "playing": 1}
    print(json.dumps(told), flush=True)
    time.sleep(0.02)
"""


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.chdir(write_library(tmp_path))
    return Library(tmp_path)


def close(rig: Rig) -> None:
    rig.close()


def test_a_link_session_is_followed_and_shown_on_the_dashboard(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "installed", lambda: True)
    monkeypatch.setattr(link.Link.__init__, "__defaults__", (lambda: 120.0, (sys.executable, "-c", TELLS)))
    rig = play(replace(OPTIONS, link=True), library)
    try:
        told: list[Status] = []

        def draw() -> None:
            rig.frame()
            told.append(StatusMeter().status(rig))

        eventually(lambda: [one.source for one in told[-2:]] == ["link"] * 2, "the session", draw)
        status = told[-1]
    finally:
        close(rig)
    assert (status.bpm, status.clock) == (97.0, "auto")
    assert rig.performance.signals["tempo.peers"] == 2.0
    assert "97.0 bpm   Ableton Link" in dashboard_text(status).plain
    assert (logging.INFO, "tempo: Ableton Link, 97.0 bpm") in changes(None, status)
    assert [health.detail for name, health in status.devices if name == "link"] == ["2 peers"]


@pytest.mark.parametrize("text", ['clock = "midi"\n', ""])
def test_a_clock_is_pinned_by_a_preset_or_a_person(library: Library, text: str, tmp_path: Path) -> None:
    file = tmp_path / "presets/red.toml"
    file.write_text(text + file.read_text())
    rig = play(OPTIONS if text else replace(OPTIONS, clock="midi"), library)
    try:
        rig.frame()
        status = StatusMeter().status(rig)
    finally:
        close(rig)
    assert (status.clock, status.source) == ("midi", "free")
    assert "free-running, waiting for MIDI clock" in dashboard_text(status).plain
    assert (logging.INFO, "tempo: free-running, waiting for MIDI clock, 120.0 bpm") in changes(None, status)


def test_the_clock_of_the_command_line_survives_edits(library: Library, tmp_path: Path) -> None:
    rig = play(replace(OPTIONS, clock="midi", watch=True), library)
    try:
        rig.frame()
        save(tmp_path / "presets/red.toml", 'clock = "hand"\n' + RED.replace("Red", "Edited"))
        eventually(
            lambda: rig.performance.cues[0].cue.scene.title == "Edited",
            "the edit",
            rig.frame,
        )
        assert rig.performance.authority.lead == "midi"
    finally:
        close(rig)


def test_a_clock_is_sent_and_its_fault_is_reported(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(direction: str, api: str | None, scans: bool = False) -> None:
        raise OSError("no MIDI here")

    monkeypatch.setattr(midiports, "open_client", nothing)
    rig = play(replace(OPTIONS, clock_out="drums"), library)
    (sender,) = (one for one in rig.outputs if isinstance(one, MidiClockSender))
    try:
        rig.frame()
        eventually(lambda: sender.fault != "no port yet")
        status = StatusMeter().status(rig)
    finally:
        close(rig)
    assert rig.outputs == []
    ((_, health),) = [row for row in status.devices if row[0] == "midi clock"]
    assert (health.state, health.detail) == ("waiting", "no MIDI here")


def test_link_without_its_library_is_rejected_with_instructions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(link, "LIBRARY", "no-such-library")
    for asked in ({"link": True}, {"clock": "link"}):
        with pytest.raises(RuntimeError, match=r"link: .* not installed: pip install 'perform-live\[link\]'"):
            Options(**asked)  # type: ignore[arg-type]


def test_a_pinned_clock_is_reported() -> None:
    assert "MIDI clock, pinned" in dashboard_text(Status(source="midi", clock="midi")).plain
