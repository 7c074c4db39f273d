"""DCGAN: transposed convolutions from a latent to a picture (Radford, Metz, Chintala 2015,
arXiv:1511.06434), in the layout that PyTorch's example made common.

z goes in as it is: w is z, there is one of it, and its mean is 0, so that truncation scales z.
Batch normalisation of a trained network is a scale and a shift of each channel; both are folded
into the convolutions when a file is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import numpy as np

from perform.arrays import AnyArray, Floats
from perform.generators.mapping import checked_rows
from perform.latent.space import Space
from perform.networks import ModelError
from perform.networks.controls import Controls
from perform.networks.families import Mapper, MeanW
from perform.networks.weights import Weights, checked_weights
from perform.parameters import Parameter

INPUTS: tuple[str, ...] = ()
EPSILON = 1e-5  # of torch's batch normalisation; no file names it
SEED = 64  # of the untrained weights


@dataclass(frozen=True, slots=True)
class Config:
    """The shape of a DCGAN generator.

    `channels` has z's width, the width after each layer, and last the picture's channels. `start`
    is (height, width) of the first layer's kernel, which is the size it gives; `kernels` are those
    of the layers after it, even and square, each of which doubles the size.
    """

    family: ClassVar[str] = "dcgan"
    blendable: ClassVar[bool] = True
    parameters: ClassVar[tuple[Parameter, ...]] = ()

    channels: tuple[int, ...]
    start: tuple[int, int] = (4, 4)
    kernels: tuple[int, ...] = (4, 4, 4, 4)

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the pictures."""
        height, width = self.start
        return width << len(self.kernels), height << len(self.kernels)

    @property
    def image_channels(self) -> int:
        return self.channels[-1]

    @property
    def bendable(self) -> tuple[str, ...]:
        """The layers but the last, whose activations can be bent, coarse to fine."""
        return tuple(f"layer{i}" for i in range(len(self.kernels)))

    @property
    def space(self) -> Space:
        return Space(self.channels[0], self.channels[0], 1)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor with its shape, in the order of the network."""
        kernels = (self.start, *((kernel, kernel) for kernel in self.kernels))
        named: dict[str, tuple[int, ...]] = {}
        for i, (widths, kernel) in enumerate(zip(pairwise(self.channels), kernels, strict=True)):
            named |= {f"layers.{i}.weight": (*widths, *kernel), f"layers.{i}.bias": (widths[1],)}
        return named


@dataclass(frozen=True, slots=True)
class _Layer:
    """A transposed convolution of a file [inputs, outputs, height, width] and what normalises it."""

    weight: AnyArray
    bias: AnyArray
    norms: list[Mapping[str, AnyArray]]


def from_state(
    named: Mapping[str, AnyArray], notes: Mapping[str, str] | None = None, epsilon: float = EPSILON
) -> Weights:
    """Weights from a generator's state dict, whatever its layers are called and however they are
    numbered: convolutions and normalisations are told by their shapes, their order by the numbers in
    their names. ModelError when it is no DCGAN.
    """
    layers = _layers(named)
    kernels = [layer.weight.shape[2:] for layer in layers]
    if any(kernel[0] != kernel[1] or kernel[0] % 2 for kernel in kernels[1:]):
        raise ModelError(f"kernels = {kernels}, must be even and square after the first: not a dcgan")
    channels = (layers[0].weight.shape[0], *(layer.weight.shape[1] for layer in layers))
    config = Config(channels, kernels[0], tuple(kernel[0] for kernel in kernels[1:]))
    folded = {}
    for i, layer in enumerate(layers):
        folded[f"layers.{i}.weight"], folded[f"layers.{i}.bias"] = _folded(layer, epsilon)
    return checked_weights(config, folded, notes or {})


def mapping(weights: Weights) -> Mapper:
    """From z to w, which is z (the contract of `families.Family`)."""
    width = weights.config.space.z_dim

    return lambda z, labels: checked_rows("z", z, width).copy()


def mean(weights: Weights) -> MeanW:
    """The centre of truncation [w_dim]: 0."""
    centre = np.zeros(weights.config.space.w_dim, np.float32)
    return lambda labels: centre


def inputs(weights: Weights) -> Callable[[Controls], tuple[Floats, ...]]:
    """The synthesis has no input besides the latent."""
    return lambda controls: ()


def untrained(size: int = 64, width: int = 64, z_dim: int = 100) -> Weights:
    """Seeded random weights of the example's shape, of strong contrast, for measuring."""
    depth = size.bit_length() - 3
    widths = (width << level for level in reversed(range(depth)))
    config = Config((z_dim, *widths, 3), kernels=(4,) * depth)
    draw = np.random.Generator(np.random.PCG64(SEED))
    arrays = {}
    for i, (name, shape) in enumerate(config.shapes().items()):
        taps = shape[0] * (1 if i == 0 else 4)  # of inputs that an output has: half are 0 after a ReLU
        spread = np.sqrt(2 / taps) if name.endswith("weight") else 0.0
        arrays[name] = draw.standard_normal(shape, np.float32) * np.float32(spread)
    return Weights(config, arrays, {"title": "untrained: seeded random weights", "licence": "MIT"})


def _layers(named: Mapping[str, AnyArray]) -> list[_Layer]:
    """The layers in the order of the network: by the numbers in their names, else as the file has them."""
    modules: dict[str, dict[str, AnyArray]] = {}
    for name, array in named.items():
        module, _, field = name.rpartition(".")
        modules.setdefault(module, {})[field] = array
    for names in (sorted(modules, key=lambda name: _place(name, modules[name])), list(modules)):
        layers = _gathered([modules[name] for name in names])
        if _chained(layers):
            return layers
    raise ModelError("the state has no row of transposed convolutions that fit each other: not a dcgan")


def _place(name: str, module: Mapping[str, AnyArray]) -> tuple[list[int], bool]:
    """A key that sorts main.3 before main.10, and conv1 before bn1."""
    return [int(number) for number in re.findall(r"\d+", name)], "running_mean" in module


def _gathered(modules: Sequence[Mapping[str, AnyArray]]) -> list[_Layer]:
    """Convolutions with the normalisations that follow them; none when something else is among them."""
    layers: list[_Layer] = []
    for module in modules:
        weight = module.get("weight", np.zeros(0))
        if weight.ndim == 4:
            layers.append(_Layer(weight, module.get("bias", np.zeros(weight.shape[1])), []))
        elif "running_mean" in module and "running_var" in module and layers:
            layers[-1].norms.append(module)
        else:
            return []
    return layers


def _chained(layers: Sequence[_Layer]) -> bool:
    fit = (before.weight.shape[1] == after.weight.shape[0] for before, after in pairwise(layers))
    normal = (
        norm["running_mean"].shape == layer.weight.shape[1:2] for layer in layers for norm in layer.norms
    )
    return len(layers) > 1 and all(fit) and all(normal)


def _folded(layer: _Layer, epsilon: float) -> tuple[AnyArray, AnyArray]:
    """Weight and bias with the normalisations that follow in them."""
    weight, bias = layer.weight.astype(np.float64), layer.bias.astype(np.float64)
    for norm in layer.norms:
        gain = norm.get("weight", np.ones(1)) / np.sqrt(norm["running_var"].astype(np.float64) + epsilon)
        weight = weight * gain[:, None, None]
        bias = (bias - norm["running_mean"]) * gain + norm.get("bias", np.zeros(1))
    return weight, bias
