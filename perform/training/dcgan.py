"""DCGAN's networks as they learn (Radford, Metz, Chintala 2015, arXiv:1511.06434).

The player knows no batch normalisation: on the way out it is folded into the convolutions, on the way in it
is set so that the network draws what the folded one did.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from perform.generators.dcgan import EPSILON, Config, from_state
from perform.networks.weights import Weights
from perform.training.chance import Chance
from perform.training.discriminator import varied
from perform.training.settings import RunError, Settings
from perform.training.together import summed

SPREAD = 0.02  # of the first weights, as in the paper
SLOPE = 0.2
MOMENTUM = 0.1
PROBES = 256  # latents whose activations set the normalisation of a network that has none
DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def config_of(settings: Settings) -> Config:
    """The generator that settings ask for: each layer as wide as min(base / resolution, most)."""
    base, most = settings.channels
    start = settings.start
    depth = (settings.size[1] // start[0]).bit_length() - 1
    widths = (min(base // (start[0] << level), most) for level in range(depth))
    return Config((settings.z_dim, *widths, 3), start, (4,) * depth)


class Norm(nn.Module):
    """Batch normalisation over all processes' parts of the batch (torch's own does so on GPUs only)."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, count: int = 1) -> None:
        super().__init__()
        self.count, self.momentum = count, MOMENTUM  # of processes; of the running values
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, h, w], by the batch's own mean and variance, or when playing by the running ones."""
        if self.count == 1 or not self.training:
            # functional.batch_norm, so that one process has torch's own speed
            return functional.batch_norm(
                x,
                self.running_mean,
                self.running_var,
                self.weight,
                self.bias,
                self.training,
                self.momentum,
                EPSILON,
            )
        sums = torch.stack([x.float().mean((0, 2, 3)), x.float().square().mean((0, 2, 3))])
        mean, square = summed(sums) / self.count
        variance = square - mean.square()
        self._track(mean.detach(), variance.detach(), x.numel() // x.shape[1] * self.count)
        gain = self.weight * (variance + EPSILON).rsqrt()
        shifted: Tensor = x * gain[:, None, None].to(x) + (self.bias - mean * gain)[:, None, None].to(x)
        return shifted

    def _track(self, mean: Tensor, variance: Tensor, values: int) -> None:
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * values / (values - 1), self.momentum)


class Generator(nn.Module):
    """z to pictures, -1..1."""

    def __init__(self, config: Config, precision: str = "float32", count: int = 1) -> None:
        super().__init__()
        self.config, self.dtype = config, DTYPES[precision]
        kernels = (config.start, *((kernel, kernel) for kernel in config.kernels))
        for i, kernel in enumerate(kernels):
            inputs, outputs = config.channels[i : i + 2]
            last = i == len(kernels) - 1
            stride, padding = (2, kernel[0] // 2 - 1) if i else (1, 0)
            layer = nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding, bias=last)
            self.add_module(f"conv{i}", layer)
            if not last:
                self.add_module(f"norm{i}", Norm(outputs, count))

    def initialise(self, chance: Chance) -> None:
        """Seeded weights as in the paper."""
        _initialise(self, chance, "init")

    def forward(self, z: Tensor) -> Tensor:
        x = z[:, :, None, None].to(self.dtype)
        depth = len(self.config.kernels)
        for i in range(depth + 1):
            layer = self.get_submodule(f"conv{i}")
            assert isinstance(layer, nn.ConvTranspose2d)
            padding: Any = layer.padding
            bias = None if layer.bias is None else layer.bias.to(x)
            x = functional.conv_transpose2d(x, layer.weight.to(x), bias, layer.stride, padding)
            if i < depth:
                x = functional.relu(self.get_submodule(f"norm{i}")(x))
        return x.float().tanh()

    def drawn(
        self,
        chance: Chance,
        purpose: str,
        samples: Sequence[int],
        z: Tensor | None = None,
        mixing: float = 0.0,
    ) -> tuple[Tensor, Tensor]:
        """Pictures [n, channels, height, width] and their z; nothing is mixed."""
        device = next(self.parameters()).device
        if z is None:
            z = chance.normal(f"{purpose}.z", samples, self.config.space.z_dim)
        z = z.to(device)
        return self(z), z

    def shown(self, z: Tensor) -> Tensor:
        """Pictures as they are played."""
        pictures: Tensor = self(z)
        return pictures

    @torch.no_grad()
    def settle(self, chance: Chance) -> None:
        """Set what normalises when playing to what these weights give: an average has weights of its own."""
        norms = [module for module in self.modules() if isinstance(module, Norm)]
        z = chance.normal("settle", range(PROBES), self.config.space.z_dim)
        for norm in norms:
            norm.momentum = 1.0
        self.train()(z.to(next(self.parameters()).device))
        for norm in norms:
            norm.momentum = MOMENTUM
        self.eval()

    def track(self, mean: Tensor) -> None:
        """Truncation goes to 0, always."""

    def frozen(self, name: str, mapping: bool, resolution: int) -> bool:
        """Whether a parameter is to stay as it is, by its name."""
        layer = int(name.split(".")[0].removeprefix("conv").removeprefix("norm"))
        return self.config.start[0] << layer <= resolution

    def weights(self, notes: Mapping[str, str]) -> Weights:
        """As a model that is played."""
        named = {name: value.float().cpu().numpy() for name, value in self.state_dict().items()}
        return from_state(named, notes)

    @torch.no_grad()
    def adopt(self, weights: Weights) -> None:
        """Take over a model, whose normalisation is in its convolutions: normalise by what it then gives."""
        if weights.config != self.config:
            raise RunError(f"it is {weights.config}, must be {self.config}")
        device = next(self.parameters()).device
        x = Chance(0).normal("probe", range(PROBES), self.config.space.z_dim)[:, :, None, None].to(device)
        for i in range(len(self.config.kernels) + 1):
            layer = self.get_submodule(f"conv{i}")
            assert isinstance(layer, nn.ConvTranspose2d)
            layer.weight.copy_(torch.from_numpy(weights.arrays[f"layers.{i}.weight"]))
            bias = torch.from_numpy(weights.arrays[f"layers.{i}.bias"]).to(device)
            if layer.bias is not None:
                layer.bias.copy_(bias)
                return
            padding: Any = layer.padding
            x = functional.conv_transpose2d(x, layer.weight, None, layer.stride, padding)
            norm = self.get_submodule(f"norm{i}")
            assert isinstance(norm, Norm)
            variance, mean = torch.var_mean(x, (0, 2, 3))
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_((variance + EPSILON).sqrt())
            norm.bias.copy_(mean + bias)
            x = functional.relu(x + bias[:, None, None])


class Discriminator(nn.Module):
    """Pictures to logits [n], by strided convolutions as wide as the generator's, or as `widths`.

    Two things are of later papers: R1 takes the place of batch normalisation, with which it cannot be (with
    normalisation, discs on dark ground were told apart from the first hundred steps on and never learnt), and
    the last layer sees the batch's variety.
    """

    def __init__(self, config: Config, precision: str = "float32", widths: Sequence[int] = ()) -> None:
        super().__init__()
        self.config, self.dtype = config, DTYPES[precision]
        widths = (config.image_channels, *reversed(widths or config.channels[1:-1]), 1)
        for i, (inputs, outputs) in enumerate(pairwise(widths)):
            last = i == len(config.kernels)
            kernel: Any = config.start if last else (4, 4)
            stride, padding = (1, 0) if last else (2, 1)
            self.add_module(f"conv{i}", nn.Conv2d(inputs + last, outputs, kernel, stride, padding))

    def initialise(self, chance: Chance) -> None:
        """Seeded weights that keep the variance (He et al. 2015, Delving deep into rectifiers)."""
        with torch.no_grad():
            for name, value in self.named_parameters():
                value.zero_()
                if name.endswith("weight"):
                    normal = chance.stream(f"init.discriminator.{name}", 0).standard_normal(
                        tuple(value.shape)
                    )
                    value.copy_(torch.from_numpy(normal * (2 / value[0].numel()) ** 0.5))

    def forward(self, pictures: Tensor) -> Tensor:
        x, depth = pictures.to(self.dtype, memory_format=torch.channels_last), len(self.config.kernels)
        for i in range(depth + 1):
            layer = self.get_submodule(f"conv{i}")
            assert isinstance(layer, nn.Conv2d)
            assert layer.bias is not None
            x = varied(x) if i == depth else x
            x = functional.conv2d(x, layer.weight.to(x), layer.bias.to(x), layer.stride, layer.padding)
            x = functional.leaky_relu(x, SLOPE) if i < depth else x
        return x.float().flatten()

    def frozen(self, name: str, resolution: int) -> bool:
        """Whether a parameter is to stay as it is, by its name: those from the picture down to a size."""
        layer = int(name.split(".")[0].removeprefix("conv").removeprefix("norm"))
        return 0 < resolution <= self.config.size[1] >> layer

    @torch.no_grad()
    def adopt(self, named: Mapping[str, NDArray[Any]]) -> bool:
        """Take over the tensors of another one, if all of them fit; whether they did."""
        own = self.state_dict()
        if {name: tuple(value.shape) for name, value in own.items()} != {
            name: array.shape for name, array in named.items()
        }:
            return False
        for name, array in named.items():
            own[name].copy_(torch.tensor(array))
        return True


@torch.no_grad()
def _initialise(module: nn.Module, chance: Chance, purpose: str) -> None:
    for name, value in module.named_parameters():
        normal = torch.from_numpy(chance.stream(f"{purpose}.{name}", 0).standard_normal(tuple(value.shape)))
        if "norm" not in name and name.endswith("weight"):
            value.copy_(normal * SPREAD)
        elif name.endswith("weight"):
            value.copy_(1 + normal * SPREAD)
        else:  # torch gives biases of chance
            value.zero_()
