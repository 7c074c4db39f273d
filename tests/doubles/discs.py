"""A dataset in memory: coloured discs on dark ground, drawn from six numbers each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Discs:
    """The part of `perform.training.dataset.Dataset` that training needs."""

    count: int = 64
    side: int = 16
    mirror: bool = False
    latents: bool = True

    @property
    def size(self) -> tuple[int, int]:
        return self.side, self.side

    @property
    def digest(self) -> str:
        return f"discs {self.count} {self.side}"

    def __len__(self) -> int:
        return self.count

    def latent(self, number: int, /) -> NDArray[np.float32] | None:
        """Place, size and colour."""
        return np.random.default_rng(number).standard_normal(6, np.float32) if self.latents else None

    def picture(self, number: int, /) -> NDArray[np.uint8]:
        """One disc, its edge smoothed over a pixel."""
        z = np.random.default_rng(number).standard_normal(6, np.float32)
        y, x = (np.mgrid[: self.side, : self.side] + 0.5) / self.side
        away = np.hypot(x - 0.5 - 0.12 * z[0].clip(-2, 2), y - 0.5 - 0.12 * z[1].clip(-2, 2))
        covered = ((0.17 + 0.05 * np.tanh(z[2]) - away) * self.side + 0.5).clip(0, 1)[..., None]
        colour = 0.5 + 0.5 * np.tanh(z[3:6])
        return np.asarray((covered * colour + (1 - covered) * (0.05, 0.06, 0.12)) * 255, np.uint8)
