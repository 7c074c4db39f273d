"""Moments of a clock, and the timer behind it."""

from __future__ import annotations

from perform.clock import Moment


def moment(seconds: float) -> Moment:
    return Moment(seconds, 0, 0, 0, 0, 120)


class Timer:
    """In place of the module `time`: time passes only when a test changes it, or by sleeping."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds
