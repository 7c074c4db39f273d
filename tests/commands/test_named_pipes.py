"""A named pipe in the place of a file, to which nobody writes: no command waits for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from perform import media, paths
from perform.documents import read_text
from perform.library import Library
from perform.render import isf
from tests.doubles.command import finished
from tests.doubles.library import write_library

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs named pipes of Unix")
NAMES = ("a.toml", "a.fs", "a.wav", "a.pkl", "a.csv", "show", "film.mp4")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A library, and named pipes beside it."""
    write_library(tmp_path)
    for name in (*NAMES, "presets/red2.toml"):
        os.mkfifo(tmp_path / name)
    (tmp_path / "shaded.toml").write_text('title = "a"\n[generator]\nshader = "a.fs"\n')
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        ("render a.wav --scene red --out b.mp4", "perform: a.wav is a named pipe, must be a file"),
        ("osc a.toml", "a.toml is a named pipe, must be a file"),
        ("play --headless --audio none shaded.toml", "shader = 'a.fs': a.fs is a named pipe, must be a file"),
        ("play --headless red --audio a.wav", "a.wav: cannot be read as sound (it is a named pipe, must be"),
        ("play --headless --audio none red --model a.pkl", "model 'a.pkl': a.pkl is a named pipe, must be"),
        ("metrics untrained-small . --features a.pkl", "a.pkl is a named pipe, must be a file"),
        ("check a.toml", "a.toml is a named pipe, must be a file"),
        (
            "render red --audio none --seconds 1 --out film.mp4 --force",
            "film.mp4 is a named pipe: give the name",
        ),
    ],
)
def test_a_command_says_what_it_is(folder: Path, words: str, fault: str) -> None:
    done = finished(*words.split(), timeout=60)
    assert done.returncode == 1
    assert fault in done.stderr
    assert "Traceback" not in done.stderr


def test_no_reader_opens_it(folder: Path) -> None:
    for read in (read_text, paths.check_file):
        with pytest.raises(OSError, match=r"^a\.csv is a named pipe, must be a file$"):
            read(Path("a.csv"))
    with pytest.raises(media.MediaError, match="it is a named pipe"):
        media.open_media(Path("a.wav"))
    with pytest.raises(isf.ISFError, match=r"^a\.fs is a named pipe, must be a file$"):
        isf.load(Path("a.fs"))
    assert "red2" not in Library(folder).names("presets")


def test_devices_and_sockets_are_named_too() -> None:
    assert paths.special(Path(os.devnull)) == "a device"
    assert paths.special(Path.cwd()) == paths.special(Path("nothing")) == ""
