"""StyleGAN2 through plain torch, on any device that torch knows: Apple's GPUs, or a CPU without OpenVINO."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from perform.generators import Floats, ModelError, Pixels, Precision
from perform.generators.base import Base, noise_sizes
from perform.generators.stylegan2 import Network, Synthesis, pixels
from perform.generators.weights import Weights

TYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def render(synthesis: Synthesis, ws: Tensor, noise: Tensor, strength: Tensor) -> Tensor:
    """ws [num_ws, w_dim], noise [values of all layers] and strength [1] to uint8 [h, w, c]."""
    config = synthesis.config
    parts = torch.split(noise * strength, noise_sizes(config))
    shaped = [part.reshape(config.noise_shape(layer)) for layer, part in enumerate(parts)]
    return pixels(synthesis(ws[None], shaped))[0]


class Eager(Base):
    """A generator of plain torch calls. Each picture is an array of its own."""

    def __init__(self, weights: Weights, device: str = "cpu", precision: Precision = "auto") -> None:
        chosen = choose(device, precision)
        super().__init__(weights, device, chosen)
        self._synthesis = Network.load(weights).synthesis.to(device).frozen(TYPES[chosen])

    def close(self) -> None:
        """Give the network's memory back to torch."""
        vars(self).pop("_synthesis", None)

    @torch.inference_mode()
    def _picture(self, ws: Floats, noise: Floats, strength: float) -> Pixels:
        like = self._synthesis.resample_filter
        tensors = (torch.from_numpy(a).to(like) for a in (ws, noise, np.full(1, strength, np.float32)))
        return render(self._synthesis, *tensors).cpu().numpy()


def choose(device: str, precision: Precision) -> str:
    """The precision of a device: what was asked for, or its fastest that keeps the picture."""
    if precision == "auto":
        return "float32" if device == "cpu" else "float16"
    if precision not in TYPES:
        raise ModelError(f"precision = {precision!r}, must be auto or one of {', '.join(TYPES)}")
    return precision
