"""A run that teaches the beat tracker: it makes its music, learns, continues, and its network plays."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from typer.testing import CliRunner

from perform.commands.single import kinds
from perform.rhythm.features import MEL_BANDS
from perform.rhythm.hearing import INPUTS, BeatHearing, read_weights
from perform.training.beats.examples import Example
from perform.training.beats.network import BeatNetwork
from perform.training.beats.recording import FluidSynth
from perform.training.beats.run import BeatFolder, BeatRun, BeatSettings, begin_or_continue, make_music
from tests.doubles.waiting import needs

SMALL = BeatSettings(pieces=6, steps=4, lanes=2, hops=100, rate=1e-3)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def music(folder: BeatFolder) -> None:
    """Made examples of twenty seconds in which every beat is a loud hop."""
    folder.examples.mkdir(parents=True)
    for number in range(SMALL.pieces):
        random = np.random.default_rng(number)
        seen = random.random((2000, INPUTS)) * 0.1
        wanted = np.zeros((2000, 2))
        beats = np.arange(20, 1990, int(random.integers(30, 60)))
        seen[beats, :MEL_BANDS] += 3
        wanted[beats + 2, 0] = wanted[beats[::4] + 2, 1] = 1
        np.savez(folder.examples / f"{number:05d}.npz", heard=seen, targets=wanted)


def test_numpy_computes_what_torch_learned() -> None:
    network = BeatNetwork()
    seen = np.random.default_rng(0).random((50, INPUTS), np.float32)
    with torch.no_grad():
        heard = torch.tensor(seen)[None]
        logits, _ = network(heard, network.silent(1), torch.zeros_like(heard[:, :1]))
    hearing = BeatHearing({name: one.numpy() for name, one in network.state_dict().items()})
    ours = np.stack([hearing.hear(hop) for hop in seen])
    assert np.abs(ours - torch.sigmoid(logits[0]).numpy()).max() < 1e-5


def test_a_run_learns_and_continues(tmp_path: Path) -> None:
    folder = BeatFolder(tmp_path)
    music(folder)
    steps: list[int] = []
    first = BeatRun(folder, SMALL)
    assert first.learn(lambda step, figures: steps.append(step))
    assert steps == [1, 2, 3, 4]
    again = BeatRun(folder, replace(SMALL, steps=6))
    assert again.step == 4
    for name, one in again.network.state_dict().items():
        assert torch.equal(one, first.network.state_dict()[name])
    assert again.learn(lambda step, figures: None)
    weights = read_weights(folder.latest)
    assert set(weights) == set(again.average.state_dict())


def test_music_is_made_once_and_no_more_after_it_is_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs("fluidsynth")
    seeds: list[int] = []

    def quick(seed: int, _band: FluidSynth) -> Example:
        seeds.append(seed)
        return Example(np.zeros((1, INPUTS), np.float32), np.zeros((1, 2), np.float32))

    monkeypatch.setattr("perform.training.beats.run.made", quick)
    folder, band = BeatFolder(tmp_path), FluidSynth()
    with closing(make_music(folder, replace(SMALL, pieces=5000, seed=3), band)) as made_pieces:
        assert next(made_pieces) == folder.examples / "00000.npz"
    assert len(seeds) < 5000
    begun = set(seeds)
    files = list(make_music(folder, replace(SMALL, pieces=len(begun) + 2, seed=3), band))
    assert [file.name for file in files] == [f"{number:05d}.npz" for number in range(len(begun) + 2)]
    assert sorted(seeds) == [3_000_000 + number for number in range(len(begun) + 2)]


def test_a_run_keeps_its_settings(tmp_path: Path) -> None:
    folder = BeatFolder(tmp_path)
    begin_or_continue(folder, SMALL, None)
    begin_or_continue(folder, replace(SMALL, steps=9), None)
    with pytest.raises(ValueError, match="was begun with seed = 0, not 1: take another --run"):
        begin_or_continue(folder, replace(SMALL, seed=1), None)


@pytest.mark.parametrize("broken", ["examples/00003.npz", "checkpoint.safetensors"])
def test_a_broken_file_of_a_run_is_named(tmp_path: Path, broken: str) -> None:
    folder = BeatFolder(tmp_path)
    music(folder)
    (tmp_path / broken).write_bytes(b"broken")
    with pytest.raises(ValueError, match=Path(broken).name):
        BeatRun(folder, SMALL)


def test_a_checkpoint_of_another_network_is_named(tmp_path: Path) -> None:
    folder = BeatFolder(tmp_path)
    music(folder)
    save_file({"network.entry.weight": torch.zeros(3)}, folder.checkpoint)
    with pytest.raises(ValueError, match=r"checkpoint\.safetensors: is no checkpoint of this network"):
        BeatRun(folder, SMALL)


def test_examples_of_another_network_are_named(tmp_path: Path) -> None:
    folder = BeatFolder(tmp_path)
    music(folder)
    np.savez(folder.examples / "00003.npz", heard=np.zeros((900, 40)), targets=np.zeros((900, 2)))
    with pytest.raises(ValueError, match=r"00003\.npz: is made for another network, with \(40,\) values"):
        BeatRun(folder, SMALL)


@pytest.mark.parametrize("text", ["{broken", "[]", "3"])
def test_a_broken_description_of_a_run_is_named(tmp_path: Path, text: str) -> None:
    folder = BeatFolder(tmp_path)
    folder.description.write_text(text)
    with pytest.raises(ValueError, match=r"run\.json: .*; take another --run"):
        begin_or_continue(folder, SMALL, None)


def test_weights_of_another_size_are_refused(tmp_path: Path) -> None:
    folder = BeatFolder(tmp_path)
    music(folder)
    other = {name: one.numpy() for name, one in BeatNetwork(units=8).state_dict().items()}
    with pytest.raises(ValueError, match="of another size: --new"):
        BeatRun(folder, SMALL).begin_from(other)


def test_the_loss_falls(tmp_path: Path) -> None:
    folder = BeatFolder(tmp_path)
    music(folder)
    losses: list[float] = []
    settings = BeatSettings(pieces=6, steps=200, lanes=4, hops=40, rate=5e-3)
    BeatRun(folder, settings).learn(
        lambda step, figures: losses.extend(figures[k] for k in figures if k == "loss")
    )
    assert len(losses) == 2 and losses[1] < losses[0]


def test_the_command_makes_music_and_learns(tmp_path: Path) -> None:
    needs("fluidsynth")
    app = kinds(lambda: None)
    arguments = ["beats", "--run", str(tmp_path), "--pieces", "2", "--steps", "1"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "beats.safetensors" in result.output
    assert read_weights(tmp_path / "latest.safetensors")


def test_a_folder_without_beats_ends_the_command(tmp_path: Path) -> None:
    needs("fluidsynth")
    result = CliRunner().invoke(
        kinds(lambda: None), ["beats", str(tmp_path), "--run", str(tmp_path / "run"), "--pieces", "2"]
    )
    assert result.exit_code == 1 and "has no sound with a .beats file beside it" in result.output
