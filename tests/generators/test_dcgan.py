"""DCGAN against the original's pictures, against batch normalisation done apart, and through the runtimes.

tests/data has the reference network with its three latents multiplied into the first layer; with
PERFORM_REFERENCE set to a folder of whole reference files, those are held to as well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from perform.generators import dcgan
from perform.generators.dcgan import Config, from_state
from perform.generators.dcgan.network import synthesis
from perform.networks import ModelError
from perform.networks.modelfiles import read_weights, write_weights
from perform.networks.runtimes.openvino.runtime import OpenVino, psnr
from perform.networks.runtimes.torch.network import to_pixels
from perform.networks.weights import Weights
from tests.folders import DATA

REFERENCE = os.environ.get("PERFORM_REFERENCE")
FILES = [DATA / "dcgan-ngf16.npz"]
FILES += [Path(REFERENCE) / "dcgan-ngf16.npz"] if REFERENCE else []
PICTURE = 1e-5  # the reference's own tolerance


def drawn(channels: tuple[int, ...], kernels: tuple[int, ...], bias: bool, bare: int = -1) -> dict[str, Any]:
    """A state in the example's layout; the layer `bare` has no normalisation after it."""
    draw = np.random.default_rng(3)
    state: dict[str, Any] = {}
    place = 0
    for i, kernel in enumerate(kernels):
        shape = (*channels[i : i + 2], kernel, kernel)
        state[f"main.{place}.weight"] = draw.standard_normal(shape, np.float32) * 0.3
        if bias:
            state[f"main.{place}.bias"] = draw.standard_normal(shape[1], np.float32)
        place += 1
        if i not in (bare, len(kernels) - 1):
            for field in ("weight", "bias", "running_mean"):
                state[f"main.{place}.{field}"] = draw.standard_normal(shape[1], np.float32)
            state[f"main.{place}.running_var"] = draw.uniform(0.2, 3, shape[1]).astype(np.float32)
            state[f"main.{place}.num_batches_tracked"] = np.array(7)
            place += 1
        place += 1  # the ReLU
    return state


def original(state: Mapping[str, Any], z: torch.Tensor) -> Any:
    """The example's network, module by module."""
    tensors = {name: torch.tensor(array) for name, array in state.items()}
    x = z[:, :, None, None]
    for place in sorted({int(name.split(".")[1]) for name in state}):
        part = {
            name.split(".")[2]: tensor for name, tensor in tensors.items() if name.split(".")[1] == str(place)
        }
        if "running_mean" in part:
            x = (x - part["running_mean"][:, None, None]) / (part["running_var"] + 1e-5).sqrt()[:, None, None]
            x = x * part["weight"][:, None, None] + part["bias"][:, None, None]
        else:
            x = x.relu() if place else x
            stride, padding = (2, part["weight"].shape[-1] // 2 - 1) if place else (1, 0)
            x = functional.conv_transpose2d(x, part["weight"], part.get("bias"), stride, padding)
    return x.tanh().numpy()


def picture(weights: Weights, z: Any) -> Any:
    return np.concatenate([synthesis(weights)(torch.tensor(row[None])).numpy() for row in z])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.parent.name)
def test_dcgan_draws_like_the_original(path: Path) -> None:
    data = np.load(path)
    weights = from_state({name[6:]: data[name] for name in data.files if name.startswith("state/")})
    assert weights.config.size == (64, 64)
    z = data["in/z"].reshape(3, -1)
    assert np.abs(picture(weights, dcgan.mapping(weights)(z, None)) - data["out/img"]).max() < PICTURE


@pytest.mark.parametrize(
    ("channels", "kernels", "size"),
    [
        ((7, 6, 1), (4, 4), (8, 8)),
        ((100, 16, 8, 3), (4, 4, 4), (16, 16)),
        ((5, 9, 8, 7, 6, 5, 4), (4,) * 6, (128, 128)),
        ((6, 8, 4), (2, 2), (4, 4)),
        ((6, 8, 6, 3), (7, 6, 4), (28, 28)),
    ],
)
@pytest.mark.parametrize(("bias", "bare"), [(False, -1), (True, -1), (True, 0), (False, 1)])
def test_dcgans_of_any_depth_width_and_kernel_open(
    channels: tuple[int, ...], kernels: tuple[int, ...], size: tuple[int, int], bias: bool, bare: int
) -> None:
    state = drawn(channels, kernels, bias, bare)
    weights = from_state(state)
    assert weights.config.size == size
    assert weights.config.image_channels == channels[-1]
    z = np.random.default_rng(1).standard_normal((2, channels[0]), np.float32)
    assert np.abs(picture(weights, z) - original(state, torch.tensor(z))).max() < PICTURE


def renamed(state: Mapping[str, Any], name: Any) -> dict[str, Any]:
    return {name(*key.split(".")): array for key, array in state.items()}


def test_layers_are_found_by_their_order_under_any_name() -> None:
    state = drawn((9, 16, 8, 8, 6, 3), (4,) * 5, True)
    wanted = from_state(state).arrays
    places = sorted({int(key.split(".")[1]) for key in state})
    blocks = {str(place): (i // 2, i % 2) for i, place in enumerate(places)}
    kinds = ("deconv", "bn")
    forms = {
        "data parallel": lambda main, place, field: f"module.{main}.{place}.{field}",
        "offset": lambda main, place, field: f"net.{int(place) + 41}.{field}",
        "nested": lambda main, place, field: f"gen.{blocks[place][0]}.{blocks[place][1]}.{field}",
        "attributes": lambda main, place, field: f"{kinds[blocks[place][1]]}{blocks[place][0] + 1}.{field}",
    }
    for form, name in forms.items():
        shuffled = dict(sorted(renamed(state, name).items()))
        found = from_state(shuffled).arrays
        assert all(np.array_equal(found[key], wanted[key]) for key in wanted), form


def test_layers_without_numbers_keep_the_order_of_the_file() -> None:
    state = drawn((9, 16, 8, 3), (4,) * 3, False)
    names = dict(zip(sorted({key.split(".")[1] for key in state}, key=int), "zyxwv", strict=False))
    found = from_state(renamed(state, lambda main, place, field: f"{names[place]}.{field}"))
    assert found.config == from_state(state).config


def test_normalisation_without_gain_is_folded() -> None:
    state = drawn((5, 6, 3), (4, 4), False)
    plain = {key: array for key, array in state.items() if key not in ("main.1.weight", "main.1.bias")}
    ones = {"main.1.weight": np.ones(6, np.float32), "main.1.bias": np.zeros(6, np.float32)}
    a, b = from_state(plain).arrays, from_state({**state, **ones}).arrays
    assert all(np.array_equal(a[key], b[key]) for key in a)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: {}, "not a dcgan"),
        (lambda state: {"main.0.weight": state["main.0.weight"]}, "not a dcgan"),
        (lambda state: {**state, "main.3.weight": np.zeros((5, 3, 4, 4))}, "not a dcgan"),
        (lambda state: {**state, "main.3.weight": np.zeros((6, 3, 3, 3))}, "must be even and square"),
        (lambda state: {**state, "main.9.weight": np.zeros((3, 3))}, "not a dcgan"),
        (lambda state: {**state, "main.1.running_mean": np.zeros(5)}, "not a dcgan"),
        (lambda state: {k: v for k, v in state.items() if k != "main.1.running_var"}, "not a dcgan"),
        (lambda state: {**state, "main.3.weight": np.full((6, 3, 4, 4), np.inf)}, "not finite"),
    ],
)
def test_a_file_that_is_no_dcgan_is_rejected(change: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        from_state(change(drawn((5, 6, 3), (4, 4), False)))


def test_w_is_z_and_its_mean_is_0() -> None:
    weights = dcgan.untrained(16, 8, 20)
    z = np.random.default_rng(0).standard_normal((3, 20), np.float32)
    w = dcgan.mapping(weights)(z, None)
    assert np.array_equal(w, z)
    assert w is not z
    assert not dcgan.mean(weights)(None).any()
    assert weights.config.space.num_ws == 1
    with pytest.raises(ValueError, match=r"z has shape \(3, 19\), must be \(n, 20\)"):
        dcgan.mapping(weights)(z[:, 1:], None)


def test_a_dcgan_survives_a_round_trip(tmp_path: Path) -> None:
    weights = from_state(drawn((5, 6, 3), (6, 4), True), {"title": "a"})
    write_weights(tmp_path / "a.safetensors", weights)
    found = read_weights(tmp_path / "a.safetensors")
    assert found.config == weights.config == Config((5, 6, 3), (6, 6), (4,))
    assert found.notes["title"] == "a"
    assert all(np.array_equal(found.arrays[name], weights.arrays[name]) for name in weights.arrays)


@pytest.mark.parametrize(("precision", "least"), [("float32", 60.0), ("bfloat16", 45.0)])
def test_openvino_draws_the_same(precision: Any, least: float) -> None:
    weights = dcgan.untrained(32, 16, 24)
    unit = OpenVino(weights, precision, threads=1)
    ws = np.random.default_rng(2).standard_normal((1, 24), np.float32)
    oracle = to_pixels(synthesis(weights)(torch.tensor(ws)))[0].numpy()
    drawn_ = unit.synthesise(ws)
    assert psnr(drawn_, oracle) > least
    if unit.precision == "float32":
        assert np.abs(drawn_.astype(int) - oracle).max() <= 1


def test_untrained_pictures_have_contrast_and_differ() -> None:
    weights = dcgan.untrained()
    assert weights.config == Config((100, 512, 256, 128, 64, 3))
    a, b = picture(weights, np.random.default_rng(5).standard_normal((2, 100), np.float32))
    assert 0.2 < a.std() < 0.9
    assert (a - b).std() > 0.2
