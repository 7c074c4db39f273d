"""StyleGAN3: demodulation, bias, upsampling, activation and downsampling of a layer in one pass.

The activation is computed on a grid that is up to sixteen times as fine as what comes in; as plain torch
that grid goes through memory four times. Here a program takes a square of it through the filters without
writing it. Separable filters over a square X are products with banded matrices, U X U^T and D A D^T, which
the matrix units compute: with ten times the multiplications of the taps alone, but on units that are
faster by more than that. A square begins at a multiple of the factors, so that all share their matrices.
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

import torch
import triton
import triton.language as tl
from torch import Tensor

from perform.generators.stylegan3.network import SLOPE, Layer

LEAST = 16  # rows or columns that a matrix unit takes


class Axis(NamedTuple):
    """One axis of a square: its matrices, where its source begins, and its steps from square to square."""

    up: Tensor  # [cells, source]
    down: Tensor  # [results, cells], rows beyond `step` empty
    first: int
    source_step: int
    step: int


def axis(up_taps: Tensor, up: int, before: int, down_taps: Tensor, down: int, cells: int) -> Axis:
    """The matrices of a row of `cells` of the fine grid; `before` is the padding in front of it.

    Raises ValueError where the filters are longer than the square.
    """
    taps, reach = len(up_taps), len(down_taps)
    fitting = (n for n in range((cells - reach) // down + 1, 0, -1) if n * down % up == 0)
    step = next(fitting, 0)
    if not step:
        raise ValueError(f"cells = {cells}, must be {reach + up * down} or more for these filters")
    phase = -before % up
    source = max(LEAST, triton.next_power_of_2((cells + phase + taps - 2) // up + 1))
    results = max(LEAST, triton.next_power_of_2(step))
    fine = torch.arange(cells)[:, None]
    upward = _band(up_taps.cpu() * up, fine + phase + taps - 1 - torch.arange(source) * up)
    result = torch.arange(results)[:, None]
    downward = _band(down_taps.cpu(), reach - 1 - (torch.arange(cells) - result * down)) * (result < step)
    return Axis(upward, downward, (-before - phase) // up, step * down // up, step)


def _band(taps: Tensor, index: Tensor) -> Tensor:
    """taps[index], 0 beyond its ends."""
    there = (index >= 0) & (index < len(taps))
    return taps[index.clamp(0, len(taps) - 1)] * there


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _finish(  # type: ignore[no-untyped-def]
    x,  # [n channels, height, width]
    out,  # [n channels, rows, columns]
    demodulation,  # [n channels]
    bias,  # [channels]
    up_y,
    up_x,
    down_y,
    down_x,
    channels,
    height,
    width,
    rows,
    columns,
    first_y,
    first_x,
    source_step,
    step,
    gain,
    limit,
    limits: tl.constexpr,
    slope: tl.constexpr,
    cells: tl.constexpr,
    source_y: tl.constexpr,
    source_x: tl.constexpr,
    results: tl.constexpr,
):
    plane, across, along = tl.program_id(0), tl.program_id(1), tl.program_id(2)
    fine, result = tl.arange(0, cells), tl.arange(0, results)
    sy, sx = tl.arange(0, source_y), tl.arange(0, source_x)
    y, z = (first_y + along * source_step + sy)[:, None], (first_x + across * source_step + sx)[None, :]
    there = (y >= 0) & (y < height) & (z >= 0) & (z < width)
    kind = x.dtype.element_ty
    given = tl.load(x + plane * height * width + y * width + z, there, 0.0).to(tl.float32)
    given = given * tl.load(demodulation + plane) + tl.load(bias + plane % channels)
    given = tl.where(there, given, 0.0).to(kind)
    matrix = tl.load(up_y + fine[:, None] * source_y + sy[None, :])
    a = tl.dot(matrix, given, input_precision="ieee").to(kind)  # [cells, source_x]
    matrix = tl.load(up_x + fine[None, :] * source_x + sx[:, None])  # transposed
    a = tl.dot(a, matrix, input_precision="ieee")  # [cells, cells]
    a = tl.where(a > 0, a, a * slope) * gain
    if limits:
        a = tl.minimum(tl.maximum(a, -limit), limit)
    matrix = tl.load(down_y + result[:, None] * cells + fine[None, :])
    a = tl.dot(matrix, a.to(kind), input_precision="ieee").to(kind)  # [results, cells]
    matrix = tl.load(down_x + result[None, :] * cells + fine[:, None])
    a = tl.dot(a, matrix, input_precision="ieee")  # [results, results]
    y, z = (along * step + result)[:, None], (across * step + result)[None, :]
    mine = (result < step)[:, None] & (result < step)[None, :] & (y < rows) & (z < columns)
    tl.store(out + plane * rows * columns + y * columns + z, a.to(out.dtype.element_ty), mine)


def takes(layer: Layer) -> bool:
    """Whether the kernel computes what follows a layer: it is activated, its filters are separable."""
    filters = (layer.up_filter, layer.down_filter)
    return not layer.colours and all(taps is None or taps.dim() == 1 for taps in filters)


class Finish:
    """As `stylegan3.network.finished` for one layer, whose matrices it keeps. Results are contiguous."""

    def __init__(self, layer: Layer, cells: int) -> None:
        one = torch.ones(1)
        ups = one if layer.up_filter is None else layer.up_filter
        downs = one if layer.down_filter is None else layer.down_filter
        left, right, top, bottom = layer.padding
        self._reach = (len(ups) - 1 + len(downs) - 1, left + right, top + bottom)
        dtype = layer.weight.dtype if layer.scaled is None else layer.scaled.dtype
        axes = (axis(ups, layer.up, before, downs, layer.down, cells) for before in (top, left))
        self._rows, self._columns = (_placed(one, layer.bias.device, dtype) for one in axes)
        self._cells = cells

    def __call__(self, layer: Layer, x: Tensor, demodulation: Tensor) -> Tensor:
        """x [n, channels, h, w] and demodulation [n, channels] to what the layer gives."""
        x, (n, channels, height, width) = x.contiguous(), x.shape
        rows, columns = self._size(layer, height, width)
        out = torch.empty((n, channels, rows, columns), dtype=x.dtype, device=x.device)
        y, z = self._rows, self._columns
        grid = (n * channels, triton.cdiv(columns, z.step), triton.cdiv(rows, y.step))
        limit = 0.0 if layer.clamp is None else layer.clamp
        _finish[grid](
            x, out, demodulation.contiguous(), layer.bias, y.up, z.up, y.down, z.down,
            channels, height, width, rows, columns, y.first, z.first, y.source_step, y.step,
            sqrt(2), limit, layer.clamp is not None, SLOPE,
            self._cells, y.up.shape[1], z.up.shape[1], y.down.shape[0],
        )  # fmt: skip
        return out

    def _size(self, layer: Layer, height: int, width: int) -> tuple[int, int]:
        reach, across, along = self._reach
        fine = (height * layer.up + along - reach, width * layer.up + across - reach)
        return (fine[0] - 1) // layer.down + 1, (fine[1] - 1) // layer.down + 1


def _placed(one: Axis, device: torch.device, dtype: torch.dtype) -> Axis:
    return one._replace(up=one.up.to(device, dtype), down=one.down.to(device, dtype))
