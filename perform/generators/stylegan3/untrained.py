"""A StyleGAN3 as it is before training: for measuring speed, and for tests.

Drawn as the paper says: normal weights, frequencies spread over a disc, styles around 1, no biases. Its
pictures are soft clouds; as a network to play there are better ones (`generators.untrained`).
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from perform.arrays import Floats
from perform.generators.stylegan3.config import Config
from perform.generators.stylegan3.recipe import Plan
from perform.networks.weights import Weights

MEAN = 0.8 / np.sqrt(np.pi)  # of sqrt 2 times a leaky ReLU of a normal variable


def untrained(
    resolution: int, config: Literal["t", "r"] = "t", seed: int = 0, measured: bool = True, **plan: Any
) -> Weights:
    """Seeded random weights of a resolution, the same numbers everywhere but for the magnitudes.

    `plan` are further numbers of `Plan`, and fields of `Config`. With `measured` the magnitudes of the
    activations, by which each layer's input is divided, are those of two pictures; else 1, as training
    begins, with which pictures are nearly even.
    """
    own = {name: plan.pop(name) for name in tuple(plan) if name in Plan.__dataclass_fields__}
    design = Plan(resolution, radial=config == "r", **own)
    shape = design.config(**plan)
    draw = np.random.Generator(np.random.PCG64(seed))
    arrays = {name: _drawn(draw, name, size, shape) for name, size in shape.shapes().items()}
    for i, name in enumerate(shape.layers):
        for kind, taps in zip(("up", "down"), design.filters(i), strict=True):
            if f"synthesis.{name}.{kind}_filter" in arrays:
                arrays[f"synthesis.{name}.{kind}_filter"] = taps
    weights = Weights(
        shape, arrays, {"title": f"untrained StyleGAN3-{config}, {resolution}", "licence": "MIT"}
    )
    return _measured(weights, draw) if measured else weights


def _drawn(draw: np.random.Generator, name: str, size: tuple[int, ...], config: Config) -> Floats:
    kind = name.rsplit(".", 1)[-1]
    array = draw.standard_normal(size, dtype=np.float32)
    if kind == "transform":
        array = np.eye(3, dtype=np.float32)
    elif kind == "freqs":
        array = _disc(array) * np.float32(config.bandwidth)
    elif kind == "phases":
        array = draw.random(size, dtype=np.float32) - np.float32(0.5)
    elif kind == "w_avg":
        array = np.full(size, MEAN, np.float32)
    elif kind == "magnitude_ema":
        array = np.ones(size, np.float32)
    elif kind == "bias":
        array = np.full(size, "affine" in name and "input" not in name, np.float32)
    elif name.startswith("mapping.fc"):
        array = array / np.float32(config.rate)
    elif name == "synthesis.input.affine.weight":
        array = np.zeros(size, np.float32)
    if name == "synthesis.input.affine.bias":
        array = np.array([1, 0, 0, 0], np.float32)  # not turned, not moved
    return array


def _disc(normal: Floats) -> Floats:
    """Pairs of normal numbers as points spread evenly over the unit disc: the share of pairs that are
    nearer than r is 1 - exp(-r²/2), and the share of a disc is its radius squared."""
    squared = np.square(normal).sum(1, keepdims=True)
    return np.asarray(normal * np.sqrt((1 - np.exp(-squared / 2)) / squared), np.float32)


def _measured(weights: Weights, draw: np.random.Generator) -> Weights:
    """With the mean square of each layer's input in two pictures."""
    import torch

    from perform.generators.stylegan3 import mapping
    from perform.generators.stylegan3.network import Synthesis

    config = weights.config_as(Config)
    synthesis = Synthesis.load(weights)
    z = draw.standard_normal((2, config.z_dim), dtype=np.float32)
    labels = np.eye(1, config.c_dim, dtype=np.float32) if config.c_dim else None
    w = torch.from_numpy(np.ascontiguousarray(mapping(weights)(z, labels)))
    arrays = dict(weights.arrays)
    with torch.inference_mode():
        x = synthesis.input(w, synthesis.input.transform)
        for name, layer in zip(config.layers, synthesis.layers(), strict=True):
            layer.magnitude_ema = x.square().mean()
            arrays[f"synthesis.{name}.magnitude_ema"] = layer.magnitude_ema.numpy()
            x = layer(x, w)
    return Weights(config, arrays, weights.notes)
