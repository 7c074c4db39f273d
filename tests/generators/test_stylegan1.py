"""StyleGAN, the first, against a slow form written from the paper, pixel by pixel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from perform.generators.stylegan1 import Config, inputs, mapped, mean
from perform.generators.stylegan1.network import spread, synthesis
from perform.networks.controls import NetworkValues
from perform.networks.modelfiles import read_weights, write_weights
from perform.networks.runtimes.openvino.runtime import OpenVino
from perform.networks.runtimes.torch.eager import Eager
from perform.networks.weights import Weights
from tests.doubles.networks import drawn

STILL = {"noise_phase": 0.0, "noise_layers": (0, 63)}
SMALL = Config((6, 6, 5, 4, 4, 3), z_dim=5, mapping=(7, 9), fused=16)  # 16 x 16; the last block fuses


def leaky(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(x < 0, 0.2 * x, x)


def correlated(x: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """[inputs, h, w] by [outputs, inputs, 3, 3], zeros around it."""
    _, height, width = x.shape
    around = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    out = np.zeros((len(weight), height, width))
    for row in range(height):
        for column in range(width):
            out[:, row, column] = np.tensordot(weight, around[:, row : row + 3, column : column + 3], 3)
    return out


def enlarged(x: NDArray[np.float64], weight: NDArray[np.float64], fused: bool) -> NDArray[np.float64]:
    """Twice the size by the paper's words, then its blur."""
    _, height, width = x.shape
    if fused:  # each pixel paints its kernel, spread by one pixel, around its new place
        out = np.zeros((len(weight), 2 * height + 4, 2 * width + 4))
        for row, column, i, j in np.ndindex(height, width, 2, 2):
            painted = np.tensordot(weight, x[:, row, column], ((1,), (0,)))
            at = 1 + 2 * row + i, 1 + 2 * column + j
            out[:, at[0] : at[0] + 3, at[1] : at[1] + 3] += painted
        out = out[:, 2 : 2 * height + 2, 2 : 2 * width + 2]
    else:
        out = correlated(x.repeat(2, 1).repeat(2, 2), weight)
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    return np.concatenate([correlated(channel[None], kernel[None, None]) for channel in out])


def slow(weights: Weights, ws: NDArray[np.float64], noise: float) -> NDArray[np.float64]:
    """The picture [channels, height, width], from the paper's figure 1 and its appendix C."""
    config: Config = weights.config
    own = {name: np.asarray(array, np.float64) for name, array in weights.arrays.items()}
    x = own["synthesis.b4.const"]
    for i, layer in enumerate(config.layers):
        name = f"synthesis.{layer}"
        if i:
            weight = own[f"{name}.weight"] * np.sqrt(2 / (len(x) * 9))
            x = correlated(x, weight) if i % 2 else enlarged(x, weight, min(x.shape[1:]) * 2 >= config.fused)
        drawn_noise = own[f"{name}.noise_const"] * noise
        x = (
            x
            + drawn_noise * own[f"{name}.noise_strength"][:, None, None]
            + own[f"{name}.bias"][:, None, None]
        )
        x = leaky(x)
        x = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-8)
        style = own[f"{name}.affine.weight"] @ ws[i] / np.sqrt(len(ws[i])) + own[f"{name}.affine.bias"]
        x = x * (style[: len(x), None, None] + 1) + style[len(x) :, None, None]
    torgb = own["synthesis.torgb.weight"][:, :, 0, 0] / np.sqrt(len(x))
    return np.tensordot(torgb, x, 1) + own["synthesis.torgb.bias"][:, None, None]


@pytest.mark.parametrize(
    "config",
    [
        SMALL,
        replace(SMALL, fused=128, image_channels=1),
        replace(SMALL, fused=0, start=(4, 6)),
        replace(SMALL, channels=(3, 2)),
    ],
)
@pytest.mark.parametrize("noise", [1.0, 0.0])
def test_it_draws_as_the_paper_defines(config: Config, noise: float) -> None:
    weights = drawn(config)
    ws = np.random.default_rng(2).standard_normal((config.space.num_ws, config.w_dim), np.float32)
    expected = slow(weights, np.asarray(ws, np.float64), noise)
    given = inputs(weights)({"noise": noise, "noise_seed": -1, **STILL})
    with torch.inference_mode():
        picture = synthesis(weights)(torch.from_numpy(ws), *map(torch.from_numpy, given))[0].numpy()
    assert picture.shape == (config.image_channels, *reversed(config.size))
    assert np.abs(picture - expected).max() < 1e-4
    assert np.abs(expected).max() > 1


def test_a_fused_kernel_is_flipped_for_a_mirrored_weight() -> None:
    weight = torch.randn(2, 3, 3, 3, generator=torch.Generator().manual_seed(1))
    assert torch.equal(spread(weight, mirrored=True), spread(weight.flip(2, 3), mirrored=False))
    assert not torch.allclose(spread(weight, mirrored=True), spread(weight, mirrored=False))


def test_it_maps_as_the_paper_defines() -> None:
    weights = drawn(replace(SMALL, c_dim=3, embed=5))
    own = {name: np.asarray(array, np.float64) for name, array in weights.arrays.items()}
    z, labels = np.random.default_rng(3).standard_normal((2, 5)), np.eye(3)[[2, 0]]
    x = np.concatenate([z, labels @ own["mapping.embed.weight"].T], 1)
    x = x / np.sqrt((x**2).mean(1, keepdims=True) + 1e-8)
    for i in range(2):
        weight = own[f"mapping.fc{i}.weight"] * np.sqrt(2 / x.shape[1]) * 0.01
        x = leaky(x @ weight.T + own[f"mapping.fc{i}.bias"] * 0.01)
    assert np.abs(mapped(weights, np.float32(z), np.float32(labels)) - x).max() < 1e-6
    first = mapped(weights, np.float32(z[1:]))
    assert np.array_equal(first, mapped(weights, np.float32(z[1:]), np.eye(1, 3, dtype=np.float32)))
    assert mean(weights)(None) is weights.arrays["mapping.w_avg"]
    with pytest.raises(ValueError, match=r"z has shape \(1, 4\), must be \(n, 5\)"):
        mapped(weights, np.zeros((1, 4), np.float32))


def test_half_precision_draws_nearly_the_same() -> None:
    weights = drawn(SMALL)
    ws = torch.randn(6, 9, generator=torch.Generator().manual_seed(1))
    given = [torch.from_numpy(array) for array in inputs(weights)({"noise": 1.0, "noise_seed": 5, **STILL})]
    with torch.inference_mode():
        exact, rough = (synthesis(weights, dtype)(ws, *given) for dtype in (torch.float32, torch.bfloat16))
    assert rough.dtype == torch.float32
    assert 0 < (exact - rough).abs().max() < 0.1 * exact.abs().max()


def test_the_family_is_played_and_saved(tmp_path: Path) -> None:
    weights = drawn(replace(SMALL, start=(4, 6)))
    write_weights(tmp_path / "a.safetensors", weights)
    again = read_weights(tmp_path / "a.safetensors")
    assert again.config == weights.config
    player = Eager(again)
    picture = player.synthesise(np.repeat(player.map(np.ones((1, 5), np.float32)), 6, 0))
    assert picture.shape == (16, 24, 3)


def test_openvino_draws_the_same_again_and_again() -> None:
    weights = drawn(SMALL)
    fast, plain = OpenVino(weights, "float32", 1), Eager(weights)
    ws = np.random.default_rng(1).standard_normal((6, 9), np.float32)
    for controls in ({}, {"noise": 0.3, "noise_seed": 4.0}, {}, {"noise": 0.0}):
        pair = (one.synthesise(ws, NetworkValues(controls)).astype(int) for one in (fast, plain))
        assert np.abs(np.subtract(*pair)).max() <= 1
