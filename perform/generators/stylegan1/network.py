"""StyleGAN, the first: the synthesis as plain torch, from the paper (Karras, Laine, Aila 2019).

A layer is a convolution (the first one of all: the learned constant), noise, bias, leaky ReLU,
instance normalisation, and a scale and a shift of each channel by its style; enlarged pictures are
blurred (their figure 1 and appendix C, and Karras et al. 2018 for the equalised learning rate).

An enlargement by repeated pixels and a 3x3 convolution is a transposed 4x4 convolution of stride 2
whose taps are sums of neighbouring taps; networks that fuse the two train the kernel mirrored. So
there is one way for both, at less than half the operations of the first.

No picture of the original was at hand: the tests hold this to a slow form in numpy, written from the
paper. What the paper leaves open (which kernels are mirrored, from which size on, where the gains are)
is as public ports that draw the published networks have it.
"""

from __future__ import annotations

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from perform.generators.noise import noise_sizes
from perform.generators.stylegan1 import BLUR, Config
from perform.generators.torchnetworks import filled
from perform.networks.weights import Weights

SLOPE = 0.2
EPSILON = 1e-8


class Style(nn.Module):
    """w [w_dim] to a scale around 1 and a shift, each [1, channels, 1, 1]."""

    def __init__(self, config: Config, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2 * channels, config.w_dim))
        self.bias = nn.Parameter(torch.zeros(2 * channels))
        self.gain, self.channels = 1 / sqrt(config.w_dim), channels

    def forward(self, w: Tensor) -> tuple[Tensor, Tensor]:
        style = functional.linear(w[None], self.weight * self.gain, self.bias)[:, :, None, None]
        return style[:, : self.channels] + 1, style[:, self.channels :]


class Layer(nn.Module):
    """A convolution, or none before the constant, and all that follows it."""

    noise_const: Tensor
    kernel: Tensor | None
    filter: Tensor | None

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        width, before = config.channels[layer], config.channels[max(layer - 1, 0)]
        self.up, self.mirrored = layer > 0 and layer % 2 == 0, not config.fuses(layer)
        self.weight = nn.Parameter(torch.zeros(width, before, 3, 3)) if layer else None
        self.gain = sqrt(2 / (before * 9))
        self.bias = nn.Parameter(torch.zeros(width))
        self.noise_strength = nn.Parameter(torch.zeros(width))
        self.register_buffer("noise_const", torch.zeros(config.noise_shape(layer)))
        self.affine = Style(config, width)
        self.register_buffer("kernel", None, persistent=False)
        self.register_buffer("filter", None, persistent=False)

    def freeze(self, dtype: torch.dtype) -> None:
        """The weight in use, computed once, in place of what the file has."""
        if self.weight is None:
            return
        kernel = spread(self.weight, self.mirrored) if self.up else self.weight
        self.kernel = (kernel * self.gain).to(dtype).contiguous(memory_format=torch.channels_last)
        if self.up:
            taps = torch.tensor(BLUR, dtype=dtype) / sum(BLUR)
            self.filter = torch.outer(taps, taps).repeat(len(self.bias), 1, 1, 1)
        self.weight = None

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        """Features [1, inputs, h, w], w [w_dim] and noise [h, w] to features [1, channels, h, w]."""
        if self.filter is not None and self.kernel is not None:
            x = functional.conv_transpose2d(x, self.kernel, stride=2, padding=1)
            x = functional.conv2d(x, self.filter, padding=len(BLUR) // 2, groups=x.shape[1])
        elif self.kernel is not None:
            x = functional.conv2d(x, self.kernel, padding=1)
        x = x + (noise * self.noise_strength[:, None, None] + self.bias[:, None, None]).to(x)
        scale, shift = self.affine(w)
        return normalised(functional.leaky_relu(x, SLOPE), scale, shift)


def spread(weight: Tensor, mirrored: bool) -> Tensor:
    """A 3x3 kernel over enlarged pixels as one from the small picture: [outputs, inputs, 3, 3] to
    [inputs, outputs, 4, 4], for a transposed convolution of stride 2."""
    taps = weight.flip(2, 3) if mirrored else weight
    wide = functional.pad(taps, (1, 1, 1, 1))
    sums = wide[:, :, 1:, 1:] + wide[:, :, :-1, 1:] + wide[:, :, 1:, :-1] + wide[:, :, :-1, :-1]
    return sums.transpose(0, 1)


def normalised(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Each channel with mean 0 and variance 1, then scaled and shifted (AdaIN); statistics in float32."""
    centred = x - x.float().mean((2, 3), keepdim=True).to(x)
    deviation = (centred.float().square().mean((2, 3), keepdim=True) + EPSILON).rsqrt()
    return centred * (deviation * scale).to(x) + shift.to(x)


class ToRGB(nn.Module):
    """Features to picture channels."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(config.image_channels, config.channels[-1], 1, 1))
        self.bias = nn.Parameter(torch.zeros(config.image_channels))
        self.gain = 1 / sqrt(config.channels[-1])

    def forward(self, x: Tensor) -> Tensor:
        return functional.conv2d(x, (self.weight * self.gain).to(x)).float() + self.bias[:, None, None]


class Block(nn.Module):
    """The two layers of one resolution."""

    def __init__(self, config: Config, block: int) -> None:
        super().__init__()
        if block == 0:
            self.const = nn.Parameter(torch.zeros(config.channels[0], *config.start))
        self.conv0, self.conv1 = Layer(config, 2 * block), Layer(config, 2 * block + 1)


class Synthesis(nn.Module):
    """One picture at a time: ws [num_ws, w_dim], noise [values of all layers] and strength [1] to
    [1, channels, height, width], about -1..1 (the contract of `families.Family`)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        for block, resolution in enumerate(config.resolutions):
            self.add_module(f"b{resolution}", Block(config, block))
        self.torgb = ToRGB(config)

    def blocks(self) -> list[Block]:
        return [module for module in self.children() if isinstance(module, Block)]

    def layers(self) -> list[Layer]:
        found = (self.get_submodule(name) for name in self.config.layers)
        return [layer for layer in found if isinstance(layer, Layer)]

    def frozen(self, dtype: torch.dtype) -> Synthesis:
        """For playing: features and kernels in `dtype`; styles, statistics and the picture in float32."""
        for layer in self.layers():
            layer.freeze(dtype)
        const = self.blocks()[0].const
        const.data = const.data.to(dtype)
        return self

    def forward(self, ws: Tensor, noise: Tensor, strength: Tensor) -> Tensor:
        parts = torch.split(noise * strength, noise_sizes(self.config))
        x: Tensor = self.blocks()[0].const[None]
        for i, layer in enumerate(self.layers()):
            x = layer(x, ws[i], parts[i].reshape(self.config.noise_shape(i)))
        picture: Tensor = self.torgb(x)
        return picture


def synthesis(weights: Weights, dtype: torch.dtype = torch.float32) -> Synthesis:
    """The synthesis of some weights, ready to play in `dtype`."""
    config = weights.config_as(Config)
    return filled(lambda: Synthesis(config), weights, "synthesis.").frozen(dtype)
