"""A run that teaches the network of the beat tracker: it makes music and learns from it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from zipfile import BadZipFile

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from perform.arrays import Floats
from perform.faults import reason
from perform.paths import whole_file
from perform.rhythm.hearing import INPUTS
from perform.training.beats.examples import Example, made
from perform.training.beats.lessons import Lanes
from perform.training.beats.network import BeatNetwork
from perform.training.beats.recording import FluidSynth
from perform.training.beats.tracks import Track, read_track
from perform.training.files import GracefulStop, RunFolder, save_tensors

MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # of torch's Adam, by parameter
DOWNBEATS = 2.0  # weight of the downbeats in the loss
STEEPEST = 1.0  # norm of the gradient, at most
AVERAGE = 0.995  # of the averaged network, which is played, per step
MEASURE_EVERY = 100  # steps
HELD_BACK = 20  # one of so many examples is not learned from, but measured on
OWN_SHARE = 3  # how many times a track of one's own comes for each made piece

Report = Callable[[int, Mapping[str, float]], None]  # step, figures of the last line of the log


@dataclass(frozen=True, slots=True)
class BeatSettings:
    """Settings of a run: `pieces` of music to make, `steps` of `lanes` times `hops` each, Adam's `rate`,
    which falls to nothing in the second half, and the `seed` of all random numbers."""

    pieces: int = 1500
    steps: int = 12000
    lanes: int = 36
    hops: int = 800
    rate: float = 1.5e-3
    seed: int = 0


class BeatFolder(RunFolder):
    """The files of a run."""

    @property
    def examples(self) -> Path:
        return self.path / "examples"

    @property
    def checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"


def make_music(folder: BeatFolder, settings: BeatSettings, band: FluidSynth) -> Generator[Path, None, None]:
    """Make the pieces that are missing, on all processors: the file of each, as soon as it is there. When it
    is closed no further piece is begun."""
    folder.examples.mkdir(parents=True, exist_ok=True)

    def make(number: int) -> Path:
        file = folder.examples / f"{number:05d}.npz"
        if not file.is_file():
            _save(file, made(settings.seed * 1_000_000 + number, band))
        return file

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(make, range(settings.pieces))


class BeatRun:
    """Learns from the music of a folder, and from `own` tracks; continues at its checkpoint."""

    def __init__(self, folder: BeatFolder, settings: BeatSettings, own: Sequence[Track] = ()) -> None:
        self.folder, self.settings = folder, settings
        made_music = [_load(file) for file in sorted(folder.examples.glob("*.npz"))[: settings.pieces]]
        self._kept = made_music[::HELD_BACK]
        lessons = [one for i, one in enumerate(made_music) if i % HELD_BACK]
        lessons += [read_track(*track) for track in own] * OWN_SHARE
        torch.manual_seed(settings.seed)
        self.network = BeatNetwork()
        self.average = BeatNetwork()
        self.average.load_state_dict(self.network.state_dict())
        self._adam = torch.optim.Adam(self.network.parameters(), settings.rate)
        self.step = 0
        self._restore()
        random = np.random.default_rng([settings.seed, self.step])
        self._lanes = Lanes(random, lessons, settings.lanes, settings.hops)
        self._states = self.network.silent(settings.lanes)

    def begin_from(self, weights: Mapping[str, Floats]) -> None:
        """Begin with the weights of a trained network. ValueError if it is of another size."""
        try:
            self.network.load_state_dict({name: torch.tensor(one) for name, one in weights.items()})
        except RuntimeError:
            raise ValueError(
                "the weights that are played are of another size: --new begins without them"
            ) from None
        self.average.load_state_dict(self.network.state_dict())

    def learn(self, report: Report) -> bool:
        """Learn until all steps are done or until Ctrl-C; whether all are done."""
        losses: list[float] = []
        with GracefulStop() as stop:
            while self.step < self.settings.steps and not stop.requested:
                losses.append(self._learn_step())
                self.step += 1
                if self.step % MEASURE_EVERY == 0:
                    figures = {"loss": float(np.mean(losses)), **self._measure()}
                    self.folder.add_log_line({"step": self.step, **figures})
                    self._save()
                    losses = []
                    report(self.step, figures)
                else:
                    report(self.step, {})
        if self.step:
            self._save()
        return self.step >= self.settings.steps

    def _learn_step(self) -> float:
        lesson = self._lanes.next()
        left = 1 - self.step / self.settings.steps
        for group in self._adam.param_groups:
            group["lr"] = self.settings.rate * min(1.0, 2 * left)
        kept = 1 - torch.tensor(lesson.fresh)[None, :, None]
        heard, before = torch.tensor(lesson.heard), torch.tensor(lesson.before)[:, None]
        logits, states = self.network(heard, [state * kept for state in self._states], before)
        self._states = [state.detach() for state in states]
        loss = _loss(logits, torch.tensor(lesson.targets))
        self._adam.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), STEEPEST)
        self._adam.step()
        with torch.no_grad():
            for mean, now in zip(self.average.parameters(), self.network.parameters(), strict=True):
                mean.lerp_(now, 1 - AVERAGE)
        return loss.item()

    @torch.no_grad()
    def _measure(self) -> dict[str, float]:
        """The loss on the pieces that were held back."""
        losses = []
        for example in self._kept:
            heard = torch.tensor(example.heard)[None].float()
            network = self.average
            logits, _ = network(heard, network.silent(1), torch.zeros_like(heard[:, :1]))
            losses.append(_loss(logits, torch.tensor(example.targets)[None].float()).item())
        return {"held_back": float(np.mean(losses))} if losses else {}

    def _save(self) -> None:
        average = self.average.state_dict()
        tensors = {f"network.{name}": one for name, one in self.network.state_dict().items()}
        tensors |= {f"average.{name}": one for name, one in average.items()}
        for name, parameter in self.network.named_parameters():
            moments = self._adam.state.get(parameter, {})
            tensors |= {f"adam.{moment}.{name}": moments[moment] for moment in moments}
        save_tensors(self.folder.checkpoint, tensors, {"step": str(self.step)})
        save_tensors(self.folder.latest, average)

    def _restore(self) -> None:
        file = self.folder.checkpoint
        if not file.is_file():
            return
        try:
            tensors = load_file(file)
            self.network.load_state_dict(_part(tensors, "network."))
            self.average.load_state_dict(_part(tensors, "average."))
            for name, parameter in self.network.named_parameters():
                self._adam.state[parameter] = {one: tensors[f"adam.{one}.{name}"] for one in MOMENTS}
        except (SafetensorError, RuntimeError, KeyError) as fault:
            raise ValueError(
                f"{file}: is no checkpoint of this network ({type(fault).__name__}), take another --run"
            ) from fault
        self.step = int(max(float(moments["step"]) for moments in self._adam.state.values()))


def begin_or_continue(folder: BeatFolder, settings: BeatSettings, own: Path | None) -> None:
    """Make the folder of a run. ValueError if it is that of a run with other settings, of which only the
    steps may change, or of none."""
    facts = {**asdict(settings), "tracks": str(own.resolve()) if own else None}
    if not folder.description.is_file():
        folder.make(facts)
        return
    try:
        begun = {**json.loads(folder.description.read_bytes()), "steps": settings.steps}
    except (ValueError, TypeError) as fault:
        raise ValueError(f"{folder.description}: {reason(fault)}; take another --run") from None
    for name, value in facts.items():
        if begun.get(name) != value:
            raise ValueError(
                f"{folder.path} was begun with {name} = {begun.get(name)}, not {value}: take another --run"
            )


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    losses = binary_cross_entropy_with_logits(logits, targets, reduction="none").mean(dim=(0, 1))
    return losses[0] + DOWNBEATS * losses[1]


def _part(tensors: Mapping[str, Tensor], start: str) -> dict[str, Tensor]:
    return {name.removeprefix(start): one for name, one in tensors.items() if name.startswith(start)}


def _save(file: Path, example: Example) -> None:
    with whole_file(file) as partial, partial.open("wb") as stream:
        np.savez(stream, heard=example.heard.astype(np.float16), targets=example.targets.astype(np.float16))


def _load(file: Path) -> Example:
    try:
        with np.load(file) as arrays:
            found = Example(arrays["heard"], arrays["targets"])  # float16: hours of them are kept in memory
        if (found.heard.shape[1:], found.targets.shape[1:]) != ((INPUTS,), (2,)):
            raise ValueError(f"is made for another network, with {found.heard.shape[1:]} values a hop")
        return found
    except (ValueError, KeyError, OSError, EOFError, BadZipFile) as fault:
        raise ValueError(f"{file}: {reason(fault)}; delete it, and it is made again") from None
