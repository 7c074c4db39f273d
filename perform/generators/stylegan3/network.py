"""StyleGAN3: the network, as plain torch.

From Karras et al. 2021 (Alias-free generative adversarial networks): an input of waves whose place the
latent and the performer move, and layers that convolve, upsample, activate and downsample, so that nothing
sticks to the pixels. This is the oracle of every faster form.

As in StyleGAN2's network, activations are scaled on their way in and demodulated on their way out.
"""

from __future__ import annotations

from collections.abc import Callable
from math import pi, sqrt
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from perform.generators.stylegan2.network import Linear
from perform.generators.stylegan3.config import Config, Sides
from perform.generators.torchnetworks import filled
from perform.networks.weights import Weights

Finish: TypeAlias = Callable[["Layer", Tensor, Tensor], Tensor]

SLOPE = 0.2
EPSILON = 1e-8


def upsampled(x: Tensor, taps: Tensor | None, up: int, padding: Sides) -> Tensor:
    """`up` times the size: zeros between the pixels, padding (negative: cropping), then the filter.

    x [n, c, h, w]; taps [t] along both axes, or [rows, columns], or None.
    """
    for kernel, steps in _kernels(taps, up, x.device):
        weight = (kernel * (steps[0] * steps[1])).to(x).expand(x.shape[1], 1, *kernel.shape)
        x = functional.conv_transpose2d(x, weight, stride=steps, groups=x.shape[1])
    rows, columns = (1, 1) if taps is None else (taps.shape[0], taps.shape[-1])
    left, right, top, bottom = padding
    spare = (columns - 1 - left, columns - up - right, rows - 1 - top, rows - up - bottom)
    return functional.pad(x, [-side for side in spare])


def downsampled(x: Tensor, taps: Tensor | None, down: int) -> Tensor:
    """The filter over x, no padding, then each `down`-th pixel."""
    for kernel, steps in _kernels(taps, down, x.device):
        weight = kernel.flip(0, 1).to(x).expand(x.shape[1], 1, *kernel.shape)
        x = functional.conv2d(x, weight, stride=steps, groups=x.shape[1])
    return x


def _kernels(taps: Tensor | None, factor: int, device: torch.device) -> list[tuple[Tensor, tuple[int, int]]]:
    """A filter as kernels [rows, columns], each with its steps down and across."""
    if taps is None:
        return [] if factor == 1 else [(torch.ones(1, 1, device=device), (factor, factor))]
    if taps.dim() == 2:
        return [(taps, (factor, factor))]
    return [(taps[None, :], (1, factor)), (taps[:, None], (factor, 1))]


class Input(nn.Module):
    """w [n, w_dim] and a transform [3, 3] to waves mixed by a matrix, [n, channels, height, width]."""

    freqs: Tensor
    phases: Tensor
    transform: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.size, self.sampling, self.bandwidth = config.sizes[0], config.sampling, config.bandwidth
        self.channels = channels = config.channels[0]
        self.affine = Linear(config.w_dim, 4)
        self.weight = nn.Parameter(torch.zeros(channels, channels))
        self.register_buffer("transform", torch.tensor(np.eye(3, dtype=np.float32)))
        self.register_buffer("freqs", torch.zeros(channels, 2))
        self.register_buffer("phases", torch.zeros(channels))

    def forward(self, w: Tensor, transform: Tensor) -> Tensor:
        width, height = self.size
        x = (torch.arange(width, device=w.device) + 0.5 - width / 2) / self.sampling
        y = (torch.arange(height, device=w.device) + 0.5 - height / 2) / self.sampling
        freqs, phases = self.placed(w, transform)
        turns = freqs[:, :, 0, None, None] * x + freqs[:, :, 1, None, None] * y[:, None]
        waves = torch.sin(2 * pi * (turns + phases[:, :, None, None]))
        nyquist = self.sampling / 2
        heights = (nyquist - freqs.norm(dim=2)) / (nyquist - self.bandwidth)  # fades what would alias
        waves = waves * heights.clamp(0, 1)[:, :, None, None]
        return torch.einsum("oc,nchw->nohw", self.weight / sqrt(self.channels), waves)

    def placed(self, w: Tensor, transform: Tensor) -> tuple[Tensor, Tensor]:
        """Frequencies [n, channels, 2] and phases [n, channels], where latent and transform put them."""
        place = self.affine(w)  # [n, 4]: direction and translation
        place = place / place[:, :2].norm(dim=1, keepdim=True)
        cos, sin = place[:, 0, None], place[:, 1, None]
        across = self.freqs[:, 0] * cos + self.freqs[:, 1] * sin
        down = self.freqs[:, 1] * cos - self.freqs[:, 0] * sin
        turned = torch.stack([across, down], 2)
        shift = transform[:2, 2] - place[:, 2:]
        phases = self.phases + (turned @ shift[:, :, None])[:, :, 0]
        return turned @ transform[:2, :2], phases


class Layer(nn.Module):
    """A modulated convolution and an activation without aliasing. [n, inputs, h, w] and w [n, w_dim]."""

    up_filter: Tensor | None
    down_filter: Tensor | None
    magnitude_ema: Tensor
    scaled: Tensor | None
    power: Tensor | None

    def __init__(self, config: Config, i: int) -> None:
        super().__init__()
        inputs, outputs = config.channels[i : i + 2]
        self.colours, self.clamp = config.colours(i), config.clamp
        self.up, self.down, self.padding = config.ups[i], config.downs[i], config.paddings[i]
        self.finish: Finish = finished
        self.affine = Linear(config.w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, config.kernels[i], config.kernels[i]))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("magnitude_ema", torch.ones(()))
        for name, shape in (("up_filter", config.up_filters[i]), ("down_filter", config.down_filters[i])):
            self.register_buffer(name, torch.zeros(shape) if shape else None)
        for name in ("scaled", "power"):
            self.register_buffer(name, None, persistent=False)

    def freeze(self, dtype: torch.dtype) -> None:
        """Keep the scaled weight: as buffers, which go to a device with the rest."""
        self.scaled, self.power = self.scale(dtype)

    def scale(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """The weight in use, in `dtype`, and its power [inputs, outputs]."""
        if self.scaled is not None and self.power is not None:
            return self.scaled, self.power
        if self.colours:
            weight = self.weight / sqrt(self.weight[0].numel())
        else:
            weight = self.weight * self.weight.square().mean((1, 2, 3), keepdim=True).rsqrt()
        return weight.to(dtype), weight.square().sum((2, 3)).T

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        x, demodulation = self.convolved(x, w)
        return self.finish(self, x, demodulation)

    def convolved(self, x: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
        """The convolution of scaled activations, and the demodulation [n, outputs] that gives it unit
        variance where the input has the variance seen in training."""
        weight, power = self.scale(x.dtype)
        style, gain = self.affine(w), self.magnitude_ema.rsqrt()
        demodulation = gain.expand(style.shape[0], weight.shape[0])
        if not self.colours:
            style = style * style.square().mean(1, keepdim=True).rsqrt()
            demodulation = gain * (style.square() @ power + EPSILON).rsqrt()
        x = x * style[:, :, None, None].to(x)
        return functional.conv2d(x, weight, padding=weight.shape[2] - 1), demodulation


def finished(layer: Layer, x: Tensor, demodulation: Tensor) -> Tensor:
    """What follows a layer's convolution: demodulation [n, channels], bias, and the activation on a finer
    grid between two filters."""
    x = x * demodulation[:, :, None, None].to(x) + layer.bias[:, None, None].to(x)
    x = upsampled(x, layer.up_filter, layer.up, layer.padding)
    x = x if layer.colours else functional.leaky_relu(x, SLOPE) * sqrt(2)
    x = x if layer.clamp is None else x.clamp(-layer.clamp, layer.clamp)
    return downsampled(x, layer.down_filter, layer.down)


class Synthesis(nn.Module):
    """ws [n, num_ws, w_dim] and a transform [3, 3] to pictures [n, channels, height, width], about -1..1."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.scale, self.dtype = config.scale, torch.float32
        self.input = Input(config)
        for i, name in enumerate(config.layers):
            self.add_module(name, Layer(config, i))

    @classmethod
    def load(cls, weights: Weights) -> Synthesis:
        """The synthesis of some weights, ready for inference."""
        config = weights.config_as(Config)
        return filled(lambda: cls(config), weights, "synthesis.")

    def layers(self) -> list[Layer]:
        return [module for module in self.children() if isinstance(module, Layer)]

    def frozen(self, dtype: torch.dtype = torch.float32) -> Synthesis:
        """For playing: layers in `dtype`, their weights scaled once. The input, styles and demodulation
        stay in float32."""
        self.dtype = dtype
        for layer in self.layers():
            layer.freeze(dtype)
        return self

    def forward(self, ws: Tensor, transform: Tensor | None = None) -> Tensor:
        """`transform` None: the network's own."""
        x = self.input(ws[:, 0], self.input.transform if transform is None else transform).to(self.dtype)
        for i, layer in enumerate(self.layers(), 1):
            x = layer(x, ws[:, i])
        picture: Tensor = x.float() * self.scale
        return picture


class Playing(nn.Module):
    """One picture at a time: ws [num_ws, w_dim] and the transform [3, 3] to [1, channels, height, width]
    (the contract of `families.Family`)."""

    def __init__(self, synthesis: Synthesis) -> None:
        super().__init__()
        self.synthesis = synthesis

    def forward(self, ws: Tensor, transform: Tensor) -> Tensor:
        picture: Tensor = self.synthesis(ws[None], transform)
        return picture


def synthesis(weights: Weights, dtype: torch.dtype = torch.float32) -> Playing:
    """The synthesis of some weights, ready to play in `dtype`."""
    return Playing(Synthesis.load(weights).frozen(dtype))
