"""A model: what a name or a file plays, known from its header before its network is opened."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from perform.generators import load, untrained
from perform.latent.controls import LATENT
from perform.latent.space import Space
from perform.networks.headercache import Stamp
from perform.networks.weights import NetworkConfig
from perform.parameters import Parameter

MEMORY_FACTOR = 3.0  # of the tensors' float32 size: the compiled forms, and what opening needs
BASE_MEMORY = 64 * 2**20  # bytes of any model


@dataclass(frozen=True, slots=True)
class Model:
    """A trained generator that can be opened: a built-in, or a file as it was when its header was read.

    `place` is the built-in's name or the file's path, `stamp` changes when the file is saved; two models are
    equal if both are. `name` is the name that was requested, `config` the shape of its network, `notes`
    has title, licence and the like, `memory` is about how many bytes it takes when it is open.
    """

    place: str
    stamp: Stamp
    name: str = field(compare=False)
    config: NetworkConfig = field(compare=False)
    notes: Mapping[str, str] = field(compare=False)
    memory: float = field(compare=False)

    @classmethod
    def read(cls, place: str | Path, name: str = "") -> Model:
        """The model of a built-in's name or of a file of any known project. Raises ModelError.

        Of our own files only the header is read; files of other projects are read whole, as only their
        tensors show what they are, and again only if they change.
        """
        place = untrained.present_name(str(place))
        header = untrained.untrained_header if place in untrained.BUILT_IN else load.load_header
        stamp = stamp_of(place)
        config, notes = header(place)
        values = sum(math.prod(shape) for shape in config.shapes().values())
        memory = BASE_MEMORY + MEMORY_FACTOR * 4 * values
        return cls(place, stamp, name or Path(place).stem, config, notes, memory)

    @property
    def is_current(self) -> bool:
        """Whether its file is still the one that was read."""
        return self.stamp == stamp_of(self.place)

    @property
    def is_built_in(self) -> bool:
        """Whether it needs no file."""
        return self.place in untrained.BUILT_IN

    @property
    def space(self) -> Space:
        """Its latent space."""
        return self.config.space

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of its pictures in pixels."""
        return self.config.size

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Its controls."""
        return LATENT + self.config.parameters

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers that can be bent, coarse to fine."""
        return self.config.bendable

    def __str__(self) -> str:
        return self.place


def stamp_of(place: str) -> Stamp:
    """Changes when the file of a model, or a description next to it, is saved."""
    return () if place in untrained.BUILT_IN else load.file_stamp(Path(place))
