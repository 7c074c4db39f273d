"""What a network takes after its latent: its family's inputs, the share of a blend, the values of bends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perform.arrays import Floats
from perform.latent.controls import LATENT
from perform.networks.bending import Bend, pack_values
from perform.networks.blending import BLEND_AMOUNT, BlendTensors
from perform.networks.controls import NetworkValues
from perform.networks.families import family
from perform.networks.weights import Weights

DEFAULTS = NetworkValues()


class NetworkInputs:
    """The inputs of a synthesis after ws: their `names` in order, and when called their values."""

    def __init__(self, weights: Weights, bends: Sequence[Bend], other: BlendTensors | None) -> None:
        kind, parameters = family(weights.config.family), LATENT + weights.config.parameters
        self._bends, self._blended = bends, other is not None
        self._family_inputs = kind.inputs(weights)
        self._defaults = {parameter.name: parameter.default for parameter in parameters}
        more = [name for name, there in (("blend", self._blended), ("bend", bends)) if there]
        self.names = (*kind.INPUTS, *more)

    def __call__(self, values: NetworkValues = DEFAULTS) -> tuple[Floats, ...]:
        given = [*self._family_inputs({**self._defaults, **values.parameters})]
        if self._blended:
            given.append(np.full(1, values.blend.get("amount", BLEND_AMOUNT.default), np.float32))
        if self._bends:
            given.append(pack_values(self._bends, values.bends))
        return tuple(given)
