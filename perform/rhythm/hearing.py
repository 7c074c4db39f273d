"""What a trained network hears of beats: two layers of gated recurrent units, computed hop by hop.

(Cho et al., "Learning phrase representations using RNN encoder-decoder", EMNLP 2014, as PyTorch computes
them.) It learns in `training/beats/`, from music that is made at random.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from perform import paths
from perform.arrays import Floats
from perform.faults import reason
from perform.rhythm.features import MEL_BANDS, Features

INPUTS = MEL_BANDS + 12  # what is heard of a hop: log loudness by mel band, and the pitch classes
ENTRY, LAYERS = 64, 2  # numbers of the first layer, and recurrent layers after it
FILE = "beats.safetensors"
MOST_WEIGHT = 1e6  # so far from 0 that no network which learned has it; beyond, sums may leave float32
BASS_CUT, CUT_BANDS = 8.0, 24  # decibels off the lowest band, and the first band that is left as it is
_TONE = np.float32(10 ** (np.interp(np.arange(MEL_BANDS), (0, CUT_BANDS), (-BASS_CUT, 0)) / 20))


def inputs_of(features: Features) -> Floats:
    """What the network is given of a hop [INPUTS]."""
    return np.concatenate((bass_cut(features.loudness), features.chroma))


def bass_cut(loudness: Floats) -> Floats:
    """The log loudness [..., MEL_BANDS] with less bass, which is the loudest part of recorded music."""
    return np.log1p(np.expm1(loudness) * _TONE)


class BeatHearing:
    """The network and its state: the same sound gives the same activations in blocks of any size."""

    def __init__(self, weights: Mapping[str, Floats]) -> None:
        self._entry = weights["entry.weight"], weights["entry.bias"]
        self._layers = [_Layer(weights, f"layers.{i}.") for i in range(LAYERS)]
        self._exit = weights["exit.weight"], weights["exit.bias"]
        self._before = np.zeros(INPUTS, np.float32)

    def hear(self, seen: Floats) -> Floats:
        """How likely it is that this hop [INPUTS] has a beat and a downbeat [2], 0..1."""
        rise = np.maximum(seen[:MEL_BANDS] - self._before[:MEL_BANDS], 0)
        self._before = seen
        weight, bias = self._entry
        flow = np.maximum(weight @ np.concatenate((seen, rise)) + bias, 0)
        states = []
        for layer in self._layers:
            flow = layer.step(flow)
            states.append(flow)
        weight, bias = self._exit
        return _sigmoid(weight @ np.concatenate(states) + bias)


class _Layer:
    """Gated recurrent units: a reset gate, an update gate and a candidate, in this order in the weights."""

    def __init__(self, weights: Mapping[str, Floats], name: str) -> None:
        self._input, self._input_bias = weights[name + "weight_ih_l0"], weights[name + "bias_ih_l0"]
        self._state, self._state_bias = weights[name + "weight_hh_l0"], weights[name + "bias_hh_l0"]
        self._units = self._state.shape[1]
        self._value = np.zeros(self._units, np.float32)

    def step(self, flow: Floats) -> Floats:
        n = self._units
        new = self._input @ flow + self._input_bias
        old = self._state @ self._value + self._state_bias
        gates = _sigmoid(new[: 2 * n] + old[: 2 * n])
        candidate = np.tanh(new[2 * n :] + gates[:n] * old[2 * n :])
        self._value = candidate + gates[n:] * (self._value - candidate)
        return self._value


def weight_files() -> list[Path]:
    """The files of weights, the best one first: that of the user's own network, if there is one, and that
    which comes with the program."""
    own, shipped = own_weights(), paths.shipped() / "learned" / FILE
    return [own, shipped] if os.path.lexists(own) else [shipped]


def own_weights() -> Path:
    """Where the weights of the user's own network are, if there is one."""
    return paths.user_data() / "learned" / FILE


def read_weights(path: Path) -> Mapping[str, Floats]:
    """The weights of a file. OSError, or ValueError for one that holds something else."""
    paths.check_file(path)
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, must be a file")
    try:
        weights = {name: np.asarray(values, np.float32) for name, values in load_file(path).items()}
    except (SafetensorError, KeyError, TypeError) as fault:  # the last two for numbers that numpy lacks
        raise ValueError(f"{path}: is not readable as safetensors ({reason(fault)})") from None
    last = weights.get("exit.weight", np.zeros(()))
    units = last.shape[1] // LAYERS if last.ndim == 2 else 0
    for name, shape in _shapes(units).items():
        _check_array(path, name, shape, weights.get(name))
    return weights


def _check_array(path: Path, name: str, shape: tuple[int, ...], found: Floats | None) -> None:
    """ValueError if the weights of a name are missing, of another shape, no numbers, or so large that the
    network would compute none."""
    if found is None or found.shape != shape:
        has = "is missing" if found is None else f"has the shape {found.shape}"
        raise ValueError(f"{path}: {name} {has}, must be {shape}")
    if not np.all(np.abs(found) <= MOST_WEIGHT):
        raise ValueError(f"{path}: {name} must have numbers within {-MOST_WEIGHT:g}..{MOST_WEIGHT:g}")


def _shapes(units: int) -> dict[str, tuple[int, ...]]:
    """The shapes of all weights of a network with so many units in a layer."""
    shapes: dict[str, tuple[int, ...]] = {
        "exit.weight": (2, LAYERS * units),
        "exit.bias": (2,),
        "entry.weight": (ENTRY, INPUTS + MEL_BANDS),
        "entry.bias": (ENTRY,),
    }
    for i, inputs in enumerate((ENTRY, units)):
        for kind, size in (("ih", inputs), ("hh", units)):
            shapes[f"layers.{i}.weight_{kind}_l0"] = 3 * units, size
            shapes[f"layers.{i}.bias_{kind}_l0"] = (3 * units,)
    return shapes


def _sigmoid(values: Floats) -> Floats:
    return np.asarray(0.5 + 0.5 * np.tanh(0.5 * values), np.float32)
