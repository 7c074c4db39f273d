"""The beat tracker on made sounds. docs/beat-tracking.md has all its figures; these are its guarantees."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from perform.rhythm.beat import CONFIDENT, Beat
from perform.rhythm.features import FeatureExtractor
from perform.rhythm.tracker import open_tracker
from tests.doubles import stimuli
from tests.doubles.stimuli import RATE, Sound, Stimulus, Times, track

# Made, and mir_eval imported, by the tests: it takes seconds, and not every process runs these.
CLEAN: dict[str, tuple[Callable[[float], Stimulus], float]] = {
    **{f"clicks {bpm}": (stimuli.clicks, bpm) for bpm in (60, 120, 180)},
    **{f"four on the floor {bpm}": (stimuli.four, bpm) for bpm in (75, 105, 174)},
    **{f"off-beat hats {bpm}": (stimuli.hats, bpm) for bpm in (90, 120, 128, 150, 180)},
    **{f"rock {bpm}": (stimuli.rock, bpm) for bpm in (90, 174)},
    "swing 140": (stimuli.swing, 140),
}


def times(beats: list[Beat]) -> Times:
    return np.array([beat.time for beat in beats])


ENOUGH = 20.0  # seconds that a steady sound is heard
HEARD: dict[str, list[Beat]] = {}  # by the name of the stimulus: several tests hear the same


def heard(stimulus: Stimulus) -> list[Beat]:
    if stimulus.name not in HEARD:
        HEARD[stimulus.name] = track(stimulus.sound[: round(ENOUGH * RATE)], RATE)
    return HEARD[stimulus.name]


@cache
def hats() -> tuple[Stimulus, list[Beat]]:
    stimulus = stimuli.hats(120)
    return stimulus, heard(stimulus)


@pytest.mark.parametrize("name", CLEAN)
def test_a_clean_beat_is_found_and_kept(name: str) -> None:
    import mir_eval

    make, bpm = CLEAN[name]
    stimulus = make(bpm)
    beats, true = heard(stimulus), stimulus.beats[stimulus.beats < ENOUGH]
    true, said = mir_eval.beat.trim_beats(true), mir_eval.beat.trim_beats(times(beats))
    assert mir_eval.beat.f_measure(true, said) >= 0.98
    assert mir_eval.beat.cemgil(true, said)[0] >= 0.9
    assert stimuli.locked(stimulus.beats, times(beats)) <= 4
    assert all(beat.confidence >= CONFIDENT for beat in beats if beat.time > 5)
    assert beats[-1].bpm == pytest.approx(60 / np.diff(stimulus.beats)[-1], rel=0.01)


def test_a_slow_beat_with_something_between_may_be_heard_at_twice_the_tempo() -> None:
    """A kick a second and a hat between: most people tap 120, too."""
    import mir_eval

    stimulus = stimuli.hats(60)
    true = mir_eval.beat.trim_beats(stimulus.beats)
    said = mir_eval.beat.trim_beats(times(track(stimulus.sound, RATE)))
    *_, at_any_level = mir_eval.beat.continuity(true, said)
    assert at_any_level >= 0.98


@pytest.mark.parametrize("decibels", [20, 0])
def test_noise_does_not_cover_the_beat(decibels: float) -> None:
    stimulus = stimuli.noisy(120, decibels)
    said = times(track(stimulus.sound, RATE))
    assert stimuli.locked(stimulus.beats, said) <= 4
    assert np.abs(stimuli.errors(stimulus.beats, said[said > 5])).max() < 0.02


@pytest.mark.parametrize("end", [132, 108])
def test_a_ramp_is_followed(end: float) -> None:
    stimulus = stimuli.ramp(120, end)
    said = times(track(stimulus.sound, RATE))
    assert np.abs(stimuli.errors(stimulus.beats, said[said > 5])).max() < 0.03


def test_a_tempo_step_is_followed() -> None:
    stimulus = stimuli.step(120, 140)
    beats = track(stimulus.sound, RATE)
    assert stimuli.locked(stimulus.beats, times(beats), stimulus.change) <= 6
    assert beats[-1].bpm == pytest.approx(140, abs=1)


def test_the_beat_is_kept_through_four_bars_of_silence() -> None:
    stimulus = stimuli.dropout(120)
    beats = track(stimulus.sound, RATE)
    said = times(beats)
    quiet = (said > stimulus.beats[23] + 0.1) & (said < stimulus.beats[48] - 0.1)
    assert quiet.sum() == 24
    assert np.abs(stimuli.errors(stimulus.beats, said[quiet])).max() <= 0.04
    assert min(beat.confidence for beat in beats if 12 < beat.time < 21) < CONFIDENT


def test_the_grid_continues_through_silence() -> None:
    stimulus, _ = hats()
    sound = np.concatenate((stimulus.sound[: 12 * RATE], np.zeros((48 * RATE, 1), np.float32)))
    beats = track(sound, RATE)
    assert beats[-1].bpm == pytest.approx(120, abs=0.2)
    assert np.abs(stimuli.errors(np.arange(0.1, 60, 0.5), times(beats[-10:]))).max() < 0.1
    assert beats[-1].confidence < 0.01


def test_silence_has_no_beat() -> None:
    assert track(stimuli.silence().sound, RATE) == []


@pytest.mark.parametrize("make", [stimuli.white, stimuli.speech], ids=["white noise", "speech-like"])
def test_sound_without_a_beat_has_low_confidence(make: Callable[[], Stimulus]) -> None:
    assert max((beat.confidence for beat in track(make().sound, RATE)), default=0) < CONFIDENT


def test_a_beat_is_reported_in_its_own_hop() -> None:
    extractor, tracker = FeatureExtractor(RATE), open_tracker()
    ahead = np.inf
    for hop in extractor.process(hats()[0].sound[: 10 * RATE]):
        beat = tracker.process(hop)
        if beat and hop.time > 5:
            assert hop.time - 0.011 <= beat.time <= hop.time
            assert hop.time - 0.01 + ahead == pytest.approx(beat.time, abs=0.004)
        ahead = tracker.ahead


@pytest.mark.parametrize("block", [64, 512, 2048])
def test_the_size_of_blocks_does_not_matter(block: int) -> None:
    stimulus, beats = hats()
    extractor, tracker = FeatureExtractor(RATE), open_tracker()
    blocks = (stimulus.sound[at : at + block] for at in range(0, 10 * RATE, block))
    said = [
        beat for samples in blocks for hop in extractor.process(samples) if (beat := tracker.process(hop))
    ]
    assert said == [beat for beat in beats if beat.time <= (10 * RATE // block) * block / RATE]


def test_later_sound_does_not_change_earlier_values() -> None:
    stimulus, beats = hats()
    half = len(stimulus.sound) // 2
    rest: Sound = np.random.default_rng(2).standard_normal((half, 1)).astype(np.float32)
    other = track(np.concatenate((stimulus.sound[:half], rest)), RATE)
    assert [b for b in other if b.time < half / RATE] == [b for b in beats if b.time < half / RATE]


@pytest.mark.parametrize("rate", [44100, 48000])
def test_the_sample_rate_does_not_matter(rate: int) -> None:
    beats = np.arange(0.1, 12, 0.5)
    sound = np.zeros((12 * rate, 2), np.float32)
    for beat in beats:
        at = round(beat * rate)
        t = np.arange(min(rate // 10, len(sound) - at)) / rate
        sound[at : at + len(t)] = (np.sin(2 * np.pi * 100 * t) * np.exp(-30 * t))[:, None]
    said = times(track(sound, rate))
    assert np.abs(stimuli.errors(beats, said[said > 4])).max() < 0.015


@pytest.mark.parametrize("bpm", [90, 120, 174])
def test_the_bar_begins_where_the_chord_changes(bpm: float) -> None:
    stimulus = stimuli.rock(bpm)
    downbeats = times([beat for beat in track(stimulus.sound, RATE) if beat.downbeat])
    late = downbeats[downbeats > 12]
    assert len(late) >= 6
    assert np.abs(stimuli.errors(stimulus.downbeats, late)).max() < 0.07


def test_before_the_first_sound_there_is_no_tempo() -> None:
    tracker = open_tracker()
    assert (tracker.bpm, tracker.confidence, tracker.ahead) == (0, 0, np.inf)
