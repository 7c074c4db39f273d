"""StyleGAN2's discriminator: residual blocks from the picture down, and the minibatch standard deviation.

From Karras et al. 2020, Analyzing and improving the image quality of StyleGAN (the residual architecture),
and Karras et al. 2018, Progressive growing of GANs (minibatch standard deviation, section 3; equalised
learning rates, section 4.1). Tensors have the names of the official files.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional

from perform.generators.stylegan2 import Config
from perform.generators.stylegan2.network import Linear, activate
from perform.networks.weights import Arrays
from perform.training.random_streams import RandomStreams
from perform.training.stylegan2 import HALF_BLOCKS, dtype_of

GROUP = 4  # pictures in one measure of the standard deviation


class Convolution(nn.Module):
    """A convolution with an equalised learning rate; `down` halves the size after a low-pass filter."""

    def __init__(self, inputs: int, outputs: int, kernel: int, bias: bool = True, down: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, kernel, kernel))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.gain, self.down = 1 / sqrt(inputs * kernel * kernel), down

    def forward(self, x: Tensor) -> Tensor:
        """Before activation; [n, inputs, h, w] to [n, outputs, h or h / 2, …]."""
        weight, kernel = (self.weight * self.gain).to(x), self.weight.shape[2]
        bias = None if self.bias is None else self.bias.to(x)
        if not self.down:
            return functional.conv2d(x, weight, bias, padding=kernel // 2)
        if kernel == 1:
            return functional.conv2d(low_pass(x, 1, 2), weight, bias)
        return functional.conv2d(low_pass(x, 2, 1), weight, bias, stride=2)


def low_pass(x: Tensor, padding: int, stride: int) -> Tensor:
    """The binomial filter [1, 3, 3, 1] each way, keeping every stride-th value."""
    kernel = _binomial(x.device, x.dtype).expand(x.shape[1], 1, 4, 4)
    return functional.conv2d(x, kernel, padding=padding, stride=stride, groups=x.shape[1])


@cache
def _binomial(device: torch.device, dtype: torch.dtype) -> Tensor:
    """Cached: a copy of numbers to a GPU waits for its whole queue."""
    taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
    return torch.outer(taps, taps).to(device, dtype)


class Block(nn.Module):
    """Features of one resolution to those of half of it; the finest block begins with the picture."""

    def __init__(self, config: Config, index: int, channels: tuple[int, int]) -> None:
        super().__init__()
        own, deeper = channels
        self.clamp, self.channels = config.clamp, own
        finest = index == config.blocks - 1
        self.fromrgb = Convolution(config.image_channels, own, 1) if finest else None
        self.conv0 = Convolution(own, own, 3)
        self.conv1 = Convolution(own, deeper, 3, down=True)
        self.skip = Convolution(own, deeper, 1, bias=False, down=True)

    def forward(self, x: Tensor) -> Tensor:
        if self.fromrgb is not None:
            x = activate(self.fromrgb(x), 1.0, self.clamp)
        y = activate(self.conv0(x), 1.0, self.clamp)
        shown: Tensor = self.skip(x) * sqrt(0.5)
        return activate(self.conv1(y), sqrt(0.5), self.clamp) + shown


class Head(nn.Module):
    """The coarsest features to one logit, float32."""

    def __init__(self, config: Config, channels: int) -> None:
        super().__init__()
        height, width = config.start
        self.conv = Convolution(channels + 1, channels, 3)
        self.fc = Linear(channels * height * width, channels)
        self.out = Linear(channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = activate(self.conv(minibatch_deviation(x)))
        logits: Tensor = self.out(activate(self.fc(x.flatten(1))))
        return logits.squeeze(1)


def minibatch_deviation(x: Tensor) -> Tensor:
    """Add a channel: the mean standard deviation over groups of neighbours in the batch."""
    group = GROUP if len(x) % GROUP == 0 else 2 if len(x) % 2 == 0 else 1
    grouped = x.reshape(-1, group, *x.shape[1:])
    spread = (grouped.var(1, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))
    feature = spread.repeat_interleave(group)[:, None, None, None]
    return torch.cat([x, feature.expand(-1, 1, *x.shape[2:])], 1)


class StyleGAN2Discriminator(nn.Module):
    """Pictures [n, channels, height, width] to logits [n]: above 0 means real.

    `widths` are those of the resolutions, coarsest first; empty: as wide as the generator."""

    def __init__(self, config: Config, precision: str = "float32", widths: Sequence[int] = ()) -> None:
        super().__init__()
        self.config, self.dtype = config, dtype_of(precision)
        widths = widths or [config.channels[2 * block + 1] for block in range(config.blocks)]
        for index in range(1, config.blocks):
            block = Block(config, index, (widths[index], widths[index - 1]))
            self.add_module(f"b{config.resolutions[index]}", block)
        self.b4 = Head(config, widths[0])

    def initialise(self, streams: RandomStreams) -> None:
        """Fill in seeded weights of unit variance."""
        for name, value in self.state_dict().items():
            if name.endswith("weight"):
                value.copy_(streams.weights(f"discriminator.{name}", value))

    def forward(self, pictures: Tensor) -> Tensor:
        x = pictures
        for index in range(self.config.blocks - 1, 0, -1):
            half = index >= self.config.blocks - HALF_BLOCKS
            x = x.to(self.dtype if half else torch.float32, memory_format=torch.channels_last)
            x = self.get_submodule(f"b{self.config.resolutions[index]}")(x)
        logits: Tensor = self.b4(x.float())
        return logits

    def frozen(self, name: str, resolution: int) -> bool:
        """Whether the parameter of this name is frozen: those from the picture down to a size are."""
        return 0 < resolution <= int(name.split(".")[0][1:])

    @torch.no_grad()
    def adopt(self, tensors: Arrays) -> bool:
        """Take over the tensors that fit by name and shape; whether the last layer's did.

        A smaller network's first layer does not fit in a grown one and is left out."""
        own = self.state_dict()
        fit = {name: one for name, one in tensors.items() if name in own and own[name].shape == one.shape}
        for name, array in fit.items():
            own[name].copy_(torch.tensor(array))
        return "b4.out.weight" in fit
