"""The speed of a generator, measured."""

from __future__ import annotations

import numpy as np

from perform.arrays import Floats
from perform.clock import stopwatch
from perform.generators import Generator

WARM_UP_PICTURES = 3
TIMED_LATENTS = 16


def pictures_per_second(unit: Generator, seconds: float) -> float:
    """Pictures a second over `seconds`, each of another latent; mapping included."""
    latents = np.random.default_rng(0).standard_normal((TIMED_LATENTS, 1, unit.space.z_dim), np.float32)
    for _ in range(WARM_UP_PICTURES):
        _draw(unit, latents[0])
    count, start = 0, stopwatch()
    while (passed := stopwatch() - start) < seconds:
        _draw(unit, latents[count % TIMED_LATENTS])
        count += 1
    return count / passed


def _draw(unit: Generator, z: Floats) -> None:
    unit.synthesise(np.repeat(unit.map(z), unit.space.num_ws, 0))
