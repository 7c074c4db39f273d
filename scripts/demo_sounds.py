"""The sounds of the demo track: drums, bass, pluck, lead, bell, pad, and the spaces around them.

A sound is float32 at 48 kHz, mono [n] or stereo [2, n]; pitches are MIDI notes, times seconds.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from perform.training.beats.kit import harmonics

Sound = NDArray[np.float32]

RATE = 48_000


def times(seconds: float) -> Sound:
    return np.asarray(np.arange(round(seconds * RATE)) / RATE, np.float32)


def hertz(pitch: float) -> float:
    return float(440 * 2 ** ((pitch - 69) / 12))


def noise(seconds: float, seed: int, low: float = 20, high: float = 20_000) -> Sound:
    """White noise between two frequencies (Hz), with edges of about an octave, at unit power."""
    white = np.random.default_rng(seed).standard_normal(round(seconds * RATE))
    spectrum = np.fft.rfft(white)
    frequency = np.fft.rfftfreq(len(white), 1 / RATE) + 1e-3
    spectrum *= 1 / (1 + (low / frequency) ** 4) / (1 + (frequency / high) ** 4)
    shaped = np.fft.irfft(spectrum, len(white))
    return np.asarray(shaped / shaped.std(), np.float32)


def edges(n: int, attack: float, release: float) -> Sound:
    """A gain that rises and falls in raised cosines over so many seconds."""
    gain = np.ones(n, np.float32)
    rise, fall = min(n, round(attack * RATE)), min(n, round(release * RATE))
    gain[:rise] *= 0.5 - 0.5 * np.cos(np.pi * np.arange(rise) / max(rise, 1))
    gain[n - fall :] *= 0.5 + 0.5 * np.cos(np.pi * np.arange(fall) / max(fall, 1))
    return gain


def sawtooth(frequency: float, seconds: float, start: float) -> Sound:
    """A sawtooth with the step smoothed by a polynomial (PolyBLEP: Välimäki and Huovilainen, 2007)."""
    step = frequency / RATE
    phase = ((start + step * np.arange(round(seconds * RATE))) % 1).astype(np.float32)
    wave = 2 * phase - 1
    after, before = phase < step, phase > 1 - step
    wave[after] -= 2 * (t := phase[after] / step) - t * t - 1
    wave[before] -= (t := (phase[before] - 1) / step) * t + 2 * t + 1
    return wave


@lru_cache
def kick() -> Sound:
    t = times(0.42)
    phase = 50 * t + (1 - np.exp(-t * 42)) * 190 / 42 + (1 - np.exp(-t * 260)) * 520 / 260
    body = np.sin(2 * np.pi * phase) * np.exp(-((t / 0.19) ** 2)) * edges(len(t), 0.0004, 0.05)
    click = noise(0.42, 1, 1800, 9000) * np.exp(-t * 240) * 0.45
    return np.asarray(np.tanh(1.7 * body) / np.tanh(1.7) + click, np.float32)


@lru_cache
def clap() -> Sound:
    t = times(0.35)
    bursts = sum(np.exp(-((t - at) % 9) * 260) * (t >= at) * (at + 0.02) * 30 for at in (0, 0.009, 0.018))
    tail = np.exp(-(np.maximum(t - 0.02, 0)) * 17) * (t >= 0.018)
    snap = np.sin(2 * np.pi * (185 * t + 2 * (1 - np.exp(-t * 60)))) * np.exp(-t * 34) * 0.5
    air = noise(0.35, 2, 900, 6500) * (0.5 * bursts + 0.36 * tail)
    return np.asarray((air + snap) * edges(len(t), 0.0004, 0.05) * 0.5, np.float32)


@lru_cache
def hat(seconds: float) -> Sound:
    t = times(seconds)
    metal = sum(np.sign(np.sin(2 * np.pi * f * t)) for f in (2417, 3181, 4123, 5407, 6311, 8117))
    wash = noise(seconds, 3, 7500, 16_000) + 0.25 * metal * np.sign(noise(seconds, 4, 6000))
    return np.asarray(wash * np.exp(-t * 5 / seconds) * edges(len(t), 0.0005, 0.02) * 0.3, np.float32)


@lru_cache
def shaker(variant: int) -> Sound:
    t = times(0.075)
    return np.asarray(
        noise(0.075, 20 + variant, 5500, 13_000) * np.exp(-t * 50) * edges(len(t), 0.004, 0.01) * 0.3
    )


@lru_cache
def conga(pitch: float) -> Sound:
    t = times(0.3)
    skin = np.sin(2 * np.pi * (hertz(pitch) * t + 0.9 * (1 - np.exp(-t * 45)))) * np.exp(-t * 15)
    slap = noise(0.3, 5, 1200, 6000) * np.exp(-t * 190) * 0.2
    return np.asarray((skin + slap) * edges(len(t), 0.0006, 0.05) * 0.7, np.float32)


@lru_cache
def rim() -> Sound:
    t = times(0.09)
    wood = np.sin(2 * np.pi * 1710 * t) + 0.6 * np.sin(2 * np.pi * 2630 * t)
    return np.asarray(wood * np.exp(-t * 75) * edges(len(t), 0.0004, 0.01) * 0.5, np.float32)


@lru_cache
def snare() -> Sound:
    t = times(0.16)
    body = np.sin(2 * np.pi * (205 * t + 1.2 * (1 - np.exp(-t * 70)))) * np.exp(-t * 30)
    return np.asarray(
        (body + noise(0.16, 6, 1500, 9000) * np.exp(-t * 26) * 0.5) * edges(len(t), 0.0004, 0.03) * 0.6
    )


@lru_cache
def crash() -> Sound:
    t = times(3.2)
    return np.asarray(
        noise(3.2, 7, 3500, 14_000) * np.exp(-t * 1.7) * edges(len(t), 0.001, 0.5) * 0.3, np.float32
    )


@lru_cache
def bass(pitch: float, seconds: float) -> Sound:
    """A sine below, and a saw whose harmonics close like a filter after each stroke."""
    t = times(seconds + 0.03)
    growl = harmonics(hertz(pitch + 12) * t, lambda k: np.exp(-(k - 1) * (0.16 + 2.2 * t)) / k**0.8, 24)
    return np.asarray(
        (np.sin(2 * np.pi * hertz(pitch) * t) + 0.42 * growl) * edges(len(t), 0.004, 0.04) * 0.6, np.float32
    )


@lru_cache
def pluck(pitch: float, bright: int) -> Sound:
    """A string-like pluck; `bright` 0..7 opens it."""
    t = times(0.5)
    top = int(min(2 + 3 * bright, 15_000 / hertz(pitch)))
    tone = harmonics(hertz(pitch) * t, lambda k: np.exp(-t * (6.5 + 3.5 * k)) / k, top + 1)
    return np.asarray(tone * edges(len(t), 0.0015, 0.1) * 0.5, np.float32)


def lead(pitch: float, seconds: float) -> Sound:
    """Three voices a few cents apart, with a vibrato that comes in late."""
    t = times(seconds + 0.25)
    vibrato = 0.0035 * np.sin(2 * np.pi * 5.2 * t) * np.minimum(t / 0.5, 1) / 33
    top = int(min(14, 15_000 / hertz(pitch)))
    dark = 0.17 + 0.5 * np.exp(-t * 9)
    voices = [
        harmonics(hertz(pitch + cents) * (t + vibrato), lambda k: np.exp(-k * dark) / k**0.3, top)
        for cents in (-0.07, 0.0, 0.06)
    ]
    return np.asarray(
        sum(voices) * edges(len(t), 0.012, 0.22) * (0.6 + 0.4 * np.exp(-t * 3)) * 0.25, np.float32
    )


def bell(pitch: float) -> Sound:
    """Two-operator frequency modulation (Chowning, 1973)."""
    t = times(1.6)
    modulator = np.sin(2 * np.pi * 3.5 * hertz(pitch) * t) * 1.4 * np.exp(-t * 6)
    return np.asarray(
        np.sin(2 * np.pi * hertz(pitch) * t + modulator) * np.exp(-t * 3.2) * edges(len(t), 0.002, 0.2) * 0.3
    )


def pad(pitch: float, seconds: float, seed: int) -> Sound:
    """Six detuned sawtooths across the stereo field [2, n]."""
    draw = np.random.default_rng(seed)
    gain = edges(round(seconds * RATE), 0.25, 0.6)
    field = np.zeros((2, len(gain)), np.float32)
    for place, cents in zip(np.linspace(0.1, 0.9, 6), (0.09, -0.13, 0.02, -0.05, 0.14, -0.08), strict=True):
        voice = sawtooth(hertz(pitch + cents), seconds, float(draw.random())) * gain
        field += np.array([[np.cos(place * np.pi / 2)], [np.sin(place * np.pi / 2)]], np.float32) * voice
    return field * np.float32(0.12)


def riser(seconds: float) -> Sound:
    """Noise and a tone that climb three octaves and stop dead."""
    t = times(seconds)
    x = t / seconds
    bands = [noise(seconds, 40 + i, 300 * 2**i, 600 * 2**i) for i in range(6)]
    wash = sum(band * np.exp(-((6 * x - i) ** 2) / 2) for i, band in enumerate(bands))
    bright = np.asarray(0.3 + 0.7 * x, np.float32)
    phase = np.cumsum(hertz(45) * 2 ** (3 * x**1.5)) / RATE
    tone = harmonics(np.asarray(phase % 1, np.float32), lambda k: np.asarray(bright**k / k), 10)
    tremble = 0.75 + 0.25 * np.sin(2 * np.pi * np.cumsum(4 + 12 * x**2) / RATE)
    return np.asarray(
        (0.5 * wash + 0.3 * tone) * tremble * x**1.8 * edges(len(t), 0.1, 0.012) * 0.5, np.float32
    )


@lru_cache
def boom() -> Sound:
    t = times(2.4)
    phase = 34 * t + (1 - np.exp(-t * 6)) * 60 / 6
    return np.asarray(np.sin(2 * np.pi * phase) * np.exp(-t * 1.9) * edges(len(t), 0.002, 0.4), np.float32)


# Everything below works on a loop: the end of the sound goes over into its beginning.


def place(loop: Sound, sound: Sound, seconds: float, gain: float = 1.0, pan: float = 0.5) -> None:
    """Add a sound to a loop [2, n] at a time; `pan` 0 is left, 1 right (for mono sounds)."""
    sides = np.array([[np.cos(pan * np.pi / 2)], [np.sin(pan * np.pi / 2)]], np.float32) * np.float32(2**0.5)
    stereo = gain * (sound if sound.ndim == 2 else sides * sound)
    start, n = round(seconds * RATE), loop.shape[1]
    until_end = min(stereo.shape[1], n - start)
    loop[:, start : start + until_end] += stereo[:, :until_end]
    loop[:, : stereo.shape[1] - until_end] += stereo[:, until_end:]


def swept(loop: Sound, cutoff: Sound) -> Sound:
    """A low-pass filter (24 dB an octave) whose cutoff [n] moves: a cross-fade of fixed ones.

    They have no phase shift, so that neighbours add up without comb filtering.
    """
    spectrum = np.fft.rfft(loop).astype(np.complex64)
    frequency = np.fft.rfftfreq(loop.shape[1], 1 / RATE) + 1e-3
    spectrum *= 1 / (1 + (170 / frequency) ** 4)  # room for the bass
    place_in_bank = np.clip(np.log2(cutoff / 110) * 1.25, 0, 9.999)
    total = np.zeros_like(loop)
    for i in range(11):
        share = np.maximum(0, 1 - np.abs(place_in_bank - i)).astype(np.float32)
        if share.any():
            response = 1 / (1 + (frequency / (110 * 2 ** (i / 1.25))) ** 4)
            total += share * np.fft.irfft(spectrum * response, loop.shape[1]).astype(np.float32)
    return total


def shelf(loop: Sound, corner: float, gain: float) -> Sound:
    """The highs above `corner` (Hz) times `gain`, without phase shift."""
    square = np.fft.rfftfreq(loop.shape[1], 1 / RATE) ** 2
    response = 1 + (gain - 1) * square / (square + corner**2)
    return np.asarray(np.fft.irfft(np.fft.rfft(loop) * response, loop.shape[1]), np.float32)


def echoes(loop: Sound, seconds: float, feedback: float, count: int = 7) -> Sound:
    """A delay that bounces between left and right and darkens a little each time; without the dry sound."""
    total = np.zeros_like(loop)
    mono = loop.mean(axis=0)
    for i in range(1, count + 1):
        mono = 0.25 * np.roll(mono, 1) + 0.5 * mono + 0.25 * np.roll(mono, -1)
        near, far = (0, 1) if i % 2 else (1, 0)
        echo = np.roll(mono, round(i * seconds * RATE)) * feedback**i
        total[near] += 0.9 * echo
        total[far] += 0.3 * echo
    return total


def reverb(loop: Sound, seconds: float, seed: int, delay: float = 0.02) -> Sound:
    """A hall: convolution with noise that decays by 60 dB in `seconds`, its highs twice as fast."""
    t = times(1.3 * seconds)
    wet = np.empty_like(loop)
    for side in range(2):
        low, high = (
            noise(1.3 * seconds, seed + 2 * side + i, a, b)
            for i, (a, b) in enumerate(((250, 2500), (2500, 9000)))
        )
        tail = (low * np.exp(-t * 6.9 / seconds) + 0.5 * high * np.exp(-t * 13.8 / seconds)) * edges(
            len(t), 0.012, 0.1
        )
        response = np.zeros(loop.shape[1], np.float32)
        start = round(delay * RATE)
        response[start : start + len(tail)] = tail / np.sqrt(np.sum(tail**2))
        wet[side] = np.fft.irfft(np.fft.rfft(loop[side]) * np.fft.rfft(response), loop.shape[1])
    return wet


def ducked(n: int, strokes: list[float], depth: float, seconds: float = 0.3) -> Sound:
    """The gain [n] of a side chain: down by `depth` at every stroke, back up after `seconds`."""
    t = times(seconds)
    dip = depth * np.cos(np.pi / 2 * t / seconds) ** 1.5 * edges(len(t), 0.004, 0.01)
    gain = np.ones(n, np.float32)
    for stroke in strokes:
        at = (round(stroke * RATE) + np.arange(len(t))) % n
        gain[at] = np.minimum(gain[at], 1 - dip)
    return gain


def limited(loop: Sound, ceiling: float, look: float = 0.004) -> Sound:
    """A soft knee into a look-ahead limiter: no sample above `ceiling`."""
    warm = np.tanh(0.8 * loop) / 0.8
    peak = np.abs(warm).max(axis=0)
    reach = round(look * RATE)
    span = 1
    while span <= 2 * reach:  # the largest sample of a window twice as long, each time
        peak = np.maximum(peak, np.roll(peak, span))
        span *= 2
    needed = np.minimum(1, ceiling / np.maximum(np.roll(peak, -(span // 2)), 1e-9))
    window = np.zeros(loop.shape[1])
    window[:reach] = np.hanning(reach + 2)[1:-1]
    window = np.roll(window / window.sum(), -(reach // 2))
    gain = np.fft.irfft(np.fft.rfft(needed) * np.fft.rfft(window), loop.shape[1])
    return np.asarray(np.clip(warm * gain, -ceiling, ceiling), np.float32)
