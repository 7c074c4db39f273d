"""Scenes: presets, checked.

A scene has layers, filters over all of them, and a transition that brings it in. A layer has one source (a
generator with the path that plays it, a shader, a camera, a film or a still) and filters of its own. Every
parameter is a number or a formula.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from perform import formula
from perform.clock import Lead
from perform.parameters import Parameter
from perform.scenes.controls import UnitSettings

Role: TypeAlias = Literal["generator", "filter", "transition"]
PROGRAMME = "programme"  # the kind of a source that is the image of the scenes
Footage: TypeAlias = Literal["film", "still", "camera", "ndi", "spout", "syphon", "text", "feedback"]
SHARED = ("ndi", "spout", "syphon")  # pictures of other programs
LIVE = ("camera", *SHARED)  # what may not be there: it has a fallback


class Catalogue(Protocol):
    """Everything that can be played: the declared parameters of units by name. An unknown name raises
    LookupError, with the nearest names."""

    @property
    def vocabulary(self) -> formula.Vocabulary:
        """The signals that formulas may name."""
        ...

    def shader(self, name: str, role: Role) -> tuple[Parameter, ...]:
        """The parameters of a shader in a role."""
        ...

    def images(self, name: str, role: Role) -> tuple[str, ...]:
        """The further images that a shader in a role takes: a source may be played into each."""
        ...

    def footage(self, kind: Footage, name: str) -> tuple[Parameter, ...]:
        """The parameters of a film or a still in a file, of a camera, of another program's picture, or of the
        feedback of `name`."""
        ...

    def check_text(self, setting: str, file: str) -> None:
        """Raise what is wrong with the `font`, or the `file`, of a text."""
        ...

    def generator(self, model: str) -> tuple[Parameter, ...]:
        """The parameters of a trained generator."""
        ...

    def replaced(self, model: str) -> bool:
        """Whether another model plays where a preset names this one."""
        ...

    def leave_out(self, fault: str) -> None:
        """Say what a preset has that the model in place of its own cannot play."""
        ...

    def signal_faults(self, file: Path, signals: Iterable[str]) -> list[str]:
        """What is wrong with the signals of a file: one whose mapping, feed or control is not there."""
        ...

    def path(self, name: str) -> tuple[Parameter, ...]:
        """The parameters of a path through a latent space."""
        ...

    def bend(self, model: str, operation: str) -> tuple[Parameter, ...]:
        """The parameters of an operation on the activations of a trained generator's layers."""
        ...

    def blend(self, model: str, other: str) -> tuple[Parameter, ...]:
        """The parameters of a blend of a trained generator with another."""
        ...

    def direction(self, model: str, name: str) -> tuple[Parameter, ...]:
        """The parameters of a direction of a trained generator's space."""
        ...

    def latents(self, model: str, name: str) -> object:
        """The latents of a trained generator in a file."""
        ...


@dataclass(frozen=True, slots=True)
class Transition:
    """The way into a scene: in `beats` (or `seconds`, if they are not None), by a shader, or (`morph`)
    through the latent space that it shares with the scene before."""

    beats: float
    shader: UnitSettings
    morph: bool = False
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Layer:
    """A source (a model with a latent path, a shader, a film, a still or a camera), the filters of it alone,
    and its `placement` over the layers below. The only layer of a preset without [[layer]] has none: it is
    the scene's image as it is."""

    source: UnitSettings
    latent: UnitSettings | None = None
    bends: tuple[UnitSettings, ...] = ()
    blend: UnitSettings | None = None  # the second model that its model is mixed with
    directions: tuple[UnitSettings, ...] = ()
    filters: tuple[UnitSettings, ...] = ()
    placement: UnitSettings | None = None
    name: str = ""
    matte: str = ""  # the name of the layer through whose image it is seen
    key: str = ""  # of its table, such as `layer[1]`; that of the only layer is the whole preset
    prefix: str = ""  # of its addresses, such as `/layer/2`
    source_table: str = "generator"  # the table of its source in the preset: generator, or source

    def inner(self, table: str) -> str:
        """The key of a table within the layer's own."""
        return f"{self.key}.{table}" if self.key else table

    @property
    def model(self) -> str | None:
        """The name of the trained generator, None where another source draws."""
        return self.source.name if self.latent else None

    @property
    def settings(self) -> tuple[UnitSettings, ...]:
        """Those of all that it is made of."""
        one = [self.placement, self.source, self.latent, self.blend]
        return (*filter(None, one), *self.directions, *self.bends, *self.filters)


@dataclass(frozen=True, slots=True)
class Scene:
    """A preset, checked: its layers from the lowest up, the filters over all of them, and its transition."""

    title: str
    layers: tuple[Layer, ...]
    filters: tuple[UnitSettings, ...]
    transition: Transition
    description: str = ""
    file: Path = field(default_factory=Path)
    lead: Lead = "auto"  # leads the beat when the scene is played alone
    prefix: str = ""  # of the addresses of its filters

    @property
    def models(self) -> tuple[str, ...]:
        """The names of its trained generators."""
        return tuple(layer.model for layer in self.layers if layer.model)

    @property
    def signal_names(self) -> frozenset[str]:
        """The signals that its formulas name."""
        units = [unit for layer in self.layers for unit in layer.settings]
        units += [*self.filters, self.transition.shader]
        return frozenset().union(*(unit.signal_names for unit in units))
