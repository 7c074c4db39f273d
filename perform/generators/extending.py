"""Wider pictures of a trained network: its constant goes on beyond the sides that it was trained with.

A StyleGAN or StyleGAN2 begins with a learned constant, 4 x 4 as a rule, and convolutions do the rest. With
more columns it draws the same picture in the middle of a wider field, at a cost that grows with the area.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from perform.arrays import Floats
from perform.generators.blocks import StyleGANConfig
from perform.networks.weights import NetworkConfig, Weights
from perform.parameters import Parameter

PAD_MODES = {"edge": "edge", "mirror": "symmetric"}  # numpy's names
EXTEND = Parameter(
    "extend",
    "off",
    kind="choice",
    choices=("off", *PAD_MODES, "blend"),
    description="what a StyleGAN or StyleGAN2 draws beside its picture, to fill the shape of the show: "
    "its edge, its mirror image, or a blend of both sides",
)
MOST_TIMES = 4  # the trained side; a wall of displays may be wider


@dataclass(frozen=True, slots=True)
class Extension:
    """How the constant goes on, and its (height, width) then."""

    way: str
    start: tuple[int, int]


def extension(config: NetworkConfig, way: str, size: tuple[int, int]) -> Extension | None:
    """The extension of a network to the shape of `size` (width, height); None if there is nothing to extend.
    As much is added on both sides, so the picture may become a little wider than the shape."""
    if way == "off" or not isinstance(config, StyleGANConfig):
        return None
    height, width = config.start
    start = _longer(height, width * size[1] / size[0]), _longer(width, height * size[0] / size[1])
    return Extension(way, start) if start != config.start else None


def extended_config(config: NetworkConfig, extension: Extension | None) -> NetworkConfig:
    """The configuration of the extended network."""
    if extension is None or not isinstance(config, StyleGANConfig):
        return config
    return replace(config, start=extension.start)


def extended_weights(weights: Weights, extension: Extension | None) -> Weights:
    """The weights of the extended network. Its noise is mirrored."""
    config = extended_config(weights.config, extension)
    if extension is None or not isinstance(config, StyleGANConfig):
        return weights
    arrays = dict(weights.arrays)
    for name, shape in config.shapes().items():
        if name.endswith(".const"):
            arrays[name] = _continued(arrays[name], shape, extension.way)
        elif name.endswith(".noise_const"):
            arrays[name] = _continued(arrays[name], shape, "mirror")
    return replace(weights, config=config, arrays=arrays)


def _longer(trained: int, wanted: float) -> int:
    missing = math.ceil(min(wanted, trained * MOST_TIMES) - trained)
    return trained + max(missing + missing % 2, 0)


def _continued(array: Floats, shape: tuple[int, ...], way: str) -> Floats:
    """An array that goes on at both ends of its axes, to a shape."""
    for axis, length in enumerate(shape):
        extra = length - array.shape[axis]
        if extra and way == "blend":
            array = _blended(array, extra, axis)
        elif extra:
            pads = [(0, 0)] * array.ndim
            pads[axis] = extra // 2, extra - extra // 2
            array = np.pad(array, pads, mode=PAD_MODES[way])  # type: ignore[call-overload]
    return array


def _blended(array: Floats, extra: int, axis: int) -> Floats:
    """An array with a ramp from its last slice to its first, half of it at each end."""
    first, last = array.take([0], axis), array.take([-1], axis)
    share = np.arange(1, extra + 1, dtype=np.float32) / (extra + 1)
    ramp = last + (first - last) * share.reshape([-1 if n == axis else 1 for n in range(array.ndim)])
    after, before = np.split(ramp, [extra - extra // 2], axis)
    return np.concatenate((before, array, after), axis)
