"""The synthesis of lucidrains' StyleGAN2 as plain torch.

The layout is read from files and from the MIT-licensed original; no reference picture was at hand, so
the tests hold this to a second form, written for one picture with a weight of its own.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from perform.generators.lucidrains import Config
from perform.generators.torchnetworks import filled
from perform.networks.weights import Weights

SLOPE = 0.2
EPSILON = 1e-8
GREY = 0.5  # the mean of the noise: what remains at strength 0


class Modulated(nn.Module):
    """A convolution whose inputs are scaled by 1 plus the style; features [1, c, h, w], w [w_dim]."""

    power: Tensor
    kernel: Tensor

    def __init__(self, config: Config, inputs: int, outputs: int, size: int) -> None:
        super().__init__()
        self.affine = nn.Linear(config.w_dim, inputs)
        self.weight: nn.Parameter | None = nn.Parameter(torch.zeros(outputs, inputs, size, size))
        self.register_buffer("power", None, persistent=False)
        self.register_buffer("kernel", None, persistent=False)

    def freeze(self, dtype: torch.dtype) -> None:
        """The weight in `dtype` and its power [inputs, outputs], in place of what the file has."""
        if self.weight is not None:
            self.power = self.weight.square().sum((2, 3)).T.contiguous()
            self.kernel = self.weight.detach().to(dtype, memory_format=torch.channels_last, copy=True)
            self.weight = None

    def styled(self, x: Tensor, style: Tensor) -> Tensor:
        """The convolution of x, scaled by a style [1, inputs]; `freeze` comes first."""
        x = x * style[:, :, None, None].to(x)
        return functional.conv2d(x, self.kernel, padding=self.kernel.shape[2] // 2)


class Convolution(Modulated):
    """A demodulated 3x3 convolution with noise and activation."""

    def __init__(self, config: Config, layer: int) -> None:
        inputs, outputs = config.widths(layer)
        super().__init__(config, inputs, outputs, 3)
        self.noise = nn.Linear(1, outputs)

    def forward(self, x: Tensor, w: Tensor, noise: Tensor) -> Tensor:
        style = self.affine(w[None]) + 1
        if x.dtype != torch.float32:  # demodulation takes any factor out again; half floats end at 65504
            style = style / style.abs().amax(1, keepdim=True).clamp_min(EPSILON)
        demodulation = (style.square() @ self.power + EPSILON).rsqrt()[:, :, None, None]
        drawn = noise * self.noise.weight[:, :, None] + self.noise.bias[:, None, None]
        return functional.leaky_relu(self.styled(x, style) * demodulation.to(x) + drawn.to(x), SLOPE)


class ToRGB(Modulated):
    """Features to picture channels, float32: not demodulated, and without a bias."""

    def __init__(self, config: Config, block: int) -> None:
        super().__init__(config, config.channels[block + 1], config.image_channels, 1)

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        return self.styled(x, self.affine(w[None]) + 1).float()


class Block(nn.Module):
    """The layers of one resolution."""

    def __init__(self, config: Config, block: int) -> None:
        super().__init__()
        first = config.channels[0]
        if block == 0 and config.constant:
            self.const = nn.Parameter(torch.zeros(first, 4, 4))
        elif block == 0:
            self.begin = nn.Parameter(torch.zeros(config.w_dim, first, 4, 4))
        if block == 0 and config.convolved:
            self.initial = nn.Conv2d(first, first, 3, padding=1)
        self.conv0, self.conv1 = Convolution(config, 2 * block), Convolution(config, 2 * block + 1)
        self.torgb = ToRGB(config, block)

    def forward(self, x: Tensor, picture: Tensor | None, w: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Features and picture of the last block to those of this one."""
        height, width = x.shape[2:]
        # The original cuts its noise [height, width, 1] and turns it: rows become columns.
        cut = noise[:width, :height].T
        x = self.conv1(self.conv0(x, w, cut), w, cut)
        shown: Tensor = self.torgb(x, w)
        return x, shown if picture is None else shown + picture


def doubled(x: Tensor) -> Tensor:
    """Twice the size, bilinear, pixels as areas."""
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def blurred(x: Tensor) -> Tensor:
    """The binomial filter over each channel, its border mirrored."""
    x = functional.pad(x, (1, 1, 1, 1), mode="reflect")
    x = (x[:, :, :-2] + 2 * x[:, :, 1:-1] + x[:, :, 2:]) / 4
    return (x[..., :-2] + 2 * x[..., 1:-1] + x[..., 2:]) / 4


class Synthesis(nn.Module):
    """One picture at a time: ws [num_ws, w_dim], noise [height, width] of 0..1 and strength [1] to
    [1, channels, height, width], about -1..1: the original's 0..1, doubled, less 1."""

    first: Tensor | None

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("first", None, persistent=False)
        for block, resolution in enumerate(config.resolutions):
            self.add_module(f"b{resolution}", Block(config, block))

    def blocks(self) -> list[Block]:
        found = (self.get_submodule(f"b{resolution}") for resolution in self.config.resolutions)
        return [block for block in found if isinstance(block, Block)]

    def frozen(self, dtype: torch.dtype) -> Synthesis:
        """For playing: features and kernels in `dtype`; styles and the picture in float32."""
        self.dtype = dtype
        for module in self.modules():
            if isinstance(module, Modulated):
                module.freeze(dtype)
        if self.config.constant:
            # Once, for speed; and OpenVINO 2026.4 overwrites in place what a convolution of a constant gives.
            self.first = self._convolved(self.blocks()[0].const[None]).to(dtype)
        return self

    def forward(self, ws: Tensor, noise: Tensor, strength: Tensor) -> Tensor:
        noise = GREY + (noise - GREY) * strength
        blocks = self.blocks()
        x, picture = blocks[0](self._begin(ws), None, ws[0], noise)
        for i, block in enumerate(blocks[1:], 1):
            picture = blurred(doubled(picture)) if self.config.blurred else doubled(picture)
            x, picture = block(doubled(x), picture, ws[i], noise)
        shown: Tensor = picture * 2 - 1
        return shown

    def _begin(self, ws: Tensor) -> Tensor:
        """The first features [1, channels, 4, 4]."""
        if self.first is not None:
            return self.first
        kernels = self.blocks()[0].begin
        return self._convolved((ws.mean(0) @ kernels.flatten(1)).reshape(1, *kernels.shape[1:])).to(
            self.dtype
        )

    def _convolved(self, x: Tensor) -> Tensor:
        return self.blocks()[0].initial(x) if self.config.convolved else x


def synthesis(weights: Weights, dtype: torch.dtype = torch.float32) -> Synthesis:
    """The synthesis of some weights, ready to play in `dtype`."""
    config = weights.config_as(Config)
    return filled(lambda: Synthesis(config), weights, "synthesis.").frozen(dtype)
