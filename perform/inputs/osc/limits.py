"""Limits how much each sender may send: a flood of one costs the others nothing."""

from __future__ import annotations

from collections import OrderedDict

MOST_SENDERS = 64  # with their own bucket; of more, the one that was silent for longest is forgotten


class RateLimiter:
    """A bucket of `burst` messages for each sender, which fills again by `rate` a second."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()  # what is left, and when

    def allow(self, sender: str, cost: float, now: float) -> bool:
        """Whether a sender may send `cost` messages at `now` (seconds); counted if so."""
        left, then = self._buckets.pop(sender, (self._burst, now))
        left = min(left + max(now - then, 0.0) * self._rate, self._burst)
        allowed = left >= min(cost, self._burst)
        self._buckets[sender] = (left - cost if allowed else left), now
        if len(self._buckets) > MOST_SENDERS:
            self._buckets.popitem(last=False)
        return allowed
