"""Compiled networks on disk: found again, and compiled again when they have changed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from perform import paths
from perform.networks.bending import Bend
from perform.networks.runtimes.openvino import cache, runtime
from perform.networks.runtimes.openvino.runtime import OpenVino
from tests.doubles.networks import WEIGHTS, WS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return paths.user_cache() / "compiled"


def test_the_second_opening_compiles_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bends = [Bend("feedback", "b8.conv1"), Bend("rotate", "b16.conv1")]
    first = OpenVino(WEIGHTS, threads=1, bends=bends)
    assert len(list(folder.iterdir())) == 1
    monkeypatch.setattr(runtime, "compile_graphs", None)
    second = OpenVino(WEIGHTS, threads=1, bends=bends)
    assert (first.precision, first.exact) == (second.precision, second.exact)
    for _ in range(3):
        assert np.array_equal(first.synthesise(WS), second.synthesise(WS))


def test_another_form_gets_another_cache_file(folder: Path) -> None:
    OpenVino(WEIGHTS, "float32", 1)
    OpenVino(WEIGHTS, "float32", 1, [Bend("blur", "b8.conv1")])
    other = {**WEIGHTS.arrays, "synthesis.b8.conv1.bias": WEIGHTS.arrays["synthesis.b8.conv1.bias"] + 1}
    OpenVino(replace(WEIGHTS, arrays=other), "float32", 1)
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("at", [0, 7, 100, -40, -1])
def test_a_damaged_file_is_compiled_again(folder: Path, at: int, caplog: pytest.LogCaptureFixture) -> None:
    picture = OpenVino(WEIGHTS, "float32", 1).synthesise(WS)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    broken = bytearray(whole)
    broken[at] ^= 1
    for damage in (bytes(broken), whole[:at], b""):
        file.write_bytes(damage)
        assert np.array_equal(OpenVino(WEIGHTS, "float32", 1).synthesise(WS), picture)
        assert cache.load_compiled(file.stem) is not None
    assert caplog.text.count("a compiled network was damaged and is made again") == 3


def test_a_foreign_file_is_compiled_again(folder: Path) -> None:
    OpenVino(WEIGHTS, "float32", 1)
    (file,) = folder.iterdir()
    cache.save_compiled(file.stem, {"precision": "float32", "reason": "", "exact": 0}, [b"not a network"])
    assert OpenVino(WEIGHTS, "float32", 1).synthesise(WS).std() > 5


def test_a_read_only_disk_does_no_harm(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    assert OpenVino(WEIGHTS, "float32", 1).synthesise(WS).std() > 5
    assert "could not be kept" in caplog.text


def test_the_cache_folder_stays_within_its_limit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "MOST_CACHE_BYTES", 2500)
    for name in "abc":
        cache.save_compiled(name, {}, [bytes(1000)])
    assert len(list(folder.glob("*.bin"))) == 2
    assert cache.load_compiled("c") == ({}, [bytes(1000)])
