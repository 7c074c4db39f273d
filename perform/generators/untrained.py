"""The untrained generator: seeded random weights that are worth looking at.

Drawn as for training, a StyleGAN2 gives grey mush: the activations' positive mean grows from layer
to layer until all places and all latents look the same. Here every row of weights sums to zero
over its inputs, so that the mean cannot pass. A leaky ReLU without its mean is expansive (the
correlation of two near inputs falls by 1.24 in each layer: the edge of chaos of Poole et al. 2016,
Exponential expressivity in deep neural networks), which makes structure at every scale; the gains
and biases below choose how much. Colours come from the coarse layers and detail mostly from
light and dark, as in natural pictures.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perform.generators.weights import FILTER, TAPS, Config, Weights, channel_table, shapes

SEED = 20
RESOLUTION = 256
TABLES = {
    "untrained": (16384, 512),
    "untrained-64": (2048, 64),
    "untrained-128": (4096, 128),
    "untrained-256": (8192, 256),
}
MAPPING_LAYERS = 4
MEAN = 0.8 / np.sqrt(np.pi)  # of sqrt 2 times a leaky ReLU of a normal variable

STYLE = 0.9  # spread of the styles with w, around 1
BIAS = 0.45  # of the convolutions, in standard deviations of what they are added to
NOISE = 0.12  # strength of the noise inputs
LIGHT = (0.2, 0.3, 0.35, 0.35, 0.3, 0.2, 0.12)  # of each toRGB: 4², 8², …
COLOUR = (0.35, 0.35, 0.25, 0.15, 0.08, 0.04, 0.02)
DARK = -0.35  # of the whole picture


def header(name: str) -> tuple[Config, dict[str, str]]:
    """Configuration and notes of a built-in network."""
    base, most = TABLES[name]
    config = Config(channel_table(base, most, RESOLUTION), mapping=(512,) * MAPPING_LAYERS)
    return config, {"title": "untrained: seeded random weights", "licence": "MIT"}


def weights(name: str) -> Weights:
    """The weights of a built-in network: the same numbers on every machine."""
    config, notes = header(name)
    draw = np.random.Generator(np.random.PCG64(SEED))
    arrays = {key: _drawn(draw, key, shape) for key, shape in shapes(config).items()}
    return Weights(config, arrays, notes)


def _drawn(draw: np.random.Generator, name: str, shape: tuple[int, ...]) -> NDArray[np.float32]:
    normal = draw.standard_normal(shape, dtype=np.float32)
    kind = name.rsplit(".", 1)[-1]
    if name == FILTER:
        return (np.outer(TAPS, TAPS) / TAPS.sum() ** 2).astype(np.float32)
    if kind == "w_avg":
        return np.full(shape, MEAN, np.float32)
    if "mapping" in name:
        return _centred(normal) * 100 if kind == "weight" else np.zeros(shape, np.float32)
    if "affine" in name:
        # centred: the mean w gives style 1
        return _centred(normal) * STYLE if kind == "weight" else np.ones(shape, np.float32)
    if "torgb" in name:
        return _colours(normal, name) if kind == "weight" else np.full(shape, DARK / 7, np.float32)
    if kind == "noise_strength":
        return np.full(shape, NOISE, np.float32)
    if kind == "bias":
        return normal * BIAS
    return _centred(normal) if kind == "weight" else normal


def _centred(weight: NDArray[np.float32]) -> NDArray[np.float32]:
    mean = weight.mean(1, keepdims=True, dtype=np.float64).astype(np.float32)
    return weight - mean


def _colours(weight: NDArray[np.float32], name: str) -> NDArray[np.float32]:
    level = int(name.split(".")[1][1:]).bit_length() - 3
    light = weight.mean(0, keepdims=True) * np.sqrt(3)
    out = LIGHT[level] * light + COLOUR[level] * (weight - weight.mean(0, keepdims=True))
    return _centred(out.astype(np.float32))
