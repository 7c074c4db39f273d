"""StyleGAN, the first (Karras, Laine, Aila 2019, arXiv:1812.04948): the shape of its networks.

Tensors have the names that `stylegan2` gives to what does the same: `affine` is the style of a layer
(the paper's A), `noise_strength` the noise's scale for each channel (its B). The first layer of the
first block has no convolution: its input is the constant.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from perform.arrays import Floats
from perform.generators.blocks import StyleGANConfig
from perform.generators.mapping import checked_labels, checked_rows, mean
from perform.generators.stylegan2 import inputs
from perform.latent.controls import NOISE, NOISE_LAYERS
from perform.networks.families import Mapper
from perform.networks.weights import Weights, biased
from perform.parameters import Parameter

__all__ = ["INPUTS", "Config", "inputs", "mapped", "mapping", "mean"]

INPUTS = ("noise", "strength")
SLOPE = np.float32(0.2)
EPSILON = np.float32(1e-8)
FUSED = 128  # the size from which the original enlarges with transposed convolutions
BLUR = (1, 2, 1)  # after each enlargement, both ways


@dataclass(frozen=True, slots=True)
class Config(StyleGANConfig):
    """The shape of a StyleGAN generator.

    `channels` holds the width of the constant and of the output of each convolution: (const,
    b4.conv1, b8.conv0, …). `start` is the constant's (height, width), `mapping` the widths of the
    mapping's layers, `embed` of the label's embedding, `rate` the mapping's learning-rate multiplier.
    Blocks whose smaller side is `fused` or more enlarge with a transposed convolution, the others by
    repeating pixels before a convolution.
    """

    family: ClassVar[str] = "stylegan1"
    parameters: ClassVar[tuple[Parameter, ...]] = (*NOISE, NOISE_LAYERS)

    channels: tuple[int, ...]
    z_dim: int = 512
    c_dim: int = 0
    embed: int = 0
    mapping: tuple[int, ...] = (512,) * 8
    rate: float = 0.01
    image_channels: int = 3
    start: tuple[int, int] = (4, 4)
    fused: int = FUSED

    def fuses(self, layer: int) -> bool:
        """Whether a layer that enlarges does so with a transposed convolution."""
        return min(self.noise_shape(layer)) >= self.fused

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor with its shape, in the order of the network."""
        named = self.mapping_shapes(embed_bias=False)
        named["synthesis.b4.const"] = (self.channels[0], *self.start)
        for i, layer in enumerate(self.layers):
            name, width = f"synthesis.{layer}", self.channels[i]
            if i:
                named[f"{name}.weight"] = (width, self.channels[i - 1], 3, 3)
            named |= {f"{name}.noise_strength": (width,), f"{name}.noise_const": self.noise_shape(i)}
            named[f"{name}.bias"] = (width,)
            named |= biased(f"{name}.affine", (2 * width, self.w_dim))
        return named | biased("synthesis.torgb", (self.image_channels, self.channels[-1], 1, 1))


def mapping(weights: Weights) -> Mapper:
    """From z and labels to w (the contract of `families.Family`)."""
    return partial(mapped, weights.part("mapping."))


def mapped(weights: Weights, z: Floats, labels: Floats | None = None) -> Floats:
    """z [n, z_dim] and labels [n or 1, c_dim] (None: the first class) to w [n, w_dim].

    Other than in `stylegan2`, labels are embedded without a bias and normalised together with z, and
    the gain of sqrt 2 is the weights' alone, not the biases'.
    """
    config = weights.config_as(Config)
    x = checked_rows("z", z, config.z_dim)
    if config.c_dim:
        embedded = checked_labels(labels, config.c_dim) @ weights.arrays["mapping.embed.weight"].T
        x = np.concatenate([x, np.broadcast_to(embedded, (len(x), config.embed))], 1)
    x = np.asarray(x / np.sqrt(np.square(x).mean(1, keepdims=True) + EPSILON), np.float32)
    for i in range(len(config.mapping)):
        weight, bias = weights.arrays[f"mapping.fc{i}.weight"], weights.arrays[f"mapping.fc{i}.bias"]
        gain = np.float32(config.rate * np.sqrt(2 / weight.shape[1]))
        y: Floats = (x @ weight.T) * gain + bias * np.float32(config.rate)
        x = np.maximum(y, y * SLOPE)
    return x
