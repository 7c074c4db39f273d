"""The folders of a checkout, of a wheel, and of each platform."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from perform import paths
from tests.doubles.disks import largest_file

ROOT = Path(__file__).resolve().parent.parent
HOME = {"HOME": "/home/ada"}


def test_a_checkout_has_its_folders_next_to_the_package() -> None:
    assert paths.shipped() == ROOT
    assert paths.demo() == ROOT / "demo"


def test_a_wheel_has_them_inside_the_package(tmp_path: Path) -> None:
    (tmp_path / "perform" / "data").mkdir(parents=True)
    assert paths.shipped(tmp_path / "perform") == tmp_path / "perform" / "data"


@pytest.mark.parametrize(
    ("platform", "environ", "data", "cache"),
    [
        ("linux", HOME, "/home/ada/.local/share/perform", "/home/ada/.cache/perform"),
        ("linux", HOME | {"XDG_DATA_HOME": "/d", "XDG_CACHE_HOME": "/c"}, "/d/perform", "/c/perform"),
        (
            "linux",
            HOME | {"XDG_DATA_HOME": "here"},
            "/home/ada/.local/share/perform",
            "/home/ada/.cache/perform",
        ),
        (
            "darwin",
            HOME,
            "/home/ada/Library/Application Support/perform",
            "/home/ada/Library/Caches/perform",
        ),
        ("win32", {"LOCALAPPDATA": "/L"}, "/L/perform", "/L/perform/cache"),
        (
            "win32",
            {"USERPROFILE": "/U"},
            "/U/AppData/Local/perform",
            "/U/AppData/Local/perform/cache",
        ),
    ],
)
def test_the_user_folders_follow_the_environment(
    platform: str, environ: dict[str, str], data: str, cache: str
) -> None:
    assert paths.user_data(platform, environ) == Path(data)
    assert paths.user_cache(platform, environ) == Path(cache)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of a copy of the sources, built by hatchling without a network."""
    copy = tmp_path_factory.mktemp("wheel")
    for name in ("perform", "shaders", "presets", "setlists", "demo", "fonts"):
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        (copy / name).mkdir(exist_ok=True)
        (copy / name / "marker.txt").write_text(name)
    for name in ("pyproject.toml", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    (copy / "README.md").write_text("a wheel to look into\n")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "dist"]
    subprocess.run(command, cwd=copy, check=True, capture_output=True)
    (built,) = (copy / "dist").glob("*.whl")
    return built


def test_the_wheel_contains_all_shipped_files(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder in ("shaders", "presets", "setlists", "demo", "fonts"):
        assert f"perform/data/{folder}/marker.txt" in names
        here = (ROOT / folder).rglob("*") if (ROOT / folder).is_dir() else []
        shipped = [path.relative_to(ROOT).as_posix() for path in here if path.is_file()]
        assert not {f"perform/data/{name}" for name in shipped if "__pycache__" not in name} - names


def test_an_unpacked_wheel_finds_its_folders(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    code = "from perform import paths; print((paths.demo() / 'marker.txt').read_text())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True, text=True
    )
    assert done.stdout == "demo\n"


def test_a_file_is_found_in_either_form_of_its_accents_and_any_case_of_its_suffix(tmp_path: Path) -> None:
    composed, decomposed = "Grüße", "Gru\u0308ße"
    folder = tmp_path / f"{decomposed}"
    folder.mkdir()
    file = folder / f"{composed}.FS"
    file.touch()
    (folder / "other.toml").touch()
    for name in (f"{composed}.FS", f"{decomposed}.fs", f"{composed}.Fs"):
        for parent in (composed, decomposed):
            assert paths.found(tmp_path / parent / name) in (file, tmp_path / parent / f"{composed}.FS")
    assert paths.found(folder / "grüße.fs") is None  # capitals of the name itself do matter
    assert paths.found(tmp_path / "none" / "a.fs") is None
    assert paths.found(folder) is None
    assert paths.beside(folder / "other.toml", ".FS") == folder / "other.FS"
    assert paths.files(folder, ".fs") == [file]
    assert paths.files(folder, ".fs", ".toml") == [file, folder / "other.toml"]
    assert paths.files(tmp_path / "none", ".fs") == []


def test_a_file_is_written_where_files_have_no_modes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unsupported(*_: object, **_more: object) -> None:
        raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP))

    monkeypatch.setattr(os, "chmod", unsupported)
    with paths.whole_file(tmp_path / "a.toml") as part:
        part.write_text("whole")
    assert (tmp_path / "a.toml").read_text() == "whole"


def test_the_file_of_exactly_this_name_comes_first(tmp_path: Path) -> None:
    for name in ("a.fs", "a.FS", "ü.fs", "u\u0308.fs"):
        (tmp_path / name).touch()
    for name in ("a.fs", "a.FS", "ü.fs", "u\u0308.fs"):
        assert paths.found(tmp_path / name) == tmp_path / name


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are of POSIX")
def test_a_file_that_cannot_be_written_is_named_and_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    file.write_bytes(b"old")
    with largest_file(100), pytest.raises(OSError, match=r"/a\.png cannot be written: File too large$"):
        paths.write_whole(file, bytes(200))
    assert [one.name for one in tmp_path.iterdir()] == ["a.png"]
    assert file.read_bytes() == b"old"
    with pytest.raises(
        FileNotFoundError, match=r"/none/a\.png cannot be written: No such file or directory$"
    ):
        paths.write_whole(tmp_path / "none/a.png", b"new")


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes and links are of POSIX")
def test_what_is_no_file_is_never_replaced(tmp_path: Path) -> None:
    pipe, link, loop = (tmp_path / name for name in ("pipe.toml", "link.toml", "loop.toml"))
    os.mkfifo(pipe)
    link.symlink_to(pipe)
    loop.symlink_to(loop)
    for file, kind in ((pipe, "a named pipe"), (link, "a named pipe"), (loop, "a link to itself")):
        with pytest.raises(OSError, match=f"{file.name} is {kind}, must be a file$"):
            paths.write_whole(file, b"new")
    assert pipe.is_fifo() and link.is_symlink() and loop.is_symlink()
    assert len(list(tmp_path.iterdir())) == 3
