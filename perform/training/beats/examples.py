"""Examples for the network: what the beat tracker hears of a sound, and where the beats are in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import fft

from perform.arrays import Doubles, Floats
from perform.rhythm.banks import chroma_bank
from perform.rhythm.features import (
    ACCENT_WINDOW,
    CHROMA_WINDOW,
    COMPRESSION,
    FLOOR,
    HOPS_PER_SECOND,
    RELEASE,
    hann,
    mel_filters,
)
from perform.rhythm.hearing import bass_cut
from perform.training.beats.kit import RATE
from perform.training.beats.recording import FluidSynth, babble, hiss, master, record
from perform.training.beats.score import compose, drift

TOLD_LATE = 2  # hops after its own in which a beat is told: its onset has then been heard
BESIDE = 0.4  # how much the hops beside a beat count as one
BLOCK = 500  # hops that are transformed at once


@dataclass(frozen=True, slots=True)
class Example:
    """What is heard in each hop [hops, 52], and the targets [hops, 2]: a beat, a downbeat."""

    heard: Floats
    targets: Floats


def made(seed: int, band: FluidSynth, seconds: float = 40.0) -> Example:
    """The example of a seed: music, or in a ninth of the cases something without a pulse."""
    random = np.random.default_rng(seed)
    kind = random.random()
    if kind < 0.035:
        return _without_beats(master(random, babble(random, seconds)))
    if kind < 0.06:
        return _without_beats(master(random, hiss(random, seconds)))
    piece = drift(random, seconds) if kind < 0.11 else compose(random, seconds)
    return example(record(random, piece, band), RATE, piece.beats, piece.beats[piece.downbeat > 0])


def _without_beats(sound: Floats) -> Example:
    return example(sound, RATE, np.zeros(0), np.zeros(0))


def example(sound: Floats, rate: int, beats: Doubles, downbeats: Doubles) -> Example:
    """The example of a mono sound [n] with known beats and downbeats (seconds)."""
    seen = heard(sound, rate)
    told = (np.floor(times * HOPS_PER_SECOND) + TOLD_LATE for times in (beats, downbeats))
    return Example(seen, targets(len(seen), *told))


def targets(hops: int, beats: Doubles, downbeats: Doubles) -> Floats:
    """Targets [hops, 2] from the hops of beats and downbeats: 1, and less on both sides."""
    wanted = np.zeros((hops, 2), np.float32)
    for column, places in enumerate((beats, downbeats)):
        near = np.round(places).astype(int)
        for offset, value in ((-1, BESIDE), (1, BESIDE), (0, 1.0)):
            inside = near[(near + offset >= 0) & (near + offset < hops)] + offset
            wanted[inside, column] = np.maximum(wanted[inside, column], value)
    return wanted


def heard(sound: Floats, rate: int) -> Floats:
    """What the tracker hears of a mono sound [n]: for each hop 40 mel bands of log loudness and 12 pitch
    classes, the same as the network is given hop by hop."""
    mel, _ = mel_filters(rate)
    chroma = chroma_bank(rate, CHROMA_WINDOW)
    mels = np.concatenate([a @ mel.T for a in _amplitudes(sound, rate, ACCENT_WINDOW)])
    pitches = np.concatenate([np.sqrt((a * a) @ chroma.T) for a in _amplitudes(sound, rate, CHROMA_WINDOW)])
    loudness = np.log1p(np.float32(COMPRESSION) * mels / _references(mels.max(axis=1))[:, None])
    tones = pitches / _references(pitches.max(axis=1))[:, None]
    return np.asarray(np.concatenate((bass_cut(loudness), tones), axis=1), np.float32)


def _amplitudes(sound: Floats, rate: int, window: int) -> Iterator[Floats]:
    """Amplitude spectra [BLOCK, window / 2 + 1] of the window that ends with each hop."""
    hop = rate // HOPS_PER_SECOND
    padded = np.pad(sound, (window - hop, 0)).astype(np.float32)
    frames = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][: len(sound) // hop]
    for at in range(0, len(frames), BLOCK):
        yield np.abs(fft.rfft(frames[at : at + BLOCK] * hann(window), axis=1))


def _references(values: Floats) -> Floats:
    """The highest value so far, which falls to 1/e in RELEASE seconds [hops]."""
    fall = np.arange(len(values)) / (RELEASE * HOPS_PER_SECOND)
    highest = np.maximum.accumulate(np.log(np.maximum(values, FLOOR * 1e-6)) + fall) - fall
    return np.asarray(np.maximum(np.exp(highest), FLOOR), np.float32)
