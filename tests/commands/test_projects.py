"""Projects: a folder of one's own, whose files are found wherever the show is started."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from perform import paths, show
from perform.commands.new import write_project
from tests.doubles.command import run
from tests.doubles.disks import largest_file
from tests.doubles.library import COLOUR, RED, save, write_library


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which has nothing to do with any project."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "300")
    return folder


def load(name: object) -> list[Path]:
    """The files of the cues of a show."""
    library = show.open_library(str(name))
    return [cue.scene.file for cue in show.load(show.find(str(name), library), library).cues]


def test_a_new_project_is_whole_and_plays_from_anywhere(tmp_path: Path, elsewhere: Path) -> None:
    project = tmp_path / "tour/Nächte"
    assert f"perform play '{project}' plays it" in run("new", project)
    assert load(project) == [project / "presets/first.toml", project / "presets/second.toml"]
    assert load(project / "setlist.toml") == load(project)
    assert "0 faults" in run("check", project)
    assert (project / "README.md").read_text(encoding="utf-8").startswith("# Nächte\n")
    assert {one.name for one in project.iterdir()} == {
        "README.md", "footage", "models", "presets", "setlist.toml", "shaders",
    }  # fmt: skip
    assert "is there already" in run("new", project, expect=1)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are of POSIX")
def test_a_project_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with (
        largest_file(200),
        pytest.raises(
            OSError, match=r"^\[Errno 27\] .*/tulips/setlist\.toml cannot be written: File too large$"
        ),
    ):
        write_project(tmp_path / "tulips")
    assert not (tmp_path / "tulips").exists()
    write_project(tmp_path / "tulips")
    assert (tmp_path / "tulips/setlist.toml").is_file()


def test_what_is_beside_the_setlist_comes_first(tmp_path: Path, elsewhere: Path) -> None:
    """Then the current folder, then the user's files, then what is shipped."""
    project = write_library(tmp_path / "project")
    everywhere = [project, elsewhere, paths.user_data()]
    for folder in everywhere:
        save(folder / "presets/red.toml", RED)
        save(folder / "shaders/generators/colour.fs", COLOUR)
    wanted = project / "setlists/demo.toml"
    for folder in everywhere:
        assert load(wanted)[0] == folder / "presets/red.toml"
        (folder / "presets/red.toml").unlink()
    for folder in everywhere:
        assert show.open_library(str(wanted)).shader_file("colour", "generator").is_relative_to(folder)
        (folder / "shaders/generators/colour.fs").unlink()
    assert show.open_library(str(wanted)).folders == (*everywhere, paths.shipped())


def test_files_may_lie_beside_the_setlist_without_folders(tmp_path: Path, elsewhere: Path) -> None:
    flat = tmp_path / "flat"
    save(flat / "night.toml", 'title = "Night"\n[[cue]]\nscene = "red"\n')
    save(flat / "red.toml", RED)
    save(flat / "colour.fs", COLOUR)
    assert load(flat / "night.toml") == [flat / "red.toml"]
    assert (
        show.open_library(str(flat / "night.toml")).shader_file("colour", "generator") == flat / "colour.fs"
    )


def test_an_unknown_name_says_where_it_was_looked_for_and_what_is_near(
    tmp_path: Path, elsewhere: Path
) -> None:
    project = write_library(tmp_path / "project")
    save(project / "setlists/demo.toml", 'title = "Demo"\n[[cue]]\nscene = "redd"\n')
    said = run("check", project / "setlists/demo.toml", expect=1)
    places = f"{project}, {elsewhere}, {paths.user_data()}, {paths.shipped()}".replace(str(Path.home()), "~")
    assert f"there is no such preset; did you mean red?; looked for presets/redd.toml in {places}" in said


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31mb", "a\udcff"])
def test_a_name_that_no_text_can_hold_makes_no_project(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run("new", name, expect=1)
    assert said == f"perform: name {name!r}, must have no line ends and no other control characters\n"
    assert list(tmp_path.iterdir()) == []


def test_what_a_file_holds_does_not_move_the_cursor(tmp_path: Path) -> None:
    save(tmp_path / "a.toml", '"\\u001b[31m" = 1\ntitle = "A"\n[generator]\nshader = "rings"\n')
    assert "\x1b" not in run("check", tmp_path / "a.toml", expect=1)
    assert "\x1b" not in run("osc", tmp_path / "a.toml", expect=1)
