"""Several processes that learn as one: what they have to agree on, through torch.distributed.

Gradients are averaged here in one call for each optimiser's step, and not by torch's wrapper
DistributedDataParallel: R1 and the path length leave some parameters without a gradient, and need
gradients of gradients, both of which its hooks do not allow.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, distributed, nn


class Team:
    """This process among `count`, each with an equal part of every batch; alone, it asks nobody."""

    def __init__(self) -> None:
        self.count = int(os.environ.get("WORLD_SIZE", "1"))
        self.rank = int(os.environ.get("RANK", "0"))
        self.local = int(os.environ.get("LOCAL_RANK", "0"))

    def gather(self, device: torch.device) -> None:
        """Meet the others. Raises RuntimeError when they do not come."""
        if self.count > 1 and not distributed.is_initialized():
            distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")

    def leave(self) -> None:
        """Part, after everything was said; not after a fault, as the others would not come."""
        if distributed.is_initialized():
            distributed.barrier()
            distributed.destroy_process_group()

    @property
    def first(self) -> bool:
        """Whether this is the one that writes and speaks."""
        return self.rank == 0

    def share(self, batch: int) -> range:
        """Which places of a batch are this process's."""
        each = batch // self.count
        return range(self.rank * each, (self.rank + 1) * each)

    def mean(self, value: Tensor) -> Tensor:
        """The mean of a tensor over all processes."""
        if self.count > 1:
            distributed.all_reduce(value)
            value /= self.count
        return value

    def any(self, told: bool, device: torch.device) -> bool:
        """Whether it is so for any process."""
        if self.count == 1:
            return told
        return bool(self.mean(torch.tensor(float(told), device=device)).item() > 0)

    def average(self, parameters: Iterable[nn.Parameter]) -> None:
        """Make all gradients their means over the processes."""
        if self.count == 1:
            return
        found = [one.grad for one in parameters if one.grad is not None]
        flat = self.mean(torch.cat([gradient.flatten() for gradient in found]))
        for gradient, part in zip(found, torch.split(flat, [one.numel() for one in found]), strict=True):
            gradient.copy_(part.reshape(gradient.shape))


class _Sum(torch.autograd.Function):
    """What a process gives goes into every process's sum, so its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        total = value.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].clone()
        distributed.all_reduce(total)
        return total


def summed(value: Tensor) -> Tensor:
    """The sum of a tensor over all processes, differentiable once."""
    total: Tensor = _Sum.apply(value)  # type: ignore[no-untyped-call]
    return total
