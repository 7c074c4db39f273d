"""Where in a setlist the show is: which scene is on, which is coming in, and how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from perform.clock import BEATS_PER_BAR, Moment
from perform.scenes.readiness import Readiness
from perform.scenes.setlist import Cue


@dataclass(frozen=True, slots=True)
class CuePosition:
    """A position in the setlist: the cue that is on, the one that it came from while it comes in
    (else None), the progress of that (0..1), the cue that waits for its beat, and the bar and the second at
    which the cue began."""

    cue: int
    before: int | None = None
    progress: float = 1.0
    queued: int | None = None
    bar: float = 0.0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Start:
    """When a cue began."""

    bar: float
    seconds: float


ROUNDING = 1e-6  # seconds and bars by which sums of floats are off


class CueSequencer:
    """Moves through a setlist: at your request on the next beat that `quantise` allows, or by itself after
    the bars or the seconds of a cue."""

    def __init__(
        self, cues: Sequence[Cue], quantise: int, loop: bool, position: CuePosition | None = None
    ) -> None:
        self._cues = cues
        self._quantise = quantise
        self._loop = loop
        start = position or CuePosition(0)
        self._cue, self._before, self._queued = start.cue, start.before, start.queued
        self._began = _Start(position.bar, position.seconds) if position else None
        self._slot = 0
        self._late = False  # a beat that allowed the queued cue has passed without it
        self._fader: float | None = None  # where the crossfader was
        self._left: tuple[float, _Start] | None = None  # the end that the fader left, and when its cue began

    def choose(self, go: bool = False, back: bool = False, scene: int = 0) -> None:
        """Queue the next cue, the one before, or `scene`, a cue counted from 1; 0 chooses none."""
        here = self._cue if self._queued is None else self._queued
        if go:
            self._queued = self._neighbour(here, 1)
        if back:
            self._queued = self._neighbour(here, -1)
        if 0 < scene <= len(self._cues):
            self._queued = scene - 1

    def step(
        self,
        moment: Moment,
        crossfade: float = 0.0,
        readiness: Callable[[int], Readiness] = lambda cue: Readiness.READY,
    ) -> CuePosition:
        """The position at this moment. `crossfade` (0..1) is a fader whose every way from end to end is a
        transition to the cue that follows.

        It waits for a cue that is not READY, and skips one that has FAILED.
        """
        began = self._began or _now(moment)
        self._began = began if began.bar <= moment.bar else _Start(moment.bar, began.seconds)
        if self._crossfade(crossfade, _now(moment), readiness):
            return self._position(moment)
        due = self._beat_allows(moment)
        position = self._position(moment)
        if position.before is not None:  # one transition at a time
            return position
        if self._queued is not None:
            state = readiness(self._queued)
            self._late = self._late or (due and state is not Readiness.READY)  # it comes in as soon as it can
            if state is Readiness.FAILED:
                self._queued, self._late = None, False
            elif state is Readiness.READY and (due or self._late):
                self._enter(self._queued, _now(moment))
        elif due_since := self._over(self._began, moment):
            self._enter_next(due_since, _now(moment), readiness)
        return self._position(moment)

    @property
    def following(self) -> int:
        """The cue that comes next, this one at the end of a setlist that does not loop."""
        there = self._queued if self._queued is not None else self._neighbour(self._cue, 1)
        return self._cue if there is None else there

    def upcoming(self) -> Iterator[int]:
        """The cues that may come next, the nearest first: each is for when those before it have FAILED."""
        cue: int | None = self.following
        for _ in self._cues:
            if cue is None:
                return
            yield cue
            cue = self._neighbour(cue, 1)

    def _crossfade(self, fader: float, now: _Start, readiness: Callable[[int], Readiness]) -> bool:
        """Whether the crossfader makes the transition: from when it leaves an end until it reaches the other.
        If it comes back instead, the cue before goes on."""
        was, self._fader = self._fader, fader
        if self._left is None:
            there = self.following
            if was not in (0.0, 1.0) or fader == was or self._before is not None:
                return False
            if there == self._cue or readiness(there) is not Readiness.READY:
                return False
            self._left = was, self._began or now
            self._enter(there, now)
        end, began = self._left
        if fader in (0.0, 1.0):
            self._left = None
            if fader == end and self._before is not None:
                self._cue, self._began = self._before, began
            else:
                self._began = now
            self._before = None
        return True

    def _neighbour(self, cue: int, step: int) -> int | None:
        """The next cue in a direction; past the end without a loop, the queued cue or None."""
        there = cue + step
        if 0 <= there < len(self._cues):
            return there
        return there % len(self._cues) if self._loop else self._queued

    def _beat_allows(self, moment: Moment) -> bool:
        slot = int(moment.bar * BEATS_PER_BAR // max(self._quantise, 1))
        passed, self._slot = slot != self._slot, slot
        return passed or self._quantise == 0

    def _over(self, began: _Start, moment: Moment) -> _Start | None:
        """When the cue that began then was over, by its bars or its seconds; None if it goes on."""
        cue, bar_seconds = self._cues[self._cue], 60 * BEATS_PER_BAR / moment.bpm
        if cue.bars is not None:
            over = moment.bar - began.bar - cue.bars
        elif cue.seconds is not None:
            over = (moment.seconds - began.seconds - cue.seconds) / bar_seconds
        else:
            return None
        if over < -ROUNDING:
            return None
        return _Start(moment.bar - over, moment.seconds - over * bar_seconds)

    def _enter_next(self, due: _Start, now: _Start, readiness: Callable[[int], Readiness]) -> None:
        """Enter the next cue that can be opened: as of when it was due, or of now if it is late."""
        following = self._neighbour(self._cue, 1)
        for _ in self._cues:
            if following is None or readiness(following) is not Readiness.FAILED:
                break
            following = self._neighbour(following, 1)
        if following is not None and readiness(following) is Readiness.READY:
            self._enter(following, now if self._late else due)
        else:
            self._late = following is not None

    def _enter(self, cue: int, start: _Start) -> None:
        self._queued, self._late = None, False
        if cue != self._cue:
            self._before, self._cue, self._began = self._cue, cue, start

    def _position(self, moment: Moment) -> CuePosition:
        began = self._began or _now(moment)
        transition = self._cues[self._cue].transition
        gone, whole = (moment.bar - began.bar) * BEATS_PER_BAR, transition.beats
        if transition.seconds is not None:
            gone, whole = moment.seconds - began.seconds, transition.seconds
        progress = 1.0 if gone >= whole - ROUNDING or whole == 0 else max(gone / whole, 0.0)
        if self._left is not None and self._fader is not None:
            progress = abs(self._fader - self._left[0])
        elif self._before is None:
            progress = 1.0
        if progress == 1:
            self._before = None
        return CuePosition(self._cue, self._before, progress, self._queued, began.bar, began.seconds)


def _now(moment: Moment) -> _Start:
    return _Start(moment.bar, moment.seconds)


def position_after_edit(position: CuePosition, old: Sequence[Cue], new: Sequence[Cue]) -> CuePosition:
    """A position of an old setlist in an edited one; a scene's file may have moved to another folder."""
    files = [cue.scene.file.name for cue in new]
    if files == [cue.scene.file.name for cue in old]:
        return position
    file = old[position.cue].scene.file.name
    here = position.cue if file in files[position.cue : position.cue + 1] else None
    here = here if here is not None else files.index(file) if file in files else 0
    return CuePosition(here, bar=position.bar, seconds=position.seconds)
