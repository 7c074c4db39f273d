"""How far a path has come: a phase in keyframes, added up from bars, beats or seconds, and jumps."""

from __future__ import annotations

import math

from perform.clock import BEATS_PER_BAR, Moment

LOST_BEATS = 4.0  # a larger jump of the beat is another song, not a correction
CATCH_UP = 0.25  # seconds; time constant with which a correction of the beat is made up
JUMP_AHEAD = 0.25  # keyframes; a jump this close before a keyframe goes to the one after it


class Travel:
    """How far a path has come: a phase that moments advance."""

    def __init__(self) -> None:
        self._phase = 0.0
        self._units: float | None = None
        self._behind = 0.0

    def step(self, moment: Moment, speed: float, per: str) -> float:
        """The phase after this moment: `speed` per bar, beat or second.

        The first step starts where the bar or the beat is, so that whole phases fall on downbeats.
        A correction of the beat is made up smoothly; a jump of the count is ignored.
        """
        passed, surplus = self._passed(moment, per)
        self._phase += speed * passed
        self._behind = (self._behind + speed * surplus) * math.exp(-moment.dt / CATCH_UP)
        return self._phase - self._behind

    def _passed(self, moment: Moment, per: str) -> tuple[float, float]:
        """Units since the last step, and how many of them the tempo does not account for."""
        if per == "second":
            return moment.dt, 0.0
        beats = 1 if per == "beat" else BEATS_PER_BAR
        units, before = moment.beat if per == "beat" else moment.bar, self._units
        self._units = units
        if before is None:
            return units % 1, 0.0
        expected = moment.dt * moment.bpm / 60 / beats
        surplus = units - before - expected
        if abs(surplus) * beats > LOST_BEATS:
            return expected, 0.0
        return units - before, surplus


class Jumps:
    """Steps to the next keyframe on a trigger, at once or gliding."""

    def __init__(self) -> None:
        self._held = False
        self._target = 0.0
        self._behind = 0.0

    def step(self, moment: Moment, jump: bool, glide: float, phase: float) -> float:
        """`phase` moved on by the jumps so far; `glide` is how many seconds a jump takes."""
        self._behind *= math.exp(-4 * moment.dt / glide) if glide > 0 else 0.0
        if jump and not self._held:
            here = phase + self._target
            step = math.floor(here + JUMP_AHEAD) + 1 - here
            self._target += step
            self._behind += step if glide > 0 else 0.0
        self._held = jump
        return phase + self._target - self._behind
