"""Overlays and filters of a setlist: over every scene, whatever plays."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perform.documents import SceneError
from perform.footage.text import Text
from perform.library import Library
from perform.scenes.setlist import read_setlist
from tests.doubles.library import NEURAL, save, write_library
from tests.doubles.rig_shows import Show, shows_of

HEAD = 'title = "Set"\nquantise = "off"\n'
CUES = '[[cue]]\nscene = "red"\n[[cue]]\nscene = "blue"\n'
GREEN = (
    '[[overlay]]\nname = "logo"\nblend = "add"\n[overlay.generator]\nshader = "colour"\ntint = [0, 1, 0, 1]\n'
)
INVERT = '[[filter]]\nshader = "invert"\namount = 1\n'


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Show]]:
    yield from shows_of(tmp_path, "setlists/set.toml", HEAD)


def test_an_overlay_stays_over_every_scene(start: Callable[..., Show]) -> None:
    show = start(CUES + GREEN)
    assert show.pixel() == (255, 255, 0)
    assert show.pixel(("/go", 1.0)) == (0, 255, 255)
    assert show.pixel(("/overlay/1/opacity", 0.0)) == (0, 0, 255)
    assert show.pixel(("/go", 0.0), ("/back", 1.0)) == (255, 0, 0)  # what is held stays over scenes
    assert show.pixel(("/overlay/1/opacity/release", 1.0)) == (255, 255, 0)
    assert show.pixel(("/programme/opacity", 0.0)) == (0, 255, 0)


def test_filters_of_the_setlist_come_last(start: Callable[..., Show]) -> None:
    show = start(CUES + GREEN + INVERT)
    assert show.pixel() == (0, 0, 255)
    assert show.pixel(("/stage/filter/invert/amount", 0.0)) == (255, 255, 0)
    assert show.pixel(("/blackout", 1.0)) == (0, 0, 0)


def test_filters_without_overlays(start: Callable[..., Show]) -> None:
    show = start(CUES + INVERT)
    assert show.pixel() == (0, 255, 255)
    assert show.pixel(("/go", 1.0)) == (255, 255, 0)


def test_edits_of_what_is_over_the_scenes(start: Callable[..., Show]) -> None:
    show = start(CUES + GREEN)
    assert show.pixel(("/overlay/1/opacity", 0.0)) == (255, 0, 0)
    show.edit("setlists/set.toml", HEAD + CUES + GREEN + INVERT)
    assert show.pixel() == (0, 255, 255)  # the opacity is still held
    show.edit("setlists/set.toml", HEAD + CUES)
    assert show.pixel() == (255, 0, 0)
    show.edit("setlists/set.toml", HEAD + CUES + GREEN)
    assert show.pixel() == (255, 255, 0)


def test_an_overlay_that_cannot_be_opened_stays_as_it_was(start: Callable[..., Show]) -> None:
    show = start(CUES + GREEN)
    (show.folder / "shaders/generators/broken.fs").write_text("/*{}*/ void main() { gl_FragColor = none; }")
    broken = GREEN.replace('"colour"\ntint = [0, 1, 0, 1]', '"broken"')
    show.edit("setlists/set.toml", HEAD + CUES + broken + GREEN.replace("logo", "other") + INVERT)
    assert show.pixel() == (255, 255, 0)
    assert show.pixel(("/go", 1.0)) == (0, 255, 255)
    assert show.pixel(("/overlay/1/opacity", 0.0)) == (0, 0, 255)
    show.edit("setlists/set.toml", HEAD + CUES + GREEN + INVERT)
    assert show.pixel() == (255, 255, 0)
    assert not show.rig.faults.counts


def test_an_edit_with_two_presets_of_one_name(start: Callable[..., Show]) -> None:
    folder = start(CUES).folder
    for name in ("one", "two"):
        save(folder / name / "neural.toml", NEURAL)
    cues = "".join(f'[[cue]]\nscene = "{folder / name}/neural.toml"\n' for name in ("one", "two"))
    show = start(cues)
    before = [one.scene for one in show.rig.performance.cues]
    show.edit("setlists/set.toml", HEAD + cues + '[[cue]]\nscene = "red"\n')
    show.pixel()
    assert [one.scene for one in show.rig.performance.cues[:2]] == before
    assert len(show.rig.performance.cues) == 3


def test_what_an_edit_does_not_change_stays(start: Callable[..., Show]) -> None:
    show = start(CUES + GREEN + INVERT)
    before = show.rig.performance.over
    show.edit("setlists/set.toml", HEAD + CUES + GREEN + INVERT)
    show.pixel()
    assert show.rig.performance.over is before


def test_a_network_in_an_overlay_is_opened(start: Callable[..., Show]) -> None:
    show = start(
        CUES + '[[overlay]]\nopacity = "audio.level"\n[overlay.generator]\nmodel = "untrained-small"\n'
    )
    assert show.pixel() == (255, 0, 0)
    assert show.pixel(("audio.level", 1.0)) != (255, 0, 0)


def test_an_overlay_whose_model_has_no_room_is_not_drawn(start: Callable[..., Show]) -> None:
    small = '[[overlay]]\nopacity = 0\n[overlay.generator]\nmodel = "untrained-small"\n'
    large = '[[overlay]]\n[overlay.generator]\nmodel = "untrained-medium"\n'
    show = start(CUES + small + large, budget=1.5 * Library().model("untrained-small").memory)
    assert show.pixel() == (255, 0, 0)
    assert show.pixel(("/go", 1.0)) == (0, 0, 255)
    assert not show.rig.faults.counts


def test_a_camera_that_is_not_there_hides_nothing(start: Callable[..., Show]) -> None:
    assert start(CUES + "[[overlay]]\n[overlay.source]\ncamera = ''\n").pixel() == (255, 0, 0)


def test_a_source_that_fails_hides_nothing(
    start: Callable[..., Show], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Text, "render", lambda *_: 1 / 0)
    show = start(CUES + "[[overlay]]\n[overlay.source]\ntext = 'a'\n")
    assert show.pixel() == (255, 0, 0)
    assert "text a is dropped: division by zero" in show.rig.stage.faults.counts


def test_scenes_are_seen_through_overlays_as_without_them(start: Callable[..., Show]) -> None:
    folder = start(CUES).folder
    clear = 'title = "Clear"\n[generator]\nshader = "colour"\ntint = [1, 0, 0, 0]\n'
    (folder / "presets/clear.toml").write_text(clear)
    cue = '[[cue]]\nscene = "clear"\n'
    assert start(cue).pixel() == (255, 0, 0)  # alpha has no effect on what is shown
    show = start(cue + GREEN)
    assert show.pixel() == (255, 255, 0)
    assert show.pixel(("/overlay/1/matte_invert", 1.0)) == (255, 255, 0)  # it has no matte


def test_its_addresses_are_listed(start: Callable[..., Show]) -> None:
    nodes = start(CUES + GREEN + INVERT).rig.performance.snapshot().nodes
    wanted = {
        "/overlay/1/opacity",
        "/overlay/1/generator/tint",
        "/programme/scale",
        "/stage/filter/invert/amount",
    }
    assert wanted <= {*nodes}


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('blend = "add"', 'blend = "ad"', "set.toml: overlay[0].blend = 'ad', must be one of normal, add,"),
        ("[overlay.generator]", "[overlay.gen]", "set.toml: overlay[0].source is missing: an overlay has a"),
        (
            'shader = "invert"',
            'shader = "invrt"',
            "set.toml: filter[0].shader = 'invrt': there is no such fil",
        ),
        (
            "tint = [0, 1, 0, 1]",
            "tnt = 1",
            "set.toml: overlay[0].generator.tnt is unknown; did you mean tint",
        ),
    ],
)
def test_faults_have_their_key(tmp_path: Path, old: str, new: str, fault: str) -> None:
    file = tmp_path / "set.toml"
    text = HEAD + CUES + GREEN + INVERT
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    library = Library(write_library(tmp_path))
    with pytest.raises(SceneError) as caught:
        read_setlist(file, library, library.preset_file)
    assert any(fault in one for one in caught.value.faults), caught.value.faults
