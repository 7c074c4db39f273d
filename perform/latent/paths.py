"""Latent navigation: paths through the space of a generator.

A path visits keyframes, points that seeds stand for. Its position is a phase in keyframes, added
up from the moments' bars, beats or seconds: with a steady speed it is the same at any frame rate
up to rounding; a speed that a formula changes is held for the length of a frame, so that there
the difference between two frame rates shrinks with the frame. Everything is drawn from seeds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol, TypeAlias

import numpy as np

from perform.arrays import Floats
from perform.clock import Moment
from perform.latent.curves import circle
from perform.latent.keyframes import Keyframes, around, between, layers, onwards, ordered
from perform.latent.space import SEEDS, LatentMapper, Space
from perform.latent.travel import Jumps, Travel
from perform.parameters import Parameter, Values

Picker: TypeAlias = Callable[[Values, int], int]  # which seed keyframe n is

WEIGHTS = 8  # seeds that a path can have weights for


class Path(Protocol):
    """A way through a space; `parameters` are its controls."""

    parameters: tuple[Parameter, ...]

    def step(self, moment: Moment, values: Values, mapping: LatentMapper) -> Floats:
        """ws [num_ws, w_dim] float32 of this moment, before truncation.

        `values` has one entry for every parameter. Keyframes are mapped once and remembered for as
        long as `mapping` compares equal, so pass the same callable on every frame.
        """
        ...


class Route:
    """A path from keyframe to keyframe; `pick` gives the seed of keyframe n."""

    def __init__(self, space: Space, parameters: tuple[Parameter, ...], pick: Picker = onwards) -> None:
        self.parameters = parameters
        self._space = space
        self._pick = pick
        self._keyframes = Keyframes(space)
        self._travel = Travel()
        self._jumps = Jumps()

    def step(self, moment: Moment, values: Values, mapping: LatentMapper) -> Floats:
        self._keyframes.use(mapping)
        phase = self._travel.step(moment, values["speed"], values["per"]) if "speed" in values else 0.0
        phase = self._jumps.step(moment, values["jump"] > 0, values["glide"], phase)
        point = between(phase, values, lambda n: self._point(values, n))
        return layers(self._space, self._keyframes, point, values)

    def _point(self, values: Values, n: int) -> Floats:
        return self._keyframes.point(self._pick(values, n), values["space"])


class Orbit(Route):
    """A circle around a seed's point, closed after each turn; a jump moves its centre to the next
    seed. The plane of the circle is spanned by the two seeds before the first centre."""

    def step(self, moment: Moment, values: Values, mapping: LatentMapper) -> Floats:
        self._keyframes.use(mapping)
        turn = 2 * math.pi * (self._travel.step(moment, values["speed"], values["per"]) % 1)
        place = self._jumps.step(moment, values["jump"] > 0, values["glide"], 0.0)
        centre = between(place, values, lambda n: self._point(values, n))
        across, along = circle(self._point(values, 0), self._point(values, -1), self._point(values, -2))
        radius = float(values["radius"])
        swing = np.float32(radius * math.cos(turn)) * across + np.float32(radius * math.sin(turn)) * along
        return layers(self._space, self._keyframes, centre + swing, values)


class Weighted:
    """The mean of its seeds' points by their weights; while no weight is above 0 it stays where it was."""

    def __init__(self, space: Space, parameters: tuple[Parameter, ...]) -> None:
        self.parameters = parameters
        self._space, self._keyframes = space, Keyframes(space)
        self._point: Floats | None = None

    def step(self, _moment: Moment, values: Values, mapping: LatentMapper) -> Floats:
        self._keyframes.use(mapping)
        seeds: Sequence[int] = values["seeds"][:WEIGHTS]
        points = [self._keyframes.point(seed, "w") for seed in seeds]
        weights = np.array([max(float(values[f"weight{n + 1}"]), 0.0) for n in range(len(seeds))])
        if self._point is None or weights.sum() > 0:
            shares = weights / weights.sum() if weights.sum() > 0 else np.full(len(seeds), 1 / len(seeds))
            self._point = np.asarray(np.tensordot(shares, points, 1), np.float32)
        return layers(self._space, self._keyframes, self._point, {**values, "space": "w"})


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
EASE = Parameter("ease", 0.5, 0, 1, "", "how slowly the path passes its keyframes")
HOLD = Parameter("hold", 0.0, 0, 1, "", "the share of its time in which a keyframe does not move; 1: cuts")
PER = Parameter(
    "per",
    "bar",
    description="the unit of time for the speed",
    kind="choice",
    choices=("bar", "beat", "second"),
)
ORDER = Parameter(
    "order",
    "forward",
    description="the order of the keyframes; once stops at the last one",
    kind="choice",
    choices=("forward", "backward", "pingpong", "shuffle", "once"),
)
SHUFFLE = Parameter("shuffle", 0, 0, SEEDS - 1, "", "the seed of the shuffle", "int")
RADIUS = Parameter("radius", 0.3, 0, 2, "", "radius of the circle; 1 is the distance to another seed")
JUMPING = (
    Parameter("jump", False, 0, 1, "", "goes to the next keyframe", "event"),
    Parameter("glide", 0.0, 0, 30, "s", "how long a jump takes, 0: at once"),
)
MIXING = (
    Parameter("mix", 0.0, 0, 1, "", "how much of another seed's style is mixed in"),
    Parameter("mix_seed", 1, 0, SEEDS - 1, "", "the seed of that style", "int"),
    Parameter("mix_from", 4, 0, 63, "", "the first layer with that style; low layers make the form", "int"),
    Parameter("mix_to", 63, 0, 63, "", "the last layer with that style; high layers make the texture", "int"),
)


def _speed(default: float, counted: str) -> tuple[Parameter, Parameter]:
    return Parameter("speed", default, -16, 16, counted, f"{counted} per bar, beat or second"), PER


def _weight(n: int) -> Parameter:
    return Parameter(f"weight{n}", float(n == 1), 0, 1, "", f"the weight of seed {n} of the list")


_TRAVEL = (*_speed(0.5, "keyframes"), INTERPOLATION, EASE, HOLD, SPACE, *JUMPING, *MIXING)
_PATHS: Mapping[str, tuple[Callable[[Space, tuple[Parameter, ...]], Path], tuple[Parameter, ...]]] = {
    "walk": (Route, (SEED, *_TRAVEL)),
    "loop": (partial(Route, pick=around), (SEEDS_LIST, *_TRAVEL)),
    "orbit": (Orbit, (SEED, *_speed(0.25, "turns"), RADIUS, INTERPOLATION, SPACE, *JUMPING, *MIXING)),
    "hold": (Route, (SEED, INTERPOLATION, SPACE, *JUMPING, *MIXING)),
    "keys": (partial(Route, pick=ordered), (SEEDS_LIST, ORDER, SHUFFLE, *_TRAVEL)),
    "weights": (Weighted, (SEEDS_LIST, *(_weight(n) for n in range(1, WEIGHTS + 1)), *MIXING)),
}
PATHS: tuple[str, ...] = tuple(_PATHS)
PATH = Parameter("path", "walk", kind="choice", choices=PATHS)


def path_parameters(name: str) -> tuple[Parameter, ...]:
    """The controls of a path. Raises ParameterError if there is none of that name."""
    PATH.check(name)
    return _PATHS[name][1]


def open_path(name: str, space: Space) -> Path:
    """A path at its beginning. Raises ParameterError when there is none of that name."""
    parameters = path_parameters(name)
    return _PATHS[name][0](space, parameters)
