"""The mapping network in numpy: some megaflops a latent, not worth a device or a runtime."""

from __future__ import annotations

from typing import Protocol, cast

import numpy as np

from perform.arrays import Floats
from perform.networks.weights import Weights

SLOPE = np.float32(0.2)
ROOT2 = np.float32(np.sqrt(2))


class MappedConfig(Protocol):
    """What the configuration of a network with this mapping has."""

    @property
    def z_dim(self) -> int: ...

    @property
    def w_dim(self) -> int: ...

    @property
    def c_dim(self) -> int: ...

    @property
    def embed(self) -> int: ...

    @property
    def mapping(self) -> tuple[int, ...]: ...

    @property
    def rate(self) -> float: ...


def mapped(weights: Weights, z: Floats, labels: Floats | None = None) -> Floats:
    """z [n, z_dim] and labels [n or 1, c_dim] (None: the first class) to w [n, w_dim].

    The method of Karras et al. 2019; labels as in Karras et al. 2020.
    """
    config = cast(MappedConfig, weights.config)
    x = _normalised(_shaped("z", z, config.z_dim))
    if config.c_dim:
        given = np.eye(1, config.c_dim, dtype=np.float32) if labels is None else labels
        embedded = _normalised(_linear(weights, "mapping.embed", _shaped("labels", given, config.c_dim), 1.0))
        x = np.concatenate([x, np.broadcast_to(embedded, (len(x), config.embed))], 1)
    for i in range(len(config.mapping)):
        y: Floats = _linear(weights, f"mapping.fc{i}", x, config.rate)
        x = np.maximum(y, y * SLOPE) * ROOT2
    return x


def _shaped(name: str, value: Floats, size: int) -> Floats:
    value = np.asarray(value, np.float32)
    if value.ndim != 2 or value.shape[1] != size:
        raise ValueError(f"{name} has shape {value.shape}, must be (n, {size})")
    return value


def _linear(weights: Weights, name: str, x: Floats, rate: float) -> Floats:
    weight, bias = weights.arrays[f"{name}.weight"], weights.arrays[f"{name}.bias"]
    gain = np.float32(rate / np.sqrt(weight.shape[1]))
    y: Floats = (x @ weight.T) * gain + bias * np.float32(rate)
    return y


def _normalised(x: Floats) -> Floats:
    scaled: Floats = x / np.sqrt(np.square(x).mean(1, keepdims=True) + np.float32(1e-8))
    return scaled
