"""The ear: samples in, events out. The same for a file, a device and a render."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from perform.features import FeatureExtractor, Features, merge
from perform.signals import Event

Samples = NDArray[np.float32]  # [n, channels]


class Ear:
    """Hears a stream of `rate` samples a second, whose first sample was at 0."""

    def __init__(self, rate: int) -> None:
        self.rate = rate
        self.heard = 0  # samples
        self._extractor = FeatureExtractor(rate)

    def hear(self, samples: Samples, offset: float = 0.0) -> list[Event]:
        """What the samples of one frame say: an event per `audio.*` signal, at the end of the last
        hop that they complete, and one for each beat. `offset` (seconds) is the show's time of the
        stream's first sample."""
        self.heard += len(samples)
        hops = self._extractor.process(samples)
        if not hops:
            return []
        return [*_features(merge(hops), offset), *self._beats(hops, offset)]

    def _beats(self, hops: Sequence[Features], offset: float) -> list[Event]:
        return []


def _features(features: Features, offset: float) -> list[Event]:
    time = features.time + offset
    return [Event(time, name, value) for name, value in features.signals().items()]
