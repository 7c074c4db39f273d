"""The mapping of StyleGANs from z to w, in numpy: some megaflops a latent, not worth a device."""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise
from typing import ClassVar, TypedDict, cast

import numpy as np

from perform.arrays import Floats
from perform.networks.families import Mapper, MeanW
from perform.networks.weights import Shapes, Weights, biased

SLOPE = np.float32(0.2)
ROOT2 = np.float32(np.sqrt(2))
LAYER_WEIGHT = re.compile(r"mapping\.fc\d+\.weight")


class MappedConfig:
    """What the configuration of a network with a mapping has.

    `mapping` holds the widths of the mapping's layers, `rate` is their learning-rate multiplier, `embed` the
    width of the label's embedding.
    """

    __slots__ = ()

    blendable: ClassVar[bool] = True

    z_dim: int
    c_dim: int = 0
    embed: int = 0
    mapping: tuple[int, ...]
    rate: float

    @property
    def w_dim(self) -> int:
        return self.mapping[-1]

    def mapping_shapes(self, embed_bias: bool = True) -> dict[str, tuple[int, ...]]:
        """The mapping's tensors with their shapes, in the order of the network."""
        named: dict[str, tuple[int, ...]] = {"mapping.w_avg": (self.w_dim,)}
        if self.c_dim:
            embedding = biased("mapping.embed", (self.embed, self.c_dim))
            named |= embedding if embed_bias else {"mapping.embed.weight": (self.embed, self.c_dim)}
        for i, (inputs, outputs) in enumerate(pairwise((self.z_dim + self.embed, *self.mapping))):
            named |= biased(f"mapping.fc{i}", (outputs, inputs))
        return named


class MappingFields(TypedDict):
    """The fields of a MappedConfig that the shapes of its tensors tell."""

    z_dim: int
    c_dim: int
    embed: int
    mapping: tuple[int, ...]


def infer_mapping(found: Shapes) -> MappingFields:
    """The fields of a mapping, from a file's shapes. KeyError or IndexError if they are not of a mapping."""
    embed = found.get("mapping.embed.weight", (0, 0))
    depth = len([name for name in found if LAYER_WEIGHT.fullmatch(name)])
    return {
        "z_dim": found["mapping.fc0.weight"][1] - embed[0],
        "c_dim": embed[1],
        "embed": embed[0],
        "mapping": tuple(found[f"mapping.fc{i}.weight"][0] for i in range(depth)),
    }


def mapping(weights: Weights) -> Mapper:
    """From z and labels to w (the contract of `families.Family`)."""
    return partial(mapped, weights.part("mapping."))


def mean(weights: Weights) -> MeanW:
    """The centre of truncation [w_dim]: the same for all labels."""
    centre = weights.arrays["mapping.w_avg"]
    return lambda labels: centre


def mapped(weights: Weights, z: Floats, labels: Floats | None = None) -> Floats:
    """z [n, z_dim] and labels [n or 1, c_dim] (None: the first class) to w [n, w_dim].

    The method of Karras et al. 2019; labels as in Karras et al. 2020.
    """
    config = cast(MappedConfig, weights.config)
    x = _normalised(checked_rows("z", z, config.z_dim))
    if config.c_dim:
        given = checked_labels(labels, config.c_dim)
        embedded = _normalised(_linear(weights, "mapping.embed", given, 1.0))
        x = np.concatenate([x, np.broadcast_to(embedded, (len(x), config.embed))], 1)
    for i in range(len(config.mapping)):
        y: Floats = _linear(weights, f"mapping.fc{i}", x, config.rate)
        x = np.maximum(y, y * SLOPE) * ROOT2
    return x


def checked_rows(name: str, value: Floats, size: int) -> Floats:
    """Latents or labels as float32 [n, size]. ValueError for another shape."""
    value = np.asarray(value, np.float32)
    if value.ndim != 2 or value.shape[1] != size:
        raise ValueError(f"{name} has shape {value.shape}, must be (n, {size})")
    return value


def checked_labels(labels: Floats | None, classes: int) -> Floats:
    """Labels [n, classes]; None: the first class [1, classes]. ValueError for another shape."""
    given = np.eye(1, classes, dtype=np.float32) if labels is None else labels
    return checked_rows("labels", given, classes)


def _linear(weights: Weights, name: str, x: Floats, rate: float) -> Floats:
    weight, bias = weights.arrays[f"{name}.weight"], weights.arrays[f"{name}.bias"]
    gain = np.float32(rate / np.sqrt(weight.shape[1]))
    y: Floats = (x @ weight.T) * gain + bias * np.float32(rate)
    return y


def _normalised(x: Floats) -> Floats:
    scaled: Floats = x / np.sqrt(np.square(x).mean(1, keepdims=True) + np.float32(1e-8))
    return scaled
