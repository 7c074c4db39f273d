"""Keyframes: the points of a space that seeds stand for, their order, and the way between them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from perform.arrays import Floats
from perform.latent.curves import eased, held, linear, slerp, spline
from perform.latent.space import SEEDS, LatentMapper, Space, z_of
from perform.parameters import Values

CACHED = 256  # keyframes kept, 1 MB at 512 dimensions


class Keyframes:
    """The points that seeds stand for, each drawn and mapped once."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._mapping: LatentMapper | None = None
        self._points: dict[tuple[str, int], Floats] = {}
        self._last: tuple[Floats, Floats] | None = None

    def use(self, mapping: LatentMapper) -> None:
        """The mapping from here on; another one makes the keyframes known so far stale."""
        if mapping != self._mapping:
            self._mapping, self._last = mapping, None
            self._points.clear()

    def point(self, seed: int, space: str) -> Floats:
        """z [z_dim] or w [w_dim] of a seed."""
        point = self._points.pop((space, seed), None)
        if point is None:
            z = z_of(seed, self._space.z_dim)
            point = self._map(z) if space == "w" else z
        self._points[space, seed] = point  # newest last
        if len(self._points) > CACHED:
            del self._points[next(iter(self._points))]
        return point

    def w(self, point: Floats, space: str) -> Floats:
        """The w of a point of `space`; a z that did not change is not mapped again."""
        if space == "w":
            return point
        if self._last is None or not np.array_equal(self._last[0], point):
            self._last = point, self._map(point)
        return self._last[1]

    def _map(self, z: Floats) -> Floats:
        # One at a time: a batch gives other last bits, and a frame's batch depends on the frame rate.
        assert self._mapping is not None, "use() comes first"
        return np.asarray(self._mapping(z[None])[0], np.float32)


def between(phase: float, values: Values, point: Callable[[int], Floats]) -> Floats:
    """The point at `phase`, by the interpolation, the hold and the ease that the values name."""
    n = math.floor(phase)
    t = eased(held(phase - n, float(values.get("hold", 0.0))), float(values.get("ease", 0.0)))
    if t == 0:
        return point(n)
    match values["interpolation"]:
        case "spline":
            return spline(point(n - 1), point(n), point(n + 1), point(n + 2), t)
        case "slerp":
            return slerp(point(n), point(n + 1), t)
        case _:
            return linear(point(n), point(n + 1), t)


def layers(space: Space, keyframes: Keyframes, point: Floats, values: Values) -> Floats:
    """ws [num_ws, w_dim]: the point's w in every layer, mixed with the style of `mix_seed`
    (style mixing, Karras et al. 2019) in the layers mix_from..mix_to."""
    w = keyframes.w(point, values["space"])
    ws = np.repeat(w[None], space.num_ws, axis=0)
    if values["mix"] > 0:
        style = keyframes.point(int(values["mix_seed"]), "w")
        mixed = slice(int(values["mix_from"]), int(values["mix_to"]) + 1)
        ws[mixed] = linear(ws[mixed], style, float(values["mix"]))
    return ws


def onwards(values: Values, n: int) -> int:
    """Keyframe n of walk, hold and orbit: the seeds after `seed`."""
    return (int(values["seed"]) + n) % SEEDS


def around(values: Values, n: int) -> int:
    """Keyframe n of loop: after the last seed comes the first."""
    seeds: Sequence[int] = values["seeds"]
    return seeds[n % len(seeds)]


def ordered(values: Values, n: int) -> int:
    """Keyframe n of keys, in the order asked for."""
    seeds: Sequence[int] = values["seeds"]
    count = len(seeds)
    match values["order"]:
        case "backward":
            return seeds[-1 - n % count]
        case "pingpong":
            return seeds[count - 1 - abs(n % max(2 * count - 2, 1) - (count - 1))]
        case "once":
            return seeds[min(max(n, 0), count - 1)]
        case "shuffle":
            return seeds[shuffled(count, n // count, int(values["shuffle"]))[n % count]]
        case _:
            return seeds[n % count]


def shuffled(count: int, turn: int, seed: int) -> list[int]:
    """The order of one turn of a shuffle; it never begins with what the turn before ended on
    (with two seeds it may)."""
    order = _permutation(count, turn, seed)
    # Only the first two change places, so that the last of a turn is always the one drawn.
    if count > 2 and order[0] == _permutation(count, turn - 1, seed)[-1]:
        order[0], order[1] = order[1], order[0]
    return order


def _permutation(count: int, turn: int, seed: int) -> list[int]:
    return [int(n) for n in np.random.RandomState([seed % SEEDS, turn % SEEDS]).permutation(count)]
