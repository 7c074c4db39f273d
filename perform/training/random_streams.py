"""Random numbers by seed, purpose and sample.

Each sample has its own stream, Philox with a counter (Salmon et al. 2011, Parallel random numbers: as easy as
1, 2, 3). So a run keeps no generator state: batches, processes and interruptions do not change the numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from zlib import crc32

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class RandomStreams:
    """The random numbers of one seed; `samples` are the numbers of pictures, counted over a whole run."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, purpose: str, sample: int) -> np.random.Generator:
        """The stream of one sample."""
        key = [self.seed, crc32(purpose.encode())]
        return np.random.Generator(np.random.Philox(key=key, counter=[0, 0, sample, 0]))

    def weights(self, name: str, parameter: Tensor) -> Tensor:
        """Standard normal weights for a parameter of this name, float64."""
        drawn = self.stream(f"init.{name}", 0).standard_normal(tuple(parameter.shape))
        return torch.from_numpy(drawn)

    def normal(self, purpose: str, samples: Sequence[int], size: int) -> Tensor:
        """[samples, size], of a standard normal distribution."""
        rows = [self.stream(purpose, one).standard_normal(size, np.float32) for one in samples]
        return torch.from_numpy(np.stack(rows))

    def uniform(self, purpose: str, samples: Sequence[int], size: int) -> Tensor:
        """[samples, size], 0..1."""
        rows = [self.stream(purpose, one).random(size, np.float32) for one in samples]
        return torch.from_numpy(np.stack(rows))

    def noise(
        self, purpose: str, samples: Sequence[int], shapes: Sequence[tuple[int, int]], device: torch.device
    ) -> list[Tensor]:
        """Standard normal noise [samples, 1, height, width] for each shape.

        A GPU draws all samples from one stream, because the CPU is too slow. The noise then depends on
        how the batch is divided.
        """
        sizes = [height * width for height, width in shapes]
        if device.type == "cpu":
            values = self.normal(purpose, samples, sum(sizes))
        else:
            number = int(self.stream(purpose, samples[0]).integers(2**63))
            dice = torch.Generator(device).manual_seed(number)
            values = torch.randn(len(samples), sum(sizes), device=device, generator=dice)
        parts = torch.split(values, sizes, 1)
        return [part.reshape(-1, 1, *shape) for part, shape in zip(parts, shapes, strict=True)]

    def order(self, epoch: int, count: int) -> NDArray[np.int64]:
        """The order of so many pictures in an epoch."""
        return self.stream("order", epoch).permutation(count)
