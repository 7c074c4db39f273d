"""Weights: a network's tensors and the shape of its family, read and written as safetensors; numpy only.

A file has the tensors under the names that the field's files use and, as text in its metadata, the
name of its family and its configuration as JSON.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, dataclass, replace
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, Protocol, TypeAlias, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Floats
from perform.latent.paths import Space
from perform.networks import ModelError
from perform.parameters import Parameter

PACKAGE = Path(__file__).parent.parent
RACK = "generators"  # where the packages of the families are

Arrays: TypeAlias = Mapping[str, Floats]
Shapes: TypeAlias = Mapping[str, tuple[int, ...]]
Controls: TypeAlias = Mapping[str, Any]  # values of parameters by name
Mapper: TypeAlias = Callable[[Floats, Floats | None], Floats]
Centre: TypeAlias = Callable[[Floats | None], Floats]

COMMENT_LIMIT = 2000  # characters of a title or credit shown
LARGEST = 4096  # pixels of a side; a small file could else ask for any amount of noise
WIDEST, MOST_CLASSES = 1 << 14, 1 << 16  # of latents, and how many classes, for the same reason
NAME_LIMIT = 80  # characters of a name shown
# What a configuration that does not hold together raises when it is asked for its shapes.
DISAGREES = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


class Config(Protocol):
    """The shape of a network of one family: a frozen dataclass of plain values.

    `parameters` are the controls of its synthesis, `size` is (width, height) in pixels.
    """

    family: ClassVar[str]

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


Sized = TypeVar("Sized", bound=Config)


@dataclass(frozen=True, slots=True)
class Weights:
    """A generator's configuration and its tensors by name, float32."""

    config: Any  # of its family: a Config
    arrays: Arrays
    notes: Mapping[str, str]

    def part(self, prefix: str) -> Weights:
        """The tensors whose names begin with a prefix; the rest may be forgotten."""
        kept = {name: array for name, array in self.arrays.items() if name.startswith(prefix)}
        return replace(self, arrays=kept)


class Family(Protocol):
    """What the package of a family gives (`perform.generators.stylegan2` …); numpy only.

    `INPUTS` names what its synthesis takes besides the latent, in order. Its module `network` has
    `synthesis(weights, dtype)`, a torch module that is the oracle of every faster form: ws [num_ws,
    w_dim] and the inputs to the picture [1, channels, height, width] as the network gives it.
    """

    INPUTS: tuple[str, ...]

    def Config(self, **fields: Any) -> Config:  # noqa: N802 - a class, as its caller sees it
        ...

    def mapping(self, weights: Weights) -> Mapper:
        """From z [n, z_dim] and labels [n or 1, c_dim] (None: the first class) to w [n, w_dim]."""
        ...

    def mean(self, weights: Weights) -> Centre:
        """From labels [1, c_dim] (None: the first class) to the centre of truncation [w_dim]."""
        ...

    def inputs(self, weights: Weights) -> Callable[[Controls], tuple[Floats, ...]]:
        """From the values of the parameters to the inputs; the same array as long as it is the same."""
        ...


def family(name: str) -> Family:
    """A family by name. ModelError when there is none."""
    known = sorted(file.parent.name for file in (PACKAGE / RACK).glob("*/network.py"))
    if name not in known:
        raise ModelError(f"family = {name[:NAME_LIMIT]!r}, must be one of {', '.join(known)}")
    return cast(Family, import_module(f"perform.{RACK}.{name}"))


def family_module(name: str, part: str) -> Any:
    """A module of a family (`network`: in torch, `graph`: in OpenVINO); None where it has none."""
    full = f"perform.{RACK}.{name}.{part}"
    return import_module(full) if find_spec(full) else None


@lru_cache(maxsize=1)
def sources_digest() -> bytes:
    """A digest of all code that makes or reads a network: what is kept on disk is valid for one of it."""
    sha = sha256()
    for folder in (Path(__file__).parent, PACKAGE / RACK):
        for file in sorted(folder.rglob("*.py")):
            sha.update(file.read_bytes())
    return sha.digest()


def sized(config: Sized) -> Sized:
    """The configuration, when it holds together and has latents and pictures of a size that is played.

    ModelError says what does not."""
    try:
        shapes, space, (width, height) = config.shapes(), config.space, config.size
    except ModelError:
        raise
    except DISAGREES as error:
        raise ModelError(f"its configuration does not hold together: {printable(repr(error))}") from error
    if min(width, height) < 1 or max(width, height) > LARGEST:
        shown = f"{width} x {height}" if max(width, height) < 1 << 64 else "endless"
        raise ModelError(f"pictures would be {shown}, may be up to {LARGEST} a side")
    widths = {"z_dim": space.z_dim, "w_dim": space.w_dim}
    if wrong := [name for name, width in widths.items() if not 1 <= width <= WIDEST]:
        raise ModelError(f"{wrong[0]} = {widths[wrong[0]]}, must be 1 to {WIDEST}")
    if not 0 <= space.c_dim <= MOST_CLASSES:
        raise ModelError(f"c_dim = {space.c_dim}, must be 0 to {MOST_CLASSES}")
    if empty := [name for name, shape in shapes.items() if min(shape, default=1) < 1]:
        raise ModelError(f"{empty[0]} would have shape {shapes[empty[0]]}, must be 1 or more each")
    numbers: Any = config
    if wild := [one for one in astuple(numbers) if isinstance(one, float) and not math.isfinite(one)]:
        raise ModelError(f"its configuration has {wild[0]}, must be finite numbers")
    return config


def checked(config: Config, arrays: Mapping[str, NDArray[Any]], notes: Mapping[str, str]) -> Weights:
    """Weights of what a configuration asks for, as float32; ModelError for what is missing or wrong."""
    kept = {name: _checked(name, arrays, shape) for name, shape in sized(config).shapes().items()}
    return Weights(config, kept, {key: printable(note) for key, note in notes.items()})


def _checked(name: str, arrays: Mapping[str, NDArray[Any]], shape: tuple[int, ...]) -> Floats:
    """One tensor; its own memory, as a view of a file may change with it."""
    found = arrays.get(name)
    if found is None:
        raise ModelError(f"{name} is missing, must be there with shape {shape}")
    if found.shape != shape:
        raise ModelError(f"{name} has shape {found.shape}, must be {shape}")
    if found.dtype.kind not in "fiub":
        raise ModelError(f"{name} is of type {found.dtype}, must be of real numbers")
    with np.errstate(over="ignore"):  # what is too large is not finite, and refused for it
        array = np.asarray(found, np.float32, order="C")
    if not np.isfinite(array).all():
        raise ModelError(f"{name} holds values that are not finite")
    return array if array.flags.writeable else array.copy()


def printable(text: str, most: int = COMMENT_LIMIT) -> str:
    """Words of a file as they may be shown: on one line, nothing that moves a cursor, not endless."""
    plain = "".join(character if character.isprintable() else " " for character in text[:most])
    return plain if len(text) <= most else f"{plain}…"


def rounded(weights: Weights, dtype: str) -> Weights:
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


def write(path: str | Path, weights: Weights, dtype: str = "float32") -> None:
    """Write a model file, its tensors as `dtype`; whole or not at all. OSError when there is no room or no
    right to."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    path, config = Path(path), weights.config
    metadata = {**weights.notes, "family": config.family, "config": json.dumps(asdict(config))}
    partial = path.with_name(path.name + ".part")
    arrays = {name: array.astype(dtype, copy=False) for name, array in weights.arrays.items()}
    try:
        save_file(arrays, partial, metadata)
        partial.replace(path)
    except (SafetensorError, OSError) as error:
        partial.unlink(missing_ok=True)
        raise OSError(f"{path} cannot be written: {error}") from error


def read(path: str | Path) -> Weights:
    """Read a model file. ModelError says what is wrong with it."""
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    config, notes = header(path)
    try:
        arrays = load_file(path)
    except (SafetensorError, OSError, KeyError, TypeError) as error:
        raise ModelError(f"{path} is not readable as safetensors: {error}") from error
    try:
        return checked(config, arrays, notes)
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error


def ours(path: str | Path) -> bool:
    """Whether a file is a model that was written here; its tensors stay unread."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="numpy") as file:
            return "family" in (file.metadata() or {})
    except (SafetensorError, OSError):
        return False


def header(path: str | Path) -> tuple[Any, dict[str, str]]:
    """Configuration and notes (title, licence …) of a model file; its tensors stay unread."""
    from safetensors import SafetensorError, safe_open

    if not Path(path).is_file():
        raise ModelError(f"{path} is not a file, must be a model file or a built-in's name")
    try:
        with safe_open(str(path), framework="numpy") as file:
            metadata = file.metadata() or {}
    except (SafetensorError, OSError) as error:
        raise ModelError(f"{path} is not readable as safetensors: {error}") from error
    if "family" not in metadata:
        raise ModelError(f"{path} is not a model of perform: its metadata names no family")
    own = ("config", "family")
    notes = {key: printable(value) for key, value in metadata.items() if key not in own}
    return config_of(path, metadata["family"], metadata.get("config", "")), notes


def config_of(path: str | Path, name: str, text: str) -> Config:
    """A configuration of a family from its JSON in a file. ModelError when it is none, or not sound."""
    from pydantic import TypeAdapter, ValidationError

    try:
        kind: Any = family(name).Config
        made: Config = TypeAdapter(kind).validate_json(text)
        return sized(made)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        why = f"{place}: {first['msg']}" if place else first["msg"]
        raise ModelError(f"{path} has no readable configuration in its metadata: {printable(why)}") from error
    except ModelError as error:
        raise ModelError(f"{path}: {error}") from error
