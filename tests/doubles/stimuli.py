"""Made sounds with known beats, for the beat tracker's tests and table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from perform.rhythm.beat import Beat
from perform.rhythm.features import FeatureExtractor
from perform.rhythm.tracker import open_tracker

RATE = 44100
SECONDS = 30.0
NEAR = 0.07  # seconds between a true beat and a right one, as in mir_eval
IN_A_ROW = 8  # right beats that make a lock

Sound = NDArray[np.float32]
Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Stimulus:
    """A sound [n, 1] at RATE with its true beats and downbeats (seconds); `change` is when its tempo
    jumps, or 0."""

    name: str
    sound: Sound
    beats: Times
    downbeats: Times
    change: float = 0.0


def clicks(bpm: float) -> Stimulus:
    beats = steady(bpm)
    return _made(f"clicks {bpm:g}", beats, (("click", beats, 0.7),))


def four(bpm: float) -> Stimulus:
    """Four on the floor: a kick on every beat."""
    beats = steady(bpm)
    return _made(f"four on the floor {bpm:g}", beats, (("kick", beats, 0.8),))


def hats(bpm: float) -> Stimulus:
    """Four on the floor with open hats between the beats."""
    return _hats(f"off-beat hats {bpm:g}", steady(bpm))


def rock(bpm: float) -> Stimulus:
    """Kick on 1 and 3, snare on 2 and 4, hats in eighths, a chord that changes with the bar."""
    beats = steady(bpm)
    parts = (
        ("kick", beats[0::2], 0.8),
        ("snare", beats[1::2], 0.6),
        ("hat", between(beats, 0, 1 / 2), 0.25),
    )
    made = _made(f"rock {bpm:g}", beats, parts)
    made.sound[:] += _chords(beats[::4])
    return made


def syncopated(bpm: float) -> Stimulus:
    """Kicks on the sixteenths 0, 3, 6 and 10 of a bar, snare on 2 and 4, a shaker in sixteenths."""
    beats = steady(bpm)
    kicks = [
        beats[0::4],
        between(beats[0::4], 3 / 16),
        between(beats[0::4], 6 / 16),
        between(beats[0::4], 10 / 16),
    ]
    parts = (
        ("kick", np.concatenate(kicks), 0.8),
        ("snare", beats[1::2], 0.6),
        ("hat", between(beats, 0, 1 / 4, 1 / 2, 3 / 4), 0.15),
    )
    return _made(f"syncopated {bpm:g}", beats, parts)


def swing(bpm: float) -> Stimulus:
    """A ride pattern with eighths at two thirds of the beat, soft kick on every beat, hat foot on 2 and 4."""
    beats = steady(bpm)
    parts = (
        ("kick", beats, 0.3),
        ("hat", beats, 0.3),
        ("hat", between(beats[1::2], 2 / 3), 0.3),
        ("snare", beats[1::2], 0.2),
    )
    return _made(f"swing {bpm:g}", beats, parts)


def six_eight(bpm: float) -> Stimulus:
    """Six eighths to a bar of two beats (dotted quarters at `bpm`)."""
    beats = steady(bpm)
    parts = (
        ("kick", beats[0::2], 0.8),
        ("snare", beats[1::2], 0.6),
        ("hat", between(beats, 0, 1 / 3, 2 / 3), 0.25),
    )
    return _made(f"6/8 {bpm:g}", beats, parts, bar=2)


def ramp(start: float, end: float) -> Stimulus:
    """Off-beat hats from `start` to `end` bpm in 30 seconds, the tempo linear in time."""
    slope = (end - start) / 60 / SECONDS
    count = np.arange(int((start + end) / 2 / 60 * SECONDS))
    beats = (np.sqrt((start / 60) ** 2 + 2 * slope * count) - start / 60) / slope + 0.1
    return _hats(f"ramp {start:g} to {end:g}", beats)


def step(start: float, end: float) -> Stimulus:
    """Off-beat hats at `start` bpm for 15 seconds, then at `end`."""
    before = np.arange(0.1, SECONDS / 2, 60 / start)
    after = np.arange(before[-1] + 60 / start, SECONDS, 60 / end)
    made = _hats(f"step {start:g} to {end:g}", np.concatenate((before, after)))
    return replace(made, change=float(after[0]))


def noisy(bpm: float, decibels: float) -> Stimulus:
    """Off-beat hats in white noise, `decibels` of signal above noise over the whole length."""
    clean = hats(bpm)
    noise = np.random.default_rng(7).standard_normal(clean.sound.shape)
    gain = np.sqrt(np.mean(clean.sound.astype(np.float64) ** 2)) * 10 ** (-decibels / 20)
    sound = (0.5 * (clean.sound + gain * noise)).astype(np.float32)
    return Stimulus(f"noise {decibels:g} dB", sound, clean.beats, clean.downbeats)


def dropout(bpm: float) -> Stimulus:
    """Off-beat hats, with four bars of silence after bar 6."""
    whole = hats(bpm)
    start, end = (int(whole.beats[i] * RATE) - 200 for i in (24, 40))
    sound = whole.sound.copy()
    sound[start:end] = 0
    return Stimulus(f"dropout {bpm:g}", sound, whole.beats, whole.downbeats)


def silence() -> Stimulus:
    return _made("silence", np.zeros(0), ())


def white() -> Stimulus:
    noise = 0.2 * np.random.default_rng(3).standard_normal((int(RATE * SECONDS), 1))
    return Stimulus("white noise", noise.astype(np.float32), np.zeros(0), np.zeros(0))


def speech() -> Stimulus:
    """Syllables of 120-300 ms, voiced with a gliding pitch and two formants or hissed, in phrases
    with pauses: the rhythm of speech without its words."""
    random = np.random.default_rng(5)
    sound = np.zeros((int(RATE * SECONDS), 1), np.float32)
    at = 0.2
    while at < SECONDS - 0.5:
        length = random.uniform(0.12, 0.3)
        syllable = _syllable(random, int(length * RATE))
        _mix(sound, syllable, at)
        at += length * random.uniform(0.8, 1.2) + (random.uniform(0.3, 0.9) if random.random() < 0.15 else 0)
    return Stimulus("speech-like", sound, np.zeros(0), np.zeros(0))


def everything() -> Iterator[Stimulus]:
    """Every stimulus of the table, in its order."""
    yield from (clicks(bpm) for bpm in (60, 90, 120, 174))
    yield from (four(bpm) for bpm in (60, 90, 120, 174, 180))
    yield from (hats(bpm) for bpm in (60, 90, 128, 174))
    yield from (rock(bpm) for bpm in (90, 120, 174))
    yield from (syncopated(bpm) for bpm in (90, 110))
    yield from (swing(bpm) for bpm in (120, 160))
    yield from (six_eight(bpm) for bpm in (60, 80))
    yield from (ramp(120, 132), ramp(120, 108), step(120, 140), dropout(120))
    yield from (noisy(120, decibels) for decibels in (20, 10, 5, 0))
    yield from (silence(), white(), speech())


def steady(bpm: float) -> Times:
    """Beats at an even tempo, from 0.1 s on."""
    beats: Times = np.arange(0.1, SECONDS, 60 / bpm)
    return beats


def between(beats: Times, *parts: float) -> Times:
    """The times at `parts` (0..1) of the way from each beat to the next."""
    return np.concatenate([beats[:-1] + part * np.diff(beats) for part in parts])


def track(samples: Sound, rate: int) -> list[Beat]:
    """The beats of a whole sound [n, channels], as a live run would report them."""
    extractor, tracker = FeatureExtractor(rate), open_tracker()
    beats = (tracker.process(hop) for hop in extractor.process(samples))
    return [beat for beat in beats if beat]


def locked(true: Times, said: Times, start: float = 0.0) -> float:
    """Seconds from `start` to the first of eight true beats in a row that were reported, with none between;
    infinite when there are none."""
    for first in range(len(true) - IN_A_ROW):
        row = true[first : first + IN_A_ROW]
        within = said[(said > row[0] - NEAR) & (said < row[-1] + NEAR)]
        if row[0] >= start and len(within) == IN_A_ROW and np.all(np.abs(within - row) <= NEAR):
            return float(row[0] - start)
    return np.inf


def errors(true: Times, said: Times) -> Times:
    """How much later each beat was reported than the true beat nearest to it, in seconds."""
    late: Times = said - true[np.abs(said[:, None] - true).argmin(axis=1)]
    return late


def _hats(name: str, beats: Times) -> Stimulus:
    return _made(name, beats, (("kick", beats, 0.8), ("hat", between(beats, 1 / 2), 0.4)))


def _made(
    name: str, beats: Times, parts: Iterable[tuple[str, Sequence[float] | Times, float]], bar: int = 4
) -> Stimulus:
    sound = np.zeros((int(RATE * SECONDS), 1), np.float32)
    random = np.random.default_rng(1)
    for voice, times, gain in parts:
        for time in times:
            _mix(sound, gain * _voice(voice, random), time)
    return Stimulus(name, sound, beats, beats[::bar])


def _mix(sound: Sound, voice: NDArray[np.float64], time: float) -> None:
    at = round(time * RATE)
    room = sound[at : at + len(voice), 0]
    room += voice[: len(room)].astype(np.float32)


def _voice(name: str, random: np.random.Generator) -> Times:
    """One note of a drum kit."""
    t = np.arange(int(0.4 * RATE)) / RATE
    note: Times
    match name:
        case "click":
            note = np.sin(2 * np.pi * 1000 * t) * np.exp(-t * 150)
        case "kick":
            note = np.sin(2 * np.pi * (48 * t + 3 * (1 - np.exp(-40 * t)))) * np.exp(-9 * t)
        case "snare":
            hiss = np.diff(random.standard_normal(len(t) + 1)) * 0.5
            note = (hiss + 0.6 * np.sin(2 * np.pi * 190 * t)) * np.exp(-18 * t)
        case "hat":
            note = np.diff(random.standard_normal(len(t) + 2), 2) * 0.4 * np.exp(-35 * t)
        case _:
            raise ValueError(f"voice = {name!r}, must be click, kick, snare or hat")
    return note


def _chords(changes: Times) -> Sound:
    """A minor, F, C, G repeatedly and softly, from each change to the next."""
    sound = np.zeros((int(RATE * SECONDS), 1), np.float32)
    edges = [*(round(change * RATE) for change in changes), len(sound)]
    chords = ((220, 261.6, 329.6), (174.6, 220, 261.6), (130.8, 196, 329.6), (196, 246.9, 293.7))
    for bar, (start, end) in enumerate(pairwise(edges)):
        t = np.arange(end - start) / RATE
        tones = sum(np.sin(2 * np.pi * hertz * t) for hertz in chords[bar % 4])
        sound[start:end, 0] = 0.05 * tones * np.minimum(1, np.minimum(t, t[::-1]) * 50)
    return sound


def _syllable(random: np.random.Generator, size: int) -> NDArray[np.float64]:
    t = np.arange(size) / RATE
    swell: Times = np.sin(np.pi * t * RATE / size) ** random.uniform(0.4, 1.2)
    if random.random() < 0.25:
        return 0.15 * swell * np.diff(random.standard_normal(size + 1))
    pitch = random.uniform(100, 160) * (1 + random.uniform(-0.15, 0.15) * t * RATE / size)
    formants = random.uniform(300, 800), random.uniform(900, 2300)
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    voice = np.zeros(size)
    for k in range(1, 25):
        weight = sum(np.exp(-(((k * 130 - formant) / 150) ** 2)) for formant in formants) + 0.1 / k
        voice += weight * np.sin(k * phase)
    return 0.2 * swell * voice
