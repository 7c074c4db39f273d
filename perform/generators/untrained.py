"""The untrained generator: seeded random weights whose pictures are worth looking at.

Drawn as for training, a StyleGAN2 gives grey mush. Here the kernels are smooth (one weight, spread over
its taps), so that the layers work like a network from places to colours (Stanley 2007, Compositional
pattern producing networks), with folds at every scale where the clamp and the leaky ReLUs bend. Every
row of weights sums to zero over its inputs, so that the mean of the activations cannot grow until all
latents look the same (the edge of chaos of Poole et al. 2016, Exponential expressivity in deep neural
networks), and has few inputs, so that wide networks draw forms as large as narrow ones. Colours are
sums of three inks on black.

What makes folds also makes rounding errors grow: with colours taken from the finest layers, an unclamped
network was 28 dB from its float32 pictures in bfloat16; this one is 41 with its 4² and 8² in float32.
"""

from __future__ import annotations

import logging
from functools import cache

import numpy as np

from perform.arrays import Floats
from perform.generators.stylegan2 import FILTER, TAPS, Config, channel_table
from perform.networks.weights import Weights

log = logging.getLogger("perform")
UNTRAINED_SEED = 20
RESOLUTION = 256
TITLE = "untrained: seeded random weights"
BUILT_IN = {
    "untrained": (16384, 512),
    "untrained-small": (2048, 64),
    "untrained-medium": (4096, 128),
    "untrained-large": (8192, 256),
}
OLD_NAMES = {  # the numbers were channels, not pixels
    "untrained-64": "untrained-small",
    "untrained-128": "untrained-medium",
    "untrained-256": "untrained-large",
}
MAPPING_LAYERS = 4
SHARED_MAPPING = "untrained"  # they all have this one's mapping: directions of one are directions of all
MEAN_W = 0.8 / np.sqrt(np.pi)  # of sqrt 2 times a leaky ReLU of a normal variable

# By level: 4², 8², … 256².
STYLE_SPREAD = (0.9, 0.8, 0.7, 0.6, 0.55, 0.45, 0.45)  # spread of the styles with w, around 1
NOISE_STRENGTH = (0.1, 0.1, 0.08, 0.05, 0.03, 0.02, 0.02)  # strength of the noise inputs
SIDE_TAPS = (0.5, 0.5, 0.5, 0.5, 0.5, 0.4, 0.25)  # a kernel's taps beside its middle one; at corners, squared
SHARED_WEIGHT = (0.0, 0.5, 1.0, 1.0, 1.0, 1.0, 1.0)  # share of the weight that all taps have in common
COLOUR_STRENGTH = (0.0, 0.0, 0.1, 0.4, 0.55, 0.45, 0.2)  # strength of the colours
INKS = np.array([(1.0, 0.34, 0.07), (0.04, 0.26, 1.0), (0.95, 0.70, 0.62)], np.float32)  # ember, night, skin
INPUTS_USED = 8  # that a convolution's output has, about
FEATURES_DRAWN = 24  # features that are drawn with
BIAS_SPREAD = 0.3  # of the convolutions, in standard deviations of what they are added to
COLOUR_BIAS = -0.9  # of the whole picture
CLAMP = 2.0  # of the activations
CONST_SCALE = 3.0  # radians that the constant's waves turn across it


@cache
def present_name(name: str) -> str:
    """The name of a network that had another one, which the log says once; any other name as it is."""
    new = OLD_NAMES.get(name, name)
    if new != name:
        log.warning("%s is now called %s (its pictures are %dx%d)", name, new, RESOLUTION, RESOLUTION)
    return new


def untrained_header(name: str) -> tuple[Config, dict[str, str]]:
    """Configuration and notes of a built-in network."""
    return _config(RESOLUTION, *BUILT_IN[present_name(name)]), {"title": TITLE, "licence": "MIT"}


def untrained_weights(name: str) -> Weights:
    """The weights of a built-in network: the same numbers on every machine."""
    return _made(*untrained_header(name))


def untrained_sized(resolution: int, base: int, most: int = 512) -> Weights:
    """Weights of the same kind for another resolution and table of channels: for measuring speed.

    Blocks beyond 256² are drawn as that one.
    """
    return _made(_config(resolution, base, most), {"title": f"untrained: {resolution}", "licence": "MIT"})


def _config(resolution: int, base: int, most: int) -> Config:
    channels = channel_table(base, most, resolution)
    return Config(channels, mapping=(512,) * MAPPING_LAYERS, clamp=CLAMP)


def _made(config: Config, notes: dict[str, str]) -> Weights:
    draw = np.random.Generator(np.random.PCG64(UNTRAINED_SEED))
    arrays = {key: _drawn(draw, key, shape) for key, shape in config.shapes().items()}
    return Weights(config, arrays, notes)


def _drawn(draw: np.random.Generator, name: str, shape: tuple[int, ...]) -> Floats:
    normal = draw.standard_normal(shape, dtype=np.float32)
    kind = name.rsplit(".", 1)[-1]
    if name == FILTER:
        array = np.outer(TAPS, TAPS) / TAPS.sum() ** 2
    elif kind == "w_avg":
        array = np.full(shape, MEAN_W)
    elif "mapping" in name:
        array = _centred(normal) * 100 if kind == "weight" else np.zeros(shape)
    elif kind == "const":
        array = _waves(draw, normal)
    else:
        array = _synthesis(draw, name, kind, normal)
    return np.asarray(array, np.float32)


def _synthesis(draw: np.random.Generator, name: str, kind: str, normal: Floats) -> Floats:
    level = min(int(name.split(".")[1][1:]).bit_length() - 3, len(COLOUR_STRENGTH) - 1)
    if "affine" in name:  # centred: the mean w gives style 1
        return _centred(normal) * STYLE_SPREAD[level] if kind == "weight" else np.ones_like(normal)
    if "torgb" in name:
        if kind == "bias":
            return np.full_like(normal, COLOUR_BIAS / len(COLOUR_STRENGTH))
        return _inks(normal) * COLOUR_STRENGTH[level]
    if kind == "noise_strength":
        return np.full_like(normal, NOISE_STRENGTH[level])
    if kind == "bias":
        return np.asarray(normal * BIAS_SPREAD, np.float32)
    return _kernels(draw, normal, level, up="conv0" in name) if kind == "weight" else normal


def _centred(weight: Floats) -> Floats:
    return np.asarray(weight - weight.mean(1, keepdims=True), np.float32)


def _kernels(draw: np.random.Generator, own: Floats, level: int, up: bool) -> Floats:
    """Weights [outputs, inputs, 3, 3]: smooth over their taps, of few inputs, without a mean."""
    side = 1.0 if up else SIDE_TAPS[level]
    profile = np.array([side, 1.0, side], np.float32)
    common = draw.standard_normal((*own.shape[:2], 1, 1), dtype=np.float32)
    chances = draw.random((*own.shape[:2], 1, 1), dtype=np.float32)
    kept = (chances * own.shape[1] < INPUTS_USED).astype(np.float32)
    weight = (SHARED_WEIGHT[level] * common + (1 - SHARED_WEIGHT[level]) * own) * kept
    mean = weight.sum(1, keepdims=True) / np.maximum(kept.sum(1, keepdims=True), 1)
    return np.asarray((weight - mean * kept) * np.outer(profile, profile), np.float32)


def _inks(normal: Floats) -> Floats:
    """Colours [3, features, 1, 1]: each feature draws with one ink, each ink adds up to none."""
    features = min(normal.shape[1], FEATURES_DRAWN)
    weight = np.zeros_like(normal)
    for ink, colour in enumerate(INKS):
        amounts = normal[0, ink : features : len(INKS), 0, 0]
        weight[:, ink : features : len(INKS), 0, 0] = np.outer(colour, amounts - amounts.mean())
    return np.asarray(weight * np.sqrt(normal.shape[1] / features), np.float32)


def _waves(draw: np.random.Generator, normal: Floats) -> Floats:
    """The constant [channels, height, width]: long waves in random directions, and a little noise."""
    channels, height, width = normal.shape
    along, down, phase = draw.standard_normal((3, channels, 1, 1), dtype=np.float32) * CONST_SCALE
    x, y = np.linspace(-0.5, 0.5, width), np.linspace(-0.5, 0.5, height)[:, None]
    return np.asarray(1.12 * np.cos(along * x + down * y + phase) + 0.2 * normal, np.float32)
