"""The order of cues: when the show goes from one to another, by hand or by itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from perform.clock import BEATS_PER_BAR, Moment
from perform.scenes.cue_places import first_armed, places_after_edit
from perform.scenes.position import CuePosition
from perform.scenes.readiness import Readiness
from perform.scenes.setlist import Cue

log = logging.getLogger("perform")


@dataclass(frozen=True, slots=True)
class _Start:
    """When a cue began."""

    bar: float
    seconds: float


@dataclass(frozen=True, slots=True)
class _LeftEnd:
    """The end that the crossfader has left, 0 or 1: when its cue began, and when the formula of that said
    that it is over."""

    end: float
    began: _Start
    done: _Start | None


ROUNDING = 1e-6  # seconds and bars by which sums of floats are off


class CueSequencer:
    """Moves through a setlist: at your request on the next beat that `quantise` allows, or by itself after
    the bars or the seconds of a cue, or when its formula says so. Cues that are not armed, and those that
    have FAILED, are skipped."""

    def __init__(
        self,
        cues: Sequence[Cue],
        quantise: int,
        loop: bool,
        first: int | None = None,
        turn: int = 0,
    ) -> None:
        """It begins with the cue `first`, else with the first that is armed, in a turn."""
        self._cues = cues
        self._quantise = quantise
        self._loop = loop
        self._cue, self._turn = first_armed(cues) if first is None else first, turn
        self._before: int | None = None
        self._queued: int | None = None
        self._loaded: int | None = None
        self._failed: set[int] = set()  # the cues that cannot be opened, as far as they have come up
        self._began: _Start | None = None
        self._beat = 0.0  # of the last step
        self._allowed: float | None = None  # the seconds when a beat allowed the queued cue
        self._late = False  # the next cue was due, and could not come in yet
        self._done: _Start | None = None  # when the formula of the cue said that it is over
        self._fader: float | None = None  # where the crossfader was
        self._left: _LeftEnd | None = None  # while the crossfader makes the transition

    def use(self, cues: Sequence[Cue], quantise: int, loop: bool) -> None:
        """Go on with edited cues: what waits, or has begun, stays as it is while its scene is still there."""
        places = places_after_edit(self._cues, cues)
        here = places.get(self._cue)
        if here is None or cues[here].until != self._cues[self._cue].until:
            self._done = None
        if here is None:
            self._before, self._late = None, False
        self._cue = first_armed(cues) if here is None else here

        def moved(cue: int | None) -> int | None:
            there = None if cue is None else places.get(cue)
            return None if there == self._cue else there

        self._before, self._queued, self._loaded = map(moved, (self._before, self._queued, self._loaded))
        self._failed = {places[cue] for cue in self._failed if cue in places}
        self._left = None if self._before is None else self._left
        self._cues, self._quantise, self._loop = cues, quantise, loop

    def choose(
        self,
        go: bool = False,
        back: bool = False,
        scene: int = 0,
        standby: int = 0,
        load_next: bool = False,
    ) -> None:
        """Queue the next cue, the one before, or `scene`, a cue counted from 1; 0 chooses none. `standby` is
        the cue that comes next instead; `load_next`: the one after that does."""
        if 0 < standby <= len(self._cues):
            self._load(standby - 1)
        if load_next:
            self._load_next()
        here = self._cue if self._queued is None else self._queued
        if go:
            self._queued = self.standby if self._queued is None else self._neighbour(here, 1)
        if back:
            self._queued = self._neighbour(here, -1)
        if 0 < scene <= len(self._cues):
            self._queued = scene - 1
        if go or back or scene:
            self._allowed = None
        if self._queued == self._cue:
            self._queued = None

    def _load(self, cue: int) -> None:
        """Make a cue the one that comes next; GO may wait for its beat already. The one that is on stays."""
        if cue == self._cue:
            return
        self._loaded = cue
        if self._queued is not None:
            self._queued, self._allowed = cue, None

    def _load_next(self) -> None:
        """Load the armed cue after the one in standby, the first after the last."""
        count = len(self._cues)
        after = ((self.following + distance) % count for distance in range(1, count + 1))
        self._load(next((cue for cue in after if cue != self._cue and self._is_taken(cue)), self._cue))

    def _is_taken(self, cue: int) -> bool:
        return self._cues[cue].armed and cue not in self._failed

    def step(
        self,
        moment: Moment,
        crossfader: float = 0.0,
        readiness: Callable[[int], Readiness] = lambda cue: Readiness.READY,
        over: bool = False,
        paused: bool = False,
    ) -> CuePosition:
        """The position at this moment. `crossfader` (0..1) is a fader whose every way from end to end is a
        transition to the cue that follows; `over` is what the formula of the cue says. While it is `paused`,
        lengths, waits and transitions stand still.

        It waits for a cue that is not READY, and skips one that has FAILED.
        """
        now = _now(moment)
        self._leave_out(readiness)
        began = self._began or now
        self._began = began if began.bar <= moment.bar else _Start(moment.bar, began.seconds)
        if paused:
            self._stand_still(moment)
        allowed = self._beat_allows(moment)
        if self._crossfade(crossfader, now, readiness):
            self._late = self._over(self._began, moment) is not None
            return self._position(moment)
        position = self._position(moment)
        if over and self._done is None:
            self._done = now
        if paused:
            return position
        due_since = self._over(self._began, moment)
        if position.before is not None:  # one transition at a time
            self._late = self._late or due_since is not None
        elif self._queued is not None:
            self._enter_queued(self._queued, allowed, moment, readiness(self._queued))
        elif due_since:
            self._enter_next(due_since, now, readiness)
        return self._position(moment)

    def _stand_still(self, moment: Moment) -> None:
        """Move what has begun on by the time of this frame."""
        self._began = self._began and _later(self._began, moment)
        self._done = self._done and _later(self._done, moment)
        if left := self._left:
            done = left.done and _later(left.done, moment)
            self._left = _LeftEnd(left.end, _later(left.began, moment), done)
        if self._allowed is not None:
            self._allowed += moment.dt

    def _enter_queued(self, cue: int, allowed: float | None, moment: Moment, state: Readiness) -> None:
        """Enter the queued cue, if a beat has allowed it, its pre-wait is over and it can be opened: as of
        that beat, if it was within the last frame."""
        if self._allowed is None:
            self._allowed = allowed
        if state is Readiness.FAILED:
            self._queued = self._allowed = None
            self._failed.add(cue)
            self._say_failed(cue)
        if state is not Readiness.READY or self._allowed is None:
            return
        wait = self._cues[cue].pre_wait
        late = moment.seconds - self._allowed - wait
        if not wait or late >= -ROUNDING:
            late = late if 0 <= late < moment.dt else 0.0
            bars = late * moment.bpm / 60 / BEATS_PER_BAR
            self._enter(cue, _Start(moment.bar - bars, moment.seconds - late))

    @property
    def position(self) -> CuePosition:
        """The position outside of a transition."""
        began = self._began or _Start(0.0, 0.0)
        return self._position_at(1.0, began)

    @property
    def following(self) -> int:
        """The cue that comes next: the one that waits for its beat, or that a hand has loaded, else the next
        that is armed; this one at the end of a setlist that does not loop."""
        there = self._loaded if self._queued is None else self._queued
        there = self._neighbour(self._cue, 1) if there is None else there
        return self._cue if there is None else there

    @property
    def standby(self) -> int | None:
        """The same, None at the end."""
        return None if self.following == self._cue else self.following

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
            end, there = self._end_left(was, fader), self.following
            if end is None or there == self._cue:
                return False
            if (state := readiness(there)) is not Readiness.READY:
                if state is Readiness.FAILED:
                    self._say_failed(there)
                return False
            self._left = _LeftEnd(end, self._began or now, self._done)
            self._enter(there, now)
        left = self._left
        if fader in (0.0, 1.0):
            self._left = None
            if fader == left.end and self._before is not None:
                self._loaded = self._cue if self._loaded in (None, self._before) else self._loaded
                self._queued = None if self._queued == self._before else self._queued
                self._cue, self._began, self._done = self._before, left.began, left.done
                self._turn -= 1
            else:
                self._began = now
            self._before = None
        return True

    def _end_left(self, was: float | None, fader: float) -> float | None:
        """The end that the crossfader has just left; None if it has not. After GO has gone to the other deck,
        a fader is still at its end, or (a fader with a motor) has gone to that of the deck: it is the nearer
        of the two."""
        deck = float(self._turn % 2)
        if was not in (0.0, 1.0) or fader == was or self._before is not None:
            return None
        end = deck if abs(fader - deck) < abs(fader - was) else was
        return None if fader == end else end

    def _say_failed(self, cue: int) -> None:
        title = self._cues[cue].title
        log.error("cue %d, %s, cannot be opened: %s plays on", cue + 1, title, self._cues[self._cue].title)

    def _leave_out(self, readiness: Callable[[int], Readiness]) -> None:
        """Skip the cues that have FAILED, as long as they have."""
        self._failed = {cue for cue in self._failed if readiness(cue) is Readiness.FAILED}
        while self._queued is None and (cue := self.standby) is not None:
            if readiness(cue) is not Readiness.FAILED:
                return
            self._failed.add(cue)
            self._loaded = None
            log.error("cue %d, %s, cannot be opened: it is left out", cue + 1, self._cues[cue].title)

    def _neighbour(self, cue: int, step: int) -> int | None:
        """The next armed cue in a direction that has not FAILED; past the end without a loop, the queued cue
        or None."""
        count = len(self._cues)
        for distance in range(1, count + 1):
            there = cue + step * distance
            if not self._loop and not 0 <= there < count:
                break
            if self._is_taken(there % count):
                return there % count
        return self._queued

    def _beat_allows(self, moment: Moment) -> float | None:
        """The seconds since when a change may be made on this frame, by the quantise of the queued cue or of
        the setlist: those of the beat; None if it may not."""
        own = None if self._queued is None else self._cues[self._queued].quantise
        quantise = self._quantise if own is None else own
        beat, before = moment.bar * BEATS_PER_BAR, self._beat
        self._beat = beat
        if quantise and beat // quantise == before // quantise:
            return None
        since = beat % quantise * 60 / moment.bpm if quantise else 0.0
        return moment.seconds - (since if since < moment.dt else 0.0)

    def _over(self, began: _Start, moment: Moment) -> _Start | None:
        """When the next cue was due after the one that began then: after its length and its post-wait, or
        (`continue`) its post-wait alone. None if it goes on."""
        cue, bar_seconds = self._cues[self._cue], 60 * BEATS_PER_BAR / moment.bpm
        gone = moment.seconds - began.seconds - cue.post_wait
        if cue.follow == "continue":
            over = gone / bar_seconds
        elif cue.follow != "follow":
            return None
        elif cue.bars is not None:
            over = moment.bar - began.bar - cue.bars - cue.post_wait / bar_seconds
        elif cue.seconds is not None:
            over = (gone - cue.seconds) / bar_seconds
        elif self._done:
            over = (moment.seconds - self._done.seconds - cue.post_wait) / bar_seconds
        else:
            return None
        if over < -ROUNDING:
            return None
        return _Start(moment.bar - over, moment.seconds - over * bar_seconds)

    def _enter_next(self, due: _Start, now: _Start, readiness: Callable[[int], Readiness]) -> None:
        """Enter the next cue, once it is open: as of when it was due, or of now if it is late."""
        following = self.standby
        wait = 0.0 if following is None else self._cues[following].pre_wait
        if wait and now.seconds < due.seconds + wait - ROUNDING:
            return
        if following is not None and readiness(following) is Readiness.READY:
            due = _Start(due.bar + (wait and now.bar - due.bar), due.seconds + wait)
            self._enter(following, now if self._late else due)
        else:
            self._late = following is not None

    def _enter(self, cue: int, start: _Start) -> None:
        self._queued, self._loaded, self._late, self._allowed = None, None, False, None
        self._turn += 1
        self._before, self._cue, self._began, self._done = self._cue, cue, start, None

    def _position(self, moment: Moment) -> CuePosition:
        began = self._began or _now(moment)
        transition = self._cues[self._cue].transition
        gone, whole = (moment.bar - began.bar) * BEATS_PER_BAR, transition.beats
        if transition.seconds is not None:
            gone, whole = moment.seconds - began.seconds, transition.seconds
        progress = 1.0 if gone >= whole - ROUNDING or whole == 0 else max(gone / whole, 0.0)
        if self._left is not None and self._fader is not None:
            progress = abs(self._fader - self._left.end)
        elif self._before is None:
            progress = 1.0
        if progress == 1:
            self._before = None
        return self._position_at(progress, began)

    def _position_at(self, progress: float, began: _Start) -> CuePosition:
        return CuePosition(
            self._cue,
            self._before,
            progress,
            self._queued,
            began.bar,
            began.seconds,
            self._turn,
            self.standby,
            self._loaded is not None,
            self._left is not None,
        )


def _now(moment: Moment) -> _Start:
    return _Start(moment.bar, moment.seconds)


def _later(start: _Start, moment: Moment) -> _Start:
    """A start later by the time of this frame."""
    bars = moment.dt * moment.bpm / 60 / BEATS_PER_BAR
    return _Start(start.bar + bars, start.seconds + moment.dt)
