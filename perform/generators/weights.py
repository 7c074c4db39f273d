"""Weights: what a StyleGAN2 file holds, read and written as safetensors; numpy only.

A file has the tensors under the names that the field's files use (`mapping.fc0.weight`,
`synthesis.b8.conv0.weight` …) and its configuration as JSON in the metadata. Everything that the
shapes tell is taken from the shapes, so that any channel table, mapping depth and number of
image channels opens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform.generators import ModelError
from perform.latent import Space

Arrays: TypeAlias = Mapping[str, NDArray[np.float32]]
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
Architecture: TypeAlias = Literal["skip", "resnet", "orig"]

FAMILY = "stylegan2"
FILTER = "synthesis.resample_filter"
TAPS = np.array([1, 3, 3, 1], np.float32)
COMMENT_LIMIT = 2000  # characters of a title or credit shown


@dataclass(frozen=True, slots=True)
class Config:
    """The shape of a StyleGAN2 generator.

    `channels` holds the width of the constant and of the output of each convolution:
    (const, b4.conv1, b8.conv0, b8.conv1, …). `start` is the constant's (height, width), `mapping`
    the widths of the mapping's layers, `embed` of the label's embedding, `rate` the mapping's
    learning-rate multiplier, `clamp` limits the activations (None: not).
    """

    channels: tuple[int, ...]
    z_dim: int = 512
    c_dim: int = 0
    embed: int = 0
    mapping: tuple[int, ...] = (512,) * 8
    rate: float = 0.01
    image_channels: int = 3
    architecture: Architecture = "skip"
    clamp: float | None = None
    start: tuple[int, int] = (4, 4)

    @property
    def blocks(self) -> int:
        return len(self.channels) // 2

    @property
    def w_dim(self) -> int:
        return self.mapping[-1]

    @property
    def resolutions(self) -> tuple[int, ...]:
        """The blocks' nominal resolutions: 4, 8, …; they name the blocks."""
        return tuple(4 << block for block in range(self.blocks))

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the pictures."""
        height, width = self.start
        return width << (self.blocks - 1), height << (self.blocks - 1)

    @property
    def layers(self) -> tuple[str, ...]:
        """The convolutions in order; layer i takes ws[i]."""
        pairs = ((f"b{r}.conv0", f"b{r}.conv1") for r in self.resolutions)
        return tuple(name for pair in pairs for name in pair)[1:]

    @property
    def space(self) -> Space:
        return Space(self.z_dim, self.w_dim, 2 * self.blocks, self.c_dim)

    def noise_shape(self, layer: int) -> tuple[int, int]:
        """(height, width) of the noise of a convolution."""
        height, width = self.start
        return height << ((layer + 1) // 2), width << ((layer + 1) // 2)

    def shows(self, block: int) -> bool:
        """Whether a block has a toRGB layer."""
        return self.architecture == "skip" or block == self.blocks - 1


def channel_table(base: int, most: int, resolution: int) -> tuple[int, ...]:
    """The papers' usual table: min(base / resolution, most) at each resolution."""
    blocks = resolution.bit_length() - 2
    return tuple(min(base // (4 << block), most) for block in range(blocks) for _ in range(2))


def shapes(config: Config) -> dict[str, tuple[int, ...]]:
    """Every tensor of the configuration with its shape, in the order of the network."""
    named: dict[str, tuple[int, ...]] = {"mapping.w_avg": (config.w_dim,)}
    if config.c_dim:
        named |= _linear("mapping.embed", config.c_dim, config.embed)
    widths = (config.z_dim + config.embed, *config.mapping)
    for i, (inputs, outputs) in enumerate(pairwise(widths)):
        named |= _linear(f"mapping.fc{i}", inputs, outputs)
    named[FILTER] = (4, 4)
    named["synthesis.b4.const"] = (config.channels[0], *config.start)
    for i, name in enumerate(config.layers):
        named |= _convolution(config, i, f"synthesis.{name}")
    for block, r in enumerate(config.resolutions):
        deep = config.channels[2 * block + 1]
        if config.shows(block):
            torgb = f"synthesis.b{r}.torgb"
            named |= {f"{torgb}.weight": (config.image_channels, deep, 1, 1)}
            named |= {f"{torgb}.bias": (config.image_channels,)}
            named |= _linear(f"{torgb}.affine", config.w_dim, deep)
        if config.architecture == "resnet" and block:
            named[f"synthesis.b{r}.skip.weight"] = (deep, config.channels[2 * block - 1], 1, 1)
    return named


def _linear(name: str, inputs: int, outputs: int) -> dict[str, tuple[int, ...]]:
    return {f"{name}.weight": (outputs, inputs), f"{name}.bias": (outputs,)}


def _convolution(config: Config, layer: int, name: str) -> dict[str, tuple[int, ...]]:
    inputs, outputs = config.channels[layer : layer + 2]
    return {
        f"{name}.weight": (outputs, inputs, 3, 3),
        f"{name}.bias": (outputs,),
        f"{name}.noise_strength": (),
        f"{name}.noise_const": config.noise_shape(layer),
        **_linear(f"{name}.affine", config.w_dim, inputs),
    }


def infer(found: Shapes, clamp: float | None = None, rate: float = 0.01) -> Config:
    """The configuration that a file's shapes tell; `clamp` and `rate` are in no shape."""
    try:
        return _infer(found, clamp, rate)
    except (KeyError, IndexError, ValueError) as error:
        raise ModelError(f"not a stylegan2 generator: {error} is missing or misshapen") from error


def _infer(found: Shapes, clamp: float | None, rate: float) -> Config:
    blocks = len({name for name in found if re.fullmatch(r"synthesis\.b\d+\.conv1\.weight", name)})
    const = found["synthesis.b4.const"]
    convolutions = [f"b{4 << (i + 1) // 2}.conv{(i + 1) % 2}" for i in range(2 * blocks - 1)]
    outputs = [found[f"synthesis.{name}.weight"][0] for name in convolutions]
    depth = len({name for name in found if re.fullmatch(r"mapping\.fc\d+\.weight", name)})
    embed = found.get("mapping.embed.weight", (0, 0))
    resnet = "synthesis.b8.skip.weight" in found
    early = "synthesis.b4.torgb.weight" in found
    return Config(
        channels=(const[0], *outputs),
        z_dim=found["mapping.fc0.weight"][1] - embed[0],
        c_dim=embed[1],
        embed=embed[0],
        mapping=tuple(found[f"mapping.fc{i}.weight"][0] for i in range(depth)),
        rate=rate,
        image_channels=found[f"synthesis.b{4 << (blocks - 1)}.torgb.weight"][0],
        architecture="resnet" if resnet else "skip" if early else "orig",
        clamp=clamp,
        start=(const[1], const[2]),
    )


@dataclass(frozen=True, slots=True)
class Weights:
    """A generator's configuration and its tensors by name, float32."""

    config: Config
    arrays: Arrays
    notes: Mapping[str, str]

    def part(self, prefix: str) -> Weights:
        """The tensors whose names begin with a prefix; the rest may be forgotten."""
        kept = {name: array for name, array in self.arrays.items() if name.startswith(prefix)}
        return replace(self, arrays=kept)

    @property
    def mean(self) -> NDArray[np.float32]:
        """The centre of truncation [w_dim]."""
        return self.arrays["mapping.w_avg"]


def from_official(
    named: Mapping[str, NDArray[Any]],
    clamp: float | None = None,
    rate: float = 0.01,
    notes: Mapping[str, str] | None = None,
) -> Weights:
    """Weights from the parameters and buffers of an official network, by their official names.

    The resampling filters, one in each layer there, become one; networks without noise get noise
    of strength 0; what else has no place is left out.
    """
    config = infer({name: array.shape for name, array in named.items()}, clamp, rate)
    filters = [array for name, array in named.items() if name.endswith("resample_filter")]
    outer = np.outer(TAPS, TAPS) / TAPS.sum() ** 2
    given = {**named, FILTER: filters[0] if filters else outer}
    arrays = {
        name: np.array(_given(given, name, shape), np.float32, order="C")
        for name, shape in shapes(config).items()
    }
    return Weights(config, _checked(config, arrays), dict(notes or {}))


def _given(named: Mapping[str, NDArray[Any]], name: str, shape: tuple[int, ...]) -> NDArray[Any]:
    if name not in named and ".noise_" in name:
        return np.zeros(shape, np.float32)
    if name not in named:
        raise ModelError(f"not a stylegan2 generator: {name} is missing")
    return named[name]


def _checked(config: Config, arrays: Arrays) -> Arrays:
    for name, shape in shapes(config).items():
        if name not in arrays:
            raise ModelError(f"{name} is missing, must be there with shape {shape}")
        if arrays[name].shape != shape:
            raise ModelError(f"{name} has shape {arrays[name].shape}, must be {shape}")
        if not np.isfinite(arrays[name]).all():
            raise ModelError(f"{name} holds values that are not finite")
    return arrays


def write(path: str | Path, weights: Weights) -> None:
    """Write a model file; whole or not at all."""
    from safetensors.numpy import save_file

    path = Path(path)
    metadata = {**weights.notes, "family": FAMILY, "config": json.dumps(asdict(weights.config))}
    partial = path.with_name(path.name + ".part")
    save_file(dict(weights.arrays), partial, metadata)
    partial.replace(path)


def read(path: str | Path) -> Weights:
    """Read a model file. ModelError says what is wrong with it."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    config, notes = header(path)
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is not readable as safetensors: {error}") from error
    floats = {name: np.asarray(array, np.float32) for name, array in arrays.items()}
    try:
        return Weights(config, _checked(config, floats), notes)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def header(path: str | Path) -> tuple[Config, dict[str, str]]:
    """Configuration and notes (title, licence …) of a model file; its tensors stay unread."""
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise ModelError(f"{path} is not a file, must be a .safetensors model or a built-in's name")
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is not readable as safetensors: {error}") from error
    notes = {key: value[:COMMENT_LIMIT] for key, value in metadata.items() if key != "config"}
    if notes.pop("family", None) != FAMILY:
        raise ModelError(f"{path} is not a model of perform: its metadata must say family {FAMILY!r}")
    return _config(path, metadata.get("config", "")), notes


def _config(path: str | Path, text: str) -> Config:
    try:
        fields = json.loads(text)
        config = Config(**{name: _frozen(value) for name, value in fields.items()})
        shapes(config)
    except (TypeError, ValueError, AttributeError, IndexError) as error:
        raise ModelError(f"{path} has no readable configuration in its metadata: {error}") from error
    return config


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
