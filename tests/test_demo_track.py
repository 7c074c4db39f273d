"""The demo track: the shipped file is what the script plays, and the sound has the beats of the score."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

ROOT = Path(__file__).parents[1]
SCORE = "a84eed75db11c9b3"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    sys.path.insert(0, str(ROOT / "scripts"))
    try:
        return importlib.import_module("demo_track")
    finally:
        sys.path.pop(0)


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return dict(json.loads((ROOT / "demo" / "track.json").read_text()))


@pytest.fixture(scope="module")
def track() -> NDArray[np.float32]:
    """The shipped file, decoded: [2, n] at 48 kHz."""
    import av

    with av.open(str(ROOT / "demo" / "track.opus")) as container:
        blocks = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(blocks, axis=1).astype(np.float32)


def flux(track: NDArray[np.float32], low: float, high: float) -> NDArray[np.float64]:
    """The rise in decibels of the energy between two frequencies, per 5 ms."""
    hop, size = 240, 960
    frames = np.lib.stride_tricks.sliding_window_view(track.mean(axis=0), size)[::hop]
    spectrum = np.abs(np.fft.rfft(frames * np.hanning(size), axis=1)) ** 2
    band = slice(round(low * size / 48_000), round(high * size / 48_000))
    return np.diff(10 * np.log10(spectrum[:, band].sum(axis=1) + 1e-4))


def rises(curve: NDArray[np.float64], seconds: list[float]) -> NDArray[np.float64]:
    """The largest rise within 25 ms of each moment; the window's centre is 10 ms after its start."""
    at = np.round((np.array(seconds) - 0.01) / 0.005).astype(int)
    return np.array([curve[max(0, i - 4) : i + 6].max() for i in at])


def test_the_shipped_beat_times_equal_the_score(script: ModuleType, truth: dict[str, Any]) -> None:
    assert truth == script.truth()


def test_the_score_is_the_same_on_every_machine(script: ModuleType) -> None:
    text = json.dumps(script.truth()["onsets"], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == SCORE


def test_a_sound_is_the_same_twice(script: ModuleType) -> None:
    sounds = script.sounds
    once = sounds.pad(57, 0.5, 3).tobytes() + sounds.riser(0.5).tobytes() + sounds.clap().tobytes()
    sounds.clap.cache_clear()
    assert once == sounds.pad(57, 0.5, 3).tobytes() + sounds.riser(0.5).tobytes() + sounds.clap().tobytes()


def test_beats_and_bars_are_on_the_grid_of_the_tempo(truth: dict[str, Any]) -> None:
    assert (truth["bpm"], len(truth["beats"]), len(truth["downbeats"])) == (122, 128, 32)
    assert truth["downbeats"] == truth["beats"][::4]
    assert truth["beats"] == pytest.approx([60 / 122 * i for i in range(128)], abs=1e-6)
    assert [s["end"] for s in truth["sections"]][:-1] == [s["start"] for s in truth["sections"]][1:]


def test_the_file_is_exactly_one_loop_long(track: NDArray[np.float32], truth: dict[str, Any]) -> None:
    assert track.shape == (2, round(truth["seconds"] * 48_000))
    assert truth["seconds"] == pytest.approx(128 * 60 / 122, abs=1e-4)


def test_every_kick_sounds_where_the_score_has_it(track: NDArray[np.float32], truth: dict[str, Any]) -> None:
    kicks = truth["onsets"]["kick"]
    between = [
        seconds + 0.31 for seconds in kicks
    ]  # a little before the third sixteenth: nothing plays there
    for low, high, louder in ((50, 200, 5), (2000, 9000, 4)):  # the drum, and the click of its pedal
        curve = flux(track, low, high)
        heard, elsewhere = rises(curve, kicks), rises(curve, between)
        assert np.median(heard) > np.median(elsewhere) + louder
        assert np.mean(heard > np.quantile(elsewhere, 0.75)) > 0.95


def test_the_rest_has_no_drums(truth: dict[str, Any]) -> None:
    rest = next(section for section in truth["sections"] if section["name"] == "rest")
    for name in ("clap", "hat", "shaker", "conga", "rim"):
        assert not [s for s in truth["onsets"][name] if rest["start"] <= s < rest["end"]]
    assert [s for s in truth["onsets"]["kick"] if rest["start"] <= s < rest["end"]] == [rest["start"]]


def test_the_track_is_loud_but_not_clipped(track: NDArray[np.float32]) -> None:
    assert -2 < 20 * np.log10(np.abs(track).max()) < -0.3
    assert -14 < 10 * np.log10(np.mean(track**2)) < -9


def test_the_loop_closes_without_a_click(track: NDArray[np.float32]) -> None:
    around = np.concatenate([track[:, -4800:], track[:, :4800]], axis=1)
    steps = np.abs(np.diff(around, axis=1)).max(axis=0)
    assert steps[4799] < np.percentile(steps, 99)


def test_the_sections_rise_and_fall(track: NDArray[np.float32], truth: dict[str, Any]) -> None:
    def level(name: str) -> float:
        section = next(section for section in truth["sections"] if section["name"] == name)
        part = track[:, round(section["start"] * 48_000) : round(section["end"] * 48_000)]
        return float(10 * np.log10(np.mean(part**2)))

    assert level("intro") + 6 < level("groove") < level("peak")
    assert level("rest") + 3 < level("peak again")
    assert level("outro") < level("peak again") - 2
