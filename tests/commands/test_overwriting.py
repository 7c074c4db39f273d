"""No command replaces a file of its user, unless --force is given."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from perform.networks.modelfiles import write_weights
from perform.paths import claimed
from tests.doubles.command import run
from tests.doubles.disks import largest_file
from tests.doubles.library import write_library
from tests.doubles.networks import WEIGHTS

MINE = b"my own work"
MODEL = "models/mine.safetensors"
WRITERS = [
    (["render", "tone.wav", "--scene", "red", "--out", "a.mp4"], "a.mp4"),
    (["loop", "mine", "--keys", "1,2", "--out", "a.mp4"], "a.mp4"),
    (["loop", "mine", "--keys", "1,2", "--sheet", "a.png"], "a.png"),
    (["loop", "mine", "--keys", "1,2", "--save", "a.toml"], "a.toml"),
    (["flora", "film", "a.mp4", "--seconds", "0.1", "--size", "32"], "a.mp4"),
    (["flora", "sheet", "a.png", "--columns", "1", "--rows", "1", "--size", "32"], "a.png"),
    (["flora", "directions", "a.safetensors"], "a.safetensors"),
    (["flora", "pictures", "drawn", "--count", "1", "--size", "32"], "drawn/latents.csv"),
    (["flora", "pictures", "drawn", "--count", "1", "--size", "32"], "drawn/000000.png"),
    (["models", "export", "mine", "a.safetensors"], "a.safetensors"),
    (["models", "sample", "mine", "--out", "a.npz"], "a.npz"),
    (["models", "sample", "mine", "--out", "drawn", "--seeds", "3"], "drawn/seed0003.png"),
    (["directions", "mine", "--count", "2", "--samples", "20", "--sheet", "a.png"], "a.png"),
    (["metrics", "mine", "pictures", "--samples", "16", "--sheet", "a.png"], "a.png"),
    (["dataset", "report", "pictures", "--out", "a.html"], "a.html"),
    (["train", "stretch", MODEL, "a.safetensors", "--size", "64x64"], "a.safetensors"),
    (["demonstrate", "red", "tide", "--from", "table.csv", "--save", "a.toml"], "a.toml"),
]
FORCED = [words for words, _ in WRITERS if words[0] in ("flora", "models", "directions", "dataset")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(write_library(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    (tmp_path / "models").mkdir()
    write_weights(tmp_path / MODEL, WEIGHTS)
    (tmp_path / "pictures").mkdir()
    shades = np.random.default_rng(0).integers(0, 255, (2, 32, 32, 3), np.uint8)
    for number, pixels in enumerate(shades):
        Image.fromarray(pixels).save(tmp_path / f"pictures/{number}.png")
    (tmp_path / "tone.wav").touch()
    return tmp_path


@pytest.mark.parametrize(("words", "name"), WRITERS, ids=str)
def test_a_file_that_is_there_stays(folder: Path, words: list[str], name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(MINE)
    before = sorted(folder.rglob("*"))
    said = run(*words, expect=1)
    assert f"{name} is there already" in said and "--force" in said
    assert (folder / name).read_bytes() == MINE
    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(("words", "name"), [one for one in WRITERS if one[0] in FORCED])
def test_force_replaces_it(folder: Path, words: list[str], name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(MINE)
    run(*words, "--force")
    assert (folder / name).read_bytes() != MINE


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (["render", "film.mp4", "--scene", "red", "--out", "film.mp4"], "film.mp4"),
        (["render", "film.mp4", "--scene", "red", "--out", "link.mp4"], "film.mp4"),
        (["render", "tone.wav", "--scene", "film.mp4", "--out", "./film.mp4"], "film.mp4"),
        (["models", "export", "mine", MODEL], MODEL),
        (["models", "sample", "mine", "--z", "a.npz", "--out", "a.npz"], "a.npz"),
        (["train", "stretch", MODEL, MODEL, "--size", "64x64"], MODEL),
    ],
    ids=str,
)
def test_a_file_that_is_read_is_never_replaced(folder: Path, words: list[str], name: str) -> None:
    np.savez(folder / "a.npz", z=np.zeros((1, WEIGHTS.config.space.z_dim), np.float32))
    (folder / "film.mp4").write_bytes(MINE)
    (folder / "link.mp4").symlink_to("film.mp4")
    before = (folder / name).read_bytes()
    assert "is what the command reads: give another name" in run(*words, "--force", expect=1)
    assert (folder / name).read_bytes() == before


def test_a_folder_is_no_name_of_a_film(folder: Path) -> None:
    (folder / "a.mp4").mkdir()
    said = run("render", "tone.wav", "--scene", "red", "--out", "a.mp4", "--force", expect=1)
    assert "a.mp4 is a folder: give the name of a file" in said
    said = run("render", "tone.wav", "--scene", "red", "--out", "tone.wav/a.mp4", expect=1)
    assert "tone.wav is a file, no folder: give another name" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["tone.wav"], "tone.wav: "),
        (["mine", "--out", "a.avi"], "a.avi: the name must end in .mp4, .mov, .mkv"),
        (["mine", "--save", "a.png"], "a.png, must be a .toml"),
    ],
)
def test_a_loop_that_cannot_be_made_writes_nothing(folder: Path, words: list[str], message: str) -> None:
    before = sorted(folder.rglob("*"))
    assert message in run("loop", *words, "--keys", "1,2", expect=1)
    assert sorted(folder.rglob("*")) == before


def test_a_preset_that_cannot_be_written_stays(folder: Path) -> None:
    run("loop", "mine", "--keys", "1,2", "--save", "real.toml")
    (folder / "a.toml").symlink_to("real.toml")
    before = (folder / "real.toml").read_bytes()
    with largest_file(10):
        said = run("loop", "a.toml", "--keys", "3,4", expect=1)
    assert "File too large" in said
    assert (folder / "real.toml").read_bytes() == before
    run("loop", "a.toml", "--keys", "3,4")
    assert (folder / "a.toml").is_symlink() and b"3, 4" in (folder / "real.toml").read_bytes()
    assert not [*folder.glob("*.part")]


def test_a_claimed_name_is_free_and_an_empty_file_goes(tmp_path: Path) -> None:
    wanted = tmp_path / "new/show.mkv"
    with claimed(wanted) as first:
        assert first == wanted and wanted.exists()
        with claimed(wanted) as second:
            second.write_bytes(b"x")
    assert [file.name for file in wanted.parent.iterdir()] == ["show-2.mkv"]
    with claimed(wanted) as again:
        assert again == wanted


def test_two_that_begin_at_once_have_two_names(tmp_path: Path) -> None:
    names: list[Path] = []
    together = threading.Barrier(8)

    def claim() -> None:
        together.wait()
        with claimed(tmp_path / "show.mp4") as name:
            name.write_bytes(b"x")
            names.append(name)

    threads = [threading.Thread(target=claim) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*names}) == 8
