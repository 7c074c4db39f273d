"""Short training runs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from perform.training import checkpoint as states
from perform.training.run import ReportLine, StopConditions, TrainingRun
from perform.training.run_folder import TrainingFolder
from perform.training.settings import TrainingSettings
from tests.doubles.discs import Discs

SMALL = TrainingSettings(
    "stylegan2",
    (16, 16),
    channels=(64, 8),
    z_dim=8,
    w_dim=8,
    mapping=2,
    batch=8,
    path_every=4,
    augment_speed=2000,
    snapshot_every=64,
    threads=1,
)
DCGAN = replace(SMALL, kind="dcgan", rate=5e-4, path=0.0)
DISCS = Discs()


def begun(folder: Path, settings: TrainingSettings = SMALL, **more: Any) -> TrainingRun:
    run = TrainingRun(folder, more.pop("dataset", DISCS), metrics=more.pop("metrics", None))
    run.begin(settings, **more)
    return run


def learnt(run: TrainingRun, pictures: int, tell: ReportLine = lambda line: None) -> str:
    return run.learn(StopConditions(pictures), tell)


def resumed(folder: Path) -> TrainingRun:
    run = TrainingRun(folder, DISCS)
    run.resume()
    return run


def lines(folder: Path) -> list[dict[str, float]]:
    """The log without times."""
    found = [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]
    return [{name: one[name] for name in one if name not in ("seconds", "rate")} for one in found]


def tensors(folder: Path) -> dict[str, torch.Tensor]:
    newest = TrainingFolder(folder).newest()
    assert newest
    return states.checkpoint_tensors(newest)
