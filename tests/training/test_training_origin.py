"""Where a run starts from: another run, a model, a teacher, a smaller model."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from perform import generators
from perform.cli import app
from perform.commands.check import check_all
from perform.generators.load import load_header
from perform.generators.model import Model
from perform.models import store
from perform.training import run as runs
from perform.training.pretrained import Pretrained
from perform.training.random_streams import RandomStreams
from perform.training.settings import Freeze, RunError, TrainingSettings
from tests.doubles.discs import Discs
from tests.doubles.runs import DCGAN, SMALL, begun, learnt, lines, resumed, tensors
from tests.folders import DATA

pytestmark = pytest.mark.usefixtures("frequent_log")


@pytest.mark.parametrize("settings", [SMALL, DCGAN], ids=["stylegan2", "dcgan"])
def test_training_starts_from_a_run_or_from_its_model(tmp_path: Path, settings: TrainingSettings) -> None:
    learnt(begun(tmp_path / "first", settings), 24)
    z = RandomStreams(0).normal("z", range(2), 8)
    with_judge = begun(tmp_path / "second", settings, begun_from=tmp_path / "first")
    without = begun(tmp_path / "third", settings, begun_from=tmp_path / "first/latest.safetensors")
    for one in (with_judge, without):
        one.state.average.calibrate(RandomStreams(0))
    torch.testing.assert_close(
        with_judge.state.average.shown(z), without.state.average.shown(z), rtol=1e-3, atol=1e-3
    )
    judge = tensors(tmp_path / "first")
    for name, value in with_judge.state.discriminator.state_dict().items():
        assert torch.equal(value, judge[f"discriminator.{name}"])
    assert Pretrained.of(tmp_path / "first/latest.safetensors").discriminator == {}
    facts = [one.folder.read() for one in (with_judge, without)]
    assert [said["discriminator"] for _, said in facts] == ["taken over", "new"]
    assert [kept.head_start for kept, _ in facts] == [None, 4000]
    learnt(with_judge, 8)
    _, notes = load_header(tmp_path / "second/latest.safetensors")
    assert "from first after 24 pictures" in notes["title"]


def export(*words: object) -> str:
    done = CliRunner().invoke(app, ["models", "export", *map(str, words), "--discriminator"])
    return f"{done.exit_code} {' '.join(done.output.split())}"


def test_a_model_is_exported_with_its_discriminator(tmp_path: Path) -> None:
    learnt(begun(tmp_path / "first", SMALL), 24)
    tulips, copy = tmp_path / "tulips.safetensors", tmp_path / "copy.safetensors"
    assert export(tmp_path / "first/latest.safetensors", tulips, "--precision", "float16").startswith("0")
    assert export(tulips, copy).startswith("0")
    judge = tensors(tmp_path / "first")
    for name, file in (("second", tulips), ("third", copy)):
        run = begun(tmp_path / name, SMALL, begun_from=file)
        assert run.folder.read()[1]["discriminator"] == "taken over"
        for key, value in run.state.discriminator.state_dict().items():
            assert torch.equal(value, judge[f"discriminator.{key}"].half().float())
    assert check_all([tmp_path / "tulips.discriminator.safetensors"])[1] == []


def test_another_model_of_the_same_name_has_another_discriminator_or_none(tmp_path: Path) -> None:
    learnt(begun(tmp_path / "first", SMALL), 24)
    tulips = tmp_path / "tulips.safetensors"
    export(tmp_path / "first/latest.safetensors", tulips)
    assert Pretrained.of(tulips).discriminator
    store.export_model(str(tmp_path / "first/latest.safetensors"), tulips)
    assert Pretrained.of(tulips).discriminator == {}


def test_a_discriminator_that_cannot_be_exported_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "a.safetensors"
    assert "1 perform: untrained-small has no discriminator" in export("untrained-small", file)
    run = begun(tmp_path / "first", SMALL)
    run.state.discriminator.get_parameter("b4.out.weight").data.fill_(1e6)
    learnt(run, 8)
    latest = tmp_path / "first/latest.safetensors"
    assert "goes beyond float16" in export(latest, file, "--precision", "float16")
    assert not file.exists()


def test_frozen_layers_do_not_change(tmp_path: Path) -> None:
    settings = replace(SMALL, freeze=Freeze.parse("mapping, generator:8, discriminator:16"))
    run = begun(tmp_path / "run", settings)
    before = {name: value.clone() for name, value in run.state.tensors().items()}
    learnt(run, 32)
    moved = {
        name
        for name, value in run.state.tensors().items()
        if name in before and not torch.equal(value, before[name])
    }
    weights = {name for name in moved if name.endswith("weight") and not name.startswith("optimiser")}
    assert not any(
        part in name
        for name in weights
        for part in ("mapping", "generator.network.synthesis.b8.", "tor.b16.")
    )
    assert {"discriminator.b8.conv0.weight", "generator.network.synthesis.b16.conv0.weight"} <= weights
    for text in ("mapping:3", "generator", "eyes:4"):
        with pytest.raises(RunError, match="must be mapping, generator:SIZE or discriminator:SIZE"):
            Freeze.parse(text)
    with pytest.raises(RunError, match="leaves nothing"):
        begun(tmp_path / "none", replace(SMALL, freeze=Freeze(True, 16)))


def test_distillation_follows_the_teacher(tmp_path: Path) -> None:
    settings = replace(SMALL, teacher=1.0, rate=0.01, average=16.0)
    run = begun(tmp_path / "run", settings)
    learnt(run, 480)
    losses = [line["teacher"] for line in lines(tmp_path / "run")]
    assert np.mean(losses[-5:]) < 0.6 * np.mean(losses[:5])
    learnt(begun(tmp_path / "dark", replace(settings, teacher_gamma=2.2)), 16)
    assert lines(tmp_path / "dark")[0]["teacher"] != losses[0]
    assert run.state.discriminator is None and "discriminator" not in lines(tmp_path / "run")[0]
    both = begun(tmp_path / "both", replace(SMALL, teacher=0.5, head_start=0), begun_from=tmp_path / "run")
    learnt(both, 16)
    assert {"teacher", "generator", "discriminator"} <= lines(tmp_path / "both")[0].keys()


def test_a_grown_generator_gets_a_head_start(tmp_path: Path) -> None:
    learnt(begun(tmp_path / "small"), 16)
    settings = replace(SMALL, size=(32, 32), head_start=16)
    run = begun(tmp_path / "big", settings, dataset=Discs(side=32), begun_from=tmp_path / "small", grow=True)
    judge = tensors(tmp_path / "small")
    assert torch.equal(run.state.discriminator.b8.conv1.weight, judge["discriminator.b8.conv1.weight"])
    before = {name: value.clone() for name, value in run.state.generator.state_dict().items()}
    learnt(run, 16)
    assert all(torch.equal(value, before[name]) for name, value in run.state.generator.state_dict().items())
    assert "generator" not in lines(tmp_path / "big")[0]
    learnt(run, 24)
    assert any(
        not torch.equal(value, before[name]) for name, value in run.state.generator.state_dict().items()
    )


def test_the_discriminator_of_an_official_file_is_used(tmp_path: Path) -> None:
    learnt(begun(tmp_path / "run"), 16)
    run = resumed(tmp_path / "run")
    file = tmp_path / "network.pt"
    torch.save(
        {"D": run.state.discriminator.state_dict(), "G_ema": run.state.average.network.state_dict()}, file
    )
    again = begun(tmp_path / "again", begun_from=file)
    for name, value in again.state.discriminator.state_dict().items():
        assert torch.equal(value, run.state.discriminator.state_dict()[name])


def test_training_starts_from_a_model_of_another_project(tmp_path: Path) -> None:
    file = DATA / "reference/rosinality-64-narrow.pt"
    settings = replace(SMALL, size=(64, 64), batch=4, head_start=4)
    run = begun(tmp_path / "run", settings, dataset=Discs(side=64), begun_from=file)
    own = generators.weights_of(file)
    assert run.settings.mapping == 4 and run.state.generator.config.channels == own.config.channels
    z = RandomStreams(0).normal("z", [0], own.config.z_dim)
    model = generators.open(own, "cpu", "float32")
    ws = np.repeat(model.map(z.numpy()), model.space.num_ws, 0)
    drawn = runs.to_pixels(run.state.average.shown(z)).numpy()[0]
    assert np.abs(drawn.astype(int) - model.synthesise(ws)).max() <= 1
    model.close()
    learnt(run, 8)
    assert "licence" in Model.read(tmp_path / "run/latest.safetensors").notes
