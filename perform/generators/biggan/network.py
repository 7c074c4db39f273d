"""BigGAN-deep: the network, as plain torch. This is the oracle of every faster form.

Blocks, their order and the class-conditional normalisation from Brock et al. 2019 (appendix B), the
attention from Zhang et al. 2019 (Self-attention generative adversarial networks). A normalisation, its
conditional gain and offset and the bias of the convolution before it are one gain and one offset of
each channel, made for each picture from w and the statistics.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from perform.generators.biggan import NORMS, START, Config
from perform.networks.weights import Weights


def _kernel(array: Tensor, dtype: torch.dtype) -> Tensor:
    return array.to(dtype).contiguous(memory_format=torch.channels_last)


def _enlarging(weight: Tensor) -> Tensor:
    """The transposed convolution [inputs, outputs, 4, 4] that does what repeating every pixel and then
    a convolution [outputs, inputs, 3, 3] does, in 4 products for each value instead of 9."""
    spread = functional.pad(weight.double().flip(2, 3).transpose(0, 1), (1, 1, 1, 1))
    rows = spread[:, :, 1:] + spread[:, :, :-1]
    return (rows[..., 1:] + rows[..., :-1]).float()


def _normalised(x: Tensor, gain: Tensor, offset: Tensor) -> Tensor:
    """ReLU of x [1, c, h, w] times gain plus offset, [1, c] or [c].

    Of rank 4, or OpenVINO keeps them apart from the convolution, and lays x out anew before and after.
    """
    return torch.relu(x * gain.reshape(1, -1, 1, 1).to(x) + offset.reshape(1, -1, 1, 1).to(x))


class Block(nn.Module):
    """Four convolutions, each after its conditional normalisation, and a path around them."""

    styles: Tensor
    bias: Tensor
    last: Tensor

    def __init__(self, weights: Weights, block: int, dtype: torch.dtype) -> None:
        super().__init__()
        config = weights.config_as(Config)
        self.up = config.layers[block][0]
        inputs, inner, self.outputs = config.widths(block)
        self.widths = [inputs, inner, inner, inner]
        name = config.name(block)
        arrays = {key: torch.tensor(array) for key, array in weights.part(f"{name}.").arrays.items()}
        styles = [
            arrays[f"{name}.bn_{i}.{part}.weight"] for part in ("scale", "offset") for i in range(NORMS)
        ]
        biases = [arrays[f"{name}.conv_{i}.bias"] for i in range(NORMS)]
        self.register_buffer("styles", torch.cat(styles))
        self.register_buffer("bias", torch.cat([torch.zeros(inputs), *biases[:-1]]))
        self.register_buffer("last", biases[-1].to(dtype))
        for i in range(NORMS):
            weight = arrays[f"{name}.conv_{i}.weight"]
            self.register_buffer(
                f"kernel{i}", _kernel(_enlarging(weight) if self.up and i == 1 else weight, dtype)
            )

    def forward(self, x: Tensor, w: Tensor, means: Tensor, gains: Tensor) -> Tensor:
        """x [1, inputs, h, w] to [1, outputs, h or 2h, w or 2w], by w [1, w_dim] and its own statistics."""
        scale, offset = torch.chunk(functional.linear(w, self.styles), 2, 1)
        gain = (1 + scale) * gains
        offset = offset + (self.bias - means) * gain
        shares = zip(torch.split(gain, self.widths, 1), torch.split(offset, self.widths, 1), strict=True)
        y = x
        for i, (times, plus) in enumerate(shares):
            y, kernel = _normalised(y, times, plus), self.get_buffer(f"kernel{i}")
            if self.up and i == 1:
                y = functional.conv_transpose2d(y, kernel, stride=2, padding=1)
            else:
                y = functional.conv2d(y, kernel, self.last if i == 3 else None, padding=int(i in (1, 2)))
        x = x[:, : self.outputs]
        return y + (functional.interpolate(x, scale_factor=2.0) if self.up else x)


class Attention(nn.Module):
    """Attention: every cell takes from all cells (pooled by 2) that are like it."""

    theta: Tensor
    phi: Tensor
    g: Tensor
    o_conv: Tensor

    def __init__(self, weights: Weights, dtype: torch.dtype) -> None:
        super().__init__()
        name = f"generator.layers.{weights.config_as(Config).attention}"
        for part in ("theta", "phi", "g", "o_conv"):
            kernel = torch.tensor(weights.arrays[f"{name}.snconv1x1_{part}.weight"])
            gain = float(weights.arrays[f"{name}.gamma"][0]) if part == "o_conv" else 1.0
            self.register_buffer(part, _kernel(kernel * gain, dtype))

    def forward(self, x: Tensor) -> Tensor:
        theta = functional.conv2d(x, self.theta).flatten(2)
        phi = functional.max_pool2d(functional.conv2d(x, self.phi), 2).flatten(2)
        g = functional.max_pool2d(functional.conv2d(x, self.g), 2).flatten(2)
        likeness = torch.softmax(theta.transpose(1, 2) @ phi, -1)  # [1, places, pooled places]
        taken = (likeness @ g.transpose(1, 2)).transpose(1, 2).reshape(1, -1, *x.shape[2:])
        return x + functional.conv2d(taken, self.o_conv)


class Synthesis(nn.Module):
    """ws [num_ws, w_dim], means and gains [all norms' channels] to [1, 3, height, width], -1..1."""

    first: Tensor
    first_bias: Tensor
    weight: Tensor
    bias: Tensor
    kernel: Tensor
    kernel_bias: Tensor

    def __init__(self, weights: Weights, dtype: torch.dtype) -> None:
        super().__init__()
        config = weights.config_as(Config)
        self.config, self.dtype = config, dtype
        for buffer, name in (
            ("first", "gen_z.weight"),
            ("first_bias", "gen_z.bias"),
            ("weight", "bn.weight"),
            ("bias", "bn.bias"),
            ("kernel", "conv_to_rgb.weight"),
            ("kernel_bias", "conv_to_rgb.bias"),
        ):
            tensor = torch.tensor(weights.arrays[f"generator.{name}"])
            self.register_buffer(buffer, tensor.to(dtype) if "kernel" in buffer else tensor)
        self.blocks = nn.ModuleList(Block(weights, block, dtype) for block in range(len(config.layers)))
        self.attention = Attention(weights, dtype) if config.attention >= 0 else None
        widths = [*(sum(block.widths) for block in self._blocks()), len(self.bias)]
        self.ends = [sum(widths[:i]) for i in range(len(widths) + 1)]

    def _blocks(self) -> list[Block]:
        return [block for block in self.blocks if isinstance(block, Block)]

    def forward(self, ws: Tensor, means: Tensor, gains: Tensor) -> Tensor:
        x = functional.linear(ws[:1], self.first, self.first_bias)  # its places come before its channels
        x = x.reshape(1, START, START, -1).permute(0, 3, 1, 2).to(self.dtype)
        spans = [slice(start, end) for start, end in pairwise(self.ends)]
        for i, block in enumerate(self._blocks()):
            if self.attention is not None and i == self.config.attention:
                x = self.attention(x)
            x = block(x, ws[i + 1 : i + 2], means[spans[i]], gains[spans[i]])
        gain = self.weight * gains[spans[-1]]
        x = _normalised(x, gain, self.bias - means[spans[-1]] * gain)
        return functional.conv2d(x, self.kernel, self.kernel_bias, padding=1).float().tanh()


def synthesis(weights: Weights, dtype: torch.dtype = torch.float32) -> Synthesis:
    """The synthesis of some weights, ready to play in `dtype`."""
    return Synthesis(weights, dtype).eval().requires_grad_(False)
