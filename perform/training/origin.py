"""What a run begins from: nothing, another run, or a model file of any project that is read here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from numpy.typing import NDArray
from torch import Tensor

from perform import generators
from perform.generators.stylegan2 import Config as StyleGAN2
from perform.networks import ModelError
from perform.networks.checkpoints import modules
from perform.networks.checkpoints import read_checkpoint as read_file
from perform.networks.modelfiles import discriminator_file, parse_config
from perform.networks.weights import Weights, checked_weights
from perform.training import stylegan2
from perform.training.dcgan import DTYPES
from perform.training.folder import Folder
from perform.training.settings import KINDS, RunError, Settings
from perform.training.state import tensors, words

ASK = "that of the pictures it learnt from, and of what it was made from"


@dataclass(frozen=True, slots=True)
class Origin:
    """A generator, and the tensors of its discriminator if there is one."""

    weights: Weights
    discriminator: Mapping[str, NDArray[Any]]
    words: str

    @classmethod
    def of(cls, place: Path) -> Origin:
        """Of a run's folder, a checkpoint of one, or a model file. RunError or ModelError."""
        file = place
        if place.is_dir():
            newest = Folder(place).newest()
            if newest is None:
                raise RunError(f"{place} has no checkpoint of a run")
            file = newest
        if file.parent.name == "checkpoints" and file.suffix == ".safetensors":
            return cls._of_checkpoint(file)
        return cls(generators.weights_of(file), _discriminator(file), str(place))

    @classmethod
    def _of_checkpoint(cls, file: Path) -> Origin:
        said = words(file)
        config = parse_config(file, said.get("kind", ""), said["shape"])
        arrays = {name: value.numpy() for name, value in tensors(file, "average.").items()}
        weights = _built(said["kind"], config, arrays)
        found = {name: value.numpy() for name, value in tensors(file, "discriminator.").items()}
        return cls(weights, found, f"{file.parent.parent.name} after {int(file.stem)} pictures")


def _built(kind: str, config: Any, arrays: Mapping[str, NDArray[Any]]) -> Weights:
    if kind == "dcgan":
        from perform.generators.dcgan import from_state

        return from_state(arrays)
    plain = {name.removeprefix("network."): array for name, array in arrays.items()}
    return checked_weights(config, plain, {})


def discriminator_of(model: Path, dtype: str) -> dict[str, Tensor]:
    """What a model learnt against, to be handed on with it: of the run in whose folder it lies, or in the
    file beside it. RunError when there is none, or it goes beyond `dtype`."""
    newest = Folder(model.parent).newest() if model.is_file() else None
    known = tensors(newest, "discriminator.") if newest else _beside(model)
    if not known:
        raise RunError(f"{model} has no discriminator: it lies in no run's folder, and none lies beside it")
    kept = {name: value.to(DTYPES[dtype]) for name, value in known.items()}
    if not all(bool(value.isfinite().all()) for value in kept.values()):
        raise RunError(f"the discriminator of {model} goes beyond {dtype}: must be written as float32")
    return kept


def _beside(model: Path) -> dict[str, Tensor]:
    file = discriminator_file(model)
    return tensors(file) if file.is_file() else {}


def _discriminator(file: Path) -> dict[str, NDArray[Any]]:
    """What a model learnt against: in a file beside it, or in it, as in an official training file; nothing
    when there is none."""
    if known := _beside(file):
        return {name: value.float().numpy() for name, value in known.items()}
    try:
        content = read_file(file).content
    except ModelError:
        return {}
    held = content.get("D") if isinstance(content, dict) else None
    if modules.is_nvidia_module(held):
        return modules.torch_module(held).tensors
    return modules.state_dict(held) if modules.is_torch_module(held) or isinstance(held, dict) else {}


def fitted(settings: Settings, weights: Weights, grow: bool) -> Any:
    """The configuration to train with, given what it begins from. RunError names what does not fit."""
    config, kind = weights.config, weights.config.family
    if kind not in KINDS:
        raise RunError(f"it is a {kind}, which is played here and not trained: must be {' or '.join(KINDS)}")
    if kind != settings.kind:
        raise RunError(f"it is a {kind}, but a {settings.kind} is to be trained")
    if config.space.c_dim:
        raise RunError(f"it has {config.space.c_dim} classes: only models without classes are trained here")
    if config.image_channels != 3:
        raise RunError(f"its pictures have {config.image_channels} channels, the dataset's have 3")
    width, height = config.size
    wanted = (width * 2, height * 2) if grow else (width, height)
    if wanted != settings.size:
        hint = "; --grow doubles it" if (width * 2, height * 2) == settings.size else ""
        told = f"{wanted[0]}x{wanted[1]}" + (" when grown" if grow else "")
        raise RunError(
            f"its pictures are {told}, those to learn from {settings.size[0]}x{settings.size[1]}{hint}"
        )
    if kind == "dcgan":
        if grow:
            raise RunError("--grow is for stylegan2")
        return config
    config = stylegan2.fitted(weights.config_as(StyleGAN2), settings.precision)
    if not grow:
        return config
    base, most = settings.channels
    return stylegan2.grown(config, min(base // (4 << config.blocks), most))


def taken(settings: Settings, config: Any) -> Settings:
    """Settings that say what a configuration is, as far as they say it at all."""
    if settings.kind == "dcgan":
        return replace(settings, z_dim=config.space.z_dim)
    return replace(settings, z_dim=config.z_dim, w_dim=config.w_dim, mapping=len(config.mapping))
