"""What every runtime shares: the mapping, the controls and the checks of the inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perform.arrays import Floats, Pixels
from perform.latent.controls import LATENT
from perform.networks.bending import Bend
from perform.networks.blending import BlendTensors
from perform.networks.controls import NetworkValues
from perform.networks.families import family
from perform.networks.runtimes.inputs import DEFAULTS, NetworkInputs
from perform.networks.weights import NetworkConfig, Weights


class Runtime:
    """A generator without its synthesis: a runtime fills in `_picture` and `close`.

    `device` and `precision` are those that it uses, `reason` why they are not the requested ones (or "").
    The array that `synthesise` returns is overwritten by the second next call.
    """

    def __init__(
        self,
        weights: Weights,
        device: str,
        precision: str,
        reason: str = "",
        bends: Sequence[Bend] = (),
        other: BlendTensors | None = None,
    ) -> None:
        kind = family(weights.config.family)
        self.config: NetworkConfig = weights.config
        self.space, self.size = self.config.space, self.config.size
        self.parameters = LATENT + self.config.parameters
        self.device, self.precision, self.reason = device, precision, reason
        self.bends, self.other = tuple(bends), other
        self._inputs = NetworkInputs(weights, self.bends, other)
        self._names = ("ws", *self._inputs.names)
        self._map = kind.mapping(weights)
        self._centre = kind.mean(weights)

    def map(self, z: Floats, labels: Floats | None = None) -> Floats:
        """z [n, z_dim] and labels [n or 1, c_dim] to w [n, w_dim], before truncation."""
        return self._map(z, labels)

    def mean(self, labels: Floats | None = None) -> Floats:
        """The centre of truncation [w_dim] for labels [1, c_dim]."""
        return self._centre(labels)

    def synthesise(self, ws: Floats, values: NetworkValues = DEFAULTS) -> Pixels:
        """ws [num_ws, w_dim] to a picture uint8 [height, width, channels], sRGB.

        The array is the generator's own and holds until the second next call.
        """
        return self._picture(*self._taken(ws, values))

    def _taken(self, ws: Floats, values: NetworkValues) -> tuple[Floats, ...]:
        """What the synthesis takes: ws, checked, and the rest."""
        wanted = (self.space.num_ws, self.space.w_dim)
        if ws.shape != wanted:
            raise ValueError(f"ws has shape {ws.shape}, must be {wanted}")
        return np.ascontiguousarray(ws, np.float32), *self._inputs(values)

    def close(self) -> None:
        """Release the memory and the device. A second call does nothing."""
        raise NotImplementedError

    def _picture(self, ws: Floats, *inputs: Floats) -> Pixels:
        """ws [num_ws, w_dim] and the inputs of the family to a picture."""
        raise NotImplementedError


def psnr(picture: Pixels, reference: Pixels) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures, dB."""
    error = np.square(picture.astype(np.float64) - reference).mean()
    return float(10 * np.log10(255**2 / error)) if error else float("inf")
