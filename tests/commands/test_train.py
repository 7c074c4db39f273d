"""`perform train` on the command line."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from perform.cli import app
from perform.terminal import program
from perform.training import run as runs
from perform.training.metrics import evaluator
from tests.doubles.command import start
from tests.doubles.discs import Discs
from tests.doubles.reels import write_film

SMALL = ["--channels=64,8", "--z-dim=8", "--batch=8", "--snapshot-every=16", "--threads=1", "--device=cpu"]


@pytest.fixture
def pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of pictures, with wide terminals and frequent lines."""
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setattr(runs, "LOG_EVERY", 2)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in range(20):
        Image.fromarray(Discs().picture(number)).save(folder / f"{number:02}.png")
    return folder


def run(*words: object, expect: int = 0) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == expect, done.output
    return done.output


@pytest.mark.parametrize("kind", ["stylegan2", "dcgan"])
def test_train_continues_and_samples_a_run(pictures: Path, tmp_path: Path, kind: str) -> None:
    own = ["--w-dim", 8, "--mapping", 2] if kind == "stylegan2" else []
    folder = tmp_path / "run"
    told = run("train", kind, pictures, folder, *SMALL, *own, "--pictures", 32)
    assert "32 pictures, " in told and "discriminator" in told
    assert f"learnt from 32 pictures: {folder / 'latest.safetensors'}" in told
    said = json.loads((folder / "run.json").read_text())
    assert said["dataset"]["path"] == str(pictures) and said["settings"]["kind"] == kind
    assert said["dataset"]["pictures"] == 20 and {"torch", "perform"} <= said["versions"].keys()
    assert "learnt from 48 pictures" in run("train", "--resume", folder, "--pictures", 48)
    model = folder / "latest.safetensors"
    shown = json.loads(run("models", "info", model, "--no-measure", "--json"))
    assert (shown["family"], shown["width"], shown["height"]) == (kind, 16, 16)
    run("models", "sample", model, "--seeds", "0-1", "--out", tmp_path / "drawn")
    assert len(list((tmp_path / "drawn").glob("*.png"))) == 2


def test_ctrl_c_after_the_first_step_saves_and_says_so(pictures: Path, tmp_path: Path) -> None:
    words = ["train", "dcgan", str(pictures), str(tmp_path / "run"), *SMALL]
    training = start(
        *words,
        env=None,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert training.stderr is not None and training.stdout is not None
    assert training.stderr.readline() == "the first step is done: 8 pictures in each\n"
    training.send_signal(signal.SIGINT)
    told, _ = training.communicate(timeout=60)
    assert training.returncode == 130
    assert "interrupted after" in told and (tmp_path / "run/latest.safetensors").exists()


def test_one_command_trains_on_a_film(pictures: Path, tmp_path: Path) -> None:
    film, folder = write_film(tmp_path / "fear.mp4", frames=24), tmp_path / "run"
    told = run("train", "dcgan", film, folder, *SMALL, "--size", "16x16", "--pictures", 16)
    assert "learnt from 16 pictures" in told
    said = json.loads((folder / "run.json").read_text())["dataset"]
    assert said["path"] == str(folder / "dataset") and said["pictures"] == 24
    assert "holds a run already: --resume" in run(
        "train", "dcgan", film, folder, *SMALL, "--size", "16x16", expect=1
    )
    assert "learnt from 24 pictures" in run("train", "--resume", folder, "--pictures", 24)
    moved = folder.rename(tmp_path / "other run")  # with its dataset
    told = run("train", "--resume", moved, "--minutes", 0.01)
    assert told.endswith(f"to continue: {program()} train --resume '{moved}'\n")
    (moved / "dataset").rename(tmp_path / "elsewhere")
    said = run("train", "--resume", moved, expect=1)
    assert f"{folder / 'dataset'}: there is no such folder; it is the dataset of {moved}: put it back" in said


def test_a_path_that_is_neither_dataset_nor_film_is_reported(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("tulips", encoding="ascii")
    told = run("train", "dcgan", text, tmp_path / "run", expect=1)
    assert "notes.txt" in told and told.count("perform: ") == 1
    assert "must be one of stylegan2, dcgan" in run("train", "gan", text, tmp_path / "run", expect=1)
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert "perform dataset film makes" in run("train", "dcgan", text, tmp_path / "run", expect=1)


def test_metrics_are_computed_during_training(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluator, "SAMPLES", 12)
    own = ["--w-dim=8", "--mapping=2", "--measure-every=16", "--pictures=32"]
    run("train", "stylegan2", pictures, tmp_path / "run", *SMALL, *own)
    log = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    figures = [line for line in log if "frechet" in line]
    assert [line["pictures"] for line in figures] == [16, 32]
    assert figures[0]["frechet"] > 0 and figures[0]["novelty"] > 0
    sheet = Image.open(tmp_path / "run/samples/neighbours-000000032.jpg")
    assert sheet.width == 8 * 16 + 7 * 4
    lost = ["train", "dcgan", pictures, tmp_path / "other", *SMALL, f"--features={tmp_path / 'lost.onnx'}"]
    assert "lost.onnx" in run(*lost, expect=1)


@pytest.mark.parametrize(
    ("words", "usage"),
    [
        ([], "perform train [OPTIONS] [MODEL_KIND] [DATASET] [RUN_FOLDER]"),
        (["stylegan2"], "perform train [OPTIONS] [MODEL_KIND] [DATASET] [RUN_FOLDER]"),
        (["single"], "perform train single [OPTIONS] [PICTURE]... {RUN}"),
        (["stretch"], "perform train stretch [OPTIONS] {model} {to}"),
    ],
)
def test_the_usage_is_the_command(words: list[str], usage: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    lines = CliRunner().invoke(app, ["train", *words, "--help"], prog_name="perform").output.splitlines()
    assert next(line.strip() for line in lines if "Usage" in line) == f"Usage: {usage}"


def test_impossible_options_give_a_clear_error(pictures: Path, tmp_path: Path) -> None:
    def told(*words: object) -> str:
        found = run("train", *words, expect=1)
        assert found.startswith("perform: ") and found.count("\n") == 1
        return found

    folder = tmp_path / "run"
    assert "give MODEL_KIND, DATASET and RUN_FOLDER" in told()
    assert "model kind 'gan', must be one of stylegan2, dcgan" in told("gan", pictures, folder)
    assert "there is no such folder" in told("dcgan", tmp_path / "none", folder)
    assert "channels '8', must be BASE,MOST" in told("dcgan", pictures, folder, "--channels", "8")
    assert "augment 'much', must be auto, none or" in told("dcgan", pictures, folder, "--augment", "much")
    assert "precision = 'int8', must be one of" in told("dcgan", pictures, folder, "--precision", "int8")
    assert "keeps all settings" in told("dcgan", "--resume", folder)
    assert "no run to resume" in told("--resume", folder)
    (folder.with_name("one")).mkdir()
    (folder.with_name("one") / "run.json").write_text('{"kind": "single"}')
    assert "one is a run from a picture: perform train single" in told("--resume", folder.with_name("one"))
    assert "--grow needs --from" in told("stylegan2", pictures, folder, "--grow")
    assert "there is no such file" in told("stylegan2", pictures, folder, "--from", tmp_path / "no.pkl")
    assert not folder.exists()
    builtin = told("stylegan2", pictures, folder, "--from", "untrained-small")
    sizes = "its pictures are 256x256, those to learn from 16x16"
    assert builtin == f"perform: --from untrained-small: {sizes}: make the dataset with --size 256x256\n"
