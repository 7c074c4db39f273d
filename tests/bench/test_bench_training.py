"""The bench of training."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
import torch

from perform.bench import Figure
from perform.bench.training import (
    STEP_PARTS,
    TRAINING_CASES,
    Noise,
    StepTimes,
    step_figures,
    train_for,
    training_figures,
    utilisation,
)
from perform.training.run import TrainingRun
from perform.training.settings import RunError, TrainingSettings
from tests.doubles.runs import learnt as taught
from tests.doubles.waiting import eventually
from tests.folders import ROOT

SMALL = TrainingSettings("stylegan2", (16, 16), channels=(64, 8), z_dim=16, w_dim=16, mapping=1, batch=4)


def by_name(found: list[Figure]) -> dict[str, float]:
    return {one.name: one.value for one in found}


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """One process imports torch, and what its optimisers load, for all that the bench starts."""
    context = get_context("forkserver")
    context.set_forkserver_preload([__name__, "torch._dynamo"])
    monkeypatch.setattr("perform.children.spawning", lambda: context)


@pytest.fixture
def tulips(tmp_path: Path) -> Path:
    """The folder of a run."""
    run = TrainingRun(tmp_path / "tulips", Noise((16, 16), 16))
    run.begin(SMALL)
    taught(run, 4)
    return tmp_path / "tulips"


def test_each_part_of_a_step_is_measured_and_the_parts_add_up() -> None:
    found = by_name(train_for(SMALL, "cpu", 0.0))
    parts = {name: found[name] for name in ("feed", *STEP_PARTS, "rest")}
    assert all(cost > 0 for cost in parts.values())
    assert found["fps"] == pytest.approx(1e3 / sum(parts.values()))
    assert found["memory"] > 50 or math.isnan(found["memory"])


def test_unused_parts_of_a_run_are_not_measured() -> None:
    alone = TrainingSettings(
        "stylegan2", (16, 16), channels=(64, 8), z_dim=16, mapping=1, batch=4, teacher=1.0
    )
    absent = {"discriminator", "gradient_penalty", "path_penalty"}
    assert not absent & by_name(train_for(alone, "cpu", 0.0)).keys()
    plain = TrainingSettings("dcgan", (16, 16), channels=(64, 8), batch=4, path=0.0)
    assert "path_penalty" not in by_name(train_for(plain, "cpu", 0.0))


def test_rare_penalties_are_weighted_by_their_frequency() -> None:
    calls = {"discriminator": [1.0, 1.5], "gradient_penalty": [1.6], "path_penalty": [0.8]}
    laps = StepTimes(lambda: None, defaultdict(list, {"step": [2.0, 4.0], **calls}))
    found = by_name(list(step_figures(laps, replace(SMALL, batch=4, r1_every=16, path_every=8))))
    wanted = {"discriminator": 1.25, "gradient_penalty": 0.1, "path_penalty": 0.1, "rest": 0.55}
    assert found.pop("fps") == pytest.approx(4 / 2.0)
    assert found == pytest.approx({name: 1e3 * seconds / 4 for name, seconds in wanted.items()})


@pytest.mark.usefixtures("forked")
def test_a_run_is_measured_with_its_name_and_networks(tulips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = by_name(list(training_figures(0.01, str(tulips), "cpu")))
    assert found["tulips_float32_fps"] > 0 and found["tulips_bfloat16_discriminator"] > 0
    widths: list[tuple[int, ...]] = []
    begin = TrainingRun.begin

    def begun(run: TrainingRun, settings: TrainingSettings, begun_from: Path | None = None) -> None:
        begin(run, settings, begun_from)
        widths.append(run.state.generator.config.channels)

    monkeypatch.setattr(TrainingRun, "begin", begun)
    train_for(replace(SMALL, channels=(128, 16)), "cpu", 0.0, tulips)
    train_for(SMALL, "cpu", 0.0)
    assert widths[0] == widths[1]


def test_a_folder_without_a_run_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="must be the folder of a run"):
        list(training_figures(0.01, str(tmp_path), "auto"))


def test_a_missing_gpu_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ValueError, match="device 'cuda', but torch finds none"):
        list(training_figures(0.01, None, "cuda"))


def test_the_cases_are_those_of_the_docs() -> None:
    text = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in TRAINING_CASES)


def test_utilisation_comes_from_nvidia_smi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program, done = tmp_path / "nvidia-smi", tmp_path / "done"
    program.write_text(f"#!/bin/sh\necho 90\necho '[N/A]'\necho 70\n: > {done}\n", encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with utilisation("") as nothing, utilisation("GPU-1") as said:
        eventually(done.exists, "nvidia-smi")
    assert (nothing, said) == ([], [90.0, 70.0])


def too_large(*_: object) -> list[Figure]:
    raise torch.OutOfMemoryError("tried to allocate 9 TiB")


def too_large_here(*_: object) -> list[Figure]:
    raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 TiB")


def killed(*_: object) -> list[Figure]:
    os._exit(9)


@pytest.mark.parametrize(
    ("instead", "note"),
    [
        (too_large, "not enough memory"),
        (too_large_here, "not enough memory"),
        (killed, "its process was killed, perhaps for want of memory"),
    ],
)
@pytest.mark.usefixtures("forked")
def test_a_case_that_does_not_fit_is_reported_and_the_others_are_measured(
    instead: object, note: str, tulips: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("perform.bench.training.train_for", instead)
    found = list(training_figures(0.01, str(tulips), "cpu"))
    assert [(one.note, math.isnan(one.value)) for one in found] == [(note, True)] * 2
