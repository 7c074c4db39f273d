"""BigGAN-deep (Brock, Donahue, Simonyan 2019, arXiv:1809.11096), as Hugging Face's files hold it.

The latent w of a layer is z and the embedding of the class, one after the other; every conditional
layer takes its own row of ws, so that they can be mixed like styles. The centre of truncation is 0 for
z and the class's own embedding: truncation scales z, which is what the field calls truncation here,
and keeps the class. A file has the statistics of its normalisations for each of 51 truncations; which
of them are used is the parameter `statistics`.

z is taken as it comes. The field draws it from a normal distribution cut off at 2, but the network was
trained with an uncut one (the paper's section 3.1), so what the paths draw is at home here.

Tensors have the names that the field's files use, less the parts of spectral normalisation (Miyato et
al. 2018, arXiv:1802.05957), which is a factor of each weight once a network is trained.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from math import modf
from typing import Any, ClassVar

import numpy as np

from perform.arrays import AnyArray, Floats
from perform.generators.mapping import checked_labels, checked_rows
from perform.latent.space import Space
from perform.networks import ModelError
from perform.networks.controls import Controls, number
from perform.networks.families import Mapper, MeanW
from perform.networks.weights import Shapes, Weights, biased, checked_weights, layout_of
from perform.parameters import Parameter

FOLLOWED = -1.0  # the `statistics` that means: those of the truncation
STATISTICS = Parameter(
    "statistics", FOLLOWED, -1.0, 1.0, "", "truncation whose statistics normalise; below 0: the one played"
)
INPUTS = ("means", "gains")
START = 4  # height and width of the first layer
NORMS = 4  # in a block: before each of its convolutions
COLOURS = 3  # of the last convolution's outputs the first three are shown
SEED = 128  # of the untrained weights


@dataclass(frozen=True, slots=True)
class Config:
    """The shape of a BigGAN-deep generator.

    `layers` has for each block (whether it doubles the size, its inputs, its outputs), in multiples of
    `channel_width`. Within a block the width is its inputs' divided by `reduction`. `attention` is the
    block before which the attention is (-1: there is none), `embed` the width of a class's embedding,
    `n_stats` for how many truncations there are statistics.
    """

    family: ClassVar[str] = "biggan"
    blendable: ClassVar[bool] = False  # its normalisations hold statistics of one network
    parameters: ClassVar[tuple[Parameter, ...]] = (STATISTICS,)
    image_channels: ClassVar[int] = COLOURS

    layers: tuple[tuple[bool, int, int], ...]
    channel_width: int = 128
    z_dim: int = 128
    embed: int = 128
    classes: int = 1000
    attention: int = 8
    reduction: int = 4
    eps: float = 1e-4
    n_stats: int = 51

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the pictures."""
        side = START << sum(up for up, _, _ in self.layers)
        return side, side

    @property
    def bendable(self) -> tuple[str, ...]:
        """The blocks, whose activations can be bent, coarse to fine."""
        return tuple(f"blocks.{i}" for i in range(len(self.layers)))

    @property
    def space(self) -> Space:
        return Space(self.z_dim, self.z_dim + self.embed, 1 + len(self.layers), self.classes)

    def name(self, block: int) -> str:
        """The name of a block's tensors; the attention has a number among them."""
        return f"generator.layers.{block + (0 <= self.attention <= block)}"

    def widths(self, block: int) -> tuple[int, int, int]:
        """Channels of a block: coming in, within, going out."""
        _, inputs, outputs = self.layers[block]
        inner = inputs * self.channel_width // self.reduction
        return inputs * self.channel_width, inner, outputs * self.channel_width

    def norms(self) -> dict[str, int]:
        """The normalisations in the order of the network, with their channels."""
        named: dict[str, int] = {}
        for block in range(len(self.layers)):
            inputs, inner, _ = self.widths(block)
            named |= {f"{self.name(block)}.bn_{i}": inner if i else inputs for i in range(NORMS)}
        return {**named, "generator.bn": self.widths(len(self.layers) - 1)[2]}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor with its shape, in the order of the network."""
        w_dim, first = self.z_dim + self.embed, self.widths(0)[0]
        named: dict[str, tuple[int, ...]] = {"embeddings.weight": (self.embed, self.classes)}
        named |= biased("generator.gen_z", (START * START * first, w_dim))
        for block in range(len(self.layers)):
            if block == self.attention:
                named |= _attention(f"generator.layers.{block}", self.widths(block)[0])
            inputs, inner, outputs = self.widths(block)
            kernels = (
                (inner, inputs, 1, 1),
                (inner, inner, 3, 3),
                (inner, inner, 3, 3),
                (outputs, inner, 1, 1),
            )
            for i, kernel in enumerate(kernels):
                norm = f"{self.name(block)}.bn_{i}"
                named |= {f"{norm}.{part}.weight": (kernel[1], w_dim) for part in ("scale", "offset")}
                named |= biased(f"{self.name(block)}.conv_{i}", kernel)
        last = self.widths(len(self.layers) - 1)[2]
        for norm, channels in self.norms().items():
            named |= {
                f"{norm}.{part}": (self.n_stats, channels) for part in ("running_means", "running_vars")
            }
        named |= {"generator.bn.weight": (last,), "generator.bn.bias": (last,)}
        return named | biased("generator.conv_to_rgb", (COLOURS, last, 3, 3))


def _attention(name: str, channels: int) -> dict[str, tuple[int, ...]]:
    widths = {"theta": (channels // 8, channels), "phi": (channels // 8, channels)}
    widths |= {"g": (channels // 2, channels), "o_conv": (channels, channels // 2)}
    kernels = {f"{name}.snconv1x1_{part}.weight": (*shape, 1, 1) for part, shape in widths.items()}
    return {f"{name}.gamma": (1,), **kernels}


@layout_of("biggan-deep generator")
def infer(found: Shapes, described: Mapping[str, Any] | None = None) -> Config:
    """The configuration, from a file's shapes (its names without spectral normalisation).

    `described` is what the `config.json` beside it says. Without one every second block doubles the
    size, as in all published networks, and eps is theirs.
    """
    described = described or {}
    width = found["generator.bn.bias"][0]
    embed, classes = found["embeddings.weight"]
    places = {re.match(r"generator\.layers\.(\d+)\.(conv_0|gamma)", name) for name in found}
    kinds = {int(place[1]): place[2] for place in places if place}
    blocks = [f"generator.layers.{place}" for place in sorted(kinds) if kinds[place] == "conv_0"]
    attentions = [place for place in kinds if kinds[place] == "gamma"]
    if len(attentions) > 1 or not blocks:
        raise ModelError(
            f"{len(blocks)} blocks and {len(attentions)} attentions, must be 1 or more and 0 or 1"
        )
    stats = found["generator.bn.running_means"][0]
    if stats < 2:
        raise ModelError(f"n_stats = {stats}, must be 2 or more")
    ends = [(found[f"{name}.conv_0.weight"][1], found[f"{name}.conv_3.weight"][0]) for name in blocks]
    widths = [(start // width, end // width) for start, end in ends]
    eps = float(described.get("eps", 1e-4))
    if not 0 < eps < 1:
        raise ModelError(f"config.json has eps = {eps:g}, must be between 0 and 1")
    return Config(
        layers=_layers(widths, described.get("layers")),
        channel_width=width,
        z_dim=found["generator.gen_z.weight"][1] - embed,
        embed=embed,
        classes=classes,
        attention=attentions[0] if attentions else -1,
        reduction=ends[0][0] // found[f"{blocks[0]}.conv_0.weight"][0],
        eps=eps,
        n_stats=stats,
    )


def _layers(widths: list[tuple[int, int]], described: Any) -> tuple[tuple[bool, int, int], ...]:
    """The blocks of a file: their widths from the shapes, where the size doubles from `config.json`."""
    if described is None:
        return tuple((i % 2 == 1, *width) for i, width in enumerate(widths))
    layers = [(bool(up), int(start), int(end)) for up, start, end in described]
    if [layer[1:] for layer in layers] != widths:
        raise ModelError(f"config.json has layers of {[layer[1:] for layer in layers]}, the file of {widths}")
    return tuple(layers)


def from_state(
    named: Mapping[str, AnyArray],
    described: Mapping[str, Any] | None = None,
    notes: Mapping[str, str] | None = None,
) -> Weights:
    """Weights from a generator's state dict and the `config.json` beside it, if there is one."""
    folded = _folded({name.removeprefix("module."): array for name, array in named.items()})
    config = infer({name: array.shape for name, array in folded.items()}, described)
    shown = {f"generator.conv_to_rgb.{part}" for part in ("weight", "bias")}
    kept = {name: array[:COLOURS] if name in shown else array for name, array in folded.items()}
    return checked_weights(config, kept, notes or {})


def _folded(named: Mapping[str, AnyArray]) -> dict[str, AnyArray]:
    """The tensors with weights divided by their spectral norm u W v, of the u and v in the file."""
    folded = {}
    for name, array in named.items():
        if name.endswith("weight_orig"):
            stem = name.removesuffix("_orig")
            if f"{stem}_u" not in named or f"{stem}_v" not in named:
                raise ModelError(f"{stem}_u or {stem}_v is missing, must be there beside {name}")
            folded[stem] = _divided(name, array, named[f"{stem}_u"], named[f"{stem}_v"])
        elif not name.endswith(("weight_u", "weight_v")):
            folded[name] = array
    return folded


def _divided(name: str, weight: AnyArray, u: AnyArray, v: AnyArray) -> AnyArray:
    flat = weight.reshape(len(weight), -1).astype(np.float64)
    if (u.size, v.size) != flat.shape:
        raise ModelError(f"{name} has u of {u.size} and v of {v.size}, must be {flat.shape}")
    norm = u.ravel().astype(np.float64) @ flat @ v.ravel().astype(np.float64)
    if not np.isfinite(norm) or norm == 0:
        raise ModelError(f"{name} has the spectral norm {norm:g}, must be finite and not 0")
    return (flat / norm).astype(np.float32).reshape(weight.shape)


def mapping(weights: Weights) -> Mapper:
    """From z and labels, which may be mixes of classes, to w: z and the embedding."""
    return partial(_mapped, weights.config_as(Config), weights.arrays["embeddings.weight"].T)


def mean(weights: Weights) -> MeanW:
    """The centre of truncation [w_dim]: z is 0, the class is the label's."""
    origin, mapped = np.zeros((1, weights.config.space.z_dim), np.float32), mapping(weights)
    return lambda labels: mapped(origin, labels)[0]


def _mapped(config: Config, classes: Floats, z: Floats, labels: Floats | None) -> Floats:
    z = checked_rows("z", z, config.z_dim)
    embedded = checked_labels(labels, config.classes) @ classes
    return np.concatenate([z, np.broadcast_to(embedded, (len(z), config.embed))], 1)


def inputs(weights: Weights) -> Callable[[Controls], tuple[Floats, ...]]:
    """From `truncation` and `statistics` to the means and the gains (one over the deviation) of all
    normalisations, one after the other.

    The opposite of a latent (a truncation below 0) has the statistics of the latent; beyond 1 there
    are none, so those of 1 are taken. What a row of ws makes that a `cutoff` leaves untruncated has those
    of 1. The original knows one truncation for all; of what statistics of an untrained network with such
    latents would be, this is a quarter to a third nearer than the played truncation's everywhere.
    """
    normal = lru_cache(maxsize=1)(partial(_statistics, weights))

    def taken(controls: Controls) -> tuple[Floats, ...]:
        wanted, cutoff = float(number(controls, "statistics")), int(number(controls, "cutoff", -1))
        if wanted >= 0:
            return normal(wanted, -1)
        return normal(min(abs(float(number(controls, "truncation", 1.0))), 1.0), cutoff)

    return taken


def _statistics(weights: Weights, truncation: float, cutoff: int) -> tuple[Floats, Floats]:
    """Means and gains for a truncation of 0..1 of the first `cutoff` rows of ws (below 0: of all)."""
    config = weights.config_as(Config)
    means, variances = [], []
    for i, norm in enumerate(config.norms()):
        row = (i + NORMS - 1) // NORMS  # whose w made what is normalised: of a block's first, the one before
        place = truncation if cutoff < 0 or row < cutoff else 1.0
        means.append(_statistic(weights.arrays[f"{norm}.running_means"], place))
        variances.append(_statistic(weights.arrays[f"{norm}.running_vars"], place))
    gains = 1 / np.sqrt(np.concatenate(variances) + np.float32(config.eps))
    return np.concatenate(means), np.asarray(gains, np.float32)


def _statistic(table: Floats, truncation: float) -> Floats:
    """The row of a table [n_stats, channels] for a truncation of 0..1.

    Between two rows the fraction is the share of the lower one, although it is the distance from it:
    so it is in the implementation that the field uses, and so its pictures are reproduced.
    """
    share, place = modf(truncation / (1 / (len(table) - 1)))
    low, high = int(place), min(int(place) + 1, len(table) - 1)
    mixed = table[low] * np.float32(share) + table[high] * np.float32(1 - share)
    return np.asarray(mixed if share else table[low], np.float32)


PUBLISHED: Mapping[int, str] = {
    128: "16-16 16+16 16-16 16+8 8-8 8+4 4-4 4+2 2-2 2+1",
    256: "16-16 16+16 16-16 16+8 8-8 8+8 8-8 8+4 4-4 4+2 2-2 2+1",
    512: "16-16 16+16 16-16 16+8 8-8 8+8 8-8 8+4 4-4 4+2 2-2 2+1 1-1 1+1",
}  # blocks of the published networks by size: inputs, + where it doubles the size, outputs


def published(size: int) -> Config:
    """The configuration of the published network of a size: 128, 256 or 512."""
    blocks = re.findall(r"(\d+)([+-])(\d+)", PUBLISHED[size])
    return Config(tuple((sign == "+", int(inputs), int(outputs)) for inputs, sign, outputs in blocks))


def untrained(config: Config) -> Weights:
    """Seeded random weights that keep the activations' size about 1, for measuring."""
    draw = np.random.Generator(np.random.PCG64(SEED))
    arrays: dict[str, Floats] = {}
    for name, shape in config.shapes().items():
        normal = draw.standard_normal(shape, np.float32)
        if "running_vars" in name or name == "generator.bn.weight":
            arrays[name] = np.ones(shape, np.float32)
        elif "bias" in name or "running" in name:
            arrays[name] = normal * np.float32(0.1)
        else:
            gain = 0.5 if "scale" in name or "offset" in name or "conv_3" in name else 1.0
            arrays[name] = normal * np.float32(gain / np.sqrt(np.prod(shape[1:])))
    return Weights(config, arrays, {"title": "untrained: seeded random weights", "licence": "MIT"})
