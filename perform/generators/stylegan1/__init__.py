"""StyleGAN, the first (Karras, Laine, Aila 2019, arXiv:1812.04948): the shape of its networks.

Tensors have the names that `stylegan2` gives to what does the same: `affine` is the style of a layer
(the paper's A), `noise_strength` the noise's scale for each channel (its B). The first layer of the
first block has no convolution: its input is the constant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import ClassVar

import numpy as np

from perform.arrays import Floats
from perform.generators import stylegan2
from perform.latent.controls import NOISE, NOISE_LAYERS
from perform.latent.space import Space
from perform.networks.controls import Controls
from perform.networks.families import Mapper, MeanW
from perform.networks.weights import Weights
from perform.parameters import Parameter

INPUTS = ("noise", "strength")
SLOPE = np.float32(0.2)
EPSILON = np.float32(1e-8)
FUSED = 128  # the size from which the original enlarges with transposed convolutions
BLUR = (1, 2, 1)  # after each enlargement, both ways


@dataclass(frozen=True, slots=True)
class Config:
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

    @property
    def blocks(self) -> int:
        return len(self.channels) // 2

    @property
    def w_dim(self) -> int:
        return self.mapping[-1]

    @property
    def resolutions(self) -> tuple[int, ...]:
        """The blocks' nominal resolutions: 4, 8, …; they name the blocks."""
        return tuple(4 << block for block in range(self.blocks))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the pictures."""
        height, width = self.start
        return width << (self.blocks - 1), height << (self.blocks - 1)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers in order; layer i takes ws[i]."""
        return tuple(f"b{r}.conv{half}" for r in self.resolutions for half in (0, 1))

    @property
    def bendable(self) -> tuple[str, ...]:
        """The layers whose activations can be bent, coarse to fine."""
        return self.layers

    @property
    def space(self) -> Space:
        return Space(self.z_dim, self.w_dim, 2 * self.blocks, self.c_dim)

    def noise_shape(self, layer: int) -> tuple[int, int]:
        """(height, width) of the noise of a layer."""
        height, width = self.start
        return height << (layer // 2), width << (layer // 2)

    def fuses(self, layer: int) -> bool:
        """Whether a layer that enlarges does so with a transposed convolution."""
        return min(self.noise_shape(layer)) >= self.fused

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor with its shape, in the order of the network."""
        named: dict[str, tuple[int, ...]] = {"mapping.w_avg": (self.w_dim,)}
        if self.c_dim:
            named["mapping.embed.weight"] = (self.embed, self.c_dim)
        for i, (inputs, outputs) in enumerate(pairwise((self.z_dim + self.embed, *self.mapping))):
            named |= {f"mapping.fc{i}.weight": (outputs, inputs), f"mapping.fc{i}.bias": (outputs,)}
        named["synthesis.b4.const"] = (self.channels[0], *self.start)
        for i, layer in enumerate(self.layers):
            name, width = f"synthesis.{layer}", self.channels[i]
            if i:
                named[f"{name}.weight"] = (width, self.channels[i - 1], 3, 3)
            named |= {f"{name}.noise_strength": (width,), f"{name}.noise_const": self.noise_shape(i)}
            named |= {f"{name}.bias": (width,)}
            named |= {f"{name}.affine.weight": (2 * width, self.w_dim), f"{name}.affine.bias": (2 * width,)}
        named["synthesis.torgb.weight"] = (self.image_channels, self.channels[-1], 1, 1)
        named["synthesis.torgb.bias"] = (self.image_channels,)
        return named


def mapping(weights: Weights) -> Mapper:
    """From z and labels to w (the contract of `weights.Family`)."""
    return partial(mapped, weights.part("mapping."))


def mean(weights: Weights) -> MeanW:
    """The centre of truncation [w_dim]: the same for all labels."""
    centre = weights.arrays["mapping.w_avg"]
    return lambda labels: centre


def inputs(weights: Weights) -> Callable[[Controls], tuple[Floats, ...]]:
    """From the parameters of the noise to the noise of all layers [values] and its strength [1]."""
    return stylegan2.inputs(weights)


def noise_sizes(config: Config) -> list[int]:
    """How many noise values each layer takes, in order."""
    shapes = (config.noise_shape(layer) for layer in range(len(config.layers)))
    return [height * width for height, width in shapes]


def mapped(weights: Weights, z: Floats, labels: Floats | None = None) -> Floats:
    """z [n, z_dim] and labels [n or 1, c_dim] (None: the first class) to w [n, w_dim].

    Other than in `stylegan2`, labels are embedded without a bias and normalised together with z, and
    the gain of sqrt 2 is the weights' alone, not the biases'.
    """
    config = weights.config_as(Config)
    x = _shaped("z", z, config.z_dim)
    if config.c_dim:
        given = np.eye(1, config.c_dim, dtype=np.float32) if labels is None else labels
        embedded = _shaped("labels", given, config.c_dim) @ weights.arrays["mapping.embed.weight"].T
        x = np.concatenate([x, np.broadcast_to(embedded, (len(x), config.embed))], 1)
    x = np.asarray(x / np.sqrt(np.square(x).mean(1, keepdims=True) + EPSILON), np.float32)
    for i in range(len(config.mapping)):
        weight, bias = weights.arrays[f"mapping.fc{i}.weight"], weights.arrays[f"mapping.fc{i}.bias"]
        gain = np.float32(config.rate * np.sqrt(2 / weight.shape[1]))
        y: Floats = (x @ weight.T) * gain + bias * np.float32(config.rate)
        x = np.maximum(y, y * SLOPE)
    return x


def _shaped(name: str, value: Floats, size: int) -> Floats:
    value = np.asarray(value, np.float32)
    if value.ndim != 2 or value.shape[1] != size:
        raise ValueError(f"{name} has shape {value.shape}, must be (n, {size})")
    return value
