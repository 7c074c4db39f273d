"""Batches of a dataset's pictures in training order: threads read ahead, and memory keeps what fits."""

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

from perform.arrays import Pixels
from perform.networks import devices
from perform.training.random_streams import RandomStreams
from perform.training.settings import RunError, TrainingSettings

BATCHES_AHEAD = 3  # batches
CACHE_SHARE = 0.4  # of the memory that models may take, for decoded pictures
MOST_THREADS = 8


class PictureDataset(Protocol):
    """What training needs of a dataset (`perform.training.dataset`): pictures of one size by number."""

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
        """The numbers that a picture was rendered from, float32 [k]; None if they are unknown."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures uint8 [n, 3, height, width], and the latents that they were rendered from [n, k]."""

    pictures: Tensor
    latents: Tensor | None

    def floats(self, device: torch.device) -> Tensor:
        """The pictures as a network takes them, -1..1."""
        return self.pictures.to(device, non_blocking=True).float() / 127.5 - 1


class DataLoader:
    """Loads batches by the numbers of their samples, which count over the whole run."""

    def __init__(self, dataset: PictureDataset, settings: TrainingSettings, streams: RandomStreams) -> None:
        self.dataset, self._settings, self._streams = dataset, settings, streams
        self._factor = shrink_factor(dataset.size, settings.size)
        self._order = lru_cache(maxsize=2)(lambda epoch: streams.order(epoch, len(dataset)))
        width, height = settings.size
        room = len(dataset) * width * height * 3 <= CACHE_SHARE * devices.spare_memory("cpu")
        self._cache = np.empty((len(dataset), height, width, 3), np.uint8) if room else None
        self._cached = np.zeros(len(dataset), bool)
        self._latent_cache: dict[int, NDArray[np.float32] | None] = {}
        self._pool = ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1), "pictures")
        self._pending: dict[int, Future[Batch]] = {}

    def close(self) -> None:
        """Stop the threads."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def batch(self, samples: Sequence[int], stride: int) -> Batch:
        """The pictures of these samples. Starts to read the next batches, each `stride` samples later."""
        for step in range(BATCHES_AHEAD + 1):
            later = [one + step * stride for one in samples]
            if later[0] not in self._pending:
                self._pending[later[0]] = self._pool.submit(self._read, later)
        return self._pending.pop(samples[0]).result()

    def _read(self, samples: Sequence[int]) -> Batch:
        numbers = [self.number(one) for one in samples]
        pictures = np.stack([self._picture(number) for number in numbers])
        if self._settings.mirror:
            for row, one in enumerate(samples):
                if self._streams.stream("mirror", one).random() < 0.5:
                    pictures[row] = pictures[row, :, ::-1]
        tensor = torch.from_numpy(np.ascontiguousarray(pictures.transpose(0, 3, 1, 2)))
        return Batch(tensor, self._latents(numbers) if self._settings.teacher else None)

    def number(self, sample: int) -> int:
        """The number of a sample's picture; each epoch has all pictures in its own order."""
        epoch, position = divmod(sample, len(self.dataset))
        return int(self._order(epoch)[position])

    def _picture(self, number: int) -> Pixels:
        if self._cache is None:
            return shrunk(self.dataset.picture(number), self._factor)
        if not self._cached[number]:
            self._cache[number] = shrunk(self.dataset.picture(number), self._factor)
            self._cached[number] = True
        cached: Pixels = self._cache[number]
        return cached

    def _latents(self, numbers: Sequence[int]) -> Tensor:
        for number in numbers:
            if number not in self._latent_cache:
                self._latent_cache[number] = self.dataset.latent(number)
        found = [self._latent_cache[number] for number in numbers]
        if any(one is None for one in found):
            raise RunError("teacher needs the latent of every picture, which this dataset does not have")
        return torch.from_numpy(np.stack([np.asarray(one, np.float32) for one in found]))


def shrink_factor(found: tuple[int, int], wanted: tuple[int, int]) -> int:
    """How many times smaller the wanted pictures are. RunError unless it is a whole number."""
    share = found[0] // wanted[0]
    if share < 1 or found != (wanted[0] * share, wanted[1] * share):
        raise RunError(
            f"size {wanted[0]}x{wanted[1]}, but the dataset has {found[0]}x{found[1]}: must be that, "
            "or a whole number of times smaller"
        )
    return share


def shrunk(picture: Pixels, factor: int) -> Pixels:
    """The picture, each pixel the mean of a square of `factor` x `factor` pixels."""
    if factor == 1:
        return picture
    height, width, channels = picture.shape
    squares = picture.reshape(height // factor, factor, width // factor, factor, channels)
    return np.asarray(squares.mean((1, 3), np.float32).round(), np.uint8)
