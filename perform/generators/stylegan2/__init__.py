"""StyleGAN2: the shape of its networks, their inputs, and the official names of their tensors.

Tensors have the names that the field's files use (`mapping.fc0.weight`, `synthesis.b8.conv0.weight`
…). The configuration comes from the shapes where it can, so that any channel table, mapping depth
and number of image channels opens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Literal, TypeAlias, cast

import numpy as np

from perform.arrays import AnyArray, Floats
from perform.generators.blocks import StyleGANConfig
from perform.generators.mapping import infer_mapping, mapping, mean
from perform.generators.noise import MovingNoise, drawn_noise, noise_inputs, noise_sizes
from perform.latent.controls import NOISE, NOISE_LAYERS, STORED
from perform.latent.directions import reach
from perform.networks.controls import Controls
from perform.networks.weights import Shapes, Weights, biased, checked_config, checked_weights, layout_of
from perform.parameters import Parameter

__all__ = ["INPUTS", "Config", "from_official", "infer", "inputs", "mapping", "mean"]

Architecture: TypeAlias = Literal["skip", "resnet", "orig"]

INPUTS = ("noise", "strength")
FILTER = "synthesis.resample_filter"
TAPS = np.array([1, 3, 3, 1], np.float32)


@dataclass(frozen=True, slots=True)
class Config(StyleGANConfig):
    """The shape of a StyleGAN2 generator.

    `channels` holds the width of the constant and of the output of each convolution:
    (const, b4.conv1, b8.conv0, b8.conv1, …). `start` is the constant's (height, width), `mapping`
    the widths of the mapping's layers, `embed` of the label's embedding, `rate` the mapping's
    learning-rate multiplier, `clamp` limits the activations (None: not).
    """

    family: ClassVar[str] = "stylegan2"
    skipped: ClassVar[int] = 1  # the first block begins with its constant
    parameters: ClassVar[tuple[Parameter, ...]] = (*NOISE, NOISE_LAYERS)

    channels: tuple[int, ...]
    z_dim: int = 512
    c_dim: int = 0
    embed: int = 0
    mapping: tuple[int, ...] = (512,) * 8
    rate: float = 0.01
    image_channels: int = 3
    architecture: Architecture = "skip"
    clamp: float | None = None
    start: tuple[int, int] = (4, 4)

    def shows(self, block: int) -> bool:
        """Whether a block has a toRGB layer."""
        return self.architecture == "skip" or block == self.blocks - 1

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor with its shape, in the order of the network."""
        named = self.mapping_shapes()
        named[FILTER] = (4, 4)
        named["synthesis.b4.const"] = (self.channels[0], *self.start)
        for i, name in enumerate(self.layers):
            named |= _convolution(self, i, f"synthesis.{name}")
        for block, r in enumerate(self.resolutions):
            deep = self.channels[2 * block + 1]
            if self.shows(block):
                torgb = f"synthesis.b{r}.torgb"
                named |= biased(torgb, (self.image_channels, deep, 1, 1))
                named |= biased(f"{torgb}.affine", (deep, self.w_dim))
            if self.architecture == "resnet" and block:
                named[f"synthesis.b{r}.skip.weight"] = (deep, self.channels[2 * block - 1], 1, 1)
        return named


def channel_table(base: int, most: int, resolution: int) -> tuple[int, ...]:
    """The papers' usual table: min(base / resolution, most) at each resolution."""
    blocks = resolution.bit_length() - 2
    return tuple(min(base // (4 << block), most) for block in range(blocks) for _ in range(2))


def _convolution(config: Config, layer: int, name: str) -> dict[str, tuple[int, ...]]:
    inputs, outputs = config.channels[layer : layer + 2]
    return {
        **biased(name, (outputs, inputs, 3, 3)),
        f"{name}.noise_strength": (),
        f"{name}.noise_const": config.noise_shape(layer),
        **biased(f"{name}.affine", (inputs, config.w_dim)),
    }


@layout_of("stylegan2 generator")
def infer(found: Shapes, clamp: float | None = None, rate: float = 0.01) -> Config:
    """The configuration, from a file's shapes; `clamp` and `rate` are in no shape."""
    blocks = len({name for name in found if re.fullmatch(r"synthesis\.b\d+\.conv1\.weight", name)})
    const = found["synthesis.b4.const"]
    convolutions = [f"b{4 << (i + 1) // 2}.conv{(i + 1) % 2}" for i in range(2 * blocks - 1)]
    outputs = [found[f"synthesis.{name}.weight"][0] for name in convolutions]
    resnet = "synthesis.b8.skip.weight" in found
    early = "synthesis.b4.torgb.weight" in found
    config = Config(
        channels=(const[0], *outputs),
        **infer_mapping(found),
        rate=rate,
        image_channels=found[f"synthesis.b{4 << (blocks - 1)}.torgb.weight"][0],
        architecture="resnet" if resnet else "skip" if early else "orig",
        clamp=clamp,
        start=(const[1], const[2]),
    )
    return checked_config(config)


def from_official(
    named: Mapping[str, AnyArray],
    clamp: float | None = None,
    rate: float = 0.01,
    notes: Mapping[str, str] | None = None,
) -> Weights:
    """Weights from the parameters and buffers of an official network, by their official names.

    The resampling filters, one in each layer there, become one; networks without noise get noise
    of strength 0; other tensors are left out.
    """
    config = infer({name: array.shape for name, array in named.items()}, clamp, rate)
    filters = [array for name, array in named.items() if name.endswith("resample_filter")]
    outer = np.outer(TAPS, TAPS) / TAPS.sum() ** 2
    still = {name: np.zeros(shape) for name, shape in config.shapes().items() if ".noise_" in name}
    return checked_weights(config, {**still, **named, FILTER: filters[0] if filters else outer}, notes or {})


def inputs(weights: Weights) -> Callable[[Controls], tuple[Floats, ...]]:
    """From the parameters of the noise to that of all convolutions [values] and its strength [1]."""
    stored = stored_noise(weights)
    config = cast(StyleGANConfig, weights.config)
    moving = MovingNoise(lambda seed: stored if seed == STORED else drawn_noise(config, seed))
    sizes = noise_sizes(config)

    @lru_cache(maxsize=1)
    def noise(seed: int, phase: float, layers: tuple[float, ...]) -> Floats:
        whole, share = moving.at(seed, phase), reach(layers, len(sizes))
        return whole if share.min() == 1 else whole * np.repeat(share, sizes)

    return noise_inputs(noise, "noise_layers")


def stored_noise(weights: Weights) -> Floats:
    """The noise stored with a network, for all convolutions, one after the other."""
    names = (f"synthesis.{layer}.noise_const" for layer in cast(StyleGANConfig, weights.config).layers)
    return np.concatenate([weights.arrays[name].ravel() for name in names])
