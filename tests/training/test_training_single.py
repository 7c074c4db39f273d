"""Training from one picture: it learns, resumes exactly, and its model plays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.numpy import load_file
from typer import echo
from typer.testing import CliRunner

from perform import generators
from perform.commands.single import kinds
from perform.generators import dcgan
from perform.generators.model import Model
from perform.networks.modelfiles import read_weights, write_weights
from perform.sampling.pictures import encode_png
from perform.training.single import SingleSettings
from perform.training.single.pyramid import fit_pictures, read_picture, sizes
from perform.training.single.run import SingleRun, begin_run, open_run
from perform.training.single.scale import ScaleLosses, ScaleTrainer

SMALL = SingleSettings(
    size=(32, 24), coarsest=8, scales=3, width=6, depth=3, steps=6, crop=16, pool=3, every=4
)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def painted(folder: Path, name: str = "a.png", size: tuple[int, int] = (40, 30), turn: float = 0.0) -> Path:
    """A picture of stripes on a slope of colour."""
    x, y = np.meshgrid(np.linspace(0, 1, size[0]), np.linspace(0, 1, size[1]))
    stripes = np.stack([np.sin(20 * x + turn), y * 2 - 1, np.cos(14 * (x + y))], -1)
    (folder / name).write_bytes(encode_png(np.uint8(127.5 * (stripes + 1))))
    return folder / name


class KilledError(Exception):
    """In place of anything that ends a process."""


def same(one: Path, other: Path) -> bool:
    """Whether two files hold the same tensors, to the last bit."""
    a, b = load_file(one), load_file(other)
    return a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)


def finished(run: SingleRun) -> Path:
    """The model of a finished run."""
    assert run.train()
    return run.folder.latest


def killed_at(scale: int, step: int) -> Any:
    def report(at: int, done: int, losses: ScaleLosses) -> None:
        if (at, done) == (scale, step):
            raise KilledError

    return report


def test_a_killed_run_resumes_exactly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.training.single.run.LOG_EVERY", 1)
    picture = painted(tmp_path)
    whole = finished(begin_run([picture], tmp_path / "whole", SMALL))
    run = begin_run([picture], tmp_path / "killed", SMALL)
    for place in ((0, 3), (0, 5), (1, 6), (2, 2)):
        with pytest.raises(KilledError):
            run.train(killed_at(*place))
        run = SingleRun(tmp_path / "killed")
    assert same(finished(run), whole)
    assert same(*(tmp_path / name / "checkpoints" / "02-000006.safetensors" for name in ("whole", "killed")))
    assert same(finished(SingleRun(tmp_path / "killed")), whole)  # nothing is left to train


def test_another_seed_trains_another_network(tmp_path: Path) -> None:
    picture = painted(tmp_path)
    one, other = (
        load_file(finished(begin_run([picture], tmp_path / str(seed), replace(SMALL, seed=seed, steps=1))))
        for seed in (0, 1)
    )
    assert not np.array_equal(one["scale0.conv0.weight"], other["scale0.conv0.weight"])


def test_the_model_draws_the_picture_of_the_training(tmp_path: Path) -> None:
    run = begin_run([painted(tmp_path)], tmp_path / "run", SMALL)
    model = finished(run)
    assert Model.read(model).size == (32, 24)
    unit = generators.open(model, "cpu", "float32", threads=1)
    ws = np.repeat(unit.mean()[None], unit.space.num_ws, 0)
    told = ((run.reconstruct(3)[0].permute(1, 2, 0) * 127.5 + 128).clamp(0, 255)).to(torch.uint8).numpy()
    assert np.abs(unit.synthesise(ws).astype(int) - told).max() <= 1
    z = np.random.default_rng(1).standard_normal((1, unit.space.z_dim), np.float32)
    free = unit.synthesise(np.repeat(unit.map(z), unit.space.num_ws, 0))
    assert np.abs(free.astype(int) - told).mean() > 1
    unit.close()


def test_training_learns_the_picture(tmp_path: Path) -> None:
    options = replace(SMALL, steps=60, every=60, width=10, scales=2, rate=2e-3, fidelity=100.0)
    run = begin_run([painted(tmp_path)], tmp_path / "run", options)
    before = float((run.reconstruct(2) - run.real).square().mean())
    run.train()
    after = float((run.reconstruct(2) - run.real).square().mean())
    assert after < 0.4 * before
    lines = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert [(line["scale"], line["step"]) for line in lines] == [(s, i) for s in (0, 1) for i in (20, 40, 60)]
    assert lines[2]["likeness"] < lines[0]["likeness"]
    assert len([*(tmp_path / "run" / "samples").iterdir()]) == 2


def test_frames_become_classes(tmp_path: Path) -> None:
    pictures = [painted(tmp_path, f"{i}.png", turn=float(i)) for i in range(2)]
    run = begin_run(pictures, tmp_path / "run", replace(SMALL, steps=2))
    unit = generators.open(finished(run), "cpu", "float32", threads=1)
    assert unit.space.c_dim == 2
    ends = [unit.mean(np.float32([label])) for label in ((1, 0), (0, 1))]
    assert not np.array_equal(*ends)
    unit.close()


def test_an_invalid_loss_stops_training_and_keeps_the_last_good_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begin_run([painted(tmp_path)], tmp_path / "run", replace(SMALL, every=2))
    step = ScaleTrainer.step
    wrong = ScaleLosses(1.0, float("nan"), 0.0)
    monkeypatch.setattr(
        ScaleTrainer, "step", lambda self, done, draw: wrong if done == 3 else step(self, done, draw)
    )
    with pytest.raises(ValueError, match="must be finite; the last checkpoint is kept"):
        run.train()
    monkeypatch.undo()
    again = SingleRun(tmp_path / "run")
    assert (again.scale, again.step) == (0, 2)
    whole = begin_run([painted(tmp_path)], tmp_path / "whole", replace(SMALL, every=2))
    assert same(finished(again), finished(whole))


def test_the_pyramid_has_its_sizes() -> None:
    assert sizes((256, 128), SingleSettings()) == (
        (20, 40),
        (26, 53),
        (36, 72),
        (50, 100),
        (74, 148),
        (128, 256),
    )
    assert sizes((64, 64), SingleSettings(scales=3)) == ((20, 20), (33, 33), (64, 64))
    assert sizes((16, 16), SingleSettings()) == ((16, 16), (16, 16))


def test_pictures_are_cropped_at_their_centre() -> None:
    picture = np.zeros((40, 80, 3), np.uint8)
    picture[:, 20:60] = 255
    assert fit_pictures([picture], (32, 32)).shape == (1, 3, 32, 32)
    assert float(fit_pictures([picture], (32, 32)).min()) > 0.999
    assert fit_pictures([picture], None).shape == (1, 3, 40, 80)
    assert fit_pictures([np.zeros((300, 600, 3), np.uint8)], None).shape == (1, 3, 128, 256)


@pytest.mark.parametrize(
    ("size", "wanted", "said"),
    [
        ((12, 40), None, r"a\.png is 12x40, must have 16 pixels a side or more"),
        ((40, 30), (64, 64), r"a\.png is 40x30, must be 64x64 or larger"),
    ],
)
def test_a_small_picture_is_rejected(tmp_path: Path, size: Any, wanted: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        begin_run([painted(tmp_path, size=size)], tmp_path / "run", replace(SMALL, size=wanted))
    assert not (tmp_path / "run").exists()


def test_a_file_that_is_no_picture_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_text("no picture")
    with pytest.raises(ValueError, match=r"a\.png is not readable as a picture: damaged or cut off"):
        read_picture(tmp_path / "a.png")
    with pytest.raises(ValueError, match=r"b\.png is not a file, must be a picture"):
        read_picture(tmp_path / "b.png")


def test_pictures_of_every_format_are_read(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 40 * 30).reshape(30, 40).astype(np.uint16)
    Image.fromarray(deep).save(tmp_path / "deep.png")
    Image.open(painted(tmp_path)).convert("CMYK").save(tmp_path / "cmyk.tif")
    turned = Image.Exif()
    turned[0x112] = 6
    Image.open(tmp_path / "a.png").save(tmp_path / "turned.jpg", exif=turned)
    assert read_picture(tmp_path / "deep.png").std() > 60
    assert read_picture(tmp_path / "cmyk.tif").shape == (30, 40, 3)
    assert read_picture(tmp_path / "turned.jpg").shape == (40, 30, 3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"steps": 0}, "steps = 0, must be 1..1000000"),
        ({"size": (8, 32)}, "size = 8x32, must be 16..2048 pixels a side"),
        ({"ground": (1, 21)}, "ground = 1x21, must be 1..20 colours a side"),
        ({"scales": 1}, "scales = 1, must be 2..16"),
        ({"coarsest": 10}, "coarsest = 10, must be 11 or more"),
        ({"rate": float("nan")}, "rate = nan, must be a number of 0 or more"),
    ],
)
def test_an_option_out_of_range_is_rejected(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        SingleSettings(**given)


def test_a_run_resumes_only_with_its_own_settings(tmp_path: Path) -> None:
    picture, folder = painted(tmp_path), tmp_path / "run"
    with pytest.raises(ValueError, match="run has no run; give a picture to begin one"):
        open_run([], folder, {})
    assert isinstance(open_run([picture], folder, {"steps": 3, "size": (32, 24)}), SingleRun)
    assert open_run([picture], folder, {"steps": 3, "size": (32, 24)}).options.steps == 3
    with pytest.raises(ValueError, match=r"steps = 4, but the run in .* was begun with 3"):
        open_run([], folder, {"steps": 4})
    with pytest.raises(ValueError, match="has another picture; give another folder"):
        open_run([painted(tmp_path, "b.png", turn=1.0)], folder, {})
    (folder / "checkpoints" / "01-000003.safetensors").write_bytes(b"none")
    with pytest.raises(ValueError, match=r"01-000003\.safetensors is not readable as a checkpoint"):
        open_run([], folder, {})
    for text in ('{"kind": "other", "format": 1}', "[]"):
        (folder / "run.json").write_text(text)
        with pytest.raises(ValueError, match=f"not a run from a picture: perform train --resume {folder} c"):
            open_run([], folder, {})


def test_commands_train_and_stretch_a_model(tmp_path: Path) -> None:
    def train(kind: str, size: int = 3) -> None:
        echo(f"learns {kind} of {size}")

    app, runner = kinds(train), CliRunner()
    assert "learns dcgan of 4" in runner.invoke(app, ["dcgan", "--size", "4"]).output
    picture, folder = str(painted(tmp_path)), tmp_path / "run"
    small = ["--size=32x24", "--coarsest=11", "--scales=2", "--width=4", "--steps=2", "--crop=16"]
    made = runner.invoke(app, ["single", picture, str(folder), *small])
    assert made.exit_code == 0, made.output
    assert "scale 1 of 2, 15x11\nscale 2 of 2, 32x24\n" in made.output
    assert "latest.safetensors can be played" in made.output
    assert runner.invoke(app, ["single", str(folder)]).exit_code == 0
    wide = runner.invoke(app, ["stretch", str(folder), str(tmp_path / "w.safetensors"), "--size=96x24"])
    assert wide.exit_code == 0, wide.output
    assert read_weights(tmp_path / "w.safetensors").config.size == (96, 24)
    wrong = runner.invoke(app, ["single", str(tmp_path / "no.png"), str(tmp_path / "other")])
    assert wrong.exit_code == 1
    assert "no.png is not a file, must be a picture" in wrong.output
    write_weights(tmp_path / "d.safetensors", dcgan.untrained(16, 8))
    other = runner.invoke(
        app, ["stretch", str(tmp_path / "d.safetensors"), str(tmp_path / "x.safetensors"), "--size", "96x24"]
    )
    assert "is of family dcgan, must be singan" in other.output


def test_the_ground_has_the_mean_colours_of_the_picture(tmp_path: Path) -> None:
    run = begin_run([painted(tmp_path)], tmp_path / "run", replace(SMALL, ground=(1, 6)))
    means = run.real[0].reshape(3, 6, 4, 32).mean((2, 3))
    assert torch.allclose(run.network.base[0, :, :, 0], means, atol=1e-6)
    assert float(means[1, 0]) < -0.7 < 0.7 < float(means[1, 5])


def test_training_noise_is_the_noise_of_play(tmp_path: Path) -> None:
    run = begin_run([painted(tmp_path)], tmp_path / "run", SMALL)
    trainer = None
    for scale in range(2):
        run.scale, run._trained = scale, trainer.state() if trainer else {}
        trainer = run._trainer()
        # the noise is only in pictures that training drops: nothing else shows it
        noise = trainer._noise(trainer.data.before, torch.Generator().manual_seed(1))
        assert noise.shape == trainer.data.before.shape
        assert torch.equal(noise[:, 0], noise[:, 1]) == (scale == 0)
        assert float(noise.square().mean()) == pytest.approx(1, abs=0.1)
    amplitudes = [float(run.network.get_buffer(f"scale{scale}.amplitude")) for scale in range(2)]
    assert amplitudes[0] > 5 * amplitudes[1] > 0
