"""SinGAN: a generator learnt from one picture (Shaham, Dekel, Michaeli 2019, arXiv:1905.01164).

A pyramid of small convolutional networks. The coarsest makes a picture of noise, on a ground of a few
colours that all pictures share; each next one enlarges it and adds what is missing at its size, with
noise of its own. z is the coarsest noise, a map [height, width] of one number a place; w is z with a 1
after it, and there is one w for each scale: the first says where things are, the others which details
they have. Maps are brought to the length of noise inside the network, so that halfway between two of
them the picture is as rich as at both.

The centre of truncation is the noise from which the learnt picture itself comes, and its last number,
which is the share of the finer noise, is 0: truncation leads from that picture (0) to free
variations (1). A network learnt from several frames has their number as classes: the label says to
which of them truncation leads.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import ClassVar

import numpy as np

from perform.arrays import Floats
from perform.generators.mapping import checked_rows
from perform.generators.noise import MovingNoise, drawn_noise, noise_inputs
from perform.latent.controls import NOISE
from perform.latent.space import Space
from perform.networks import ModelError
from perform.networks.controls import Controls
from perform.networks.families import Mapper, MeanW
from perform.networks.weights import Weights, biased
from perform.parameters import Parameter

INPUTS = ("noise", "strength")
FIXED, BASE = "latent.fixed", "latent.base"


@dataclass(frozen=True, slots=True)
class Config:
    """The shape of a SinGAN.

    `sizes` has (height, width) of each scale, coarsest first; `widths` the features of each scale's
    hidden layers, of which there are `depth` - 1. `frames` is how many pictures it was learnt from, `base`
    (height, width) of the ground.
    """

    family: ClassVar[str] = "singan"
    blendable: ClassVar[bool] = False
    parameters: ClassVar[tuple[Parameter, ...]] = NOISE

    sizes: tuple[tuple[int, int], ...]
    widths: tuple[int, ...]
    depth: int = 5
    image_channels: int = 3
    frames: int = 1
    base: tuple[int, int] = (1, 1)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the pictures."""
        height, width = self.sizes[-1]
        return width, height

    @property
    def scales(self) -> int:
        return len(self.sizes)

    @property
    def bendable(self) -> tuple[str, ...]:
        """The hidden features of each scale, which can be bent, coarse to fine."""
        return tuple(f"scale{n}.hidden" for n in range(self.scales))

    @property
    def space(self) -> Space:
        height, width = self.sizes[0]
        places = height * width
        return Space(places, places + 1, self.scales, self.frames if self.frames > 1 else 0)

    @property
    def noise_shapes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of the noise of each scale but the coarsest."""
        return self.sizes[1:]

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor with its shape, in the order of the network."""
        if self.scales < 2 or len(self.widths) != self.scales:
            raise ModelError(
                f"scales = {self.scales}, widths = {len(self.widths)}, must be as many, 2 or more"
            )
        if not 2 <= self.depth < min(self.sizes[0]):
            raise ModelError(
                f"depth = {self.depth}, must be 2 or more, and less than the coarsest scale's sides"
            )
        if any(new < old for pair in pairwise(self.sizes) for old, new in zip(*pair, strict=True)):
            raise ModelError(f"sizes = {self.sizes}, must grow from scale to scale")
        named: dict[str, tuple[int, ...]] = {FIXED: (self.frames, *self.sizes[0])}
        named[BASE] = (self.image_channels, *self.base)
        for n, width in enumerate(self.widths):
            named[f"scale{n}.amplitude"] = ()
            features = (self.image_channels, *(width,) * (self.depth - 1), self.image_channels)
            for i, (inputs, outputs) in enumerate(pairwise(features)):
                named |= biased(f"scale{n}.conv{i}", (outputs, inputs, 3, 3))
        return named


def mapping(weights: Weights) -> Mapper:
    """From z to w: z, and all of the finer noise (the contract of `families.Family`)."""
    width = weights.config.space.z_dim

    def mapped(z: Floats, labels: Floats | None) -> Floats:
        z = checked_rows("z", z, width)
        return np.concatenate([z, np.ones((len(z), 1), np.float32)], 1)

    return mapped


def mean(weights: Weights) -> MeanW:
    """The w [w_dim] from which the learnt picture comes; with labels a mix of the frames'."""
    fixed = weights.arrays[FIXED].reshape(weights.config_as(Config).frames, -1)
    centres = np.pad(fixed, ((0, 0), (0, 1)))

    def centre(labels: Floats | None) -> Floats:
        mixed = centres if labels is None or len(centres) == 1 else labels @ centres
        return np.asarray(mixed[0], np.float32)

    return centre


def inputs(weights: Weights) -> Callable[[Controls], tuple[Floats, ...]]:
    """From the parameters of the noise to that of all scales but the coarsest [values], and its
    strength [1]. The network's own noise (-1) is one seed among the others."""
    config = weights.config_as(Config)
    return noise_inputs(MovingNoise(lambda seed: drawn_noise(config, seed)).at)


def resized(weights: Weights, size: tuple[int, int]) -> Weights:
    """The same network for pictures of another (width, height): all of it is convolutions.

    Things keep their size in pixels, there are more or fewer of them. The learnt picture's noise is
    mirrored beyond its edges, or cut. ModelError when the coarsest scale would be too small.
    """
    config = weights.config_as(Config)
    across, down = (new / old for new, old in zip(size, config.size, strict=True))
    sizes = tuple((max(round(h * down), 1), max(round(w * across), 1)) for h, w in config.sizes[:-1])
    if min(sizes[0]) <= config.depth:
        sides = zip(config.size, config.sizes[0][::-1], strict=True)
        least = " x ".join(str(int(np.ceil(side * (config.depth + 1) / cells))) for side, cells in sides)
        raise ModelError(f"size = {size[0]} x {size[1]}, must be about {least} or more")
    changed = replace(config, sizes=(*sizes, (size[1], size[0])))
    fixed = weights.arrays[FIXED]
    more = [(0, max(new - old, 0)) for new, old in zip(sizes[0], fixed.shape[1:], strict=True)]
    fitted = np.pad(fixed, ((0, 0), *more), "symmetric")[:, : sizes[0][0], : sizes[0][1]]
    arrays = {**weights.arrays, FIXED: np.ascontiguousarray(fitted)}
    return Weights(changed, arrays, weights.notes)
