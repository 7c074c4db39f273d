"""Music composed at random: its beats are where its notes are."""

from __future__ import annotations

import numpy as np
import pytest

from perform.training.beats.grooves import GROOVES, STRENGTH, Groove
from perform.training.beats.score import compose, drift

SECONDS = 30.0


@pytest.mark.parametrize("groove", GROOVES, ids=lambda groove: groove.name)
def test_patterns_fill_a_bar_and_hold_known_marks(groove: Groove) -> None:
    for patterns in groove.drums.values():
        for pattern in patterns:
            assert len(pattern) in (3 * groove.beats, 4 * groove.beats)
            assert set(pattern) <= {*STRENGTH, "."}


@pytest.mark.parametrize("seed", range(40))
def test_a_piece_has_even_beats_and_downbeats_in_bars(seed: int) -> None:
    piece = compose(np.random.default_rng(seed), SECONDS)
    groove = next(one for one in GROOVES if one.name == piece.groove)
    steps = np.diff(piece.beats)
    low, high = groove.tempi
    assert 60 / high * 0.7 < steps.min() and steps.max() < 60 / low * 1.4
    assert piece.beats[-1] < SECONDS
    firsts = np.flatnonzero(piece.downbeat)
    assert firsts[0] == 0 and set(np.diff(firsts)) == {groove.beats}
    assert all(0 <= note.time < SECONDS and 0 < note.strength <= 1 for note in piece.notes)


def test_kicks_of_four_on_the_floor_fall_on_the_beats() -> None:
    trance = next(groove for groove in GROOVES if groove.name == "trance")
    for seed in range(3):
        piece = compose(np.random.default_rng(seed), SECONDS, trance)
        kicks = np.array([note.time for note in piece.notes if note.voice == "kick" and note.strength > 0.5])
        assert np.abs(kicks[:, None] - piece.beats).min(axis=1).max() < 1e-6


def test_the_same_seed_is_the_same_piece() -> None:
    one, same, other = (compose(np.random.default_rng(seed), SECONDS) for seed in (3, 3, 4))
    assert one.notes == same.notes and np.array_equal(one.beats, same.beats)
    assert one.notes != other.notes


def test_what_drifts_has_notes_and_no_beats() -> None:
    piece = drift(np.random.default_rng(1), SECONDS)
    assert len(piece.notes) > 3 and len(piece.beats) == 0
