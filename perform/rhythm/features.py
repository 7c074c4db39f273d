"""Features of a sound: numbers from 0 to 1, a hundred times a second.

Causal, with the state in one object: the same samples give the same features in blocks of any size.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Floats, finite
from perform.rhythm.banks import chroma_bank, mel_bank, mel_centres

HOPS_PER_SECOND = 100
SPECTRUM_WINDOW = 2048  # samples: spectrum, centroid, flatness
ACCENT_WINDOW = 1024  # samples: levels and onsets; half the window is half the delay
CHROMA_WINDOW = 8192  # samples: 5 Hz a bin, a semitone at 100 Hz
WAVEFORM = 1024  # samples kept for `waveform`, and bins kept of `spectrum`

BANDS = {"low": (20, 150), "mid": (150, 2000), "high": (2000, 6000), "air": (6000, 16000)}  # Hz
PITCHES = ("c", "cs", "d", "ds", "e", "f", "fs", "g", "gs", "a", "as", "b")
AUDIO_SIGNALS: tuple[str, ...] = (
    "audio.level",
    *chain.from_iterable((f"audio.{b}", f"audio.{b}.hit", f"audio.{b}.presence") for b in BANDS),
    *("audio.centroid", "audio.flux", "audio.flatness"),
    *(f"audio.chroma.{pitch}" for pitch in PITCHES),
    "audio.pitch",
    *("audio.onset", "audio.spectrum", "audio.waveform"),
)

FLOOR = 10 ** (-60 / 20)  # amplitude below which the gain does not follow: -60 dBFS
RELEASE = 12.0  # seconds in which the gain comes up to e times
FALLEN = np.float32(np.exp(-1 / (RELEASE * HOPS_PER_SECOND)))  # what a hop leaves of its reference
SPECTRUM_RANGE = 60.0  # dB between 0 and 1 of `spectrum`
CENTROID_RANGE = 100.0, 12800.0  # Hz at 0 and 1 of `centroid`, seven octaves
PRESENCE = 2.0  # seconds over which `presence` averages
COMPRESSION = 100.0  # of the loudness before its rise is taken
MEL_BANDS = 40
LEAK = 0.03  # of the loudest band: what a window lets through from one band into another
FLUX_FLOOR = 0.5  # rise of the log loudness below which the gain does not follow
THRESHOLD = 0.1  # of the strongest rise: the weakest onset
FORGET = 0.02  # share of a hop in the mean that the threshold follows: half a second
CLEARER = 1.25  # a new pitch needs this many times the chroma of the pitch so far
QUIET = 0.1  # chroma below which the pitch stays what it was
DIRECT_CURRENT = 3.0  # Hz below which the sound is filtered out
SILENCE = 1e-6  # amplitude of a hop that counts as none: -120 dBFS
SIDE_MEMORY = 0.2  # seconds in which a loudness of the sum or the difference of two channels falls to 1/e
LOUDER_SIDE = 4.0  # times the power of the sum that the difference needs to be analysed
REST = 6  # hops between two onsets of one band, at least


@dataclass(frozen=True, slots=True)
class Band:
    """One band: `level` follows its amplitude, `hit` is the strength of an onset in the hop that
    has one and 0 otherwise, `presence` is the level's average over the last seconds."""

    level: float = 0.0
    hit: float = 0.0
    presence: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Features:
    """The sound up to `time` (seconds of the stream, at the end of the hop).

    All values but the pitch are 0..1 against the loudest of the last seconds, and 0 in silence. `centroid` is
    logarithmic from 100 Hz to 12.8 kHz, `flatness` 0 for a tone and about .56 for white noise,
    `onset` like a band's hit over all bands. `chroma` [12] from C, `pitch` the clearest of them, 0..11,
    which stays in silence; `spectrum` [1024] linear in
    frequency, 60 dB; `waveform` [1024] around 0.5. For a beat tracker, in no unit: `loudness` [40] is the log
    loudness by mel band, and `accents` [4] its rise by band.
    """

    time: float
    level: float
    low: Band
    mid: Band
    high: Band
    air: Band
    centroid: float
    flux: float
    flatness: float
    onset: float
    chroma: Floats
    pitch: int
    spectrum: Floats
    waveform: Floats
    loudness: Floats
    accents: Floats

    @property
    def bands(self) -> tuple[Band, Band, Band, Band]:
        """The four bands, from the lowest."""
        return self.low, self.mid, self.high, self.air

    def signals(self) -> dict[str, float | Floats]:
        """The features by signal name, in the order of AUDIO_SIGNALS."""
        bands = chain.from_iterable((band.level, band.hit, band.presence) for band in self.bands)
        shape = self.centroid, self.flux, self.flatness
        tones = *self.chroma.tolist(), float(self.pitch)
        rest = self.onset, self.spectrum, self.waveform
        return dict(zip(AUDIO_SIGNALS, (self.level, *bands, *shape, *tones, *rest), strict=True))


def merge(hops: Sequence[Features]) -> Features:
    """The features of one video frame: the last of `hops` (at least one, oldest first), with the
    strongest flux, onset and hits of all of them, so that none is lost between two frames."""
    last = hops[-1]
    if len(hops) == 1:
        return last
    hits = [max(band.hit for band in bands) for bands in zip(*(hop.bands for hop in hops), strict=True)]
    low, mid, high, air = (replace(band, hit=hit) for band, hit in zip(last.bands, hits, strict=True))
    flux, onset = max(hop.flux for hop in hops), max(hop.onset for hop in hops)
    return replace(last, low=low, mid=mid, high=high, air=air, flux=flux, onset=onset)


class FeatureExtractor:
    """Features of a stream of `rate` samples a second (8000..192000), one per 10 ms.

    The mean of the channels is analysed, without its direct current; of channels that cancel each other (a
    balanced line on a stereo input), half their difference. Each sample is clipped to -1..1; one that is not
    finite counts as 0. Memory: the last 8192 samples, one level per gain, one average per band.
    """

    def __init__(self, rate: int) -> None:
        if not 8000 <= rate <= 192000:
            raise ValueError(f"rate = {rate}, must be 8000..192000 samples a second")
        self.rate = rate
        self._hops = self._samples = 0  # so far
        # samples that levels and onsets take as one, so that no hop is longer than their window
        self._joined = math.ceil(rate / (ACCENT_WINDOW * HOPS_PER_SECOND))
        self._pending: Floats = np.zeros((2, 0), np.float32)
        self._sides = _LouderSide()
        self._blocker = _DirectCurrentBlocker(rate)
        self._past: Floats = np.zeros(CHROMA_WINDOW, np.float32)
        self._levels = _Levels(rate / self._joined)
        self._onsets = _Onsets(rate / self._joined)
        self._spectrum = _Spectrum(rate)
        self._chroma = _Chroma(rate)

    def process(self, samples: NDArray[np.float32]) -> list[Features]:
        """The features of every hop that `samples` [n, channels] completes, oldest first."""
        sides = np.concatenate((self._pending, _sides(samples)), axis=1)
        found = []
        while sides.shape[1] >= (length := self._hop_length()):
            found.append(self._step(sides[:, :length]))
            sides = sides[:, length:]
        self._pending = sides.copy()
        return found

    def _hop_length(self) -> int:
        """Samples of the next hop: at 22050 Hz, 220 and 221 in turn."""
        return (self._hops + 1) * self.rate // HOPS_PER_SECOND - self._samples

    def _step(self, sides: Floats) -> Features:
        hop = self._blocker(self._sides(sides))
        self._hops, self._samples = self._hops + 1, self._samples + len(hop)
        self._past = np.concatenate((self._past[len(hop) :], hop))
        recent = self._recent()
        amplitude = _amplitude(recent)
        level, levels, presence = self._levels(recent, amplitude)
        hits, flux, loudness, accents = self._onsets(amplitude)
        spectrum, centroid, flatness = self._spectrum(self._past[-SPECTRUM_WINDOW:])
        low, mid, high, air = (Band(*values) for values in zip(levels, hits[:4], presence, strict=True))
        chroma = self._chroma(self._past)
        return Features(
            self._samples / self.rate,
            level,
            low,
            mid,
            high,
            air,
            centroid,
            flux,
            flatness,
            onset=hits[-1],
            chroma=chroma,
            pitch=self._chroma.pitch,
            spectrum=spectrum,
            waveform=self._levels.waveform(self._past[-WAVEFORM:]),
            loudness=loudness,
            accents=accents,
        )

    def _recent(self) -> Floats:
        """The window of levels and onsets."""
        last = self._past[-ACCENT_WINDOW * self._joined :]
        return last.reshape(-1, self._joined).mean(axis=1) if self._joined > 1 else last


class _Gain:
    """Automatic gain: values against the highest of the last seconds, which is at least the floor."""

    def __init__(self, floor: float, size: int = 1) -> None:
        self._floor = np.float32(floor)
        self.reference = np.full(size, floor, np.float32)

    def __call__(self, values: Floats) -> Floats:
        """`values` [size] >= 0 as 0..1."""
        self.reference = np.maximum(np.maximum(values, self.reference * FALLEN), self._floor)
        return values / self.reference


class _Levels:
    """Level of the whole and of each band, and presence: root mean square amplitudes."""

    def __init__(self, rate: float) -> None:
        hertz = np.fft.rfftfreq(ACCENT_WINDOW, 1 / rate)
        edges = BANDS.values()
        self._bank = np.array([(low <= hertz) & (hertz < high) for low, high in edges], np.float32)
        self._gain = _Gain(FLOOR, 5)
        self._peak = _Gain(FLOOR)
        self._presence = np.zeros(4, np.float32)

    def __call__(self, recent: Floats, amplitude: Floats) -> tuple[float, list[float], list[float]]:
        whole = np.mean(recent * recent, keepdims=True)
        power = np.concatenate((whole, self._bank @ (amplitude * amplitude)))
        level, *bands = self._gain(np.sqrt(power)).tolist()
        # the window's side lobes bring every tone into all bands: a band 30 dB down is not turned up
        loudest = self._gain.reference.max()
        np.maximum(self._gain.reference, LEAK * loudest, out=self._gain.reference)
        self._presence += (np.array(bands, np.float32) - self._presence) / (PRESENCE * HOPS_PER_SECOND)
        return level, bands, self._presence.tolist()

    def waveform(self, recent: Floats) -> Floats:
        """`recent` samples as 0..1 around 0.5, with the same automatic gain."""
        self._peak(np.abs(recent).max(keepdims=True))
        return np.float32(0.5) + recent * (np.float32(0.5) / self._peak.reference)


class _Onsets:
    """Onsets per band and over all: the rise of the log loudness (log spectral flux, Klapuri 1999;
    Böck and Widmer 2013), above a threshold that follows its mean."""

    def __init__(self, rate: float) -> None:
        self._mel, self._split = mel_filters(rate)
        self._gain = _Gain(FLOOR)
        self._before = np.zeros(MEL_BANDS, np.float32)
        self._scale = _Gain(FLUX_FLOOR, 5)
        self._mean = np.zeros(5, np.float32)
        self._rest = np.zeros(5, np.int64)

    def __call__(self, amplitude: Floats) -> tuple[list[float], float, Floats, Floats]:
        """Hits [4 bands, all], flux 0..1, log loudness [mel], accents [4]."""
        loudness, accents = self._rise(self._mel @ amplitude)
        rises = np.append(accents, accents.mean())
        strength = self._scale(rises)
        struck = (strength > THRESHOLD + 2 * self._mean) & (self._rest <= 0)
        self._mean += (strength - self._mean) * np.float32(FORGET)
        self._rest = np.where(struck, REST, self._rest - 1)
        return np.where(struck, strength, 0).tolist(), float(strength[-1]), loudness, accents

    def _rise(self, loudness: Floats) -> tuple[Floats, Floats]:
        """The log of `loudness` [mel], and its mean rise per band [4]; the gain is the same for both sides of
        the difference, so that turning it down is no onset and loud and soft sound weigh the same."""
        self._gain(loudness.max(keepdims=True))
        scale = np.float32(COMPRESSION) / self._gain.reference
        logarithm = np.log1p(scale * loudness)
        rise = np.maximum(logarithm - np.log1p(scale * self._before), 0)
        self._before = loudness
        return logarithm, self._split @ rise


class _Spectrum:
    """The spectrum in dB, its centroid and its flatness."""

    def __init__(self, rate: int) -> None:
        self._hertz = np.fft.rfftfreq(SPECTRUM_WINDOW, 1 / rate)[1:].astype(np.float32)
        self._gain = _Gain(FLOOR / 10)  # noise at the floor has its power in a thousand bins

    def __call__(self, recent: Floats) -> tuple[Floats, float, float]:
        amplitude = _amplitude(recent)[1:]
        self._gain(amplitude.max(keepdims=True))
        power = amplitude * amplitude + np.float32(1e-20)
        decibels = 10 * np.log10(power / self._gain.reference**2)
        spectrum = (1 + decibels / SPECTRUM_RANGE).clip(0, 1)
        mean = float(power.mean())
        loudness = min(1.0, float(np.sqrt((recent * recent).mean())) / FLOOR)
        flatness = float(np.exp(np.log(power).mean())) / mean
        return spectrum, loudness * self._centroid(amplitude), loudness * flatness

    def _centroid(self, amplitude: Floats) -> float:
        total = float(amplitude.sum())
        if total <= 0:
            return 0.0
        low, high = CENTROID_RANGE
        hertz = float(self._hertz @ amplitude) / total
        return min(max(float(np.log(hertz / low) / np.log(high / low)), 0.0), 1.0)


class _Chroma:
    """The twelve pitch classes, and which of them is clearest."""

    def __init__(self, rate: int) -> None:
        self._bank = chroma_bank(rate, CHROMA_WINDOW)
        self._gain = _Gain(FLOOR)
        self.pitch = 0

    def __call__(self, recent: Floats) -> Floats:
        amplitude = _amplitude(recent)
        pitches: Floats = np.sqrt(self._bank @ (amplitude * amplitude))
        self._gain(pitches.max(keepdims=True))
        chroma: Floats = np.divide(pitches, self._gain.reference)
        best = int(chroma.argmax())
        if chroma[best] > max(QUIET, CLEARER * chroma[self.pitch]):
            self.pitch = best
        return chroma


class _LouderSide:
    """Chooses what is analysed of two channels: half their sum, or half their difference while that has been
    much louder."""

    def __init__(self) -> None:
        self._powers = np.zeros(2)
        self._fading = np.exp(-1 / (SIDE_MEMORY * HOPS_PER_SECOND))
        self._side = 0

    def __call__(self, sides: Floats) -> Floats:
        """The hop [n] to analyse, of half the sum and half the difference [2, n]."""
        self._powers *= self._fading
        self._powers += np.mean(np.square(sides, dtype=np.float64), axis=1)
        summed, difference = self._powers
        if self._side == 0 and difference > LOUDER_SIDE * summed + FLOOR**2:
            self._side = 1
        elif self._side == 1 and summed > difference:
            self._side = 0
        chosen: Floats = sides[self._side]
        return chosen


class _DirectCurrentBlocker:
    """A first-order high-pass filter (Smith, Introduction to Digital Filters, "DC Blocker"). What a sound has
    of direct current when it begins is no step."""

    def __init__(self, rate: int) -> None:
        self._pole = np.exp(-2 * np.pi * DIRECT_CURRENT / rate)
        self._decay = self._pole ** np.arange(rate // HOPS_PER_SECOND + 1)
        self._state: float | None = None

    def __call__(self, hop: Floats) -> Floats:
        """The hop [n] that follows the one of the call before, filtered."""
        if self._state is None:
            self._state = -float(np.clip(0.0, hop.min(), hop.max()))
        steps = hop.astype(np.float64)
        steps[1:] -= hop[:-1]
        steps[0] += self._state
        decay = self._decay[: len(hop)]
        filtered = decay * np.cumsum(steps / decay)
        self._state = self._pole * filtered[-1] - hop[-1]
        if np.abs(filtered).max() < SILENCE:
            return np.zeros(len(hop), np.float32)  # the filter's own end
        return np.asarray(filtered, np.float32)


def _sides(samples: NDArray[np.float32]) -> Floats:
    """[n, channels] -> [2, n]: the mean of the channels, and the mean with every second one turned over.
    Added channel by channel: the order, and so the rounding, is the same for every block size and layout."""
    if samples.ndim != 2 or samples.shape[1] < 1:
        raise ValueError(f"samples have the shape {list(samples.shape)}, must be [n, channels]")
    clipped = np.clip(finite(samples.astype(np.float32, copy=False)), -1, 1)
    summed, difference = clipped[:, 0].copy(), clipped[:, 0].copy()
    for channel in range(1, samples.shape[1]):
        summed += clipped[:, channel]
        difference += clipped[:, channel] if channel % 2 == 0 else -clipped[:, channel]
    if samples.shape[1] == 1:
        difference[:] = 0
    return np.stack((summed, difference)) / np.float32(samples.shape[1])


def _amplitude(samples: Floats) -> Floats:
    """Amplitude spectrum [n / 2 + 1] under a Hann window; a sine of amplitude 1 gives 1."""
    window = hann(len(samples))
    spectrum: Floats = np.abs(np.fft.rfft(samples * window))
    return spectrum


@cache
def hann(size: int) -> Floats:
    """A Hann window [size] under which a sine of amplitude 1 has the amplitude 1 in the spectrum."""
    window: Floats = np.hanning(size + 1)[:-1].astype(np.float32)
    scaled: Floats = window * 2 / window.sum()
    return scaled


def mel_filters(rate: float) -> tuple[Floats, Floats]:
    """Mel filters [mel, bins], and which of them make up which band [4, mel] (rows sum to 1)."""
    edges = mel_centres(MEL_BANDS, 20, min(16000.0, rate / 2))
    centres = edges[1:-1]
    split = np.array([(low <= centres) & (centres < high) for low, high in BANDS.values()], np.float32)
    return mel_bank(rate, ACCENT_WINDOW, edges), split / np.maximum(split.sum(axis=1, keepdims=True), 1)
