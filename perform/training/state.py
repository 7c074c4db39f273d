"""All that a run is at one moment, and how it is kept: safetensors with the numbers in their metadata."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn
from torch.optim import Adam

from perform.training.files import saved
from perform.training.settings import RunError

FORMAT = "1"
MOMENTS = ("step", "exp_avg", "exp_avg_sq")  # of torch's Adam, by parameter


@dataclass
class State:
    """Networks, optimisers and counters of a run. `average` is the generator that is played.

    `pictures` and `steps` are what was learnt from so far; `p` the probability of augmentation, `signs` the
    sum and count of the signs that drive it; `length` the mean path length; `tally` the sums and counts of
    what is logged next; `best` the best figure so far; `seconds` the time spent.
    """

    generator: Any
    average: Any
    discriminator: Any
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
        """By the names that they have in a checkpoint."""
        named = {name: getattr(self, name) for name in ("generator", "average", "discriminator")}
        return {name: module for name, module in named.items() if module is not None}

    def tensors(self) -> dict[str, Tensor]:
        """Everything that is a tensor, by name."""
        found = {"length": self.length}
        for name, network in self.networks().items():
            found |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
        for name, optimiser in self.optimisers.items():
            for key, parameter in self.networks()[name].named_parameters():
                moments = optimiser.state.get(parameter, {})
                found |= {f"optimiser.{name}.{key}.{moment}": moments[moment] for moment in moments}
        return {name: value.detach() for name, value in found.items()}

    def numbers(self) -> dict[str, Any]:
        """Everything else."""
        names = ("pictures", "steps", "p", "signs", "best", "seconds", "tally")
        return {name: getattr(self, name) for name in names}

    def finite(self) -> bool:
        """Whether no tensor holds a NaN or an infinity."""
        sums = [value.float().sum() for value in self.tensors().values()]
        return bool(torch.isfinite(torch.stack([one.cpu() for one in sums])).all())


def save(path: Path, state: State, words: Mapping[str, str]) -> None:
    """Write a checkpoint; whole or not at all. OSError when there is no room."""
    numbers = json.dumps(state.numbers())
    metadata = {
        "format": FORMAT,
        "run": numbers,
        "shape": json.dumps(asdict(state.generator.config)),
        **words,
    }
    saved(path, state.tensors(), metadata)


def words(path: Path) -> dict[str, str]:
    """The metadata of a checkpoint. RunError when it is none."""
    try:
        with safe_open(str(path), framework="pt") as file:
            found: dict[str, str] = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} is not readable as a checkpoint: {error}") from error
    if found.get("format") != FORMAT or "run" not in found:
        raise RunError(f"{path} is not a checkpoint of a run of this version")
    return found


def tensors(path: Path, prefix: str = "") -> dict[str, Tensor]:
    """The tensors of a checkpoint whose names begin so, without that beginning. RunError if unreadable."""
    try:
        with safe_open(str(path), framework="pt") as file:
            names = [name for name in file.keys() if name.startswith(prefix)]  # noqa: SIM118 - no mapping
            return {name.removeprefix(prefix): file.get_tensor(name) for name in names}
    except (SafetensorError, OSError) as error:
        raise RunError(f"{path} is not readable as a checkpoint: {error}") from error


def load(path: Path, state: State) -> None:
    """Make a state that of a checkpoint; its networks have their shapes. RunError when it does not fit."""
    numbers, found = json.loads(words(path)["run"]), tensors(path)
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
                optimiser.state[parameter] = _placed(moments, parameter)
    numbers["signs"] = tuple(numbers["signs"])
    numbers["tally"] = {name: tuple(pair) for name, pair in numbers["tally"].items()}
    for name, number in numbers.items():
        setattr(state, name, number)


def _placed(moments: Mapping[str, Tensor], parameter: Tensor) -> dict[str, Tensor]:
    """Adam's moments where its parameter is; its count of steps stays on the CPU, where Adam has it."""
    placed = {"step": moments["step"]}
    for name in MOMENTS[1:]:
        placed[name] = torch.empty_like(parameter).copy_(moments[name])
    return placed
