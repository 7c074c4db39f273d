"""The noise of every family that has some: drawn from seeds, and moving from seed to seed."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

import numpy as np

from perform.arrays import Floats
from perform.networks.controls import Controls, number, numbers


class NoiseConfig(Protocol):
    """What the configuration of a network with noise in its layers has: (height, width) of each noise."""

    @property
    def noise_shapes(self) -> tuple[tuple[int, int], ...]: ...


class MovingNoise:
    """Noise by seed and phase; `draw` gives that of a seed, with a mean of 0."""

    def __init__(self, draw: Callable[[int], Floats]) -> None:
        self._draw = lru_cache(maxsize=2)(draw)
        self.at = lru_cache(maxsize=1)(self._at)  # the same array as long as it is the same

    def _at(self, seed: int, phase: float) -> Floats:
        """`seed` and the whole part of `phase` name a noise; the fraction fades into the next one.

        Along a quarter of a circle, so that the variance stays: halfway on a straight line half of it
        would be lost, and the picture would pulse.
        """
        whole = math.floor(phase)
        turn = (phase - whole) * math.pi / 2
        start = self._draw(seed + whole)
        if not turn:
            return start
        blended: Floats = math.cos(turn) * start + math.sin(turn) * self._draw(seed + whole + 1)
        return blended


def noise_inputs(
    noise: Callable[..., Floats], *controlled: str
) -> Callable[[Controls], tuple[Floats, Floats]]:
    """From the controls to a noise and its strength [1]; `noise` makes it from its seed, its phase, and the
    numbers of the `controlled` ones."""

    def taken(controls: Controls) -> tuple[Floats, Floats]:
        seed, phase = int(number(controls, "noise_seed")), float(number(controls, "noise_phase"))
        drawn = noise(seed, phase, *(numbers(controls, name) for name in controlled))
        return drawn, np.full(1, number(controls, "noise"), np.float32)

    return taken


def noise_sizes(config: NoiseConfig) -> list[int]:
    """How many noise values each layer takes, in order."""
    return [height * width for height, width in config.noise_shapes]


def drawn_noise(config: NoiseConfig, seed: int) -> Floats:
    """Noise for all layers, one after the other, drawn from a seed: the same everywhere."""
    return seeded(seed).standard_normal(sum(noise_sizes(config)), dtype=np.float32)


def seeded(seed: int) -> np.random.Generator:
    """What draws the noise of a seed, which may be below 0."""
    return np.random.Generator(np.random.PCG64(seed % 2**64))
