"""The balance of a live show: gives the governor what the frames measure, and applies its levels."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from perform.clock import LiveClock
from perform.performance import Performance
from perform.stage import Stage
from perform.stage.governor import Governor, Level, Shown

log = logging.getLogger("perform")
SIZE_WORDS = {1.0: "full size", 0.5: "half size", 0.25: "a quarter of the size"}


def scaled(size: tuple[int, int], scale: float) -> tuple[int, int]:
    """A size (width, height) times a scale, in whole pixels."""
    width, height = (max(round(side * scale), 1) for side in size)
    return width, height


def level_text(level: Level, busy: bool) -> str:
    """A level in plain words; `busy`: it is not the best."""
    size = SIZE_WORDS.get(level.scale, f"{level.scale:.0%} of the size")
    return f"display {level.fps:g}/s, scenes at {size}" + (": the processor is busy" if busy else "")


class Balance:
    """Paces the clock and sizes the scenes of a show of `size` (width, height) as its governor decides."""

    def __init__(self, governor: Governor, clock: LiveClock, stage: Stage, size: tuple[int, int]) -> None:
        self._governor, self._clock, self._stage, self._size = governor, clock, stage, size

    @property
    def level(self) -> Level:
        """The level that is played."""
        return self._governor.level

    @property
    def levels(self) -> Sequence[Level]:
        """The levels that it chooses from, the best first."""
        return self._governor.levels

    @property
    def decisions(self) -> int:
        """How often the level changed within a scene; from one scene to the next is not counted."""
        return self._governor.decisions

    @property
    def text(self) -> str:
        """What the show plays now, in plain words."""
        return level_text(self.level, busy=self.level != self.levels[0])

    def frame(self, now: float, work: float, performance: Performance) -> None:
        """Take a frame's work at the time `now`, in seconds, and what the performance showed."""
        performance.took(late=work > 1 / self.level.fps)
        decisions, cues, position = self.decisions, performance.cues, performance.position
        before = None if position.before is None else cues[position.before].cue.scene.file
        shown = Shown(cues[position.cue].cue.scene.file, before)  # an edit may change the order of the cues
        if self._governor.frame(now, work, self._stage.network_time(), shown):
            self._clock.pace(self.level.fps)
            self._stage.resize(scaled(self._size, self.level.scale), cues)
        if self.decisions > decisions:
            log.info("%s", self.text)
