"""SinGAN against the steps of its paper, and how its latents behave when played."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from perform.generators import singan
from perform.generators.noise import drawn_noise
from perform.generators.singan import BASE, FIXED, Config, resized
from perform.generators.singan.network import synthesis, turned, unit
from perform.latent.controls import LATENT
from perform.latent.space import truncate
from perform.models.directions import DirectionSearch, find_directions
from perform.networks import ModelError
from perform.networks.controls import NetworkValues
from perform.networks.modelfiles import read_weights, write_weights
from perform.networks.runtimes.openvino.runtime import OpenVino, psnr
from perform.networks.runtimes.torch.eager import Eager
from perform.networks.weights import Weights
from tests.doubles.networks import untrained_singan as untrained


def ws_of(weights: Weights, seed: int = 3) -> Any:
    z = np.random.default_rng(seed).standard_normal((1, weights.config.space.z_dim), np.float32)
    return np.repeat(singan.mapping(weights)(z, None), weights.config.space.num_ws, 0)


def drawn(weights: Weights, ws: Any, **controls: float) -> Any:
    unit = Eager(weights)
    return unit.draw(ws, NetworkValues(controls))


def written_out(weights: Weights, ws: Any) -> Any:
    """The picture without finer noise, convolution by convolution."""
    config, arrays = weights.config, weights.arrays
    layout = torch.tensor(ws[0, :-1].reshape(1, 1, *config.sizes[0]))
    given = (layout / layout.square().mean().sqrt()).repeat(1, 3, 1, 1) * float(arrays["scale0.amplitude"])
    picture = torch.tensor(arrays[BASE]).expand_as(given)
    for n, size in enumerate(config.sizes):
        if n:
            picture = functional.interpolate(picture, size, mode="bilinear")
        x = functional.pad(picture if n else given + picture, (5, 5, 5, 5), "reflect")
        for i in range(5):
            x = functional.leaky_relu(x, 0.2) if i else x
            conv = f"scale{n}.conv{i}"
            x = functional.conv2d(
                x, torch.tensor(arrays[f"{conv}.weight"]), torch.tensor(arrays[f"{conv}.bias"])
            )
        picture = picture + x.tanh()
    return picture[0].numpy()


def test_without_finer_noise_singan_is_a_chain_of_residual_networks() -> None:
    weights = untrained()
    ws = ws_of(weights)
    assert np.abs(drawn(weights, ws, noise=0.0) - written_out(weights, ws)).max() < 1e-5
    assert np.abs(drawn(weights, ws) - written_out(weights, ws)).max() > 0.1


def test_truncation_goes_from_the_training_picture_to_free_ones() -> None:
    weights = untrained()
    fixed = np.random.default_rng(8).standard_normal((1, 8, 8)).astype(np.float32)
    weights = replace(weights, arrays={**weights.arrays, FIXED: fixed})
    centre = singan.mean(weights)(None)
    learnt = np.repeat(np.append(fixed, np.float32(1))[None], 3, 0)
    at_centre = drawn(weights, truncate(ws_of(weights), centre, 0))
    assert np.array_equal(at_centre, drawn(weights, learnt, noise=0.0))
    assert np.array_equal(at_centre, drawn(weights, truncate(ws_of(weights, 9), centre, 0)))
    assert not np.array_equal(at_centre, drawn(weights, truncate(ws_of(weights), centre, 0.2)))


def test_frames_are_classes_with_their_own_mean() -> None:
    config = replace(untrained().config, frames=2)
    fixed = np.random.default_rng(8).standard_normal((2, 8, 8)).astype(np.float32)
    weights = Weights(config, {**untrained().arrays, FIXED: fixed}, {})
    assert config.space.c_dim == 2
    centre = singan.mean(weights)
    assert np.array_equal(centre(np.float32([[0, 1]]))[:-1], fixed[1].ravel())
    assert np.array_equal(centre(None)[:-1], fixed[0].ravel())
    assert np.allclose(centre(np.float32([[0.5, 0.5]]))[:-1], fixed.mean(0).ravel())


def test_a_path_between_two_latents_keeps_the_noise_strength() -> None:
    white = torch.tensor(drawn_noise(Config(((8, 8), (64, 64)), (4, 4)), 1)).reshape(1, 1, 64, 64)
    a, b = torch.randn(2, 1, 8, 8, generator=torch.Generator().manual_seed(2)).split(1)
    for share in (0.0, 0.3, 0.5, 1.0):
        layout = unit((1 - share) * a + share * b)
        assert float(layout.square().mean()) == pytest.approx(1, abs=1e-5)
        noise = turned(layout, white, 3)
        assert noise.shape == (1, 3, 64, 64)
        assert float(noise.std()) == pytest.approx(1, abs=0.05)
        flat = noise[0].flatten(1).numpy()
        assert np.abs(np.corrcoef(flat) - np.eye(3)).max() < 0.06
        assert abs(float((noise[..., 1:] * noise[..., :-1]).mean())) < 0.06


def test_a_small_step_of_the_latent_changes_the_picture_little() -> None:
    weights = untrained()
    a, b = ws_of(weights, 1), ws_of(weights, 2)
    pictures = [drawn(weights, (1 - t) * a + t * b) for t in np.linspace(0, 1, 65, dtype=np.float32)]
    steps = [np.abs(one - other).mean() for one, other in pairwise(pictures)]
    assert max(steps) < 0.25 * np.abs(pictures[0] - pictures[-1]).mean()


def test_rows_of_w_are_scales() -> None:
    weights = untrained()
    a, b = ws_of(weights, 1), ws_of(weights, 2)
    coarse, fine = a.copy(), a.copy()
    coarse[0], fine[2] = b[0], b[2]
    changes = [np.abs(drawn(weights, one) - drawn(weights, a)).mean() for one in (coarse, fine)]
    assert changes[0] > changes[1] > 0
    assert np.array_equal(drawn(weights, coarse, noise=0.0), drawn(weights, b, noise=0.0))
    assert np.array_equal(drawn(weights, fine, noise=0.0), drawn(weights, a, noise=0.0))


def test_noise_depends_on_seed_and_phase() -> None:
    inputs = singan.inputs(untrained())
    values = {parameter.name: parameter.default for parameter in (*LATENT, *Config.parameters)}
    own, other, onwards = (
        inputs({**values, **more})[0].copy() for more in ({}, {"noise_seed": 4}, {"noise_phase": 5})
    )
    assert own.shape == (16 * 16 + 32 * 32,)
    assert not np.array_equal(own, other)
    assert np.array_equal(other, onwards)  # five onwards from -1
    assert np.array_equal(other, drawn_noise(untrained().config, 4))


@pytest.mark.parametrize("size", [(64, 32), (32, 80), (24, 44)])
def test_another_size_is_the_same_network(size: tuple[int, int], tmp_path: Path) -> None:
    weights = untrained()
    wide = resized(weights, size)
    assert wide.config.size == size
    assert all(
        np.array_equal(wide.arrays[name], array) for name, array in weights.arrays.items() if name != FIXED
    )
    write_weights(tmp_path / "a.safetensors", wide)
    again = read_weights(tmp_path / "a.safetensors")
    assert drawn(again, ws_of(again)).shape == (3, size[1], size[0])


def test_another_size_shows_the_training_picture_in_its_place() -> None:
    weights = untrained()
    wide = resized(weights, (96, 32))
    cells = wide.arrays[FIXED].shape
    assert cells == (1, 8, 24)
    assert np.array_equal(wide.arrays[FIXED][:, :, :8], weights.arrays[FIXED])
    assert np.array_equal(wide.arrays[FIXED][:, :, 8:16], weights.arrays[FIXED][:, :, ::-1])
    a, b = (drawn(one, np.repeat(singan.mean(one)(None)[None], 3, 0)) for one in (weights, wide))
    assert np.abs(a[:, :, :2] - b[:, :, :2]).max() < np.abs(a).max()


def test_a_size_too_small_is_rejected() -> None:
    with pytest.raises(ModelError, match=r"size = 8 x 32, must be about 24 x 24 or more"):
        resized(untrained(), (8, 32))
    with pytest.raises(ModelError, match="scales = 1, widths = 1"):
        Config(((8, 8),), (4,)).shapes()
    with pytest.raises(ModelError, match="scales = 2, widths = 1"):
        Config(((8, 8), (16, 16)), (4,)).shapes()
    with pytest.raises(ModelError, match="must grow from scale to scale"):
        Config(((8, 8), (99999, 9), (16, 16)), (4, 4, 4)).shapes()
    with pytest.raises(ModelError, match="depth = 8, must be 2 or more"):
        Config(((8, 8), (16, 16)), (4, 4), depth=8).shapes()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_draws_about_the_same(dtype: torch.dtype) -> None:
    weights = untrained()
    given = [
        torch.tensor(one)
        for one in (
            ws_of(weights),
            *singan.inputs(weights)({"noise_seed": 1, "noise_phase": 0.0, "noise": 1.0}),
        )
    ]
    whole, half = (synthesis(weights, kind)(*given) for kind in (torch.float32, dtype))
    assert half.dtype == torch.float32
    assert float((whole - half).abs().mean()) < 0.05


def test_openvino_draws_the_same_at_another_size() -> None:
    weights = resized(untrained(), (48, 32))
    fast, plain = OpenVino(weights, "float32", threads=1), Eager(weights)
    ws = ws_of(weights)
    values = NetworkValues({"noise": 0.7, "noise_seed": 3, "noise_phase": 0.4})
    assert psnr(fast.synthesise(ws, values), plain.synthesise(ws, values)) > 50


@pytest.mark.parametrize("method", ["pca", "sefa"])
def test_no_direction_stands_out(method: str) -> None:
    with pytest.raises(ModelError, match="maps of noise, alike in all directions"):
        find_directions(untrained(), DirectionSearch(method, 3, samples=100))
