"""Latent navigation: paths through the space of a generator.

A path visits keyframes, points that seeds stand for. Its position is a phase in keyframes, added
up from the moments' bars, beats or seconds: with a steady speed it is the same at any frame rate
up to rounding; a speed that a formula changes is held for the length of a frame, so that there
the difference between two frame rates shrinks with the frame. Everything is drawn from seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol, TypeAlias

import numpy as np

from perform.arrays import Floats
from perform.clock import BEATS_PER_BAR, Moment
from perform.latent.curves import circle, eased, held, linear, slerp, spline
from perform.parameters import Parameter, ParameterError

Mapper: TypeAlias = Callable[[Floats], Floats]  # z [n, z_dim] to w [n, w_dim], before truncation
Values: TypeAlias = Mapping[str, Any]
Picker: TypeAlias = Callable[[Values, int], int]  # which seed keyframe n is

SEEDS = 2**32  # numpy's RandomState takes seeds below this
WEIGHTS = 8  # seeds that a path can have weights for
CACHED = 256  # keyframes kept, 1 MB at 512 dimensions
LOST_BEATS = 4.0  # a larger jump of the beat is another song, not a correction
CATCH_UP = 0.25  # seconds; time constant with which a correction of the beat is made up
LATE = 0.25  # keyframes; a jump this close before a keyframe goes to the one after it


@dataclass(frozen=True, slots=True)
class Space:
    """The latents of a generator: z [z_dim], w [w_dim], one w for each of `num_ws` layers, and
    labels [c_dim] (0: not class-conditional)."""

    z_dim: int
    w_dim: int
    num_ws: int
    c_dim: int = 0


class Path(Protocol):
    """A way through a space; `parameters` are its controls."""

    parameters: tuple[Parameter, ...]

    def step(self, moment: Moment, values: Values, mapping: Mapper) -> Floats:
        """ws [num_ws, w_dim] float32 of this moment, before truncation.

        `values` has one entry for every parameter. Keyframes are mapped once and remembered for as
        long as `mapping` compares equal, so pass the same callable on every frame.
        """
        ...


def z_of(seed: int, z_dim: int) -> Floats:
    """The z [z_dim] that a seed stands for in the official StyleGAN tools."""
    return np.asarray(np.random.RandomState(seed % SEEDS).randn(z_dim), np.float32)


def truncate(ws: Floats, mean: Floats, psi: float, cutoff: int | None = None) -> Floats:
    """ws [num_ws, w_dim] drawn towards `mean` [w_dim] or [num_ws, w_dim]: 1 leaves them, 0 is the mean,
    less than 0 the opposite, more than 1 beyond (-1.5..2 is worth seeing); the first `cutoff` layers,
    None: all.

    The truncation trick in W of StyleGAN (Karras, Laine, Aila 2019, arXiv:1812.04948, appendix B).
    """
    if psi == 1:
        return ws
    drawn = ws.copy()
    centre = np.broadcast_to(mean, ws.shape)[:cutoff]
    drawn[:cutoff] = centre + np.float32(psi) * (ws[:cutoff] - centre)
    return drawn


def blend(a: Floats, b: Floats, t: float) -> Floats:
    """From ws `a` (t = 0) to ws `b` (t = 1), straight in w: what a morph between two scenes shows."""
    return linear(a, b, t)


class Keyframes:
    """The points that seeds stand for, each drawn and mapped once."""

    def __init__(self, space: Space) -> None:
        self._space = space
        self._mapping: Mapper | None = None
        self._points: dict[tuple[str, int], Floats] = {}
        self._last: tuple[Floats, Floats] | None = None

    def use(self, mapping: Mapper) -> None:
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


class Travel:
    """How far a path has come: a phase that moments advance."""

    def __init__(self) -> None:
        self._phase = 0.0
        self._units: float | None = None
        self._behind = 0.0

    def step(self, moment: Moment, speed: float, per: str) -> float:
        """The phase after this moment: `speed` per bar, beat or second.

        The first step starts where the bar or the beat is, so that whole phases fall on downbeats.
        A correction of the beat is made up smoothly; a jump of the count is ignored.
        """
        passed, surplus = self._passed(moment, per)
        self._phase += speed * passed
        self._behind = (self._behind + speed * surplus) * math.exp(-moment.dt / CATCH_UP)
        return self._phase - self._behind

    def _passed(self, moment: Moment, per: str) -> tuple[float, float]:
        """Units since the last step, and how many of them the tempo does not account for."""
        if per == "second":
            return moment.dt, 0.0
        beats = 1 if per == "beat" else BEATS_PER_BAR
        units, before = moment.beat if per == "beat" else moment.bar, self._units
        self._units = units
        if before is None:
            return units % 1, 0.0
        expected = moment.dt * moment.bpm / 60 / beats
        surplus = units - before - expected
        if abs(surplus) * beats > LOST_BEATS:
            return expected, 0.0
        return units - before, surplus


class Jumps:
    """Steps to the next keyframe on a trigger, at once or gliding."""

    def __init__(self) -> None:
        self._held = False
        self._target = 0.0
        self._behind = 0.0

    def step(self, moment: Moment, values: Values, phase: float) -> float:
        """`phase` moved on by the jumps so far; `glide` is how many seconds a jump takes."""
        glide = float(values["glide"])
        self._behind *= math.exp(-4 * moment.dt / glide) if glide > 0 else 0.0
        held = float(values["jump"]) > 0
        if held and not self._held:
            here = phase + self._target
            step = math.floor(here + LATE) + 1 - here
            self._target += step
            self._behind += step if glide > 0 else 0.0
        self._held = held
        return phase + self._target - self._behind


class Route:
    """A path from keyframe to keyframe; `pick` says which seed keyframe n is."""

    def __init__(self, space: Space, parameters: tuple[Parameter, ...], pick: Picker) -> None:
        self.parameters = parameters
        self._space = space
        self._pick = pick
        self._keyframes = Keyframes(space)
        self._travel = Travel()
        self._jumps = Jumps()

    def step(self, moment: Moment, values: Values, mapping: Mapper) -> Floats:
        self._keyframes.use(mapping)
        phase = self._travel.step(moment, values["speed"], values["per"]) if "speed" in values else 0.0
        phase = self._jumps.step(moment, values, phase)
        point = between(phase, values, lambda n: self._point(values, n))
        return layers(self._space, self._keyframes, point, values)

    def _point(self, values: Values, n: int) -> Floats:
        return self._keyframes.point(self._pick(values, n), values["space"])


class Orbit:
    """A circle around a seed's point, closed after each turn; a jump moves its centre to the next
    seed. The plane of the circle is spanned by the two seeds before the first centre."""

    def __init__(self, space: Space, parameters: tuple[Parameter, ...]) -> None:
        self.parameters = parameters
        self._space = space
        self._keyframes = Keyframes(space)
        self._travel = Travel()
        self._jumps = Jumps()

    def step(self, moment: Moment, values: Values, mapping: Mapper) -> Floats:
        self._keyframes.use(mapping)
        turn = 2 * math.pi * (self._travel.step(moment, values["speed"], values["per"]) % 1)
        centre = between(self._jumps.step(moment, values, 0.0), values, lambda n: self._point(values, n))
        across, along = circle(self._point(values, 0), self._point(values, -1), self._point(values, -2))
        radius = float(values["radius"])
        swing = np.float32(radius * math.cos(turn)) * across + np.float32(radius * math.sin(turn)) * along
        return layers(self._space, self._keyframes, centre + swing, values)

    def _point(self, values: Values, n: int) -> Floats:
        return self._keyframes.point(onwards(values, n), values["space"])


class Weighted:
    """The mean of its seeds' points by their weights; while no weight is above 0 it stays where it was."""

    def __init__(self, space: Space, parameters: tuple[Parameter, ...]) -> None:
        self.parameters = parameters
        self._space, self._keyframes = space, Keyframes(space)
        self._point: Floats | None = None

    def step(self, _moment: Moment, values: Values, mapping: Mapper) -> Floats:
        self._keyframes.use(mapping)
        seeds: Sequence[int] = values["seeds"][:WEIGHTS]
        points = [self._keyframes.point(seed, "w") for seed in seeds]
        weights = np.array([max(float(values[f"weight{n + 1}"]), 0.0) for n in range(len(seeds))])
        if self._point is None or weights.sum() > 0:
            shares = weights / weights.sum() if weights.sum() > 0 else np.full(len(seeds), 1 / len(seeds))
            self._point = np.asarray(np.tensordot(shares, points, 1), np.float32)
        return layers(self._space, self._keyframes, self._point, {**values, "space": "w"})


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


SPACE = Parameter("space", "w", description="where the path runs", kind="choice", choices=("z", "w"))
SEED = Parameter("seed", 0, 0, SEEDS - 1, "", "the first keyframe; the following seeds come after it", "int")
SEEDS_LIST = Parameter("seeds", (0, 1, 2, 3), 0, SEEDS - 1, "", "the keyframes", "list")
INTERPOLATION = Parameter(
    "interpolation",
    "spline",
    description="how the path runs from keyframe to keyframe",
    kind="choice",
    choices=("linear", "slerp", "spline"),
)
EASE = Parameter("ease", 0.5, 0, 1, "", "how long the path dwells at its keyframes")
HOLD = Parameter("hold", 0.0, 0, 1, "", "the share of its time for which a keyframe stands still; 1: cuts")
PER = Parameter(
    "per", "bar", description="what speed counts", kind="choice", choices=("bar", "beat", "second")
)
ORDER = Parameter(
    "order",
    "forward",
    description="the order of the keyframes; once stays on the last",
    kind="choice",
    choices=("forward", "backward", "pingpong", "shuffle", "once"),
)
SHUFFLE = Parameter("shuffle", 0, 0, SEEDS - 1, "", "the seed of the shuffle", "int")
RADIUS = Parameter("radius", 0.3, 0, 2, "", "of the circle; 1 is as far as another seed")
JUMPING = (
    Parameter("jump", False, 0, 1, "", "goes to the next keyframe", "event"),
    Parameter("glide", 0.0, 0, 30, "s", "how long a jump takes, 0: at once"),
)
MIXING = (
    Parameter("mix", 0.0, 0, 1, "", "how much of another seed's style comes in"),
    Parameter("mix_seed", 1, 0, SEEDS - 1, "", "the seed of that style", "int"),
    Parameter("mix_from", 4, 0, 63, "", "first layer that takes it; low layers carry form", "int"),
    Parameter("mix_to", 63, 0, 63, "", "last layer that takes it; high layers carry texture", "int"),
)


def _speed(default: float, counted: str) -> tuple[Parameter, Parameter]:
    return Parameter("speed", default, -16, 16, counted, f"{counted} per bar, beat or second"), PER


def _weight(n: int) -> Parameter:
    return Parameter(f"weight{n}", float(n == 1), 0, 1, "", f"how much there is of seed {n} of the list")


_PARAMETERS: Mapping[str, tuple[Parameter, ...]] = {
    "walk": (SEED, *_speed(0.5, "keyframes"), INTERPOLATION, EASE, HOLD, SPACE, *JUMPING, *MIXING),
    "loop": (SEEDS_LIST, *_speed(0.5, "keyframes"), INTERPOLATION, EASE, HOLD, SPACE, *JUMPING, *MIXING),
    "orbit": (SEED, *_speed(0.25, "turns"), RADIUS, INTERPOLATION, SPACE, *JUMPING, *MIXING),
    "hold": (SEED, INTERPOLATION, SPACE, *JUMPING, *MIXING),
    "keys": (
        SEEDS_LIST,
        ORDER,
        SHUFFLE,
        *_speed(0.5, "keyframes"),
        INTERPOLATION,
        EASE,
        HOLD,
        SPACE,
        *JUMPING,
        *MIXING,
    ),
    "weights": (SEEDS_LIST, *(_weight(n) for n in range(1, WEIGHTS + 1)), *MIXING),
}
_PICKERS: Mapping[str, Picker] = {"walk": onwards, "loop": around, "hold": onwards, "keys": ordered}
PATHS: tuple[str, ...] = tuple(_PARAMETERS)


def path_parameters(name: str) -> tuple[Parameter, ...]:
    """The controls of a path. Raises ParameterError when there is none of that name."""
    if name not in _PARAMETERS:
        near = get_close_matches(name, PATHS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ParameterError(f"path = {name!r}, must be one of {', '.join(PATHS)}{hint}")
    return _PARAMETERS[name]


def open_path(name: str, space: Space) -> Path:
    """A path at its beginning. Raises ParameterError when there is none of that name."""
    parameters = path_parameters(name)
    if name in ("orbit", "weights"):
        return (Orbit if name == "orbit" else Weighted)(space, parameters)
    return Route(space, parameters, _PICKERS[name])
