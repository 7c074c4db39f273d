"""Scenes: presets as text, checked when they are loaded.

A scene has one source (a generator with the path that plays it, a shader, a camera, a film or a
still), filters, and the way it is entered; every parameter is a number or a formula. `read` finds every
fault of a file in one run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, TypeVar, get_args

from pydantic import BaseModel, ConfigDict, Field

from perform import formula
from perform.clock import Lead
from perform.documents import SceneError, near, parse
from perform.parameters import SIZES, Parameter, ParameterError
from perform.scenes.controls import UnitSettings

Role: TypeAlias = Literal["generator", "filter", "transition"]
Footage: TypeAlias = Literal["film", "still", "camera"]
Model = TypeVar("Model", bound=BaseModel)
Found = TypeVar("Found")
Table: TypeAlias = dict[str, Any]  # of a TOML file
SOURCES = (*get_args(Footage), "shader")  # what may stand in [source], and in a table for an image


class Catalogue(Protocol):
    """What there is to play: the declared parameters of units by name. A name that is not there
    raises LookupError, with the nearest ones."""

    @property
    def vocabulary(self) -> formula.Vocabulary:
        """The signals that formulas may name."""
        ...

    def shader(self, name: str, role: Role) -> tuple[Parameter, ...]:
        """The parameters of a shader that plays `role`."""
        ...

    def images(self, name: str, role: Role) -> tuple[str, ...]:
        """The images that a shader takes beside those of its role: a source may be played into each."""
        ...

    def footage(self, kind: Footage, name: str) -> tuple[Parameter, ...]:
        """The parameters of a film or a still in a file, or of a camera."""
        ...

    def generator(self, model: str) -> tuple[Parameter, ...]:
        """The parameters of a trained generator."""
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
    """How a scene is entered: in `beats`, by a shader's transition, or (`morph`) through the latent
    space that it shares with the scene before."""

    beats: float
    shader: UnitSettings
    morph: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """A preset, checked: its source (a model with a latent path, a shader, a film, a still or a camera),
    its filters and its transition."""

    title: str
    source: UnitSettings
    latent: UnitSettings | None
    filters: tuple[UnitSettings, ...]
    transition: Transition
    description: str = ""
    file: Path = field(default_factory=Path)
    bends: tuple[UnitSettings, ...] = ()
    blend: UnitSettings | None = None
    directions: tuple[UnitSettings, ...] = ()
    clock: Lead = "auto"  # who leads its beat when it is played alone

    @property
    def model(self) -> str | None:
        """The name of the trained generator, None where a shader is the source."""
        return self.source.name if self.latent else None

    @property
    def signal_names(self) -> frozenset[str]:
        """The signals that its formulas name."""
        one = [unit for unit in (self.source, self.latent, self.blend, self.transition.shader) if unit]
        return frozenset().union(
            *(unit.signal_names for unit in (*one, *self.filters, *self.bends, *self.directions))
        )


class _SceneText(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    title: str = Field(min_length=1)
    description: str = ""
    clock: Lead = "auto"
    generator: Table | None = None
    source: Table | None = None
    latent: Table = {}
    direction: list[Table] = []
    filter: list[Table] = []
    transition: Table = {}


def read(path: Path, catalogue: Catalogue) -> Scene:
    """The scene in a preset file. Raises SceneError with every fault, OSError when it cannot be read."""
    return check(parse(path, _SceneText), catalogue, path)


def check(text: _SceneText, catalogue: Catalogue, path: Path) -> Scene:
    """The scene that a text describes, or SceneError with every fault."""
    reader = Reader(path, catalogue.vocabulary)
    table = text.generator or {}
    neural = "model" in table
    source = reader.first(text.generator, text.source, catalogue)
    bends = reader.bends(source.name, table.get("bend", []), catalogue) if neural else ()
    blend = reader.blend(source.name, table, catalogue) if neural else None
    latent = reader.unit("latent", {"path": "walk"} | text.latent, "path", catalogue.path) if neural else None
    for key in ("latent", "direction"):
        if getattr(text, key) and not neural:
            reader.fault(key, "needs a generator with a model; nothing else has a latent space")
    directions = reader.beyond(source, text.direction, catalogue) if neural else ()
    filters = tuple(
        reader.shader(f"filter[{i}]", table, "filter", catalogue) for i, table in enumerate(text.filter)
    )
    transition = reader.transition("transition", text.transition, catalogue)
    reader.finish()
    return Scene(
        title=text.title,
        source=source,
        latent=latent,
        filters=filters,
        transition=transition,
        description=text.description,
        file=path,
        bends=bends,
        blend=blend,
        directions=directions,
        clock=text.clock,
    )


def _beside(preset: Path, table: Table, *keys: str) -> dict[str, Any]:
    """A table in which files that lie beside the preset are named so that they are found."""
    named = {key: name for key in keys if isinstance(name := table.get(key), str) and name}
    return {**table} | {key: str(f) for key, name in named.items() if (f := preset.parent / name).is_file()}


class Reader:
    """Reads the tables of one file and gathers their faults."""

    def __init__(self, path: Path, vocabulary: formula.Vocabulary) -> None:
        """`vocabulary` is what its formulas may name."""
        self._path, self._vocabulary = path, vocabulary
        self._faults: list[str] = []

    def fault(self, key: str, what: str) -> None:
        """Note a fault: `presets/moth.toml: filter[1].amount = 1.7, must be 0..1`."""
        self._faults.append(f"{self._path}: {key} {what}".rstrip())

    def finish(self) -> None:
        """Raise SceneError if there was any fault."""
        if self._faults:
            raise SceneError(self._faults)

    def first(self, generator: Table | None, source: Table | None, catalogue: Catalogue) -> UnitSettings:
        """The scene's source: its [generator], or what else its [source] is."""
        if (generator is None) == (source is None):
            self.fault("generator", "or source: a scene has one of these tables")
            return UnitSettings("", (), {})
        if source is not None:
            return self.source("source", source, catalogue)
        table = generator or {}
        if "model" not in table:
            return self.shader("generator", table, "generator", catalogue)
        table = _beside(self._path, table, "model", "kept")
        inside = {key: value for key, value in table.items() if key not in ("bend", "blend")}
        return self.unit("generator", inside, "model", catalogue.generator)

    def source(self, key: str, table: Table, catalogue: Catalogue) -> UnitSettings:
        """A film, a still, a camera or a generator shader, whichever the table names."""
        kinds = [kind for kind in SOURCES if kind in table]
        if len(kinds) != 1:
            self.fault(key, f"must have one of {', '.join(SOURCES)}: it names what to play")
            return UnitSettings("", (), {})
        if kinds == ["shader"]:
            return self.shader(key, table, "generator", catalogue)
        kind: Any = kinds[0]
        images = ("fallback",) if kind == "camera" else ()
        table = _beside(self._path, table, "film", "still")
        return self._fed(key, table, kind, partial(catalogue.footage, kind), images, catalogue)

    def shader(self, key: str, table: Table, role: Role, catalogue: Catalogue) -> UnitSettings:
        """A shader, with the sources that are played into the images that it takes."""

        def declared(name: str) -> tuple[Parameter, ...]:
            return catalogue.shader(name, role)

        images: Sequence[str] = ()
        if any(isinstance(one, dict) for one in table.values()):
            with suppress(LookupError, ValueError, OSError):  # said when its parameters are asked for
                images = catalogue.images(str(table.get("shader")), role)
        return self._fed(key, table, "shader", declared, images, catalogue)

    def _fed(
        self,
        key: str,
        table: Table,
        kind: str,
        declared: Callable[[str], tuple[Parameter, ...]],
        images: Sequence[str],
        catalogue: Catalogue,
    ) -> UnitSettings:
        """The settings of a unit into which sources are played, each from a table of its own."""
        tables = {name: one for name in images if isinstance(one := table.get(name), dict)}
        rest = {name: value for name, value in table.items() if name not in tables}
        fed = {name: self.source(f"{key}.{name}", one, catalogue) for name, one in tables.items()}
        return replace(self.unit(key, rest, kind, declared), images=fed)

    def unit(
        self,
        key: str,
        table: Table,
        kind: str,
        declared: Callable[[str], tuple[Parameter, ...]],
    ) -> UnitSettings:
        """The settings of the unit that `table[kind]` names."""
        name = table.get(kind)
        if not isinstance(name, str):
            allowed = "model or shader" if key == "generator" else kind
            self.fault(key, f"has no {allowed}: it names what to play")
            return UnitSettings("", (), {}, kind)
        parameters = self._known(f"{key}.{kind}", name, declared)
        if parameters is None:
            return UnitSettings(name, (), {}, kind)
        set_to = self.settings(key, name, parameters, {k: v for k, v in table.items() if k != kind})
        return replace(set_to, kind=kind)

    def settings(self, key: str, name: str, parameters: tuple[Parameter, ...], table: Table) -> UnitSettings:
        """What a table sets the parameters to, each checked against its declaration."""
        known = {parameter.name: parameter for parameter in parameters}
        values = {}
        for setting, text in table.items():
            if setting not in known:
                self.fault(f"{key}.{setting}", f"is unknown{near(setting, known)}")
                continue
            try:
                values[setting] = _setting(known[setting], text, self._vocabulary)
            except ParameterError as error:
                self.fault(f"{key}.{error}", "")
            except formula.FormulaError as error:
                self.fault(f"{key}.{setting}", f"= {text!r}: {error}")
        return UnitSettings(name, parameters, values)

    def bends(self, model: str, tables: Any, catalogue: Catalogue) -> tuple[UnitSettings, ...]:
        """What is done to the activations of a model's layers."""
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.fault("generator.bend", "must be tables, each headed [[generator.bend]]")
            return ()
        return tuple(
            self.unit(f"generator.bend[{i}]", table, "operation", lambda name: catalogue.bend(model, name))
            for i, table in enumerate(tables)
        )

    def blend(self, model: str, generator: Table, catalogue: Catalogue) -> UnitSettings | None:
        """The second model that a model is mixed with."""
        table = generator.get("blend")
        if table is None or isinstance(table, dict):
            key, declared = "generator.blend", partial(catalogue.blend, model)
            if table is None:
                return None
            return self.unit(key, _beside(self._path, table, "model"), "model", declared)
        self.fault("generator.blend", "must be a table, headed [generator.blend]")
        return None

    def beyond(
        self, source: UnitSettings, tables: list[Table], catalogue: Catalogue
    ) -> tuple[UnitSettings, ...]:
        """What of a model's space is played beside the path: directions, and latents that are kept."""
        kept = source.values.get("kept")
        if kept:
            self._known("generator.kept", kept, partial(catalogue.latents, source.name))
        if not source.parameters:  # there is no such model, which is said already
            return ()
        declared = partial(catalogue.direction, source.name)
        return tuple(self.unit(f"direction[{i}]", table, "name", declared) for i, table in enumerate(tables))

    def _known(self, key: str, name: str, find: Callable[[str], Found]) -> Found | None:
        """What `find` finds of that name; None, and a fault, when it does not."""
        try:
            return find(name)
        except (LookupError, ValueError, OSError) as error:
            self.fault(key, f"= {name!r}: {error.args[0] if error.args else error}")
            return None

    def transition(self, key: str, table: Table, catalogue: Catalogue) -> Transition:
        """How a scene is entered; without a table in four beats, by the shader `dissolve`."""
        rest = {"shader": "dissolve", **table}
        beats, path = rest.pop("beats", 4), rest.pop("path", None)
        if isinstance(beats, bool) or not isinstance(beats, int | float) or not 0 <= beats <= 256:
            self.fault(f"{key}.beats", f"= {beats!r}, must be a number 0..256")
            beats = 4
        if path not in (None, "morph"):
            self.fault(f"{key}.path", f"= {path!r}, must be 'morph'")
        shader = self.unit(key, rest, "shader", lambda name: catalogue.shader(name, "transition"))
        return Transition(float(beats), shader, path == "morph")


def _setting(parameter: Parameter, text: Any, vocabulary: formula.Vocabulary) -> Any:
    """A constant, a formula, or for points and colours a tuple of both."""
    if isinstance(text, str) and parameter.playable:
        if parameter.kind in ("point", "color"):
            raise ParameterError(f"{parameter.name} = {text!r}, must be a list, each a number or a formula")
        return formula.compile(text, vocabulary)
    if parameter.kind in SIZES and isinstance(text, list) and any(isinstance(item, str) for item in text):
        stand_in = parameter.low or 0.0
        parameter.check([stand_in if isinstance(item, str) else item for item in text])
        return tuple(
            formula.compile(item, vocabulary) if isinstance(item, str) else float(item) for item in text
        )
    return parameter.check(text)
