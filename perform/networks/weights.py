"""Weights: a network's tensors and the shape of its family, read and written as safetensors; numpy only.

A file has the tensors under the names that the field's files use and, as text in its metadata, the
name of its family and its configuration as JSON.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import Field, astuple, dataclass, replace
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar

import numpy as np

from perform.arrays import AnyArray, Floats
from perform.latent.space import Space
from perform.networks import ModelError
from perform.parameters import Parameter

Arrays: TypeAlias = Mapping[str, Floats]
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]

COMMENT_LIMIT = 2000  # characters of a title or credit shown
MOST_SIDE = 4096  # pixels of a side; a small file could else ask for any amount of noise
MOST_WIDTH, MOST_CLASSES = 1 << 14, 1 << 16  # of latents, and how many classes, for the same reason
# What reading tensors or shapes raises if a network or a configuration has an unexpected layout.
LAYOUT_ERRORS = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


class NetworkConfig(Protocol):
    """The shape of a network of one family: a frozen dataclass of plain values.

    `parameters` are the controls of its synthesis, `size` is (width, height) in pixels. `blendable` says
    whether the weights of two networks of one shape can be mixed.
    """

    family: ClassVar[str]
    blendable: ClassVar[bool]
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def space(self) -> Space: ...

    @property
    def size(self) -> tuple[int, int]: ...

    @property
    def image_channels(self) -> int: ...

    @property
    def parameters(self) -> tuple[Parameter, ...]: ...

    @property
    def bendable(self) -> tuple[str, ...]:
        """The modules of the network whose activations can be bent, coarse to fine."""
        ...

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor with its shape, in the order of the network."""
        ...


Sized = TypeVar("Sized", bound=NetworkConfig)


@dataclass(frozen=True, slots=True)
class Weights:
    """A generator's configuration and its tensors by name, float32."""

    config: NetworkConfig
    arrays: Arrays
    notes: Mapping[str, str]

    def config_as(self, kind: type[Sized]) -> Sized:
        """The configuration as its family's own class; TypeError for another family's."""
        if not isinstance(self.config, kind):
            raise TypeError(f"the weights are of {self.config.family}, must be of {kind.family}")
        return self.config

    def part(self, prefix: str) -> Weights:
        """The tensors whose names begin with a prefix; the memory of the rest may be released."""
        kept = {name: array for name, array in self.arrays.items() if name.startswith(prefix)}
        return replace(self, arrays=kept)


@contextmanager
def layout_of(network: str) -> Iterator[None]:
    """Say of tensors of another layout that they are no such network, in a ModelError."""
    try:
        yield
    except ModelError:
        raise
    except LAYOUT_ERRORS as error:
        raise ModelError(f"not a {network}: {error} is missing or misshapen") from error


def biased(name: str, shape: tuple[int, ...]) -> dict[str, tuple[int, ...]]:
    """A weight [outputs, …] and its bias [outputs] by name, with their shapes."""
    return {f"{name}.weight": shape, f"{name}.bias": shape[:1]}


def checked_config(config: Sized) -> Sized:
    """The configuration, if it is consistent and its latents and pictures have a size that is played.

    ModelError names the first fault."""
    try:
        shapes, space, (width, height) = config.shapes(), config.space, config.size
    except ModelError:
        raise
    except LAYOUT_ERRORS as error:
        raise ModelError(f"its configuration does not hold together: {printable(repr(error))}") from error
    if min(width, height) < 1 or max(width, height) > MOST_SIDE:
        shown = f"{width} x {height}" if max(width, height) < 1 << 64 else "endless"
        raise ModelError(f"pictures would be {shown}, may be up to {MOST_SIDE} a side")
    widths = {"z_dim": space.z_dim, "w_dim": space.w_dim}
    if wrong := [name for name, width in widths.items() if not 1 <= width <= MOST_WIDTH]:
        raise ModelError(f"{wrong[0]} = {widths[wrong[0]]}, must be 1 to {MOST_WIDTH}")
    if not 0 <= space.c_dim <= MOST_CLASSES:
        raise ModelError(f"c_dim = {space.c_dim}, must be 0 to {MOST_CLASSES}")
    if empty := [name for name, shape in shapes.items() if min(shape, default=1) < 1]:
        raise ModelError(f"{empty[0]} would have shape {shapes[empty[0]]}, must be 1 or more each")
    if wild := [one for one in astuple(config) if isinstance(one, float) and not math.isfinite(one)]:
        raise ModelError(f"its configuration has {wild[0]}, must be finite numbers")
    return config


def checked_weights(
    config: NetworkConfig, arrays: Mapping[str, AnyArray], notes: Mapping[str, str]
) -> Weights:
    """The tensors that a configuration needs, as float32. ModelError for one that is missing or wrong."""
    kept = {
        name: _checked_array(name, arrays, shape) for name, shape in checked_config(config).shapes().items()
    }
    return Weights(config, kept, {key: printable(note) for key, note in notes.items()})


def _checked_array(name: str, arrays: Mapping[str, AnyArray], shape: tuple[int, ...]) -> Floats:
    """One tensor, copied if it is a view of a file: the file may change."""
    found = arrays.get(name)
    if found is None:
        raise ModelError(f"{name} is missing, must be there with shape {shape}")
    if found.shape != shape:
        raise ModelError(f"{name} has shape {found.shape}, must be {shape}")
    if found.dtype.kind not in "fiub":
        raise ModelError(f"{name} is of type {found.dtype}, must be of real numbers")
    with np.errstate(over="ignore"):  # too large a number becomes infinite, and is rejected below
        array = np.asarray(found, np.float32, order="C")
    if not np.isfinite(array).all():
        raise ModelError(f"{name} holds values that are not finite")
    return array if array.flags.writeable else array.copy()


def printable(text: str, most: int = COMMENT_LIMIT) -> str:
    """Text of a file for display: on one line, without control characters, cut to `most` characters."""
    plain = "".join(character if character.isprintable() else " " for character in text[:most])
    return plain if len(text) <= most else f"{plain}…"


def rounded_weights(weights: Weights, dtype: str) -> Weights:
    """The weights as they come back from a file of `dtype`. ModelError for a number too large for it."""
    with np.errstate(over="ignore"):
        short = {name: array.astype(dtype, copy=False) for name, array in weights.arrays.items()}
    arrays = {name: array.astype(np.float32, copy=False) for name, array in short.items()}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            most = np.abs(weights.arrays[name]).max()
            room = np.finfo(dtype).max
            raise ModelError(f"{name} goes up to {most:.0f}, must be within {room:.0f} for {dtype}")
    return replace(weights, arrays=arrays)
