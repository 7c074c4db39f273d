"""TensorFlow's StyleGAN and StyleGAN2, from files made here by the facts of their layout."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perform.generators import stylegan1, stylegan2
from perform.generators.dialects import tensorflow
from perform.generators.dialects.meanw import MEAN_W, with_mean_w
from perform.networks import ModelError
from tests.doubles.foreign import (
    FIRST,
    SECOND,
    State,
    prefixed,
    same,
    variables_of_first,
    variables_of_second,
    whole,
)
from tests.doubles.networks import drawn

SECONDS = [
    SECOND,
    replace(SECOND, c_dim=3, embed=4, image_channels=1, rate=0.1, clamp=256.0),
    replace(SECOND, architecture="resnet"),
    replace(SECOND, start=(4, 6)),
]
FIRSTS = [FIRST, replace(FIRST, c_dim=3, embed=5), replace(FIRST, channels=(3, 2))]
AFFINE = tuple(f"synthesis.b{r}.{k}.affine.bias" for r in (4, 8, 16) for k in ("conv0", "conv1", "torgb"))


@pytest.mark.parametrize("config", SECONDS)
def test_a_tensorflow_stylegan2_opens(config: stylegan2.Config) -> None:
    weights = whole(config)
    options = {
        "mapping_lrmul": config.rate,
        "conv_clamp": config.clamp,
        "resample_kernel": np.array([1, 3, 3, 1]),
    }
    variables = variables_of_second(weights)
    for given in (variables, prefixed(variables)):
        found = tensorflow.weights(given, options)
        same(found, weights, AFFINE)
        for name in set(AFFINE) & set(weights.arrays):  # less 1 and again 1 more: the last bit may go
            assert np.abs(found.arrays[name] - weights.arrays[name]).max() < 1e-6


def test_a_tensorflow_stylegan2_without_skips_opens() -> None:
    weights = whole(replace(SECOND, architecture="orig"))
    variables = variables_of_second(weights)
    same(tensorflow.weights(variables), weights, AFFINE)
    renamed = {name.replace("16x16/ToRGB", "ToRGB_lod0"): array for name, array in variables.items()}
    same(tensorflow.weights(renamed), weights, AFFINE)


@pytest.mark.parametrize("config", FIRSTS)
def test_a_tensorflow_stylegan_opens(config: stylegan1.Config) -> None:
    weights = drawn(config)
    for given in (variables_of_first(weights), prefixed(variables_of_first(weights))):
        same(tensorflow.weights(given), weights)
    fused = tensorflow.weights(variables_of_first(weights), {"fused_scale": True}).config
    assert (fused, fused.fuses(2)) == (replace(config, fused=0), True)


def test_a_progressive_stylegan_has_its_current_size() -> None:
    weights = drawn(FIRST)
    found = tensorflow.weights({**variables_of_first(weights), "lod": np.float32(1.2)})
    assert (found.config.size, found.notes["odd"]) == ((8, 8), "still growing when it was saved (lod = 1.2)")
    assert np.array_equal(
        found.arrays["synthesis.b8.conv1.weight"], weights.arrays["synthesis.b8.conv1.weight"]
    )


def test_a_tensorflow_network_without_a_mean_gets_one() -> None:
    variables = variables_of_second(whole(SECOND))
    del variables["dlatent_avg"]
    found = tensorflow.weights(variables)
    assert found.arrays[MEAN_W].any()
    assert np.array_equal(found.arrays[MEAN_W], with_mean_w(found).arrays[MEAN_W])
    assert "mean of" in found.notes["centre"]


@pytest.mark.parametrize(
    ("change", "options", "complaint"),
    [
        ({}, {"mapping_nonlinearity": "relu"}, "mapping_nonlinearity = 'relu', must be 'lrelu'"),
        ({"LabelConcat/weight": np.zeros((3, 5))}, {}, "LabelConcat"),
        ({"32x32/Conv1/weight": np.zeros(1), "64x64/Conv1/weight": np.zeros(1)}, {}, "32x32/Conv0_up/weight"),
        ({"64x64/Conv1/weight": np.zeros(1)}, {}, r"blocks = \[4, 8, 16, 64\], must be 4, 8 and so on"),
    ],
)
def test_other_tensorflow_networks_are_rejected(
    change: State, options: dict[str, Any], complaint: str
) -> None:
    with pytest.raises((ModelError, KeyError), match=complaint):
        tensorflow.weights({**variables_of_second(whole(SECOND)), **change}, options)
    with pytest.raises(ModelError, match="no StyleGAN and no StyleGAN2"):
        tensorflow.weights({"4x4/Conv/weight": np.zeros(1)})
