"""Torch networks of weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

from perform.networks.weights import Weights

Made = TypeVar("Made", bound=nn.Module)


def filled(make: Callable[[], Made], weights: Weights, prefix: str = "") -> Made:
    """A network of torch with the tensors whose names begin with a prefix, ready for inference.

    `make` makes it without memory of its own: the tensors take the place of its parameters and buffers.
    """
    with torch.device("meta"):
        network = make()
    tensors = weights.part(prefix).arrays.items()
    network.load_state_dict(
        {name.removeprefix(prefix): torch.tensor(array) for name, array in tensors}, assign=True
    )
    return network.eval().requires_grad_(False)
