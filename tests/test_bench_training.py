"""What learning costs, measured."""

from __future__ import annotations

import math
import os
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from perform.bench import Figure
from perform.bench.training import CASES, PARTS, Noise, figures, learnt, memory, utilisation
from perform.training.run import Run
from perform.training.settings import RunError, Settings

SMALL = Settings("stylegan2", (16, 16), channels=(64, 8), z_dim=16, w_dim=16, mapping=1, batch=4)


def by_name(found: list[Figure]) -> dict[str, float]:
    return {one.name: one.value for one in found}


def test_each_part_of_a_step_is_measured_and_the_parts_are_the_whole() -> None:
    found = by_name(learnt(SMALL, "cpu", 0.0))
    parts = {name: found[name] for name in ("feed", *PARTS, "rest")}
    assert all(cost > 0 for cost in parts.values())
    assert found["fps"] == pytest.approx(1e3 / sum(parts.values()))
    assert found["memory"] > 50


def test_what_a_run_does_not_do_costs_nothing() -> None:
    alone = Settings("stylegan2", (16, 16), channels=(64, 8), z_dim=16, mapping=1, batch=4, teacher=1.0)
    assert (
        not {"discriminator", "gradient_penalty", "path_penalty"} & by_name(learnt(alone, "cpu", 0.0)).keys()
    )
    plain = Settings("dcgan", (16, 16), channels=(64, 8), batch=4, path=0.0)
    assert "path_penalty" not in by_name(learnt(plain, "cpu", 0.0))


def test_rare_penalties_are_weighed_by_how_rare_they_are() -> None:
    often = by_name(learnt(replace(SMALL, r1_every=1), "cpu", 0.0))
    seldom = by_name(learnt(replace(SMALL, r1_every=1024), "cpu", 0.0))
    assert seldom["gradient_penalty"] < often["gradient_penalty"] / 20


def test_the_settings_of_a_run_are_measured_in_its_name(tmp_path: Path) -> None:
    run = Run(tmp_path / "tulips", Noise((16, 16), 16))
    run.begin(SMALL)
    found = by_name(list(figures(0.01, str(tmp_path / "tulips"))))
    assert found["tulips_float32_fps"] > 0 and found["tulips_bfloat16_memory"] > 0


def test_a_folder_that_is_no_run_is_told(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"run.json is not readable"):
        list(figures(0.01, str(tmp_path)))


def test_a_gpu_that_is_not_there_is_told() -> None:
    with pytest.raises(ValueError, match="device 'cuda', but torch finds none"):
        list(figures(0.01, device="cuda"))


def test_the_cases_are_what_the_documents_name() -> None:
    text = (Path(__file__).parent.parent / "docs" / "training.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in CASES)


def test_utilisation_is_what_nvidia_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    os.mkfifo(tmp_path / "said")
    program.write_text(f"#!/bin/sh\necho 90\necho '[N/A]'\necho 70\n: > {tmp_path}/said\n", encoding="ascii")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with utilisation("cpu") as nothing, utilisation("cuda") as said:
        (tmp_path / "said").read_bytes()  # waits until it has spoken
    assert (nothing, said) == ([], [90.0, 70.0])


def test_memory_is_a_number_wherever_the_system_tells() -> None:
    assert memory("cpu") > 10 or math.isnan(memory("cpu"))


def too_large(*_: object) -> list[Figure]:
    raise torch.OutOfMemoryError("tried to allocate 9 TiB")


def test_what_does_not_fit_leaves_the_rest_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Run(tmp_path / "tulips", Noise((16, 16), 16)).begin(SMALL)
    monkeypatch.setattr("perform.bench.training.learnt", too_large)
    found = list(figures(0.01, str(tmp_path / "tulips")))
    assert [one.note for one in found] == ["not enough memory"] * 2
    assert all(math.isnan(one.value) for one in found)
