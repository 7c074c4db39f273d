"""Learning during a show: keys choose a parameter, the next moved control is bound, the edit is played."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from perform import paths, show
from perform.documents import document
from perform.learning.live import EditQueue, LiveLearning, learnable
from perform.library import Library
from perform.rig import Rig
from perform.show import Options, opening
from perform.signals import Event
from tests.doubles.inputs import PlayedInput
from tests.doubles.waiting import eventually
from tests.folders import DATA

TEXT = """\
title = "Field"

[generator]
shader = "molnar"
columns = 5 # how many
squares = "pickup(midi.cc40, 0.5)"
"""
SIZE = (48, 27)


class Waves(PlayedInput):
    """An input of rows of numbers, as sound is."""

    def poll(self, until: float) -> list[Event]:
        row = np.zeros(8, np.float32)
        return [Event(until, "audio.waveform", row), Event(until, 'osc["/title"]', "text")]


class Playing:
    """A live show without a window, its keys and controls pressed by a test."""

    def __init__(self, name: str) -> None:
        self.says, self.told = PlayedInput(), [""]
        rig = show.play(Options(name, size=SIZE, headless=True, osc_port=0, fps=200), Library())
        learner = opening.open_learner(Options(name), Library(), rig.performance, self.told.append)
        self.rig: Rig = replace(rig, inputs=[self.says, Waves()], learner=learner)

    def frames(self, seconds: float) -> None:
        end = self.rig.clock.now() + seconds
        while self.rig.clock.now() < end:
            self.rig.frame()

    def press(self, *keys: str) -> None:
        for key in keys:
            for value in (1.0, 0.0):
                self.says.next = [(f"key.{key}", value)]
                self.rig.frame()

    def turn(self, name: str, start: float, end: float) -> None:
        for step in range(21):
            self.says.next = [(name, start + (end - start) * step / 20)]
            self.rig.frame()

    def until(self, true: Callable[[], object], what: str) -> None:
        eventually(true, what, self.rig.frame)

    @property
    def values(self) -> dict[str, object]:
        return dict(self.rig.performance.cues[0].cue.scene.layers[0].source.values)

    @property
    def learner(self) -> LiveLearning:
        assert isinstance(self.rig.learner, LiveLearning)
        return self.rig.learner


@pytest.fixture
def preset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    (paths.user_data() / "presets").mkdir(parents=True)
    file = tmp_path / "presets" / "field.toml"
    file.parent.mkdir()
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.fixture
def playing(preset: Path) -> Iterator[Playing]:
    show = Playing("field")
    yield show
    show.rig.close()


def test_a_knob_is_bound_and_unbound_during_the_show(playing: Playing, preset: Path) -> None:
    playing.frames(0.1)
    playing.turn("midi.cc40", 0.0, 0.75)  # the other knob has taken over before
    squares = playing.rig.performance.snapshot().values["/generator/squares"]
    playing.press("m")
    assert playing.told[-1] == "learn field: generator.columns 2..30, now 5: move a control"
    playing.frames(0.7)
    playing.turn("midi.cc21", 0.0, 0.5)
    playing.until(lambda: str(playing.values["columns"]).startswith("Formula"), "the edit")
    line = 'columns = "scale(pickup(midi.cc21, 0.107143), 2, 30)" # how many'
    assert preset.read_text(encoding="utf-8") == TEXT.replace("columns = 5 # how many", line)
    done = "learn: field.toml: generator.columns = scale(pickup("
    playing.until(lambda: playing.told[-1].startswith(done), "the note")
    values = playing.rig.performance.snapshot().values
    assert values["/generator/columns"] == pytest.approx((5.0,), abs=1e-4), (
        "it stays until the knob has passed it"
    )
    assert values["/generator/squares"] == squares, "other knobs keep what they have taken over"
    playing.turn("midi.cc21", 0.5, 0.0)
    assert playing.rig.performance.snapshot().values["/generator/columns"] == pytest.approx((2.0,))
    playing.press("z")
    playing.until(lambda: playing.values["columns"] == 5, "the step back")
    assert preset.read_text(encoding="utf-8") == TEXT
    playing.press("m")
    assert playing.told[-1] == "" and not playing.rig.stage.faults.counts


def test_parameters_are_chosen_by_arrows_and_by_tab(playing: Playing) -> None:
    def chosen() -> str:
        return playing.told[-1].split()[2]

    playing.press("m")
    assert chosen() == "generator.columns"
    seen = []
    for key in ("tab", "down", "up", "right", "left", "up", "tab"):
        playing.press(key)
        seen.append(chosen())
    assert seen == [
        "generator.squares", "generator.disorder", "generator.squares", "transition.softness",
        "generator.columns", "transition.ember.alpha", "generator.columns",
    ]  # fmt: skip


def test_keys_of_learning_do_not_control_the_show(playing: Playing) -> None:
    bpm = playing.rig.performance.tempo.bpm
    playing.press("m", "down", "down", "z", "m")
    assert playing.rig.performance.tempo.bpm == bpm
    playing.press("down")
    assert playing.rig.performance.tempo.bpm == bpm / 2, "and does again, when learning is over"


def test_only_one_control_is_bound_for_each_choice(playing: Playing, preset: Path) -> None:
    playing.press("m")
    playing.frames(0.7)
    for cc in (21, 22):
        playing.turn(f"midi.cc{cc}", 0.0, 1.0)
        playing.frames(0.5)
    playing.until(lambda: "midi.cc" in preset.read_text(encoding="utf-8").split("squares")[0], "the edit")
    playing.frames(0.3)
    assert "midi.cc21" in preset.read_text(encoding="utf-8")
    assert "midi.cc22" not in preset.read_text(encoding="utf-8")


def test_an_unreadable_preset_is_reported_and_the_show_continues(playing: Playing, preset: Path) -> None:
    preset.write_text("title = ", encoding="utf-8")
    playing.press("m")
    playing.frames(0.7)
    playing.turn("midi.cc21", 0.0, 1.0)
    playing.until(lambda: "not learned" in playing.told[-1], "the complaint")
    before = playing.rig.timings.count
    playing.frames(0.1)
    assert playing.rig.timings.count > before and preset.read_text(encoding="utf-8") == "title = "


def test_a_shipped_preset_continues_from_its_copy(preset: Path) -> None:
    """The copy continues the scene's formulas and its cue."""
    playing = Playing("disorder")
    try:
        playing.press("m")
        playing.frames(0.7)
        playing.turn("midi.cc21", 0.0, 0.5)
        copy = paths.user_data() / "presets" / "disorder.toml"
        playing.until(lambda: playing.rig.performance.cues[0].cue.scene.file == copy, "the copy")
        assert document(copy)["generator"]["columns"] == "floor(3 + 12 * pickup(midi.cc21, 0.2))"
        assert (paths.shipped() / "presets" / "disorder.toml").read_text(encoding="utf-8").count("cc21") == 0
        playing.press("z")
        playing.until(lambda: not copy.exists(), "the step back")
    finally:
        playing.rig.close()


def test_edits_continue_after_a_failing_edit() -> None:
    clerk, told = EditQueue(), []

    def look() -> bool:
        told.extend([note] if (note := clerk.take_note()) else [])
        return len(told) == 4

    for fault in (TypeError("no such table"), KeyError(), AssertionError()):
        clerk.submit(partial(_raise, fault))
    clerk.submit(lambda: "done")
    eventually(look, "the last edit")
    clerk.close()
    assert told == [
        *(f"not learned: {why}" for why in ("no such table", "KeyError", "AssertionError")),
        "done",
    ]


def _raise(fault: Exception) -> str:
    raise fault


def test_a_failing_learner_does_not_disturb_the_show(playing: Playing) -> None:
    def broken(_now: float, _events: list[Event]) -> list[Event]:
        raise RuntimeError("no idea")

    playing.learner.process = broken  # type: ignore[method-assign, assignment]
    before = playing.rig.timings.count
    playing.frames(0.1)
    assert playing.rig.timings.count > before and playing.rig.learner is None
    assert list(playing.rig.stage.faults.counts) == ["learning stopped: no idea"]


OTHER = 'title = "Other"\n[generator]\nshader = "rings"\n[[filter]]\nshader = "grain"\namount = 0.5\n'
NETWORK = 'title = "Network"\n[generator]\nmodel = "{model}"\n[latent]\npath = "walk"\n'


def test_when_the_scene_changes_learning_pauses_and_names_the_preset(preset: Path, tmp_path: Path) -> None:
    """A parameter that the new scene has, too, is followed there; one that has gone is not learned."""
    (preset.parent / "other.toml").write_text(OTHER, encoding="utf-8")
    (preset.parent / "again.toml").write_text(TEXT, encoding="utf-8")
    show_file = tmp_path / "three.toml"
    cue = '[[cue]]\nscene = "{}"\ntransition = {{ shader = "dissolve", beats = 0 }}\n'
    cues = "".join(cue.format(name) for name in ("field", "again", "other"))
    show_file.write_text(f'title = "Three"\nquantise = "off"\n{cues}', encoding="utf-8")
    show = Playing(str(show_file))
    before = [file.read_text(encoding="utf-8") for file in sorted(preset.parent.glob("*.toml"))]
    try:
        show.press("m")
        assert show.told[-1].startswith("learn field: generator.columns 2..30")
        show.press("space")
        show.until(lambda: show.told[-1].startswith("learn again: generator.columns 2..30"), "the next scene")
        show.press("space")
        gone = "learn other: generator.columns is not here: Tab chooses another"
        show.until(lambda: show.told[-1] == gone, "the last scene")
        show.frames(0.7)
        show.turn("midi.cc21", 0.0, 0.9)
        show.frames(0.1)
        assert show.told[-1] == gone
        assert [file.read_text(encoding="utf-8") for file in sorted(preset.parent.glob("*.toml"))] == before
        show.press("tab")
        assert show.told[-1].startswith("learn other: generator.")
    finally:
        show.rig.close()


@pytest.mark.parametrize(("model", "offered"), [("untrained-small", False), ("biggan", True)])
def test_the_class_is_offered_only_for_a_model_with_classes(
    preset: Path, tmp_path: Path, model: str, offered: bool
) -> None:
    if offered:
        place = tmp_path / "models"
        place.mkdir()
        shutil.copy(DATA / "biggan-tiny-32.npz", place / "biggan.npz")
    preset.write_text(NETWORK.format(model=model), encoding="utf-8")
    library = Library()
    setlist = show.load(preset, library)
    names = [one.target.name for one in learnable(setlist, setlist.cues[0], True, library)]
    assert ("generator.label" in names) is offered and "generator.truncation" in names


def test_a_transition_that_the_cue_replaces_is_not_offered(preset: Path, tmp_path: Path) -> None:
    library = Library()
    setlist = show.load(preset, library)
    (own,) = setlist.cues
    assert any(one.target.key.startswith("transition.") for one in learnable(setlist, own, True, library))
    other = replace(own, transition=replace(own.transition, beats=99))
    assert not any(
        one.target.key.startswith("transition.") for one in learnable(setlist, other, True, library)
    )


def test_controls_of_an_overlay_are_learned_into_the_setlist(preset: Path, tmp_path: Path) -> None:
    library = Library()
    file = tmp_path / "evening.toml"
    layer = (
        '[[overlay]] # the logo\nopacity = 0.5\n[overlay.source]\ntext = "a"\n[[filter]]\nshader = "grade"\n'
        '[[overlay]]\n[overlay.generator]\nmodel = "flora"\n'
    )
    file.write_text(f'title = "E"\n[[cue]]\nscene = "{preset}"\n{layer}', encoding="utf-8")
    setlist = show.load(file, library)
    found = {one.target.name: one for one in learnable(setlist, setlist.cues[0], False, library)}
    assert found["overlay[0].opacity"].target.address == "/overlay/1/opacity"
    assert "overlay[1].generator.truncation" in found and "overlay[1].generator.label" not in found
    assert found["filter[0].gain"].target.address == "/stage/filter/grade/gain"
    assert (
        found["overlay[0].opacity"].write("midi.cc7", library)
        == "evening.toml: overlay[0].opacity = midi.cc7"
    )
    assert '[[overlay]] # the logo\nopacity = "midi.cc7"\n' in file.read_text(encoding="utf-8")
