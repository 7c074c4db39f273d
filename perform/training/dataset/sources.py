"""Sources of pictures: a folder, or a renderer. (For films see `films`.)"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Pixels
from perform.training.dataset.converting import Item
from perform.training.dataset.manifest import FILE, DatasetError, Recipe
from perform.training.dataset.opening import OpenedPicture, PictureFile
from perform.training.dataset.outcomes import Lost, legible
from perform.training.dataset.settings import DatasetSettings

Latent: TypeAlias = NDArray[np.float32]
Render: TypeAlias = Callable[[Latent, int], Pixels]


class PictureSource(Protocol):
    """A source; it gives the same items in the same order each time."""

    @property
    def recipe(self) -> Recipe:
        """What identifies it, as in dataset.json."""

    @property
    def total(self) -> int | None:
        """The number of items; None if it is not known before the end."""

    def items(self, start: int) -> Iterator[Item | Lost]:
        """All items from this number on, counted from 0."""


class PictureFolder:
    """The files of a folder and of all folders in it, by name; links to folders are not followed.

    Raises DatasetError if there is no such folder, or nothing in it.
    """

    def __init__(self, path: Path) -> None:
        if not path.is_dir():
            raise DatasetError(f"{path}: {'is no folder' if path.exists() else 'there is no such folder'}")
        if (path / FILE).exists():
            raise DatasetError(f"{path} is a dataset already: give the folder of its pictures")
        self.path = path
        self._found = sorted(self._listed(), key=lambda one: os.fsencode(one.name))
        if not self._found:
            raise DatasetError(f"{path} is empty")

    @property
    def recipe(self) -> Recipe:
        seen = hashlib.sha256()
        for one in self._found:
            length = one.path.stat().st_size if isinstance(one, PictureFile) else -1
            seen.update(os.fsencode(one.name) + b"\0%d\0" % length)
        name = legible(self.path.resolve().name)
        return {"source": "pictures", "from": name, "fingerprint": seen.hexdigest()[:16]}

    @property
    def total(self) -> int | None:
        return len(self._found)

    def items(self, start: int) -> Iterator[Item | Lost]:
        yield from self._found[start:]

    def _listed(self) -> Iterator[PictureFile | Lost]:
        failed: list[OSError] = []
        for folder, _, names in os.walk(self.path, onerror=failed.append):
            for name in names:
                path = Path(folder, name)
                shown = path.relative_to(self.path).as_posix()
                # reading a pipe would wait, reading a device would not end
                yield (
                    PictureFile(path, shown)
                    if path.is_file()
                    else Lost(legible(shown), "unreadable", "no file")
                )
        for error in failed:
            shown = Path(error.filename).relative_to(self.path).as_posix()
            yield Lost(legible(shown), "unreadable", error.strerror or "")


@dataclass(frozen=True, slots=True)
class RenderedPicture:
    """A picture that a renderer draws from its parameters z."""

    number: int
    z: Latent
    render: Render

    @property
    def name(self) -> str:
        return f"{self.number:08d}"

    def opened(self, settings: DatasetSettings) -> Iterator[OpenedPicture]:
        """The picture, with z as its latent."""
        from PIL import Image

        side = settings.size[0]
        # the shortest text of a float32 reads back as the same float32
        latent = [float(str(value)) for value in np.asarray(self.z, np.float32)]
        picture = Image.fromarray(np.ascontiguousarray(self.render(self.z, side)))
        yield OpenedPicture(self.name, picture, picture.size, facts={"latent": latent})


class RenderedPictures:
    """Pictures of a renderer: `render(z, size)` [size, size, 3] of each row of z [count, dimensions].

    `render` must be a module's function, so that other processes find it.
    """

    def __init__(self, name: str, z: Latent, render: Render, seed: int) -> None:
        self._name, self._z, self._render, self._seed = name, z, render, seed

    @property
    def recipe(self) -> Recipe:
        count, dimensions = self._z.shape
        return {"source": self._name, "count": count, "dimensions": dimensions, "seed": self._seed}

    @property
    def total(self) -> int | None:
        return len(self._z)

    def items(self, start: int) -> Iterator[Item | Lost]:
        for number in range(start, len(self._z)):
            yield RenderedPicture(number, self._z[number], self._render)
