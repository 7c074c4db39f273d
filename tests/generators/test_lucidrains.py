"""lucidrains' StyleGAN2 against a second form, with another weight for every picture."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from perform.generators.lucidrains import Config, infer, inputs, mapped
from perform.generators.lucidrains.network import synthesis
from perform.networks import ModelError
from perform.networks.controls import NetworkValues
from perform.networks.modelfiles import read_weights, write_weights
from perform.networks.runtimes.openvino.runtime import OpenVino
from perform.networks.runtimes.torch.eager import Eager
from perform.networks.weights import Weights
from tests.doubles.networks import drawn

SMALL = Config((6, 6, 5, 4), z_dim=5, mapping=(5, 5))


def modulated(x: Tensor, weight: Tensor, style: Tensor, demodulated: bool) -> Tensor:
    own = weight * (style + 1)[None, :, None, None]
    if demodulated:
        own = own / (own.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
    return functional.conv2d(x, own, padding=weight.shape[2] // 2)


def slow(weights: Weights, ws: Tensor, noise: Tensor) -> Tensor:
    config: Config = weights.config
    own = {name: torch.tensor(array, dtype=torch.float64) for name, array in weights.arrays.items()}
    if config.constant:
        x = own["synthesis.b4.const"][None]
    else:
        x = functional.conv_transpose2d(ws.mean(0)[None, :, None, None], own["synthesis.b4.begin"])
    if config.convolved:
        x = functional.conv2d(
            x, own["synthesis.b4.initial.weight"], own["synthesis.b4.initial.bias"], padding=1
        )
    picture = torch.zeros(())
    for block, r in enumerate(config.resolutions):
        if block:
            x, picture = (functional.interpolate(one, (r, r), mode="bilinear") for one in (x, picture))
            around = functional.pad(picture, (1, 1, 1, 1), mode="reflect")
            if config.blurred:
                rows = around[:, :, :-2] / 4 + around[:, :, 1:-1] / 2 + around[:, :, 2:] / 4
                picture = rows[..., :-2] / 4 + rows[..., 1:-1] / 2 + rows[..., 2:] / 4
        cut = noise[:r, :r, None]
        for half in (0, 1):
            name = f"synthesis.b{r}.conv{half}"
            style = own[f"{name}.affine.weight"] @ ws[block] + own[f"{name}.affine.bias"]
            added = cut @ own[f"{name}.noise.weight"].T + own[f"{name}.noise.bias"]  # [h, w, channels]
            x = modulated(x, own[f"{name}.weight"], style, True) + added.permute(2, 1, 0)
            x = functional.leaky_relu(x, 0.2)
        name = f"synthesis.b{r}.torgb"
        style = own[f"{name}.affine.weight"] @ ws[block] + own[f"{name}.affine.bias"]
        picture = picture + modulated(x, own[f"{name}.weight"], style, False)
    return picture


@pytest.mark.parametrize(
    "config",
    [
        SMALL,
        replace(SMALL, constant=False, image_channels=4),
        replace(SMALL, convolved=False, blurred=False),
    ],
)
def test_lucidrains_draws_like_a_second_implementation(config: Config) -> None:
    weights = drawn(config)
    ws = np.random.default_rng(2).standard_normal((3, 5), np.float32)
    noise, strength = inputs(weights)({"noise": 1.0, "noise_seed": 7, "noise_phase": 0})
    expected = slow(weights, torch.tensor(ws, dtype=torch.float64), torch.tensor(noise, dtype=torch.float64))
    given = [torch.from_numpy(array) for array in (ws, noise, strength)]
    with torch.inference_mode():
        picture = synthesis(weights)(*given)
    assert picture.shape == (1, config.image_channels, 16, 16)
    assert ((picture + 1) / 2 - expected).abs().max() < 1e-4 * expected.abs().max()


def test_the_noise_image_is_0_to_1_and_without_strength_its_mean() -> None:
    weights = drawn(SMALL)
    given = inputs(weights)
    (stored, _), (zero, strength) = (
        given({"noise": 1, "noise_seed": seed, "noise_phase": 0}) for seed in (-1, 0)
    )
    assert np.array_equal(stored, zero)
    assert (stored.shape, strength.tolist()) == ((16, 16), [1.0])
    assert 0 <= stored.min() < 0.1 < 0.9 < stored.max() < 1
    ws = torch.ones(3, 5)
    network = synthesis(weights)
    still = network(ws, torch.from_numpy(stored), torch.zeros(1))
    assert torch.equal(still, network(ws, torch.full((16, 16), 0.5), torch.ones(1)))


def test_the_mapping_normalises_z_and_scales_weights_and_biases() -> None:
    weights = drawn(SMALL)
    own = {name: np.asarray(array, np.float64) for name, array in weights.arrays.items()}
    z = np.random.default_rng(3).standard_normal((2, 5))
    for normalised in (True, False):
        x = z / np.linalg.norm(z, axis=1, keepdims=True) if normalised else z
        for i in range(2):
            x = x @ own[f"mapping.fc{i}.weight"].T * 0.1 + own[f"mapping.fc{i}.bias"] * 0.1
            x = np.where(x < 0, 0.2 * x, x)
        told = replace(weights, config=replace(SMALL, normalised=normalised))
        assert np.abs(mapped(told, np.float32(z)) - x).max() < 1e-6
    with pytest.raises(ValueError, match=r"z has shape \(5,\), must be \(n, 5\)"):
        mapped(weights, np.zeros(5, np.float32))


@pytest.mark.parametrize(
    "config", [SMALL, replace(SMALL, constant=False, image_channels=4), replace(SMALL, convolved=False)]
)
def test_the_configuration_follows_from_the_shapes(config: Config) -> None:
    assert infer(config.shapes()) == config
    told = replace(config, rate=0.5, normalised=False, blurred=False)
    assert infer(config.shapes(), 0.5, False, False) == told
    with pytest.raises(ModelError, match="not a generator of lucidrains' kind"):
        infer({"mapping.fc0.weight": (3, 3)})


def test_the_family_is_played_and_saved(tmp_path: Path) -> None:
    weights = drawn(SMALL)
    write_weights(tmp_path / "a.safetensors", weights)
    again = read_weights(tmp_path / "a.safetensors")
    assert again.config == weights.config
    player = Eager(again)
    picture = player.synthesise(np.repeat(player.map(np.ones((1, 5), np.float32)), 3, 0))
    assert picture.shape == (16, 16, 3)


def test_half_precision_draws_nearly_the_same() -> None:
    weights = drawn(SMALL)
    given = [torch.ones(3, 5)]
    given += [
        torch.from_numpy(array)
        for array in inputs(weights)({"noise": 1.0, "noise_seed": 5, "noise_phase": 0})
    ]
    with torch.inference_mode():
        exact, rough = (synthesis(weights, dtype)(*given) for dtype in (torch.float32, torch.bfloat16))
    assert rough.dtype == torch.float32
    assert 0 < (exact - rough).abs().max() < 0.05 * exact.abs().max()


def test_openvino_draws_the_same_again_and_again() -> None:
    weights = drawn(SMALL)
    fast, plain = OpenVino(weights, "float32", 1), Eager(weights)
    ws = np.random.default_rng(1).standard_normal((3, 5), np.float32)
    for controls in ({}, {"noise": 0.3, "noise_seed": 4.0}, {}, {"noise": 0.0}):
        pair = (one.synthesise(ws, NetworkValues(controls)).astype(int) for one in (fast, plain))
        assert np.abs(np.subtract(*pair)).max() <= 1
