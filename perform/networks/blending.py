"""Network blending: two models of one shape, mixed by their weights (Pinkney and Adler 2020,
Resolution dependent GAN interpolation).

From one layer to another a network takes a share of a second network's weights; the latents, their mapping
and the noise are the first one's. The layers are fixed when a scene is loaded; the share can move.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from perform.arrays import Floats
from perform.networks import ModelError
from perform.networks.families import family, family_names
from perform.networks.weights import NetworkConfig, Weights
from perform.parameters import Parameter

BLEND_AMOUNT = Parameter("amount", 0.5, 0.0, 1.0, description="share of the second model")
MIXED_PREFIXES = ("synthesis.", "layers.")  # how the names of tensors outside the mapping begin
NEVER_MIXED = (".noise_const", ".resample_filter", "_filter", ".transform")  # always from the first model


@dataclass(frozen=True, slots=True)
class Blend:
    """A second model, and the layers `first` to `last` that are mixed with it."""

    model: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class BlendTensors:
    """The tensors of the second model, by name: those of the layers that are mixed."""

    arrays: Mapping[str, Floats]


def blend_parameters(layers: Sequence[str]) -> tuple[Parameter, ...]:
    """The keys of a blend in a preset, for models with these layers."""
    first, *_, last = choices = tuple(layers)
    return (
        Parameter("from", first, description="the first layer that is mixed", kind="choice", choices=choices),
        Parameter("to", last, description="the last layer that is mixed", kind="choice", choices=choices),
        BLEND_AMOUNT,
    )


def blend(model: str, values: Mapping[str, object]) -> Blend:
    """The blend that a model and values of `blend_parameters` describe."""
    return Blend(model, str(values["from"]), str(values["to"]))


def check_blend(config: NetworkConfig, other: NetworkConfig, name: str) -> None:
    """ModelError if the second model, of this name, cannot be mixed into the first."""
    if not config.blendable:
        others = ", ".join(name for name in family_names() if family(name).Config.blendable)
        raise ModelError(f"{config.family} models cannot be blended, those of {others} can")
    if other != config:
        raise ModelError(f"{name} cannot be blended in: {_difference(config, other)}")


def blend_tensors(weights: Weights, other: Weights, blend: Blend) -> BlendTensors:
    """The tensors of `other` that are mixed into `weights`. ModelError if the two do not fit together."""
    config = weights.config
    check_blend(config, other.config, blend.model)
    layers = config.bendable
    if layers.index(blend.first) > layers.index(blend.last):
        raise ModelError(f"from = {blend.first!r} comes after to = {blend.last!r}, must come before")
    chosen = layers[layers.index(blend.first) : layers.index(blend.last) + 1]
    owners = _layers_of_tensors(config)
    return BlendTensors({name: other.arrays[name] for name, layer in owners.items() if layer in chosen})


def mixed_weights(weights: Weights, other: BlendTensors, share: float) -> Weights:
    """The weights of a network, mixed with a share of a second one's."""
    ways = {name: array - weights.arrays[name] for name, array in other.arrays.items()}
    moved = {name: weights.arrays[name] + np.float32(share) * way for name, way in ways.items()}
    return replace(weights, arrays={**weights.arrays, **moved})


def _layers_of_tensors(config: NetworkConfig) -> dict[str, str]:
    """The layer of each tensor that can be mixed: its own, else the last of its block, else that of the
    tensor before it, else the first of all."""
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
