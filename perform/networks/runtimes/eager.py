"""Any family through plain torch, on any device that torch knows: Apple's GPUs, or a CPU without OpenVINO."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from perform.arrays import Floats, Pixels
from perform.networks import ModelError, Precision
from perform.networks.bending import Bend
from perform.networks.blending import Second, mixed
from perform.networks.runtimes.base import Base
from perform.networks.runtimes.bent import Bent
from perform.networks.runtimes.blended import Blended
from perform.networks.weights import Controls, Weights, family, family_module

TYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def network(
    weights: Weights,
    precision: str = "float32",
    bends: Sequence[Bend] = (),
    other: Second | None = None,
) -> nn.Module:
    """The synthesis of some weights on the CPU, with bends and a blend (see `Bent` for what it takes)."""
    module = family_module(weights.config.family, "network")
    synthesis: nn.Module = module.synthesis(weights, TYPES[precision])
    inputs = len(family(weights.config.family).INPUTS)
    if other is not None:
        between = [module.synthesis(mixed(weights, other, share), TYPES[precision]) for share in (0.5, 1.0)]
        synthesis, inputs = Blended([synthesis, *between]), inputs + 1
    return Bent(synthesis, bends, inputs)


def pixels(picture: Tensor) -> Tensor:
    """Pictures [n, c, h, w] of -1..1 to uint8 [n, h, w, c]: times 127.5, plus 128, cut off below."""
    return (picture * 127.5 + 128).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


class Eager(Base):
    """A generator of plain torch calls. Each picture is an array of its own."""

    def __init__(
        self,
        weights: Weights,
        device: str = "cpu",
        precision: Precision = "auto",
        bends: Sequence[Bend] = (),
        other: Second | None = None,
    ) -> None:
        chosen = choose(device, precision)
        super().__init__(weights, device, chosen, "", bends, other)
        self._synthesis = network(weights, chosen, bends, other).to(device)
        self._memories: tuple[Tensor, ...] = ()

    def close(self) -> None:
        """Give the network's memory back to torch."""
        vars(self).pop("_synthesis", None)

    @torch.inference_mode()
    def draw(self, ws: Floats, controls: Controls | None = None) -> Floats:
        """As `synthesise`, but as the network gives it: [channels, height, width], about -1..1."""
        picture: Floats = self._run(*self._taken(ws, controls))[0].float().cpu().numpy()
        return picture

    @torch.inference_mode()
    def _picture(self, ws: Floats, *inputs: Floats) -> Pixels:
        picture: Pixels = pixels(self._run(ws, *inputs))[0].cpu().numpy()
        return picture

    def _run(self, *arrays: Floats) -> Tensor:
        tensors = (torch.from_numpy(array).to(self.device) for array in arrays)
        picture, *memories = self._synthesis(*tensors, *self._memories)
        self._memories = tuple(memories)
        return picture  # type: ignore[no-any-return]


def choose(device: str, precision: Precision) -> str:
    """The precision of a device: what was asked for, or its fastest that keeps the picture."""
    if precision == "auto":
        return "float32" if device == "cpu" else "float16"
    if precision not in TYPES:
        raise ModelError(f"precision = {precision!r}, must be auto or one of {', '.join(TYPES)}")
    return precision
