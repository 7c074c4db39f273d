"""The centre of truncation when it is not the mean: points that are kept, of which the nearest counts.

(Multimodal truncation towards one of several centres: Mokady et al. 2022, Self-Distilled StyleGAN,
arXiv:2202.12211, whose hard choice would make pictures jump here.)
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perform.arrays import Floats
from perform.latent.keyframes import Keyframes
from perform.latent.space import LatentMapper, Space

POWER = 16  # a point a fifth farther away than the nearest weighs a twentieth, twice as far nothing
SAME_POINT = 1e-6  # of the typical distance: so near is there


class Centre:
    """Kept points of a space: those of `seeds`, and `kept` [n, num_ws, w_dim]; at least one in all."""

    def __init__(self, space: Space, seeds: Sequence[int], kept: Floats | None = None) -> None:
        self._seeds, self._space = tuple(seeds), space
        self._kept = np.zeros((0, space.num_ws, space.w_dim), np.float32) if kept is None else kept
        self._keyframes = Keyframes(space)

    def at(self, ws: Floats, mapping: LatentMapper) -> Floats:
        """The centre [num_ws, w_dim] for a latent ws [num_ws, w_dim], of the same shape.

        Near a point it is that point, halfway between two their middle, and everywhere it moves as ws
        does, without a jump: weights are distances to the power of -POWER (Shepard 1968).
        """
        self._keyframes.use(mapping)
        seeds = [np.broadcast_to(self._keyframes.point(seed, "w"), ws.shape) for seed in self._seeds]
        points = np.stack([*seeds, *self._kept])
        weights = nearness(np.linalg.norm((points - ws).reshape(len(points), -1), axis=1))
        return np.asarray(np.tensordot(weights, points, 1), np.float32)


def nearness(distances: Floats) -> Floats:
    """How much each of some points counts, by its distance; they sum to 1."""
    least = float(distances.min())
    if least <= SAME_POINT * float(distances.mean()):
        weights = (distances == least).astype(np.float64)
    else:
        weights = (least / distances.astype(np.float64)) ** POWER
    return np.asarray(weights / weights.sum(), np.float32)
