"""The governor: how a live show shares a processor that both draws and computes the network.

Twice a second it looks at what a frame and a picture cost here and now, and chooses a level: a frame rate and
a size of the scenes. A level must leave the display in time, and must leave the network PICTURE_SHARE of the
rate that it has alone (or of the frame rate, if that is less). The first level has the best display; what
is given up first is the size of the scenes, then the frame rate.

It does not flutter. To change, it adds up at each look how far the limits are broken, or how much room there
would be on a better level: much counts at once, little only if it stays. A better level needs more room than
a worse one, and one that it could not keep doubles the wait for the next attempt.

It remembers the level that each scene had at its end, and plays it from the cue on. A transition draws two
scenes: it has the worse of their levels, and is only looked at if it is long.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from statistics import median

LOOK_INTERVAL = 0.5  # seconds from one look to the next
LOOKS = 2  # of which the costs are measured together
PICTURE_SHARE = 0.55  # of the network's own rate, or of the frame rate: the least (the goal is 0.45)
LATE = 0.95  # of the time of a frame: the most work
NEAR = 0.95  # times the limits are still kept
DOWN_ROOM, UP_ROOM = 1.2, 1.3  # times the limits: the room of a level to go down or up to
EVIDENCE = 0.25  # the sum of what is missing, or there to spare, at the looks before a change
FIRST_HOLD, LONGEST_HOLD = 1.0, 32.0  # seconds on a level before it goes up
FAILED_AFTER = 6.0  # times that; a level that it leaves downwards sooner was an attempt that failed
LEAST_SECONDS = 1e-6  # that a picture takes
LONG_TRANSITION = 4.0  # seconds after which a transition is looked at like a scene
# A frame's work is a fixed part and one in proportion to the scenes' pixels. With software GL at 1280x720,
# the fixed part (the last pass, mostly) is 0.22 of the other at full size.
FIXED_WORK = 0.22


@dataclass(frozen=True, slots=True)
class Level:
    """A frame rate, and the scale of the scenes (0.1..1 of the show's size)."""

    fps: float
    scale: float

    @property
    def load(self) -> float:
        """The display's work a second, in any unit."""
        return self.fps * (FIXED_WORK + self.scale**2)


LADDER = (  # the lowest rate leaves room for late frames above the goal of 24
    Level(31, 0.5),
    Level(31, 0.42),
    Level(31, 0.35),
    Level(31, 0.3),
    Level(28, 0.3),
    Level(26, 0.3),
    Level(26, 0.25),
)


def pinned(fps: float | None, scale: float | None) -> tuple[Level, ...]:
    """The levels with what the user has pinned."""
    levels = [replace(one, fps=fps or one.fps, scale=scale or one.scale) for one in LADDER]
    return tuple(dict.fromkeys(levels))


@dataclass(frozen=True, slots=True)
class NetworkTime:
    """How many pictures the networks have made, the seconds that these took, and would have taken alone;
    `running` is for how many seconds the picture that is being made has been."""

    pictures: int = 0
    seconds: float = 0.0
    alone: float = 0.0
    running: float = 0.0

    def __add__(self, other: NetworkTime) -> NetworkTime:
        return NetworkTime(
            self.pictures + other.pictures,
            self.seconds + other.seconds,
            self.alone + other.alone,
            max(self.running, other.running),
        )

    def since(self, before: NetworkTime) -> NetworkTime:
        """What came after `before`; if that is no picture, the one that is being made."""
        pictures = self.pictures - before.pictures
        if pictures:
            return NetworkTime(pictures, self.seconds - before.seconds, self.alone - before.alone)
        alone = self.alone / self.pictures if self.pictures else self.running
        return NetworkTime(1, self.running, alone) if self.running else NetworkTime()


@dataclass(frozen=True, slots=True)
class Costs:
    """What the show costs on a level: `display` is the share of a frame's time that its work takes (above 1:
    it is late), `picture` the seconds of a picture, `alone` those that it would take alone. Both are 0
    without a network."""

    display: float
    picture: float = 0.0
    alone: float = 0.0

    def room(self, here: Level, there: Level) -> float:
        """How well the level `there` keeps the limits, by what is measured `here`: 1 is just kept, 2 twice.
        The time that the display no longer takes goes to the network."""
        display = self.display * there.load / here.load
        in_time = LATE / display
        if not self.picture:
            return in_time
        own = 1 / self.alone
        rate = 1 / self.picture + (min(self.display, 1.0) - display) * own
        return min(in_time, rate / (PICTURE_SHARE * min(own, there.fps)))


@dataclass(frozen=True, slots=True)
class Shown:
    """What a frame shows: a scene, and the one before it while a transition goes from one to the other."""

    scene: Hashable = None
    before: Hashable = None


class Governor:
    """Chooses among some levels, the best first, by what every frame reports."""

    def __init__(self, levels: Sequence[Level] = LADDER) -> None:
        self.levels = levels
        self.decisions = 0  # changes of level within a scene
        self._at = 0
        self._shown, self._since = Shown(), 0.0  # what is on show, and from when on
        self._levels: dict[Hashable, int] = {}  # that each scene had at its end
        self._changed, self._rose = 0.0, False
        self._hold, self._lack, self._plenty = FIRST_HOLD, 0.0, 0.0
        self._marks: list[tuple[float, NetworkTime]] = []  # the last looks
        self._works: list[list[float]] = []  # of the frames after each of them, in seconds

    @property
    def level(self) -> Level:
        """The level now."""
        return self.levels[self._at]

    def frame(self, now: float, work: float, network: NetworkTime, shown: Shown | None = None) -> bool:
        """Take what a frame reports: the time now and the frame's work, in seconds, the networks' time so
        far, and what it shows. True if the level is another from now on."""
        shown = shown or self._shown
        if shown != self._shown:
            return self._enter(now, shown)
        if self._marks:
            self._works[-1].append(work)  # also of a frame that takes longer than from one look to the next
            if now - self._marks[-1][0] < LOOK_INTERVAL:
                return False
        costs = self._costs(network) if len(self._marks) == LOOKS else None
        self._mark(now, network)
        if costs is None or (shown.before is not None and now - self._since < LONG_TRANSITION):
            return False
        at = self._choice(now, costs)
        if at == self._at:
            return False
        self._decide(now, at)
        return True

    def _enter(self, now: float, shown: Shown) -> bool:
        """Another scene is on show, or a transition: play it as remembered, and measure anew."""
        last, before = self._shown, self._at
        if last.before is None:
            self._levels[last.scene] = before
        scenes = [shown.scene] if shown.before is None else [shown.scene, shown.before]
        self._at = max(self._levels.get(scene, before) for scene in scenes)
        self._shown, self._since, self._rose = shown, now, False
        self._measure_anew()
        return self._at != before

    def _mark(self, now: float, network: NetworkTime) -> None:
        self._marks = [*self._marks, (now, network)][-LOOKS:]
        self._works = [*self._works, []][-LOOKS:]

    def _costs(self, network: NetworkTime) -> Costs | None:
        """The costs since the look before the last; None without frames."""
        works = [work for some in self._works for work in some]
        if not works:
            return None
        display = median(works) * self.level.fps
        used = network.since(self._marks[0][1])
        if not used.pictures:
            return Costs(display)
        return Costs(display, used.seconds / used.pictures, max(used.alone / used.pictures, LEAST_SECONDS))

    def _choice(self, now: float, costs: Costs) -> int:
        """The index of the best level for these costs."""
        rooms = [costs.room(self.level, level) for level in self.levels]
        better = next((at for at in range(self._at) if rooms[at] >= UP_ROOM), self._at)
        self._lack = max(self._lack + NEAR - rooms[self._at], 0.0)
        self._plenty = max(self._plenty + rooms[better] / UP_ROOM - 1, 0.0) if better < self._at else 0.0
        worse = range(self._at + 1, len(self.levels))
        if self._lack >= EVIDENCE and worse:
            return next((at for at in worse if rooms[at] >= DOWN_ROOM), worse[-1])
        waited = now - self._changed >= self._hold
        return better if waited and self._plenty >= EVIDENCE else self._at

    def _decide(self, now: float, at: int) -> None:
        """Go to a level."""
        if at > self._at and self._rose:
            failed = now - self._changed < FAILED_AFTER * self._hold
            self._hold = min(2 * self._hold, LONGEST_HOLD) if failed else max(self._hold / 2, FIRST_HOLD)
        self._rose = at < self._at
        self._at, self._changed = at, now
        self.decisions += 1
        self._measure_anew()

    def _measure_anew(self) -> None:
        self._lack = self._plenty = 0.0
        self._marks, self._works = [], []
