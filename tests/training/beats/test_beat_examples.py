"""Examples and lessons: the network is taught what it will hear, and its beats stay where they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.arrays import Floats
from perform.rhythm.features import FeatureExtractor
from perform.rhythm.hearing import INPUTS, bass_cut, inputs_of
from perform.training.beats import recording
from perform.training.beats.examples import TOLD_LATE, Example, example, heard, targets
from perform.training.beats.kit import DRUMS, RATE, Synthesiser, drum
from perform.training.beats.lessons import Lanes, disguised, echoed, faster, pumped, swept
from perform.training.beats.recording import FluidSynth, _through, babble, hiss, master, record
from perform.training.beats.score import compose
from perform.training.beats.tracks import read_beats, read_track, tracks_of
from tests.doubles.sounds import write_sound
from tests.doubles.stimuli import rock
from tests.doubles.waiting import needs


def test_a_lesson_is_what_a_live_tracker_hears() -> None:
    sound = rock(120).sound[: 6 * RATE] * np.float32(0.4)
    live = np.stack([inputs_of(hop) for hop in FeatureExtractor(RATE).process(sound)])
    made = heard(sound[:, 0], RATE)
    assert made.shape == live.shape == (600, INPUTS)
    assert np.abs(made[50:] - live[50:]).max() < 0.02
    assert np.abs(made - live).mean() < 0.002


def test_targets_are_told_when_the_onset_has_been_heard() -> None:
    told = example(np.zeros(3 * RATE, np.float32), RATE, np.array([0.5, 1.0]), np.array([0.5])).targets
    assert np.flatnonzero(told[:, 0] == 1).tolist() == [50 + TOLD_LATE, 100 + TOLD_LATE]
    assert np.flatnonzero(told[:, 1]).tolist() == [49 + TOLD_LATE, 50 + TOLD_LATE, 51 + TOLD_LATE]


@pytest.mark.parametrize("factor", [0.87, 1.0, 1.15])
def test_another_speed_moves_the_beats_with_the_sound(factor: float) -> None:
    beats = np.arange(50, 950, 60.0)
    seen = np.zeros((1000, INPUTS), np.float32)
    seen[beats.astype(int)] = 1
    other = faster(Example(seen, targets(1000, beats, beats[::4])), factor)
    for hop in np.flatnonzero(other.targets[:, 0] == 1):
        assert other.heard[hop - 1 : hop + 2].max() > 0.4


def test_a_compressor_turns_down_at_the_beat_and_up_again() -> None:
    loud = np.ones((8, 3), np.float32)
    quieter = pumped(loud, np.array([2, 6]), depth=0.5, recovery=1 / np.log(2), band=1)
    assert quieter[:, 0].tolist() == [1] * 8
    assert quieter[:, 2].tolist() == pytest.approx([1, 1, 0.5, 0.75, 0.875, 0.9375, 0.5, 0.75])


def test_an_echo_comes_again_and_again() -> None:
    loud = np.zeros((7, 2), np.float32)
    loud[1] = 1, 2
    assert echoed(loud, 2, 0.5)[:, 1].tolist() == [0, 2, 0, 1, 0, 0.5, 0]
    assert loud.sum() == 3


def test_a_filter_leaves_what_is_on_its_side_of_the_limit() -> None:
    loud = np.ones((2, 5), np.float32)
    decibels = 20 * np.log10(swept(loud, np.array([2.0, 3.5]), low=True))
    assert decibels == pytest.approx(np.array([[0, 0, 0, -4, -8], [0, 0, 0, 0, -2]]), abs=1e-4)
    decibels = 20 * np.log10(swept(loud, np.array([2.0, 3.5]), low=False))
    assert decibels == pytest.approx(np.array([[-8, -4, 0, 0, 0], [-14, -10, -6, -2, 0]]), abs=1e-4)


def test_a_disguise_leaves_the_beats_of_a_piece_where_they_sound() -> None:
    beats = np.arange(50, 3950, 50.0)
    seen = np.zeros((4000, INPUTS), np.float32)
    seen[beats.astype(int)] = 3
    for seed in range(20):
        other = disguised(np.random.default_rng(seed), Example(seen, targets(4000, beats, beats[::4])))
        told = np.flatnonzero(other.targets[:, 0] == 1)
        assert len(told) == len(beats) and np.isfinite(other.heard).all()
        loud = other.heard[:, :40].max(axis=1)
        assert np.median([loud[hop - 1 : hop + 2].max() for hop in told]) > 0.5


def test_lanes_go_on_where_they_ended() -> None:
    seen = np.repeat(np.arange(4000, dtype=np.float32)[:, None] / 4000, INPUTS, axis=1)
    lanes = Lanes(
        np.random.default_rng(0),
        [Example(seen, targets(4000, np.arange(10, 4000, 50.0), np.zeros(0)))],
        3,
        200,
    )
    before = lanes.next()
    for _ in range(30):
        lesson = lanes.next()
        assert lesson.heard.shape == (3, 200, INPUTS) and lesson.targets.shape == (3, 200, 2)
        going_on = lesson.fresh == 0
        assert np.array_equal(lesson.before[going_on], before.heard[going_on, -1])
        assert not lesson.before[~going_on].any()
        before = lesson


@pytest.mark.parametrize("name", sorted(DRUMS))
def test_every_drum_of_the_kit_sounds(name: str) -> None:
    sound = drum(np.random.default_rng(1), name)
    assert np.isfinite(sound).all() and 0.05 < np.abs(sound).max() < 4


@pytest.mark.parametrize("kind", ["bass", "pad", "melody"])
def test_a_synthesiser_plays_its_pitch(kind: str) -> None:
    tone = Synthesiser(np.random.default_rng(2), kind).tone(57, 1.0)
    spectrum = np.abs(np.fft.rfft(tone * np.hanning(len(tone))))
    harmonic = np.fft.rfftfreq(len(tone), 1 / RATE)[spectrum.argmax()] / 220
    assert harmonic >= 0.9 and harmonic == pytest.approx(round(harmonic), rel=0.015)


@pytest.mark.parametrize("made", [hiss, babble])
def test_what_has_no_beat_sounds(made: Callable[[np.random.Generator, float], Floats]) -> None:
    random = np.random.default_rng(0)
    sound = master(random, made(random, 3.0))
    assert len(sound) == 3 * RATE and np.isfinite(sound).all() and sound.std() > 1e-4


def test_a_mastering_gives_the_bass_of_released_music(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the network is given has less bass again."""
    click = np.zeros(RATE, np.float32)
    click[RATE // 2] = 1
    plain = _through(np.random.default_rng(1), click)
    monkeypatch.setattr(recording, "BASS", (recording.BASS[0], (0.0, 0.0)))
    flat = _through(np.random.default_rng(1), click)
    before, after = (np.abs(np.fft.rfft(sound))[[100, 1915, 4000]] for sound in (flat, plain))
    assert 20 * np.log10(after / before) == pytest.approx([8, 4, 0], abs=0.05)
    less = np.expm1(bass_cut(np.ones(40, np.float32))) / np.expm1(1)
    assert 20 * np.log10(less[[0, 12, 24, 39]]) == pytest.approx([-8, -4, 0, 0], abs=1e-4)


@pytest.mark.parametrize("seed", [2, 4])
def test_a_band_plays_a_piece_in_time(seed: int) -> None:
    needs("fluidsynth")
    random = np.random.default_rng(seed)
    piece = compose(random, 12.0)
    sound = record(random, piece, FluidSynth())
    assert len(sound) == 12 * RATE and np.isfinite(sound).all()
    rise = np.maximum(np.diff(heard(sound, RATE)[:, :40], axis=0), 0).sum(axis=1)
    notes = np.unique(np.floor(np.array([note.time for note in piece.notes if note.time > 1]) * 100)).astype(
        int
    )
    notes = notes[notes < 1190]
    near = np.max([rise[notes + offset] for offset in range(3)], axis=0)
    assert near.mean() > 2 * rise.mean()


def test_a_missing_sound_font_is_named(tmp_path: Path) -> None:
    needs("fluidsynth")
    with pytest.raises(FileNotFoundError, match=r"none\.sf2"):
        FluidSynth(tmp_path / "none.sf2")


def test_a_file_that_is_no_sound_font_is_refused(tmp_path: Path) -> None:
    """FluidSynth itself goes on without a sound, and the network would learn from silence."""
    needs("fluidsynth")
    (tmp_path / "bad.sf2").write_bytes(b"RIFF\0\0\0\0WAVE")
    with pytest.raises(ValueError, match=r"bad\.sf2 is no sound font"):
        FluidSynth(tmp_path / "bad.sf2")
    os.mkfifo(tmp_path / "pipe.sf2")
    with pytest.raises(OSError, match=r"pipe\.sf2 is a named pipe, must be a file"):
        FluidSynth(tmp_path / "pipe.sf2")


def test_a_sound_font_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    """FluidSynth itself plays another one, or noise."""
    needs("fluidsynth")
    (tmp_path / "half.sf2").write_bytes(b"RIFF" + (1000).to_bytes(4, "little") + b"sfbk" + bytes(995))
    with pytest.raises(ValueError, match=r"half\.sf2 is cut off"):
        FluidSynth(tmp_path / "half.sf2")
    (tmp_path / "whole.sf2").write_bytes(b"RIFF" + (1000).to_bytes(4, "little") + b"sfbk" + bytes(996))
    FluidSynth(tmp_path / "whole.sf2")


def test_without_fluidsynth_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(FileNotFoundError, match="apt install fluidsynth fluid-soundfont-gm"):
        FluidSynth()


def test_music_that_is_too_short_is_no_lesson() -> None:
    short = Example(np.zeros((300, INPUTS), np.float32), np.zeros((300, 2), np.float32))
    with pytest.raises(ValueError, match="no music of 4 s or more"):
        Lanes(np.random.default_rng(0), [short], 1, 100)


def test_tracks_of_ones_own_are_read(tmp_path: Path) -> None:
    write_sound(tmp_path / "song.wav", np.zeros((96000, 2), np.float32))
    write_sound(tmp_path / "without.wav", np.zeros((4800, 2), np.float32))
    (tmp_path / "song.beats").write_text("0.5 1\n1.0\t2\n\n1.5 1\n")
    ((sound, beats),) = tracks_of(tmp_path)
    learned = read_track(sound, beats)
    assert len(learned.heard) == 200
    assert np.flatnonzero(learned.targets[:, 0] == 1).tolist() == [52, 102, 152]
    assert np.flatnonzero(learned.targets[:, 1] == 1).tolist() == [52, 152]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have beats in order of time"),
        ("1 1\n0.5 2\n", "must have beats in order of time"),
        ("nan 1\n", "must have beats in order of time"),
        ("-1 1\n", "must have beats in order of time"),
        ("0 1\n1e300 2\n", "in seconds from 0 to 86400"),
        ("one two\n", "'one two', must be SECONDS PLACE_IN_THE_BAR"),
        ("0.5 1\n1.0 first\n", "'1.0 first', must be SECONDS PLACE_IN_THE_BAR"),
        ("\0\0", ""),
    ],
)
def test_beats_that_cannot_be_read_name_their_file(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.beats").write_text(text)
    with pytest.raises(ValueError, match=rf"a\.beats.*{message}"):
        read_beats(tmp_path / "a.beats")


@pytest.mark.parametrize("text", ["0.5\n1.0\n", "0.5 2\n1.0 3\n"])
def test_beats_without_bars_are_read_but_no_lesson(tmp_path: Path, text: str) -> None:
    write_sound(tmp_path / "a.wav", np.zeros((4800, 2), np.float32))
    (tmp_path / "a.beats").write_text(text)
    times, first = read_beats(tmp_path / "a.beats")
    assert times.tolist() == [0.5, 1.0] and first.tolist() == [False, False]
    with pytest.raises(ValueError, match=r"a\.beats: must have a beat that begins a bar"):
        tracks_of(tmp_path)


@pytest.mark.parametrize("broken", ["a.wav", "a.beats"])
def test_a_broken_track_is_found_before_music_is_made(tmp_path: Path, broken: str) -> None:
    write_sound(tmp_path / "a.wav", np.zeros((4800, 2), np.float32))
    (tmp_path / "a.beats").write_text("0.5 1\n")
    (tmp_path / broken).write_bytes(b"broken")
    with pytest.raises(ValueError, match=broken):
        tracks_of(tmp_path)


@given(st.lists(st.floats(0.01, 5), min_size=1, max_size=30))
def test_written_beats_are_read_again(tmp_path_factory: pytest.TempPathFactory, steps: list[float]) -> None:
    times = np.cumsum(steps)
    file = tmp_path_factory.mktemp("beats") / "b.beats"
    file.write_text("".join(f"{time!r} {i % 4 + 1}\n" for i, time in enumerate(times.tolist())))
    read, first = read_beats(file)
    assert np.array_equal(read, times) and first.tolist() == [i % 4 == 0 for i in range(len(steps))]


def test_a_folder_without_beats_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"has no sound with a \.beats file beside it"):
        tracks_of(tmp_path)
