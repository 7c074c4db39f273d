"""StyleGAN2's generator in training: the network that plays, with noise, style mixing and a mean of w."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from perform.generators.stylegan2 import Config, channel_table
from perform.generators.stylegan2.network import Network, enlarged
from perform.networks.weights import Weights, checked_weights
from perform.training.random_streams import RandomStreams
from perform.training.settings import RunError, TrainingSettings

HALF_BLOCKS = 4  # the finest and slowest ones: Karras et al. 2020, Training GANs with limited data
CLAMP = 256.0  # of activations in float16, ibid.
W_DECAY = 0.995  # how much of the mean of w remains after a step


def stylegan2_config(settings: TrainingSettings) -> Config:
    """The generator that the settings ask for."""
    start = settings.start
    blocks = (settings.size[1] // start[0]).bit_length()
    table = channel_table(*settings.channels, 4 << (blocks - 1))
    return Config(
        channels=table,
        z_dim=settings.z_dim,
        mapping=(settings.w_dim,) * settings.mapping,
        rate=settings.mapping_rate,
        clamp=CLAMP if settings.precision == "float16" else None,
        start=start,
    )


class StyleGAN2Generator(nn.Module):
    """z to pictures; the finest blocks in `precision`, the others in float32."""

    def __init__(self, config: Config, precision: str = "float32") -> None:
        super().__init__()
        self.config: Config = config
        self.network = Network(config)
        self.dtype = dtype_of(precision)

    def initialise(self, streams: RandomStreams) -> None:
        """Fill in seeded weights of unit variance, as equalised learning rates need them."""
        for name, value in self.network.state_dict().items():
            kind = name.rsplit(".", 1)[-1]
            if kind in ("weight", "const", "noise_const"):
                rate = self.config.rate if name.startswith("mapping.fc") else 1.0
                value.copy_(streams.weights(name, value) / rate)

    def drawn(
        self,
        streams: RandomStreams,
        purpose: str,
        samples: Sequence[int],
        z: Tensor | None = None,
        mixing: float = 0.0,
    ) -> tuple[Tensor, Tensor]:
        """Pictures [n, channels, height, width] and their ws [n, num_ws, w_dim]. A given z is not mixed."""
        device = self.network.mapping.w_avg.device
        if z is None:
            ws = self._styles(streams, purpose, samples, mixing)
        else:
            ws = self._spread(self.network.mapping(z.to(device)))
        if torch.is_grad_enabled() and not ws.requires_grad:
            ws.requires_grad_(True)  # the mapping is frozen; the path length needs gradients at ws
        shapes = [self.config.noise_shape(layer) for layer in range(len(self.config.layers))]
        noise = streams.noise(f"{purpose}.noise", samples, shapes, device)
        return self.synthesised(ws, noise), ws

    def _styles(self, streams: RandomStreams, purpose: str, samples: Sequence[int], mixing: float) -> Tensor:
        mapping = self.network.mapping
        device, z_dim = mapping.w_avg.device, self.config.z_dim
        ws = self._spread(mapping(streams.normal(f"{purpose}.z", samples, z_dim).to(device)))
        if not mixing:
            return ws
        other = mapping(streams.normal(f"{purpose}.other", samples, z_dim).to(device))
        mixed, position = streams.uniform(f"{purpose}.mixing", samples, 2).unbind(1)
        cut = torch.where(mixed < mixing, 1 + (position * (ws.shape[1] - 1)).floor(), ws.shape[1]).to(device)
        after = torch.arange(ws.shape[1], device=device) >= cut[:, None]
        return torch.where(after[..., None], other[:, None], ws)

    def _spread(self, w: Tensor) -> Tensor:
        return w[:, None].expand(-1, self.config.space.num_ws, -1)

    def synthesised(self, ws: Tensor, noise: Sequence[Tensor | None]) -> Tensor:
        """The network's synthesis, with the finest blocks in the precision of the training."""
        synthesis, at = self.network.synthesis, 0
        features: Tensor | None = None
        picture: Tensor | None = None
        for index, block in enumerate(synthesis.blocks()):
            convolutions = 1 if features is None else 2
            if features is not None and index >= self.config.blocks - HALF_BLOCKS:
                features = features.to(self.dtype, memory_format=torch.channels_last)
            features = block(features, ws[:, at:], synthesis.resample_filter, noise[at : at + convolutions])
            at += convolutions
            if block.torgb is not None:
                shown = block.torgb(features, ws[:, at])
                picture = shown if picture is None else shown + enlarged(picture, synthesis.resample_filter)
        assert picture is not None
        return picture

    def shown(self, z: Tensor) -> Tensor:
        """Pictures as they are played, with the network's stored noise."""
        ws = self._spread(self.network.mapping(z))
        return self.synthesised(ws, self.network.synthesis.stored_noise())

    def calibrate(self, streams: RandomStreams) -> None:
        """Nothing to do: the weights alone decide the picture."""

    @torch.no_grad()
    def track(self, mean: Tensor) -> None:
        """Move the centre of truncation towards a batch's mean w [w_dim]."""
        self.network.mapping.w_avg.lerp_(mean, 1 - W_DECAY)

    def frozen(self, name: str, mapping: bool, resolution: int) -> bool:
        """Whether the parameter of this name is frozen."""
        if name.startswith("network.mapping."):
            return mapping
        block = name.split(".")[2]
        return block.startswith("b") and int(block[1:]) <= resolution

    def weights(self, notes: Mapping[str, str]) -> Weights:
        """The model as it is played."""
        arrays = {name: value.float().cpu().numpy() for name, value in self.network.state_dict().items()}
        return checked_weights(self.config, arrays, notes)

    @torch.no_grad()
    def adopt(self, weights: Weights) -> None:
        """Take over a model's weights; of a model of half the size, those of all blocks but the finest.

        The finest block's colours then begin at 0: the picture is the smaller network's, enlarged.
        """
        own = self.network.state_dict()
        for name, array in weights.arrays.items():
            if own[name].shape != array.shape:
                raise RunError(f"{name} has shape {array.shape}, must be {tuple(own[name].shape)}")
            own[name].copy_(torch.from_numpy(array))
        if weights.config_as(Config).blocks < self.config.blocks:
            own[f"synthesis.b{self.config.resolutions[-1]}.torgb.weight"].zero_()


def dtype_of(precision: str) -> torch.dtype:
    """torch's type of a precision: float32, bfloat16 or float16."""
    dtype: torch.dtype = getattr(torch, precision)
    return dtype


def clamped_config(config: Config, precision: str) -> Config:
    """A file's configuration for training: activations are clamped in float16."""
    return replace(config, clamp=CLAMP) if precision == "float16" and config.clamp is None else config


def grown_config(config: Config, outputs: int) -> Config:
    """A generator of twice the size; its new block has `outputs` channels."""
    if config.architecture != "skip":
        raise RunError(f"architecture = {config.architecture}, must be skip to grow")
    return replace(config, channels=(*config.channels, outputs, outputs))
