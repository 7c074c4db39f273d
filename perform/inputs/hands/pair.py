"""Which hand is which: two hands with their sides kept, through crossings and short absences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np

from perform.arrays import Doubles
from perform.inputs.hands.signals import FASTEST, GATES, LET_GO, SIDES, WORDS, OneEuro, centre, palm, shape

BEGIN, END = 0.08, 0.35  # seconds that a hand is seen before it is there, and unseen before it is gone
REMEMBERED = 0.7  # seconds for which a hand that is not seen keeps its place
REACH = 0.25  # picture heights from where a hand is expected that cost 1
NEW = 1.0  # what it costs to begin a new hand rather than to go on with one
DOUBT = 0.25, 1.5  # what the wrong side costs a hand that goes on, and one that begins
FORESEEN = 0.2  # seconds for which a hand is expected to go on as it went
SURE, CHANGED = 0.5, 0.6  # seconds over which sides are voted on; for which a vote must hold to change them
WRONG = 0.3  # share of the votes below which a hand is on the wrong side
SAME = 0.5  # palms between two hands below which they are one, seen twice


@dataclass(frozen=True, slots=True)
class Seen:
    """A hand in a picture: its `points` [21, 3], and how probably it is a left hand."""

    points: Doubles
    left: float


@dataclass(slots=True)
class Track:
    """One hand through time. `vote` is the share of its sightings that were on its side."""

    smooth: OneEuro = field(default_factory=OneEuro)
    pace: OneEuro = field(default_factory=lambda: OneEuro(3.0, 0.0))
    vote: float = 0.5
    began: float = 0.0
    last: float = -np.inf
    place: Doubles = field(default_factory=lambda: np.zeros(3))
    velocity: Doubles = field(default_factory=lambda: np.zeros(3))
    here: bool = False
    _held: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(GATES, False))

    def alive(self, now: float) -> bool:
        """Whether it was seen a short while ago."""
        return now - self.last < REMEMBERED

    def expected(self, now: float) -> Doubles:
        """Where the middle of its palm should be [3]."""
        return self.place + self.velocity * min(now - self.last, FORESEEN)

    def see(self, seen: Seen, now: float, share: float) -> None:
        """It was seen; `share` is how probably on this side."""
        dt = now - self.last
        if not self.alive(now):
            self.smooth, self.pace = OneEuro(), OneEuro(3.0, 0.0)
            self.vote, self.began, self.velocity = share, now, np.zeros(3)
            dt = 0.0
        place = centre(seen.points)
        if dt > 0:
            self.velocity = self.pace.step((place - self.place) / dt, dt)
            self.vote += (1 - np.exp(-dt / SURE)) * (share - self.vote)
        self.smooth.step(seen.points, dt)
        self.place, self.last = place, now

    def said(self, now: float, aspect: float, seen: bool) -> dict[str, float]:
        """What changes: all of WORDS while it is seen; what is let go when it is gone; else nothing."""
        before, self.here = self.here, self._there(now)
        if self.here and seen and self.smooth.value is not None:
            values = shape(self.smooth.value, aspect)
            speed = float(np.linalg.norm(self.velocity[:2])) / FASTEST
            return values | self._gated(values) | {"present": 1.0, "speed": min(speed, 1.0)}
        if before and not self.here:
            self._held = dict.fromkeys(GATES, False)
            return dict.fromkeys(LET_GO, 0.0)
        return {}

    def _there(self, now: float) -> bool:
        if now - self.last > END:
            return False
        return self.here or self.last - self.began >= BEGIN

    def _gated(self, values: dict[str, float]) -> dict[str, float]:
        """Gestures as 0 or 1, each begun above one measure and ended below another."""
        for name, (on, off) in GATES.items():
            self._held[name] = values[name] >= (off if self._held[name] else on)
        return {name: float(held) for name, held in self._held.items()}


class Pair:
    """A left and a right hand."""

    def __init__(self) -> None:
        self._tracks = {side: Track() for side in SIDES}
        self._wrong = -1.0  # since when the votes are against the sides; -1: they are not

    def step(self, now: float, seen: Sequence[Seen], aspect: float) -> dict[str, float]:
        """What the hands say after a picture taken at `now` (seconds), by signal; `hand.count` always."""
        places = dict(self._assigned(now, once(seen)[: len(SIDES)]))
        for side, one in places.items():
            self._tracks[side].see(one, now, one.left if side == "left" else 1 - one.left)
        said: dict[str, float] = {}
        if self._crossed(now):
            said |= self._changed()
            places = {_other(side): one for side, one in places.items()}
        for side, track in self._tracks.items():
            words = track.said(now, aspect, side in places)
            said |= {f"hand.{side}.{word}": words[word] for word in WORDS if word in words}
        return said | {"hand.count": float(sum(track.here for track in self._tracks.values()))}

    def _assigned(self, now: float, seen: Sequence[Seen]) -> Iterator[tuple[str, Seen]]:
        """The sides that cost the least in all."""
        ways = [list(zip(sides, seen, strict=True)) for sides in permutations(SIDES, len(seen))]
        return iter(min(ways, key=lambda way: sum(self._cost(now, side, one) for side, one in way)))

    def _cost(self, now: float, side: str, seen: Seen) -> float:
        """How little a hand that was seen is like the one of a side."""
        track = self._tracks[side]
        doubt = 1 - seen.left if side == "left" else seen.left
        if not track.alive(now):
            return NEW + DOUBT[1] * doubt
        off = (centre(seen.points) - track.expected(now))[:2]
        return float(np.linalg.norm(off)) / REACH + DOUBT[0] * doubt

    def _crossed(self, now: float) -> bool:
        """Whether the votes have been against the sides for long enough."""
        alive = [track for track in self._tracks.values() if track.alive(now)]
        if not alive or sum(track.vote for track in alive) / len(alive) >= WRONG:
            self._wrong = -1.0
            return False
        self._wrong = now if self._wrong < 0 else self._wrong
        return now - self._wrong >= CHANGED

    def _changed(self) -> dict[str, float]:
        """The hands change sides; a side that loses its hand lets go."""
        left, right = self._tracks["left"], self._tracks["right"]
        self._tracks = {"left": right, "right": left}
        self._wrong = -1.0
        said: dict[str, float] = {}
        for side, track in self._tracks.items():
            track.vote = 1 - track.vote
            if not track.here and self._tracks[_other(side)].here:
                said |= {f"hand.{side}.{word}": 0.0 for word in LET_GO}
        return said


def once(seen: Sequence[Seen]) -> list[Seen]:
    """The hands, each once: a tracker may see one hand twice, most of all where two cross."""
    kept: list[Seen] = []
    for one in seen:
        near = SAME * palm(one.points)
        if all(np.linalg.norm((one.points - other.points)[:, :2], axis=1).mean() > near for other in kept):
            kept.append(one)
    return kept


def _other(side: str) -> str:
    return SIDES[1 - SIDES.index(side)]
