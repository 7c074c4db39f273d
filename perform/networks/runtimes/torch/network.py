"""A family's synthesis as a torch module, with its bends and its blend."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from perform.networks import ModelError, Precision
from perform.networks.bending import Bend
from perform.networks.blending import BlendTensors, mixed_weights
from perform.networks.families import family, family_module
from perform.networks.runtimes.torch.bending import BentSynthesis
from perform.networks.runtimes.torch.blending import BlendedSynthesis
from perform.networks.weights import Weights

TORCH_TYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def build_network(
    weights: Weights,
    precision: str = "float32",
    bends: Sequence[Bend] = (),
    other: BlendTensors | None = None,
) -> nn.Module:
    """The synthesis of weights on the CPU, with bends and a blend; `BentSynthesis` lists its inputs."""
    module = family_module(weights.config.family, "network")
    synthesis: nn.Module = module.synthesis(weights, TORCH_TYPES[precision])
    inputs = len(family(weights.config.family).INPUTS)
    if other is not None:
        between = [
            module.synthesis(mixed_weights(weights, other, share), TORCH_TYPES[precision])
            for share in (0.5, 1.0)
        ]
        synthesis, inputs = BlendedSynthesis([synthesis, *between]), inputs + 1
    return BentSynthesis(synthesis, bends, inputs)


def to_pixels(picture: Tensor) -> Tensor:
    """Pictures [n, c, h, w] of -1..1 to uint8 [n, h, w, c]: times 127.5, plus 128, cut off below."""
    return (picture * 127.5 + 128).clamp(0, 255).to(torch.uint8).permute(0, 2, 3, 1)


def choose_precision(device: str, precision: Precision) -> str:
    """The precision of a device: the requested one, or the fastest one that keeps the picture."""
    if precision == "auto":
        return "float32" if device == "cpu" else "float16"
    if precision not in TORCH_TYPES:
        raise ModelError(f"precision = {precision!r}, must be auto or one of {', '.join(TORCH_TYPES)}")
    return precision
