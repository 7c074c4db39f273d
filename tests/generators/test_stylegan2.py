"""The plain torch network against what the original implementations computed.

tests/data holds a part of the reference (item 1 of the pictures); with PERFORM_REFERENCE set to a
folder of whole reference files, those are held to as well.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from perform.generators.mapping import mapped
from perform.generators.stylegan2 import Config, from_official
from perform.generators.stylegan2.network import Network, enlarged
from perform.networks.runtimes.torch.network import to_pixels
from tests.doubles.networks import drawn
from tests.folders import DATA

REFERENCE = os.environ.get("PERFORM_REFERENCE")
NAMES = ("sg2ada-c64", "sg2ada-resnet64", "sg2ada-r32-clamp-gray")
FILES = [DATA / f"{name}.npz" for name in NAMES]
WHOLE = (*NAMES, "sg2ada-u64", "sg3repo-sg2-64")
FILES += [Path(REFERENCE) / f"{name}.npz" for name in WHOLE] if REFERENCE else []
LATENT, PICTURE = 5e-5, 1e-4  # the reference's own tolerances


class Case:
    def __init__(self, path: Path) -> None:
        self.data = np.load(path)
        meta = json.loads(str(self.data["meta_json"]))["init_kwargs"]
        clamp = meta.get("synthesis_kwargs", {}).get("conv_clamp", 256 if "sg3repo" in path.name else None)
        official = {
            name.split("/", 1)[1]: self.data[name] for name in self.data.files if name[:3] in ("par", "buf")
        }
        self.weights = from_official(official, clamp)
        self.network = Network.load(self.weights)

    def array(self, name: str) -> Any:
        return self.data[name]

    def ws(self, name: str, count: int) -> torch.Tensor:
        ws = self.data[name]
        return torch.from_numpy(ws[1:2] if count == 1 and len(ws) > 1 else ws)


@pytest.fixture(scope="module", params=FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def test_it_maps_like_the_original(case: Case) -> None:
    z, labels, expected = case.array("in/z"), case.array("in/c"), case.array("out/ws_psi1")
    with torch.inference_mode():
        w = case.network.mapping(torch.from_numpy(z), torch.from_numpy(labels)).numpy()
    assert np.abs(w[:, None] - expected).max() < LATENT
    assert np.abs(mapped(case.weights, z, labels)[:, None] - expected).max() < LATENT


def test_it_truncates_towards_its_mean(case: Case) -> None:
    ws, mean = case.array("out/ws_psi1"), case.weights.arrays["mapping.w_avg"]
    assert np.abs(mean + 0.7 * (ws - mean) - case.array("out/ws_psi0.7")).max() < LATENT
    cut = np.concatenate([mean + 0.7 * (ws[:, :4] - mean), ws[:, 4:]], 1)
    assert np.abs(cut - case.array("out/ws_psi0.7_cut4")).max() < LATENT


@pytest.mark.parametrize(
    ("ws", "picture"),
    [
        ("out/ws_psi1", "out/img_const_psi1"),
        ("out/ws_psi1", "out/img_none_psi1"),
        ("in/ws_mix", "out/img_const_ws_mix"),
    ],
)
def test_it_draws_like_the_original(case: Case, ws: str, picture: str) -> None:
    expected = case.array(picture)
    synthesis = case.network.synthesis
    noise = None if "none" in picture else synthesis.stored_noise()
    with torch.inference_mode():
        drawn = synthesis(case.ws(ws, len(expected)), noise).numpy()
    assert np.abs(drawn - expected).max() < PICTURE


def test_it_converts_to_bytes_like_the_original(case: Case) -> None:
    expected = case.array("out/img_const_psi0.7_u8")
    synthesis = case.network.synthesis
    with torch.inference_mode():
        drawn = synthesis(case.ws("out/ws_psi0.7", len(expected)), synthesis.stored_noise())
    difference = np.abs(to_pixels(drawn).numpy().astype(int) - expected)
    assert difference.max() <= 1
    assert (difference > 0).mean() < 0.01


def test_the_original_architecture_has_one_torgb() -> None:
    config = Config((8, 8, 8, 6, 6, 4), z_dim=5, mapping=(7, 9), architecture="orig", image_channels=4)
    assert [name for name in config.shapes() if name.endswith("torgb.weight")] == [
        "synthesis.b16.torgb.weight"
    ]
    network = Network.load(drawn(config))
    ws = network.mapping(torch.randn(2, 5))[:, None].expand(-1, 6, -1)
    assert ws.shape == (2, 6, 9)
    assert network.synthesis(ws).shape == (2, 4, 16, 16)


def test_a_rectangular_constant_makes_a_rectangular_picture() -> None:
    config = Config((4, 4, 4, 4), z_dim=4, mapping=(4,), start=(4, 6))
    network = Network.load(drawn(config))
    assert network.synthesis(torch.randn(1, 4, 4), network.synthesis.stored_noise()).shape == (1, 3, 8, 12)
    assert config.size == (12, 8)


def test_gradients_reach_every_parameter() -> None:
    network = Network(Config((4, 4, 4, 4), z_dim=4, c_dim=2, embed=4, mapping=(4, 4)))
    w = network.mapping(torch.randn(3, 4), torch.eye(2)[[0, 1, 1]])
    picture = network.synthesis(w[:, None].expand(-1, 4, -1), network.synthesis.stored_noise())
    picture.square().sum().backward()
    assert [name for name, value in network.named_parameters() if value.grad is None] == []


def test_a_conditional_network_needs_labels() -> None:
    network = Network(Config((4, 4), z_dim=4, c_dim=2, embed=4, mapping=(4,)))
    with pytest.raises(ValueError, match="labels = None, must be"):
        network.mapping(torch.randn(1, 4))


def test_upsampling_keeps_the_mean_away_from_the_border() -> None:
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0])
    grown = enlarged(torch.full((1, 2, 6, 6), 3.0), torch.outer(taps, taps) / 64)
    assert grown.shape == (1, 2, 12, 12)
    torch.testing.assert_close(grown[:, :, 2:-2, 2:-2], torch.full((1, 2, 8, 8), 3.0))


def test_pixels_are_truncated_and_clipped_to_bytes() -> None:
    values = torch.tensor([-9.0, -1.0, 0.0, 0.0039, 0.9999, 9.0]).reshape(1, 1, 1, 6)
    assert to_pixels(values).flatten().tolist() == [0, 0, 128, 128, 255, 255]
