"""StyleGAN3 from the tensors and attributes of an official network, by their official names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from perform.arrays import AnyArray
from perform.generators.mapping import infer_mapping
from perform.generators.stylegan3.config import Config, Pair, Sides
from perform.generators.stylegan3.recipe import OVERSAMPLED, sides
from perform.networks import ModelError
from perform.networks.weights import Shapes, Weights, checked_weights, layout_of

Attributes: TypeAlias = Mapping[str, Mapping[str, Any]]  # by module path: "synthesis.L0_36_512" …

LAYER = re.compile(r"(synthesis\.L(\d+)_(\d+)_\d+)\.weight")
MARGIN = 10  # pixels around the picture, if a network is too short to show it
CLAMP = 256.0


def from_official(
    named: Mapping[str, AnyArray],
    attributes: Attributes | None = None,
    notes: Mapping[str, str] | None = None,
) -> Weights:
    """Weights from the parameters and buffers of an official network.

    `attributes` are plain values of its modules (`padding`, `tmp_sampling_rate` …) by module path; what
    is not there follows from the sizes and the paper's design. Filters of one tap may be missing.
    Raises ModelError.
    """
    found = {name: np.shape(array) for name, array in named.items()}
    attributes = attributes or {}
    with layout_of("stylegan3 generator"):
        config = infer(found, attributes)
        official = dict(zip(config.layers, _prefixes(found), strict=True))
    ours = {name: array for name, array in named.items() if not name.startswith("synthesis.L")}
    for name, prefix in official.items():  # a pruned layer's name holds its earlier channels
        tensors = {key: array for key, array in named.items() if key.startswith(f"{prefix}.")}
        ours |= {f"synthesis.{name}{key.removeprefix(prefix)}": array for key, array in tensors.items()}
    still = {"synthesis.input.transform": np.eye(3)}
    return checked_weights(config, {**still, **ours}, notes or {})


def _prefixes(found: Shapes) -> list[str]:
    """The layers' official names, in order."""
    matches = {int(match[2]): match[1] for match in map(LAYER.fullmatch, found) if match}
    layers = range(max(matches) + 1)
    if missing := [i for i in layers if i not in matches]:
        raise ModelError(f"not a stylegan3 generator: layer {missing[0]} is missing")
    return [matches[i] for i in layers]


def infer(found: Shapes, attributes: Attributes) -> Config:
    """The configuration, from a file's shapes and attributes."""
    prefixes = _prefixes(found)
    sizes = _sizes(prefixes, attributes)
    rates = _rates(sizes, attributes)
    rows = [_layer(i, prefix, sizes, rates, found, attributes) for i, prefix in enumerate(prefixes)]
    ups, downs, up_filters, down_filters, paddings, kernels = zip(*rows, strict=True)
    source, whole = attributes.get("synthesis.input", {}), attributes.get("synthesis", {})
    clamp = attributes.get(prefixes[0], {}).get("conv_clamp", CLAMP)
    return Config(
        channels=(found["synthesis.input.freqs"][0], *(found[f"{prefix}.weight"][0] for prefix in prefixes)),
        sizes=sizes,
        ups=ups,
        downs=downs,
        up_filters=up_filters,
        down_filters=down_filters,
        paddings=paddings,
        kernels=kernels,
        sampling=float(source.get("sampling_rate", rates[0])),
        bandwidth=float(source.get("bandwidth", 2.0)),
        scale=float(whole.get("output_scale", 0.25)),
        clamp=None if clamp is None else float(clamp),
        **infer_mapping(found),
        rate=float(attributes.get("mapping.fc0", {}).get("bias_gain", 0.01)),
    )


def _pair(value: Any) -> Pair:
    """(width, height) of one number or of two."""
    width, height = (int(side) for side in np.broadcast_to(np.asarray(value), 2))
    return width, height


def _sizes(prefixes: list[str], attributes: Attributes) -> tuple[Pair, ...]:
    """Sizes of the input and of each layer's output."""
    named = [int(prefix.rsplit("_", 2)[1]) for prefix in prefixes]
    sizes = [
        _pair(attributes.get(p, {}).get("out_size", size)) for p, size in zip(prefixes, named, strict=True)
    ]
    start = attributes.get(prefixes[0], {}).get("in_size", sizes[0])
    return (_pair(attributes.get("synthesis.input", {}).get("size", start)), *sizes)


def _rates(sizes: tuple[Pair, ...], attributes: Attributes) -> list[int]:
    """Sampling rates of the input and of each layer's output: the size without its margins.

    The last two layers have none. The third last has margins, and the picture's sampling rate.
    """
    margin = attributes.get("synthesis", {}).get("margin_size")
    if margin is None:
        margin = (sizes[-3][0] - sizes[-1][0]) // 2 if len(sizes) > 3 else MARGIN
    return [size[0] - 2 * int(margin) for size in sizes[:-2]] + [sizes[-1][0]] * 2


def _layer(
    i: int, prefix: str, sizes: tuple[Pair, ...], rates: list[int], found: Shapes, attributes: Attributes
) -> tuple[int, int, tuple[int, ...], tuple[int, ...], Sides, int]:
    """Of one layer: its factors, its filters' shapes, its padding and its kernel."""
    own, last = attributes.get(prefix, {}), i == len(sizes) - 2
    before, after = rates[i], rates[i + 1]
    between = int(own.get("tmp_sampling_rate", max(before, after) * (1 if last else OVERSAMPLED)))
    up, down = int(own.get("up_factor", between // before)), int(own.get("down_factor", between // after))
    filters = [_taps(found.get(f"{prefix}.{kind}_filter", ())) for kind in ("up", "down")]
    kernel = found[f"{prefix}.weight"][2]
    padding = own.get("padding")
    if padding is None:
        padding = sides(sizes[i], sizes[i + 1], kernel, up, down, *filters)
    left, right, top, bottom = (int(side) for side in padding)
    return up, down, filters[0], filters[1], (left, right, top, bottom), kernel


def _taps(shape: tuple[int, ...]) -> tuple[int, ...]:
    if len(shape) > 2:
        raise ModelError(f"a filter has shape {shape}, must be (taps,) or (rows, columns)")
    return tuple(int(taps) for taps in shape)
