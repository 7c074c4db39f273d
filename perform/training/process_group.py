"""Several processes that train as one, through torch.distributed.

One call averages the gradients before each step of an optimiser. torch's DistributedDataParallel cannot do
it: R1 and the path length leave some parameters without a gradient and need gradients of gradients, and its
hooks allow neither.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
from torch import Tensor, distributed, nn


class ProcessGroup:
    """This process among `count` processes; each takes an equal part of every batch."""

    def __init__(self) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self.local = int(os.environ.get("LOCAL_RANK", "0"))

    def join(self, device: torch.device) -> None:
        """Connect to the other processes. Raises RuntimeError when they do not answer."""
        if self.count > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")

    def leave(self) -> None:
        """Disconnect at the end of a run; not after a fault, when the others would wait at the barrier."""
        if distributed.is_initialized():
            distributed.barrier()
            distributed.destroy_process_group()

    @property
    def is_main(self) -> bool:
        """Whether this process writes the files and prints."""
        return self.rank == 0

    def positions(self, batch: int) -> range:
        """The positions in a batch that this process takes."""
        each = batch // self.count
        return range(self.rank * each, (self.rank + 1) * each)

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a tensor over all processes."""
        if self.count > 1:
            distributed.all_reduce(value)
            value /= self.count
        return value

    def any(self, flag: bool, device: torch.device) -> bool:
        """Whether the flag is set in any process."""
        if self.count == 1:
            return flag
        return bool(self.mean(torch.tensor(float(flag), device=device)).item() > 0)

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each gradient by its mean over all processes."""
        if self.count == 1:
            return
        found = [one.grad for one in parameters if one.grad is not None]
        flat = self.mean(torch.cat([gradient.flatten() for gradient in found]))
        for gradient, part in zip(found, torch.split(flat, [one.numel() for one in found]), strict=True):
            gradient.copy_(part.reshape(gradient.shape))


class _Sum(torch.autograd.Function):
    """Every process gets the sum of all values, so the gradient of a value is the sum of all gradients."""

    @staticmethod
    def forward(ctx: object, value: Tensor) -> Tensor:
        total = value.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: object, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        distributed.all_reduce(total)
        return total


def sum_over_processes(value: Tensor) -> Tensor:
    """The sum of a tensor over all processes, differentiable once."""
    total: Tensor = _Sum.apply(value)  # type: ignore[no-untyped-call]
    return total
