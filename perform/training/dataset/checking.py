"""Checking a dataset: the hashes of the shards, and every picture decoded."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from perform.training.dataset import Dataset, DatasetError
from perform.training.dataset.manifest import FILE, SHARDS, read_manifest
from perform.training.dataset.shards import file_sha256

ReportCheck = Callable[[int, int], None]  # steps done, and of how many


def faults(folder: Path, decode: bool = True, watch: ReportCheck = lambda done, total: None) -> Iterator[str]:
    """The faults of a dataset, a sentence each; for a plain folder, the pictures that cannot be read. Raises
    DatasetError if there is no dataset."""
    if (folder / FILE).exists():
        broken = list(_shards(folder, watch))
        yield from broken
        if broken:
            return
    pictures = Dataset.open(folder)
    for number in range(len(pictures)) if decode or pictures.manifest is None else ():
        watch(number + 1, len(pictures))
        try:
            pictures.picture(number)
            pictures.latent(number)
        except DatasetError as error:
            yield str(error)


def _shards(folder: Path, watch: ReportCheck) -> Iterator[str]:
    made = read_manifest(folder / FILE)
    for number, shard in enumerate(made.shards, 1):
        watch(number, len(made.shards))
        file = folder / SHARDS / shard.name
        if not file.is_file():
            yield f"{file} is missing"
        elif (length := file.stat().st_size) != shard.bytes:
            yield f"{file} has {length} bytes, must have {shard.bytes}"
        elif file_sha256(file) != shard.sha256:
            yield f"{file} has changed since it was made"
    known = {shard.name for shard in made.shards}
    yield from (
        f"{file} does not belong here" for file in (folder / SHARDS).glob("*") if file.name not in known
    )
