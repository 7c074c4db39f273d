"""Setlists: cues in order, their scenes, and the bindings of the show."""

from pathlib import Path

import pytest

from perform.clock import Moment
from perform.documents import SceneError
from perform.scenes.reader import read_scene
from perform.scenes.setlist import read_setlist, single
from perform.signals import Signals
from tests.doubles.catalogue import FakeCatalogue

GRID = 'title = "Grid"\n[generator]\nshader = "grid"\n'
SET = """
title = "Demo"
quantise = "4 bars"
loop = true
[[cue]]
scene = "grid"
bars = 8
[[cue]]
scene = "grid"
[cue.transition]
beats = 0
[bindings]
blackout = "toggle(midi.note36)"
"""
MOMENT = Moment(0.0, 0, 0.0, 0.0, 0.0, 120.0)


def load(folder: Path, text: str, grid: str = GRID):  # type: ignore[no-untyped-def]
    (folder / "grid.toml").write_text(grid)
    (folder / "demo.toml").write_text(text)

    def preset(name: str) -> Path:
        if name != "grid":
            raise LookupError("there is no such preset; did you mean grid?")
        return folder / f"{name}.toml"

    return read_setlist(folder / "demo.toml", FakeCatalogue(), preset)


def test_a_setlist_is_read(tmp_path: Path) -> None:
    setlist = load(tmp_path, SET)
    assert (setlist.title, setlist.quantise, setlist.loop) == ("Demo", 16, True)
    assert [cue.bars for cue in setlist.cues] == [8, None]
    assert [cue.transition.beats for cue in setlist.cues] == [4, 0]
    assert setlist.cues[0].scene is setlist.cues[1].scene
    assert setlist.files == (tmp_path / "demo.toml", tmp_path / "grid.toml")


def test_cues_and_transitions_in_seconds_are_read(tmp_path: Path) -> None:
    setlist = load(tmp_path, SET.replace("bars = 8", "seconds = 12.5").replace("beats = 0", "seconds = 1.5"))
    assert [(cue.bars, cue.seconds) for cue in setlist.cues] == [(None, 12.5), (None, None)]
    assert [cue.transition.seconds for cue in setlist.cues] == [None, 1.5]


def test_bindings_control_the_show(tmp_path: Path) -> None:
    show = load(tmp_path, SET).show.start()
    show.step(MOMENT, Signals())
    first = show.step(MOMENT, Signals({"midi.note36": 0.8, "key.space": 1.0, "key.3": 1.0}))
    assert (first["blackout"], first["go"], first["scene"], first["master"]) == (True, True, 3, 1.0)
    assert show.step(MOMENT, Signals({"midi.note36": 0.8, "key.space": 1.0}))["go"] is False


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            ('scene = "grid"', 'scene = "gird"'),
            "cue[0].scene = 'gird': there is no such preset; did you mean grid?",
        ),
        (("bars = 8", "bars = 0"), "cue[0].bars = 0"),
        (("bars = 8", "bars = 8\nseconds = 3"), "cue[0].seconds and bars are given: a cue has one of them"),
        (("bars = 8", "seconds = 0"), "cue[0].seconds = 0"),
        (("bars = 8", "until = 'audio.lo'"), "cue[0].until = 'audio.lo'"),
        (("bars = 8", "bars = 8\nuntil = 'audio.low > 0.5'"), "cue[0].until and bars are given"),
        (
            ("bars = 8", "follow = 'follow'"),
            "cue[0].follow = 'follow' needs a length: bars, beats, seconds or",
        ),
        (("bars = 8", "follow = 'folow'"), "cue[0].follow = 'folow', must be 'follow', 'continue' or 'stay'"),
        (("bars = 8", "pre_wait = -1"), "cue[0].pre_wait = -1"),
        (("bars = 8", "quantise = '5 bars'"), "cue[0].quantise = '5 bars'"),
        (("bars = 8", "number = [1]"), "cue[0].number"),
        (
            ('scene = "grid"', 'scene = "grid"\nnumber = 2.5'),
            "cue[1].number = '2.5', but cue[0] has its address /cue/2.5/start",
        ),
        (
            (
                'scene = "grid"\n[cue.tr',
                'scene = "grid"\nnumber = "2/5"\n[[cue]]\nscene = "grid"\nnumber = "2 5"\n[cue.tr',
            ),
            "cue[2].number = '2 5', but cue[1] has its address /cue/2_5/start",
        ),
        (('title = "Demo"', 'title = "Demo"\nfade = -1'), "fade = -1"),
        (
            ("beats = 0", "beats = 0\nseconds = 2"),
            "cue[1].transition.seconds and beats are given: a transition has one of them",
        ),
        (("beats = 0", "seconds = -1"), "cue[1].transition.seconds = -1, must be a number 0..600"),
        (("beats = 0", "beats = 300"), "cue[1].transition.beats = 300, must be a number 0..256"),
        (('"4 bars"', '"5 bars"'), "quantise = '5 bars'"),
        (("beats = 0", "beats = 0\nshader = 'wipe'"), "cue[1].transition.shader = 'wipe'"),
        (("[bindings]", "[crossfader]\nlaw = 'disolve'\n[bindings]"), "crossfader.law = 'disolve': there is"),
        (("[bindings]", "[crossfader]\nlaw = 7\n[bindings]"), "crossfader.law = 7, must be text"),
        (
            ("[bindings]", "[crossfader]\nlaw = 'dissolve'\nsoftness = 2\n[bindings]"),
            "crossfader.softness = 2, must be 0..1",
        ),
        (
            ("[bindings]", "[crossfader]\nlaw = 'dissolve'\nsofness = 1\n[bindings]"),
            "crossfader.sofness is unknown; did you mean softness?",
        ),
        (
            ("[bindings]", "[crossfader]\nsoftness = 1\n[bindings]"),
            "crossfader.softness needs a law that has it: the name of a transition, not 'cue'",
        ),
        (
            ("[bindings]", "[[crossfader]]\nlaw = 'cue'\n[bindings]"),
            "crossfader must be a table headed [crossfader]",
        ),
        (("blackout =", "blakout ="), "bindings.blakout is unknown; did you mean blackout?"),
        (("toggle(midi.note36)", "toggel(midi.note36)"), "bindings.blackout = 'toggel(midi.note36)'"),
    ],
)
def test_a_wrong_setlist_is_rejected(tmp_path: Path, change: tuple[str, str], fault: str) -> None:
    with pytest.raises(SceneError) as caught:
        load(tmp_path, SET.replace(*change))
    assert any(fault in one for one in caught.value.faults)


def test_a_setlist_reports_its_own_faults_and_those_of_its_presets(tmp_path: Path) -> None:
    text = (
        SET.replace("title =", "titel =").replace("bars = 8", "bars = 0").replace("blackout =", "blakout =")
    )
    text += "\n[[cue]]\nbars = 2\n"
    with pytest.raises(SceneError) as caught:
        load(tmp_path, text, GRID + "disorder = 7\n")
    keys = sorted(fault.removeprefix(f"{tmp_path}/").split(" ")[1] for fault in caught.value.faults)
    assert keys == sorted(
        ["title", "titel", "cue[0].bars", "cue[2].scene", "bindings.blakout", "generator.disorder"]
    )


def test_what_a_cue_can_have(tmp_path: Path) -> None:
    text = """number = 2.5
name = "Drop"
notes = "lights down"
until = "audio.low > 0.8"
pre_wait = 1
post_wait = 2.5
quantise = "beat"
armed = false
"""
    setlist = load(tmp_path, SET.replace("bars = 8", text))
    first, second = setlist.cues
    assert (first.number, first.name, first.title, first.notes) == ("2.5", "Drop", "Drop", "lights down")
    assert (first.pre_wait, first.post_wait, first.quantise, first.armed) == (1, 2.5, 1, False)
    assert (second.title, second.quantise, second.armed, second.follow) == ("Grid", None, True, "follow")
    assert "audio.low" in setlist.signal_names
    assert load(tmp_path, SET.replace("bars = 8", "beats = 6")).cues[0].bars == 1.5


def test_a_setlist_without_cues_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SceneError, match=r"cue is missing, must be tables, each headed \[\[cue\]\]"):
        load(tmp_path, 'title = "Empty"\n')


def test_faults_of_presets_are_reported_once(tmp_path: Path) -> None:
    with pytest.raises(SceneError) as caught:
        load(tmp_path, SET, GRID + "disorder = 7\n")
    assert caught.value.faults == [f"{tmp_path}/grid.toml: generator.disorder = 7, must be 0..1"]


def test_a_preset_alone_is_a_setlist_of_one(tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_text(GRID)
    setlist = single(read_scene(tmp_path / "grid.toml", FakeCatalogue()))
    assert [cue.scene.title for cue in setlist.cues] == ["Grid"]
    assert setlist.show.start().step(MOMENT, Signals())["master"] == 1.0


def test_osc_and_keys_do_not_block_each_other(tmp_path: Path) -> None:
    (tmp_path / "grid.toml").write_text(GRID)
    show = single(read_scene(tmp_path / "grid.toml", FakeCatalogue())).show.start()

    def at(**said: float) -> dict[str, object]:
        names = {"space": "key.space", "one": "key.1"}
        osc = {
            "go": 'osc["/go"]',
            "three": 'osc["/scene/3"]',
        }
        return show.step(MOMENT, Signals({(names | osc)[name]: value for name, value in said.items()}))

    at()
    held = {"go": 1.0, "three": 1.0}
    first = at(**held)
    assert (first["go"], first["scene"]) == (True, 3)
    second = at(**held)
    assert (second["go"], second["scene"]) == (False, 0)
    third = at(**held, space=1.0, one=1.0)
    assert (third["go"], third["scene"]) == (True, 1)
