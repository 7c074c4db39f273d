"""Runs: started, killed, resumed, damaged, and their files."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from perform import generators
from perform.generators.model import Model
from perform.training import checkpoint as states
from perform.training.loader import BATCHES_AHEAD, DataLoader
from perform.training.metrics.evaluator import Measurement
from perform.training.random_streams import RandomStreams
from perform.training.run import TrainingRun
from perform.training.run_folder import TrainingFolder
from perform.training.settings import Freeze, RunError, TrainingSettings, read_settings
from tests.doubles.discs import Discs
from tests.doubles.disks import largest_file
from tests.doubles.runs import DCGAN, SMALL, begun, learnt, lines, resumed, tensors
from tests.folders import ROOT

pytestmark = pytest.mark.usefixtures("frequent_log")


def same(one: Path, other: Path) -> bool:
    """Whether two runs are in the same state, to the last bit."""
    first, second = tensors(one), tensors(other)
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("settings", [SMALL, DCGAN], ids=["stylegan2", "dcgan"])
def test_an_interrupted_run_resumes_exactly(tmp_path: Path, settings: TrainingSettings) -> None:
    learnt(begun(tmp_path / "whole", settings), 160)
    learnt(begun(tmp_path / "parts", settings), 72)  # between two lines of the log
    for _ in range(2):
        reason = learnt(resumed(tmp_path / "parts"), 160)
    assert reason == "learnt from 160 pictures"
    assert lines(tmp_path / "parts") == lines(tmp_path / "whole")
    assert same(tmp_path / "parts", tmp_path / "whole")
    assert len(lines(tmp_path / "whole")) == 10
    kept = sorted(file.name for file in (tmp_path / "whole/checkpoints").iterdir())
    assert kept == ["000000128.safetensors", "000000160.safetensors"]
    sheets = sorted(file.name for file in (tmp_path / "whole/samples").iterdir())
    assert sheets == ["000000000.jpg", "000000064.jpg", "000000128.jpg", "000000160.jpg"]
    model = generators.open(tmp_path / "whole/latest.safetensors", "cpu")
    assert model.size == (16, 16)
    model.close()


DEATH = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from tests.doubles import runs
from perform.training import run
from safetensors import torch as safetensors
run.LOG_EVERY = 2
whole = safetensors.save_file
def half(tensors, path, metadata):
    whole(tensors, path, metadata)
    if "000000128" in str(path):
        with open(path, "r+b") as file:
            file.truncate(5000)
        os.kill(os.getpid(), signal.SIGKILL)
safetensors.save_file = half
made = runs.begun(Path({folder!r}))
runs.learnt(made, 160)
"""


def test_a_run_killed_while_it_writes_resumes_exactly(tmp_path: Path) -> None:
    script = DEATH.format(root=str(ROOT), folder=str(tmp_path / "killed"))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with (tmp_path / "killed/log.jsonl").open("a") as log:
        log.write('{"pictures": 13')  # what a kill in the middle of a line leaves
    assert [file.suffix for file in (tmp_path / "killed/checkpoints").glob("*128*")] == [".part"]
    (tmp_path / "killed/checkpoints/.tmpXYZ").touch()
    learnt(resumed(tmp_path / "killed"), 160)
    left = sorted(file.name for file in (tmp_path / "killed/checkpoints").iterdir())
    assert left == ["000000128.safetensors", "000000160.safetensors"]
    learnt(begun(tmp_path / "whole"), 160)
    assert lines(tmp_path / "killed") == lines(tmp_path / "whole")
    assert same(tmp_path / "killed", tmp_path / "whole")


def test_ctrl_c_saves_and_ends(tmp_path: Path) -> None:
    told: list[int] = []

    def tell(line: Mapping[str, float]) -> None:
        told.append(int(line["pictures"]))
        if len(told) == 3:
            signal.raise_signal(signal.SIGINT)

    before = signal.getsignal(signal.SIGINT)
    reason = learnt(begun(tmp_path / "run"), 1000, tell)
    assert reason == "interrupted after 48 pictures"
    assert TrainingFolder(tmp_path / "run").checkpoints()[-1].stem == "000000048"
    assert signal.getsignal(signal.SIGINT) is before


def test_an_infinite_loss_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = begun(tmp_path / "run")
    learnt(made, 64)
    before = tensors(tmp_path / "run")
    again = resumed(tmp_path / "run")
    again.settings = again.settings = replace(again.settings, rate=0.9)
    for optimiser in again.state.optimisers.values():
        optimiser.param_groups[0]["lr"] = 1e30
    with pytest.raises(RunError, match=r"is (nan|inf|no longer finite).*000000064\.safetensors.*--rate"):
        learnt(again, 1000)
    after = tensors(tmp_path / "run")
    assert all(torch.equal(before[name], after[name]) for name in before)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are of POSIX")
def test_a_full_disk_leaves_the_last_good_state(tmp_path: Path) -> None:
    learnt(begun(tmp_path / "run"), 64)
    again = resumed(tmp_path / "run")
    with (
        largest_file(20_000),
        pytest.raises(OSError, match=r"000000128\.safetensors cannot be written: File too large; ") as raised,
    ):
        learnt(again, 1000)
    assert str(raised.value).endswith(
        f"; the last good state is {tmp_path}/run/checkpoints/000000064.safetensors"
    )
    left = [file.name for file in (tmp_path / "run/checkpoints").iterdir()]
    assert sorted(left) == ["000000000.safetensors", "000000064.safetensors"]
    learnt(resumed(tmp_path / "run"), 128)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of files are of POSIX")
def test_a_run_that_could_save_nothing_begins_again_in_its_folder(tmp_path: Path) -> None:
    made = begun(tmp_path / "run")
    with largest_file(20_000), pytest.raises(OSError, match=r"File too large; nothing was saved before$"):
        learnt(made, 64)
    with pytest.raises(RunError, match="no checkpoint yet: give the command again that began it"):
        resumed(tmp_path / "run")
    learnt(begun(tmp_path / "run"), 64)
    learnt(begun(tmp_path / "whole"), 64)
    assert same(tmp_path / "run", tmp_path / "whole")


def test_impossible_settings_are_reported(tmp_path: Path) -> None:
    learnt(begun(tmp_path / "run"), 8)
    model = tmp_path / "run/latest.safetensors"
    with pytest.raises(RunError, match="holds a run already"):
        begun(tmp_path / "run")
    big = replace(SMALL, size=(32, 32))
    with pytest.raises(RunError, match="pictures are 16x16, those to learn from 32x32: --grow doubles it"):
        begun(tmp_path / "a", big, dataset=Discs(side=32), begun_from=model)
    with pytest.raises(RunError, match="pictures are 32x32 when grown, those to learn from 16x16"):
        begun(tmp_path / "b", begun_from=model, grow=True)
    with pytest.raises(RunError, match="size 32x32, but the dataset has 48x48"):
        begun(tmp_path / "c", big, dataset=Discs(side=48))
    with pytest.raises(RunError, match="a stylegan2, but you train a dcgan"):
        begun(tmp_path / "d", DCGAN, begun_from=model)
    with pytest.raises(RunError, match="has digest discs 65 16, that of the run discs 64 16"):
        TrainingRun(tmp_path / "run", Discs(count=65)).resume()
    with pytest.raises(RunError, match="no run to resume"):
        resumed(tmp_path / "e")
    with pytest.raises(RunError, match="latent of every picture"):
        begun(tmp_path / "f", replace(SMALL, teacher=0.5), dataset=Discs(latents=False))
    with pytest.raises(RunError, match=r"z_dim = 1, must be \d+ or more"):
        begun(tmp_path / "f", replace(SMALL, teacher=0.5, z_dim=1))
    assert not (tmp_path / "f").exists()
    with pytest.raises(RunError, match=r"\[8, 4, 4, 2, 2\] are asked for, but .* has \[8, 8, 8, 4, 4\]"):
        begun(tmp_path / "h", replace(SMALL, channels=(32, 8)), begun_from=model, strict=True)
    for wrong in ({"batch": 1}, {"channels": (8, 8)}, {"size": (17, 17)}, {"rate": float("nan")}):
        with pytest.raises(RunError, match=r"(batch|channels|size|rate).*must be"):
            begun(tmp_path / "g", replace(SMALL, **wrong))


def test_a_damaged_checkpoint_is_replaced_by_the_one_before(tmp_path: Path) -> None:
    learnt(begun(tmp_path / "run"), 64)
    newest = TrainingFolder(tmp_path / "run").checkpoints()[-1]
    newest.write_bytes(newest.read_bytes()[:100])
    assert resumed(tmp_path / "run").state.pictures == 0
    found = TrainingFolder(tmp_path / "run").newest()
    assert found is not None and found.stem == "000000000"
    with pytest.raises(RunError, match="not a checkpoint of a run"):
        states.checkpoint_metadata(tmp_path / "run/latest.safetensors")


def test_metrics_are_logged_and_the_best_model_is_kept(tmp_path: Path) -> None:
    figures = iter([3.0, 2.0, 5.0])

    def measure(generator: generators.Generator, dataset: Any) -> Measurement:
        picture = generator.synthesise(np.zeros((generator.space.num_ws, generator.space.w_dim), np.float32))
        assert picture.shape == (16, 16, 3) and len(dataset) == 64
        return Measurement({"distance": next(figures), "other": 1.0}, picture)

    learnt(begun(tmp_path / "run", replace(SMALL, measure_every=32), metrics=measure), 96)
    assert [line["distance"] for line in lines(tmp_path / "run") if "distance" in line] == [3.0, 2.0, 5.0]
    assert len(list((tmp_path / "run/samples").glob("neighbours-*.jpg"))) == 3
    assert "after 64 pictures" in Model.read(tmp_path / "run/best.safetensors").notes["title"]
    assert "after 96 pictures" in Model.read(tmp_path / "run/latest.safetensors").notes["title"]


def test_augmentation_follows_the_overfitting_of_the_discriminator(tmp_path: Path) -> None:
    run = begun(tmp_path / "run", replace(SMALL, target=-0.99))
    learnt(run, 64)
    assert run.state.p == pytest.approx(2 * 4 * 8 / 2000)
    fixed = begun(tmp_path / "fixed", replace(SMALL, augment=0.3))
    learnt(fixed, 64)
    assert fixed.state.p == 0.3


def test_settings_survive_a_round_trip_as_text() -> None:
    settings = replace(SMALL, freeze=Freeze(True, 8), mirror=True)
    assert read_settings(settings.text()) == settings
    with pytest.raises(RunError, match="no readable settings"):
        read_settings("{}")


def test_the_loader_reads_few_batches_ahead() -> None:
    read: list[int] = []

    class Counted(Discs):
        def picture(self, number: int, /) -> NDArray[np.uint8]:
            read.append(number)
            return super().picture(number)

    loader = DataLoader(Counted(count=100), replace(SMALL, size=(8, 8)), RandomStreams(0))
    for first in range(0, 20, 4):
        loader.batch(range(first, first + 4), 4)
    loader.close()
    assert 20 <= len(read) == len({*read}) <= 20 + 4 * BATCHES_AHEAD


def test_the_loader_gives_every_picture_once_per_epoch() -> None:
    loader = DataLoader(Discs(count=10), replace(SMALL, size=(8, 8), teacher=1.0), RandomStreams(0))
    try:
        assert sorted(loader.number(sample) for sample in range(10)) == list(range(10))
        assert [loader.number(n) for n in range(10)] != [loader.number(n) for n in range(10, 20)]
        for _ in range(2):  # read, and kept
            batch = loader.batch(range(8, 12), 4)
            number = loader.number(9)
            wanted = Discs().picture(number).reshape(8, 2, 8, 2, 3).mean((1, 3)).round()
            np.testing.assert_array_equal(batch.pictures[1].permute(1, 2, 0), wanted)
            assert batch.latents is not None
            np.testing.assert_array_equal(batch.latents[1], Discs().latent(number))
    finally:
        loader.close()
    mirrored = DataLoader(Discs(count=64), replace(SMALL, size=(16, 16), mirror=True), RandomStreams(0))
    try:
        batch = mirrored.batch(range(64), 64)
        plain = [Discs().picture(mirrored.number(n)).transpose(2, 0, 1) for n in range(64)]
        turned = sum(not np.array_equal(a, b) for a, b in zip(batch.pictures.numpy(), plain, strict=True))
        assert 16 < turned < 48
    finally:
        mirrored.close()


TWO = """
import os, sys
from pathlib import Path
sys.path.insert(0, {root!r})
from torch import distributed
from tests.doubles import runs
from perform.training import run
from perform.training.process_group import ProcessGroup
run.LOG_EVERY = 2
ProcessGroup.leave = lambda group: None  # they cannot join a second time
for name in ("SMALL", "DCGAN"):
    runs.learnt(runs.begun(Path({folder!r}) / name, getattr(runs, name)), 80)
distributed.barrier()
os._exit(0)  # to leave one after the other has left crashed, sometimes
"""


@pytest.fixture(scope="module")
def trained_by_two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the runs of a pair of processes, one of each kind of network."""
    folder = tmp_path_factory.mktemp("two")
    script = folder / "two.py"
    script.write_text(TWO.format(root=str(ROOT), folder=str(folder)))
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--nproc-per-node=2",
        "--standalone",
        str(script),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return folder


@pytest.mark.parametrize("settings", ["SMALL", "DCGAN"])
def test_two_processes_train_like_one(tmp_path: Path, trained_by_two: Path, settings: str) -> None:
    learnt(begun(tmp_path / "one", globals()[settings]), 80)
    one, two = lines(tmp_path / "one"), lines(trained_by_two / settings)
    assert len(one) == len(two) == 5
    for alone, together in zip(one, two, strict=True):
        assert together == pytest.approx(alone, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
@pytest.mark.parametrize("settings", [SMALL, DCGAN], ids=["stylegan2", "dcgan"])
def test_training_works_in_reduced_precision(
    tmp_path: Path, settings: TrainingSettings, precision: str
) -> None:
    learnt(begun(tmp_path / "half", replace(settings, precision=precision)), 32)
    learnt(begun(tmp_path / "whole", settings), 32)
    for half, whole in zip(lines(tmp_path / "half"), lines(tmp_path / "whole"), strict=True):
        assert half["discriminator"] == pytest.approx(whole["discriminator"], rel=0.1)
