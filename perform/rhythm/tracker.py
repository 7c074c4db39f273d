"""The beat tracker of the show: a network hears beats, a pointer follows them, and a grid keeps to it.

Causal: it reports a beat at the moment when it falls.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping

import numpy as np

from perform.arrays import Floats
from perform.faults import reason
from perform.rhythm.bar import BarPointer, Harmony
from perform.rhythm.beat import Beat
from perform.rhythm.features import HOPS_PER_SECOND, Features
from perform.rhythm.grid import BeatGrid, GridTracker
from perform.rhythm.hearing import BeatHearing, inputs_of, read_weights, weight_files
from perform.rhythm.pointer import EVEN, BeatPointer, Pointed
from perform.rhythm.resonators import ResonatorTracker

log = logging.getLogger("perform")

HEARD_LATE = 2.5  # hops by which the network hears a beat late
QUIET = 0.3  # log loudness below which a hop counts as silence,
FAINT = 0.038  # which speaks against a beat this much at first,
LONG_QUIET = 100  # and after so many hops not at all
AROUND = 3  # hops around a beat in which its activation counts

# the grid
LOOK_EVERY = 5  # hops between two looks at the pointer
SAME_TEMPO = 0.04  # a tempo this near is followed, another one is jumped to
SAME_PHASE = 0.15  # of a beat: the same
PHASE_GAIN, PERIOD_GAIN = 0.06, 0.012  # share of an error made up per look
LOOKS_TO_SWITCH = 10  # for which the pointer has to be elsewhere
BELIEVED = 0.3  # share of the belief that a tempo needs to be jumped to
AUDIBLE, FADE = 0.05, 0.999  # the activation that this needs, and what is left of one in the next hop

# confidence
HEARD_MEMORY = 0.15  # share of a beat in how well beats are heard
HALF_SURE = 0.19  # how well, times the pointer's sharpness and belief, at a confidence of a half
CONFIDENCE_STEP = 0.03  # share of a look in the confidence: 1.7 seconds


def open_tracker() -> BeatTracker | ResonatorTracker:
    """The tracker of the show: with the user's own weights, else with those of the program, and where neither
    can be read, the one that learned nothing."""
    for file in weight_files():
        try:
            return BeatTracker(read_weights(file))
        except (OSError, ValueError) as fault:
            log.warning("the beat is tracked without these weights: %s", reason(fault))
    return ResonatorTracker()


class BeatTracker(GridTracker):
    """Follows the beat of a stream of features, one per 10 ms, between 40 and 220 bpm.

    Deterministic and causal: a beat is a function of the hops up to then.
    """

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self._grid = BeatGrid()
        super().__init__(self._grid)
        self._hearing = BeatHearing(weights)
        self._pointer = BeatPointer()
        self._bar, self._harmony = BarPointer(), Harmony()
        self._hops = self._quiet = 0  # so far, and since the last sound
        self._elsewhere = 0  # looks for which the pointer has been
        self._recent = np.zeros((2 * AROUND + 1, 2), np.float32)  # activations of the last hops
        self._heard = self._loudest = 0.0  # the activation of the last beats, and the highest one

    def process(self, features: Features) -> Beat | None:
        """The beat that falls into this hop, if one does. In silence the grid runs on."""
        activations = self._hearing.hear(inputs_of(features))
        beat = float(activations[0])
        self._recent = np.concatenate((self._recent[1:], activations[None]))
        self._loudest = max(self._loudest * FADE, beat)
        self._quiet = self._quiet + 1 if features.loudness.max() < QUIET else 0
        if self._quiet:
            beat = FAINT if self._quiet < LONG_QUIET else EVEN
        self._pointer.hear(beat)
        self._hops += 1
        self._grid.pass_hop()
        if self._hops % LOOK_EVERY == 0:
            self._look(self._pointer.place(), self._quiet < LONG_QUIET)
        if self._grid.running and 0 <= self._grid.ago - HEARD_LATE - AROUND < 1:
            self._weigh()
        self._harmony.add(features.chroma.astype(np.float64), self._grid.ago)
        ago = self._grid.beat()
        if ago is None:
            return None
        downbeat = self._bar.next()
        self._bar.changed(self._harmony.change())
        return Beat(features.time - ago / HOPS_PER_SECOND, self.bpm, self.confidence, downbeat)

    def _look(self, pointed: Pointed, audible: bool) -> None:
        """Follow the pointer, or jump to it if it has been elsewhere for long enough; not in silence."""
        sure = (self._heard * pointed.sharpness * pointed.belief / HALF_SURE) ** 2 if audible else 0.0
        self.confidence += (sure / (sure + 1) - self.confidence) * CONFIDENCE_STEP
        if audible:
            self._follow(pointed)

    def _follow(self, pointed: Pointed) -> None:
        grid, ago = self._grid, pointed.place * pointed.period + HEARD_LATE
        same_tempo = abs(np.log(pointed.period / grid.period)) < SAME_TEMPO
        early = (ago - grid.ago + grid.period / 2) % grid.period - grid.period / 2 if grid.running else 0.0
        if grid.running and same_tempo and abs(early) < SAME_PHASE * grid.period:
            self._elsewhere = 0
            grid.pull(early, PHASE_GAIN * pointed.sharpness, PERIOD_GAIN * pointed.sharpness)
        elif pointed.belief > BELIEVED and self._loudest > AUDIBLE:
            self._elsewhere += 1
            if self._elsewhere >= LOOKS_TO_SWITCH or not grid.running:
                self._elsewhere = 0
                grid.lock(pointed.period, ago)
                if not same_tempo:
                    self._bar.restart()

    def _weigh(self) -> None:
        """Weigh the beat that has just passed."""
        beat, downbeat = (float(one) for one in self._recent.max(axis=0))
        self._heard += (beat - self._heard) * HEARD_MEMORY
        self._bar.hear(downbeat)
