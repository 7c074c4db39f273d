"""Analyses sound: samples in, events out. The same for a file, a device and a render."""

from __future__ import annotations

import numpy as np

from perform.arrays import Samples
from perform.rhythm.beat import Beat
from perform.rhythm.features import FeatureExtractor, merge
from perform.rhythm.tracker import open_tracker
from perform.signals import Event


class SoundAnalyzer:
    """Analyses a stream of `rate` samples a second, whose first sample is at 0."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.count = 0  # samples so far
        self._extractor = FeatureExtractor(rate)
        self._tracker = open_tracker()

    def process(self, samples: Samples, offset: float = 0.0) -> list[Event]:
        """The events of one frame's samples, oldest first: `tempo.beat` [bpm, confidence, downbeat] for each
        beat, and at the end of the last hop that they complete one event per `audio.*` signal and
        `beat.confidence`. `offset` (seconds) is the show's time of the stream's first sample."""
        self.count += len(samples)
        hops = self._extractor.process(samples)
        if not hops:
            return []
        beats = [beat for hop in hops if (beat := self._tracker.process(hop))]
        features = merge(hops)
        values = features.signals() | {"beat.confidence": self._tracker.confidence}
        return [
            *(_beat(beat, offset) for beat in beats),
            *(Event(features.time + offset, name, value) for name, value in values.items()),
        ]


def _beat(beat: Beat, offset: float) -> Event:
    value = np.array([beat.bpm, beat.confidence, beat.downbeat], np.float32)
    return Event(beat.time + offset, "tempo.beat", value)
