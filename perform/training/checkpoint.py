"""The state of a run at one moment, and its checkpoint: safetensors with the numbers in their metadata."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim import Adam

from perform.training.files import save_tensors
from perform.training.networks import DiscriminatorNetwork, GeneratorNetwork
from perform.training.settings import RunError

CHECKPOINT_FORMAT = "1"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # of torch's Adam, by parameter


@dataclass
class TrainingState:
    """Networks, optimisers and counters of a run. `average` is the averaged generator, which is played.

    `pictures` and `steps` count the training so far; `p` is the augmentation probability, `signs` the sum
    and count of the signs that drive it; `length` the mean path length; `tally` the sums and counts of the
    next line of the log; `best` the best figure so far; `seconds` the time spent.
    """

    generator: GeneratorNetwork
    average: GeneratorNetwork
    discriminator: DiscriminatorNetwork | None
    optimisers: dict[str, Adam]
    length: Tensor
    pictures: int = 0
    steps: int = 0
    p: float = 0.0
    signs: tuple[float, float] = (0.0, 0.0)
    best: float | None = None
    seconds: float = 0.0
    tally: dict[str, tuple[float, int]] = field(default_factory=dict)

    def networks(self) -> dict[str, nn.Module]:
        """The networks by their names in a checkpoint."""
        named = {name: getattr(self, name) for name in ("generator", "average", "discriminator")}
        return {name: module for name, module in named.items() if module is not None}

    def tensors(self) -> dict[str, Tensor]:
        """All tensors by name."""
        found = {"length": self.length}
        for name, network in self.networks().items():
            found |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
        for name, optimiser in self.optimisers.items():
            for key, parameter in self.networks()[name].named_parameters():
                moments = optimiser.state.get(parameter, {})
                found |= {f"optimiser.{name}.{key}.{moment}": moments[moment] for moment in moments}
        return {name: value.detach() for name, value in found.items()}

    def numbers(self) -> dict[str, object]:
        """All other values by name."""
        names = ("pictures", "steps", "p", "signs", "best", "seconds", "tally")
        return {name: getattr(self, name) for name in names}

    def finite(self) -> bool:
        """Whether no tensor holds a NaN or an infinity."""
        sums = [value.float().sum() for value in self.tensors().values()]
        return bool(torch.isfinite(torch.stack([one.cpu() for one in sums])).all())


def save_checkpoint(path: Path, state: TrainingState, notes: Mapping[str, str]) -> None:
    """Write a checkpoint, whole or not at all. OSError if the disk is full."""
    metadata = {
        "format": CHECKPOINT_FORMAT,
        "run": json.dumps(state.numbers()),
        "shape": json.dumps(asdict(state.generator.config)),
        **notes,
    }
    save_tensors(path, state.tensors(), metadata)


def checkpoint_metadata(path: Path) -> dict[str, str]:
    """The metadata of a checkpoint. RunError if it is invalid."""
    with _opened(path) as file:
        found: dict[str, str] = file.metadata() or {}
    if found.get("format") != CHECKPOINT_FORMAT or "run" not in found:
        raise RunError(f"{path} is not a checkpoint of a run of this version")
    return found


def checkpoint_tensors(path: Path, prefix: str = "") -> dict[str, Tensor]:
    """The tensors of a checkpoint whose names have a prefix, without it. RunError if unreadable."""
    with _opened(path) as file:
        names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118 - no mapping
        return {name.removeprefix(prefix): file.get_tensor(name) for name in names}


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    try:
        with safe_open(str(path), framework="pt") as file:
            yield file
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} is not readable as a checkpoint: {error}") from error


def load_checkpoint(path: Path, state: TrainingState) -> None:
    """Load a checkpoint into a state whose networks have its shapes. RunError if it does not fit."""
    numbers, found = json.loads(checkpoint_metadata(path)["run"]), checkpoint_tensors(path)
    for name, value in state.tensors().items():
        if name not in found or found[name].shape != value.shape:
            have = tuple(found[name].shape) if name in found else "missing"
            raise RunError(f"{path}: {name} is {have}, must be {tuple(value.shape)}")
        value.copy_(found[name])
    for name, optimiser in state.optimisers.items():
        for key, parameter in state.networks()[name].named_parameters():
            prefix = f"optimiser.{name}.{key}."
            moments = {moment: found[prefix + moment] for moment in MOMENTS if prefix + moment in found}
            if moments:
                optimiser.state[parameter] = _moments_at(moments, parameter)
    numbers["signs"] = tuple(numbers["signs"])
    numbers["tally"] = {name: tuple(pair) for name, pair in numbers["tally"].items()}
    for name, number in numbers.items():
        setattr(state, name, number)


def _moments_at(moments: Mapping[str, Tensor], parameter: Tensor) -> dict[str, Tensor]:
    """Adam's moments on the parameter's device; its count of steps stays on the CPU, where Adam has it."""
    placed = {"step": moments["step"]}
    for name in MOMENTS[1:]:
        placed[name] = torch.empty_like(parameter).copy_(moments[name])
    return placed
