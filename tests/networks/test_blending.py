"""Blends: a network between two others, compared with the network whose weights are mixed by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from perform.generators import dcgan
from perform.generators.stylegan2 import Config
from perform.generators.stylegan3.untrained import untrained
from perform.networks import ModelError
from perform.networks.bending import Bend
from perform.networks.blending import Blend, blend, blend_parameters, blend_tensors, mixed_weights
from perform.networks.controls import NetworkValues
from perform.networks.runtimes.inputs import NetworkInputs
from perform.networks.runtimes.openvino import conversion, runtime
from perform.networks.runtimes.openvino.requests import Runner
from perform.networks.runtimes.torch import eager
from tests.doubles.networks import FAMILIES, unrecorded, vivid

SMALL = Config((8, 8, 8, 6, 6, 4), z_dim=5, mapping=(9, 8), clamp=256.0)
CONFIGS = {
    "skip": SMALL,
    "resnet": replace(SMALL, architecture="resnet", image_channels=1),
    "wide": Config((96,) * 6, z_dim=8, mapping=(8, 8)),
}
WS = np.random.default_rng(3).standard_normal((6, 8)).astype(np.float32)
ALL = Blend("other", "b4.conv1", "b16.conv1")
FINE = Blend("other", "b8.conv1", "b16.conv1")


@pytest.mark.parametrize("where", [ALL, FINE])
@pytest.mark.parametrize("name", CONFIGS)
def test_a_blend_amount_equals_a_network_of_mixed_weights(name: str, where: Blend) -> None:
    one, two = vivid(CONFIGS[name], 1), vivid(CONFIGS[name], 2)
    other = blend_tensors(one, two, where)
    units: list[Any] = [
        runtime.OpenVino(one, "float32", 1, other=other),
        eager.Eager(one, other=other),
    ]
    for share in (0.0, 0.3, 1.0):
        expected = eager.Eager(mixed_weights(one, other, share)).synthesise(WS).astype(int)
        for unit in units:
            picture = unit.synthesise(WS, NetworkValues(blend={"amount": share})).astype(int)
            assert np.abs(picture - expected).max() <= 1, (share, type(unit))
    first = eager.Eager(one).synthesise(WS).astype(int)
    assert (
        np.abs(units[0].synthesise(WS, NetworkValues(blend={"amount": 0.0})).astype(int) - first).max() <= 1
    )
    assert np.abs(expected - first).max() > 10


def test_captured_and_converted_graphs_blend_the_same() -> None:
    from perform.networks.runtimes.torch import cuda

    one, two = vivid(SMALL, 1), vivid(SMALL, 2)
    other, bends = blend_tensors(one, two, FINE), [Bend("invert", "b8.conv0")]
    plain, inputs = eager.Eager(one, bends=bends, other=other), NetworkInputs(one, bends, other)
    captured = cuda.Cuda(one, "float32", unrecorded, "cpu", bends, other)
    made = runtime.OpenVino(one, "float32", 1, bends, other)
    parts = runtime.compile_graphs(runtime.core(), conversion.parts(one, "f32", 0, bends, other), 1)
    runner = Runner(parts, ("ws", "noise", "strength", "blend", "bend"))
    for values in (
        NetworkValues(blend={"amount": 0.2}),
        NetworkValues(bends=[{"amount": 0.5}], blend={"amount": 0.8}),
    ):
        expected = plain.synthesise(WS, values).astype(int)
        for picture in (
            captured.synthesise(WS, values),
            made.synthesise(WS, values),
            runner(WS, *inputs(values)),
        ):
            assert np.abs(picture.astype(int) - expected).max() <= 1


def test_stylegan3_blends() -> None:
    one, two = untrained(16, base=256, most=16), untrained(16, seed=1, base=256, most=16)
    layers = one.config.bendable
    other = blend_tensors(one, two, Blend("other", layers[3], layers[-1]))
    ws = np.random.default_rng(0).standard_normal((one.config.space.num_ws, one.config.space.w_dim))
    ws = ws.astype(np.float32)
    expected = eager.Eager(mixed_weights(one, other, 0.4)).synthesise(ws).astype(int)
    for unit in (eager.Eager(one, other=other), runtime.OpenVino(one, "float32", 1, other=other)):
        assert (
            np.abs(unit.synthesise(ws, NetworkValues(blend={"amount": 0.4})).astype(int) - expected).max()
            <= 1
        )


@pytest.mark.parametrize("name", ["dcgan", "lucidrains", "stylegan1"])
def test_converted_families_blend(name: str) -> None:
    one = FAMILIES[name]()
    two = replace(one, arrays={key: array[::-1].copy() for key, array in one.arrays.items()})
    layers = one.config.bendable
    ws = np.random.default_rng(0).standard_normal((one.config.space.num_ws, one.config.space.w_dim))
    ws = ws.astype(np.float32)
    for first in (layers[0], layers[2]):
        other = blend_tensors(one, two, Blend("other", first, layers[-1]))
        units = [eager.Eager(one, other=other), runtime.OpenVino(one, "float32", 1, other=other)]
        for share in (0.0, 0.4, 1.0):
            expected = eager.Eager(mixed_weights(one, other, share)).synthesise(ws).astype(int)
            for unit in units:
                picture = unit.synthesise(ws, NetworkValues(blend={"amount": share})).astype(int)
                assert np.abs(picture - expected).max() <= 1, (share, type(unit))
        assert np.abs(expected - eager.Eager(one).synthesise(ws)).max() > 10


def test_the_output_layer_is_blended_with_the_last_layer() -> None:
    for name, last in (("dcgan", "layers.3.weight"), ("stylegan1", "synthesis.torgb.weight")):
        one = FAMILIES[name]()
        layers = one.config.bendable
        assert last in blend_tensors(one, one, Blend("other", layers[-1], layers[-1])).arrays
        assert last not in blend_tensors(one, one, Blend("other", layers[0], layers[-2])).arrays


def test_a_graph_in_parts_blends_the_same() -> None:
    from perform.generators.stylegan2 import graph

    one = vivid(SMALL, 1)
    other = blend_tensors(one, vivid(SMALL, 2), ALL)
    given = NetworkInputs(one, (), other)(NetworkValues(blend={"amount": 0.6}))
    names = ("ws", "noise", "strength", "blend")
    pictures = []
    for exact in (0, 2):
        parts = runtime.compile_graphs(runtime.core(), graph.parts(one, "f32", exact, (), other), 1)
        pictures.append(Runner(parts, names)(WS, *given).astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 1


def test_layers_own_their_tensors() -> None:
    one, two = vivid(CONFIGS["resnet"], 1), vivid(CONFIGS["resnet"], 2)
    taken = set(blend_tensors(one, two, FINE).arrays)
    assert "synthesis.b8.conv1.weight" in taken
    assert "synthesis.b16.torgb.weight" in taken
    assert "synthesis.b8.skip.weight" in taken
    assert not taken & {"synthesis.b4.const", "synthesis.b8.conv0.weight", "mapping.fc0.weight"}
    assert not any("noise_const" in name or "resample" in name for name in taken)


def test_models_that_do_not_fit_are_rejected() -> None:
    one = vivid(SMALL, 1)
    with pytest.raises(ModelError, match=r"blended in: its channels are \(96, .*\), must be \(8,"):
        blend_tensors(one, vivid(CONFIGS["wide"], 1), ALL)
    with pytest.raises(ModelError, match="other cannot be blended in: it is a dcgan, not a stylegan2"):
        blend_tensors(one, dcgan.untrained(32, 8), ALL)
    with pytest.raises(
        ModelError, match="biggan models cannot be blended, those of dcgan, lucidrains, stylegan1, stylegan2,"
    ):
        blend_tensors(FAMILIES["biggan"](), one, ALL)


def test_layers_are_listed_in_order() -> None:
    with pytest.raises(ModelError, match=r"from = 'b16.conv1' comes after to = 'b8.conv0', must come before"):
        blend_tensors(vivid(SMALL, 1), vivid(SMALL, 2), Blend("other", "b16.conv1", "b8.conv0"))


def test_settings_of_a_preset_make_a_blend() -> None:
    names = {parameter.name for parameter in blend_parameters(SMALL.bendable)}
    assert names == {"from", "to", "amount"}
    settled = {"from": "b8.conv1", "to": "b16.conv1", "amount": 0.2}
    assert blend("other", settled) == FINE
