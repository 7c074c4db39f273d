"""Hands in a show: a preset that names them opens a camera and a tracker, and they play its picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from perform.inputs import hands
from perform.inputs.camera import Cameras
from perform.library import Library
from perform.outputs.memory import Memory
from perform.rig import Rig
from perform.show import Options, opening, play
from perform.show.status import StatusMeter
from tests.doubles.drawn_hands import Hand
from tests.doubles.hand_inputs import NO_HANDS, FakeCamera, FakeTracker, row
from tests.doubles.library import CUT, save, write_library
from tests.doubles.shows import plays_until, watched

SIZE = (64, 36)
GREEN = 'title = "Hand"\n[generator]\nshader = "colour"\ntint = [0, "hand.left.present", 0, 1]\n' + CUT


@pytest.fixture
def doubles(monkeypatch: pytest.MonkeyPatch) -> tuple[FakeCamera, FakeTracker]:
    eye, mind = FakeCamera(), FakeTracker()

    class FakeCameras(Cameras):
        def __init__(self, now: Callable[[], float], usual: str) -> None:
            super().__init__(now, usual, eye)

    monkeypatch.setattr(opening, "Cameras", FakeCameras)
    monkeypatch.setattr(hands, "Tracker", lambda model: mind)
    return eye, mind


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.chdir(write_library(tmp_path))
    save(tmp_path / "presets/hand.toml", GREEN)
    return Library(tmp_path)


def played(library: Library, name: str) -> tuple[Rig, Memory]:
    rig = play(Options(name, size=SIZE, headless=True, osc_port=0), library)
    return rig, watched(rig)


def test_a_hand_plays_the_picture_until_it_goes(
    library: Library, doubles: tuple[FakeCamera, FakeTracker]
) -> None:
    eye, mind = doubles
    rig, memory = played(library, "hand")
    plays_until(rig, memory, (0, 0, 0))
    mind.found = row(Hand(0.4, 0.3), 0.9)[None]
    plays_until(rig, memory, (0, 255, 0))
    told = {name: health.state for name, health in StatusMeter().status(rig).devices}
    assert told["hands"] == told["cameras"] == "ok"
    eye.gone = True  # the camera is pulled out
    plays_until(rig, memory, (0, 0, 0))
    eye.gone = False
    plays_until(rig, memory, (0, 255, 0))
    mind.found = NO_HANDS
    plays_until(rig, memory, (0, 0, 0))
    assert not rig.stage.faults.counts
    rig.close()
    assert mind.closed == 1


def test_a_show_opens_hands_when_an_edit_uses_them(
    library: Library, doubles: tuple[FakeCamera, FakeTracker], tmp_path: Path
) -> None:
    _, mind = doubles
    mind.found = row(Hand(0.4, 0.3), 0.9)[None]
    rig, memory = played(library, "red")
    plays_until(rig, memory, (255, 0, 0))
    assert not mind.shown and "hands" not in dict(StatusMeter().status(rig).devices)
    save(tmp_path / "presets/red.toml", GREEN)
    plays_until(rig, memory, (0, 255, 0))
    rig.close()
