"""`perform loop`: from keyframes that a person chose to a film that ends where it begins.

A loop is a preset with the path `loop`: the command writes it, changes its keys, and renders one turn of
it, every frame exact. Live it is played as any other preset is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from perform.arrays import Floats
from perform.parameters import choice
from perform.paths import write_whole

CANDIDATES = 256  # seeds that keys are chosen among
INTERPOLATIONS, SPACES = ("linear", "slerp", "spline"), ("z", "w")
TEMPLATE = """\
# A loop of keyframes: perform loop FILE --reshuffle 2 changes one, --out FILM renders one turn.
title = "Loop"

[generator]
model = ""
truncation = 1.0
fit = "fill"

[latent]
path = "loop"
seeds = [] # the keyframes, in order
per = "second"
speed = 1.0 # keyframes a second
hold = 0.0 # share of the time for which each stands still
interpolation = "linear"
space = "z"
ease = 0.0
"""


@dataclass(frozen=True, slots=True)
class Loop:
    """Keyframes of a model: `each` seconds long, of which each stands still for the share `hold`."""

    model: str
    keys: tuple[int, ...]
    each: float
    hold: float = 0.0
    interpolation: str = "linear"
    space: str = "z"
    psi: float = 1.0

    def __post_init__(self) -> None:
        if len(self.keys) < 2:
            raise ValueError(f"keys {', '.join(map(str, self.keys)) or 'none'}, must be two or more")
        if not 0 < self.each <= 3600:
            raise ValueError(f"each = {self.each:g} s, must be above 0 and at most 3600")
        if not 0 <= self.hold <= 1:
            raise ValueError(f"hold = {self.hold:g}, must be 0..1")
        choice("interpolation", self.interpolation, INTERPOLATIONS)
        choice("space", self.space, SPACES)

    @property
    def seconds(self) -> float:
        """Of one turn."""
        return len(self.keys) * self.each

    def reshuffled(self, places: Sequence[int]) -> Loop:
        """The same with other keys at some places, counted from 1; the same ones each time."""
        keys = list(self.keys)
        draw = np.random.default_rng([*keys, *places])
        for place in places:
            if not 1 <= place <= len(keys):
                raise ValueError(f"reshuffle {place}, must be 1..{len(keys)}: the place of a key")
            keys[place - 1] = int(draw.integers(10_000))
        return replace(self, keys=tuple(keys))

    def ordered(self, places: Sequence[int]) -> Loop:
        """The same with its keys in another order: `places` counts them from 1, each once."""
        if sorted(places) != list(range(1, len(self.keys) + 1)):
            raise ValueError(f"order must name each of 1..{len(self.keys)} once")
        return replace(self, keys=tuple(self.keys[place - 1] for place in places))


def read_loop(text: str, file: Path) -> Loop:
    """The loop that a preset plays. ValueError when it plays something else."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    from perform.documents import MARK

    try:
        document: Any = tomlkit.parse(text.removeprefix(MARK)).unwrap()
        source, path = document["generator"], document["latent"]
        if (path["path"], path.get("per")) != ("loop", "second"):
            raise ValueError(f'{file}: latent must have path = "loop" and per = "second"')
        numbers = [path["speed"], path.get("hold", 0.0), source.get("truncation", 1.0)]
        if not all(isinstance(number, int | float) for number in numbers) or not numbers[0]:
            raise ValueError(f"{file}: speed, hold and truncation of a loop must be numbers, speed not 0")
        ways = path.get("interpolation", "spline"), path.get("space", "w")
        return Loop(source["model"], tuple(path["seeds"]), 1 / abs(numbers[0]), numbers[1], *ways, numbers[2])
    except TOMLKitError as error:
        raise ValueError(f"{file}: {error}") from error
    except (KeyError, TypeError) as error:
        raise ValueError(f"{file} is not a preset with a loop: {error} is missing or wrong") from error


def write_loop(loop: Loop, text: str = TEMPLATE) -> str:
    """The text of a preset with this loop; the rest of it and its comments stay."""
    from perform.documents import edit_tables

    given = {"seeds": list(loop.keys), "speed": round(1 / loop.each, 9), "hold": loop.hold}

    def change(tables: Any) -> None:
        if text == TEMPLATE:
            tables["title"] = f"Loop of {_known_as(Path(loop.model))}"
        tables["generator"].update({"model": loop.model, "truncation": loop.psi})
        tables["latent"].update({**given, "interpolation": loop.interpolation, "space": loop.space})

    return edit_tables(text, change)


def _known_as(model: Path) -> str:
    """A model's name; a run's folder names what is in it."""
    run = model.parent.name if model.stem in ("latest", "best") else ""
    return run or model.stem


def choose_keyframes(model: str, count: int, seed: int) -> tuple[int, ...]:
    """`count` of the seeds from `seed` on whose w differ most, in an order with short ways between them."""
    from perform import generators
    from perform.sampling.pictures import SampleRequest, sample_latents

    if not 2 <= count <= CANDIDATES:
        raise ValueError(f"choose {count}, must be 2..{CANDIDATES}")
    seeds = range(seed, seed + CANDIDATES)
    w = sample_latents(generators.weights_of(model), SampleRequest(f"{seeds[0]}-{seeds[-1]}"))[1][:, 0]
    return tuple(seeds[n] for n in _shortest(w, _farthest(w, count)))


def _farthest(points: Floats, count: int) -> list[int]:
    """Points each as far as can be from those before it (Gonzalez 1985), from the first on."""
    found, nearest = [0], np.linalg.norm(points - points[0], axis=1)
    while len(found) < count:
        found.append(int(nearest.argmax()))
        nearest = np.minimum(nearest, np.linalg.norm(points - points[found[-1]], axis=1))
    return found


def _shortest(points: Floats, places: Sequence[int]) -> list[int]:
    """The places in the order of a round trip, from the first always on to the nearest."""
    trip, left = [places[0]], list(places[1:])
    while left:
        trip.append(min(left, key=lambda n: float(np.linalg.norm(points[n] - points[trip[-1]]))))
        left.remove(trip[-1])
    return trip


def keyframe_sheet(loop: Loop, file: Path) -> None:
    """The keys' pictures in their order, as a PNG file."""
    from perform.models import located
    from perform.sampling.pictures import SampleRequest, Sampling, encode_png, image_pixels
    from perform.sampling.sheets import picture_grid

    request = SampleRequest(",".join(map(str, loop.keys)), psi=loop.psi)
    pictures = [image_pixels(sample.image) for sample in Sampling(located(loop.model), request)]
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, encode_png(picture_grid(pictures, min(len(pictures), 8))))
