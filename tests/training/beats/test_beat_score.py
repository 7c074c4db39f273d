"""Music composed at random: its beats are where its notes are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from perform.training.beats.grooves import GROOVES, MELODIC, STRENGTH, Groove
from perform.training.beats.score import Piece, compose, drift

SECONDS = 30.0


@pytest.mark.parametrize("groove", GROOVES, ids=lambda groove: groove.name)
def test_patterns_fill_a_bar_and_hold_known_marks(groove: Groove) -> None:
    for patterns in (*groove.drums.values(), *groove.parts.values()):
        for pattern in patterns:
            assert len(pattern) in (3 * groove.beats, 4 * groove.beats)
            assert set(pattern) <= {*STRENGTH, "."}
    assert all(set(pattern) != {"."} for patterns in groove.parts.values() for pattern in patterns)
    assert set(groove.parts) <= set(MELODIC) and not set(groove.drums) & set(MELODIC)


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


def places(piece: Piece, voice: str) -> set[float]:
    """Where in a beat a voice begins its notes, in eighths of a beat."""
    beats = np.append(piece.beats, 2 * piece.beats[-1] - piece.beats[-2])
    found = np.interp(
        [note.time for note in piece.notes if note.voice == voice], beats, np.arange(len(beats))
    )
    return set((np.round(found * 8) % 8).tolist())


def named(name: str) -> Groove:
    return next(groove for groove in GROOVES if groove.name == name)


def test_an_oom_pah_has_its_bass_on_the_beat_and_its_chords_between() -> None:
    typical = replace(named("oom-pah"), electronic=1.0, swing=0.0)  # nobody is early or late
    typical = replace(typical, parts={"bass": ("x...x...x...x...",), "chords": ("..x...x...x...x.",)})
    both = set[tuple[float, ...]]()
    for seed in range(30):
        piece = compose(np.random.default_rng(seed), SECONDS, typical)
        both.add((*sorted(places(piece, "bass")), -1, *sorted(places(piece, "chords"))))
    assert (0, -1, 4) in both


def test_a_part_that_avoids_the_beat_needs_one_that_plays_it() -> None:
    for seed in range(40):
        piece = compose(np.random.default_rng(seed), SECONDS, named("oom-pah"))
        bars = piece.beats[piece.downbeat > 0]
        chords = {int(np.searchsorted(bars, n.time + 0.05)) for n in piece.notes if n.voice == "chords"}
        bass = {int(np.searchsorted(bars, n.time + 0.05)) for n in piece.notes if n.voice == "bass"}
        assert places(piece, "chords") >= {0} or chords <= bass


def test_drums_alone_play_all_the_time() -> None:
    for seed in range(5):
        piece = compose(np.random.default_rng(seed), SECONDS, named("six eight alone"))
        assert not {note.voice for note in piece.notes} & set(MELODIC)
        kicks = np.array([note.time for note in piece.notes if note.voice == "kick"])
        assert np.diff(kicks).max() < 6 * np.diff(piece.beats).max()


def test_kicks_of_four_on_the_floor_fall_on_the_beats() -> None:
    for seed in range(3):
        piece = compose(np.random.default_rng(seed), SECONDS, named("trance"))
        kicks = np.array([note.time for note in piece.notes if note.voice == "kick" and note.strength > 0.5])
        assert np.abs(kicks[:, None] - piece.beats).min(axis=1).max() < 1e-6


def test_the_same_seed_is_the_same_piece() -> None:
    one, same, other = (compose(np.random.default_rng(seed), SECONDS) for seed in (3, 3, 4))
    assert one.notes == same.notes and np.array_equal(one.beats, same.beats)
    assert one.notes != other.notes


def test_what_drifts_has_notes_and_no_beats() -> None:
    piece = drift(np.random.default_rng(1), SECONDS)
    assert len(piece.notes) > 3 and len(piece.beats) == 0
