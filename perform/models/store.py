"""Import models into the user's folder, export them, and verify that they are unchanged.

An imported model is one safetensors file. Its metadata holds the SHA-256 of its content (`content`) and that
of the file that it came from (`sha256`), by which a second import of that file is recognised.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import NamedTuple, TypeAlias

import numpy as np

from perform import generators, paths
from perform.generators import untrained
from perform.generators.load import load_weights
from perform.latent.space import z_of
from perform.networks import ModelError, weights
from perform.networks.modelfiles import COMPANIONS, discriminator_file, read_header, write_weights
from perform.networks.weights import Weights

ReportProgress: TypeAlias = Callable[[str, float | None], None]  # a step, and how much of it is done: 0..1

READ_BYTES = 1 << 22  # bytes read at once
MODEL_NAME = re.compile(r"\w[\w.+ -]{0,99}")
LEAST_PSNR = 37.0  # dB of the form that plays, against float32; when opened it must have 40, on other latents
JUDGED = 3  # pictures that are compared


class Imported(NamedTuple):
    """The file of an imported model, and whether it was imported before."""

    file: Path
    known: bool


def models_folder() -> Path:
    """The folder of imported models. It may not exist yet."""
    return paths.user_data() / "models"


def import_model(
    file: Path, name: str, force: bool = False, progress: ReportProgress = lambda step, share: None
) -> Imported:
    """Import a model file of any known project, or the model of a training run's folder, under a name.

    The file appears when it is complete: an interrupted import leaves nothing that could be played. Raises
    ModelError for a file that is not a generator, ValueError for an invalid name, or one that another model
    has (unless `force`).
    """
    file = paths.run_model(file) or file
    target = _file_for_name(name)
    source = _file_hash(file, progress)
    if target.is_file() and not force:
        if _source_hash(target) == source:
            return Imported(target, True)
        raise ValueError(f"{name} is another model already ({target}): give another name, or --force")
    progress("reading", None)
    found = load_weights(file)
    progress("writing", None)
    target.parent.mkdir(parents=True, exist_ok=True)
    notes = {**found.notes, "sha256": source, "content": content_hash(found)}
    write_weights(target, replace(found, notes=notes))
    if (judge := discriminator_file(file)).is_file():
        shutil.copyfile(judge, discriminator_file(target))
    else:
        discriminator_file(target).unlink(missing_ok=True)
    return Imported(target, False)


def export_model(
    model: str, file: Path, dtype: str = "float32", notes: Mapping[str, str] | None = None
) -> None:
    """Write a model (a built-in's name, or a file of any known project) as safetensors, to share it.

    float16 is half as large, and read back as float32; `notes` (title, licence …) replace its own. A
    discriminator beside `file` belonged to another model and is deleted. Raises ValueError for another
    suffix, ModelError for a file that is not a model, or for numbers too large for `dtype`.
    """
    if file.suffix.lower() != ".safetensors" or file.name.lower().endswith(COMPANIONS):
        raise ValueError(f"{file}, must be a .safetensors, and not a {' or '.join(COMPANIONS)}")
    found = weights.rounded_weights(generators.weights_of(model), dtype)
    kept = {name: note for name, note in found.notes.items() if name != "sha256"}
    write_weights(
        file, replace(found, notes={**kept, **(notes or {}), "content": content_hash(found)}), dtype
    )
    discriminator_file(file).unlink(missing_ok=True)


def verify_model(model: str, progress: ReportProgress = lambda step, share: None) -> list[str]:
    """The checks that a model passed, a phrase each. ModelError names the first fault."""
    progress("reading", None)
    found = generators.weights_of(model)  # every tensor with its shape, and finite
    findings = [f"{len(found.arrays)} tensors, all finite and of the right shapes"]
    wanted = found.notes.get("content")
    if wanted is not None:
        if content_hash(found) != wanted:
            raise ModelError(
                f"{model} was changed after it was written: its tensors are not those of its hash"
            )
        findings.append("the same as when it was written")
    progress("drawing", None)
    return [*findings, _compare_with_float32(model, found)]


def content_hash(found: Weights) -> str:
    """The SHA-256 of a configuration and its tensors."""
    sha = hashlib.sha256(json.dumps([found.config.family, asdict(found.config)]).encode())
    for name, array in sorted(found.arrays.items()):
        sha.update(f"{name} {array.shape}".encode())
        sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()


def _file_for_name(name: str) -> Path:
    """The file for a name. ValueError for an invalid name."""
    if not MODEL_NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot be a model's name: letters, digits, spaces and . _ - + can, up to 100"
        )
    if f"{name}.safetensors".endswith(COMPANIONS):
        raise ValueError(f"{name} cannot be a model's name: {' and '.join(COMPANIONS)} lie beside models")
    if untrained.present_name(name) in untrained.BUILT_IN:
        raise ValueError(f"{name} is a built-in model, must be another name")
    return models_folder() / f"{name}.safetensors"


def _file_hash(file: Path, progress: ReportProgress) -> str:
    """The SHA-256 of a file."""
    sha, done = hashlib.sha256(), 0
    if not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such file")
    size = max(file.stat().st_size, 1)
    with file.open("rb") as stream:
        while block := stream.read(READ_BYTES):
            sha.update(block)
            done += len(block)
            progress("hashing", done / size)
    return sha.hexdigest()


def _source_hash(file: Path) -> str | None:
    """The hash of the file that an imported model came from."""
    try:
        return read_header(file)[1].get("sha256")
    except ModelError:
        return None


def _compare_with_float32(model: str, found: Weights) -> str:
    """Compare the form that plays with the plain network. ModelError if it is too far from it."""
    from perform.networks.runtimes.base import psnr
    from perform.networks.runtimes.torch.eager import Eager

    plain, fast = Eager(found), generators.open(found)
    worst = float("inf")
    for seed in range(JUDGED):
        ws = np.repeat(plain.map(z_of(seed, plain.space.z_dim)[None]), plain.space.num_ws, 0)
        if not np.isfinite(plain.draw(ws)).all():
            raise ModelError(f"{model} draws values that are not finite (seed {seed})")
        worst = min(worst, psnr(fast.synthesise(ws), plain.synthesise(ws)))
    fast.close()
    if worst < LEAST_PSNR:
        raise ModelError(f"{model} plays {worst:.0f} dB from float32, must be {LEAST_PSNR:.0f} or more")
    near = "the same" if worst == float("inf") else f"{worst:.0f} dB"
    return f"as fast as it plays, its pictures are {near} beside float32 (at least {LEAST_PSNR:.0f} dB)"
