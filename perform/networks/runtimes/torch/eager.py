"""Plain torch calls, on any device that torch knows: Apple's GPUs, or a CPU without OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from perform.arrays import Floats, Pixels
from perform.networks import Precision
from perform.networks.bending import Bend
from perform.networks.blending import BlendTensors
from perform.networks.controls import NetworkValues
from perform.networks.runtimes.base import Runtime
from perform.networks.runtimes.inputs import DEFAULTS
from perform.networks.runtimes.torch.network import build_network, choose_precision, to_pixels
from perform.networks.weights import Weights


class Eager(Runtime):
    """A generator of plain torch calls. Each picture is an array of its own."""

    def __init__(
        self,
        weights: Weights,
        device: str = "cpu",
        precision: Precision = "auto",
        bends: Sequence[Bend] = (),
        other: BlendTensors | None = None,
    ) -> None:
        chosen = choose_precision(device, precision)
        super().__init__(weights, device, chosen, "", bends, other)
        self._synthesis = build_network(weights, chosen, bends, other).to(device)
        self._memories: tuple[Tensor, ...] = ()

    def close(self) -> None:
        """Release the network's memory to torch."""
        vars(self).pop("_synthesis", None)

    @torch.inference_mode()
    def draw(self, ws: Floats, values: NetworkValues = DEFAULTS) -> Floats:
        """As `synthesise`, but as the network gives it: [channels, height, width], about -1..1."""
        picture: Floats = self._run(*self._taken(ws, values))[0].float().cpu().numpy()
        return picture

    @torch.inference_mode()
    def _picture(self, ws: Floats, *inputs: Floats) -> Pixels:
        picture: Pixels = to_pixels(self._run(ws, *inputs))[0].cpu().numpy()
        return picture

    def _run(self, *arrays: Floats) -> Tensor:
        tensors = (torch.from_numpy(array).to(self.device) for array in arrays)
        picture, *memories = self._synthesis(*tensors, *self._memories)
        self._memories = tuple(memories)
        return picture  # type: ignore[no-any-return]
