"""DCGAN: the network, as plain torch. This is the oracle of every faster form."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from perform.generators.dcgan import Config
from perform.networks.weights import Weights


class Synthesis(nn.Module):
    """ws [1, z_dim] to the picture [1, channels, height, width], -1..1.

    The first layer sees one place only, so it is a matrix; the others are transposed convolutions
    of stride 2 with half their kernel less one cut off each side.
    """

    first: Tensor

    def __init__(self, weights: Weights, dtype: torch.dtype) -> None:
        super().__init__()
        self.config = weights.config_as(Config)
        tensors = {name: torch.tensor(array).to(dtype) for name, array in weights.arrays.items()}
        self.register_buffer("first", tensors["layers.0.weight"].flatten(1))
        for i in range(len(self.config.channels) - 1):
            weight = tensors[f"layers.{i}.weight"].contiguous(memory_format=torch.channels_last)
            self.register_buffer(f"bias{i}", tensors[f"layers.{i}.bias"])
            if i:
                self.register_buffer(f"weight{i}", weight)
        for name in self.config.bendable:
            self.add_module(name, nn.ReLU())

    def forward(self, ws: Tensor) -> Tensor:
        x = (ws.to(self.first) @ self.first).reshape(1, -1, *self.config.start)
        x = x + self.get_buffer("bias0")[:, None, None]
        for i, kernel in enumerate(self.config.kernels, 1):
            weight, bias = self.get_buffer(f"weight{i}"), self.get_buffer(f"bias{i}")
            x = functional.conv_transpose2d(
                self.get_submodule(f"layer{i - 1}")(x), weight, bias, stride=2, padding=kernel // 2 - 1
            )
        return x.float().tanh()


def synthesis(weights: Weights, dtype: torch.dtype = torch.float32) -> Synthesis:
    """The synthesis of some weights, ready to play in `dtype`."""
    return Synthesis(weights, dtype).eval().requires_grad_(False)
