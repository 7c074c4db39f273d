"""A plain folder of pictures of one size, read as a dataset."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perform.training.dataset.manifest import LONGEST_READ, SHORTEST_READ, DatasetError
from perform.training.dataset.opening import PICTURE_SUFFIXES, PictureFile, Unfit, picture_size
from perform.training.dataset.settings import DatasetSettings

ADVICE = "perform dataset pictures gives them one size"
OTHERS_ADVICE = "perform dataset pictures makes a dataset of the others"


@dataclass(frozen=True)
class PlainFolder:
    """The picture files of a folder and its subfolders, by name; other files are ignored."""

    path: Path
    names: tuple[str, ...]
    size: tuple[int, int]

    @classmethod
    def of(cls, path: Path) -> PlainFolder:
        """Raises DatasetError if there are no pictures, or if two differ in size."""
        names = tuple(sorted(_picture_names(path)))
        if not names:
            raise DatasetError(f"{path} is not a dataset: it holds no pictures and no {'dataset.json'}")
        size = _size_of(path, names[0])
        if not all(SHORTEST_READ <= side <= LONGEST_READ for side in size):
            raise DatasetError(
                f"{path / names[0]} is {size[0]}x{size[1]}, "
                f"each side must be {SHORTEST_READ}..{LONGEST_READ}; {ADVICE}"
            )
        for name in names[1:]:
            if (other := _size_of(path, name)) != size:
                raise DatasetError(
                    f"{path / name} is {other[0]}x{other[1]}, others are {size[0]}x{size[1]}; {ADVICE}"
                )
        return cls(path, names, size)

    @cached_property
    def digest(self) -> str:
        """A hash of all files, read on the first use."""
        seen = hashlib.sha256()
        for name in self.names:
            with (self.path / name).open("rb") as file:
                seen.update(os.fsencode(name) + b"\0" + hashlib.file_digest(file, "sha256").digest())
        return seen.hexdigest()

    def __len__(self) -> int:
        return len(self.names)

    def picture(self, number: int) -> NDArray[np.uint8]:
        """The pixels [height, width, 3]."""
        name = self.names[number]
        try:
            opened = next(PictureFile(self.path / name, name).opened(DatasetSettings(self.size)))
        except Unfit as error:
            raise DatasetError(
                f"{self.path / name} cannot be read: {error.detail}; {OTHERS_ADVICE}"
            ) from error
        return np.array(opened.image)

    def facts(self, number: int) -> dict[str, object]:
        """Name and size."""
        return {"name": self.names[number], "width": self.size[0], "height": self.size[1]}


def _picture_names(path: Path) -> Iterator[str]:
    for folder, _, names in os.walk(path):
        for name in names:
            file = Path(folder, name)
            if file.suffix.lower() in PICTURE_SUFFIXES and not name.startswith(".") and file.is_file():
                yield file.relative_to(path).as_posix()


def _size_of(path: Path, name: str) -> tuple[int, int]:
    try:
        return picture_size(path / name)
    except Unfit as error:
        detail = error.detail or "no picture"
        raise DatasetError(f"{path / name} cannot be read: {detail}; {OTHERS_ADVICE}") from error
