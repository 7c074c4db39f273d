"""Generators: networks that make a picture from a point of a latent space. One family per file."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform.latent import Space
from perform.parameters import Parameter

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Device: TypeAlias = Literal["auto", "cpu", "cuda", "mps"]
Precision: TypeAlias = Literal["auto", "float32", "float16", "bfloat16"]

STORED = -1  # the `noise_seed` that means: the noise stored with the network

PARAMETERS: tuple[Parameter, ...] = (
    Parameter(
        "truncation", 0.7, -1.5, 2.0, description="distance from the mean: 0 the mean, 1 as trained, <0 opposite"
    ),
    Parameter("cutoff", -1, -1, 64, "layers", "how many layers are truncated, coarsest first; -1: all", "int"),
    Parameter("noise", 1.0, 0.0, 4.0, description="strength of the fine random detail"),
    Parameter("noise_seed", STORED, STORED, 2**31 - 1, "", "which noise; -1: the model's own", "int"),
    Parameter("label", 0, 0, 2**16, "", "class, for conditional models", "int"),
)


class ModelError(ValueError):
    """A model that cannot be opened; the message says which, why, and what is allowed."""


class Generator(Protocol):
    """A trained generator, ready to play.

    `space` describes its latents, `parameters` the controls of its synthesis (noise strength and
    the like), `size` is (width, height) of its pictures in pixels, `mean` is the centre of
    truncation [w_dim].
    """

    space: Space
    parameters: tuple[Parameter, ...]
    size: tuple[int, int]
    mean: Floats

    def map(self, z: Floats, labels: Floats | None = None) -> Floats:
        """z [n, z_dim] and labels [n, c_dim] to w [n, w_dim], before truncation."""
        ...

    def synthesise(self, ws: Floats, noise: float = 1.0, seed: int | None = None) -> Pixels:
        """ws [num_ws, w_dim] to a picture [height, width, channels], sRGB.

        `noise` scales the noise inputs; `seed` None takes the noise stored with the network, a
        number takes noise drawn from it.
        """
        ...

    def close(self) -> None:
        """Give back the network's memory and device."""
        ...
