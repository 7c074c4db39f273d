"""Shows of footage: a library with a film, a still and a camera, and its scenes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from perform.footage.opening import Opener
from tests.doubles.footage_shows import CAMERA, FILM, OVER, STILL, FootageShow
from tests.doubles.library import save, write_library
from tests.doubles.reels import write_film


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The library, with a film of 50 frames, a still of two halves, and scenes of these."""
    write_library(tmp_path)
    (tmp_path / "footage").mkdir()
    write_film(tmp_path / "footage/film.mp4", 50)
    halves = Image.new("RGBA", (64, 48), (0, 255, 0, 255))
    halves.paste((0, 0, 0, 0), (0, 0, 32, 48))
    halves.save(tmp_path / "footage/still.png")
    save(tmp_path / "shaders/filters/over.fs", OVER)
    for name, text in (("film", FILM), ("still", STILL), ("camera", CAMERA)):
        save(tmp_path / f"presets/{name}.toml", text)
    return tmp_path


@pytest.fixture
def play(folder: Path) -> Iterator[Callable[..., FootageShow]]:
    shows: list[FootageShow] = []

    def played(name: str, text: str = "", footage: Opener | None = None) -> FootageShow:
        if text:
            save(folder / f"presets/{name}.toml", text)
        shows.append(FootageShow(folder, name, footage))
        return shows[-1]

    yield played
    for show in shows:
        show.rig.close()
        assert show.faults == []
