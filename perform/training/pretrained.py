"""The trained networks that a run begins from: another run, or a model file of any known project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from perform import generators
from perform.generators.dcgan import Config as DCGANConfig
from perform.generators.stylegan2 import Config as StyleGAN2Config
from perform.networks import ModelError
from perform.networks.checkpoints import modules
from perform.networks.checkpoints import read_checkpoint as read_file
from perform.networks.modelfiles import discriminator_file, parse_config
from perform.networks.weights import Arrays, NetworkConfig, Weights, checked_weights
from perform.training import stylegan2
from perform.training.checkpoint import checkpoint_metadata, checkpoint_tensors
from perform.training.networks import TrainedConfig
from perform.training.run_folder import TrainingFolder
from perform.training.settings import MODEL_KINDS, RunError, TrainingSettings

UNKNOWN_LICENCE = "that of the pictures it learnt from, and of what it was made from"


@dataclass(frozen=True, slots=True)
class Pretrained:
    """A generator, the tensors of its discriminator (empty if unknown), and where they come from."""

    weights: Weights
    discriminator: Arrays
    description: str

    @classmethod
    def of(cls, place: Path) -> Pretrained:
        """From a run's folder, a checkpoint, or a model file. RunError or ModelError."""
        file = place
        if place.is_dir():
            newest = TrainingFolder(place).newest()
            if newest is None:
                raise RunError(f"{place} has no checkpoint of a run")
            file = newest
        if file.parent.name == "checkpoints" and file.suffix.lower() == ".safetensors":
            return cls._of_checkpoint(file)
        return cls(generators.weights_of(file), _discriminator(file), str(place))

    @classmethod
    def _of_checkpoint(cls, file: Path) -> Pretrained:
        metadata = checkpoint_metadata(file)
        config = parse_config(file, metadata.get("kind", ""), metadata["shape"])
        arrays = {name: value.numpy() for name, value in checkpoint_tensors(file, "average.").items()}
        weights = _weights(metadata["kind"], config, arrays)
        found = {name: value.numpy() for name, value in checkpoint_tensors(file, "discriminator.").items()}
        return cls(weights, found, f"{file.parent.parent.name} after {int(file.stem)} pictures")


def _weights(kind: str, config: NetworkConfig, arrays: Arrays) -> Weights:
    if kind == "dcgan":
        from perform.generators.dcgan import from_state

        return from_state(arrays)
    plain = {name.removeprefix("network."): array for name, array in arrays.items()}
    return checked_weights(config, plain, {})


def discriminator_of(model: Path, dtype: str) -> dict[str, Tensor]:
    """The discriminator that a model was trained with: from the run's folder that it lies in, or from the
    file beside it. RunError if there is none, or its numbers do not fit in `dtype`."""
    newest = TrainingFolder(model.parent).newest() if model.is_file() else None
    found = checkpoint_tensors(newest, "discriminator.") if newest else _discriminator_file(model)
    if not found:
        raise RunError(
            f"{model} has no discriminator: it is in no run's folder, and has no discriminator file beside it"
        )
    converted: dict[str, Tensor] = {name: value.to(getattr(torch, dtype)) for name, value in found.items()}
    if not all(bool(value.isfinite().all()) for value in converted.values()):
        raise RunError(f"the discriminator of {model} goes beyond {dtype}: must be written as float32")
    return converted


def _discriminator_file(model: Path) -> dict[str, Tensor]:
    file = discriminator_file(model)
    return checkpoint_tensors(file) if file.is_file() else {}


def _discriminator(file: Path) -> Arrays:
    """The discriminator that a model was trained with, from a file beside it or from the model's own file, as
    official training files have it; empty if there is none."""
    if found := _discriminator_file(file):
        return {name: value.float().numpy() for name, value in found.items()}
    try:
        content = read_file(file).content
    except ModelError:
        return {}
    held = content.get("D") if isinstance(content, dict) else None
    if modules.is_nvidia_module(held):
        return modules.torch_module(held).tensors
    return modules.state_dict(held) if modules.is_torch_module(held) or isinstance(held, dict) else {}


def compatible_config(settings: TrainingSettings, weights: Weights, grow: bool) -> TrainedConfig:
    """The configuration to train from these weights. RunError names what does not fit."""
    config, kind = weights.config, weights.config.family
    if kind not in MODEL_KINDS:
        raise RunError(
            f"it is a {kind}, which is played here and not trained: must be {' or '.join(MODEL_KINDS)}"
        )
    if kind != settings.kind:
        raise RunError(f"it is a {kind}, but you train a {settings.kind}")
    if config.space.c_dim:
        raise RunError(f"it has {config.space.c_dim} classes: only models without classes are trained here")
    if config.image_channels != 3:
        raise RunError(f"its pictures have {config.image_channels} channels, the dataset's have 3")
    width, height = config.size
    wanted = (width * 2, height * 2) if grow else (width, height)
    if wanted != settings.size:
        size = f"{wanted[0]}x{wanted[1]}"
        doubles = (width * 2, height * 2) == settings.size
        hint = "--grow doubles it" if doubles else f"make the dataset with --size {size}"
        raise RunError(
            f"its pictures are {size}{' when grown' if grow else ''}, those to learn from "
            f"{settings.size[0]}x{settings.size[1]}: {hint}"
        )
    if kind == "dcgan":
        if grow:
            raise RunError("--grow is for stylegan2")
        return weights.config_as(DCGANConfig)
    trained = stylegan2.clamped_config(weights.config_as(StyleGAN2Config), settings.precision)
    if not grow:
        return trained
    base, most = settings.channels
    return stylegan2.grown_config(trained, min(base // (4 << trained.blocks), most))


def adapted_settings(settings: TrainingSettings, config: TrainedConfig) -> TrainingSettings:
    """The settings with the latent and mapping sizes of a configuration."""
    if isinstance(config, DCGANConfig):
        return replace(settings, z_dim=config.space.z_dim)
    return replace(settings, z_dim=config.z_dim, w_dim=config.w_dim, mapping=len(config.mapping))
