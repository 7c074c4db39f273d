"""What every runtime of StyleGAN2 has in common: mapping, noise and the checking of what comes in."""

from __future__ import annotations

import numpy as np

from perform.generators import PARAMETERS, STORED, Floats, Pixels
from perform.generators.mapping import mapped
from perform.generators.weights import Config, Weights


class Base:
    """A generator but for its synthesis: a runtime fills in `_picture` and `close`.

    `device` and `precision` say where and how it computes, `reason` why not as asked (or "").
    The picture that `synthesise` gives is written again by the second next call.
    """

    def __init__(self, weights: Weights, device: str, precision: str, reason: str = "") -> None:
        self.config = weights.config
        self.space, self.size, self.mean = self.config.space, self.config.size, weights.mean
        self.parameters = PARAMETERS
        self.device, self.precision, self.reason = device, precision, reason
        self._mapping = weights.part("mapping.")
        self._stored = stored_noise(weights)
        self._drawn = (STORED, self._stored)

    def map(self, z: Floats, labels: Floats | None = None) -> Floats:
        """z [n, z_dim] and labels [n or 1, c_dim] to w [n, w_dim], before truncation."""
        return mapped(self._mapping, z, labels)

    def synthesise(self, ws: Floats, noise: float = 1.0, seed: int | None = None) -> Pixels:
        """ws [num_ws, w_dim] to a picture uint8 [height, width, channels], sRGB.

        `noise` scales the noise (0: none); `seed` None or -1 takes the stored noise. The array is
        the generator's own and holds until the second next call.
        """
        wanted = (self.space.num_ws, self.space.w_dim)
        if ws.shape != wanted:
            raise ValueError(f"ws has shape {ws.shape}, must be {wanted}")
        return self._picture(np.ascontiguousarray(ws, np.float32), self._noise(seed), noise)

    def close(self) -> None:
        """Give back the network's memory and device; again does nothing."""
        raise NotImplementedError

    def _picture(self, ws: Floats, noise: Floats, strength: float) -> Pixels:
        """ws [num_ws, w_dim], the noise of all layers [values] and its strength to a picture."""
        raise NotImplementedError

    def _noise(self, seed: int | None) -> Floats:
        if seed is None or seed == STORED:
            return self._stored
        if self._drawn[0] != seed:
            self._drawn = (seed, drawn_noise(self.config, seed))
        return self._drawn[1]


def noise_sizes(config: Config) -> list[int]:
    """How many noise values each convolution takes, in order."""
    shapes = (config.noise_shape(layer) for layer in range(len(config.layers)))
    return [height * width for height, width in shapes]


def drawn_noise(config: Config, seed: int) -> Floats:
    """Noise for all convolutions, one after the other, drawn from a seed: the same everywhere."""
    draw = np.random.Generator(np.random.PCG64(seed % 2**64))
    return draw.standard_normal(sum(noise_sizes(config)), dtype=np.float32)


def stored_noise(weights: Weights) -> Floats:
    """The noise stored with a network, for all convolutions, one after the other."""
    names = (f"synthesis.{layer}.noise_const" for layer in weights.config.layers)
    return np.concatenate([weights.arrays[name].ravel() for name in names])
