"""Datasets: pictures of one size in tar shards, made by `perform dataset` and read by training.

    OUT/dataset.json        size, recipe, counts, the shards' hashes
    OUT/shards/000000.tar   00000000.png, 00000000.json, 00000001.png …
    OUT/dropped.csv         the dropped pictures and their reasons
    OUT/report.html         a page with the pictures and their counts

Importing this needs numpy alone.
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Pixels
from perform.paths import quoted
from perform.training.dataset.manifest import FILE, SHARDS, DatasetError, Manifest, read_manifest
from perform.training.dataset.plain_folder import ADVICE, PlainFolder
from perform.training.dataset.shards import picture_offsets

__all__ = ["Dataset", "DatasetError", "Manifest"]

LARGEST_LATENT = 4096  # numbers


@dataclass(frozen=True)
class Dataset:
    """Pictures of one size, by number from 0; `Dataset.open` gives one.

    It can be sent to other processes, and several threads can use it: every picture is read when it is asked
    for. `manifest` is None for a plain folder of pictures.
    """

    path: Path
    size: tuple[int, int]  # width, height
    mirror: bool  # whether training sees each picture mirrored, too
    manifest: Manifest | None
    store: Shards | PlainFolder
    channels: int = 3

    @classmethod
    def open(cls, folder: Path | str) -> Dataset:
        """A folder that `perform dataset` made, or a plain one of pictures that all have one size.
        Raises DatasetError."""
        path = Path(folder)
        if not path.is_dir():
            raise DatasetError(f"{path}: {'is no folder' if path.exists() else 'there is no such folder'}")
        if (path / FILE).exists():
            made = read_manifest(path / FILE)
            return cls(path, made.size, made.mirror, made, Shards.of(path, made))
        if (path / "making").exists():
            raise DatasetError(f"{path} is not finished: give the command that began it again")
        plain = PlainFolder.of(path)
        return cls(path, plain.size, False, None, plain)

    def __len__(self) -> int:
        return len(self.store)

    @cached_property
    def digest(self) -> str:
        """A hash of all that training sees of it, 64 hexadecimal digits."""
        seen = f"{self.size} {self.mirror} {self.store.digest}"
        return hashlib.sha256(seen.encode()).hexdigest()

    def picture(self, number: int) -> Pixels:
        """The pixels [height, width, 3], sRGB. Raises IndexError, or DatasetError if it is damaged."""
        pixels = self.store.picture(self._checked(number))
        width, height = self.size
        if pixels.shape != (height, width, 3):
            high, wide = pixels.shape[:2]
            raise DatasetError(
                f"{self.path}: picture {number} is {wide}x{high}, must be {width}x{height}; {ADVICE}"
            )
        return pixels

    def facts(self, number: int) -> dict[str, object]:
        """The facts of a picture: name, width and height before, hash and more."""
        return self.store.facts(self._checked(number))

    def name(self, number: int) -> str:
        """The name of a picture's source."""
        return str(self.facts(number).get("name", number))

    def latent(self, number: int) -> NDArray[np.float32] | None:
        """The parameters [k] that it was rendered with; None if they are unknown."""
        values = self.facts(number).get("latent")
        if values is None:
            return None
        if (
            not isinstance(values, list)
            or not 0 < len(values) <= LARGEST_LATENT
            or not all(map(_real, values))
        ):
            raise DatasetError(f"{self.path}: the latent of picture {number} must be a list of numbers")
        return np.array(values, np.float32)

    def _checked(self, number: int) -> int:
        if not 0 <= number < len(self):
            raise IndexError(f"picture {number}, must be 0..{len(self) - 1}")
        return number


@dataclass(frozen=True)
class Shards:
    """Pictures in tar files. `offsets` [n, 5]: the shard, then start and length of picture and facts."""

    files: tuple[Path, ...]
    offsets: NDArray[np.int64]
    digest: str

    @classmethod
    def of(cls, folder: Path, made: Manifest) -> Shards:
        """The shards of a manifest; only their headers are read."""
        files = tuple(folder / SHARDS / shard.name for shard in made.shards)
        rows = []
        for number, (file, shard) in enumerate(zip(files, made.shards, strict=True)):
            if not file.is_file() or file.stat().st_size != shard.bytes:
                state = "cut off or changed" if file.exists() else "missing"
                raise DatasetError(f"{file} is {state}; perform dataset check {quoted(folder)} tells more")
            found = [(number, *offsets) for offsets in picture_offsets(file)]
            if len(found) != shard.pictures:
                raise DatasetError(f"{file} holds {len(found)} pictures, must be {shard.pictures}")
            rows += found
        hashes = "".join(shard.sha256 for shard in made.shards)
        offsets = np.array(rows, np.int64).reshape(-1, 5)
        return cls(files, offsets, hashlib.sha256(hashes.encode()).hexdigest())

    def __len__(self) -> int:
        return len(self.offsets)

    def picture(self, number: int) -> Pixels:
        """The pixels [height, width, 3]."""
        from perform.training.dataset.converting import decoded

        shard, start, length, _, _ = self.offsets[number].tolist()
        try:
            return decoded(self._bytes(shard, start, length))
        except (OSError, ValueError, SyntaxError) as error:
            raise DatasetError(f"{self.files[shard]}: picture {number} is damaged: {error}") from error

    def facts(self, number: int) -> dict[str, object]:
        """The facts of a picture."""
        shard, _, _, start, length = self.offsets[number].tolist()
        try:
            found = json.loads(self._bytes(shard, start, length))
        except (OSError, ValueError, RecursionError) as error:
            raise DatasetError(f"{self.files[shard]}: the facts of picture {number} are damaged") from error
        if not isinstance(found, dict):
            raise DatasetError(f"{self.files[shard]}: the facts of picture {number} must be an object")
        return found

    def _bytes(self, shard: int, start: int, length: int) -> bytes:
        # opened each time, so that threads and processes share no file; 20 us beside 2 ms of decoding
        with self.files[shard].open("rb") as file:
            file.seek(start)
            return file.read(length)


def _real(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
