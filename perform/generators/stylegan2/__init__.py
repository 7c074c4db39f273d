"""StyleGAN2: the shape of its networks, their inputs, and the official names of their tensors.

Tensors have the names that the field's files use (`mapping.fc0.weight`, `synthesis.b8.conv0.weight`
…). The configuration comes from the shapes where it can, so that any channel table, mapping depth
and number of image channels opens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import pairwise
from typing import ClassVar, Literal, Protocol, TypeAlias, cast

import numpy as np

from perform.arrays import AnyArray, Floats
from perform.generators.stylegan2.mapping import mapped
from perform.generators.stylegan2.noise import MovingNoise
from perform.latent.controls import NOISE, NOISE_LAYERS, STORED
from perform.latent.directions import reach
from perform.latent.space import Space
from perform.networks import ModelError
from perform.networks.controls import Controls, number, numbers
from perform.networks.families import Mapper, MeanW
from perform.networks.weights import Shapes, Weights, checked_config, checked_weights
from perform.parameters import Parameter

Architecture: TypeAlias = Literal["skip", "resnet", "orig"]

INPUTS = ("noise", "strength")
FILTER = "synthesis.resample_filter"
TAPS = np.array([1, 3, 3, 1], np.float32)


@dataclass(frozen=True, slots=True)
class Config:
    """The shape of a StyleGAN2 generator.

    `channels` holds the width of the constant and of the output of each convolution:
    (const, b4.conv1, b8.conv0, b8.conv1, …). `start` is the constant's (height, width), `mapping`
    the widths of the mapping's layers, `embed` of the label's embedding, `rate` the mapping's
    learning-rate multiplier, `clamp` limits the activations (None: not).
    """

    family: ClassVar[str] = "stylegan2"
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
        """The convolutions in order; layer i takes ws[i]."""
        pairs = ((f"b{r}.conv0", f"b{r}.conv1") for r in self.resolutions)
        return tuple(name for pair in pairs for name in pair)[1:]

    @property
    def bendable(self) -> tuple[str, ...]:
        """The layers whose activations can be bent, coarse to fine."""
        return self.layers

    @property
    def space(self) -> Space:
        return Space(self.z_dim, self.w_dim, 2 * self.blocks, self.c_dim)

    def noise_shape(self, layer: int) -> tuple[int, int]:
        """(height, width) of the noise of a convolution."""
        height, width = self.start
        return height << ((layer + 1) // 2), width << ((layer + 1) // 2)

    def shows(self, block: int) -> bool:
        """Whether a block has a toRGB layer."""
        return self.architecture == "skip" or block == self.blocks - 1

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor with its shape, in the order of the network."""
        named: dict[str, tuple[int, ...]] = {"mapping.w_avg": (self.w_dim,)}
        if self.c_dim:
            named |= _linear("mapping.embed", self.c_dim, self.embed)
        widths = (self.z_dim + self.embed, *self.mapping)
        for i, (inputs, outputs) in enumerate(pairwise(widths)):
            named |= _linear(f"mapping.fc{i}", inputs, outputs)
        named[FILTER] = (4, 4)
        named["synthesis.b4.const"] = (self.channels[0], *self.start)
        for i, name in enumerate(self.layers):
            named |= _convolution(self, i, f"synthesis.{name}")
        for block, r in enumerate(self.resolutions):
            deep = self.channels[2 * block + 1]
            if self.shows(block):
                torgb = f"synthesis.b{r}.torgb"
                named |= {f"{torgb}.weight": (self.image_channels, deep, 1, 1)}
                named |= {f"{torgb}.bias": (self.image_channels,)}
                named |= _linear(f"{torgb}.affine", self.w_dim, deep)
            if self.architecture == "resnet" and block:
                named[f"synthesis.b{r}.skip.weight"] = (deep, self.channels[2 * block - 1], 1, 1)
        return named


def channel_table(base: int, most: int, resolution: int) -> tuple[int, ...]:
    """The papers' usual table: min(base / resolution, most) at each resolution."""
    blocks = resolution.bit_length() - 2
    return tuple(min(base // (4 << block), most) for block in range(blocks) for _ in range(2))


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _convolution(config: Config, layer: int, name: str) -> dict[str, tuple[int, ...]]:
    inputs, outputs = config.channels[layer : layer + 2]
    return {
        f"{name}.weight": (outputs, inputs, 3, 3),
        f"{name}.bias": (outputs,),
        f"{name}.noise_strength": (),
        f"{name}.noise_const": config.noise_shape(layer),
        **_linear(f"{name}.affine", config.w_dim, inputs),
    }


def infer(found: Shapes, clamp: float | None = None, rate: float = 0.01) -> Config:
    """The configuration, from a file's shapes; `clamp` and `rate` are in no shape."""
    try:
        config = _infer(found, clamp, rate)
    except (KeyError, IndexError, ValueError) as error:
        raise ModelError(f"not a stylegan2 generator: {error} is missing or misshapen") from error
    return checked_config(config)


def _infer(found: Shapes, clamp: float | None, rate: float) -> Config:
    blocks = len({name for name in found if re.fullmatch(r"synthesis\.b\d+\.conv1\.weight", name)})
    const = found["synthesis.b4.const"]
    convolutions = [f"b{4 << (i + 1) // 2}.conv{(i + 1) % 2}" for i in range(2 * blocks - 1)]
    outputs = [found[f"synthesis.{name}.weight"][0] for name in convolutions]
    depth = len({name for name in found if re.fullmatch(r"mapping\.fc\d+\.weight", name)})
    embed = found.get("mapping.embed.weight", (0, 0))
    resnet = "synthesis.b8.skip.weight" in found
    early = "synthesis.b4.torgb.weight" in found
    return Config(
        channels=(const[0], *outputs),
        z_dim=found["mapping.fc0.weight"][1] - embed[0],
        c_dim=embed[1],
        embed=embed[0],
        mapping=tuple(found[f"mapping.fc{i}.weight"][0] for i in range(depth)),
        rate=rate,
        image_channels=found[f"synthesis.b{4 << (blocks - 1)}.torgb.weight"][0],
        architecture="resnet" if resnet else "skip" if early else "orig",
        clamp=clamp,
        start=(const[1], const[2]),
    )


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


class NoiseConfig(Protocol):
    """What the configuration of a network with noise in its convolutions has; StyleGAN's, too."""

    @property
    def layers(self) -> tuple[str, ...]: ...

    def noise_shape(self, layer: int) -> tuple[int, int]: ...


def mapping(weights: Weights) -> Mapper:
    """From z and labels to w (the contract of `weights.Family`)."""
    return partial(mapped, weights.part("mapping."))


def mean(weights: Weights) -> MeanW:
    """The centre of truncation [w_dim]: the same for all labels."""
    centre = weights.arrays["mapping.w_avg"]
    return lambda labels: centre


def inputs(weights: Weights) -> Callable[[Controls], tuple[Floats, ...]]:
    """From the parameters of the noise to that of all convolutions [values] and its strength [1]."""
    stored = stored_noise(weights)
    config = cast(NoiseConfig, weights.config)
    moving = MovingNoise(lambda seed: stored if seed == STORED else drawn_noise(config, seed))
    sizes = noise_sizes(config)

    @lru_cache(maxsize=1)
    def noise(seed: int, phase: float, layers: tuple[float, ...]) -> Floats:
        whole, share = moving.at(seed, phase), reach(layers, len(sizes))
        return whole if share.min() == 1 else whole * np.repeat(share, sizes)

    def taken(controls: Controls) -> tuple[Floats, ...]:
        seed, phase = int(number(controls, "noise_seed")), float(number(controls, "noise_phase"))
        drawn = noise(seed, phase, numbers(controls, "noise_layers"))
        return drawn, np.full(1, number(controls, "noise"), np.float32)

    return taken


def noise_sizes(config: NoiseConfig) -> list[int]:
    """How many noise values each convolution takes, in order."""
    sizes = (config.noise_shape(layer) for layer in range(len(config.layers)))
    return [height * width for height, width in sizes]


def drawn_noise(config: NoiseConfig, seed: int) -> Floats:
    """Noise for all convolutions, one after the other, drawn from a seed: the same everywhere."""
    draw = np.random.Generator(np.random.PCG64(seed % 2**64))
    return draw.standard_normal(sum(noise_sizes(config)), dtype=np.float32)


def stored_noise(weights: Weights) -> Floats:
    """The noise stored with a network, for all convolutions, one after the other."""
    names = (f"synthesis.{layer}.noise_const" for layer in cast(NoiseConfig, weights.config).layers)
    return np.concatenate([weights.arrays[name].ravel() for name in names])
