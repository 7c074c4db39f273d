"""DCGAN's networks in training (Radford, Metz, Chintala 2015, arXiv:1511.06434).

A model that plays has no batch normalisation: writing a model folds it into the convolutions. Reading a model
sets it so that the network draws the same pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional

from perform.generators.dcgan import EPSILON, Config, from_state
from perform.networks.weights import Arrays, Weights
from perform.training.discriminator import minibatch_deviation
from perform.training.process_group import sum_over_processes
from perform.training.random_streams import RandomStreams
from perform.training.settings import RunError, TrainingSettings
from perform.training.stylegan2 import dtype_of

WEIGHT_DEVIATION = 0.02  # of the first weights, as in the paper
SLOPE = 0.2
MOMENTUM = 0.1
PROBES = 256  # latents whose activations set the normalisation


def dcgan_config(settings: TrainingSettings) -> Config:
    """The generator that the settings ask for: each layer is min(base / resolution, most) wide."""
    base, most = settings.channels
    start = settings.start
    depth = (settings.size[1] // start[0]).bit_length() - 1
    widths = (min(base // (start[0] << level), most) for level in range(depth))
    return Config((settings.z_dim, *widths, 3), start, (4,) * depth)


class BatchNorm(nn.Module):
    """Batch normalisation over the whole batch of all processes (torch has it on GPUs only)."""

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, count: int = 1) -> None:
        super().__init__()
        self.count, self.momentum = count, MOMENTUM  # of processes; of the running values
        self.weight, self.bias = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, h, w], by the batch's own mean and variance; in eval mode by the running ones."""
        if self.count == 1 or not self.training:
            # torch's own function is faster
            running, own = (self.running_mean, self.running_var), (self.weight, self.bias)
            return functional.batch_norm(x, *running, *own, self.training, self.momentum, EPSILON)
        sums = torch.stack([x.float().mean((0, 2, 3)), x.float().square().mean((0, 2, 3))])
        mean, square = sum_over_processes(sums) / self.count
        variance = square - mean.square()
        self._track(mean.detach(), variance.detach(), x.numel() // x.shape[1] * self.count)
        gain = self.weight * (variance + EPSILON).rsqrt()
        shifted: Tensor = x * gain[:, None, None].to(x) + (self.bias - mean * gain)[:, None, None].to(x)
        return shifted

    def _track(self, mean: Tensor, variance: Tensor, values: int) -> None:
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance * values / (values - 1), self.momentum)


def _cast_call(layer: nn.Module, x: Tensor) -> Tensor:
    """The output of a layer, its parameters in the number type of `x`."""
    cast: Tensor = functional_call(layer, {name: own.to(x) for name, own in layer.named_parameters()}, x)
    return cast


class DCGANGenerator(nn.Module):
    """z to pictures, -1..1."""

    def __init__(self, config: Config, precision: str = "float32", count: int = 1) -> None:
        super().__init__()
        self.config, self.dtype = config, dtype_of(precision)
        kernels = (config.start, *((kernel, kernel) for kernel in config.kernels))
        for i, kernel in enumerate(kernels):
            inputs, outputs = config.channels[i : i + 2]
            last = i == len(kernels) - 1
            stride, padding = (2, kernel[0] // 2 - 1) if i else (1, 0)
            layer = nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding, bias=last)
            self.add_module(f"conv{i}", layer)
            if not last:
                self.add_module(f"norm{i}", BatchNorm(outputs, count))

    @torch.no_grad()
    def initialise(self, streams: RandomStreams) -> None:
        """Fill in seeded weights as in the paper."""
        for name, value in self.named_parameters():
            if name.endswith("weight"):
                centre = 1 if "norm" in name else 0
                value.copy_(centre + streams.weights(name, value) * WEIGHT_DEVIATION)
            else:  # torch begins biases with random numbers
                value.zero_()

    def forward(self, z: Tensor) -> Tensor:
        x = z[:, :, None, None].to(self.dtype)
        depth = len(self.config.kernels)
        for i in range(depth + 1):
            x = _cast_call(self.get_submodule(f"conv{i}"), x)
            if i < depth:
                x = functional.relu(self.get_submodule(f"norm{i}")(x))
        return x.float().tanh()

    def drawn(
        self,
        streams: RandomStreams,
        purpose: str,
        samples: Sequence[int],
        z: Tensor | None = None,
        mixing: float = 0.0,
    ) -> tuple[Tensor, Tensor]:
        """Pictures [n, channels, height, width] and their z; `mixing` has no effect."""
        device = next(self.parameters()).device
        if z is None:
            z = streams.normal(f"{purpose}.z", samples, self.config.space.z_dim)
        z = z.to(device)
        return self(z), z

    def shown(self, z: Tensor) -> Tensor:
        """Pictures as they are played."""
        pictures: Tensor = self(z)
        return pictures

    @torch.no_grad()
    def calibrate(self, streams: RandomStreams) -> None:
        """Set the running means and variances to those of these weights: an average has its own."""
        norms = [module for module in self.modules() if isinstance(module, BatchNorm)]
        z = streams.normal("settle", range(PROBES), self.config.space.z_dim)
        for norm in norms:
            norm.momentum = 1.0
        self.train()(z.to(next(self.parameters()).device))
        for norm in norms:
            norm.momentum = MOMENTUM
        self.eval()

    def track(self, mean: Tensor) -> None:
        """Nothing to do: truncation always goes to 0."""

    def frozen(self, name: str, mapping: bool, resolution: int) -> bool:
        """Whether the parameter of this name is frozen."""
        layer = int(name.split(".")[0].removeprefix("conv").removeprefix("norm"))
        return self.config.start[0] << layer <= resolution

    def weights(self, notes: Mapping[str, str]) -> Weights:
        """The model as it is played."""
        named = {name: value.float().cpu().numpy() for name, value in self.state_dict().items()}
        return from_state(named, notes)

    @torch.no_grad()
    def adopt(self, weights: Weights) -> None:
        """Take over a model's weights, and set the normalisation by the activations that they give."""
        if weights.config != self.config:
            raise RunError(f"it is {weights.config}, must be {self.config}")
        device = next(self.parameters()).device
        z = RandomStreams(0).normal("probe", range(PROBES), self.config.space.z_dim).to(device)
        x = z[:, :, None, None]
        for i in range(len(self.config.kernels) + 1):
            layer = self.get_submodule(f"conv{i}")
            assert isinstance(layer, nn.ConvTranspose2d)
            layer.weight.copy_(torch.from_numpy(weights.arrays[f"layers.{i}.weight"]))
            bias = torch.from_numpy(weights.arrays[f"layers.{i}.bias"]).to(device)
            if layer.bias is not None:
                layer.bias.copy_(bias)
                return
            x = layer(x)
            norm = self.get_submodule(f"norm{i}")
            assert isinstance(norm, BatchNorm)
            variance, mean = torch.var_mean(x, (0, 2, 3))
            norm.running_mean.copy_(mean)
            norm.running_var.copy_(variance)
            norm.weight.copy_((variance + EPSILON).sqrt())
            norm.bias.copy_(mean + bias)
            x = functional.relu(x + bias[:, None, None])


class DCGANDiscriminator(nn.Module):
    """Pictures to logits [n], by strided convolutions as wide as the generator's, or as `widths`.

    Two things come from later papers. R1 replaces batch normalisation, because the two do not work together:
    with normalisation the discriminator won within a hundred steps on discs on a dark ground, and the
    generator learnt nothing. And the last layer sees the minibatch standard deviation.
    """

    def __init__(self, config: Config, precision: str = "float32", widths: Sequence[int] = ()) -> None:
        super().__init__()
        self.config, self.dtype = config, dtype_of(precision)
        widths = (config.image_channels, *reversed(widths or config.channels[1:-1]), 1)
        for i, (inputs, outputs) in enumerate(pairwise(widths)):
            last = i == len(config.kernels)
            kernel: Any = config.start if last else (4, 4)
            stride, padding = (1, 0) if last else (2, 1)
            self.add_module(f"conv{i}", nn.Conv2d(inputs + last, outputs, kernel, stride, padding))

    @torch.no_grad()
    def initialise(self, streams: RandomStreams) -> None:
        """Fill in seeded weights that keep the variance (He et al. 2015, Delving deep into rectifiers)."""
        for name, value in self.named_parameters():
            value.zero_()
            if name.endswith("weight"):
                normal = streams.weights(f"discriminator.{name}", value)
                value.copy_(normal * (2 / value[0].numel()) ** 0.5)

    def forward(self, pictures: Tensor) -> Tensor:
        x, depth = pictures.to(self.dtype, memory_format=torch.channels_last), len(self.config.kernels)
        for i in range(depth + 1):
            x = minibatch_deviation(x) if i == depth else x
            x = _cast_call(self.get_submodule(f"conv{i}"), x)
            x = functional.leaky_relu(x, SLOPE) if i < depth else x
        return x.float().flatten()

    def frozen(self, name: str, resolution: int) -> bool:
        """Whether the parameter of this name is frozen: those from the picture down to a size are."""
        layer = int(name.split(".")[0].removeprefix("conv").removeprefix("norm"))
        return 0 < resolution <= self.config.size[1] >> layer

    @torch.no_grad()
    def adopt(self, tensors: Arrays) -> bool:
        """Take over the tensors of another discriminator if all of them fit; whether they did."""
        own = self.state_dict()
        shapes = {name: tuple(value.shape) for name, value in own.items()}
        if shapes != {name: array.shape for name, array in tensors.items()}:
            return False
        for name, array in tensors.items():
            own[name].copy_(torch.tensor(array))
        return True
