"""NVIDIA's own names: StyleGAN2-ADA's, the StyleGAN3 repository's, Autolume's and their forks' networks.

What the tensors do not show (clamp, learning-rate multiplier, activation) is read from the attributes of the
modules, or, if a file has none, from the arguments that the network was made with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from perform.arrays import AnyArray
from perform.generators.dialects.meanw import MEAN_W, with_mean_w, with_zero_mean
from perform.generators.dialects.unexpected import note_unexpected, with_remarks
from perform.generators.stylegan2 import FILTER, from_official
from perform.generators.stylegan3 import official as stylegan3
from perform.generators.stylegan3.config import Config as StyleGAN3
from perform.networks import ModelError
from perform.networks.checkpoints.modules import Options, StateDict
from perform.networks.weights import Weights

Attributes: TypeAlias = Mapping[str, Options]  # plain values of the modules, by dotted path

CONVOLUTION = re.compile(r"synthesis\.b\d+\.conv[01]")
CLAMPED = re.compile(r"synthesis\.b\d+\.(conv[01]|torgb)")
LAYER = re.compile(r"synthesis\.L(\d{1,3})_\d+_\d+\.(.+)")  # of StyleGAN3
LINEAR = re.compile(r"mapping\.fc\d+")
FLAT_CLAMP = 256.0  # of the StyleGAN3 repository's StyleGAN2, without another value
TAPS = 4
ROUNDING = 1e-5  # of a gain that was kept as a number


def family(state: Mapping[str, object]) -> str | None:
    """The family of a state dict with these names: StyleGAN2 or 3. None for another one."""
    if "synthesis.input.freqs" in state:
        return "stylegan3"
    return "stylegan2" if "synthesis.b4.const" in state else None


def weights(
    state: StateDict,
    attributes: Attributes | None = None,
    options: Options | None = None,
    notes: Mapping[str, str] | None = None,
) -> Weights:
    """Weights of a generator's tensors, the attributes of its modules and the arguments of its making.

    Raises ModelError."""
    attributes = attributes or {}
    options = options or {}
    _check_activation(attributes, options)
    if family(state) == "stylegan3":
        averaged = with_zero_mean(state)
        found = stylegan3.from_official(averaged, attributes, notes)
        layers = found.config_as(StyleGAN3).layers
        found = note_unexpected(found, (_renamed_layer(name, layers) for name in averaged))
        return found if MEAN_W in state else with_mean_w(found)
    if family(state) is None:
        raise ModelError("neither StyleGAN2 (synthesis.b4.const) nor StyleGAN3 (synthesis.input.freqs)")
    return _stylegan2(state, attributes, options, dict(notes or {}))


def _renamed_layer(name: str, layers: Sequence[str]) -> str:
    """A tensor's name with its layer's name here: a pruned layer is called by its channels of old."""
    match = LAYER.fullmatch(name)
    if match is None or int(match[1]) >= len(layers):
        return name
    return f"synthesis.{layers[int(match[1])]}.{match[2]}"


def _stylegan2(state: StateDict, attributes: Attributes, options: Options, notes: dict[str, str]) -> Weights:
    averaged = with_zero_mean(state)
    named = {name: array for name, array in averaged.items() if not name.endswith("resample_filter")}
    for name, array in named.items():
        if name.endswith("noise_strength"):
            named[name] = array.reshape(())
    named[FILTER] = _filter(state)
    rate = _rate(attributes, options)
    if folded := _gains_folded(named, attributes, rate):
        named, notes = {**named, **folded}, with_remarks(notes, f"gains of its own in {len(folded)} tensors")
    found = from_official(named, _clamp(attributes, options), rate, notes)
    found = note_unexpected(found, named)
    return found if MEAN_W in state else with_mean_w(found)


def _check_activation(attributes: Attributes, options: Options) -> None:
    """ModelError for another activation than leaky ReLU."""
    parts = [options.get("mapping_kwargs"), options.get("synthesis_kwargs"), options]
    asked = [part["activation"] for part in parts if isinstance(part, Mapping) and "activation" in part]
    layers = (CONVOLUTION, LINEAR)
    asked += _values(attributes, layers[0], "activation") + _values(attributes, layers[1], "activation")
    if other := [one for one in asked if one != "lrelu"]:
        raise ModelError(f"activation = {other[0]!r}, must be 'lrelu': other networks are not played")


def _values(attributes: Attributes, place: re.Pattern[str], key: str) -> list[Any]:
    """The values of an attribute in the modules at a place."""
    return [own[key] for path, own in attributes.items() if place.fullmatch(path) and key in own]


def _clamp(attributes: Attributes, options: Options) -> float | None:
    """The limit of the activations: of the layers, else of the arguments, else the project's default."""
    values = _values(attributes, CLAMPED, "conv_clamp")
    if len(set(values)) > 1:
        raise ModelError(f"conv_clamp = {sorted(map(str, set(values)))}, must be the same in all layers")
    inner = options.get("synthesis_kwargs")
    flat = FLAT_CLAMP if options and inner is None else None
    given = inner if isinstance(inner, Mapping) else options
    value = values[0] if values else given.get("conv_clamp", flat)
    return None if value is None else float(value)


def _rate(attributes: Attributes, options: Options) -> float:
    """The mapping's learning-rate multiplier, which is the gain of its biases."""
    values = _values(attributes, LINEAR, "bias_gain")
    given = options.get("mapping_kwargs")
    usual = given.get("lr_multiplier", 0.01) if isinstance(given, Mapping) else 0.01
    return float(values[0] if values else usual)


def _gains_folded(state: StateDict, attributes: Attributes, rate: float) -> dict[str, AnyArray]:
    """Weights and biases of modules whose gains are not those that follow from their shapes, scaled so
    that they do: networks that were pruned keep the gains of the larger ones that they were."""
    folded = {}
    for path, own in attributes.items():
        multiplier = rate if LINEAR.fullmatch(path) else 1.0
        for part, key in (("weight", "weight_gain"), ("bias", "bias_gain")):
            array = state.get(f"{path}.{part}")
            if array is not None and key in own:
                usual = multiplier / (np.sqrt(np.prod(array.shape[1:])) if part == "weight" else 1.0)
                factor = float(own[key]) / float(usual)
                if abs(factor - 1) > ROUNDING:
                    folded[f"{path}.{part}"] = array * np.float32(factor)
    return folded


def _filter(state: StateDict) -> AnyArray:
    """The resampling filter that all layers share, [4, 4]: a smaller one has zeros around it."""
    filters = [np.asarray(array) for name, array in state.items() if name.endswith("resample_filter")]
    if not filters:
        raise ModelError("resample_filter is missing, must be there with shape (4, 4)")
    first = filters[0]
    if any(one.shape != first.shape or not np.allclose(one, first) for one in filters):
        raise ModelError("the network's filters differ from each other, which is not played")
    if first.ndim == 1:
        first = np.outer(first, first)
    taps = first.shape[0]
    if first.shape != (taps, taps) or not 0 < taps <= TAPS:
        raise ModelError(f"resample_filter has shape {first.shape}, must be (4, 4) or smaller and square")
    whole = np.zeros((TAPS, TAPS))
    # What a filter of `taps` is centred on when it enlarges: the original pads (taps + 1) // 2 before it.
    end = TAPS - 2 + (taps + 1) // 2
    whole[end - taps : end, end - taps : end] = first
    return whole
