"""Network blending: two models of one shape, mixed by their weights (Pinkney and Adler 2020,
Resolution dependent GAN interpolation).

From one layer to another a network takes a share of a second one's weights; the latents, their mapping
and the noise are the first one's. Which layers is settled when a scene is loaded, the share moves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perform.generators import Floats, ModelError
from perform.generators.weights import Weights
from perform.parameters import Parameter

AMOUNT = Parameter("amount", 0.5, 0.0, 1.0, description="share of the second model")
FAMILIES = ("stylegan2", "stylegan3")
OWN = (".noise_const", ".resample_filter", "_filter", ".transform")  # of the first model always


@dataclass(frozen=True, slots=True)
class Blend:
    """A second model, and the layers `first` to `last` that it has a share of."""

    model: str
    first: str
    last: str


@dataclass(frozen=True, slots=True)
class Second:
    """What is blended in: tensors by name, those of the layers that take part."""

    arrays: Mapping[str, Floats]


def parameters(layers: Sequence[str]) -> tuple[Parameter, ...]:
    """What a preset says of a blend of models with these layers."""
    first, *_, last = choices = tuple(layers)
    return (
        Parameter("from", first, description="the first layer that is mixed", kind="choice", choices=choices),
        Parameter("to", last, description="the last layer that is mixed", kind="choice", choices=choices),
        AMOUNT,
    )


def blend(model: str, settled: Mapping[str, Any]) -> Blend:
    """The blend that a model and some values of `parameters` describe."""
    return Blend(model, str(settled["from"]), str(settled["to"]))


def second(weights: Weights, other: Weights, blend: Blend) -> Second:
    """What of `other` is blended into `weights`. ModelError when they do not fit together."""
    config = weights.config
    if config.family not in FAMILIES:
        raise ModelError(f"{config.family} models cannot be blended, {' and '.join(FAMILIES)} models can")
    if other.config != config:
        raise ModelError(f"{blend.model} cannot be blended in: {_difference(config, other.config)}")
    layers = config.bendable
    if layers.index(blend.first) > layers.index(blend.last):
        raise ModelError(f"from = {blend.first!r} comes after to = {blend.last!r}, must come before")
    chosen = layers[layers.index(blend.first) : layers.index(blend.last) + 1]
    return Second(
        {
            name: array
            for name, array in other.arrays.items()
            if name.startswith("synthesis.") and not name.endswith(OWN) and _layer(name, layers) in chosen
        }
    )


def _layer(name: str, layers: Sequence[str]) -> str:
    """The layer that a tensor belongs to: its own, else the last of its block, else the first of all."""
    path = name.removeprefix("synthesis.")
    block = path.split(".")[0]
    same = [layer for layer in layers if layer.split(".")[0] == block]
    own = [layer for layer in layers if path.startswith(f"{layer}.")]
    return (own or same[-1:] or list(layers[:1]))[0]


def _difference(one: Any, other: Any) -> str:
    if one.family != other.family:
        return f"it is a {other.family}, not a {one.family}"
    for name in one.__dataclass_fields__:
        mine, its = getattr(one, name), getattr(other, name)
        if mine != its:
            return f"its {name} are {its}, must be {mine}"
    return "it has another shape"
