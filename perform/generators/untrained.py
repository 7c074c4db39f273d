"""The untrained generator: seeded random weights that are worth looking at.

Drawn as for training, a StyleGAN2 gives grey mush: the activations' positive mean grows from layer
to layer until all places and all latents look the same, and sums over hundreds of channels are
alike whatever is summed. Here

- channels come in pairs of opposite sign that are read with equal weights: a leaky ReLU of u and
  one of -u add up to |u|, a fold. Folded again and again, smooth fields get creases and veins at
  every scale, as in ridged noise; two near inputs part by about 1.6 in each layer (the chaotic
  phase of Poole et al. 2016, Exponential expressivity in deep neural networks);
- each channel reads few others, whose weights sum to zero at each tap: shapes stay distinct and
  the mean cannot pass;
- few channels reach the picture, half of them adding a colour of their own to black and half
  taking one away; which of them speak is the latent's choice.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perform.generators.weights import FILTER, TAPS, Config, Weights, channel_table, shapes

RESOLUTION = 256
TABLES = {
    "untrained": (16384, 512),
    "untrained-64": (2048, 64),
    "untrained-128": (4096, 128),
    "untrained-256": (8192, 256),
}
SEED = 23  # chosen by eye among a dozen: many hues, much black
MAPPING = (512,) * 4
MEAN = 0.8 / np.sqrt(np.pi)  # of sqrt 2 times a leaky ReLU of a normal variable: the mapping's mean

READ = 4  # channels that a channel reads
SHOWN = 6  # channels of each resolution that reach the picture
STYLE = 0.3  # spread of the convolutions' styles with w, around 1: more of it blurs, less stands still
CHOICE = 1.0  # spread of the toRGB styles
NOISE = 0.05  # strength of the noise, in spreads of what it is added to
# How far values spread after each convolution, measured: a fold halves it and nothing makes up for it
SPREAD = (0.75, 0.21, 0.114, 0.051, 0.031, 0.018, 0.012, 0.0066, 0.0045, 0.003, 0.002, 0.0014, 0.001)
LIGHT = (0.26, 0.39, 0.58, 0.77, 0.87, 0.87, 0.65)  # of each resolution's part of the picture: 4², 8², …
SATURATION = (1.0, 1.0, 1.0, 0.9, 0.7, 0.5, 0.3)
DARK = -0.92  # what the colours are added to: black


def header(name: str) -> tuple[Config, dict[str, str]]:
    """Configuration and notes of a built-in network."""
    base, most = TABLES[name]
    config = Config(channel_table(base, most, RESOLUTION), mapping=MAPPING)
    return config, {"title": "untrained: seeded random weights", "licence": "MIT"}


def weights(name: str) -> Weights:
    """The weights of a built-in network: the same numbers on every machine."""
    config, notes = header(name)
    draw = np.random.Generator(np.random.PCG64(SEED))
    arrays = {key: _tensor(draw, config, key, shape) for key, shape in shapes(config).items()}
    return Weights(config, arrays, notes)


def _tensor(
    draw: np.random.Generator, config: Config, name: str, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    layer, _, kind = name.rpartition(".")
    constants = {"w_avg": MEAN, "bias": _bias(layer), "noise_strength": NOISE * _spread(config, layer)}
    if name == FILTER:
        value = np.outer(TAPS, TAPS) / TAPS.sum() ** 2
    elif kind in constants:
        value = np.full(shape, constants[kind])
    elif kind != "weight":
        value = draw.standard_normal(shape, np.float32)
    elif layer.endswith(("conv0", "conv1")):
        value = _convolution(draw, shape, folded=".b4." not in layer)
    elif layer.endswith("torgb"):
        value = _colours(draw, config, layer, shape)
    else:
        value = _linear(draw, config, layer, shape)
    array: NDArray[np.float32] = value.astype(np.float32)
    return array


def _bias(layer: str) -> float:
    if layer.endswith("torgb"):
        # at the last resolution: enlarging fades at the borders, which would be grey
        return DARK if f".b{RESOLUTION}." in layer else 0.0
    return 1.0 if layer.endswith("affine") else 0.0


def _spread(config: Config, layer: str) -> float:
    name = layer.removeprefix("synthesis.")
    return SPREAD[config.layers.index(name)] if name in config.layers else 1.0


def _linear(
    draw: np.random.Generator, config: Config, layer: str, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """Rows that sum to zero: the mapping's mean gives the mean style, and no layer sees its sum."""
    weight = draw.standard_normal(shape, np.float32)
    weight -= weight.mean(1, keepdims=True, dtype=np.float64)
    if layer.startswith("mapping"):
        return weight / np.float32(config.rate)
    return weight * np.float32(CHOICE if "torgb" in layer else STYLE)


def _convolution(draw: np.random.Generator, shape: tuple[int, ...], folded: bool) -> NDArray[np.float32]:
    """[outputs, inputs, 3, 3]: the second half of the outputs is the first with its sign turned, and the
    second half of the inputs is read like the first."""
    outputs, inputs = shape[0] // 2, shape[1] // 2 if folded else shape[1]
    read = np.argsort(draw.random((outputs, inputs)), axis=1)[:, :READ]
    taps = draw.standard_normal((outputs, READ, 3, 3), np.float32)
    taps -= taps.mean(1, keepdims=True)
    half = np.zeros((outputs, inputs, 3, 3), np.float32)
    np.put_along_axis(half, read[:, :, None, None], taps, 1)
    half = np.concatenate([half, half], 1) if folded else half
    return np.concatenate([half, -half])


def _colours(
    draw: np.random.Generator, config: Config, layer: str, shape: tuple[int, ...]
) -> NDArray[np.float32]:
    """[3, inputs, 1, 1]: hues at random, every second one taken away instead of added."""
    level = config.resolutions.index(int(layer.split(".")[1][1:]))
    half = shape[1] // 2
    shown = min(SHOWN, half)
    turns = draw.random(shown) + np.array([[0.0], [1 / 3], [2 / 3]])  # [3, shown]
    pure = 0.7 + 0.7 * np.cos(2 * np.pi * turns)
    hues = 1 - SATURATION[level] + SATURATION[level] * pure
    signs = np.where(np.arange(shown) % 2, -1.0, 1.0)
    gain = LIGHT[level] / SPREAD[2 * level] / 0.8 * np.sqrt(half / shown / 2)
    weight = np.zeros((3, half))
    weight[:, :shown] = hues * signs * gain
    return np.tile(weight, 2).reshape(shape).astype(np.float32)
