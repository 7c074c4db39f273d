"""Model files of our own: safetensors, whose metadata holds the family, its configuration and notes.

The tensors have the names that the field's files use. The configuration is JSON; the notes are text (title,
licence, source …). Beside a model may lie files of the same name with other suffixes: its directions and its
discriminator.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from perform.networks import ModelError, faults_of
from perform.networks.families import family
from perform.networks.weights import NetworkConfig, Weights, checked_config, checked_weights, printable
from perform.paths import RUN_MODELS, whole_file

DIRECTIONS_SUFFIX = ".directions.safetensors"
DISCRIMINATOR_SUFFIX = ".discriminator.safetensors"
COMPANIONS = (DIRECTIONS_SUFFIX, DISCRIMINATOR_SUFFIX)  # beside models, and not models


def own_name(place: str | Path) -> str:
    """The name of a model file, by which its directions are known; in the folder of a run, where all are
    called best or latest, that of the folder."""
    file = Path(place).resolve()
    return file.parent.name if file.stem in RUN_MODELS else file.stem


def discriminator_file(model: Path) -> Path:
    """The path of a model's discriminator, the network that it was trained against; it may be missing."""
    return model.with_name(f"{model.stem}{DISCRIMINATOR_SUFFIX}")


def write_weights(path: str | Path, weights: Weights, dtype: str = "float32", synced: bool = False) -> None:
    """Write a model file, its tensors as `dtype`; whole or not at all, `synced` also after a power cut.
    OSError if it cannot."""
    from safetensors.numpy import save_file

    config = weights.config
    metadata = {**weights.notes, "family": config.family, "config": json.dumps(asdict(config))}
    arrays = {name: array.astype(dtype, copy=False) for name, array in weights.arrays.items()}
    with tensor_file(Path(path), synced) as partial:
        save_file(arrays, partial, metadata)


@contextmanager
def tensor_file(file: Path, synced: bool = False) -> Iterator[Path]:
    """A `whole_file` for safetensors, which has the system's number of a fault in its message only."""
    from safetensors import SafetensorError

    with whole_file(file, synced=synced) as partial:
        try:
            yield partial
        except SafetensorError as error:
            found = re.search(r"\(os error (\d+)\)", str(error))
            if found is None:
                raise OSError(f"{file} cannot be written: {error}") from error
            raise OSError(int(found[1]), os.strerror(int(found[1]))) from error


def read_weights(path: str | Path) -> Weights:
    """Read a model file. ModelError names the file and its fault."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    config, notes = read_header(path)
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is not readable as safetensors: {error}") from error
    with faults_of(path):
        return checked_weights(config, arrays, notes)


def is_own(path: str | Path) -> bool:
    """Whether a file is one of our own model files; its tensors are not read."""
    try:
        return "family" in _metadata(path)
    except ModelError:
        return False


def read_header(path: str | Path) -> tuple[NetworkConfig, dict[str, str]]:
    """Configuration and notes (title, licence …) of a model file; its tensors are not read."""
    if not Path(path).is_file():
        raise ModelError(f"{path} is not a file, must be a model file or a built-in's name")
    metadata = _metadata(path)
    if "family" not in metadata:
        raise ModelError(f"{path} is not a model of perform: its metadata names no family")
    own = ("config", "family")
    notes = {key: printable(value) for key, value in metadata.items() if key not in own}
    return parse_config(path, metadata["family"], metadata.get("config", "")), notes


def _metadata(path: str | Path) -> dict[str, str]:
    """The metadata of a safetensors file."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            return file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is not readable as safetensors: {error}") from error


def parse_config(path: str | Path, name: str, text: str) -> NetworkConfig:
    """A configuration of a family from its JSON in a file. ModelError for an invalid one."""
    from pydantic import TypeAdapter, ValidationError

    try:
        with faults_of(path):
            return checked_config(TypeAdapter(family(name).Config).validate_json(text))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        why = f"{place}: {first['msg']}" if place else first["msg"]
        raise ModelError(f"{path} has no readable configuration in its metadata: {printable(why)}") from error
