"""SinGAN: the network, as plain torch. This is the oracle of every faster form.

Unlike the paper's, it has no batch normalisation (as Hinz et al. 2020, arXiv:2003.11512): normalised by the
statistics of its own picture, every place would move with every other, and a walk would pulse.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from perform.generators.noise import noise_sizes
from perform.generators.singan import BASE, Config
from perform.networks.weights import Weights

SLOPE = 0.2
EPSILON = 1e-8
TURNS = 4  # noise maps that w turns between


class Scale(nn.Module):
    """One size of the pyramid: noise [n, c, h, w] and the enlarged picture before it to its picture.

    Beyond its edges the picture goes on mirrored, `depth` wide, once; each convolution takes one cell of it
    away. (With zeros, as in the paper, the edges are less varied than the rest, and their colours wrong.)
    """

    amplitude: Tensor

    def __init__(self, channels: int, width: int, depth: int, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.depth, self.dtype = depth, dtype
        self.register_buffer("amplitude", torch.ones(()))
        for i in range(depth):
            ends = channels if i == 0 else width, channels if i == depth - 1 else width
            self.add_module(f"conv{i}", nn.Conv2d(*ends, 3, dtype=dtype))
        self.hidden = nn.LeakyReLU(SLOPE)

    def forward(self, noise: Tensor, before: Tensor) -> Tensor:
        return before + self.added(self.edged(noise + before))

    def edged(self, x: Tensor) -> Tensor:
        """[n, c, h, w] with its edge [n, c, h + 2 depth, w + 2 depth]."""
        return functional.pad(x, (self.depth,) * 4, "reflect")

    def added(self, x: Tensor) -> Tensor:
        """What this scale adds [n, c, h, w], -1..1, of x with its edge [n, c, h + 2 depth, w + 2 depth]."""
        x = x.to(self.dtype)
        for i in range(self.depth - 2):
            x = functional.leaky_relu(self.get_submodule(f"conv{i}")(x), SLOPE)
        x = self.hidden(self.get_submodule(f"conv{self.depth - 2}")(x))
        last: Tensor = self.get_submodule(f"conv{self.depth - 1}")(x)
        return last.float().tanh()


def unit(x: Tensor) -> Tensor:
    """Maps [n, 1, h, w] brought to a mean square of 1, as noise has."""
    return x * (x.square().mean((1, 2, 3), keepdim=True) + EPSILON).rsqrt()


def enlarged(x: Tensor, size: tuple[int, int]) -> Tensor:
    """[n, c, h, w] at another (height, width)."""
    return functional.interpolate(x, size, mode="bilinear", align_corners=False)


def turned(layout: Tensor, white: Tensor, channels: int) -> Tensor:
    """White noise [1, 1, h, w] as a w map [1, 1, h0, w0] has it: [1, channels, h, w], again white.

    At each place w is a direction among independent noises (the same one, shifted), so that noise
    goes over smoothly, and only there, when w does.
    """
    shifts = ((0, 0), (0, 1), (1, 0), (1, 1))
    around = torch.cat([layout.roll(shift, (2, 3)) for shift in shifts], 1)
    height, width = white.shape[2:]
    around = enlarged(around, (height, width))
    around = around * (around.square().sum(1, keepdim=True) + EPSILON).rsqrt()
    maps = [white.roll((5 * i, 3 * i), (2, 3)) for i in range(channels * TURNS)]
    stack = torch.cat(maps, 1).reshape(channels, TURNS, height, width)
    return (stack * around).sum(1)[None]


class Synthesis(nn.Module):
    """ws [scales, w_dim], noise [values] and its strength [1] to the picture [1, channels, height, width]."""

    base: Tensor

    def __init__(self, config: Config, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.config = config
        self.register_buffer("base", torch.zeros(1, config.image_channels, *config.base))
        for n, width in enumerate(config.widths):
            self.add_module(f"scale{n}", Scale(config.image_channels, width, config.depth, dtype))

    def forward(self, ws: Tensor, noise: Tensor, strength: Tensor) -> Tensor:
        config = self.config
        maps = unit(ws[:, :-1].reshape(config.scales, 1, *config.sizes[0]))
        shares = ws[:, -1].abs() * strength
        whites = torch.split(noise, noise_sizes(config))
        first = self.get_submodule("scale0")
        start = maps[:1].expand(1, config.image_channels, *config.sizes[0]) * first.get_buffer("amplitude")
        picture: Tensor = first(start, enlarged(self.base, config.sizes[0]))
        for n, (size, white) in enumerate(zip(config.sizes[1:], whites, strict=True), 1):
            scale = self.get_submodule(f"scale{n}")
            own = turned(maps[n : n + 1], white.reshape(1, 1, *size), config.image_channels)
            amount = shares[n] * scale.get_buffer("amplitude")
            picture = scale(own * amount, enlarged(picture, size))
        return picture


def synthesis(weights: Weights, dtype: torch.dtype = torch.float32) -> Synthesis:
    """The synthesis of some weights, ready to play in `dtype`."""
    network = Synthesis(weights.config_as(Config), dtype)
    own = {name: torch.tensor(array) for name, array in weights.arrays.items() if name.startswith("scale")}
    network.load_state_dict({**own, "base": torch.tensor(weights.arrays[BASE])[None]})
    return network.eval().requires_grad_(False)
