"""Bends as torch operations, and a network with bends in it.

Everything is made of operations that a CUDA graph captures and that OpenVINO converts: no branch
depends on a value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from perform.networks.bending import MOST_FEEDBACK, Bend

Operation: TypeAlias = Callable[[Tensor, Tensor, int], Tensor]  # activations, live values, radius


def _resampled(x: Tensor, across: Tensor, up: Tensor) -> Tensor:
    """x [n, c, h, w] read at places [h, w] in -1..1, mirrored beyond its edges."""
    grid = torch.stack([across, up], -1)[None].to(x)
    return functional.grid_sample(x, grid.expand(x.shape[0], -1, -1, -1), "bilinear", "reflection", False)


def _cell_positions(x: Tensor) -> tuple[Tensor, Tensor]:
    """Where the cells of x lie, across and down, each [h, w] in -1..1."""
    height, width = x.shape[2:]
    across = (torch.arange(width, dtype=torch.float32, device=x.device) * 2 + 1) / width - 1
    down = (torch.arange(height, dtype=torch.float32, device=x.device) * 2 + 1) / height - 1
    return across[None, :].expand(height, width), down[:, None].expand(height, width)


def _rotated(x: Tensor, values: Tensor, _: int) -> Tensor:
    across, down = _cell_positions(x)
    angle = values[0] * (2 * pi)
    aspect = x.shape[3] / x.shape[2]
    sine, cosine = angle.sin(), angle.cos()
    return _resampled(x, across * cosine - down * sine / aspect, across * sine * aspect + down * cosine)


def _translated(x: Tensor, values: Tensor, _: int) -> Tensor:
    across, down = _cell_positions(x)
    return _resampled(x, across - 2 * values[0], down + 2 * values[1])


def _zoomed(x: Tensor, values: Tensor, _: int) -> Tensor:
    across, down = _cell_positions(x)
    return _resampled(x, across / values[0], down / values[0])


def _warped(x: Tensor, values: Tensor, _: int) -> Tensor:
    across, down = _cell_positions(x)
    depth, waves, phase = values[0] * 2, values[1] * pi, values[2] * (2 * pi)
    return _resampled(
        x, across + depth * (down * waves + phase).sin(), down + depth * (across * waves + phase).sin()
    )


def _dilated(x: Tensor, _: Tensor, radius: int) -> Tensor:
    return functional.max_pool2d(x, 2 * radius + 1, 1, radius)


def _eroded(x: Tensor, values: Tensor, radius: int) -> Tensor:
    return -_dilated(-x, values, radius)


def _blurred(x: Tensor, _: Tensor, radius: int) -> Tensor:
    """Binomial filters along both axes, edges mirrored as far as the picture goes."""
    taps = torch.ones(1, device=x.device)
    for _step in range(2 * radius):
        taps = functional.pad(taps, (0, 1)) / 2 + functional.pad(taps, (1, 0)) / 2
    channels = x.shape[1]
    row = taps.to(x)[None, None, None, :].expand(channels, 1, 1, -1)
    x = functional.pad(x, (radius, radius, radius, radius), "replicate")
    x = functional.conv2d(x, row, groups=channels)
    return functional.conv2d(x, row.transpose(2, 3), groups=channels)


TORCH_OPERATIONS: dict[str, Operation] = {
    "ablate": lambda x, values, radius: torch.zeros_like(x),
    "scale": lambda x, values, radius: x * values[0].to(x),
    "threshold": lambda x, values, radius: (x > values[0].to(x)).to(x),
    "invert": lambda x, values, radius: 1 - x,
    "rotate": _rotated,
    "translate": _translated,
    "zoom": _zoomed,
    "warp": _warped,
    "erode": _eroded,
    "dilate": _dilated,
    "blur": _blurred,
}


class BendLayer(nn.Module):
    """One bend of activations x [n, c, h, w]; `values` are its live values, `memory` is its last result."""

    def __init__(self, bend: Bend) -> None:
        super().__init__()
        self.bend = bend

    def forward(self, x: Tensor, values: Tensor, memory: Tensor | None = None) -> Tensor:
        """The bent activations."""
        count = x.shape[1]
        channel = (torch.arange(count, dtype=torch.float32, device=x.device) + 0.5) / count
        chosen = ((channel > values[0]) & (channel < values[1])).to(x)
        amount = chosen[None, :, None, None] * values[2].to(x)
        if memory is not None:
            return x + amount * MOST_FEEDBACK * (memory - x)
        bent = TORCH_OPERATIONS[self.bend.operation](x, values[3:], self.bend.radius)
        return x + amount * (bent - x)


class BentSynthesis(nn.Module):
    """A synthesis with a number of `inputs`, with bends in it.

    Called with (ws, *inputs, values, *memories), or without bends (ws, *inputs), it gives the picture [1,
    channels, height, width] and the new memories, one for each feedback. Without memories a feedback begins
    with the activations of this picture.
    """

    def __init__(self, synthesis: nn.Module, bends: Sequence[Bend], inputs: int) -> None:
        super().__init__()
        self.synthesis, self._inputs = synthesis, inputs
        self._bends = [BendLayer(bend) for bend in bends]
        self._values: Sequence[Tensor] = ()
        self._memories: list[Tensor] = []
        self._made: list[Tensor] = []
        modules = dict(synthesis.named_modules())
        for place, bend in enumerate(bends):
            name = next(name for name in modules if f".{name}".endswith(f".{bend.layer}"))
            modules[name].register_forward_hook(self._hook(place))

    def forward(self, ws: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        """The picture, and the new memories of the bends."""
        if self._bends:
            values, *self._memories = rest[self._inputs :]
            self._values = torch.split(values, [bending.bend.count for bending in self._bends])
        self._made = []
        picture: Tensor = self.synthesis(ws, *rest[: self._inputs])
        return picture, *self._made

    def _hook(self, place: int) -> Callable[..., Tensor]:
        bending = self._bends[place]

        def bent(_module: nn.Module, _given: object, x: Tensor) -> Tensor:
            memory = None
            if bending.bend.remembers:
                memory = self._memories.pop(0) if self._memories else x
            result: Tensor = bending(x, self._values[place], memory)
            if bending.bend.remembers:
                self._made.append(result)
            return result

        return bent
