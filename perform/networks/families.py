"""The families of networks, found by name. Each is a package in perform/generators with a module `network`.

This room names none of them: a new family is a new package there, and nothing changes here.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import sha256
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from perform.arrays import Floats
from perform.networks import ModelError
from perform.networks.controls import Controls
from perform.networks.weights import NetworkConfig, Weights

Mapper: TypeAlias = Callable[[Floats, Floats | None], Floats]
MeanW: TypeAlias = Callable[[Floats | None], Floats]

PACKAGE = Path(__file__).parent.parent
RACK = "generators"  # the folder with the packages of the families
NAME_LIMIT = 80  # characters of an unknown family's name shown


class Family(Protocol):
    """What the package of a family offers (`perform.generators.stylegan2` …); numpy only.

    `INPUTS` names the inputs of its synthesis after the latent, in order. Its module `network` has
    `synthesis(weights, dtype)`: a torch module, the reference of every faster form, that takes ws [num_ws,
    w_dim] and the inputs and gives the picture [1, channels, height, width] as the network makes it.
    """

    INPUTS: tuple[str, ...]

    @property
    def Config(self) -> type[NetworkConfig]: ...  # noqa: N802 - a class of the package

    def mapping(self, weights: Weights) -> Mapper:
        """From z [n, z_dim] and labels [n or 1, c_dim] (None: the first class) to w [n, w_dim]."""
        ...

    def mean(self, weights: Weights) -> MeanW:
        """From labels [1, c_dim] (None: the first class) to the centre of truncation [w_dim]."""
        ...

    def inputs(self, weights: Weights) -> Callable[[Controls], tuple[Floats, ...]]:
        """From the values of the controls to the inputs: the same array as long as nothing changes."""
        ...


def family(name: str) -> Family:
    """A family by name. ModelError for an unknown name."""
    if name not in family_names():
        raise ModelError(f"family = {name[:NAME_LIMIT]!r}, must be one of {', '.join(family_names())}")
    return cast(Family, import_module(f"perform.{RACK}.{name}"))


def family_names() -> list[str]:
    """All families."""
    return sorted(file.parent.name for file in (PACKAGE / RACK).glob("*/network.py"))


def family_module(name: str, part: str) -> Any:
    """A module of a family (`network`: in torch, `graph`: in OpenVINO). None if it has no such module."""
    full = f"perform.{RACK}.{name}.{part}"
    return import_module(full) if find_spec(full) else None


@lru_cache(maxsize=1)
def code_digest() -> bytes:
    """A digest of all code that makes or reads a network. Caches on disk are valid for one digest."""
    sha = sha256()
    for folder in (Path(__file__).parent, PACKAGE / RACK):
        for file in sorted(folder.rglob("*.py")):
            sha.update(file.read_bytes())
    return sha.digest()
