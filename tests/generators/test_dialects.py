"""Foreign names, to the same network: the reference's files, and files made here from known weights."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from perform.generators import lucidrains, stylegan2
from perform.generators.dialects import lucidrains as lucid
from perform.generators.dialects import official, rosinality
from perform.generators.dialects.meanw import MEAN_W, with_mean_w
from perform.generators.stylegan2.network import Network, enlarged
from perform.generators.stylegan3.untrained import untrained
from perform.networks import ModelError
from tests.doubles.foreign import LUCID, SECOND, State, names_of, rosinality_state, same, state_of, whole
from tests.doubles.networks import drawn
from tests.folders import DATA

LATENT, PICTURE = 5e-5, 1e-4  # the reference's own tolerances


def reference(name: str) -> tuple[State, dict[str, Any], Any]:
    """Tensors by their official names, the arguments of the network's making, and the whole file."""
    data = np.load(DATA / f"{name}.npz")
    state = {key.split("/", 1)[1]: data[key] for key in data.files if key[:3] in ("par", "buf")}
    return state, json.loads(str(data["meta_json"]))["init_kwargs"], data


@pytest.mark.parametrize("name", ["sg2ada-c64", "sg2ada-resnet64", "sg2ada-r32-clamp-gray"])
def test_official_names(name: str) -> None:
    state, options, data = reference(name)
    network = Network.load(official.weights(state, None, options))
    ws, expected = torch.from_numpy(data["out/ws_psi1"][1:2]), torch.from_numpy(data["out/img_const_psi1"])
    with torch.inference_mode():
        assert (network.synthesis(ws, network.synthesis.stored_noise()) - expected).abs().max() < PICTURE


LAYERS = {f"synthesis.{layer}": {"conv_clamp": 0.5, "activation": "lrelu"} for layer in SECOND.layers}


def test_attributes_override_arguments_and_arguments_override_defaults() -> None:
    state = names_of(SECOND)
    made = {"synthesis_kwargs": {"conv_clamp": 256}, "mapping_kwargs": {"lr_multiplier": 0.1}}
    told = {**LAYERS, "mapping.fc0": {"bias_gain": 0.2}, "synthesis.b4.torgb": {"conv_clamp": 0.5}}
    shapes = [official.weights(state, *given).config for given in ((told, made), (None, made), (None, {}))]
    assert [(config.clamp, config.rate) for config in shapes] == [(0.5, 0.2), (256, 0.1), (None, 0.01)]
    assert official.weights(state, None, {"channel_base": 1}).config.clamp == 256  # the flat layout's own
    assert official.weights(state, None, {"conv_clamp": None}).config.clamp is None
    assert official.weights(state, None, {"synthesis_kwargs": {}}).config.clamp is None


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_smaller_filters_are_centred(size: int) -> None:
    taps = np.float32(np.random.default_rng(size).random(size))
    state = {k: np.outer(taps, taps) if "filter" in k else v for k, v in names_of(SECOND).items()}
    kernel = official.weights(state).arrays[stylegan2.FILTER]
    zeros = np.zeros((16, 16), np.float32)
    zeros[::2, ::2] = np.random.default_rng(9).random((8, 8))
    before, after = (size + 1) // 2, (size - 2) // 2  # how the original pads, by the size of its filter
    slow = np.zeros((16, 16))
    for row, column in np.ndindex(16, 16):
        for i, j in np.ndindex(size, size):
            at = row - before + i, column - before + j
            if min(at) >= 0 and max(at) < 16:
                slow[row, column] += taps[size - 1 - i] * taps[size - 1 - j] * zeros[at] * 4
    assert after == size - 1 - before
    drawn_ = enlarged(torch.from_numpy(zeros[None, None, ::2, ::2]), torch.from_numpy(kernel))
    assert np.abs(drawn_[0, 0].numpy() - slow).max() < 1e-6


@pytest.mark.parametrize(
    ("change", "told", "complaint"),
    [
        ({"synthesis.b8.attn.weight": np.zeros(1)}, {}, "synthesis.b8.attn.weight has no place"),
        ({"synthesis.b4.conv1.resample_filter": np.eye(4)}, {}, "filters differ"),
        ({"synthesis.b4.const": np.zeros((6, 4))}, {}, "not a stylegan2 generator"),
        ({}, {"mapping.fc0": {"activation": "relu"}}, "activation = 'relu', must be 'lrelu'"),
        ({}, {**LAYERS, "synthesis.b4.conv1": {"conv_clamp": 1}}, "conv_clamp = .*must be the same"),
    ],
)
def test_other_official_networks_are_rejected(change: State, told: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ModelError, match=complaint):
        official.weights({**names_of(SECOND), **change}, told)
    with pytest.raises(ModelError, match=r"neither StyleGAN2 .* nor StyleGAN3"):
        official.weights({"b4.fromrgb.weight": np.zeros(1)})


def test_gains_of_a_larger_network_are_kept() -> None:
    told = {"mapping.fc0": {"bias_gain": 0.1, "weight_gain": 0.1 / np.sqrt(5)}}
    told |= {"mapping.fc1": {"bias_gain": 0.2, "weight_gain": 0.05}}
    told |= {
        "synthesis.b16.torgb": {"weight_gain": 0.25},
        "synthesis.b4.torgb": {"weight_gain": 1 / np.sqrt(6)},
    }
    plain, found = whole(SECOND), official.weights(names_of(SECOND), told)
    factors = {
        "mapping.fc1.weight": 0.05 * np.sqrt(7) / 0.1,
        "mapping.fc1.bias": 2.0,
        "synthesis.b16.torgb.weight": 0.25 * np.sqrt(3),
    }
    same(found, replace(plain, config=replace(SECOND, rate=0.1)), tuple(factors))
    for name, factor in factors.items():
        np.testing.assert_allclose(found.arrays[name], plain.arrays[name] * factor, rtol=1e-6)
    assert found.notes["odd"] == "gains of its own in 3 tensors"


def test_pruned_forks_without_noise_or_mean_open() -> None:
    config = replace(SECOND, channels=(5, 3, 7, 2, 9, 4), start=(3, 5))
    state = {k: v for k, v in names_of(config).items() if ".noise_" not in k and k != MEAN_W}
    found = official.weights({**state, "synthesis.b4.steps": np.zeros(1)})
    assert (found.config, found.config.size) == (config, (20, 12))
    assert found.notes["odd"] == "left out: synthesis.b4.steps"
    assert not found.arrays["synthesis.b8.conv0.noise_const"].any()
    assert found.arrays[MEAN_W].any()


@pytest.mark.parametrize(
    "name", ["mapping.embed_proj.weight", "synthesis.L0_36_8.extra.weight", "synthesis.L99_16_3.bias"]
)
def test_values_that_stylegan3_cannot_hold_are_reported(name: str) -> None:
    ours = untrained(16, measured=False, base=64, most=8)
    official_names = {key.replace("L0_36_8", "L0_36_9"): array for key, array in ours.arrays.items()}
    found = official.weights({**official_names, "steps": np.zeros(1)})
    assert (found.config, found.notes["odd"]) == (ours.config, "left out: steps")
    with pytest.raises(ModelError, match=f"{name} has no place in a stylegan3"):
        official.weights({**official_names, name: np.zeros(1)})


@pytest.fixture(scope="module")
def converted() -> dict[str, Any]:
    """A converted file of rosinality's: `g_ema` and `latent_avg`."""
    content = torch.load(DATA / "reference/rosinality-64-narrow.pt", weights_only=True)
    state = {name: tensor.numpy() for name, tensor in content["g_ema"].items()}
    return {"g_ema": state, "latent_avg": content["latent_avg"].numpy()}


@pytest.fixture(scope="module")
def expected() -> Any:
    """What the original drew, every fourth pixel of every fourth row."""
    return np.load(DATA / "reference/rosinality-64-narrow_outputs.npz")


def test_rosinality_draws_like_the_original(converted: dict[str, Any], expected: Any) -> None:
    weights = rosinality.weights(converted["g_ema"], converted["latent_avg"])
    synthesis, mean = Network.load(weights).synthesis, weights.arrays[MEAN_W]
    w = stylegan2.mapping(weights)(expected["in/z"], None)
    assert np.abs(w - expected["out/w"]).max() < LATENT
    ws = np.repeat(w[:, None], 10, 1)
    drawn_in = mean + np.float32(0.7) * (ws - mean)
    assert np.abs(drawn_in - expected["out/latents_trunc0.7"]).max() < LATENT
    mixed = np.concatenate([ws[:1, :5], ws[1:2, 5:]], 1)
    cases = {"const": ws, "const_trunc0.7": drawn_in, "zero_noise": ws, "mix_inject5": mixed}
    for name, latents in cases.items():
        noise = None if "zero" in name else synthesis.stored_noise()
        with torch.inference_mode():
            picture = synthesis(torch.from_numpy(latents), noise)[:, :, ::4, ::4].numpy()
        assert np.abs(picture - expected[f"out/img_{name}"]).max() < PICTURE


def test_rosinality_names_of_any_size_are_translated() -> None:
    for config in (SECOND, replace(SECOND, start=(4, 6), image_channels=1), replace(SECOND, channels=(3, 5))):
        ours = whole(config)
        same(rosinality.weights(rosinality_state(config), ours.arrays[MEAN_W]), ours)


def test_every_form_of_rosinality_opens(converted: dict[str, Any]) -> None:
    state, mean = converted["g_ema"], converted["latent_avg"]
    weights = rosinality.weights(state, mean)
    wrapped = {f"module.decoder.{name}": array for name, array in state.items()}
    same(rosinality.weights({**wrapped, "encoder.conv1.weight": np.zeros(1)}, np.stack([mean] * 10)), weights)
    bare = rosinality.weights(state)
    same(bare, weights, (MEAN_W,))
    z = np.random.default_rng(5).standard_normal((4000, 32), np.float32)
    w = stylegan2.mapping(bare)(z, None)
    assert np.abs(bare.arrays[MEAN_W] - w.mean(0)).max() < 5 * w.std(0).max() / np.sqrt(len(z))
    silent = rosinality.weights({k: v for k, v in state.items() if "noises" not in k}, mean)
    same(silent, weights, tuple(name for name in weights.arrays if name.endswith("noise_const")))
    assert silent.arrays["synthesis.b64.conv1.noise_const"].std() == pytest.approx(1, abs=0.05)
    assert "no noise" in silent.notes["odd"]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"input.input": None, "input.linear.weight": np.zeros((768, 32))}, "no learned constant"),
        ({"convs.3.attention.weight": np.zeros(3)}, "convs.3.attention.weight has no place"),
        ({"convs.2.conv.blur.kernel": np.eye(4)}, "filters differ"),
        ({"iwt.ll": np.eye(2)}, "wavelets"),
        ({"convs.7.conv.weight": None}, "b64.conv0.affine.bias has no place"),
        ({"conv1.conv.modulation.weight": None}, "no state of rosinality's kind"),
    ],
)
def test_similar_networks_are_rejected(
    converted: dict[str, Any], change: dict[str, Any], complaint: str
) -> None:
    state = {name: array for name, array in {**converted["g_ema"], **change}.items() if array is not None}
    with pytest.raises(ModelError, match=complaint):
        rosinality.weights(state, converted["latent_avg"])


@pytest.mark.parametrize(
    "config", [LUCID, replace(LUCID, constant=False, image_channels=4), replace(LUCID, convolved=False)]
)
def test_lucidrains_names_are_translated(config: lucidrains.Config) -> None:
    weights = drawn(config)
    found = lucid.weights(state_of(weights), "1.8.9", {"lr_mlp": 0.1, "fq_layers": [1]})
    same(found, weights, (MEAN_W,))
    assert np.array_equal(found.arrays[MEAN_W], with_mean_w(weights).arrays[MEAN_W])
    assert "odd" not in found.notes


def test_older_lucidrains_files_open() -> None:
    state = state_of(drawn(LUCID))
    plain = {name: array for name, array in state.items() if not name.endswith(".f")}
    old = lucid.weights(plain, "0.17.2", {"lr_mlp": 1})
    assert (old.config.normalised, old.config.blurred, old.config.rate) == (False, False, 1.0)
    assert old.notes["odd"] == "version 0.17.2: z is taken as it is"
    assert "no .config.json" in lucid.weights(state).notes["odd"]
    with pytest.raises(ModelError, match="attention layers"):
        lucid.weights({**state, "GE.attns.2.0.fn.g": np.zeros(1)})
    with pytest.raises(ModelError, match=r"lr_mlp = 'x' in \.config\.json, must be a number"):
        lucid.weights(state, "", {"lr_mlp": "x"})
    with pytest.raises(ModelError, match=r"SE\.net"):
        lucid.weights({name: array for name, array in state.items() if not name.startswith("SE")})


def test_a_network_without_latents_is_rejected() -> None:
    config = replace(SECOND, c_dim=3, embed=5, z_dim=2)
    state = names_of(config)
    state["mapping.fc0.weight"] = state["mapping.fc0.weight"][:, :5]
    with pytest.raises(ModelError, match="z_dim = 0, must be 1 to"):
        official.weights(state)
