"""A beat tracker that learned nothing: resonators find the tempo, and a pulse the beat.

The sound's novelty feeds a bank of leaky resonators (a Fourier tempogram with a one-sided window) and
a leaky autocorrelation. Their product shows the tempo without its multiples, which only the former
has, and without its fractions, which only the latter has (Peeters, "Time variable tempo detection and
beat marking", ICMC 2005). The predominant local pulse at that tempo (Grosche and Müller, "Extracting
predominant local pulse information from music recordings", IEEE TASLP 19(6), 2011) is folded out of the
last beats and continued into the future, so that a beat is known before it is heard (Meier, Schwär and
Müller, "A real-time beat tracking system with zero latency and enhanced controllability", TISMIR 7(1),
2024). A grid of beats follows the pulse like a phase-locked loop.

The pulse is a fold, not a sum of cosines as in PLP: a cosine is drawn off the beat by swing and hats.
"""

from __future__ import annotations

import numpy as np

from perform.arrays import Doubles
from perform.clock import BEATS_PER_BAR, HIGHEST_BPM, LOWEST_BPM
from perform.rhythm.bar import Harmony
from perform.rhythm.beat import Beat
from perform.rhythm.features import HOPS_PER_SECOND, Features
from perform.rhythm.grid import LONGEST_PERIOD, PER_MINUTE, BeatGrid, GridTracker

# novelty
WEIGHTS = np.array([1.0, 0.5, 0.35, 0.3])  # of the bands: a dancer follows the kick
MEAN_TIME, SPREAD_TIME = 1.0, 6.0  # seconds over which novelty is centred and scaled
LEAST_SPREAD = 0.05  # of the accents: below it the sound counts as silence
WEAK = 0.25  # of the widest band's spread: a weaker band is not turned up

# tempo
TEMPO_MEMORY = 4.0  # seconds in which a sound's weight in the tempo falls to 1/e
STEPS = 60  # tempi per octave
LAGS = 4 * int(LONGEST_PERIOD) + 2  # hops: four beats of the slowest tempo
CENTRE, WIDTH = 112.0, 0.85  # bpm and octaves: where people tap (log-normal, as in Ellis 2007)
ACROSS = 0.15  # share of the correlation between bands: a kick and a hat in turn are no beat each
TOGETHER = 0.2  # the same for the resonators
BAR_WEIGHT = 1.0  # weight of the correlation at four beats

# pulse and grid
FOLDED_HOPS = 900  # hops of novelty that are folded
LONG_MEMORY = 6.0  # beats in which a beat's weight in the phase falls to 1/e, to lock
SHORT_MEMORY = 1.0  # the same, to follow
DELAY = 0.8  # hops by which an onset is seen late
LOOK_EVERY = 5  # hops between two looks
SEARCH_RANGE = 0.12  # of a beat, or 3 hops: how far the grid looks for its beat
PHASE_GAIN, PERIOD_GAIN = 0.5, 0.15  # share of an error made up per beat
BETTER_TEMPO, BETTER_PHASE = 1.15, 1.3  # how much better another one has to be,
LOOKS_TO_SWITCH = 15  # and for how many looks. More of it, the longer the grid has held, for changes
# between simple ratios of a tempo, was no gain on real music

# confidence: speech and noise reach a significance times correlation of 0.8 where the grid has held
# for five seconds and of 7 where it has just jumped, real music seldom less than 1
HALF_SURE = 1.0  # significance times correlation at which the confidence is a half
STEADY = 400  # hops for which a grid has to hold until its evidence counts in full
CONFIDENCE_STEP = 0.03  # share of a look in the confidence: 1.7 seconds

# bar
METER_KEEP = 0.95  # of the accents, per beat
HARMONY = 8.0  # weight of a change of harmony against a low accent
BETTER_BAR = 1.2  # how much more accent another beat has to have to begin the bar


class ResonatorTracker(GridTracker):
    """Follows the beat of a stream of features, one per 10 ms, between 40 and 220 bpm.

    Deterministic and causal: a beat is a function of the hops up to then.
    """

    def __init__(self) -> None:
        self._grid = _Grid()
        super().__init__(self._grid)
        self._novelty = _Novelty()
        self._tempogram = _Tempogram()
        self._meter = _Meter()
        self._hops = 0

    def process(self, features: Features) -> Beat | None:
        """The beat that falls into this hop, if one does."""
        past = self._novelty.add(features.accents.astype(np.float64))
        if self._novelty.quiet < FOLDED_HOPS:  # a long silence would decay into denormals
            self._tempogram.add(past)
        self._hops += 1
        self._grid.pass_hop()
        if self._hops % LOOK_EVERY == 0:
            self._look(past)
        self._meter.harmony.add(features.chroma.astype(np.float64), self._grid.ago)
        ago = self._grid.beat()
        if ago is None:
            return None
        time = features.time - ago / HOPS_PER_SECOND
        return Beat(time, self.bpm, self.confidence, self._meter.count(past[0], self._grid.period))

    def _look(self, past: Doubles) -> None:
        if self._novelty.quiet > LONGEST_PERIOD:  # the grid runs on
            self.confidence *= 1 - CONFIDENCE_STEP
            return
        if self._grid.choose(self._tempogram.periods, self._tempogram.salience(), past[-1]):
            self._meter.restart()
        if not self._grid.running:
            return
        significance = self._grid.follow(past[-1])
        regular = self._tempogram.correlation(self._grid.period)
        steady = min(self._grid.age / STEADY, 1.0) ** 2
        sure = steady * max(significance, 0.0) * max(regular, 0.0)
        self.confidence += (sure / (sure + HALF_SURE) - self.confidence) * CONFIDENCE_STEP


class _Novelty:
    """The novelty of the sound, band by band: accents, centred and scaled by their recent past."""

    def __init__(self) -> None:
        self.quiet = 0  # hops since the last accent
        self._mean = np.zeros(4)
        self._power = np.zeros(4)
        self._past = np.zeros((5, FOLDED_HOPS))

    def add(self, accents: Doubles) -> Doubles:
        """The novelty of the last hops, the newest first: four weighted bands and their sum
        [5, FOLDED_HOPS]."""
        self.quiet = 0 if accents.max() > LEAST_SPREAD else self.quiet + 1
        centred = accents - self._mean
        self._mean += centred / (MEAN_TIME * HOPS_PER_SECOND)
        self._power += (centred**2 - self._power) / (SPREAD_TIME * HOPS_PER_SECOND)
        spread = np.sqrt(self._power)
        novelty = WEIGHTS * centred / np.maximum(spread, max(LEAST_SPREAD, WEAK * spread.max()))
        self._past[:, 1:] = self._past[:, :-1]
        self._past[:4, 0] = novelty
        self._past[4, 0] = novelty.sum()
        return self._past


class _Tempogram:
    """How well each tempo explains the last seconds."""

    def __init__(self) -> None:
        octaves = np.arange(0, np.log2(HIGHEST_BPM / LOWEST_BPM), 1 / STEPS)
        tempi = LOWEST_BPM * 2**octaves
        self.periods: Doubles = PER_MINUTE / tempi
        self._prior = np.exp(-0.5 * (np.log2(tempi / CENTRE) / WIDTH) ** 2)
        self._keep = np.exp(-1 / (TEMPO_MEMORY * HOPS_PER_SECOND))
        self._turn = self._keep * np.exp(2j * np.pi / self.periods)
        self._waves = np.zeros((4, len(tempi)), np.complex128)
        self._products = np.zeros((5, LAGS))

    def add(self, past: Doubles) -> None:
        """Add a hop; `past` [5, hops], the newest first."""
        self._waves *= self._turn
        self._waves += past[:4, :1]
        self._products *= self._keep
        self._products += past[:, :1] * past[:, :LAGS]

    def salience(self) -> Doubles:
        """The salience of each of `periods`, in no unit; 0 where there is no beat."""
        lags = self._correlations()
        beat, bar = (np.interp(beats * self.periods, np.arange(LAGS), lags) for beats in (1, BEATS_PER_BAR))
        alone, together = np.abs(self._waves).sum(axis=0), np.abs(self._waves.sum(axis=0))
        waves = (1 - TOGETHER) * alone + TOGETHER * together
        comb = np.maximum(beat, 0) * (1 + BAR_WEIGHT * np.maximum(bar, 0))
        salience: Doubles = waves * comb * self._prior
        return salience

    def correlation(self, period: float) -> float:
        """The correlation of the novelty with itself `period` hops ago: 1 for what repeats exactly."""
        return float(np.interp(period, np.arange(LAGS), self._correlations()))

    def _correlations(self) -> Doubles:
        products = (1 - ACROSS) * self._products[:4].sum(axis=0) + ACROSS * self._products[4]
        correlations: Doubles = products / max(products[0], 1e-9)
        return correlations


class _Grid(BeatGrid):
    """The grid, and the loop that keeps it on the pulse."""

    def __init__(self) -> None:
        super().__init__()
        self._better_tempo = 0
        self._better_phase = 0

    def choose(self, periods: Doubles, salience: Doubles, novelty: Doubles) -> bool:
        """Switch to the tempo of the highest salience if it has been better for long enough; returns
        whether the grid starts again."""
        best = int(salience.argmax())
        if salience[best] <= 0:
            return False
        near = np.abs(np.log2(periods / self.period)) < 3 / STEPS
        here = salience[near].max(initial=0.0)
        better = not near[best] and salience[best] > BETTER_TEMPO * here
        self._better_tempo = self._better_tempo + 1 if better else 0
        if self.running and self._better_tempo < LOOKS_TO_SWITCH:
            return False
        period = float(periods[best] * 2 ** (-_vertex(salience, best) / STEPS))
        self._jump(period, _Pulse(novelty, period, LONG_MEMORY))
        return True

    def follow(self, novelty: Doubles) -> float:
        """Pull the grid to the pulse; returns its significance in standard deviations of noise."""
        pulse, fresh = (_Pulse(novelty, self.period, memory) for memory in (LONG_MEMORY, SHORT_MEMORY))
        height, _ = pulse.near(self.ago)
        better = pulse.highest > BETTER_PHASE * max(height, 0.05)
        self._better_phase = self._better_phase + 1 if better else 0
        if self._better_phase >= LOOKS_TO_SWITCH:
            self._jump(self.period, pulse)
        else:
            height, early = fresh.near(self.ago)
            share = min(max(height, 0.0), 1.0) * LOOK_EVERY / self.period  # a weak beat pulls less
            self.pull(early, PHASE_GAIN * share, PERIOD_GAIN * share)
        return pulse.significance(height)

    def _jump(self, period: float, pulse: _Pulse) -> None:
        self.lock(period, pulse.latest)
        self._better_tempo = self._better_phase = 0


class _Pulse:
    """The last beats' novelty, laid over each other at one period: a profile over the hops of a beat."""

    def __init__(self, novelty: Doubles, period: float, memory: float) -> None:
        size = int(np.ceil(period))
        beats = np.arange(int((FOLDED_HOPS - size - 2) / period))
        places = np.arange(size) * (period / size)
        at = places + beats[:, None] * period  # [beats, size]
        whole = at.astype(np.int64)
        part = at - whole
        weights = np.exp(-beats / memory)
        weights /= weights.sum()
        profile = weights @ (novelty[whole] * (1 - part) + novelty[whole + 1] * part)
        self._period = period
        self._profile = profile + 0.5 * (np.roll(profile, 1) + np.roll(profile, -1))
        self._ago = places + DELAY
        self._noise = np.sqrt(1.5 * (WEIGHTS**2).sum() * (weights**2).sum())

    @property
    def highest(self) -> float:
        """The height of the highest peak."""
        return float(self._profile.max())

    @property
    def latest(self) -> float:
        """How many hops ago the beat of the highest peak fell last."""
        return float(self._ago[self._profile.argmax()])

    def near(self, ago: float) -> tuple[float, float]:
        """The height of the highest peak within reach of `ago` (hops), and how much further ago it is."""
        off = (self._ago - ago + self._period / 2) % self._period - self._period / 2
        reached = np.where(np.abs(off) <= max(3.0, SEARCH_RANGE * self._period), self._profile, -np.inf)
        peak = int(reached.argmax())
        step = self._period / len(self._profile)
        return float(reached[peak]), float(off[peak]) + _vertex(self._profile, peak) * step

    def significance(self, height: float) -> float:
        """`height` above the mean, in standard deviations of a profile of noise."""
        return float((height - self._profile.mean()) / self._noise)


class _Meter:
    """Where the bar begins: on that beat of four that has the most low end and change of harmony."""

    def __init__(self) -> None:
        self.restart()

    def restart(self) -> None:
        """Start again: the next beat of the grid is the first."""
        self._accents = np.zeros(BEATS_PER_BAR)
        self._beat = -1
        self._first = 0
        self.harmony = Harmony()

    def count(self, low: Doubles, period: float) -> bool:
        """Count a beat; returns whether it is the first of its bar. The beat before, `period` hops ago in
        the `low` band's novelty, is over and is weighed."""
        if self._beat >= 0:
            self._weigh(float(low[int(period) - 3 : int(period) + 7].max()))
        self._beat = (self._beat + 1) % BEATS_PER_BAR
        return self._beat == self._first

    def _weigh(self, low: float) -> None:
        self._accents *= METER_KEEP
        self._accents[self._beat] += max(low, 0.0) + HARMONY * self.harmony.change()
        best = int(self._accents.argmax())
        if self._accents[best] > BETTER_BAR * self._accents[self._first]:
            self._first = best


def _vertex(values: Doubles, peak: int) -> float:
    """Where the parabola through a peak and its neighbours has its vertex, from -0.5 to 0.5 of a step."""
    if not 0 < peak < len(values) - 1:
        return 0.0
    left, middle, right = values[peak - 1 : peak + 2]
    bend = left - 2 * middle + right
    return float(np.clip(0.5 * (left - right) / bend, -0.5, 0.5)) if bend < 0 else 0.0
