"""Generators: networks that make a picture from a point of a latent space. One family per file."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from perform.latent import Space
from perform.parameters import Parameter

Floats = NDArray[np.float32]
Pixels = NDArray[np.uint8]


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
