"""`perform hands`: it shows in words and bars what the tracker finds and what is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import partial
from io import StringIO

import pytest
from rich.console import Console
from typer.testing import CliRunner

from perform.cli import app
from perform.commands import hands as meter
from perform.commands.hands import HandsMeter, advice, looks
from perform.inputs import hands
from perform.inputs.camera import Cameras, View
from tests.doubles.drawn_hands import Hand
from tests.doubles.hand_inputs import FakeCamera, FakeTracker, row
from tests.doubles.waiting import eventually


@pytest.fixture
def mind(monkeypatch: pytest.MonkeyPatch) -> FakeTracker:
    mind = FakeTracker()
    monkeypatch.setattr(meter, "Cameras", partial(Cameras, open=FakeCamera()))
    monkeypatch.setattr(hands, "Tracker", lambda model: mind)
    return mind


@pytest.fixture
def watched(mind: FakeTracker) -> Iterator[HandsMeter]:
    with meter.open_meter("", View()) as unit:
        yield unit


def test_a_hand_is_shown(watched: HandsMeter, mind: FakeTracker) -> None:
    mind.found = row(Hand(0.4, 0.3), 0.9)[None]
    eventually(lambda: watched.values.get("hand.left.present"), "the hand", watched.look)
    watched.look()
    console = Console(width=120, file=StringIO())
    console.print(watched.table())
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "left" in text and "right" in text and "openness" in text and "█" in text
    assert "pictures a second, latency" in watched.state()


def test_a_missing_part_is_reported(watched: HandsMeter, mind: FakeTracker) -> None:
    mind.note, mind.found = "the tracker's model is missing: perform models import hands", None
    eventually(lambda: "perform models import hands" in watched.state())


def test_it_ends_after_its_seconds(watched: HandsMeter) -> None:
    assert 1 <= len([*looks(watched, 3 * meter.LOOK_SECONDS)]) <= 3


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({}, ""),
        ({"camera.level": 0.5, "hand.count": 1.0, "hand.rate": 30.0, "hand.latency": 0.03}, ""),
        ({"camera.level": 0.05}, "it is dark"),
        ({"hand.count": 2.0, "hand.rate": 8.0}, "few pictures"),
        ({"hand.rate": 10.0}, ""),  # no hands: they are tracked less often
        ({"hand.latency": 0.2}, "late"),
    ],
)
def test_the_advice_follows_from_the_picture(values: dict[str, float], word: str) -> None:
    said = " ".join(advice(values))
    assert said.startswith(word) and bool(said) == bool(word)


def test_the_command(mind: FakeTracker) -> None:
    done = CliRunner().invoke(app, ["hands", "--seconds", "0.5", "--json"])
    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout.splitlines()[-1])
    assert "camera, 64x48" in said["state"] and said["signals"]["hand.count"] == 0.0
    assert CliRunner().invoke(app, ["hands", "--region", "0,0,2,1"]).exit_code == 1


def test_without_a_camera_the_command_fails_with_a_reason() -> None:
    done = CliRunner().invoke(app, ["hands", "--camera", "no such camera", "--seconds", "0.5"])
    assert done.exit_code == 1 and "no such camera" in done.output
