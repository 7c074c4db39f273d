"""Which hand is left and which right: sides are kept through crossings and short absences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import permutations

import numpy as np

from perform.arrays import Doubles
from perform.formula.smoothing import OneEuro
from perform.inputs.hands.signals import FASTEST_HAND, GATES, RELEASED, SIDES, WORDS, centre, palm, shape

APPEARS_AFTER, LEAVES_AFTER = 0.08, 0.35  # seconds seen before a hand is there, unseen before it is gone
KEPT_FOR = 0.7  # seconds for which a hand that is not seen keeps its track
DISTANCE_COST = 0.25  # picture heights from where a hand is expected that cost 1
NEW_COST = 1.0  # the cost of a new track, rather than to continue one
WRONG_SIDE_COST = 0.25, 1.5  # the cost of the wrong side for a track that continues, and for a new one
PREDICTED_FOR = 0.2  # seconds for which a hand is expected to move on as before
VOTE_TIME, SWAP_AFTER = 0.5, 0.6  # seconds over which sides are voted on; for which a vote must hold to swap
WRONG_VOTE = 0.3  # share of the votes below which a hand is on the wrong side
SAME_HAND = 0.5  # palms between two hands below which they are one, seen twice


@dataclass(frozen=True, slots=True)
class HandSighting:
    """A hand in a picture: its `points` [21, 3], and how probably it is a left hand."""

    points: Doubles
    left: float


@dataclass(slots=True)
class HandTrack:
    """One hand over time. `vote` is the share of its sightings that were on its side."""

    smooth: OneEuro[Doubles] = field(default_factory=OneEuro)
    pace: OneEuro[Doubles] = field(default_factory=lambda: OneEuro(3.0, 0.0))
    vote: float = 0.5
    began: float = 0.0
    last: float = -np.inf
    place: Doubles = field(default_factory=lambda: np.zeros(3))
    velocity: Doubles = field(default_factory=lambda: np.zeros(3))
    here: bool = False
    _held: dict[str, bool] = field(default_factory=lambda: dict.fromkeys(GATES, False))

    def alive(self, now: float) -> bool:
        """Whether it was seen recently."""
        return now - self.last < KEPT_FOR

    def expected(self, now: float) -> Doubles:
        """Where the middle of its palm should be [3]."""
        return self.place + self.velocity * min(now - self.last, PREDICTED_FOR)

    def update(self, seen: HandSighting, now: float, share: float) -> None:
        """It was seen; `share` is how probably it belongs on this side."""
        dt = now - self.last
        if not self.alive(now):
            self.smooth, self.pace = OneEuro(), OneEuro(3.0, 0.0)
            self.vote, self.began, self.velocity = share, now, np.zeros(3)
            dt = 0.0
        place = centre(seen.points)
        if dt > 0:
            self.velocity = self.pace.step((place - self.place) / dt, dt)
            self.vote += (1 - np.exp(-dt / VOTE_TIME)) * (share - self.vote)
        self.smooth.step(seen.points, dt)
        self.place, self.last = place, now

    def changes(self, now: float, aspect: float, seen: bool) -> dict[str, float]:
        """The features that change: all of WORDS while it is seen, RELEASED when it goes, else nothing."""
        before, long_enough = self.here, self.last - self.began >= APPEARS_AFTER
        self.here = now - self.last <= LEAVES_AFTER and (before or long_enough)
        if self.here and seen and self.smooth.value is not None:
            values = shape(self.smooth.value, aspect)
            speed = float(np.linalg.norm(self.velocity[:2])) / FASTEST_HAND
            return values | self._gated(values) | {"present": 1.0, "speed": min(speed, 1.0)}
        if before and not self.here:
            self._held = dict.fromkeys(GATES, False)
            return dict.fromkeys(RELEASED, 0.0)
        return {}

    def _gated(self, values: dict[str, float]) -> dict[str, float]:
        """Gestures as 0 or 1, each starts above one measure and ends below another."""
        for name, (on, off) in GATES.items():
            self._held[name] = values[name] >= (off if self._held[name] else on)
        return {name: float(held) for name, held in self._held.items()}


class HandPair:
    """A left and a right hand."""

    def __init__(self) -> None:
        self._tracks = {side: HandTrack() for side in SIDES}
        self._wrong_since = -1.0  # since when the votes are against the sides; -1: they are not

    def step(self, now: float, seen: Sequence[HandSighting], aspect: float) -> dict[str, float]:
        """The signals that a picture taken at `now` (seconds) changes; `hand.count` always."""
        places = dict(self._assign(now, distinct_hands(seen)[: len(SIDES)]))
        for side, one in places.items():
            self._tracks[side].update(one, now, one.left if side == "left" else 1 - one.left)
        values: dict[str, float] = {}
        if self._crossed(now):
            values |= self._swap()
            places = {_other(side): one for side, one in places.items()}
        for side, track in self._tracks.items():
            words = track.changes(now, aspect, side in places)
            values |= {f"hand.{side}.{word}": words[word] for word in WORDS if word in words}
        return values | {"hand.count": float(sum(track.here for track in self._tracks.values()))}

    def _assign(self, now: float, seen: Sequence[HandSighting]) -> Iterator[tuple[str, HandSighting]]:
        """The sides that cost least in all."""
        ways = [list(zip(sides, seen, strict=True)) for sides in permutations(SIDES, len(seen))]
        return iter(min(ways, key=lambda way: sum(self._cost(now, side, one) for side, one in way)))

    def _cost(self, now: float, side: str, seen: HandSighting) -> float:
        """How little a sighting is like the hand of a side."""
        track = self._tracks[side]
        doubt = 1 - seen.left if side == "left" else seen.left
        if not track.alive(now):
            return NEW_COST + WRONG_SIDE_COST[1] * doubt
        off = (centre(seen.points) - track.expected(now))[:2]
        return float(np.linalg.norm(off)) / DISTANCE_COST + WRONG_SIDE_COST[0] * doubt

    def _crossed(self, now: float) -> bool:
        """Whether the votes have been against the sides for long enough."""
        alive = [track for track in self._tracks.values() if track.alive(now)]
        if not alive or sum(track.vote for track in alive) / len(alive) >= WRONG_VOTE:
            self._wrong_since = -1.0
            return False
        self._wrong_since = now if self._wrong_since < 0 else self._wrong_since
        return now - self._wrong_since >= SWAP_AFTER

    def _swap(self) -> dict[str, float]:
        """The hands swap sides; a side that loses its hand is released."""
        left, right = self._tracks["left"], self._tracks["right"]
        self._tracks = {"left": right, "right": left}
        self._wrong_since = -1.0
        values: dict[str, float] = {}
        for side, track in self._tracks.items():
            track.vote = 1 - track.vote
            if not track.here and self._tracks[_other(side)].here:
                values |= {f"hand.{side}.{word}": 0.0 for word in RELEASED}
        return values


def distinct_hands(seen: Sequence[HandSighting]) -> list[HandSighting]:
    """The hands, each once: a tracker may see one hand twice, most of all where two cross."""
    kept: list[HandSighting] = []
    for one in seen:
        near = SAME_HAND * palm(one.points)
        if all(np.linalg.norm((one.points - other.points)[:, :2], axis=1).mean() > near for other in kept):
            kept.append(one)
    return kept


def _other(side: str) -> str:
    return SIDES[1 - SIDES.index(side)]
