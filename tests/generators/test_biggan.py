"""BigGAN-deep against the original's pictures, and through the runtimes.

tests/data has the reference network with only those rows of its statistics that its pictures take;
with PERFORM_REFERENCE set to a folder of whole reference files, those are held to as well.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from perform.generators import biggan
from perform.generators.biggan import STATISTICS, Config, from_state, infer, inputs, published, untrained
from perform.generators.biggan.network import synthesis
from perform.latent.controls import LATENT
from perform.latent.space import truncate
from perform.networks import ModelError
from perform.networks.controls import NetworkValues
from perform.networks.modelfiles import read_weights, write_weights
from perform.networks.runtimes.openvino.runtime import OpenVino, psnr
from perform.networks.runtimes.torch.network import to_pixels
from perform.networks.weights import Weights
from tests.folders import DATA

REFERENCE = os.environ.get("PERFORM_REFERENCE")
FILES = [DATA / "biggan-tiny-32.npz"]
FILES += [Path(REFERENCE) / "biggan-tiny-32.npz"] if REFERENCE else []
PICTURE = 2e-5  # the reference's own tolerance
TRUNCATIONS = (0.4, 0.435, 0.7, 1.0)
LAYERS = ((False, 16, 16), (True, 16, 8), (False, 8, 8), (True, 8, 4), (False, 4, 2), (True, 2, 1))
SMALL = Config(LAYERS[2:], 4, z_dim=6, embed=5, classes=3, attention=2, n_stats=11)


class Case:
    def __init__(self, path: Path) -> None:
        self.data = np.load(path)
        self.state = {name[6:]: self.data[name] for name in self.data.files if name.startswith("state/")}
        self.weights = from_state(self.state)


@pytest.fixture(scope="module", params=FILES, ids=lambda path: path.parent.name)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def given(weights: Weights, truncation: float, statistics: float = -1.0) -> list[torch.Tensor]:
    """The synthesis' inputs from the values of the parameters."""
    arrays = inputs(weights)({"truncation": truncation, "statistics": statistics})
    return [torch.tensor(array) for array in arrays]


def rows(weights: Weights, z: Any, labels: Any) -> Any:
    return np.repeat(biggan.mapping(weights)(z, labels), weights.config.space.num_ws, 0)


def normal(seed: int, *shape: int) -> Any:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


@pytest.mark.parametrize("truncation", TRUNCATIONS)
def test_truncation_draws_like_the_original(case: Case, truncation: float) -> None:
    network, centre = synthesis(case.weights), biggan.mean(case.weights)
    for i, expected in enumerate(case.data[f"out/img_t{truncation}"]):
        z, labels = (case.data[f"in/{name}"][i : i + 1] for name in ("z_unscaled", "class_vector"))
        ws = truncate(rows(case.weights, z, labels), centre(labels), truncation)
        drawn = network(torch.tensor(ws), *given(case.weights, truncation))
        assert np.abs(drawn[0].numpy() - expected).max() < PICTURE


def test_scaled_latents_with_their_statistics_draw_the_same(case: Case) -> None:
    z = (case.data["in/z_unscaled"].astype(np.float64) * 0.435).astype(np.float32)
    ws = rows(case.weights, z[2:], case.data["in/class_vector"][2:])
    drawn = synthesis(case.weights)(torch.tensor(ws), *given(case.weights, 1.0, 0.435))
    assert np.abs(drawn[0].numpy() - case.data["out/img_t0.435"][2]).max() < PICTURE


def test_the_configuration_follows_from_the_shapes(case: Case) -> None:
    told = Config(LAYERS, 8, z_dim=16, embed=16, classes=10, attention=3)
    assert case.weights.config == told
    assert told.size == (32, 32)
    assert (told.space.w_dim, told.space.num_ws, told.space.c_dim) == (32, 7, 10)
    described = {"layers": [list(layer) for layer in LAYERS], "eps": 0.0001, "attention_layer_position": 3}
    assert from_state(case.state, described).config == told
    assert from_state({f"module.{name}": array for name, array in case.state.items()}).config == told


def test_config_json_is_used(case: Case) -> None:
    described = {"layers": [[True, 16, 16], *map(list, LAYERS[1:])], "eps": 0.01}
    config = from_state(case.state, described).config
    assert config.size == (64, 64)
    assert config.eps == 0.01


@pytest.mark.parametrize(
    ("described", "said"),
    [
        ({"layers": LAYERS[:5]}, r"config.json has layers of \[\(16, 16\), .*\], the file of"),
        ({"layers": [(True, 16, 8), *LAYERS[1:]]}, "the file of"),
        ({"layers": 3}, "not a biggan-deep generator"),
        ({"layers": [[True]]}, "not a biggan-deep generator"),
        ({"eps": -1}, "eps = -1, must be between 0 and 1"),
        ({"eps": "much"}, "not a biggan-deep generator"),
    ],
)
def test_a_config_json_that_does_not_fit_is_rejected(described: Any, said: str, case: Case) -> None:
    with pytest.raises(ModelError, match=said):
        from_state(case.state, described)


def test_weights_without_spectral_normalisation_open(case: Case) -> None:
    plain = dict(case.weights.arrays)
    found = from_state(plain)
    assert found.config == case.weights.config
    assert all(np.array_equal(found.arrays[name], plain[name]) for name in plain)


@pytest.mark.parametrize(("size", "wide"), [(128, 256), (256, 512), (512, 512)])
def test_the_configuration_of_published_networks_follows_from_their_shapes(size: int, wide: int) -> None:
    config = published(size)
    assert config.size == (size, size)
    assert infer(config.shapes()) == config
    named = config.shapes()
    assert named["generator.gen_z.weight"] == (32768, 256)
    assert named["embeddings.weight"] == (128, 1000)
    assert named["generator.layers.8.snconv1x1_theta.weight"] == (wide // 8, wide, 1, 1)


@pytest.mark.parametrize(
    "config", [SMALL, replace(SMALL, attention=-1, reduction=2), replace(SMALL, attention=0)]
)
def test_other_shapes_open_and_survive_a_round_trip(config: Config, tmp_path: Path) -> None:
    weights = untrained(config)
    assert infer(config.shapes(), {"layers": config.layers}) == config
    write_weights(tmp_path / "a.safetensors", weights)
    found = read_weights(tmp_path / "a.safetensors")
    assert found.config == config
    ws, numbers = torch.tensor(normal(1, 5, 11)), given(weights, 0.7)
    picture = synthesis(found)(ws, *numbers)
    assert picture.shape == (1, 3, 16, 16)
    assert torch.equal(picture, synthesis(weights)(ws, *numbers))


def test_every_layer_uses_its_own_row() -> None:
    weights = untrained(SMALL)
    network, numbers = synthesis(weights), given(weights, 1.0)
    ws = torch.tensor(np.repeat(normal(0, 1, 11), 5, 0))
    whole = network(ws, *numbers)
    for layer in range(5):
        other = ws.clone()
        other[layer] = torch.tensor(normal(1, 11))
        assert (network(other, *numbers) - whole).abs().max() > 1e-3


def test_labels_can_be_mixed_and_the_first_class_is_the_default() -> None:
    weights = untrained(SMALL)
    classes, z, map_ = weights.arrays["embeddings.weight"].T, normal(0, 2, 6), biggan.mapping(weights)
    mix = np.array([[0.5, 0, 0.5]], np.float32)
    assert np.allclose(map_(z, mix)[:, 6:], (classes[0] + classes[2]) / 2)
    assert np.array_equal(map_(z, mix)[:, :6], z)
    assert np.array_equal(map_(z, None)[1, 6:], classes[0])
    assert np.array_equal(biggan.mean(weights)(mix), np.concatenate([np.zeros(6), map_(z, mix)[0, 6:]]))
    with pytest.raises(ValueError, match=r"labels has shape \(1, 2\), must be \(n, 3\)"):
        map_(z, mix[:, :2])
    with pytest.raises(ValueError, match=r"z has shape \(6,\), must be \(n, 6\)"):
        map_(z[0], mix)


def counted() -> Weights:
    """A network whose statistics are the number of their row."""
    weights = untrained(replace(SMALL, n_stats=51))
    numbered = np.arange(51, dtype=np.float32)[:, None]
    arrays = {k: numbered + 0 * v if "running" in k else v for k, v in weights.arrays.items()}
    return replace(weights, arrays=arrays)


@pytest.mark.parametrize(
    ("truncation", "statistics", "row"),
    [
        (0.7, -1.0, 35.0),
        (1.0, -1.0, 50.0),
        (0.435, -1.0, 21 * 0.75 + 22 * 0.25),
        (0.999, -1.0, 49 * 0.95 + 50 * 0.05),
        (0.0, -1.0, 0.0),
        (-0.7, -1.0, 35.0),
        (1.6, -1.0, 50.0),
        (0.7, 0.4, 20.0),
        (0.7, 0.0, 0.0),
    ],
)
def test_truncation_chooses_the_statistics(truncation: float, statistics: float, row: float) -> None:
    weights = counted()
    means, gains = inputs(weights)({"truncation": truncation, "statistics": statistics})
    assert means.shape == gains.shape == (sum(weights.config.norms().values()),)
    assert np.allclose(means, row)
    assert np.allclose(gains, (row + 1e-4) ** -0.5)


def test_layers_beyond_the_cutoff_have_the_statistics_of_truncation_1() -> None:
    weights = counted()
    means, _ = inputs(weights)({"truncation": 0.4, "statistics": -1.0, "cutoff": 2})
    widths = list(weights.config.norms().values())
    ends = np.cumsum(widths)
    rows = np.array([means[end - width : end] for end, width in zip(ends, widths, strict=True)], object)
    places = [float(row[0]) for row in rows]
    assert all((row == row[0]).all() for row in rows)
    assert places == [20.0] * 5 + [50.0] * (len(places) - 5)  # row 0 and 1: a norm, then four
    told, _ = inputs(weights)({"truncation": 0.4, "statistics": 0.7, "cutoff": 2})
    assert np.allclose(told, 35.0)


def test_unchanged_statistics_are_the_same_arrays() -> None:
    take = inputs(untrained(SMALL))
    first, again = (take({"truncation": 0.5, "statistics": -1.0}) for _ in range(2))
    assert all(a is b for a, b in zip(first, again, strict=True))
    assert STATISTICS.check(STATISTICS.default) == -1
    assert {parameter.name for parameter in LATENT}.isdisjoint({STATISTICS.name})


def without(name: str) -> Any:
    return lambda state: {key: array for key, array in state.items() if key != name}


def changed(name: str, shape: tuple[int, ...]) -> Any:
    return lambda state: {**state, name: np.zeros(shape, np.float32)}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda state: {}, "not a biggan-deep generator"),
        (without("generator.bn.bias"), "not a biggan-deep generator"),
        (without("generator.layers.4.bn_2.running_means"), "bn_2.running_means is missing"),
        (without("generator.gen_z.weight_u"), "weight_u or generator.gen_z.weight_v is missing"),
        (changed("generator.layers.1.bn_0.running_vars", (51, 7)), "must be \\(51, 128\\)"),
        (changed("generator.layers.9.gamma", (1,)), "6 blocks and 2 attentions"),
        (changed("generator.gen_z.weight_u", (7,)), "u of 7 and v of 32"),
        (changed("generator.gen_z.weight_u", (2048,)), "norm 0, must be finite and not 0"),
        (changed("generator.bn.running_means", (1, 8)), "n_stats = 1, must be 2 or more"),
    ],
)
def test_a_file_that_is_no_biggan_is_rejected(change: Any, said: str, case: Case) -> None:
    with pytest.raises(ModelError, match=said):
        from_state(change(case.state))


@pytest.mark.parametrize(("precision", "least"), [("float32", 60.0), ("bfloat16", 40.0)])
def test_openvino_draws_the_same(precision: Any, least: float, case: Case) -> None:
    unit = OpenVino(case.weights, precision, threads=1)
    ws = rows(case.weights, case.data["in/z_unscaled"][:1], case.data["in/class_vector"][:1])
    oracle = to_pixels(synthesis(case.weights)(torch.tensor(ws), *given(case.weights, 0.7)))[0].numpy()
    drawn = unit.synthesise(ws, NetworkValues({"truncation": 0.7}))
    assert psnr(drawn, oracle) > least
    if unit.precision == "float32":
        assert np.abs(drawn.astype(int) - oracle).max() <= 1
    assert psnr(unit.synthesise(ws, NetworkValues({"truncation": 0.4})), drawn) < 40  # other statistics


def test_untrained_pictures_have_contrast_and_differ() -> None:
    weights = untrained(replace(published(128), channel_width=16))
    network, numbers = synthesis(weights), given(weights, 1.0)
    labels = np.eye(2, 1000, dtype=np.float32)
    a, b = (
        network(torch.tensor(rows(weights, normal(i, 1, 128), labels[i : i + 1])), *numbers) for i in (0, 1)
    )
    assert 0.2 < float(a.std()) < 0.95
    assert float((a - b).std()) > 0.1
