"""The space of a generator: its latents, drawn from seeds, truncated and blended."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from perform.arrays import Floats
from perform.latent.curves import linear

LatentMapper: TypeAlias = Callable[[Floats], Floats]  # z [n, z_dim] to w [n, w_dim], before truncation

SEEDS = 2**32  # numpy's RandomState takes seeds below this


@dataclass(frozen=True, slots=True)
class Space:
    """The latents of a generator: z [z_dim], w [w_dim], one w for each of `num_ws` layers, and
    labels [c_dim] (0: not class-conditional)."""

    z_dim: int
    w_dim: int
    num_ws: int
    c_dim: int = 0


def z_of(seed: int, z_dim: int) -> Floats:
    """The z [z_dim] that a seed stands for in the official StyleGAN tools."""
    return np.asarray(np.random.RandomState(seed % SEEDS).randn(z_dim), np.float32)


def truncate(ws: Floats, mean: Floats, psi: float, cutoff: int | None = None) -> Floats:
    """ws [num_ws, w_dim] drawn towards `mean` [w_dim] or [num_ws, w_dim]: 1 leaves them, 0 is the mean,
    less than 0 the opposite, more than 1 beyond (-1.5..2 is worth seeing); the first `cutoff` layers,
    None: all.

    The truncation trick in W of StyleGAN (Karras, Laine, Aila 2019, arXiv:1812.04948, appendix B).
    """
    if psi == 1:
        return ws
    drawn = ws.copy()
    centre = np.broadcast_to(mean, ws.shape)[:cutoff]
    drawn[:cutoff] = centre + np.float32(psi) * (ws[:cutoff] - centre)
    return drawn


def morph(a: Floats, b: Floats, t: float) -> Floats:
    """From ws `a` (t = 0) to ws `b` (t = 1), straight in w: what a morph between two scenes shows."""
    return linear(a, b, t)
