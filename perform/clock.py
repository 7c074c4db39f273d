"""The clock: the one time value of a frame, and the tempo that divides it into beats.

Nothing else in `perform` reads a clock. `LiveClock` and `OfflineClock` have the same verbs, so
that a performance never knows which of them it is played by.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import pairwise
from types import MappingProxyType
from typing import Literal, Protocol, TypeAlias

BEATS_PER_BAR = 4
LOWEST_BPM, HIGHEST_BPM = 40.0, 220.0
TAP_PAUSE = 3.0  # seconds; a longer pause starts a new series of taps
TAP_BOUNCE = 30 / HIGHEST_BPM  # seconds; a tap this soon after another is the same one
TAPS_KEPT = 12
GLIDE = 0.25  # beats in a beat, at most: how fast a grid goes over to the phase of another

stopwatch = time.perf_counter  # for measuring durations: seconds from any origin
processor_seconds = time.process_time  # that all threads of this process have used
thread_seconds = time.thread_time  # that this thread has used
wall = time.time  # for the time tags of other machines, never for the show: seconds since 1970

Source: TypeAlias = Literal["hand", "link", "midi", "audio", "free"]
Lead: TypeAlias = Literal["auto", "hand", "link", "midi", "audio", "free"]  # auto: the first that is there


@dataclass(frozen=True, slots=True)
class Moment:
    """The time of one frame: `seconds` since the show began, `frame` counted from 0, `dt` seconds
    since the last frame (0 on the first), `beat` and `bar` counted from 0 with their fraction. The
    frame is seen `delay` seconds later, and its beat is the beat of that time."""

    seconds: float
    frame: int
    dt: float
    beat: float
    bar: float
    bpm: float
    delay: float = 0.0

    def signals(self) -> Mapping[str, float]:
        """The moment as signals: `time.*` and `beat.*`."""
        return MappingProxyType(
            {
                "time.seconds": self.seconds,
                "time.frame": float(self.frame),
                "time.dt": self.dt,
                "beat.bpm": self.bpm,
                "beat.count": float(self.beat // 1),
                "beat.phase": self.beat % 1,
                "beat.bar": float(self.bar // 1),
                "beat.barphase": self.bar % 1,
            }
        )


@dataclass(frozen=True, slots=True)
class Tempo:
    """A beat grid: `anchor_beat` falls on `anchor` (seconds), and `bpm` beats pass a minute.

    Every verb gives a new Tempo; the count of beats goes on through all of them. `downbeat` is the
    beat on which a bar begins, `offset` (seconds, -0.2..0.2) shows beats early to make up for a
    slow projector. `glide` and `turn` are beats that the beat and the bar have yet to make up from the
    anchor on, as `towards` asked; they do so by at most GLIDE in a beat.
    """

    bpm: float = 120.0
    anchor: float = 0.0
    anchor_beat: float = 0.0
    downbeat: float = 0.0
    offset: float = 0.0
    source: Source = "free"
    taps: tuple[float, ...] = ()
    glide: float = 0.0
    turn: float = 0.0

    def beat(self, seconds: float) -> float:
        """Beats at `seconds`."""
        passed = (seconds - self.anchor) * self.bpm / 60
        return self.anchor_beat + passed + _made_up(self.glide, passed)

    def bar(self, seconds: float) -> float:
        """Bars at `seconds`."""
        turned = _made_up(self.turn, (seconds - self.anchor) * self.bpm / 60)
        return (self.beat(seconds) - self.downbeat + turned) / BEATS_PER_BAR

    def tap(self, seconds: float) -> Tempo:
        """A tap of the hand. From the second tap of a series on, tempo and phase follow the taps'
        least-squares line; a tap left out counts as a longer step, a long pause as a new series."""
        since = seconds - self.taps[-1] if self.taps else TAP_PAUSE
        if 0 <= since < TAP_BOUNCE:
            return self
        series = self.taps if 0 <= since <= TAP_PAUSE else ()
        taps = (*series, seconds)[-TAPS_KEPT:]
        if len(taps) < 2:
            return replace(self, taps=taps)
        beat_seconds, last = _grid(taps)
        bpm = min(max(60 / beat_seconds, LOWEST_BPM), HIGHEST_BPM)
        return replace(self._anchored(last, round(self.beat(last)), bpm), taps=taps, source="hand")

    def scaled(self, factor: float, seconds: float) -> Tempo:
        """x2 and /2, without a jump of the beat at `seconds`; out of range it stays as it is."""
        bpm = self.bpm * factor
        if not LOWEST_BPM <= bpm <= HIGHEST_BPM:
            return self
        return replace(self._from(seconds), bpm=bpm, source="hand", taps=())

    def set(self, bpm: float, seconds: float) -> Tempo:
        """The tempo by number (beats a minute, clipped to 40..220), without a jump of the beat."""
        bpm = min(max(bpm, LOWEST_BPM), HIGHEST_BPM)
        return replace(self._from(seconds), bpm=bpm, source="hand", taps=())

    def nudge(self, beats: float) -> Tempo:
        """The grid moved by a part of a beat, ahead when positive."""
        return replace(self, anchor_beat=self.anchor_beat + beats)

    def resync(self, seconds: float) -> Tempo:
        """`seconds` is the first beat of a bar; the count goes to the nearest whole beat, and that of
        bars goes on."""
        beat = float(round(self.beat(seconds)))
        return replace(self._anchored(seconds, beat, self.bpm), downbeat=self._first(beat), turn=0.0)

    def release(self) -> Tempo:
        """The tempo that the hand set is released: the tracker leads again."""
        return replace(self, source="free", taps=())

    def follow(self, seconds: float, bpm: float, gain: float = 1.0, downbeat: bool = False) -> Tempo:
        """A beat that a tracker found at `seconds`: the grid moves towards it by `gain` (0..1).

        Ignored while the hand leads. With `downbeat` a bar begins there, and the count of bars goes on.
        """
        if self.source == "hand":
            return self
        here = self.beat(seconds)
        whole = float(round(here))
        gain = 1.0 if self.source == "free" else gain
        moved = self._anchored(seconds, here + gain * (whole - here), bpm)
        return replace(moved, source="audio", downbeat=self._first(whole) if downbeat else self.downbeat)

    def towards(
        self, seconds: float, beat: float, bpm: float, unit: float = BEATS_PER_BAR, jump: bool = False
    ) -> Tempo:
        """The way over to a grid that has `bpm` and is at `beat` at `seconds`, of which only the remainder by
        `unit` is known: 4 for one that knows its bars, 1 for one that knows its beats, less for one
        that knows parts of a beat. Nothing moves at `seconds`: the phase glides from there on, the
        shorter way round. With `jump` it is there at once. The counts of beats and bars go on."""
        here = self._from(seconds)
        glide = _wrapped(beat - here.anchor_beat, min(unit, 1.0))
        turn = here.turn
        if unit >= BEATS_PER_BAR:
            turn = _wrapped(beat - glide - (here.anchor_beat - here.downbeat), BEATS_PER_BAR)
        if not jump:
            return replace(here, bpm=bpm, glide=glide, turn=turn)
        there = here.anchor_beat + glide
        return replace(here, bpm=bpm, anchor_beat=there, downbeat=here.downbeat - turn, glide=0.0, turn=0.0)

    def _first(self, beat: float) -> float:
        """The first of all downbeats when one falls on `beat`, so that the count of bars goes on."""
        return beat - BEATS_PER_BAR * round((beat - self.downbeat) / BEATS_PER_BAR)

    def _anchored(self, seconds: float, beat: float, bpm: float) -> Tempo:
        return replace(self._from(seconds), anchor_beat=float(beat), bpm=bpm, glide=0.0)

    def _from(self, seconds: float) -> Tempo:
        """The same grid, anchored at `seconds`."""
        passed = (seconds - self.anchor) * self.bpm / 60
        glided, turned = _made_up(self.glide, passed), _made_up(self.turn, passed)
        return replace(
            self,
            anchor=seconds,
            anchor_beat=self.beat(seconds),
            downbeat=self.downbeat - turned,
            glide=self.glide - glided,
            turn=self.turn - turned,
        )


def _made_up(beats: float, passed: float) -> float:
    """How many of `beats` (either sign) are made up when `passed` have passed."""
    most = GLIDE * max(passed, 0.0)
    return min(max(beats, -most), most)


def _wrapped(beats: float, unit: float) -> float:
    """The remainder by `unit` that is nearest to 0."""
    return beats - unit * round(beats / unit)


def _grid(taps: tuple[float, ...]) -> tuple[float, float]:
    """Seconds per beat and the time of the last beat, from a least-squares line through two or more taps."""
    gaps = [later - earlier for earlier, later in pairwise(taps)]
    gap = sorted(gaps)[(len(gaps) - 1) // 2]  # the lower median: missed taps only lengthen gaps
    steps = [0]
    for one in gaps:
        steps.append(steps[-1] + max(1, round(one / gap)))
    mean_step, mean_tap = sum(steps) / len(steps), sum(taps) / len(taps)
    spread = sum((step - mean_step) ** 2 for step in steps)
    slope = sum((s - mean_step) * (t - mean_tap) for s, t in zip(steps, taps, strict=True)) / spread
    return slope, mean_tap + slope * (steps[-1] - mean_step)


class Clock(Protocol):
    """What a performance is played by: `advance` begins a frame, `moment` gives its time."""

    def advance(self) -> float:
        """Begin the next frame; its time in seconds."""
        ...

    def moment(self, tempo: Tempo) -> Moment:
        """The moment of the frame that began last."""
        ...

    def shown(self) -> None:
        """The frame that began last is drawn, and on the display now."""
        ...

    def now(self) -> float:
        """The show's time between frames, for stamping events as they come in; any thread."""
        ...


class OfflineClock:
    """Exact time: frame n is at n / fps, however long it takes to draw."""

    def __init__(self, fps: float | Fraction) -> None:
        self._fps = Fraction(fps).limit_denominator(1001)
        self._frame = -1

    def advance(self) -> float:
        self._frame += 1
        return self.now()

    def moment(self, tempo: Tempo) -> Moment:
        dt = 0.0 if self._frame == 0 else float(1 / self._fps)
        return _moment(self.now(), self._frame, dt, tempo)

    def shown(self) -> None:
        """An exact frame is seen from its own time on, whenever it is drawn."""

    def now(self) -> float:
        return float(max(self._frame, 0) / self._fps)


class LiveClock:
    """Wall time, held to a sound's position while one plays, and paced to `fps` when given.

    `position` is where the sound is that the audience hears (seconds), None when none plays.
    The clock runs on the monotonic timer and is drawn towards the position, so that a show and
    its sound stay together for hours although their crystals differ. It never runs backwards nor
    stands still: it waits for a sound that is late at half speed or faster, and follows one that
    fell back to its beginning from where the clock is.

    It measures how long a frame takes until it is seen (until it is drawn, and half of the time for which
    it stays), and gives each frame the beat of that time: so a picture that changes on the beat changes
    half a frame before to half a frame after it.
    """

    PULL = 0.05  # share of the difference made up per frame
    JUMP = 0.2  # seconds; a sound further ahead than this was moved, and is followed at once
    LOST = 5.0  # seconds; a sound later than this began again
    DELAY_STEP = 0.0005  # seconds by which the delay moves per frame: to the median, whatever stalls take

    def __init__(self, fps: float | None = None, position: Callable[[], float | None] = lambda: None) -> None:
        self._origin: float | None = None  # the show begins with its first frame
        self.pace(fps)
        self.position = position
        self._lead = 0.0  # of the clock over the position, since the position fell back
        self._due = 0.0
        self._seconds = 0.0
        self._dt = 0.0
        self._delay = 0.0
        self._frame = -1

    def pace(self, fps: float | None) -> None:
        """Pace the frames from the next one on to `fps` a second, None: not at all."""
        self._period = 1 / fps if fps else 0.0

    def advance(self) -> float:
        self._wait()
        if self._origin is None:
            self._origin = time.monotonic()
        self._origin += self._behind()
        seconds = max(self.now(), self._seconds)
        self._dt = seconds - self._seconds if self._frame >= 0 else 0.0
        self._seconds = seconds
        self._frame += 1
        return seconds

    def moment(self, tempo: Tempo) -> Moment:
        return _moment(self._seconds, self._frame, self._dt, tempo, self._delay)

    def shown(self) -> None:
        change = self.now() - self._seconds + self._dt / 2 - self._delay
        self._delay += min(max(change, -self.DELAY_STEP), self.DELAY_STEP)

    def now(self) -> float:
        return 0.0 if self._origin is None else time.monotonic() - self._origin

    def _wait(self) -> None:
        """Sleep until the next frame is due. A frame that is a little late is made up by the next, so
        that the rate holds; one that is late by a frame or more moves the grid."""
        if not self._period:
            return
        wait = self._due - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        self._due += self._period if wait > -self._period else self._period - wait

    def _behind(self) -> float:
        """By how much the origin moves, so that the clock is drawn towards the sound."""
        position = self.position()
        if position is None:
            return 0.0
        ahead = self.now() - position - self._lead
        if self._frame < 0 or ahead < -self.JUMP:
            return ahead
        if ahead > self.LOST:
            self._lead += ahead
            return 0.0
        return min(ahead * self.PULL, (self.now() - self._seconds) / 2)


def _moment(seconds: float, frame: int, dt: float, tempo: Tempo, delay: float = 0.0) -> Moment:
    seen = seconds + delay + tempo.offset
    return Moment(seconds, frame, dt, tempo.beat(seen), tempo.bar(seen), tempo.bpm, delay)
