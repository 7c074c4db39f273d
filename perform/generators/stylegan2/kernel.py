"""StyleGAN2: the filter after a transposed convolution, demodulation, noise, bias and activation in one pass.

As plain torch these are six passes over the activations, and the filter is a convolution of each channel by
itself. Here each value is read once (by the filter sixteen times, from the cache) and written once. Channels
last, which is how cuDNN gives half-precision convolutions: neighbouring threads have neighbouring channels.
"""

from __future__ import annotations

from math import sqrt

import torch
import triton
import triton.language as tl
from torch import Tensor

from perform.generators.stylegan2.network import SLOPE

CELLS = 2048  # values of one program
MOST_CHANNELS = 128  # of one program


@triton.jit  # type: ignore[untyped-decorator, unused-ignore]
def _finish(  # type: ignore[no-untyped-def]
    x,  # [n, rows, columns, channels]: one more of both where it is filtered
    out,  # [n, height, width, channels]
    demodulation,  # [n, channels]
    noise,  # [height, width]
    bias,  # [channels]
    taps,  # [4, 4]
    pixels,  # n height width
    height,
    width,
    channels,
    gain,
    limit,
    noisy: tl.constexpr,
    filters: tl.constexpr,
    limits: tl.constexpr,
    slope: tl.constexpr,
    rows: tl.constexpr,
    columns: tl.constexpr,
):
    place = tl.program_id(0) * rows + tl.arange(0, rows)
    channel = tl.program_id(1) * columns + tl.arange(0, columns)
    inside = (place < pixels)[:, None] & (channel < channels)[None, :]
    sample = place // (height * width)
    at = place % (height * width)
    if filters:
        value = tl.zeros((rows, columns), tl.float32)
        for i in tl.static_range(4):
            for j in tl.static_range(4):
                y, z = at // width + i - 1, at % width + j - 1
                there = ((y >= 0) & (y <= height) & (z >= 0) & (z <= width))[:, None] & inside
                source = (sample * (height + 1) + y) * (width + 1) + z
                read = tl.load(x + source[:, None] * channels + channel[None, :], there, 0.0)
                value += read.to(tl.float32) * tl.load(taps + 4 * i + j)
    else:
        value = tl.load(x + place[:, None] * channels + channel[None, :], inside, 0.0).to(tl.float32)
    value *= tl.load(demodulation + sample[:, None] * channels + channel[None, :], inside, 0.0)
    if noisy:
        value += tl.load(noise + at, place < pixels, 0.0)[:, None]
    value += tl.load(bias + channel, channel < channels, 0.0)[None, :]
    value = tl.where(value > 0, value, value * slope) * gain
    if limits:
        value = tl.minimum(tl.maximum(value, -limit), limit)
    tl.store(out + place[:, None] * channels + channel[None, :], value.to(out.dtype.element_ty), inside)


def finished(
    x: Tensor,
    demodulation: Tensor,
    noise: Tensor | None,
    bias: Tensor,
    kernel: Tensor | None,
    gain: float,
    clamp: float | None,
) -> Tensor:
    """As `stylegan2.network.finished`; sums are float32, the result has the format of x, channels last."""
    x = x.contiguous(memory_format=torch.channels_last)
    n, channels, rows, columns = x.shape
    height, width = (rows, columns) if kernel is None else (rows - 1, columns - 1)
    out = torch.empty_strided(
        (n, channels, height, width),
        (height * width * channels, 1, width * channels, channels),
        dtype=x.dtype,
        device=x.device,
    )
    across = min(triton.next_power_of_2(channels), MOST_CHANNELS)
    down, pixels = CELLS // across, n * height * width
    taps = bias if kernel is None else (kernel.flip(0, 1) * 4).contiguous()
    _finish[(triton.cdiv(pixels, down), triton.cdiv(channels, across))](
        x,
        out,
        demodulation.contiguous(),
        bias if noise is None else noise.contiguous(),
        bias,
        taps,
        pixels,
        height,
        width,
        channels,
        sqrt(2) * gain,
        0.0 if clamp is None else clamp * gain,
        noise is not None,
        kernel is not None,
        clamp is not None,
        SLOPE,
        down,
        across,
    )
    return out
