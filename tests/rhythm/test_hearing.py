"""The weights of the beat tracker's network: those of the user, those that are shipped, and broken ones."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from perform import paths
from perform.rhythm.hearing import INPUTS, BeatHearing, own_weights, read_weights, weight_files
from perform.rhythm.resonators import ResonatorTracker
from perform.rhythm.tracker import BeatTracker, open_tracker

SHIPPED = paths.shipped() / "learned" / "beats.safetensors"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    file = own_weights()
    file.parent.mkdir(parents=True)
    return file


def activations_of(tracker: BeatTracker | ResonatorTracker) -> list[float]:
    assert isinstance(tracker, BeatTracker)
    hearing = tracker._hearing
    return [float(one) for _ in range(3) for one in hearing.hear(np.ones(INPUTS, np.float32))]


def test_the_shipped_network_is_small_and_hears() -> None:
    weights = read_weights(SHIPPED)
    assert sum(one.size for one in weights.values()) <= 300_000
    activations = BeatHearing(weights).hear(np.zeros(INPUTS, np.float32))
    assert activations.shape == (2,) and np.all((activations >= 0) & (activations <= 1))


def test_ones_own_network_is_taken(own: Path) -> None:
    weights = dict(read_weights(SHIPPED))
    weights["exit.bias"] = np.array([1.5, -2.5], np.float32)
    save_file(weights, own)
    assert weight_files() == [own, SHIPPED]
    assert activations_of(open_tracker()) == activations_of(BeatTracker(weights))
    assert activations_of(open_tracker()) != activations_of(BeatTracker(read_weights(SHIPPED)))


@pytest.mark.skipif(sys.platform == "win32", reason="named pipes and links are of POSIX")
@pytest.mark.parametrize("kind", ["folder", "pipe", "link"])
def test_what_is_no_file_is_named_and_the_weights_of_the_program_play(
    kind: str, own: Path, caplog: pytest.LogCaptureFixture
) -> None:
    own.unlink(missing_ok=True)
    make = {"folder": own.mkdir, "pipe": lambda: os.mkfifo(own), "link": lambda: own.symlink_to("nothing")}
    make[kind]()
    assert activations_of(open_tracker()) == activations_of(BeatTracker(read_weights(SHIPPED)))
    assert [str(own) in one for one in caplog.messages] == [True]


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}      ", b"PK\3\4 no weights"])
def test_a_broken_file_of_ones_own_leaves_the_shipped_network(
    own: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    own.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert activations_of(open_tracker()) == activations_of(BeatTracker(read_weights(SHIPPED)))
    assert str(own) in caplog.text


def test_without_any_weights_the_tracker_that_learned_nothing_plays(
    own: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    own.write_bytes(b"broken")
    monkeypatch.setattr(paths, "shipped", lambda: own.parent / "nowhere")
    with caplog.at_level(logging.WARNING):
        assert isinstance(open_tracker(), ResonatorTracker)
    assert str(own) in caplog.text and "nowhere" in caplog.text


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("exit.bias", np.zeros(3), r"has the shape \(3,\), must be \(2,\)"),
        ("exit.weight", np.zeros(5), r"has the shape \(5,\), must be \(2, 0\)"),
        ("exit.weight", np.zeros(()), r"has the shape \(\), must be \(2, 0\)"),
        ("entry.weight", np.full((64, 92), np.nan), r"must have numbers within -1e\+06\.\.1e\+06"),
        ("exit.bias", np.array([0.0, 1e30]), r"must have numbers within -1e\+06\.\.1e\+06"),
    ],
)
def test_wrong_weights_are_named(own: Path, name: str, wrong: np.ndarray, message: str) -> None:
    save_file({**read_weights(SHIPPED), name: wrong.astype(np.float32)}, own)
    with pytest.raises(ValueError, match=f"{own}: {name} {message}"):
        read_weights(own)


def test_missing_weights_are_named(own: Path) -> None:
    save_file({name: one for name, one in read_weights(SHIPPED).items() if name != "entry.bias"}, own)
    with pytest.raises(ValueError, match=rf"{own}: entry\.bias is missing, must be \(64,\)"):
        read_weights(own)


def test_numbers_that_numpy_lacks_are_refused(own: Path) -> None:
    content = np.zeros(3, np.uint16).tobytes()
    header = b'{"exit.bias":{"dtype":"BF16","shape":[3],"data_offsets":[0,6]}}'
    own.write_bytes(len(header).to_bytes(8, "little") + header + content)
    with pytest.raises(ValueError, match=f"{own}: is not readable as safetensors"):
        read_weights(own)
