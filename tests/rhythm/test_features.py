"""The features against their definitions, against librosa, and in blocks of any size."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import fields
from itertools import pairwise

import librosa
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from perform.rhythm import banks, features
from perform.rhythm.features import AUDIO_SIGNALS, PITCHES, FeatureExtractor, Features, merge
from tests.doubles.stimuli import Sound

RATE = 44100


def heard(sound: Sound, rate: int = RATE, block: int | None = None) -> list[Features]:
    extractor = FeatureExtractor(rate)
    size = block or len(sound)
    return [f for at in range(0, len(sound), size) for f in extractor.process(sound[at : at + size])]


def noise(seconds: float, rate: int = RATE, channels: int = 1, gain: float = 0.2) -> Sound:
    samples = np.random.default_rng(0).standard_normal((int(seconds * rate), channels))
    return (gain * samples).astype(np.float32)


def tone(hertz: float, seconds: float = 1.0, gain: float = 0.5, rate: int = RATE) -> Sound:
    t = np.arange(int(seconds * rate)) / rate
    return (gain * np.sin(2 * np.pi * hertz * t)).astype(np.float32)[:, None]


def same(one: Features, other: Features) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(Features))


@pytest.mark.parametrize("rate", [44100, 48000])
@pytest.mark.parametrize("channels", [1, 2, 8])
def test_the_size_of_blocks_does_not_matter(rate: int, channels: int) -> None:
    sound = noise(0.6, rate, channels)
    whole = heard(sound, rate)
    assert len(whole) == 60
    for block in (64, 333, rate // 100, 512, 4096):
        blocks = heard(sound, rate, block)
        assert len(blocks) == len(whole)
        assert all(same(a, b) for a, b in zip(whole, blocks, strict=True))


def test_memory_layout_does_not_matter() -> None:
    sound = noise(0.3, channels=3)
    assert all(same(a, b) for a, b in zip(heard(sound), heard(np.asfortranarray(sound)), strict=True))


def test_time_is_the_end_of_the_hop() -> None:
    assert [f.time for f in heard(noise(0.05, 48000), 48000)] == [0.01, 0.02, 0.03, 0.04, 0.05]


@pytest.mark.parametrize("rate", [8000, 11025, 12345, 22050, 192000])
def test_a_second_has_a_hundred_hops_at_any_rate(rate: int) -> None:
    hops = heard(noise(1.0, rate), rate)
    assert [f.time for f in hops] == [(n + 1) * rate // 100 / rate for n in range(100)]
    ones = heard(noise(1.0, rate)[: rate // 10], rate, 1)
    assert len(ones) == 10 and all(same(a, b) for a, b in zip(ones, hops, strict=False))


@pytest.mark.parametrize("rate", [44100, 96000, 176400, 192000])
def test_no_click_falls_between_two_windows(rate: int) -> None:
    """One of a millisecond, at every place within a hop."""
    sound = np.zeros((5 * rate, 1), np.float32)
    for number in range(10):
        at = round((0.1 + 0.451 * number) * rate)
        sound[at : at + rate // 1000] = tone(2000, 0.001, 0.8, rate)
    hops = heard(sound, rate)
    assert [f.time for f in hops if f.onset > 0] == pytest.approx(
        [0.11 + 0.451 * number for number in range(10)], abs=0.011
    )


def test_later_sound_does_not_change_earlier_values() -> None:
    sound = noise(0.5)
    early = heard(sound[: RATE // 4])
    assert all(same(a, b) for a, b in zip(early, heard(sound), strict=False))


def test_silence_gives_0() -> None:
    for f in heard(np.zeros((RATE, 2), np.float32)):
        values = f.signals()
        assert np.all(values["audio.waveform"] == 0.5)
        assert np.all(values["audio.spectrum"] == 0)
        assert all(v == 0 for v in values.values() if isinstance(v, float))


def test_silence_after_sound_gives_0() -> None:
    last = heard(np.concatenate((noise(1.0), np.zeros((RATE, 1), np.float32))))[-1]
    assert (last.level, last.low.level, last.centroid, last.flux, last.flatness) == (0, 0, 0, 0, 0)
    assert not last.chroma.any() and not last.spectrum.any()


@settings(max_examples=20, deadline=None)
@given(gain=st.floats(-60, 40), hertz=st.floats(20, 20000), hiss=st.floats(0, 1))
def test_everything_lies_between_0_and_1(gain: float, hertz: float, hiss: float) -> None:
    sound = (tone(hertz, 0.1) + hiss * noise(0.1)) * np.float32(10 ** (gain / 20))
    for f in heard(np.concatenate((sound, 0.3 * sound))):
        for name, value in f.signals().items():
            most = 11 if name == "audio.pitch" else 1
            assert np.all((np.asarray(value) >= 0) & (np.asarray(value) <= most)), name


def test_soft_and_loud_music_give_the_same_values() -> None:
    loud, soft = heard(noise(0.5, gain=0.2)), heard(noise(0.5, gain=0.01))
    for a, b in zip(loud, soft, strict=True):
        assert b.level == pytest.approx(a.level, abs=1e-3)
        assert b.onset == pytest.approx(a.onset, abs=1e-3)
        assert b.flatness == pytest.approx(a.flatness, rel=1e-2)


def test_sound_below_the_floor_gives_nearly_0() -> None:
    assert max(f.level for f in heard(noise(0.5, gain=1e-5))) < 0.02


def test_invalid_samples_count_as_silence() -> None:
    broken, healed = noise(0.5, channels=2), noise(0.5, channels=2)
    for value, at in ((np.nan, 1000), (np.inf, 5000), (-np.inf, 9000)):
        broken[at : at + 50, 0] = value
        healed[at : at + 50, 0] = 0
    assert all(same(a, b) for a, b in zip(heard(broken), heard(healed), strict=True))


def test_a_huge_sample_is_forgotten() -> None:
    sound = tone(440, 1.0, gain=1.0)
    shocked = sound.copy()
    shocked[100] = 1e30
    assert heard(shocked)[-1].level == pytest.approx(heard(sound)[-1].level, rel=1e-3)


@pytest.mark.parametrize(
    ("hertz", "band"), [(60, "low"), (600, "mid"), (3000, "high"), (9000, "air"), (15000, "air")]
)
def test_a_tone_is_in_its_band(hertz: float, band: str) -> None:
    last = heard(tone(hertz))[-1]
    levels = dict(zip(features.BANDS, (b.level for b in last.bands), strict=True))
    assert levels.pop(band) == pytest.approx(1, abs=0.1)
    # 60 Hz is one and a half bins from 0: its window leaks the most
    assert max(levels.values()) < 0.35


def test_a_hit_is_in_its_band_and_in_its_hop() -> None:
    sound = np.zeros((2 * RATE, 1), np.float32)
    kick = tone(60, 0.2)[:, 0] * np.exp(-20 * np.arange(RATE // 5) / RATE).astype(np.float32)
    hiss = np.diff(noise(0.05)[:, 0], 3) * np.exp(-80 * np.arange(2202) / RATE).astype(np.float32)
    for at in (0.5, 1.0, 1.5):
        sound[int(at * RATE) :][: len(kick), 0] += kick
        sound[int((at + 0.25) * RATE) :][: len(hiss), 0] += hiss
    hops = heard(sound)
    assert [f.time for f in hops if f.low.hit > 0.3] == pytest.approx([0.52, 1.02, 1.52], abs=0.011)
    assert [f.time for f in hops if f.air.hit > 0.3] == pytest.approx([0.76, 1.26, 1.76], abs=0.011)
    assert [f.time for f in hops if f.onset > 0.3] == pytest.approx(
        [0.52, 0.76, 1.02, 1.26, 1.52, 1.76], abs=0.011
    )


def test_presence_follows_slowly() -> None:
    hops = heard(np.concatenate((tone(600, 4.0), np.zeros((2 * RATE, 1), np.float32))))
    assert hops[50].mid.presence < 0.3
    assert hops[390].mid.presence == pytest.approx(1 - np.exp(-2), abs=0.05)
    assert 0.2 < hops[-1].mid.presence < 0.45


@pytest.mark.parametrize("pitch", range(12))
@pytest.mark.parametrize("octave", [3, 4, 5])
def test_chroma_shows_the_note(pitch: int, octave: int) -> None:
    hertz = float(librosa.midi_to_hz(12 * (octave + 1) + pitch))
    chroma = heard(tone(hertz, 0.3))[-1].chroma
    assert PITCHES[int(chroma.argmax())] == PITCHES[pitch]
    assert chroma.max() == pytest.approx(1, abs=0.01)


def test_pitch_follows_the_melody_and_stays_in_silence() -> None:
    notes = [tone(hertz, 0.4) for hertz in (220.0, 293.66, 493.88)]  # A, D, B
    hops = heard(np.concatenate((*notes, np.zeros((RATE // 2, 1), np.float32))))
    assert [hops[hop].pitch for hop in (35, 75, 115, 160)] == [9, 2, 11, 11]
    assert sum(a.pitch != b.pitch for a, b in pairwise(hops)) == 3  # once a note, from C at first


def window(sound: Sound, hop: int) -> NDArray[np.float32]:
    """The samples in the spectrum of a hop."""
    return sound[: hop * 441, 0][-features.SPECTRUM_WINDOW :]


def test_flatness_equals_librosas() -> None:
    sound = noise(0.5) + tone(700, 0.5)
    hops = heard(sound)
    for hop in (10, 30, 50):
        true = librosa.feature.spectral_flatness(y=window(sound, hop), n_fft=2048, center=False)[0, 0]
        assert hops[hop - 1].flatness == pytest.approx(true, rel=0.02)
    assert hops[-1].flatness < 0.3
    assert heard(noise(0.5))[-1].flatness == pytest.approx(0.56, abs=0.05)  # e to minus Euler's constant


def test_centroid_equals_librosas_in_octaves() -> None:
    sound = noise(0.5, gain=0.02) + tone(700, 0.5)
    hops = heard(sound)
    for hop in (10, 30, 50):
        hertz = librosa.feature.spectral_centroid(y=window(sound, hop), sr=RATE, n_fft=2048, center=False)[
            0, 0
        ]
        assert hops[hop - 1].centroid == pytest.approx(np.log2(hertz / 100) / 7, abs=1e-3)


def test_spectrum_is_in_decibels() -> None:
    sound = tone(RATE / 2048 * 100, gain=0.5) + tone(RATE / 2048 * 400, gain=0.05)
    spectrum = heard(sound)[-1].spectrum
    assert spectrum.shape == (1024,) and spectrum.dtype == np.float32
    assert spectrum[99] == pytest.approx(1, abs=0.01)
    assert spectrum[399] == pytest.approx(1 - 20 / 60, abs=0.01)
    assert spectrum[700] == 0


def test_waveform_is_the_sound() -> None:
    sound = tone(441, gain=0.25)
    waveform = heard(sound)[-1].waveform
    assert waveform.dtype == np.float32
    np.testing.assert_allclose(waveform, 0.5 + 0.5 * sound[-1024:, 0] / 0.25, atol=0.01)


def test_channels_are_averaged() -> None:
    left = noise(0.2)
    both = np.concatenate((left, np.zeros_like(left)), axis=1)
    assert all(same(a, b) for a, b in zip(heard(both), heard(left / np.float32(2)), strict=True))


def test_the_signals_have_their_names() -> None:
    signals = heard(noise(0.05))[-1].signals()
    assert tuple(signals) == AUDIO_SIGNALS
    assert len(set(AUDIO_SIGNALS)) == len(AUDIO_SIGNALS)
    assert signals["audio.low.hit"] == heard(noise(0.05))[-1].low.hit
    assert signals["audio.chroma.fs"] == heard(noise(0.05))[-1].chroma[6]


def test_a_frame_loses_no_hit() -> None:
    sound = np.concatenate((np.zeros((4410, 1), np.float32), noise(0.3)))
    hops = heard(sound)
    struck = next(i for i, f in enumerate(hops) if f.onset > 0)
    frame = merge(hops[struck - 1 : struck + 2])
    assert frame.onset == hops[struck].onset
    assert frame.air.hit == hops[struck].air.hit > 0
    assert frame.flux == max(f.flux for f in hops[struck - 1 : struck + 2])
    assert (frame.time, frame.level) == (hops[struck + 1].time, hops[struck + 1].level)
    assert merge([frame]) is frame


@pytest.mark.parametrize("rate", [0, 7999, 192001])
def test_a_wrong_rate_is_rejected(rate: int) -> None:
    with pytest.raises(ValueError, match=f"rate = {rate}, must be 8000..192000"):
        FeatureExtractor(rate)


def test_a_wrong_shape_is_rejected() -> None:
    with pytest.raises(ValueError, match=r"shape \[5\], must be \[n, channels\]"):
        FeatureExtractor(RATE).process(np.zeros(5, np.float32))


def test_hearing_loads_numpy_alone() -> None:
    code = """
import sys
from perform.rhythm.tracker import open_tracker
from perform.rhythm.features import FeatureExtractor
FeatureExtractor(44100), open_tracker()
sys.exit(bool({'librosa', 'numba', 'scipy'} & {*sys.modules}))
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("other", [1.0, -1.0, -0.8])
def test_channels_that_cancel_each_other_have_the_features_of_one(other: float) -> None:
    """A balanced line on a stereo input: left is minus right."""
    sound = noise(1.0, gain=0.05) + tone(440, 1.0)
    both = np.concatenate((sound, np.float32(other) * sound), axis=1)
    for one, two in zip(heard(sound), heard(both), strict=True):
        assert two.pitch == one.pitch
        assert [band.hit > 0 for band in two.bands] == [band.hit > 0 for band in one.bands]
        assert same(one, two) or abs(other) != 1
        assert (two.level, two.low.level) == pytest.approx((one.level, one.low.level), abs=2e-3)


def test_ordinary_channels_are_analysed_by_their_mean() -> None:
    left, right = noise(1.0), np.random.default_rng(1).standard_normal((RATE, 1)).astype(np.float32) * 0.2
    both = heard(np.concatenate((left, right), axis=1))
    assert all(same(one, two) for one, two in zip(heard((left + right) / 2), both, strict=True))


def test_a_line_that_is_plugged_in_the_right_way_is_heard_again() -> None:
    sound = tone(440, 3.0)
    inverted = np.concatenate((sound, -sound), axis=1)
    normal = np.concatenate((sound, sound), axis=1)
    levels = [f.level for f in heard(np.concatenate((inverted, normal, inverted)))]
    for change in (5, 300, 600):
        assert min(levels[change + 40 : change + 290]) > 0.95


@pytest.mark.parametrize("offset", [0.2, -0.5])
@pytest.mark.parametrize("rate", [8000, 44100, 192000])
def test_direct_current_is_nothing(offset: float, rate: int) -> None:
    for f in heard(np.full((rate, 2), offset, np.float32), rate):
        assert (f.level, f.low.level, f.onset, f.waveform.max()) == (0, 0, 0, 0.5)


def test_direct_current_that_begins_later_fades_within_half_a_second() -> None:
    sound = np.concatenate((np.zeros((RATE, 1), np.float32), np.full((RATE, 1), 0.2, np.float32)))
    assert heard(sound)[150].level < 0.001


@pytest.mark.parametrize(("hertz", "kept"), [(3, 0.7071), (20, 0.989), (50, 0.998), (1000, 1.0)])
def test_only_what_no_speaker_plays_is_filtered_out(hertz: float, kept: float) -> None:
    blocker = features._DirectCurrentBlocker(48_000)
    sound = tone(hertz, 4.0, 0.5, 48_000)[:, 0]
    filtered = np.concatenate([blocker(sound[at : at + 480]) for at in range(0, len(sound), 480)])
    assert np.abs(filtered[96_000:]).max() == pytest.approx(0.5 * kept, abs=1e-3)


@pytest.mark.filterwarnings("ignore:Empty filters")  # at low rates
@pytest.mark.parametrize("rate", [8000, 12345, 22050, 44100, 48000, 96000, 192000])
def test_the_banks_are_librosas_to_the_last_bit(rate: int) -> None:
    top = min(16000.0, rate / 2)
    centres = banks.mel_centres(40, 20, top)
    np.testing.assert_array_equal(centres, librosa.mel_frequencies(42, fmin=20, fmax=top))
    mel = librosa.filters.mel(sr=rate, n_fft=1024, n_mels=40, fmin=20, fmax=top, norm=None)
    np.testing.assert_array_equal(banks.mel_bank(rate, 1024, centres), mel)
    chroma = librosa.filters.chroma(sr=rate, n_fft=8192).astype(np.float32)
    np.testing.assert_array_equal(banks.chroma_bank(rate, 8192), chroma)
