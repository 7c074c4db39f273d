"""Bends: what each does to activations, and that every runtime does the same."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from perform.generators.stylegan2 import graph
from perform.networks.bending import MOST_FEEDBACK, OPERATIONS, Bend, bend, bend_parameters, pack_values
from perform.networks.controls import NetworkValues
from perform.networks.runtimes.inputs import NetworkInputs
from perform.networks.runtimes.openvino import conversion, runtime
from perform.networks.runtimes.openvino.requests import Runner
from perform.networks.runtimes.torch import cuda, eager
from perform.networks.runtimes.torch.bending import BendLayer
from perform.networks.weights import Weights
from tests.doubles.networks import CONFIG, WEIGHTS, WS, unrecorded

LAYER = "b8.conv1"


def bent(operation: str, x: Any, /, radius: int = 1, memory: Any = None, **values: Any) -> Any:
    one = Bend(operation, LAYER, radius)
    live = torch.from_numpy(pack_values([one], [values]))
    remembered = None if memory is None else torch.as_tensor(memory)[None]
    return BendLayer(one)(torch.as_tensor(x)[None], live, remembered)[0].numpy()


def ramp(channels: int = 1, height: int = 4, width: int = 4) -> Any:
    return np.arange(channels * height * width, dtype=np.float32).reshape(channels, height, width)


def test_operations_change_single_values() -> None:
    x = np.array([[[-1.0, 0.25], [0.75, 2.0]]], np.float32)
    assert bent("ablate", x).tolist() == [[[0, 0], [0, 0]]]
    assert bent("scale", x, factor=-2.0).tolist() == [[[2, -0.5], [-1.5, -4]]]
    assert bent("threshold", x, level=0.5).tolist() == [[[0, 0], [1, 1]]]
    assert bent("invert", x).tolist() == [[[2, 0.75], [0.25, -1]]]
    assert bent("feedback", x, memory=np.ones_like(x)) == pytest.approx(x + MOST_FEEDBACK * (1 - x))


def test_spatial_operations_move_pixels_as_their_names_say() -> None:
    x = ramp()
    assert bent("translate", x, x=0.25, y=0.0)[0, :, 1:] == pytest.approx(x[0, :, :-1], abs=1e-4)
    assert bent("translate", x, x=0.0, y=0.25)[0, :-1] == pytest.approx(
        x[0, 1:], abs=1e-4
    )  # row 0 is the top
    assert bent("rotate", x, turns=0.25)[0] == pytest.approx(np.rot90(x[0]), abs=1e-4)
    assert bent("zoom", ramp(1, 6, 6), factor=3.0)[0, 1:5, 1:5].std() < ramp(1, 6, 6).std() / 2
    assert bent("warp", x, depth=0.0) == pytest.approx(x, abs=1e-4)
    assert np.abs(bent("warp", x, depth=0.2) - x).max() > 0.1


def test_neighbourhood_operations_use_the_pixels_around() -> None:
    x = np.zeros((1, 5, 5), np.float32)
    x[0, 2, 2] = 1
    assert bent("dilate", x).sum() == 9
    assert bent("dilate", x, radius=2).sum() == 25
    assert bent("erode", 1 - x)[0, 1:4, 1:4].sum() == 0
    assert bent("blur", x)[0, 1:4, 1:4] == pytest.approx(np.outer([1, 2, 1], [1, 2, 1]) / 16)
    assert bent("blur", np.ones_like(x), radius=4) == pytest.approx(np.ones_like(x))


def test_amount_and_channels_limit_a_bend() -> None:
    x = ramp(4)
    assert bent("ablate", x, amount=0.5) == pytest.approx(x / 2)
    some = bent("ablate", x, channels=(0.25, 0.75))
    assert np.array_equal(some[[0, 3]], x[[0, 3]])
    assert not some[1:3].any()


UNITS: dict[str, Callable[[Weights, list[Bend]], Any]] = {
    "openvino": lambda weights, bends: runtime.OpenVino(weights, "float32", 1, bends),
    "cuda": lambda weights, bends: cuda.Cuda(weights, "float32", unrecorded, "cpu", bends),
}


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("operation", [name for name in OPERATIONS if name != "feedback"])
def test_every_runtime_bends_the_same(unit: str, operation: str) -> None:
    bends = [Bend(operation, LAYER), Bend("scale", "b16.conv1")]
    oracle, generator = eager.Eager(WEIGHTS, bends=bends), UNITS[unit](WEIGHTS, bends)
    plain = eager.Eager(WEIGHTS).synthesise(WS)
    for amount in (1.0, 0.4, 0.0):
        values = NetworkValues(bends=[{"amount": amount, "channels": (0.2, 1.0)}, {"amount": 0.0}])
        expected = oracle.synthesise(WS, values).astype(int)
        assert np.abs(generator.synthesise(WS, values).astype(int) - expected).max() <= 1
        assert (np.abs(expected - plain).max() <= 1) == (amount == 0)


def test_feedback_decays_the_same_in_both_graphs() -> None:
    bends = [Bend("feedback", LAYER), Bend("feedback", "b16.conv0")]
    core, form = runtime.core(), conversion.parts(WEIGHTS, "f32", 0, bends)
    names = ("ws", "noise", "strength", "bend")
    unit, inputs = runtime.OpenVino(WEIGHTS, "float32", 1, bends), NetworkInputs(WEIGHTS, bends, None)
    runner = Runner(runtime.compile_graphs(core, form, 1), names)
    forms = (unit.synthesise, lambda ws, values: runner(ws, *inputs(values)))
    still, other = WS, WS[::-1].copy()
    none, much = (NetworkValues(bends=[{"amount": amount}] * 2) for amount in (0.0, 0.9))
    first = [draw(still, none).astype(int) for draw in forms]
    assert np.abs(first[0] - first[1]).max() <= 1
    for _ in range(3):
        made = [draw(other, much).astype(int) for draw in forms]
        assert np.abs(made[0] - made[1]).max() <= 1
    plain = eager.Eager(WEIGHTS).synthesise(other).astype(int)
    assert np.abs(made[0] - plain).max() > 3


def test_a_graph_in_parts_bends_the_same() -> None:
    bends = [Bend("rotate", "b4.conv1"), Bend("invert", "b8.conv0")]
    bends += [Bend("feedback", "b8.conv1"), Bend("feedback", "b16.conv1")]  # the first part's last layer
    names, inputs = ("ws", "noise", "strength", "bend"), NetworkInputs(WEIGHTS, bends, None)
    given = inputs(NetworkValues(bends=[{}, {}, {"amount": 0.8}, {"amount": 0.2}]))
    pictures = []
    for exact in (0, 2):
        runner = Runner(
            runtime.compile_graphs(runtime.core(), graph.parts(WEIGHTS, "f32", exact, bends), 1), names
        )
        pictures.append([runner(ws, *given).astype(int) for ws in (WS, -WS, WS)])
    assert np.abs(np.subtract(*pictures)).max() <= 1
    assert np.abs(pictures[0][0] - pictures[0][2]).max() > 10


def test_settings_of_a_preset_make_a_bend() -> None:
    declared = {p.name: p for p in bend_parameters("dilate", CONFIG.layers)}
    assert set(declared) == {"layer", "channels", "amount", "radius"}
    assert declared["layer"].choices == CONFIG.layers
    assert bend("dilate", {"layer": LAYER, "radius": "4", "amount": 0.3}) == Bend("dilate", LAYER, 4)
    assert bend("invert", {"layer": LAYER}) == Bend("invert", LAYER)
    with pytest.raises(LookupError, match="there is no such operation; there are: ablate, scale"):
        bend_parameters("wink", CONFIG.layers)
    with pytest.raises(LookupError, match=r"there is no such operation; did you mean dilate\?"):
        bend_parameters("dilat", CONFIG.layers)
    with pytest.raises(ValueError, match="cannot be bent"):
        bend_parameters("blur", ())


def test_values_are_packed_in_order() -> None:
    bends = [Bend("scale", LAYER), Bend("translate", LAYER)]
    values: list[dict[str, Any]] = [{"factor": 3.0}, {"amount": 0.5, "channels": (0.1, 0.2)}]
    assert pack_values(bends, values) == pytest.approx([0, 1, 1, 3, 0.1, 0.2, 0.5, 0.25, 0])
    assert [one.count for one in bends] == [4, 5]


def test_bends_work_in_half_precision() -> None:
    bends = [Bend(operation, LAYER) for operation in OPERATIONS]
    weights = replace(WEIGHTS)
    unit, exact = eager.Eager(weights, "cpu", "bfloat16", bends), eager.Eager(weights, bends=bends)
    values = NetworkValues(bends=[{"amount": 0.1}] * len(bends))
    assert runtime.psnr(unit.synthesise(WS, values), exact.synthesise(WS, values)) > 15


QUIET = """
import sys, torch
from perform.networks.runtimes.openvino.conversion import convert_module
told = []
sys.addaudithook(lambda event, given: told.append(event) if event.startswith("socket.") else None)
convert_module(torch.nn.Conv2d(2, 2, 3), [torch.zeros(1, 2, 8, 8)])
print(told)
"""


def test_a_conversion_sends_no_telemetry() -> None:
    run = subprocess.run([sys.executable, "-c", QUIET], capture_output=True, text=True)
    assert (run.stdout, run.returncode) == ("[]\n", 0), run.stderr
