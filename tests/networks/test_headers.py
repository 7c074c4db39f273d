"""Headers of foreign files are cached over processes, and read again when the file or the reader changes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from perform import paths
from perform.generators import load
from perform.networks import headercache
from perform.networks.families import code_digest
from tests.doubles.foreign import LUCID, state_of, torch_file
from tests.doubles.networks import drawn


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A training file with a description next to it, without a cached header."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / ".config.json").write_text(json.dumps({"lr_mlp": 0.25}))
    return torch_file(tmp_path / "model_1.pt", {"GAN": state_of(drawn(LUCID)), "version": "1.8"})


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that were read whole."""
    seen: list[Path] = []
    whole = load.load_weights

    def counted(path: Path) -> Any:
        seen.append(path)
        return whole(path)

    monkeypatch.setattr(load, "load_weights", counted)
    return seen


def forget() -> None:
    """What another process would not have in its memory: no call of the loader drops it."""
    load._load_header.cache_clear()


def anew(file: Path) -> Any:
    """The header as another process would find it."""
    forget()
    code_digest.cache_clear()
    return load.load_header(file)


def test_a_header_is_cached_for_the_next_process(file: Path, read: list[Path]) -> None:
    first, again = anew(file), anew(file)
    assert first == again
    assert first[0].rate == 0.25 and "lucidrains" in again[1]["source"]
    assert read == [file]
    assert len(list((paths.user_cache() / "headers").iterdir())) == 1


def test_a_changed_file_or_description_is_read_again(file: Path, read: list[Path]) -> None:
    anew(file)
    file.with_name(".config.json").write_text(json.dumps({"lr_mlp": 0.125, "more": 1}))
    assert anew(file)[0].rate == 0.125
    os.utime(file, (1, 1))
    anew(file)
    assert len(read) == 3
    assert len(list((paths.user_cache() / "headers").iterdir())) == 1


def test_a_changed_reader_reads_the_file_again(
    file: Path, read: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    anew(file)
    forget()
    monkeypatch.setattr(headercache, "code_digest", lambda: b"another")
    load.load_header(file)
    assert len(read) == 2


@pytest.mark.parametrize("content", ["", "[]", "{}", "nothing", '{"stamp": 1}'])
def test_a_damaged_cache_is_written_again(file: Path, read: list[Path], content: str) -> None:
    first = anew(file)
    (kept,) = (paths.user_cache() / "headers").iterdir()
    kept.write_text(content)
    assert anew(file) == first
    kept.write_text(kept.read_text().replace('"rate": 0.25', '"rate": NaN'))
    assert anew(file) == first
    assert len(read) == 3


def test_a_read_only_disk_does_no_harm(file: Path, tmp_path: Path, read: list[Path]) -> None:
    (tmp_path / "cache").write_text("no folder")
    assert anew(file) == anew(file)
    assert len(read) == 2
