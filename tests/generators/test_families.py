"""What every family of networks guarantees."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from torch import Tensor

import perform.generators as rack
from perform.generators.model import Model
from perform.latent.controls import LATENT
from perform.networks.bending import Bend
from perform.networks.families import family
from perform.networks.modelfiles import read_weights, write_weights
from perform.networks.runtimes.openvino import runtime
from perform.networks.runtimes.torch import eager
from perform.networks.runtimes.torch.network import build_network
from perform.networks.weights import Weights
from tests.doubles.networks import FAMILIES

BIGGAN = (("block", False, 4, 2), ("block", True, 2, 1))


@pytest.fixture(scope="module", params=FAMILIES)
def weights(request: pytest.FixtureRequest) -> Weights:
    made: Weights = FAMILIES[request.param]()
    return made


def latent(unit: rack.Generator) -> Any:
    z = np.random.default_rng(0).standard_normal((1, unit.space.z_dim), np.float32)
    return np.repeat(unit.map(z), unit.space.num_ws, 0)


def test_every_family_is_in_this_suite() -> None:
    folder = Path(rack.__file__).parent
    assert {file.parent.name for file in folder.glob("*/network.py")} == set(FAMILIES)


def test_a_file_gives_back_the_written_weights(weights: Weights, tmp_path: Path) -> None:
    write_weights(tmp_path / "a.safetensors", replace(weights, notes={"title": "a test"}))
    again = read_weights(tmp_path / "a.safetensors")
    assert again.config == weights.config
    assert all(np.array_equal(again.arrays[name], array) for name, array in weights.arrays.items())
    told = Model.read(tmp_path / "a.safetensors")
    assert (told.config.family, told.notes["title"]) == (weights.config.family, "a test")
    assert told.size == weights.config.size


def test_the_space_has_the_sizes_of_mapping_and_mean(weights: Weights) -> None:
    kind, space = family(weights.config.family), weights.config.space
    z = np.random.default_rng(0).standard_normal((3, space.z_dim), np.float32)
    labels = np.full((1, space.c_dim), 1 / space.c_dim, np.float32) if space.c_dim else None
    assert kind.mapping(weights)(z, labels).shape == (3, space.w_dim)
    assert kind.mean(weights)(labels).shape == (space.w_dim,)
    assert kind.mapping(weights)(z, None).dtype == kind.mean(weights)(None).dtype == np.float32
    with pytest.raises(ValueError, match="z has shape"):
        kind.mapping(weights)(z[:, 1:], None)


def test_unchanged_inputs_are_the_same_arrays(weights: Weights) -> None:
    kind = family(weights.config.family)
    inputs = kind.inputs(weights)
    controls = {p.name: p.default for p in LATENT + weights.config.parameters}
    first, second = inputs(controls), inputs(dict(controls))
    assert len(first) == len(kind.INPUTS)
    assert all(one is other for one, other in zip(first, second, strict=True) if one.size > 64)


def test_the_fast_form_draws_like_the_network(weights: Weights) -> None:
    fast, plain = runtime.OpenVino(weights, "float32", 1), eager.Eager(weights)
    ws = latent(plain)
    expected = plain.synthesise(ws).astype(int)
    width, height = weights.config.size
    assert expected.shape == (height, width, weights.config.image_channels)
    for _ in range(3):  # also when it is called again
        assert np.abs(fast.synthesise(ws).astype(int) - expected).max() <= 1
    assert expected.std() > 1


def test_layers_can_be_bent(weights: Weights) -> None:
    layers = weights.config.bendable
    for layer in (layers[0], layers[-1]):
        bends = [Bend("invert", layer), Bend("translate", layer)]
        fast, plain = runtime.OpenVino(weights, "float32", 1, bends), eager.Eager(weights, bends=bends)
        ws = latent(plain)
        assert np.abs(fast.synthesise(ws).astype(int) - plain.synthesise(ws).astype(int)).max() <= 1, layer
        assert not np.array_equal(plain.synthesise(ws), eager.Eager(weights).synthesise(ws)), layer


def test_a_network_moves_to_a_device_completely(weights: Weights) -> None:
    network = build_network(weights).to("meta")
    tensors = [*network.parameters(), *network.buffers()]
    assert tensors and {tensor.device.type for tensor in tensors} == {"meta"}
    for path, module in network.named_modules():
        for key, value in vars(module).items():
            items = value if isinstance(value, tuple | list) else (value,)
            loose = [item for item in items if isinstance(item, Tensor) and item.numel()]
            assert not loose, f"{path}.{key}"
