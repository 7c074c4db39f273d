"""Network blending: two models of one shape, mixed by their weights (Pinkney and Adler 2020,
Resolution dependent GAN interpolation).

From one layer to another a network takes a share of a second one's weights; the latents, their mapping
and the noise are the first one's. Which layers is fixed when a scene is loaded, the share moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from perform.arrays import Floats
from perform.networks import ModelError
from perform.networks.weights import NetworkConfig, Weights
from perform.parameters import Parameter

BLEND_AMOUNT = Parameter("amount", 0.5, 0.0, 1.0, description="share of the second model")
BLENDABLE_FAMILIES = ("stylegan1", "stylegan2", "stylegan3", "lucidrains", "dcgan")
# (not biggan: its normalisations have statistics of each network, and none of a mixed one)
MIXED_PREFIXES = ("synthesis.", "layers.")  # what names of tensors begin with that are not the mapping's
NEVER_MIXED = (".noise_const", ".resample_filter", "_filter", ".transform")  # of the first model always


@dataclass(frozen=True, slots=True)
class Blend:
    """A second model, and the layers `first` to `last` that it has a share of."""

    model: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class BlendTensors:
    """What is blended in: tensors by name, those of the layers that take part."""

    arrays: Mapping[str, Floats]


def blend_parameters(layers: Sequence[str]) -> tuple[Parameter, ...]:
    """What a preset says of a blend of models with these layers."""
    first, *_, last = choices = tuple(layers)
    return (
        Parameter("from", first, description="the first layer that is mixed", kind="choice", choices=choices),
        Parameter("to", last, description="the last layer that is mixed", kind="choice", choices=choices),
        BLEND_AMOUNT,
    )


def blend(model: str, values: Mapping[str, object]) -> Blend:
    """The blend that a model and some values of `parameters` describe."""
    return Blend(model, str(values["from"]), str(values["to"]))


def blend_tensors(weights: Weights, other: Weights, blend: Blend) -> BlendTensors:
    """What of `other` is blended into `weights`. ModelError when they do not fit together."""
    config = weights.config
    if config.family not in BLENDABLE_FAMILIES:
        raise ModelError(
            f"{config.family} models cannot be blended, those of {', '.join(BLENDABLE_FAMILIES)} can"
        )
    if other.config != config:
        raise ModelError(f"{blend.model} cannot be blended in: {_difference(config, other.config)}")
    layers = config.bendable
    if layers.index(blend.first) > layers.index(blend.last):
        raise ModelError(f"from = {blend.first!r} comes after to = {blend.last!r}, must come before")
    chosen = layers[layers.index(blend.first) : layers.index(blend.last) + 1]
    owners = _layers_of_tensors(config)
    return BlendTensors({name: other.arrays[name] for name, layer in owners.items() if layer in chosen})


def mixed_weights(weights: Weights, other: BlendTensors, share: float) -> Weights:
    """The weights of a network with some share of a second one's."""
    ways = {name: array - weights.arrays[name] for name, array in other.arrays.items()}
    moved = {name: weights.arrays[name] + np.float32(share) * way for name, way in ways.items()}
    return replace(weights, arrays={**weights.arrays, **moved})


def _layers_of_tensors(config: NetworkConfig) -> dict[str, str]:
    """The layer that each tensor belongs to, of those that are mixed: its own, else the last of its block,
    else the one before it, else the first of all."""
    layers = config.bendable
    owners, last = {}, layers[0]
    for name in config.shapes():
        path = name.removeprefix("synthesis.")
        own = [x for i, x in enumerate(layers) if path.startswith((f"{x}.", f"layers.{i}."))]
        block = [x for x in layers if x.split(".")[0] == path.split(".")[0]]
        last = (own or block[-1:] or [last])[0]
        if name.startswith(MIXED_PREFIXES) and not name.endswith(NEVER_MIXED):
            owners[name] = last
    return owners


def _difference(one: NetworkConfig, other: NetworkConfig) -> str:
    if one.family != other.family:
        return f"it is a {other.family}, not a {one.family}"
    for name in one.__dataclass_fields__:
        mine, its = getattr(one, name), getattr(other, name)
        if mine != its:
            return f"its {name} are {its}, must be {mine}"
    return "it has another shape"
