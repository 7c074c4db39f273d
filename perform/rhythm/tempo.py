"""The tempo authority: which clock leads the beat, and how the beat moves from one clock to another.

In order of priority: the hand (tap), Ableton Link, MIDI clock, the sound's tracked beat, none. The first
that is present leads, or the one that is pinned. Every source sends events, so that a take holds them:
`tempo.beat` [bpm, confidence, downbeat] of the tracker, and `tempo.link` and `tempo.midi` [bpm, beat,
unit, playing, starts], where only the remainder of `beat` by `unit` counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import get_args

import numpy as np

from perform.clock import BEATS_PER_BAR, Lead, Source, Tempo
from perform.rhythm.beat import CONFIDENT
from perform.signals import Event, Value

SOURCES: tuple[Source, ...] = get_args(Source)  # in order of priority
LEADS: tuple[Lead, ...] = get_args(Lead)
SOURCE_TIMEOUT = {"link": 2.0, "midi": 1.0, "audio": 8.0}  # seconds of silence after which a source has gone
CLOCK_EVENTS: dict[str, Source] = {"tempo.link": "link", "tempo.midi": "midi"}
TRACKER_EVENT = "tempo.beat"
TEMPO_SIGNALS = ("tempo.source", "tempo.clock", "tempo.playing", "tempo.peers")
NUDGE = 1 / 32  # beats
TRACKER_GAIN = 0.5  # share of a phase error made up per tracked beat
SLOWEST, FASTEST = 20.0, 999.0  # bpm of a source: the range of Ableton Link


@dataclass(frozen=True, slots=True)
class Grid:
    """The grid of a source at `time` (seconds): its beat, modulo `unit` beats, and its tempo. `starts`
    counts how often it has asked for a jump, as a MIDI start does."""

    time: float
    bpm: float
    beat: float
    unit: float
    playing: bool = True
    starts: int = 0

    def at(self, seconds: float) -> float:
        """Its beat at `seconds`."""
        return self.beat + (seconds - self.time) * self.bpm / 60


class TempoAuthority:
    """Keeps the one `tempo` of the show from hands and clocks; `lead` pins it to one of them.

    A source that falls silent leads for a while longer, and then the next one leads. The beat glides
    from one to the other; it jumps only when a hand or a MIDI start asks for it. While another clock is
    pinned, taps and tempi by hand do nothing.
    """

    def __init__(self, tempo: Tempo, lead: Lead = "auto") -> None:
        self.tempo = tempo
        self.lead: Lead = lead
        self._grids: dict[Source, Grid] = {}
        self._trims: dict[Source, float] = {}  # beats by which a source was nudged
        self._applied: Grid | None = None
        self._hand = self._jump = False
        self._bpm = 0.0  # the last tempo that was set by number
        self._tracker = _Tracker()

    def update(self, events: Iterable[Event]) -> None:
        """Take the events of clocks; an impossible value is ignored."""
        for event in events:
            if event.name == TRACKER_EVENT:
                grid = self._tracker.follow(event)
                source: Source | None = "audio"
            else:
                source = CLOCK_EVENTS.get(event.name)
                grid = _grid(event) if source else None
            if source and grid:
                self._grids[source] = grid

    def step(self, now: float, delay: float = 0.0) -> Tempo:
        """The tempo from `now` on; the frame of `now` is seen `delay` seconds later."""
        source = self._leader(now)
        before, self.tempo = self.tempo.source, replace(self.tempo, source=source)
        grid = self._grids.get(source)
        if grid and (grid is not self._applied or self._jump):
            starts = self._applied.starts if self._applied and before == source else grid.starts
            jump = self._jump or grid.starts != starts
            at = now + delay + self.tempo.offset  # the latest time on show
            beat = grid.at(at) + self._trims.get(source, 0.0)
            self.tempo = self.tempo.towards(at, beat, grid.bpm, grid.unit, jump)
        self._applied, self._jump = grid, False
        return self.tempo

    def signals(self) -> dict[str, Value]:
        """Which source leads (1 hand, 2 Link, 3 MIDI clock, 4 audio, 5 none), which is pinned (0: none),
        and whether the transport of the leader plays."""
        grid = self._grids.get(self.tempo.source)
        return {
            "tempo.source": 1.0 + SOURCES.index(self.tempo.source),
            "tempo.clock": float(LEADS.index(self.lead)),
            "tempo.playing": float(grid is None or grid.playing),
        }

    def control(self, show: Mapping[str, float], pressed_at: Callable[[str], float], seen: float) -> None:
        """Apply the tempo's controls of a show: a tap and a resync count from when they were pressed, a new
        tempo from `seen` on (seconds), when the frame is seen."""
        if show["clock"] >= 0:
            self.pin(int(show["clock"]))
        if show["nextclock"]:
            self.pin_next()
        if show["listen"]:
            self.release()
        if show["tap"]:
            self.tap(pressed_at("tap"))
        if show["resync"]:
            self.resync(pressed_at("resync"))
        if show["double"] or show["halve"]:
            self.scale(2.0 if show["double"] else 0.5, seen)
        if show["later"] or show["sooner"]:
            self.nudge(NUDGE if show["sooner"] else -NUDGE)
        if show["tempo"] and show["tempo"] != self._bpm:
            self.set(show["tempo"], seen)
        self._bpm = show["tempo"]

    def pin(self, index: int) -> None:
        """Pin a clock by its index in LEADS; 0 is all of them by priority."""
        self.lead = LEADS[index]

    def pin_next(self) -> None:
        """Pin the next of LEADS."""
        self.pin((LEADS.index(self.lead) + 1) % len(LEADS))

    def tap(self, seconds: float) -> None:
        """A tap of the hand; from the second one on the hand leads."""
        if self._free:
            self.tempo = replace(self.tempo, source="free").tap(seconds)
            self._hand = self._hand or self.tempo.source == "hand"

    def scale(self, factor: float, now: float) -> None:
        """Multiply the tempo, by hand."""
        if self._free:
            tempo = self.tempo.scaled(factor, now + self.tempo.offset)
            self.tempo, self._hand = tempo, self._hand or tempo is not self.tempo

    def set(self, bpm: float, now: float) -> None:
        """Set the tempo by number, by hand."""
        if self._free:
            self.tempo, self._hand = self.tempo.set(bpm, now + self.tempo.offset), True

    def nudge(self, beats: float) -> None:
        """Move the beat; a clock that leads is followed at that distance from then on."""
        self.tempo = self.tempo.nudge(beats)
        self._trims[self.tempo.source] = self._trims.get(self.tempo.source, 0.0) + beats

    def resync(self, seconds: float) -> None:
        """The bar begins at `seconds`. A clock that leads keeps its beat, and its bars if it has any: the
        show jumps to it. The tracker's bars are ignored until `release`."""
        self.tempo = self.tempo.resync(seconds)
        self._trims, self._jump = {}, True
        self._tracker.take_bars(False)
        if "audio" in self._grids and (tracked := self._tracker.grid()):
            self._grids["audio"] = tracked

    def release(self) -> None:
        """Release the tempo that the hand set."""
        self.tempo, self._hand = replace(self.tempo.release(), source=self.tempo.source), False
        self._tracker.take_bars(True)

    @property
    def _free(self) -> bool:
        """Whether a hand may lead."""
        return self.lead in ("auto", "hand", "free")

    def _leader(self, now: float) -> Source:
        wanted = SOURCES if self.lead == "auto" else (self.lead, "free")
        return next(source for source in wanted if self._present(source, now))

    def _present(self, source: Source, now: float) -> bool:
        if source in ("hand", "free"):
            return source == "free" or self._hand or self.lead == "hand"
        grid = self._grids.get(source)
        return grid is not None and now - grid.time <= SOURCE_TIMEOUT[source]


class _Tracker:
    """The grid of the sound's tracked beats: each beat pulls it towards itself. The show has bars of four; it
    could never follow bars of three, and keeps its own in such music."""

    def __init__(self) -> None:
        self._tempo = Tempo()
        self._bars = False
        self._take_bars = True
        self._downbeat = -math.inf  # when the last one was, in seconds

    def follow(self, event: Event) -> Grid | None:
        """The grid after a tracked beat; None for a beat that is not followed."""
        numbers = _numbers(event.value, 3)
        if numbers is None or numbers[1] < CONFIDENT or not SLOWEST <= numbers[0] <= FASTEST:
            return None
        bpm, _, downbeat = numbers
        if event.time - self._tempo.anchor > SOURCE_TIMEOUT["audio"]:
            self._tempo, self._bars = Tempo(), False
        bar = downbeat > 0.5 and self._take_bars and not self._in_three(event.time, bpm)
        if downbeat > 0.5:
            self._downbeat = event.time
        self._tempo = self._tempo.follow(event.time, bpm, TRACKER_GAIN, bar)
        self._bars |= bar
        return self.grid()

    def _in_three(self, seconds: float, bpm: float) -> bool:
        """Whether a downbeat at `seconds` comes three beats after the one before."""
        return 2.5 < (seconds - self._downbeat) * bpm / 60 < 3.5

    def take_bars(self, take: bool) -> None:
        """Whether the bars come from the tracker, or from a hand."""
        self._take_bars, self._bars = take, self._bars and take

    def grid(self) -> Grid | None:
        """Its grid; None before the first beat."""
        tempo, time = self._tempo, self._tempo.anchor
        if tempo.source != "audio":
            return None
        if self._bars:
            return Grid(time, tempo.bpm, BEATS_PER_BAR * tempo.bar(time), BEATS_PER_BAR)
        return Grid(time, tempo.bpm, tempo.beat(time), 1.0)


def _grid(event: Event) -> Grid | None:
    """The grid that a clock sends; None for an impossible one."""
    numbers = _numbers(event.value, 5)
    if numbers is None:
        return None
    bpm, beat, unit, playing, starts = numbers
    if not (SLOWEST <= bpm <= FASTEST and 0.001 < unit <= BEATS_PER_BAR):
        return None
    unit = 1 / round(1 / unit) if unit < 1 else unit  # a 24th, and not the nearest float32
    return Grid(event.time, bpm, beat, unit, playing > 0.5, int(starts))


def _numbers(value: Value, count: int) -> list[float] | None:
    if not isinstance(value, np.ndarray) or value.shape != (count,):
        return None
    numbers = [float(one) for one in value]
    return numbers if all(map(math.isfinite, numbers)) else None
