"""Latent navigation: paths through the space of a generator."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Space:
    """The latents of a generator: z [z_dim], w [w_dim], one w for each of `num_ws` layers, and
    labels [c_dim] (0: not class-conditional)."""

    z_dim: int
    w_dim: int
    num_ws: int
    c_dim: int = 0
