"""The bench of a GPU, on a processor in its place, and on a GPU where there is one."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib.util import find_spec
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from perform import generators
from perform.bench import Figure, generator, gpu, report
from perform.generators import untrained
from perform.generators.kernels import fuse
from perform.generators.stylegan3.untrained import untrained as alias_free
from perform.networks.bending import Bend
from perform.networks.controls import NetworkValues
from perform.networks.runtimes.torch import cuda, eager
from perform.networks.runtimes.torch.network import build_network
from perform.networks.weights import Weights
from tests.doubles.networks import FAMILIES, unrecorded

BED = gpu.TestBed("cpu", "bfloat16", unrecorded, matrix=32, least=2)
CASES: dict[str, Callable[[], Weights]] = {
    "stylegan2": FAMILIES["stylegan2"],
    "stylegan3": lambda: alias_free(16, base=64, most=4, num_layers=4),
}
FORMS = {form.name: form for form in gpu.FORMS}
PLAIN = [FORMS[name] for name in ("eager_float32", "eager_tf32", "eager_half", "graph", "graph_raced")]


@dataclass(frozen=True)
class Broken(gpu.NetworkForm):
    """A form that does not fit."""

    def build(self, weights: Weights, given: Any, bed: gpu.TestBed) -> Callable[[], Tensor]:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3 GiB.\nmore of it")


def measured(cases: Any, variants: Any, bed: gpu.TestBed = BED, seconds: float = 0.0) -> dict[str, Figure]:
    return {figure.name: figure for figure in gpu.gpu_figures(seconds, cases, bed, variants)}


def test_every_form_reports_the_same_figures() -> None:
    found = measured(CASES, PLAIN)
    kinds = [f"picture_ms_{rank}" for rank in ("p50", "p95", "p99")]
    kinds += ["picture_fps", "matrix_share", "memory", "psnr"]
    wanted = {f"{kind}_{case}_{form.name}" for kind in kinds for case in CASES for form in PLAIN}
    wanted -= {f"psnr_{case}_eager_float32" for case in CASES}  # what the others are measured by
    assert set(found) == wanted | {f"matrix_rate_{kind}" for kind in ("float32", "tf32", "half")}
    for name, figure in found.items():
        assert math.isnan(figure.value) == name.startswith("memory"), name
        assert figure.value > 0 or name.startswith("memory"), name
    half, exact = (found[f"psnr_stylegan3_{name}"] for name in ("graph", "eager_tf32"))
    assert 25 < half.value < 70 and half.goal == 45.0
    assert exact.value == math.inf and exact.met


def test_a_failing_form_says_why_and_the_others_continue() -> None:
    forms = [Broken("eager_float32", "float32"), FORMS["graph"], FORMS["kernels"]]
    found = measured({"stylegan2": CASES["stylegan2"]}, forms)
    broken = found["picture_fps_stylegan2_eager_float32"]
    assert math.isnan(broken.value)
    assert broken.note == "OutOfMemoryError: CUDA out of memory. Tried to allocate 3 GiB."
    assert found["picture_fps_stylegan2_graph"].value > 0
    assert math.isnan(found["psnr_stylegan2_graph"].value)  # nothing to measure it by
    if not find_spec("triton"):
        assert "triton" in found["picture_fps_stylegan2_kernels"].note
    rows = {row["name"]: row for row in report("generator", found.values())["figures"]}
    assert rows[broken.name]["value"] is None and rows[broken.name]["note"] == broken.note
    assert "note" not in rows["picture_fps_stylegan2_graph"]


def test_each_form_compiles_or_captures_only_what_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def compiled(module: Any) -> Any:
        done.append("compiled")
        return module

    def captured(run: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
        done.append("captured")
        return unrecorded(run)

    monkeypatch.setattr(torch, "compile", compiled)
    bed = replace(BED, capture=captured)
    for name, wanted in (("eager_half", []), ("compiled", ["compiled"]), ("graph", ["captured"])):
        done.clear()
        assert measured({"a": CASES["stylegan2"]}, [FORMS[name]], bed)
        assert done == wanted
    done.clear()
    measured({"a": CASES["stylegan2"]}, [FORMS["graph_compiled"]], bed)
    assert done == ["compiled", "captured"]


def test_the_work_is_that_of_the_convolutions() -> None:
    weights = FAMILIES["dcgan"]()
    with torch.utils.flop_counter.FlopCounterMode(display=False) as counter:
        build_network(weights)(*(torch.tensor(array) for array in gpu.latent(weights)))
    assert gpu.operations(weights) == counter.get_total_flops() > 1e5


def test_psnr_compares_visible_pictures() -> None:
    black = torch.full((1, 3, 4, 4), -1.0)
    assert gpu.psnr(black - 5, black) == math.inf
    assert gpu.psnr(black + 0.02, black) == pytest.approx(40.0, abs=1e-3)


@pytest.mark.parametrize("resolution", [64, 512])
def test_untrained_networks_of_any_size_open(resolution: int) -> None:
    weights = untrained.untrained_sized(resolution, 4096, 8)
    assert weights.config.size == (resolution, resolution)
    assert {name: array.shape for name, array in weights.arrays.items()} == weights.config.shapes()
    synthesis, given = build_network(weights), [torch.tensor(array) for array in gpu.latent(weights)]
    with torch.inference_mode():
        picture = synthesis(*given)[0]
    assert picture.shape[2:] == (resolution, resolution)
    assert 0.1 < picture.std() < 3


def test_the_gpu_cases_are_the_usual_networks() -> None:
    assert list(gpu.GPU_CASES) == [
        "stylegan2_256", "stylegan2_512", "stylegan2_1024", "stylegan3t_512", "stylegan3t_1024"
    ]  # fmt: skip


@pytest.mark.parametrize(("device", "model"), [("cuda", "small.pt"), ("cuda", None), ("cpu", None)])
def test_the_generators_bench_runs_the_gpu_bench_on_cuda(
    monkeypatch: pytest.MonkeyPatch, device: Any, model: str | None
) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(generators, "open", lambda *_: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(generators, "weights_of", lambda name: name)
    monkeypatch.setattr(eager, "Eager", lambda weights: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(generator, "pictures_per_second", lambda unit, seconds: 1.0)
    monkeypatch.setattr(gpu, "gpu_figures", lambda seconds, cases: asked.append(cases) or [])
    list(generator.generator_figures(1.0, model, device))
    assert [cases and list(cases) for cases in asked] == ([[model and "small"]] if model else [None]) * (
        device == "cuda"
    )


def test_kernels_are_optional() -> None:
    fused: list[Any] = []
    weights = FAMILIES["stylegan2"]()
    cuda.Cuda(weights, "float32", unrecorded, "cpu").close()
    assert not fused
    cuda.Cuda(weights, "float32", unrecorded, "cpu", fuse=fused.append).close()
    assert [type(one) for one in fused] == [type(build_network(weights))]


def test_a_latent_changed_in_place_is_used() -> None:
    unit = cuda.Cuda(FAMILIES["stylegan2"](), "float32", unrecorded, "cpu")
    ws = np.ones((unit.space.num_ws, unit.space.w_dim), np.float32)
    before = unit.synthesise(ws).copy()
    ws *= -1
    assert np.abs(unit.synthesise(ws).astype(int) - before).max() > 10


def warmed(run: Callable[[], Tensor]) -> tuple[Callable[[], None], Tensor]:
    """Runs ahead of the recording, as a real capture does."""
    for _ in range(cuda.WARM_UP_RUNS):
        run()
    return unrecorded(run)


def test_feedback_starts_with_the_first_picture() -> None:
    weights, bends = FAMILIES["stylegan2"](), [Bend("feedback", "b8.conv1")]
    plain, captured = eager.Eager(weights, bends=bends), cuda.Cuda(weights, "float32", warmed, "cpu", bends)
    ws = np.ones((plain.space.num_ws, plain.space.w_dim), np.float32)
    values = NetworkValues(bends=[{"amount": 0.9}])
    for sign in (1, -1, -1):
        made, expected = (unit.synthesise(sign * ws, values) for unit in (captured, plain))
        assert np.abs(made.astype(int) - expected).max() <= 1


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
@pytest.mark.parametrize("case", CASES)
def test_on_a_gpu_every_form_gives_the_picture(case: str) -> None:
    found = measured({case: CASES[case]}, gpu.FORMS, gpu.TestBed(matrix=1024), seconds=0.1)
    for form in gpu.FORMS:
        figure = found[f"picture_fps_{case}_{form.name}"]
        assert figure.value > 0, f"{form.name}: {figure.note}"
        near = found.get(f"psnr_{case}_{form.name}")
        assert near is None or near.value > 30, form.name


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_on_a_gpu_a_model_is_captured_while_another_plays() -> None:
    from concurrent.futures import ThreadPoolExecutor

    weights = FAMILIES["stylegan2"]()
    with ThreadPoolExecutor(1) as aside:
        playing = cuda.Cuda(weights)
        ws = np.ones((playing.space.num_ws, playing.space.w_dim), np.float32)
        expected = playing.synthesise(ws).copy()
        opening = [aside.submit(cuda.Cuda, weights) for _ in range(5)]
        while not all(one.done() for one in opening):
            assert np.array_equal(playing.synthesise(ws), expected)
        for one in opening:
            assert np.array_equal(one.result().synthesise(ws), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here")
def test_on_a_gpu_kernels_draw_the_picture() -> None:
    weights = untrained.untrained_weights("untrained-small")
    plain, fused = cuda.Cuda(weights), cuda.Cuda(weights, fuse=fuse)
    ws = np.ones((plain.space.num_ws, plain.space.w_dim), np.float32)
    assert np.abs(plain.synthesise(ws).astype(int) - fused.synthesise(ws)).mean() < 0.5
