"""Making datasets: order, resuming, sums, faults of the disk."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from perform.training.dataset import Dataset, DatasetError
from perform.training.dataset.making import make
from perform.training.dataset.settings import DatasetSettings
from perform.training.dataset.sources import PictureFolder, RenderedPictures
from tests.doubles.drawings import drawing, latents

SMALL = DatasetSettings((32, 32), duplicates=3)
# Ends itself, as a power cut would, when the nth file is about to be made sure of.
KILLED = """
import os, signal, sys
from pathlib import Path
from perform.training.dataset import shards
from perform.training.dataset.making import make
from perform.training.dataset.settings import DatasetSettings
from perform.training.dataset.sources import PictureFolder
shards.PICTURES = 5
left, sync = int(sys.argv[3]), os.fsync
def fsync(file):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    sync(file)
os.fsync = fsync
make(PictureFolder(Path(sys.argv[1])), DatasetSettings((32, 32), duplicates=3), Path(sys.argv[2]))
"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Seventeen pictures: one twice, one damaged, one no picture at all."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for number in range(14):
        drawing(number, 70 + number, 60).save(folder / ("more" if number % 3 else ".") / f"{number:02d}.png")
    drawing(6, 200, 160).save(folder / "again.jpg")
    (folder / "damaged.png").write_bytes((folder / "00.png").read_bytes()[:500])
    (folder / "notes.txt").write_text("no picture")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


@pytest.fixture
def unbroken(photos: Path, tmp_path: Path, small_shards: None) -> dict[str, bytes]:
    make(PictureFolder(photos), SMALL, tmp_path / "unbroken")
    return contents(tmp_path / "unbroken")


def test_every_picture_is_kept_or_listed(photos: Path, unbroken: dict[str, bytes], tmp_path: Path) -> None:
    pictures = Dataset.open(tmp_path / "unbroken")
    assert pictures.manifest
    counts = pictures.manifest.counts
    assert counts.seen == len([path for path in photos.rglob("*") if path.is_file()]) == 17
    assert dict(counts.dropped) == {"foreign": 1, "corrupt": 1, "duplicate": 1}
    assert counts.kept == len(pictures) == 14
    rows = list(csv.DictReader(unbroken["dropped.csv"].decode().splitlines()))
    kept = {pictures.name(number) for number in range(14)}
    assert kept | {row["name"] for row in rows} == {
        path.relative_to(photos).as_posix() for path in photos.rglob("*.*")
    }
    assert [row["reason"] for row in rows] == ["duplicate", "corrupt", "foreign"]
    assert "of 06.png" in rows[0]["detail"]
    assert sorted(unbroken) == ["dataset.json", "dropped.csv", *(f"shards/{n:06d}.tar" for n in range(3))]


def test_a_dataset_is_the_same_after_repeated_kills(
    photos: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    # at: recipe, shard 0, shard 1, what became of shard 1, shard 2, dropped.csv, dataset.json
    for moment in (1, 2, 3, 2, 3, 3, 2):
        done = subprocess.run([sys.executable, "-c", KILLED, str(photos), str(out), str(moment)])
        assert done.returncode == -signal.SIGKILL
        with pytest.raises(DatasetError, match="not finished"):
            Dataset.open(out)
    subprocess.run([sys.executable, "-c", KILLED, str(photos), str(out), "99"], check=True)
    assert contents(out) == unbroken


def test_finished_shards_are_not_written_again(photos: Path, small_shards: None, tmp_path: Path) -> None:
    out = tmp_path / "out"

    class StopError(Exception):
        pass

    def stop(seen: int, kept: int) -> None:
        if seen == 12:
            raise StopError

    with pytest.raises(StopError):
        make(PictureFolder(photos), SMALL, out, watch=stop)
    before = (out / "shards/000000.tar").stat()
    seen = []
    make(PictureFolder(photos), SMALL, out, watch=lambda count, kept: seen.append(count))
    after = (out / "shards/000000.tar").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)
    assert seen[0] > 5  # the first shard's pictures are not read again


def test_a_removed_shard_is_written_again(photos: Path, unbroken: dict[str, bytes], tmp_path: Path) -> None:
    out = tmp_path / "out"

    def stop(seen: int, kept: int) -> None:
        if seen == 14:
            (out / "shards/000000.tar").unlink()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(PictureFolder(photos), SMALL, out, watch=stop)
    make(PictureFolder(photos), SMALL, out)
    assert contents(out) == unbroken


def test_several_processes_write_the_same_bytes(
    photos: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    make(PictureFolder(photos), SMALL, tmp_path / "crew", workers=2)
    assert contents(tmp_path / "crew") == unbroken


def test_the_same_command_changes_nothing(photos: Path, unbroken: dict[str, bytes], tmp_path: Path) -> None:
    make(PictureFolder(photos), SMALL, tmp_path / "unbroken")
    assert contents(tmp_path / "unbroken") == unbroken


@pytest.mark.parametrize("finished", [True, False])
def test_other_settings_are_rejected(
    photos: Path, small_shards: None, tmp_path: Path, finished: bool
) -> None:
    out = tmp_path / "out"
    if finished:
        make(PictureFolder(photos), SMALL, out)
    else:
        with pytest.raises(ZeroDivisionError):
            make(PictureFolder(photos), SMALL, out, watch=lambda seen, kept: 1 // 0)  # type: ignore[arg-type]
    before = contents(out)
    with pytest.raises(DatasetError, match="out was made with size = 32x32, not 64x64: give another folder"):
        make(PictureFolder(photos), DatasetSettings((64, 64), duplicates=3), out)
    drawing(50).save(photos / "new.png")
    with pytest.raises(DatasetError, match="out was made from other contents of photos"):
        make(PictureFolder(photos), SMALL, out)
    assert contents(out) == before


def test_a_folder_with_other_files_is_not_touched(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/thesis.tex").write_text("years of work")
    with pytest.raises(DatasetError, match="out is not empty and holds no dataset"):
        make(PictureFolder(photos), SMALL, tmp_path / "out")
    assert contents(tmp_path / "out") == {"thesis.tex": b"years of work"}


def test_two_programs_cannot_write_one_folder(photos: Path, tmp_path: Path) -> None:
    refusals = []

    def second(seen: int, kept: int) -> None:
        with pytest.raises(DatasetError, match="another perform dataset is writing there") as refusal:
            make(PictureFolder(photos), SMALL, tmp_path / "out")
        refusals.append(refusal)

    make(PictureFolder(photos), SMALL, tmp_path / "out", watch=second)
    assert refusals


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_gives_a_clear_error_and_keeps_the_shards(
    photos: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    (out / "shards").mkdir(parents=True)
    (out / "making").mkdir()
    (out / "making/lock").touch()
    (out / "shards/000001.tar.part").symlink_to("/dev/full")  # what is written there meets a full disk
    with pytest.raises(DatasetError, match="out: the disk is full; finished pictures are kept"):
        make(PictureFolder(photos), SMALL, out)
    assert (out / "shards/000000.tar").read_bytes() == unbroken["shards/000000.tar"]
    assert not (out / "shards/000001.tar.part").exists()
    make(PictureFolder(photos), SMALL, out)
    assert contents(out) == unbroken


@pytest.mark.skipif(os.geteuid() == 0, reason="everything is allowed to root")
def test_a_read_only_folder_is_reported(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(DatasetError, match="out"):
        make(PictureFolder(photos), SMALL, tmp_path / "out")


def test_a_limit_reports_how_many_pictures_were_skipped(
    photos: Path, small_shards: None, tmp_path: Path
) -> None:
    made = make(PictureFolder(photos), DatasetSettings((32, 32), limit=6), tmp_path / "out")
    assert (made.counts.kept, made.counts.seen + (made.counts.rest or 0)) == (6, 17)
    assert made.counts.rest == 11


def test_a_dataset_without_pictures_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.txt").write_text("no picture")
    with pytest.raises(DatasetError, match=r"no picture could be kept \(1 foreign\)"):
        make(PictureFolder(tmp_path / "in"), SMALL, tmp_path / "out")
    assert (tmp_path / "out/dropped.csv").read_text().splitlines()[1] == "a.txt,foreign,"


def test_a_dataset_of_which_nothing_was_made_begins_again_with_other_settings(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    Image.new("RGB", (40, 40), (200, 0, 0)).save(tmp_path / "in/a.png")
    folder, large = PictureFolder(tmp_path / "in"), DatasetSettings((256, 256))
    with pytest.raises(DatasetError, match=r"\(1 small\); see .*dropped\.csv; --smallest 1 keeps small ones"):
        make(folder, large, tmp_path / "out")
    made = make(folder, replace(large, smallest=1), tmp_path / "out")
    assert (made.counts.kept, made.counts.dropped) == (1, {})
    assert (tmp_path / "out/dropped.csv").read_text() == "name,reason,detail\n"


def test_a_killed_worker_gives_a_clear_error(tmp_path: Path) -> None:
    source = RenderedPictures("stand-in", latents(3, 3), suicide, 0)
    with pytest.raises(DatasetError, match="a worker was killed"):
        make(source, SMALL, tmp_path / "out", workers=2)


def suicide(z: object, size: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_damaged_notes_of_an_unfinished_dataset_are_handled(
    photos: Path, unbroken: dict[str, bytes], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    with pytest.raises(ZeroDivisionError):
        make(PictureFolder(photos), SMALL, out, watch=lambda seen, kept: 1 // (13 - seen))  # type: ignore[arg-type]
    (out / "making/000001.json").write_text('{"items": 3, "kept": [[]]}')
    recipe = (out / "making/recipe.json").read_text()
    (out / "making/recipe.json").write_text("{")
    with pytest.raises(DatasetError, match=r"recipe\.json is damaged: remove .*out and begin again"):
        make(PictureFolder(photos), SMALL, out)
    (out / "making/recipe.json").write_text(recipe)
    make(PictureFolder(photos), SMALL, out)
    assert contents(out) == unbroken
