"""What each number of a flower's latent means: a name, and the range that a standard normal is mapped to."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

Latent = NDArray[np.float32]  # [DIMENSIONS], standard normal


@dataclass(frozen=True, slots=True)
class Dimension:
    """One number: `low` .. `high` by the normal distribution function, so that every value in the range is
    as likely as any other; `lean` above 1 favours the low end, below 1 the high one."""

    name: str
    low: float
    high: float
    meaning: str
    lean: float = 1.0

    def value(self, z: float) -> float:
        """What a standard normal z stands for."""
        share = 0.5 * math.erfc(-z / math.sqrt(2))
        return self.low + (self.high - self.low) * float(share**self.lean)


@dataclass(frozen=True, slots=True)
class Raw(Dimension):
    """A number that is taken as it is: a coordinate among varieties, or a place in a pattern."""

    def value(self, z: float) -> float:
        """z, softly held within low .. high."""
        half = (self.high - self.low) / 2
        return half * math.tanh(z / half)


def _coordinate(name: str, meaning: str) -> Raw:
    return Raw(name, -3.5, 3.5, meaning)


TABLE: tuple[Dimension, ...] = (
    _coordinate("kind_x", "where among the kinds of flowers"),
    _coordinate("kind_y", "where among the kinds of flowers"),
    _coordinate("kind_z", "where among the kinds of flowers"),
    _coordinate("palette_x", "where among the palettes"),
    _coordinate("palette_y", "where among the palettes"),
    _coordinate("palette_z", "where among the palettes"),
    Dimension("bloom", 0.0, 1.0, "0 a bud, 0.5 in bloom, 1 spent"),
    Dimension("fullness", -1.0, 1.0, "fewer or more petals than the kind has"),
    Dimension("breadth", 0.86, 1.18, "petals' width, times the kind's"),
    Dimension("point", -1.0, 1.0, "petals' tips: round or pointed"),
    Dimension("curl", -16.0, 26.0, "degrees that the tips bend out more"),
    Dimension("cup", 0.82, 1.18, "how much petals are hollowed, times the kind's"),
    Dimension("ruffle", 0.35, 1.7, "waves along the edges, times the kind's", lean=1.4),
    Dimension("ruffle_scale", 0.75, 1.3, "number of these waves, times the kind's"),
    _coordinate("ruffle_place", "moves the waves"),
    Dimension("fringe", 0.0, 1.0, "cut edges", lean=3.0),
    Dimension("twist", -0.35, 0.35, "radians that petals turn about their length"),
    Dimension("disorder", 0.1, 1.0, "how much petals differ from each other", lean=1.3),
    _coordinate("disorder_x", "moves these differences"),
    _coordinate("disorder_y", "moves these differences"),
    Dimension("heart", 0.75, 1.25, "size of the inner petals, times the kind's"),
    Dimension("hue", -0.22, 0.22, "radians that all hues are turned"),
    Dimension("lightness", -0.1, 0.035, "added to the petals' OKLab lightness"),
    Dimension("chroma", 0.98, 1.32, "times the petals' chroma"),
    Dimension("gradient", 0.15, 0.95, "how far up the petal the tip's colour begins"),
    Dimension("margin", 0.0, 1.0, "breadth of the coloured edge", lean=1.6),
    Dimension("flame", 0.0, 1.0, "strength of flames, with the palette's own"),
    Dimension("flame_scale", 0.65, 1.6, "fineness of flames"),
    Dimension("flame_reach", -0.16, 0.2, "how much of the petal flames take"),
    Dimension("flame_style", 0.0, 1.0, "0 along the middle, 1 feathered from the edges"),
    _coordinate("pattern_x", "moves flames and veins"),
    _coordinate("pattern_y", "moves flames and veins"),
    Dimension("veins", 0.1, 1.0, "strength of veins"),
    Dimension("blotch", 0.6, 1.4, "size of the star at the petals' base, times the kind's"),
    Dimension("stamens", 0.85, 1.2, "size of stamens and pistil, times the kind's"),
    Dimension("turn", -0.8, 0.8, "radians about the flower's own axis"),
    Dimension("lean", -0.42, 0.42, "radians that the flower leans sideways"),
    Dimension("nod", -0.12, 0.5, "radians that the flower leans to the viewer, besides what its bloom does"),
    Dimension("eye", -0.08, 0.22, "radians that the camera looks down"),
    Dimension("near", 4.2, 7.5, "distance of the camera, in petals"),
    Dimension("scale", 0.64, 0.84, "the bloom's extent, in frames"),
    Dimension("place_x", -0.05, 0.05, "the bloom's centre, in frames from the middle"),
    Dimension("place_y", -0.01, 0.07, "the same upwards"),
    Dimension("bend", -1.0, 1.0, "the stem's bend"),
    Dimension("leaves", 0.35, 1.15, "length of the leaves, times the kind's"),
    Dimension("leaf_turn", -0.7, 0.7, "radians that the leaves stand around the stem"),
    Dimension(
        "light_side",
        -2.4,
        2.1,
        "radians of the key light: from behind the left, before, to behind the right",
        lean=1.25,
    ),
    Dimension("light_height", 0.25, 1.15, "radians of the key light above the horizon"),
    Dimension("light_size", 0.12, 0.4, "radians that the key light spans"),
    Dimension("contrast", 0.0, 1.0, "key light against fill", lean=0.75),
    Dimension("rim", 0.0, 1.0, "light from behind", lean=1.3),
    Dimension("warmth", -1.0, 1.0, "cool .. warm key light"),
    Dimension("gloss", 0.0, 1.0, "sheen of the petals", lean=1.3),
    Dimension("ground", 0.0, 1.0, "the background's lightness: nearly always dark", lean=2.1),
    _coordinate("ground_x", "where among the backgrounds' colours"),
    _coordinate("ground_y", "where among the backgrounds' colours"),
    Dimension("pool_x", -0.55, 0.55, "centre of the background's light, in frames"),
    Dimension("pool_y", -0.45, 0.45, "the same upwards"),
    Dimension("haze", 0.0, 1.0, "soft shapes far behind", lean=1.4),
    _coordinate("haze_place", "moves these shapes"),
    Dimension("aperture", 0.2, 1.0, "depth of field: all sharp .. only the middle"),
)

DIMENSIONS = len(TABLE)
DIMENSION_NUMBERS: Mapping[str, int] = MappingProxyType({one.name: place for place, one in enumerate(TABLE)})


def latents(seed: int, count: int) -> NDArray[np.float32]:
    """`count` latents [count, DIMENSIONS] of standard normals, brought to the sphere to which networks bring
    theirs (a root mean square of 1), so that one can be taught picture by picture. The first ones of a
    seed are the same for any count. Raises ValueError for a negative count or seed."""
    if count < 0 or seed < 0:
        raise ValueError(f"seed {seed}, count {count}, must be 0 or more")
    drawn = np.random.default_rng(seed).standard_normal((count, DIMENSIONS), dtype=np.float32)
    return np.asarray(drawn / np.sqrt(np.square(drawn).mean(1, keepdims=True)), np.float32)


def check_latent(z: object) -> Latent:
    """z as float32 [DIMENSIONS]; raises ValueError for another shape, or numbers that are not finite."""
    given = np.asarray(z, dtype=np.float32)
    if given.shape != (DIMENSIONS,):
        raise ValueError(f"z has shape {given.shape}, must be ({DIMENSIONS},)")
    if not np.isfinite(given).all():
        raise ValueError(f"z[{int(np.argmin(np.isfinite(given)))}] is not finite, must be a number")
    return given


def describe(z: object) -> dict[str, float]:
    """What a latent z [DIMENSIONS] stands for, by name; see TABLE for ranges and meanings."""
    return {one.name: one.value(float(number)) for one, number in zip(TABLE, check_latent(z), strict=True)}
