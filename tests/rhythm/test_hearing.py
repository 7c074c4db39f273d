"""The weights of the beat tracker's network: those of the user, those that are shipped, and broken ones."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from perform import paths
from perform.rhythm.hearing import INPUTS, BeatHearing, best_weights, own_weights, read_weights
from perform.rhythm.resonators import ResonatorTracker
from perform.rhythm.tracker import BeatTracker, open_tracker

SHIPPED = paths.shipped() / "learned" / "beats.safetensors"


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    best_weights.cache_clear()
    file = own_weights()
    file.parent.mkdir(parents=True)
    return file


@pytest.fixture(autouse=True)
def _fresh() -> None:
    best_weights.cache_clear()


def test_the_shipped_network_is_small_and_hears() -> None:
    weights = read_weights(SHIPPED)
    assert sum(one.size for one in weights.values()) <= 300_000
    activations = BeatHearing(weights).hear(np.zeros(INPUTS, np.float32))
    assert activations.shape == (2,) and np.all((activations >= 0) & (activations <= 1))


def test_ones_own_network_is_taken(own: Path) -> None:
    weights = dict(read_weights(SHIPPED))
    weights["exit.bias"] = np.array([1.5, -2.5], np.float32)
    save_file(weights, own)
    assert np.array_equal(best_weights()["exit.bias"], weights["exit.bias"])
    assert isinstance(open_tracker(), BeatTracker)


@pytest.mark.parametrize("content", [b"", b"\x08\0\0\0\0\0\0\0{}      ", b"PK\3\4 no weights"])
def test_a_broken_file_leaves_the_tracker_that_learned_nothing(
    own: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    own.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert isinstance(open_tracker(), ResonatorTracker)
    assert str(own) in caplog.text


@pytest.mark.parametrize(
    ("name", "wrong"), [("exit.bias", np.zeros(3)), ("entry.weight", np.full((64, 92), np.nan))]
)
def test_wrong_weights_are_named(own: Path, name: str, wrong: np.ndarray) -> None:
    save_file({**read_weights(SHIPPED), name: wrong.astype(np.float32)}, own)
    with pytest.raises(ValueError, match=f"{own}: {name} has the shape"):
        read_weights(own)
