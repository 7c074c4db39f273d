"""The fast convolution against the direct one."""

from __future__ import annotations

import numpy as np
import openvino as ov
import pytest
import torch
from openvino import opset13 as op

from perform.generators.stylegan2 import winograd
from perform.networks.runtimes.openvino.runtime import core


@pytest.mark.parametrize("shape", [(3, 5, 4, 4), (128, 64, 8, 20), (16, 16, 32, 16)])
def test_winograd_equals_direct_convolution(shape: tuple[int, int, int, int]) -> None:
    outputs, inputs, height, width = shape
    draw = np.random.default_rng(0)
    weight = draw.standard_normal((outputs, inputs, 3, 3), np.float32) / np.float32(3 * inputs**0.5)
    x = draw.standard_normal((1, inputs, height, width), np.float32)
    parameter = op.parameter(x.shape, np.float32)
    model = ov.Model([op.result(winograd.convolved(parameter, weight, height, width))], [parameter], "test")
    compiled = core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    expected = torch.nn.functional.conv2d(torch.from_numpy(x), torch.from_numpy(weight), padding=1)
    assert np.abs(compiled([x])[0] - expected.numpy()).max() < 1e-4


def test_winograd_is_used_only_where_it_is_faster() -> None:
    def weight(channels: int, taps: int = 3) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return np.zeros((channels, channels, taps, taps), np.float32)

    assert winograd.pays(weight(128), 32, 32)
    assert not winograd.pays(weight(64), 32, 32)
    assert not winograd.pays(weight(128, 1), 32, 32)
    assert not winograd.pays(weight(128), 32, 34)
    assert not winograd.pays(weight(128), 8, 8)
    assert not winograd.pays(weight(128), 256, 256)
