"""Lessons: examples in random order and guises, side by side in lanes that are heard without a break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Doubles, Floats
from perform.rhythm.features import HOPS_PER_SECOND, MEL_BANDS
from perform.rhythm.hearing import INPUTS
from perform.training.beats.examples import Example, targets

FASTER = 0.15  # how much faster or slower an example is heard, at most (log)
SHIFT = 2  # mel bands by which it is heard higher or lower, at most
TONE = 5.0  # decibels: how far its spectrum is bent
FRESH = 0.6  # how often the network forgets all before the next example
DELAYS = (1 / 4, 1 / 3, 3 / 8, 1 / 2, 1 / 2, 2 / 3, 3 / 4, 3 / 4, 1)  # beats after which an echo comes
PASS = 4  # decibels per band beyond the limit of a filter


@dataclass(frozen=True, slots=True)
class Lesson:
    """A piece of every lane: what is heard [lanes, hops, INPUTS], the hop before it [lanes, INPUTS], the
    targets [lanes, hops, 2], and which lanes begin anew [lanes]."""

    heard: Floats
    before: Floats
    targets: Floats
    fresh: Floats


class Lanes:
    """Draws lessons of `hops` from the `examples` that are long enough; deterministic by its generator.
    ValueError if none is."""

    def __init__(
        self, random: np.random.Generator, examples: Sequence[Example], lanes: int, hops: int
    ) -> None:
        self._random, self._hops = random, hops
        self._examples = [one for one in examples if len(one.heard) >= 4 * hops]
        if not self._examples:
            seconds = 4 * hops / HOPS_PER_SECOND
            raise ValueError(f"there is no music of {seconds:g} s or more to learn from, give more pieces")
        self._quiet = [one for one in examples if not one.targets.any()]
        self._now = [disguised(random, self._draw()) for _ in range(lanes)]
        self._at = [
            int(random.integers(0, len(example.heard))) for example in self._now
        ]  # not all end together
        self._before = np.zeros((lanes, INPUTS), np.float32)

    def next(self) -> Lesson:
        """The next lesson: it goes on where the last one ended."""
        fresh = np.array([self._renew(lane) for lane in range(len(self._now))], np.float32)
        before = self._before * (1 - fresh[:, None])
        parts = [slice(at, at + self._hops) for at in self._at]
        heard = np.stack([one.heard[part] for one, part in zip(self._now, parts, strict=True)])
        wanted = np.stack([one.targets[part] for one, part in zip(self._now, parts, strict=True)])
        self._before = heard[:, -1]
        self._at = [at + self._hops for at in self._at]
        return Lesson(heard, before, wanted, fresh)

    def _renew(self, lane: int) -> bool:
        """Give a lane whose example is over another one; returns whether the network forgets the last one."""
        if self._at[lane] + self._hops <= len(self._now[lane].heard):
            return False
        example = disguised(self._random, self._draw())
        if self._quiet and self._random.random() < 0.15:
            example = _talked_over(self._random, example, self._quiet)
        self._now[lane], self._at[lane] = example, 0
        return bool(self._random.random() < FRESH)

    def _draw(self) -> Example:
        """An example, in half of the cases from somewhere in its first half on."""
        example = self._examples[int(self._random.integers(len(self._examples)))]
        start = int(self._random.integers(len(example.heard) // 2)) if self._random.random() < 0.5 else 0
        heard, wanted = (one[start:].astype(np.float32) for one in (example.heard, example.targets))
        return Example(heard, wanted)


def disguised(random: np.random.Generator, example: Example) -> Example:
    """The example at another speed, pitch and tone, and with the tricks of a producer."""
    if random.random() < 0.7:
        example = faster(example, float(np.exp(random.uniform(-FASTER, FASTER))))
    loud, chroma = np.expm1(example.heard[:, :MEL_BANDS]), example.heard[:, MEL_BANDS:]
    places = np.clip(np.arange(MEL_BANDS) + random.integers(-SHIFT, SHIFT + 1), 0, MEL_BANDS - 1)
    loud = loud[:, places]
    if random.random() < 0.7:
        bend = np.interp(np.arange(MEL_BANDS), np.linspace(0, MEL_BANDS - 1, 6), random.normal(0, TONE, 6))
        loud = loud * 10 ** (bend / 20)
    chroma = np.roll(chroma, int(random.integers(12)), axis=1)
    beats = np.flatnonzero(example.targets[:, 0] == 1)
    if len(beats) > 4:
        loud = _worked_over(random, loud, beats)
    heard = np.concatenate((np.log1p(loud), chroma), axis=1).astype(np.float32)
    return Example(heard, example.targets)


def _worked_over(random: np.random.Generator, loud: Floats, beats: NDArray[np.int64]) -> Floats:
    """The amplitudes [hops, bands] with the tricks of a producer: all of them keep to the beats, and may make
    what lies between them the loudest."""
    period = float(np.median(np.diff(beats)))
    if random.random() < 0.2:
        depth, recovery = random.uniform(0.3, 1), random.uniform(0.1, 0.4) * period
        loud = pumped(loud, beats, depth, recovery, int(random.integers(9)))
    if random.random() < 0.2:
        loud = echoed(loud, round(random.choice(DELAYS) * period), random.uniform(0.1, 0.7))
    if random.random() < 0.25:
        start, length = random.uniform(-0.5, 0.9), random.uniform(0.1, 0.7)
        share = np.interp(np.arange(len(loud)) / len(loud), (start, start + length), (0, 1))
        limit = random.uniform(5, 35) + random.uniform(-25, 25) * share
        loud = swept(loud, np.clip(limit, 3, 36), random.random() < 0.6)
    return loud


def pumped(loud: Floats, beats: NDArray[np.int64], depth: float, recovery: float, band: int) -> Floats:
    """The amplitudes [hops, bands] from `band` on turned down at each beat by `depth` (0..1), and up again in
    `recovery` hops: a compressor that hears the kick."""
    hops = np.arange(len(loud))
    last = np.searchsorted(beats, hops, side="right") - 1
    since = np.where(last >= 0, hops - beats[last], np.inf)
    gain = np.ones_like(loud)
    gain[:, band:] = (1 - depth * np.exp(-since / recovery))[:, None]
    return loud * gain


def echoed(loud: Floats, delay: int, gain: float) -> Floats:
    """The amplitudes [hops, bands] with an echo after `delay` hops, and an echo of the echo."""
    wet = loud.copy()
    for hop in range(delay, len(loud), delay):
        part = wet[hop : hop + delay]
        part += gain * wet[hop - delay : hop - delay + len(part)]
    return wet


def swept(loud: Floats, limit: Doubles, low: bool) -> Floats:
    """The amplitudes [hops, bands] through a filter that passes what lies below (`low`) or above the band
    `limit` [hops]."""
    beyond = np.arange(loud.shape[1]) - limit[:, None]
    decibels = -PASS * np.maximum(beyond if low else -beyond, 0)
    return (loud * 10 ** (decibels / 20)).astype(np.float32)


def faster(example: Example, factor: float) -> Example:
    """The example, so many times as fast."""
    hops = int(len(example.heard) / factor)
    at = np.arange(hops) * factor
    first = np.minimum(at.astype(int), len(example.heard) - 2)
    share = np.minimum(at - first, 1)[:, None].astype(np.float32)
    heard = example.heard[first] * (1 - share) + example.heard[first + 1] * share
    beats, downbeats = (np.flatnonzero(column == 1) / factor for column in example.targets.T)
    return Example(heard, targets(hops, beats, downbeats))


def _talked_over(random: np.random.Generator, example: Example, quiet: Sequence[Example]) -> Example:
    """The example with a voice or a noise over it."""
    other = quiet[int(random.integers(len(quiet)))]
    hops = min(len(example.heard), len(other.heard))
    heard = example.heard.copy()
    gain = random.uniform(0.05, 0.5)
    loudness: Doubles = np.expm1(heard[:hops, :MEL_BANDS]) + gain * np.expm1(other.heard[:hops, :MEL_BANDS])
    heard[:hops, :MEL_BANDS] = np.log1p(loudness)
    return Example(heard, example.targets)
