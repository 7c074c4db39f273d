"""Every source of a tempo behaves the same, in a show on an exact clock."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TypeAlias, get_args

import numpy as np
import pytest

from perform.clock import GLIDE, OfflineClock, Source, Tempo
from perform.inputs import link
from perform.midi.clock import PULSES, SIXTEENTH, MidiClocks
from perform.performance import Performance
from perform.rhythm.tempo import LEADS, SOURCE_TIMEOUT
from perform.signals import Event
from tests.doubles.performances import performance, shader_scene

FPS = 30
Says: TypeAlias = Callable[[Tempo, float, float], list[Event]]  # true grid, from, until


def crossed(grid: Tempo, since: float, until: float, parts: int = 1) -> Iterator[float]:
    """When the grid passes a whole beat, or a part of one, after `since` and until `until`."""
    first, last = (int(np.floor(grid.beat(time) * parts + 1e-9)) for time in (since, until))
    for number in range(first + 1, last + 1):
        yield grid.anchor + (number / parts - grid.anchor_beat) * 60 / grid.bpm


class Hand:
    exact = 0.001

    def __call__(self, grid: Tempo, since: float, until: float) -> list[Event]:
        taps = [Event(time, "key.t", 1.0) for time in crossed(grid, since, until)]
        return taps or [Event(until, "key.t", 0.0)]


class Sound:
    exact = 0.010

    def __init__(self) -> None:
        self._dice = np.random.default_rng(0)

    def __call__(self, grid: Tempo, since: float, until: float) -> list[Event]:
        return [self._beat(grid, time) for time in crossed(grid, since, until)]

    def _beat(self, grid: Tempo, time: float) -> Event:
        said = np.array([grid.bpm, 0.9, round(grid.beat(time)) % 4 == 0], np.float32)
        return Event(time + self._dice.uniform(-0.004, 0.004), "tempo.beat", said)


class Midi:
    exact = 0.002

    def __init__(self) -> None:
        self._clocks, self._dice = MidiClocks(), np.random.default_rng(0)
        self._started, self._until = False, 0.0

    def __call__(self, grid: Tempo, since: float, until: float) -> list[Event]:
        self._started &= since - self._until < 1.5  # a sequencer that was disconnected starts again
        self._until = until
        for time in crossed(grid, since, until, PULSES):
            pulse = round(grid.beat(time) * PULSES)
            if not self._started and pulse % SIXTEENTH == 0:
                self._started = True
                self._clocks.receive("a", "songpos", time, pulse // SIXTEENTH)
                self._clocks.receive("a", "continue", time)
            if self._started:
                self._clocks.receive("a", "clock", time + self._dice.uniform(0, 0.001))
        return self._clocks.take(until)


class Session:
    exact = 0.002

    def __init__(self) -> None:
        self._now = 0.0
        self._unit = link.Link(lambda: self._now, peer=("no such program",))
        self._unit.close()

    def __call__(self, grid: Tempo, since: float, until: float) -> list[Event]:
        self._now = until
        phase = grid.beat(until - 0.01) % 4
        line = {"at": until - 0.01, "bpm": grid.bpm, "phase": phase, "peers": 2, "playing": 1}
        assert self._unit.receive(json.dumps(line).encode())
        return self._unit.poll(until)


SOURCES: dict[Source, Callable[[], Hand | Sound | Midi | Session]] = {
    "hand": Hand,
    "link": Session,
    "midi": Midi,
    "audio": Sound,
}


@pytest.fixture(params=SOURCES)
def name(request: pytest.FixtureRequest) -> Source:
    source: Source = request.param
    return source


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    return Stage(monkeypatch)


class Stage:
    """A show, and the time in which it is played."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.show: Performance = performance(shader_scene("a"))
        self.clock = OfflineClock(FPS)
        self.now = self.clock.advance()
        monkeypatch.setattr(link, "stopwatch", lambda: self.now)

    def play(self, seconds: float, says: Says | None = None, grid: Tempo | None = None) -> None:
        """Frames; between two of them the shown beat neither jumps nor stops."""
        for _ in range(round(seconds * FPS)):
            before, since, self.now = self.show.tempo, self.now, self.clock.advance()
            events = says(grid, since, self.now) if says and grid else []
            self.show.step(self.clock.moment(before), events)
            after = self.show.tempo
            if after.source != "hand":
                assert after.beat(self.now) == pytest.approx(before.beat(self.now), abs=1e-6)
                assert after.bar(self.now) == pytest.approx(before.bar(self.now), abs=1e-6)
            rate = (after.beat(self.now + 0.01) - after.beat(self.now)) / (after.bpm / 6000)
            assert 1 - GLIDE - 1e-3 <= rate <= 1 + GLIDE + 1e-3

    def off(self, grid: Tempo) -> float:
        """Seconds between the beat that is shown and the true one."""
        beats = self.show.tempo.beat(self.now) - grid.beat(self.now)
        return float((beats - round(beats)) * 60 / grid.bpm)


def test_every_tempo_source_is_in_this_suite() -> None:
    assert {*SOURCES, "free"} == {*get_args(Source)}
    assert SOURCE_TIMEOUT.keys() == SOURCES.keys() - {"hand"}


@pytest.mark.parametrize("bpm", [61, 97, 128, 199])
def test_a_tempo_source_is_followed_within_four_bars(name: Source, stage: Stage, bpm: float) -> None:
    says, grid = SOURCES[name](), Tempo(bpm=bpm, anchor_beat=0.37)
    stage.play(16 * 60 / bpm, says, grid)
    tempo = stage.show.tempo
    assert (tempo.source, tempo.bpm) == (name, pytest.approx(bpm, abs=0.5))
    for _ in range(20):
        stage.play(0.2, says, grid)
        assert abs(stage.off(grid)) < says.exact
        assert abs(stage.show.tempo.bpm - bpm) < 0.5
    if name not in ("hand",):  # which knows of beats only
        bars = stage.show.tempo.bar(stage.now) - grid.bar(stage.now)
        assert abs(bars - round(bars)) * 240 / bpm < 2 * says.exact


def test_a_new_tempo_is_followed(name: Source, stage: Stage) -> None:
    says, grid = SOURCES[name](), Tempo(bpm=100)
    stage.play(10, says, grid)
    faster = grid.set(126, stage.now)
    stage.play(16 * 60 / 126, says, faster)
    assert stage.show.tempo.bpm == pytest.approx(126, abs=0.5)
    assert abs(stage.off(faster)) < says.exact


def test_a_lost_source_keeps_the_beat_and_the_next_leads_after_the_hold(name: Source, stage: Stage) -> None:
    says, grid = SOURCES[name](), Tempo(bpm=110)
    stage.play(10, says, grid)
    off = stage.off(grid)
    stage.play(SOURCE_TIMEOUT.get(name, 30.0) - 1.0)
    assert stage.show.tempo.source == name
    stage.play(2.0)
    assert stage.show.tempo.source == (name if name == "hand" else "free")
    assert abs(stage.off(grid) - off) < 0.005  # half an hour of which would be a beat: the tempo is kept
    assert stage.show.tempo.bpm == pytest.approx(110, abs=0.2)


def test_a_returned_source_leads_again(name: Source, stage: Stage) -> None:
    says, grid = SOURCES[name](), Tempo(bpm=110)
    stage.play(8, says, grid)
    stage.play(10)
    again = Tempo(bpm=93, anchor_beat=0.5)
    stage.play(12, says, again)
    assert (stage.show.tempo.source, stage.show.tempo.bpm) == (name, pytest.approx(93, abs=0.5))
    assert abs(stage.off(again)) < says.exact


def test_the_beat_does_not_jump_when_a_source_reconnects_a_hundred_times(name: Source, stage: Stage) -> None:
    says = SOURCES[name]()
    for turn in range(100):
        stage.play(0.7, says, Tempo(bpm=120, anchor_beat=turn * 0.37))
        stage.play(0.4)
    stage.play(2.0)
    grid = Tempo(bpm=120)
    stage.play(10, says, grid)
    assert abs(stage.off(grid)) < says.exact


def test_the_source_of_higher_priority_takes_over_and_gives_back(stage: Stage) -> None:
    order = ["audio", "midi", "link"]
    grids = [Tempo(bpm=bpm, anchor_beat=bpm / 7) for bpm in (90.0, 100.0, 110.0)]
    units = [SOURCES[name]() for name in order]  # type: ignore[index]

    def both(count: int) -> Says:
        return lambda grid, since, until: sorted(
            (e for u, g in zip(units[:count], grids, strict=False) for e in u(g, since, until)),
            key=lambda event: event.time,
        )

    for count in (1, 2, 3, 2, 1):
        stage.play(12, both(count), grids[0])
        assert stage.show.tempo.source == order[count - 1]
        assert abs(stage.off(grids[count - 1])) < units[count - 1].exact


def test_a_pinned_source_leads_over_all_others(name: Source, stage: Stage) -> None:
    others = [SOURCES[one]() for one in SOURCES if one not in (name, "hand")]
    says, grid = SOURCES[name](), Tempo(bpm=105)
    stage.show.authority.pin(LEADS.index(name))

    def all_of_them(grid: Tempo, since: float, until: float) -> list[Event]:
        loud = Tempo(bpm=140, anchor_beat=0.3)
        events = [event for other in others for event in other(loud, since, until)]
        return sorted([*events, *says(grid, since, until)], key=lambda event: event.time)

    stage.play(12, all_of_them, grid)
    assert stage.show.tempo.source == name
    assert abs(stage.off(grid)) < says.exact
