"""The pictures of a dataset in the order of learning, read ahead by threads, and kept if they fit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from perform import generators
from perform.arrays import Pixels
from perform.training.chance import Chance
from perform.training.settings import RunError

AHEAD = 3  # batches
KEPT = 0.4  # of the memory that models may take: pictures that are kept, once decoded
MOST_THREADS = 8


class Dataset(Protocol):
    """What learning needs of a dataset (`perform.training.dataset`): pictures of one size by number."""

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def digest(self) -> str: ...

    @property
    def mirror(self) -> bool: ...

    def __len__(self) -> int: ...

    def picture(self, number: int, /) -> Pixels:
        """uint8 [height, width, 3]."""
        ...

    def latent(self, number: int, /) -> NDArray[np.float32] | None:
        """The numbers that a picture was drawn from, float32 [k]; None when nobody knows."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures uint8 [n, 3, height, width], and the latents that they were drawn from [n, k]."""

    pictures: Tensor
    latents: Tensor | None

    def floats(self, device: torch.device) -> Tensor:
        """The pictures as a network takes them, -1..1."""
        return self.pictures.to(device, non_blocking=True).float() / 127.5 - 1


class Feed:
    """Batches by the numbers of their samples, which are counted over the whole run."""

    def __init__(
        self, dataset: Dataset, size: tuple[int, int], chance: Chance, mirror: bool, latents: bool
    ) -> None:
        self.dataset, self.size, self.mirror, self.latents = dataset, size, mirror, latents
        self._chance, self._factor = chance, factor(dataset.size, size)
        self._order = lru_cache(maxsize=2)(lambda epoch: chance.order(epoch, len(dataset)))
        width, height = size
        room = len(dataset) * width * height * 3 <= KEPT * generators.spare_memory("cpu")
        self._kept = np.empty((len(dataset), height, width, 3), np.uint8) if room else None
        self._there = np.zeros(len(dataset), bool)
        self._known: dict[int, NDArray[np.float32] | None] = {}
        self._pool = ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), "pictures")
        self._coming: dict[int, Future[Batch]] = {}

    def close(self) -> None:
        """Let the threads go."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def batch(self, samples: Sequence[int], stride: int) -> Batch:
        """The pictures of these samples; those of the next batches, each `stride` later, are begun."""
        for step in range(AHEAD + 1):
            later = [one + step * stride for one in samples]
            if later[0] not in self._coming:
                self._coming[later[0]] = self._pool.submit(self._read, later)
        return self._coming.pop(samples[0]).result()

    def _read(self, samples: Sequence[int]) -> Batch:
        places = [self.place(one) for one in samples]
        pictures = np.stack([self._picture(place) for place in places])
        if self.mirror:
            for row, one in enumerate(samples):
                if self._chance.stream("mirror", one).random() < 0.5:
                    pictures[row] = pictures[row, :, ::-1]
        tensor = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        return Batch(tensor, self._latents(places) if self.latents else None)

    def place(self, sample: int) -> int:
        """Which picture a sample is: every epoch has all of them, in an order of its own."""
        epoch, position = divmod(sample, len(self.dataset))
        return int(self._order(epoch)[position])

    def _picture(self, place: int) -> Pixels:
        if self._kept is None:
            return smaller(self.dataset.picture(place), self._factor)
        if not self._there[place]:
            self._kept[place] = smaller(self.dataset.picture(place), self._factor)
            self._there[place] = True
        kept: Pixels = self._kept[place]
        return kept

    def _latents(self, places: Sequence[int]) -> Tensor:
        for place in places:
            if place not in self._known:
                self._known[place] = self.dataset.latent(place)
        found = [self._known[place] for place in places]
        if any(one is None for one in found):
            raise RunError("teacher needs the latent of every picture, which this dataset does not have")
        return torch.from_numpy(np.stack([np.asarray(one, np.float32) for one in found]))


def factor(found: tuple[int, int], wanted: tuple[int, int]) -> int:
    """How many times smaller the pictures wanted are. RunError when that is no whole number."""
    share = found[0] // wanted[0]
    if share < 1 or found != (wanted[0] * share, wanted[1] * share):
        raise RunError(
            f"size {wanted[0]}x{wanted[1]}, but the dataset has {found[0]}x{found[1]}: must be that, "
            "or a whole number of times smaller"
        )
    return share


def smaller(picture: Pixels, factor: int) -> Pixels:
    """Means of squares of pixels."""
    if factor == 1:
        return picture
    height, width, channels = picture.shape
    squares = picture.reshape(height // factor, factor, width // factor, factor, channels)
    return np.asarray(squares.mean((1, 3), np.float32).round(), np.uint8)
