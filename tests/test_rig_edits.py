"""Files that are saved while a show plays: what is whole plays, and what is broken keeps what was."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from perform.documents import SceneError
from perform.library import Library
from perform.performance.scene import LatentSource
from perform.render.shader import Shader
from perform.show import Options, load, play
from tests.doubles.library import BLUE, DEMO, INVERT, NEURAL, RED, save, write_library
from tests.doubles.rig_shows import BLUE_PIXEL, CYAN_PIXEL, RED_PIXEL, SIZE, Show, shows
from tests.doubles.shows import plays_until, watched
from tests.doubles.waiting import eventually


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Show]]:
    yield from shows(tmp_path)


def test_a_saved_preset_takes_effect_and_a_broken_one_does_not(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "perform")
    show = opened("red")
    show.edit("presets/red.toml", BLUE)
    assert show.pixel() == BLUE_PIXEL
    show.edit("presets/red.toml", RED.replace("colour", "color"))
    assert show.pixel() == BLUE_PIXEL
    assert "kept the last good version" in caplog.text
    assert (
        "generator.shader = 'color': there is no such generator shader; did you mean colour?" in caplog.text
    )
    show.edit("presets/red.toml", "title = ")
    assert show.pixel() == BLUE_PIXEL
    show.edit("presets/red.toml", RED)
    assert show.pixel() == RED_PIXEL


def test_a_saved_shader_takes_effect_and_a_broken_one_does_not(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture
) -> None:
    show = opened("inverted")
    assert show.pixel() == CYAN_PIXEL
    show.edit("shaders/filters/invert.fs", INVERT.replace("1.0 - c.rgb", "c.gbr"))
    assert show.pixel() == BLUE_PIXEL
    show.edit("shaders/filters/invert.fs", INVERT.replace("mix(", "mixx("))
    assert show.pixel() == BLUE_PIXEL
    assert "invert.fs" in caplog.text
    show.edit("shaders/filters/invert.fs", "no shader at all")
    assert show.pixel() == BLUE_PIXEL


def said(caplog: pytest.LogCaptureFixture, folder: Path) -> list[str]:
    """What the log says of edits since the last call."""
    lines = [one.replace(f"{folder}/", "") for one in caplog.messages]
    caplog.clear()
    return [line for line in lines if line.startswith(("kept the", "applied"))]


def test_a_broken_preset_keeps_its_scene_and_edits_of_the_others_play(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO, "perform")
    show = opened()
    assert show.pixel() == RED_PIXEL
    broken = (
        "kept the last good version: presets/blue.toml: not valid TOML: a value is missing, line 1: title ="
    )
    show.edit("presets/blue.toml", "title = ")
    assert show.pixel() == RED_PIXEL
    assert said(caplog, tmp_path) == [broken]
    show.edit("presets/red.toml", RED.replace('"colour"', '"colour"\ntint = [0, 1, 0, 1]'))
    assert show.pixel() == (0, 255, 0)
    assert said(caplog, tmp_path) == [broken, "applied the edit of Demo"]
    assert show.pixel(("key.space", 1)) == BLUE_PIXEL
    (tmp_path / "presets/blue.toml").unlink()
    show.edit("presets/red.toml", RED)
    assert show.pixel() == BLUE_PIXEL
    (gone,) = said(caplog, tmp_path)
    assert gone.startswith(
        "kept the last good version: setlists/demo.toml: cue[1].scene = 'blue': there is no such preset"
    )
    show.edit("presets/blue.toml", BLUE.replace("[0, 0,", "[0, 1,"))
    assert show.pixel() == (0, 255, 255)
    assert said(caplog, tmp_path) == ["applied the edit of Demo"]


@pytest.mark.parametrize("broken", [INVERT.replace("mix(", "mixx("), "no shader at all"])
def test_a_broken_shader_keeps_its_scenes_and_edits_of_the_others_play(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture, tmp_path: Path, broken: str
) -> None:
    caplog.set_level(logging.INFO, "perform")
    cues = "".join(f'[[cue]]\nscene = "{name}"\n' for name in ("red", "inverted", "red"))
    save(tmp_path / "setlists/three.toml", f'title = "Three"\nquantise = "off"\n{cues}')
    write_library(tmp_path)
    show = opened("three")
    assert show.pixel() == RED_PIXEL
    before = show.rig.performance.cues[1].scene
    show.edit("shaders/filters/invert.fs", broken)
    assert show.pixel() == RED_PIXEL
    (fault,) = said(caplog, tmp_path)
    assert "invert.fs:" in fault
    show.edit("presets/red.toml", RED.replace('"colour"', '"colour"\ntint = [0, 1, 0, 1]'))
    assert show.pixel() == (0, 255, 0)
    assert said(caplog, tmp_path) == [fault, "applied the edit of Three"]
    assert show.rig.performance.cues[1].scene is before
    assert show.pixel(("key.space", 1)) == CYAN_PIXEL
    show.edit("shaders/filters/invert.fs", INVERT.replace("1.0 - c.rgb", "c.gbr"))
    assert show.pixel() == BLUE_PIXEL
    assert said(caplog, tmp_path) == ["applied the edit of Three"]
    assert not show.rig.stage.faults.counts


@pytest.mark.parametrize(
    ("cue", "fault"),
    [
        ('[[cue]]\nscene = "reed"\n', "setlists/demo.toml: cue[2].scene = 'reed': there is no such preset"),
        ('[[cue]]\nscene = "green"\n', "there is no such feed rain"),
        ('[[cue]]\nscene = "inverted"\n', "invert.fs:3: "),
    ],
    ids=["setlist", "signal", "shader"],
)
def test_a_fault_of_the_setlist_hides_none_of_its_presets(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture, tmp_path: Path, cue: str, fault: str
) -> None:
    show = opened()
    assert show.pixel() == RED_PIXEL
    save(tmp_path / "presets/blue.toml", "title = ")
    save(tmp_path / "presets/green.toml", BLUE.replace("audio.level", "feed.rain.fall"))
    save(tmp_path / "shaders/filters/invert.fs", INVERT.replace("mix(", "mixx("))
    show.edit("setlists/demo.toml", DEMO + cue)
    assert show.pixel() == RED_PIXEL
    faults = said(caplog, tmp_path)
    assert len(faults) == 2 and any(fault in one for one in faults)
    assert any("presets/blue.toml: not valid TOML: a value is missing" in one for one in faults)


def test_a_preset_with_a_feed_that_is_not_there_keeps_its_scene(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO, "perform")
    show = opened()
    assert show.pixel() == RED_PIXEL
    save(tmp_path / "presets/blue.toml", BLUE.replace("audio.level", "feed.rain.fall"))
    show.edit("presets/red.toml", RED.replace('"colour"', '"colour"\ntint = [0, 1, 0, 1]'))
    assert show.pixel() == (0, 255, 0)
    fault, applied = said(caplog, tmp_path)
    assert fault.startswith("kept the last good version: presets/blue.toml: there is no such feed rain")
    assert applied == "applied the edit of Demo"
    assert show.pixel(("key.space", 1)) == BLUE_PIXEL


def test_a_live_show_watches_its_files_and_keeps_what_was(
    caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.INFO, "perform")
    library = Library(write_library(tmp_path))
    rig = play(Options("demo", size=SIZE, headless=True, osc_port=0), library)
    memory = watched(rig)
    plays_until(rig, memory, RED_PIXEL)
    save(tmp_path / "presets/blue.toml", "title = ")
    eventually(lambda: said(caplog, tmp_path), "the fault", rig.frame)
    save(tmp_path / "presets/red.toml", RED.replace('"colour"', '"colour"\ntint = [0, 1, 0, 1]'))
    plays_until(rig, memory, (0, 255, 0))
    assert [cue.scene.title for cue in rig.performance.setlist.cues] == ["Red", "Blue"]
    fault, applied = said(caplog, tmp_path)
    assert fault.startswith("kept the last good version: presets/blue.toml: not valid TOML")
    assert applied == "applied the edit of Demo"
    rig.close()


def test_an_edit_keeps_the_cue_and_the_switches(opened: Callable[..., Show]) -> None:
    show = opened()
    show.pixel()
    assert show.pixel(("key.space", 1)) == BLUE_PIXEL
    show.edit("presets/red.toml", NEURAL)
    assert show.pixel() == BLUE_PIXEL


def test_a_missing_model_file_is_rejected_at_load_and_ignored_in_a_show(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture
) -> None:
    show = opened("red")
    show.edit("presets/red.toml", NEURAL.replace("untrained-small", "flora"))
    assert show.pixel() == RED_PIXEL
    assert "generator.model = 'flora': there is no such model" in caplog.text
    library = Library(show.folder)
    with pytest.raises(SceneError, match="there is no such model"):
        load(show.folder / "presets/red.toml", library)


def test_an_edit_of_another_file_does_not_change_a_scene(opened: Callable[..., Show]) -> None:
    show = opened()
    show.pixel()
    scenes = [one.scene for one in show.rig.performance.cues]
    show.edit("presets/blue.toml", BLUE + "# again\n")
    show.pixel()
    assert [one.scene for one in show.rig.performance.cues] == scenes
    show.edit("presets/blue.toml", BLUE.replace("+ 1", "+ 0.5"))
    show.pixel()
    changed = [one.scene for one in show.rig.performance.cues]
    assert changed[0] is scenes[0]
    assert changed[1] is not scenes[1]


def path_of(show: Show) -> object:
    """The latent path of the first scene."""
    source = show.rig.performance.cues[0].scene.layers[0].source
    assert isinstance(source, LatentSource)
    return source.path


def test_another_model_gets_its_own_path(opened: Callable[..., Show]) -> None:
    show = opened("neural")
    show.pixel()
    path = path_of(show)
    show.edit("presets/neural.toml", NEURAL.replace("untrained-small", "untrained-medium"))
    show.pixel()
    assert path_of(show) is not path
    assert not show.rig.stage.faults.counts


def test_a_hundred_edits_release_what_they_opened(
    opened: Callable[..., Show], monkeypatch: pytest.MonkeyPatch
) -> None:
    show = opened("inverted")
    show.pixel()
    released: list[Shader] = []
    give_back = Shader.release

    def release(shader: Shader) -> None:
        released.append(shader)
        give_back(shader)

    monkeypatch.setattr(Shader, "release", release)
    for n in range(100):
        broken = "mixx(" if n % 2 else "mix("
        show.edit("shaders/filters/invert.fs", INVERT.replace("mix(", broken) + f"// {n}\n")
        assert show.pixel() == CYAN_PIXEL
    assert len(released) >= 50
