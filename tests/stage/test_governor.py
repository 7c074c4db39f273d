"""The governor, on machines whose costs are known exactly."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
import pytest

from perform.stage.governor import LADDER, LONG_TRANSITION, Costs, Governor, Level, NetworkTime, Shown, pinned

SETTLED = 2.0  # seconds after a change


@dataclass
class Machine:
    """Two cores that draw and compute a network: `frame` is the work of a frame at full size in seconds (the
    fixed part is 0.18 of it), `picture` that of a picture alone, `others` the share that other programs take
    of all; `noise` changes every cost by a random factor of about 1 +- noise."""

    frame: float
    picture: float
    others: float = 0.0
    noise: float = 0.0
    governor: Governor = field(default_factory=Governor)
    now: float = 0.0
    network: NetworkTime = field(default_factory=NetworkTime)
    levels: list[tuple[float, Level]] = field(default_factory=list)  # from when on each is played
    shown: Shown = field(default_factory=Shown)

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(0)
        self._left, self._took = 0.0, 0.0  # work and seconds of the picture that is being made
        self.levels.append((0.0, self.governor.level))

    def play(self, seconds: float) -> None:
        ends = self.now + seconds
        while self.now < ends:
            self._frame()

    def _frame(self) -> None:
        level = self.governor.level
        work = self.frame * (0.18 + 0.82 * level.scale**2) / (1 - self.others) * self._noise()
        period = max(1 / level.fps, work)
        self.now += period
        if self.picture:
            self._compute(period - work, period)
        else:
            self.network = replace(self.network, running=0.0)  # a scene without a network
        if self.governor.frame(self.now, work, self.network, self.shown):
            self.levels.append((self.now, self.governor.level))

    def _compute(self, free: float, period: float) -> None:
        """The network works in the free part of a frame's time, at most one picture a frame."""
        share = free * (1 - self.others) / period  # of its own rate
        if self._left <= 0:
            self._left, self._took = self.picture * self._noise(), 0.0
        used = min(period, self._left / share) if share > 0 else period
        self._left -= used * share
        self._took += used
        if self._left > 1e-9:
            self.network = replace(self.network, running=self._took)
            return
        self._left = 0.0
        self.network = replace(self.network, running=0.0) + NetworkTime(1, self._took, self.picture)

    def _noise(self) -> float:
        return max(1 + self.noise * float(self._random.standard_normal()), 0.1)

    def picture_rate(self, seconds: float) -> float:
        made = self.network.pictures
        self.play(seconds)
        return (self.network.pictures - made) / seconds

    def changes(self, since: float) -> list[float]:
        return [at for at, _ in self.levels if at > since]


FAST = {"frame": 0.030, "picture": 0.013}  # a Xeon with AVX-512, `flora`
SLOW = {"frame": 0.049, "picture": 0.0376}  # a laptop with AVX2, `flora`


def test_a_fast_machine_stays_at_the_first_level() -> None:
    machine = Machine(**FAST)
    machine.play(60)
    assert machine.levels == [(0.0, LADDER[0])]


def test_a_slow_machine_settles_once_and_the_network_has_its_share() -> None:
    machine = Machine(**SLOW)
    machine.play(SETTLED)
    assert machine.changes(0.0) == [machine.levels[1][0]]
    assert machine.governor.level.fps >= 24
    assert machine.picture_rate(30) >= 0.45 / SLOW["picture"]
    assert machine.changes(SETTLED) == []


@pytest.mark.parametrize("machine", [FAST, SLOW])
def test_a_busy_program_comes_and_goes(machine: dict[str, float]) -> None:
    played = Machine(**machine)
    played.play(20)
    before = played.governor.level
    played.others = 0.5
    played.play(20)
    assert len([at for at in played.changes(20.0) if at <= 20 + SETTLED + 0.1]) >= 1
    assert played.changes(20 + SETTLED + 0.1) == []
    assert played.governor.level.load < before.load
    played.others = 0.0
    went = played.now
    played.play(20)
    assert len(played.changes(went)) <= 2
    assert played.changes(went + 3 * SETTLED) == []
    assert LADDER.index(played.governor.level) <= LADDER.index(before) + 1  # a better one needs more room


@pytest.mark.parametrize("picture", [0.01, 0.03, 0.05, 0.1, 0.4])
def test_noise_does_not_make_it_flutter(picture: float) -> None:
    for frame in np.arange(0.02, 0.09, 0.004):  # so that some of them are at a limit of every level
        machine = Machine(float(frame), picture, noise=0.1)
        machine.play(120)
        assert len(machine.changes(10.0)) <= 2, frame


def test_an_attempt_that_fails_makes_the_next_wait_longer() -> None:
    governor = Governor()
    rises: list[float] = []
    now, network = 0.0, NetworkTime()
    while now < 200:  # the display fits on each level but the first, whatever one expects
        first = governor.level == LADDER[0]
        now += 1 / governor.level.fps
        if governor.frame(now, 0.04 if first else 0.008, network) and governor.level == LADDER[0]:
            rises.append(now)
    waits = [after - before for before, after in pairwise(rises)]
    assert all(after > before for before, after in pairwise(waits[:4]))
    assert waits[-1] > 30


def test_the_order_of_means() -> None:
    loads = [level.load for level in LADDER]
    assert loads == sorted(loads, reverse=True)
    assert [level.fps for level in LADDER[:4]] == [31, 31, 31, 31]  # first the size, then the rate
    assert min(level.fps for level in LADDER) == 26
    machine = Machine(**SLOW)
    seen = []
    for frame in np.arange(0.02, 0.2, 0.002):
        machine.frame = float(frame)
        machine.play(3)
        seen.append(LADDER.index(machine.governor.level))
    assert seen == sorted(seen)
    assert seen[-1] == len(LADDER) - 1


def test_what_is_pinned_stays() -> None:
    assert pinned(None, None) == LADDER
    assert {level.scale for level in pinned(None, 0.5)} == {0.5}
    assert [level.fps for level in pinned(None, 0.5)] == [31, 28, 26]
    assert [level.scale for level in pinned(60.0, None)] == [0.5, 0.42, 0.35, 0.3, 0.25]
    assert pinned(60.0, 1.0) == (Level(60, 1.0),)
    machine = Machine(**SLOW, governor=Governor(pinned(60.0, 1.0)))
    machine.play(20)
    assert machine.changes(0.0) == []


def test_one_late_frame_changes_nothing() -> None:
    machine = Machine(**FAST)
    machine.play(10)
    machine.governor.frame(machine.now + 0.6, 0.6, machine.network)  # a model was opened, say
    machine.now += 0.6
    machine.play(10)
    assert machine.changes(0.0) == []


def test_a_show_without_a_network_only_keeps_the_display_in_time() -> None:
    machine = Machine(0.1, 0.0)
    machine.play(10)
    level = machine.governor.level
    assert 0.1 * (0.18 + 0.82 * level.scale**2) * level.fps <= 0.95
    assert level == Level(31, 0.3)


def test_a_network_that_gets_no_time_at_all_is_seen() -> None:
    governor, now = Governor(), 0.0
    known = NetworkTime(100, 3.0, 3.0)
    while now < SETTLED:
        now += 1 / governor.level.fps
        governor.frame(now, 0.02, replace(known, running=now))
    assert governor.level == LADDER[-1]


def test_the_room_of_a_level() -> None:
    first, last = LADDER[0], LADDER[-1]
    assert Costs(0.5).room(first, first) == pytest.approx(1.9)
    assert Costs(1.6).room(first, last) == pytest.approx(0.95 / (1.6 * last.load / first.load))
    slow = Costs(0.9, picture=0.2, alone=0.04)  # 5 a second, 25 alone: 13.75 are the least
    assert slow.room(first, first) == pytest.approx(5 / 13.75)
    display = 0.9 * last.load / first.load  # the rest goes to the network; 26 frames need more
    assert slow.room(first, last) == pytest.approx((5 + (0.9 - display) * 25) / 13.75)
    assert Costs(0.5, picture=1 / 62, alone=0.01).room(first, first) == pytest.approx(1.9)


# Seconds of a frame and of a picture, of some scenes of a set; the first and the third have no network
SCENES = ((0.03, 0.0), (0.05, 0.035), (0.1, 0.0), (0.06, 0.025), (0.04, 0.03))
CUE_SECONDS, TRANSITION_SECONDS = 8.0, 2.0


def cue(machine: Machine, number: int, transition: float = TRANSITION_SECONDS) -> int:
    """Play one cue of the set after another; how many decisions the governor takes."""
    decisions, before = machine.governor.decisions, (number - 1) % len(SCENES)
    machine.frame = SCENES[number][0] + SCENES[before][0]  # both scenes are drawn
    machine.picture = SCENES[number][1] or SCENES[before][1]
    machine.shown = Shown(number, before)
    machine.play(transition)
    machine.frame, machine.picture = SCENES[number]
    machine.shown = Shown(number)
    machine.play(CUE_SECONDS - transition)
    return machine.governor.decisions - decisions


def whole_set(machine: Machine) -> list[int]:
    """Play all cues once; the decisions in each."""
    return [cue(machine, number) for number in range(len(SCENES))]


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_the_level_of_a_scene_is_remembered(noise: float) -> None:
    machine = Machine(*SCENES[0], noise=noise)
    learned = [whole_set(machine) for _ in range(2)]
    assert sum(learned[0]) > 0
    assert max(learned[0]) <= 2
    began = machine.now
    known = [whole_set(machine) for _ in range(10)]
    assert sum(map(sum, known)) <= (2 if noise else 0)
    assert len(machine.changes(began)) > 20  # from one scene to the next


def test_scenes_are_learned_anew_when_another_program_comes_or_goes() -> None:
    machine = Machine(*SCENES[0])
    for _ in range(3):
        whole_set(machine)
    quiet = [machine.governor.level for number in range(len(SCENES)) if cue(machine, number) == 0]
    assert len(quiet) == len(SCENES)
    machine.others = 0.4
    whole_set(machine)
    whole_set(machine)
    assert sum(whole_set(machine)) == 0
    machine.others = 0.0
    for _ in range(3):
        whole_set(machine)
    assert sum(whole_set(machine)) == 0
    again = [machine.governor.level for number in range(len(SCENES)) if cue(machine, number) == 0]
    assert again == quiet


def test_only_a_long_transition_is_looked_at() -> None:
    machine = Machine(0.03, 0.0, shown=Shown(0))
    machine.play(10)
    machine.frame, machine.shown = 0.2, Shown(1, 0)
    machine.play(LONG_TRANSITION)
    assert machine.governor.decisions == 0
    machine.play(1.0)
    assert machine.governor.level == LADDER[-1]
    machine.frame, machine.shown = 0.03, Shown(0)  # remembered, whatever the transition needed
    machine.play(0.1)
    assert machine.governor.level == LADDER[0]


def test_frames_that_take_longer_than_a_look_are_measured_too() -> None:
    """Two decks in 1080p: a frame takes a second and a half, so no other frame lies between two looks."""
    machine = Machine(frame=3.9, picture=0.0)
    machine.play(8.0)
    assert machine.governor.level == LADDER[-1]
    assert machine.levels[-1][0] < 6.0
