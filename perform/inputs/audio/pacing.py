"""A device's sound at the pace of the show, for a recorder: two clocks never run equally fast."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perform.arrays import Samples

if TYPE_CHECKING:
    import av

CUSHION = 0.05  # seconds kept in reserve, so that a late block leaves no gap
TOLERANCE = 0.025  # seconds by which the reserve may be off before the pace changes
MOST_EXCESS = 0.25  # seconds by which it may be off before sound is dropped
PACE_CHANGE = 0.003  # share of the pace: five hundredths of a semitone


class PacedSound:
    """Takes blocks as they come and gives exactly as many samples as requested, at `rate`."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._cushion = int(CUSHION * rate)
        self._held: Samples = np.zeros((self._cushion, 2), np.float32)
        self._taking = False
        self._resampler: av.AudioResampler | None = None
        self._from = rate

    def add(self, samples: Samples, rate: int) -> None:
        """A block of a device [n, 1 or 2] at the device's `rate`."""
        both = np.broadcast_to(samples, (len(samples), 2))
        held = np.concatenate((self._held, both if rate == self._rate else self._resampled(both, rate)))
        excess = not self._taking or len(held) - self._cushion > MOST_EXCESS * self._rate
        self._held = held[-self._cushion :] if excess else held

    def take(self, count: int) -> Samples:
        """The next `count` samples [count, 2], with silence where there are too few."""
        self._taking = True
        excess = (len(self._held) - count - self._cushion) / self._rate
        pace = 1.0 if abs(excess) < TOLERANCE else 1 + np.copysign(PACE_CHANGE, excess)
        used = min(round(count * pace), len(self._held))
        block, self._held = self._held[:used], self._held[used:]
        if pace == 1.0 or used < 2 or used < count * (1 - PACE_CHANGE):
            return np.concatenate((block, np.zeros((count - used, 2), np.float32)))
        at = np.linspace(0, used - 1, count)
        return np.stack([np.interp(at, np.arange(used), c) for c in block.T], 1).astype(np.float32)

    def _resampled(self, samples: Samples, rate: int) -> Samples:
        import av

        if self._resampler is None or self._from != rate:
            self._from = rate
            self._resampler = av.AudioResampler(format="flt", layout="stereo", rate=self._rate)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate = rate
        blocks = [one.to_ndarray().reshape(-1, 2) for one in self._resampler.resample(frame)]
        return np.concatenate([np.zeros((0, 2), np.float32), *blocks])
