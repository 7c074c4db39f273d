"""The bench of bridges, on a processor, and on a double of the CUDA runtime in place of a GPU."""

from __future__ import annotations

import math

import moderngl
import pytest

from perform.bench import bridges
from perform.render.bridges import BridgeError, Bridges
from perform.render.bridges.copied import PlainBridge
from perform.render.bridges.opening import open_bridges
from perform.render.bridges.registered import CudaRuntime, TextureBridge
from tests.doubles.cuda_runtime import CudaRuntime as Double
from tests.doubles.cuda_runtime import on_device
from tests.doubles.networks import FAMILIES

SIZES = {"small": (8, 4), "wide": (16, 4)}


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("BRIDGE_SIZES", SIZES), ("FRAME_SIZE", (32, 18)), ("LEAST_UPLOADS", 3)):
        monkeypatch.setattr(bridges, name, value)


def ranks(name: str, suffix: str) -> set[str]:
    return {f"{name}_{rank}{suffix}" for rank in ("p50", "p95", "p99")}


def test_without_a_gpu_there_is_the_plain_upload() -> None:
    found = {figure.name: figure for figure in bridges.bridges_figures(0.0, None, "cpu")}
    assert set(found) == ranks("bridge_ms", "_plain_small") | ranks("bridge_ms", "_plain_wide")
    assert all(figure.value > 0 and figure.goal is None for figure in found.values())


def test_each_bridge_has_its_figures_or_a_reason(context: moderngl.Context) -> None:
    cudart = Double(context)

    def missing(_context: moderngl.Context) -> PlainBridge:
        raise BridgeError("no driver")

    openers = {
        "buffer": missing,
        "texture": lambda one: TextureBridge(one, CudaRuntime(cudart)),
        "plain": PlainBridge,
    }
    found = {one.name: one for one in bridges.each_bridge(context, 0.0, on_device, openers)}
    for size in SIZES:
        lost = found[f"bridge_ms_p50_buffer_{size}"]
        assert (math.isnan(lost.value), lost.note) == (True, "no driver")
        assert found[f"bridge_ms_p99_texture_{size}"].goal == 0.3  # the best that works
        assert found[f"bridge_ms_p99_plain_{size}"].goal is None
        assert found[f"bridge_ms_p50_texture_{size}"].value > 0
    assert cudart.resources == []
    assert cudart.streams == 0


def test_whole_frames_are_measured_with_their_network(context: moderngl.Context) -> None:
    opened: Bridges = open_bridges(context, on_device, {"plain": PlainBridge})
    weights = FAMILIES["stylegan2"]()
    found = {one.name: one for one in bridges.whole_frames(context, 0.0, weights, "cpu", opened)}
    assert set(found) == ranks("network_ms", "") | ranks("whole_frame_ms", "")
    assert found["whole_frame_ms_p99"].goal == 8.0
    assert all(figure.value > 0 for figure in found.values())
