"""rosinality's StyleGAN2, and what descends from it: a state dict with names of its own for the same
network as `stylegan2`.

Three forms: a training file (`g_ema`, no mean), a converted one (`g_ema` and `latent_avg`), and the
bare state dict, alone or within a larger model's (`decoder.`, `generator.` …).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from perform.arrays import AnyArray
from perform.generators.dialects.meanw import MEAN_W, with_mean_w
from perform.generators.dialects.unexpected import note_unexpected, with_remarks
from perform.generators.noise import drawn_noise, noise_sizes
from perform.generators.stylegan2 import FILTER, from_official, infer
from perform.networks import ModelError
from perform.networks.checkpoints.modules import StateDict
from perform.networks.weights import Weights

MARK = "conv1.conv.modulation.weight"  # no other dialect has it
LAYER_PARTS = {
    "conv.weight": "weight",
    "conv.modulation.weight": "affine.weight",
    "conv.modulation.bias": "affine.bias",
    "noise.weight": "noise_strength",
    "activate.bias": "bias",
    "bias": "bias",
}
NOISE_SEED = 0  # of the noise for files without noise
FILTER_NAMES = ("upsample.kernel", "conv.blur.kernel")  # the filter, found once


def prefix(state: Mapping[str, object]) -> str | None:
    """The prefix of this dialect's names in a state dict. None for another dialect."""
    found = (name.removesuffix(MARK) for name in state if name.endswith(MARK))
    return next((before for before in found if f"{before}to_rgb1.conv.weight" in state), None)


def weights(
    state: StateDict, mean: AnyArray | None = None, notes: Mapping[str, str] | None = None
) -> Weights:
    """Weights of a state dict, and the mean of w [w_dim] beside it (None: found by mapping many z).

    Raises ModelError."""
    before = prefix(state)
    if before is None:
        raise ModelError("no state of rosinality's kind: conv1.conv.modulation.weight is missing")
    own = {name.removeprefix(before): array for name, array in state.items() if name.startswith(before)}
    if "input.input" not in own:
        raise ModelError(
            "the network has no learned constant (input.linear in its place), which is not played"
        )
    if any(name.startswith("iwt.") or ".iwt" in name for name in own):
        raise ModelError("the network draws wavelets (SWAGAN), which is not played")
    named = {FILTER: _filter(own), **_renamed(own)}
    notes = notes or {}
    if not any(name.startswith("noises.") for name in own):
        named |= _drawn_noise(named)
        notes = with_remarks(notes, "the file holds no noise: it is drawn from a seed")
    width = named["synthesis.b4.conv1.affine.weight"].shape[1]
    means = np.zeros((1, width)) if mean is None else mean.reshape(-1, width)  # encoders: one a layer
    named[MEAN_W] = means.mean(0, dtype=np.float64)
    found = note_unexpected(from_official(named, None, 0.01, notes), named)
    return with_mean_w(found) if mean is None else found


def _renamed(own: StateDict) -> dict[str, AnyArray]:
    named = {"synthesis.b4.const": own["input.input"][0]}
    for name, array in own.items():
        if match := re.fullmatch(r"style\.(\d{1,3})\.(weight|bias)", name):
            named[f"mapping.fc{int(match[1]) - 1}.{match[2]}"] = array
        elif match := re.fullmatch(r"noises\.noise_(\d{1,2})", name):
            named[f"synthesis.{_layer(int(match[1]))}.noise_const"] = array[0, 0]
        elif match := re.fullmatch(r"(convs?|to_rgbs?)(1|\.\d{1,2})\.(.+)", name):
            place, part = _place(match[1], match[2]), LAYER_PARTS.get(match[3])
            if part is None and match[3] not in FILTER_NAMES:
                raise ModelError(f"{name} has no place in a StyleGAN2 of rosinality's kind")
            if part is not None:
                named[f"synthesis.{place}.{part}"] = _squeezed(part, array)
        elif name != "input.input":
            named[name] = array  # of another network, if it is a weight
    return named


def _layer(index: int) -> str:
    """The name of a convolution: 0 is the first."""
    return f"b{4 << (index + 1) // 2}.conv{(index + 1) % 2}"


def _place(kind: str, number: str) -> str:
    """Our name of `conv1`, `convs.3`, `to_rgb1`, `to_rgbs.2`."""
    index = 0 if number == "1" else int(number[1:]) + 1
    return _layer(index) if kind.startswith("conv") else f"b{4 << index}.torgb"


def _squeezed(part: str, array: AnyArray) -> AnyArray:
    """Without the dimensions of size 1 that this dialect adds."""
    shapes = {"weight": array.shape[1:], "noise_strength": (), "bias": (-1,)}
    return array.reshape(shapes.get(part, array.shape))


def _filter(own: StateDict) -> AnyArray:
    """The resampling filter [4, 4] of sum 1: those of the file are scaled up by 4."""
    kernels = [array for name, array in own.items() if name.endswith(FILTER_NAMES)]
    if not kernels:
        return np.outer([1, 3, 3, 1], [1, 3, 3, 1]) / 64
    if any(not np.allclose(kernel, kernels[0]) for kernel in kernels):
        raise ModelError("the network's filters differ from each other, which is not played")
    return np.asarray(kernels[0] / 4)


def _drawn_noise(named: StateDict) -> dict[str, AnyArray]:
    """Noise from a seed, for files that hold none."""
    config = infer({name: array.shape for name, array in named.items()})
    parts = np.split(drawn_noise(config, NOISE_SEED), np.cumsum(noise_sizes(config))[:-1])
    names = (f"synthesis.{layer}.noise_const" for layer in config.layers)
    pieces = zip(names, parts, config.noise_shapes, strict=True)
    return {name: part.reshape(shape) for name, part, shape in pieces}
