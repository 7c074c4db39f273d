"""The StyleGAN2 of lucidrains' stylegan2-pytorch: a dialect of its own, so a family of its own.

It differs from `stylegan2` in nearly everything: one w for each block, no learning-rate scaling of the
convolutions, styles added to 1, bilinear enlargement, one noise picture of 0..1 for all layers, and
pictures of 0..1 (the network here gives -1..1, as every family does). Tensors have the names that
`stylegan2` gives to what does the same.

Not in the file are: the mapping's learning-rate multiplier (in `.config.json` beside the file),
and the noise, which the original draws for every picture and which comes from a seed here.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import ClassVar

import numpy as np

from perform.arrays import Floats
from perform.generators.blocks import BlocksConfig
from perform.generators.mapping import checked_rows, infer_mapping, mean
from perform.generators.noise import MovingNoise, noise_inputs, seeded
from perform.latent.controls import NOISE, STORED
from perform.latent.space import Space
from perform.networks.controls import Controls
from perform.networks.families import Mapper
from perform.networks.weights import Shapes, Weights, biased, checked_config, layout_of
from perform.parameters import Parameter

__all__ = ["INPUTS", "Config", "infer", "inputs", "mapped", "mapping", "mean"]

INPUTS = ("noise", "strength")
SLOPE = np.float32(0.2)
MIDDLE = np.float32(0.5)  # of the noise
OWN_SEED = 0  # of the noise that replaces the network's own, which no file holds


@dataclass(frozen=True, slots=True)
class Config(BlocksConfig):
    """The shape of a generator.

    `channels` holds the width of the first features and of each block's output, `mapping` the widths of
    the mapping's layers. `rate` is the mapping's learning-rate multiplier, `normalised` whether z is
    brought to length 1, `constant` whether the first features are learned (else computed from w),
    `convolved` whether a convolution follows them, `blurred` whether the picture is blurred as it grows.
    """

    family: ClassVar[str] = "lucidrains"
    parameters: ClassVar[tuple[Parameter, ...]] = NOISE

    channels: tuple[int, ...]
    z_dim: int = 512
    mapping: tuple[int, ...] = (512,) * 8
    rate: float = 0.1
    normalised: bool = True
    image_channels: int = 3
    constant: bool = True
    convolved: bool = True
    blurred: bool = True

    @property
    def blocks(self) -> int:
        return len(self.channels) - 1

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the pictures."""
        return self.resolutions[-1], self.resolutions[-1]

    @property
    def space(self) -> Space:
        return Space(self.z_dim, self.w_dim, self.blocks)

    def widths(self, layer: int) -> tuple[int, int]:
        """Inputs and outputs of a convolution."""
        before, after = self.channels[layer // 2 : layer // 2 + 2]
        return (after if layer % 2 else before), after

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor with its shape, in the order of the network."""
        named = self.mapping_shapes()
        first, b4 = self.channels[0], "synthesis.b4"
        if self.constant:
            named[f"{b4}.const"] = (first, 4, 4)
        else:
            named[f"{b4}.begin"] = (self.w_dim, first, 4, 4)
        if self.convolved:
            named |= biased(f"{b4}.initial", (first, first, 3, 3))
        for i, layer in enumerate(self.layers):
            name, (inputs, outputs) = f"synthesis.{layer}", self.widths(i)
            named[f"{name}.weight"] = (outputs, inputs, 3, 3)
            named |= biased(f"{name}.affine", (inputs, self.w_dim)) | biased(f"{name}.noise", (outputs, 1))
        for resolution, width in zip(self.resolutions, self.channels[1:], strict=True):
            torgb = f"synthesis.b{resolution}.torgb"
            named[f"{torgb}.weight"] = (self.image_channels, width, 1, 1)
            named |= biased(f"{torgb}.affine", (width, self.w_dim))
        return named


@layout_of("generator of lucidrains' kind")
def infer(found: Shapes, rate: float = 0.1, normalised: bool = True, blurred: bool = True) -> Config:
    """The configuration, from the shapes under our names; the other arguments are in no shape."""
    blocks = len({name for name in found if re.fullmatch(r"synthesis\.b\d+\.conv1\.weight", name)})
    outputs = [found[f"synthesis.b{4 << block}.conv1.weight"][0] for block in range(blocks)]
    fields = infer_mapping(found)
    config = Config(
        channels=(found["synthesis.b4.conv0.weight"][1], *outputs),
        z_dim=fields["z_dim"],
        mapping=fields["mapping"],
        rate=rate,
        normalised=normalised,
        image_channels=found["synthesis.b4.torgb.weight"][0],
        constant="synthesis.b4.const" in found,
        convolved="synthesis.b4.initial.weight" in found,
        blurred=blurred,
    )
    return checked_config(config)


def mapping(weights: Weights) -> Mapper:
    """From z to w (the contract of `families.Family`)."""
    return partial(mapped, weights.part("mapping."))


def inputs(weights: Weights) -> Callable[[Controls], tuple[Floats, ...]]:
    """From the parameters of the noise to the noise picture [height, width] of 0..1 and its strength [1]."""
    drawn = partial(drawn_noise, weights.config_as(Config))
    moving = MovingNoise(lambda seed: drawn(OWN_SEED if seed == STORED else seed) - MIDDLE)
    raised = lru_cache(maxsize=1)(lambda seed, phase: moving.at(seed, phase) + MIDDLE)
    return noise_inputs(raised)


def drawn_noise(config: Config, seed: int) -> Floats:
    """A noise picture [height, width], even in 0..1, drawn from a seed: the same everywhere."""
    width, height = config.size
    return seeded(seed).random((height, width), np.float32)


def mapped(weights: Weights, z: Floats, labels: Floats | None = None) -> Floats:
    """z [n, z_dim] to w [n, w_dim]; there are no labels."""
    config = weights.config_as(Config)
    x = checked_rows("z", z, config.z_dim)
    if config.normalised:
        x = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), np.float32(1e-12))
    rate = np.float32(config.rate)
    for i in range(len(config.mapping)):
        weight, bias = weights.arrays[f"mapping.fc{i}.weight"], weights.arrays[f"mapping.fc{i}.bias"]
        y: Floats = (x @ weight.T + bias) * rate
        x = np.maximum(y, y * SLOPE)
    return x
