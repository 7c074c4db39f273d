"""Instruments of machines: drums, basses and synthesisers, each drawn at random within its kind.

A sound is mono [n] at RATE, at most about 1 high.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import fft

from perform.arrays import Doubles, Floats

RATE = 44100

Drum = Callable[[np.random.Generator], Floats]


def drum(random: np.random.Generator, name: str) -> Floats:
    """One drum of a machine's kit: another one of the same name at each call."""
    return DRUMS.get(name, _click)(random)


def harmonics(phase: Floats | Doubles, weight: Callable[[int], Floats | float], count: int) -> Floats:
    """A sum of sines over a phase in turns: exactly band-limited, unlike a naive sawtooth."""
    turn = np.exp(2j * np.pi * phase).astype(np.complex64)
    power = turn.copy()
    total = np.zeros(len(phase), np.float32)
    for k in range(1, count + 1):
        total += weight(k) * power.imag
        power *= turn
    return total


def _seconds(length: float) -> Floats:
    return np.asarray(np.arange(int(length * RATE)) / RATE, np.float32)


def _hiss(random: np.random.Generator, n: int, low: float, high: float) -> Floats:
    """Noise between two frequencies (Hz), at unit power."""
    size = fft.next_fast_len(n, real=True)
    hertz = np.asarray(np.linspace(1e-3, RATE / 2, size // 2 + 1), np.float32)
    shape = 1 / (1 + (low / hertz) ** 4) / (1 + (hertz / high) ** 4)
    shaped = fft.irfft(fft.rfft(random.standard_normal(size, dtype=np.float32)) * shape, size)[:n]
    return np.asarray(shaped / max(shaped.std(), 1e-9), np.float32)


def _kick(random: np.random.Generator) -> Floats:
    t = _seconds(random.uniform(0.15, 0.7))
    low, fall = random.uniform(38, 70), random.uniform(20, 120)
    body = np.sin(2 * np.pi * (low * t + random.uniform(1, 6) * (1 - np.exp(-fall * t))))
    body *= np.exp(-t * random.uniform(5, 22))
    click = _hiss(random, len(t), 1000, 9000) * np.exp(-t * random.uniform(150, 500)) * random.uniform(0, 0.4)
    drive = random.choice([1.0, random.uniform(1, 8)])
    return np.asarray(np.tanh(drive * body) / np.tanh(drive) + click, np.float32)


def _snare(random: np.random.Generator) -> Floats:
    t = _seconds(random.uniform(0.12, 0.45))
    tone = np.sin(2 * np.pi * (random.uniform(150, 260) * t + random.uniform(0, 2) * (1 - np.exp(-60 * t))))
    hiss = _hiss(random, len(t), random.uniform(300, 2500), random.uniform(6000, 15000))
    mixed = random.uniform(0.2, 1) * tone * np.exp(-t * random.uniform(14, 40))
    mixed += random.uniform(0.15, 0.4) * hiss * np.exp(-t * random.uniform(9, 35))
    return np.asarray(0.8 * mixed, np.float32)


def _clap(random: np.random.Generator) -> Floats:
    t = _seconds(random.uniform(0.2, 0.4))
    bursts = sum(
        np.where(t >= at, np.exp(-(t - at) * 200), 0) for at in np.arange(3) * random.uniform(0.007, 0.012)
    )
    tail = np.exp(-t * random.uniform(10, 30))
    return np.asarray(_hiss(random, len(t), 700, 7000) * (0.4 * bursts + 0.5 * tail) * 0.3, np.float32)


def _hat(random: np.random.Generator) -> Floats:
    t = _seconds(random.uniform(0.04, 0.12))
    return np.asarray(_metal(random, t) * np.exp(-t * random.uniform(40, 120)) * 0.25, np.float32)


def _open_hat(random: np.random.Generator) -> Floats:
    t = _seconds(random.uniform(0.2, 0.5))
    return np.asarray(_metal(random, t) * np.exp(-t * random.uniform(6, 18)) * 0.22, np.float32)


def _crash(random: np.random.Generator) -> Floats:
    t = _seconds(2.5)
    return np.asarray(_metal(random, t) * np.exp(-t * random.uniform(1, 3)) * 0.25, np.float32)


def _metal(random: np.random.Generator, t: Floats) -> Floats:
    hiss = _hiss(random, len(t), random.uniform(4000, 8000), 16000)
    tones = sum(np.sign(np.sin(2 * np.pi * hertz * t)) for hertz in random.uniform(2000, 9000, 4))
    return np.asarray(hiss + random.uniform(0, 0.25) * tones, np.float32)


def _tom(random: np.random.Generator) -> Floats:
    t = _seconds(random.uniform(0.2, 0.6))
    phase = random.uniform(70, 220) * t + random.uniform(0.5, 3) * (1 - np.exp(-25 * t))
    return np.asarray(0.8 * np.sin(2 * np.pi * phase) * np.exp(-t * random.uniform(6, 20)), np.float32)


def _conga(random: np.random.Generator) -> Floats:
    t = _seconds(random.uniform(0.1, 0.3))
    phase = random.uniform(180, 420) * t + 0.8 * (1 - np.exp(-45 * t))
    slap = _hiss(random, len(t), 1000, 6000) * np.exp(-t * 190) * random.uniform(0.05, 0.3)
    return np.asarray(0.7 * (np.sin(2 * np.pi * phase) * np.exp(-t * 16) + slap), np.float32)


def _shaker(random: np.random.Generator) -> Floats:
    t = _seconds(0.08)
    swell = np.minimum(t / random.uniform(0.004, 0.02), 1)
    return np.asarray(
        _hiss(random, len(t), 4500, 13000) * swell * np.exp(-t * random.uniform(30, 70)) * 0.2, np.float32
    )


def _cowbell(random: np.random.Generator) -> Floats:
    t = _seconds(0.3)
    low = random.uniform(500, 900)
    tones = np.sign(np.sin(2 * np.pi * low * t)) + np.sign(np.sin(2 * np.pi * low * 1.48 * t))
    return np.asarray(0.2 * tones * np.exp(-t * random.uniform(10, 30)), np.float32)


def _click(random: np.random.Generator) -> Floats:
    t = _seconds(random.uniform(0.03, 0.1))
    wave = np.sin(2 * np.pi * random.uniform(700, 2800) * t)
    return np.asarray(0.6 * wave * np.exp(-t * random.uniform(40, 160)), np.float32)


DRUMS: dict[str, Drum] = {
    "kick": _kick,
    "snare": _snare,
    "clap": _clap,
    "hat": _hat,
    "open_hat": _open_hat,
    "ride": _open_hat,
    "pedal": _hat,
    "crash": _crash,
    "tom": _tom,
    "conga": _conga,
    "shaker": _shaker,
    "cowbell": _cowbell,
    "rim": _click,
}


class Synthesiser:
    """Saws, squares or sines with an envelope and a filter that closes, drawn at random once."""

    def __init__(self, random: np.random.Generator, kind: str) -> None:
        sustained = kind == "pad"
        self._attack = random.uniform(0.05, 0.8) if sustained else random.uniform(0.002, 0.015)
        self._decay = random.uniform(0, 0.5) if sustained else random.choice([0.5, 3.0, 8.0])
        self._slope = random.uniform(0.6, 1.6)
        self._even = random.choice([0.0, 1.0, 1.0])  # without even harmonics it is a square
        self._open, self._close = random.uniform(0.02, 0.5), random.choice([0.0, random.uniform(0, 6)])
        self._detune = random.uniform(0, 0.012) if kind != "bass" else 0.0
        self._release = random.uniform(0.02, 0.25)

    def tone(self, pitch: int, length: float) -> Floats:
        """A note of `pitch` (MIDI) for `length` seconds, and its release."""
        t = _seconds(min(length, 8.0) + self._release)
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        wave = np.zeros(len(t), np.float32)
        for detune in (1 - self._detune, 1 + self._detune) if self._detune else (1.0,):
            wave += self._harmonics(hertz * detune, t)
        gain = np.minimum(t / self._attack, 1) * np.exp(-self._decay * t)
        gain *= np.clip((t[-1] - t) / self._release, 0, 1)
        return np.asarray(0.35 * wave * gain, np.float32)

    def _harmonics(self, hertz: float, t: Floats) -> Floats:
        def weight(k: int) -> Floats:
            height = (1.0 if k % 2 else self._even) / k**self._slope
            closing: Floats = np.exp(-self._open * (k - 1) - self._close * t * (k - 1) * 0.3)
            return np.float32(height) * closing

        return harmonics(np.float32(hertz) * t, weight, int(min(14, 12000 / hertz)))
