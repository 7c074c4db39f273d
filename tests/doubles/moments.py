"""Moments of a clock."""

from __future__ import annotations

from perform.clock import Moment


def moment(seconds: float) -> Moment:
    return Moment(seconds, 0, 0, 0, 0, 120)
