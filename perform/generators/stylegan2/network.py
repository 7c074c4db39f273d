"""StyleGAN2: the network, as plain torch.

From the papers: the mapping, styles and noise of Karras et al. 2019 (A style-based generator
architecture), weight demodulation and the skip, residual and original architectures of Karras et
al. 2020 (Analyzing and improving the image quality of StyleGAN), conditioning and clamping of
Karras et al. 2020 (Training GANs with limited data). This is the oracle of every faster form.

Instead of building a weight for each sample, activations are scaled on their way in and
demodulated on their way out (the second paper's equation 3 is linear in both), which is the same
and costs no kernel of a sample's own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from perform.generators.mapping import MappedConfig
from perform.generators.noise import noise_sizes
from perform.generators.stylegan2 import TAPS, Config
from perform.generators.torchnetworks import filled
from perform.networks.weights import Weights

SLOPE = 0.2
EPSILON = 1e-8


class Linear(nn.Module):
    """A layer with an equalised learning rate: weights are stored at unit variance and scaled by
    rate / sqrt(inputs) in use (Karras et al. 2018, section 4.1). [n, inputs] -> [n, outputs]."""

    def __init__(self, inputs: int, outputs: int, rate: float = 1.0, bias: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs))
        self.bias = nn.Parameter(torch.full([outputs], bias / rate))
        self.gain, self.rate = rate / sqrt(inputs), rate

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight * self.gain, self.bias * self.rate)


class Mapping(nn.Module):
    """z [n, z_dim] and labels [n, c_dim] to w [n, w_dim]."""

    w_avg: Tensor

    def __init__(self, config: MappedConfig) -> None:
        super().__init__()
        self.depth = len(config.mapping)
        self.embed = Linear(config.c_dim, config.embed) if config.c_dim else None
        widths = (config.z_dim + config.embed, *config.mapping)
        for i in range(self.depth):
            self.add_module(f"fc{i}", Linear(widths[i], widths[i + 1], config.rate))
        self.register_buffer("w_avg", torch.zeros(config.w_dim))

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        x = _normalised(z)
        if self.embed is not None:
            if labels is None:
                raise ValueError("labels = None, must be [n, c_dim]: the generator is conditional")
            x = torch.cat([x, _normalised(self.embed(labels))], 1)
        for i in range(self.depth):
            x = activate(self.get_submodule(f"fc{i}")(x))
        return x


def _normalised(x: Tensor) -> Tensor:
    return x * (x.square().mean(1, keepdim=True) + EPSILON).rsqrt()


def _spread(vector: Tensor, like: Tensor) -> Tensor:
    """[n, channels] to [n, channels, 1, 1] in the number format of `like`."""
    return vector[:, :, None, None].to(like)


def activate(x: Tensor, gain: float = 1.0, clamp: float | None = None) -> Tensor:
    """Leaky ReLU that keeps the variance (times sqrt 2), scaled by `gain` and clamped in proportion."""
    x = functional.leaky_relu(x, SLOPE) * (sqrt(2) * gain)
    return x if clamp is None else x.clamp(-clamp * gain, clamp * gain)


def enlarged(x: Tensor, kernel: Tensor) -> Tensor:
    """Twice the size: zeros between the pixels, then the filter [4, 4]. [n, c, h, w] -> [n, c, 2h, 2w]."""
    channels = x.shape[1]
    weight = (kernel * 4).expand(channels, 1, 4, 4)
    return functional.conv_transpose2d(x, weight, stride=2, padding=1, groups=channels)


def filtered(x: Tensor, kernel: Tensor) -> Tensor:
    """The filter [4, 4] over x, one pixel smaller each way: what follows a strided transposed
    convolution, whose zeros between the pixels it fills (hence times 4)."""
    channels = x.shape[1]
    weight = (kernel.flip(0, 1) * 4).expand(channels, 1, 4, 4)
    return functional.conv2d(x, weight, padding=1, groups=channels)


def finished(
    x: Tensor,
    demodulation: Tensor,
    noise: Tensor | None,
    bias: Tensor,
    kernel: Tensor | None,
    gain: float,
    clamp: float | None,
) -> Tensor:
    """What follows a convolution: the filter [4, 4] of one that doubled the size (else None), demodulation
    [n, channels], noise [height, width], bias [channels] and activation."""
    x = x if kernel is None else filtered(x, kernel.to(x))
    x = x * _spread(demodulation, x)
    x = x if noise is None else x + noise.to(x)
    return activate(x + bias[:, None, None].to(x), gain, clamp)


class Convolution(nn.Module):
    """A modulated 3x3 convolution with noise, bias and activation; `up` doubles the size."""

    noise_const: Tensor
    scaled: Tensor | None
    power: Tensor | None

    def __init__(self, config: Config, layer: int) -> None:
        super().__init__()
        inputs, outputs = config.channels[layer : layer + 2]
        self.up, self.clamp = layer % 2 == 1, config.clamp
        self.finish: Callable[..., Tensor] = finished
        self.gain = 1 / sqrt(inputs * 9)
        self.affine = Linear(config.w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, 3, 3))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.noise_strength = nn.Parameter(torch.zeros(()))
        self.register_buffer("noise_const", torch.zeros(config.noise_shape(layer)))
        for name in ("scaled", "power"):  # of `frozen`; buffers go to a device with the rest
            self.register_buffer(name, None, persistent=False)

    def scale(self, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """The weight in use, in `dtype`, and its power [inputs, outputs]."""
        weight = self.weight * self.gain
        power = weight.square().sum((2, 3)).T
        weight = weight.transpose(0, 1) if self.up else weight
        return weight.to(dtype), power

    def forward(self, x: Tensor, w: Tensor, kernel: Tensor, noise: Tensor | None, gain: float) -> Tensor:
        weight, power = self.scaled, self.power
        if weight is None or power is None:
            weight, power = self.scale(x.dtype)
        style = self.affine(w)  # [n, inputs]
        if x.dtype != torch.float32:  # demodulation takes any factor out again; half floats end at 65504
            style = style / style.abs().amax(1, keepdim=True).clamp_min(EPSILON)
        demodulation = (style.square() @ power + EPSILON).rsqrt()  # [n, outputs]
        x = x * _spread(style, x)
        if self.up:
            x = functional.conv_transpose2d(x, weight, stride=2)
        else:
            x = functional.conv2d(x, weight, padding=1)
        noise = None if noise is None else noise * self.noise_strength
        return self.finish(x, demodulation, noise, self.bias, kernel if self.up else None, gain, self.clamp)


class ToRGB(nn.Module):
    """Features to picture channels, float32: a modulated 1x1 convolution, not demodulated."""

    def __init__(self, config: Config, inputs: int) -> None:
        super().__init__()
        self.clamp, self.gain = config.clamp, 1 / sqrt(inputs)
        self.affine = Linear(config.w_dim, inputs, bias=1.0)
        self.weight = nn.Parameter(torch.zeros(config.image_channels, inputs, 1, 1))
        self.bias = nn.Parameter(torch.zeros(config.image_channels))

    def forward(self, x: Tensor, w: Tensor) -> Tensor:
        style = self.affine(w) * self.gain
        x = functional.conv2d(x * _spread(style, x), self.weight.to(x)).float() + self.bias[:, None, None]
        return x if self.clamp is None else x.clamp(-self.clamp, self.clamp)


class Skip(nn.Module):
    """The residual path of the resnet architecture: a 1x1 convolution at twice the size."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs, 1, 1))
        self.gain = 1 / sqrt(inputs)

    def forward(self, x: Tensor, kernel: Tensor) -> Tensor:
        return enlarged(functional.conv2d(x, (self.weight * self.gain).to(x)), kernel.to(x)) * sqrt(0.5)


class Block(nn.Module):
    """The layers of one resolution."""

    def __init__(self, config: Config, block: int) -> None:
        super().__init__()
        deep = config.channels[2 * block + 1]
        if block == 0:
            self.const = nn.Parameter(torch.zeros(config.channels[0], *config.start))
        else:
            self.conv0 = Convolution(config, 2 * block - 1)
        self.conv1 = Convolution(config, 2 * block)
        self.residual = config.architecture == "resnet" and block > 0
        if self.residual:
            self.skip = Skip(config.channels[2 * block - 1], deep)
        self.torgb = ToRGB(config, deep) if config.shows(block) else None

    def forward(self, x: Tensor | None, ws: Tensor, kernel: Tensor, noise: Sequence[Tensor | None]) -> Tensor:
        """Features of the last block (None: the first) to those of this one; ws [n, layers, w_dim]."""
        if x is None:
            const = self.const.expand(ws.shape[0], -1, -1, -1)
            features: Tensor = self.conv1(const, ws[:, 0], kernel, noise[0], 1.0)
            return features
        y = self.conv0(x, ws[:, 0], kernel, noise[0], 1.0)
        features = self.conv1(y, ws[:, 1], kernel, noise[1], sqrt(0.5) if self.residual else 1.0)
        if self.residual:
            features = features + self.skip(x, kernel)
        return features


class Synthesis(nn.Module):
    """ws [n, num_ws, w_dim] to pictures [n, channels, height, width], about -1..1."""

    resample_filter: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("resample_filter", torch.tensor(np.outer(TAPS, TAPS) / TAPS.sum() ** 2))
        for block, resolution in enumerate(config.resolutions):
            self.add_module(f"b{resolution}", Block(config, block))

    def blocks(self) -> list[Block]:
        modules = (self.get_submodule(f"b{r}") for r in self.config.resolutions)
        return [module for module in modules if isinstance(module, Block)]

    def convolutions(self) -> list[Convolution]:
        layers = (self.get_submodule(name) for name in self.config.layers)
        return [layer for layer in layers if isinstance(layer, Convolution)]

    def frozen(self, dtype: torch.dtype = torch.float32) -> Synthesis:
        """For playing: convolutions in `dtype`, channels last, their weights scaled once. Styles,
        demodulation and the sum of the pictures stay in float32."""
        for layer in self.convolutions():
            weight, power = layer.scale(dtype)
            layer.scaled, layer.power = weight.contiguous(memory_format=torch.channels_last), power
        const = self.blocks()[0].const
        const.data = const.data.to(dtype)
        return self

    def stored_noise(self, strength: float | Tensor = 1.0) -> list[Tensor]:
        """The noise stored with the network, one [height, width] for each convolution."""
        return [layer.noise_const * strength for layer in self.convolutions()]

    def forward(self, ws: Tensor, noise: Sequence[Tensor | None] | None = None) -> Tensor:
        """`noise` has one [height, width] for each convolution, scaled as wanted; None: no noise."""
        noises = noise or [None] * len(self.config.layers)
        x: Tensor | None = None
        picture: Tensor | None = None
        at = 0
        for block in self.blocks():
            convolutions = 1 if x is None else 2
            x = block(x, ws[:, at:], self.resample_filter, noises[at : at + convolutions])
            at += convolutions
            if block.torgb is not None:
                shown = block.torgb(x, ws[:, at])
                picture = shown if picture is None else shown + enlarged(picture, self.resample_filter)
        if picture is None:
            raise ValueError("blocks = 0, must be 1 or more")
        return picture


class Network(nn.Module):
    """Mapping and synthesis of one generator, with the tensor names of the field's files."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.mapping = Mapping(config)
        self.synthesis = Synthesis(config)

    @classmethod
    def load(cls, weights: Weights) -> Network:
        """The network of some weights, ready for inference."""
        config = weights.config_as(Config)
        return filled(lambda: cls(config), weights)


class Playing(nn.Module):
    """One picture at a time: ws [num_ws, w_dim], noise [values of all layers] and strength [1] to
    [1, channels, height, width] (the contract of `families.Family`)."""

    def __init__(self, synthesis: Synthesis) -> None:
        super().__init__()
        self.synthesis = synthesis

    def forward(self, ws: Tensor, noise: Tensor, strength: Tensor) -> Tensor:
        config = self.synthesis.config
        parts = torch.split(noise * strength, noise_sizes(config))
        shaped = [part.reshape(config.noise_shape(layer)) for layer, part in enumerate(parts)]
        picture: Tensor = self.synthesis(ws[None], shaped)
        return picture


def synthesis(weights: Weights, dtype: torch.dtype = torch.float32) -> Playing:
    """The synthesis of some weights, ready to play in `dtype`."""
    return Playing(Network.load(weights).synthesis.frozen(dtype))
