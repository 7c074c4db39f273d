"""Scenes: presets as text, checked when they are loaded.

A scene has one source, the path that plays it, filters, and the way it is entered; every
parameter is a number or a formula. `read` finds every fault of a file in one run.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from perform import formula
from perform.clock import Moment
from perform.parameters import SIZES, Parameter, ParameterError
from perform.signals import Signals

Role: TypeAlias = Literal["generator", "filter", "transition"]
Model = TypeVar("Model", bound=BaseModel)
Found = TypeVar("Found")
Values: TypeAlias = dict[str, Any]


class SceneError(ValueError):
    """A scene or setlist that cannot be played; `faults` has one line for every fault of the file."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


class Catalogue(Protocol):
    """What there is to play: the declared parameters of units by name. A name that is not there
    raises LookupError, with the nearest ones."""

    def shader(self, name: str, role: Role) -> tuple[Parameter, ...]:
        """The parameters of a shader that plays `role`."""
        ...

    def model(self, name: str) -> tuple[Parameter, ...]:
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
class Settings:
    """A unit by name, with what its parameters are set to: constants, formulas, or tuples of both."""

    name: str
    parameters: tuple[Parameter, ...]
    values: Mapping[str, Any]

    @property
    def settled(self) -> dict[str, Any]:
        """Every parameter's value, or the formula that gives it."""
        return {p.name: self.values.get(p.name, p.default) for p in self.parameters}

    @property
    def heard(self) -> frozenset[str]:
        """The signals that its formulas hear."""
        values = self.values.values()
        parts = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
        return frozenset().union(*(part.names for part in parts if isinstance(part, formula.Formula)))

    def start(self) -> Controls:
        """The settings running: formulas with fresh state."""
        return Controls(self)


class Controls:
    """Settings at work: gives a value for every parameter of the unit, frame after frame."""

    def __init__(self, settings: Settings) -> None:
        self._constants = {p.name: settings.values.get(p.name, p.default) for p in settings.parameters}
        self._running = {
            p: _start(self._constants.pop(p.name))
            for p in settings.parameters
            if _moves(self._constants[p.name])
        }
        self._sounds = {
            p.name: str(self._constants.pop(p.name)) for p in settings.parameters if p.kind == "sound"
        }

    def at(self, moment: Moment, signals: Signals) -> Values:
        """The value of every parameter at this moment, within its range."""
        values = dict(self._constants)
        for name, signal in self._sounds.items():
            values[name] = signals.values.get(signal)
        for parameter, run in self._running.items():
            values[parameter.name] = run(parameter, signals, moment)
        return values


@dataclass(frozen=True, slots=True)
class Entrance:
    """How a scene is entered: in `beats`, by a shader's transition, or (`morph`) through the latent
    space that it shares with the scene before."""

    beats: float
    shader: Settings
    morph: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """A preset, checked: its source (a model with a latent path, or a shader), its filters and its
    entrance."""

    title: str
    source: Settings
    latent: Settings | None
    filters: tuple[Settings, ...]
    entrance: Entrance
    description: str = ""
    file: Path = field(default_factory=Path)
    bends: tuple[Settings, ...] = ()
    blend: Settings | None = None
    directions: tuple[Settings, ...] = ()

    @property
    def model(self) -> str | None:
        """The name of the trained generator, None where a shader is the source."""
        return self.source.name if self.latent else None

    @property
    def heard(self) -> frozenset[str]:
        """The signals that its formulas hear."""
        one = [unit for unit in (self.source, self.latent, self.blend, self.entrance.shader) if unit]
        return frozenset().union(
            *(unit.heard for unit in (*one, *self.filters, *self.bends, *self.directions))
        )


class _SceneText(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    title: str = Field(min_length=1)
    description: str = ""
    generator: dict[str, Any]
    latent: dict[str, Any] = {}
    direction: list[dict[str, Any]] = []
    filter: list[dict[str, Any]] = []
    transition: dict[str, Any] = {}


def read(path: Path, catalogue: Catalogue) -> Scene:
    """The scene in a preset file. Raises SceneError with every fault, OSError when it cannot be read."""
    return check(parse(path, _SceneText), catalogue, path)


def document(path: Path) -> dict[str, Any]:
    """A TOML file's tables; SceneError when it is none, OSError when it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SceneError([f"{path}: not valid TOML: {error}"]) from error


def parse(path: Path, model: type[Model]) -> Model:
    """A TOML file in the shape of a pydantic model; SceneError with file, key and what is allowed."""
    try:
        return model.model_validate(document(path))
    except ValidationError as error:
        raise SceneError([f"{path}: {_sentence(e, model)}" for e in error.errors()]) from error


def check(text: _SceneText, catalogue: Catalogue, path: Path) -> Scene:
    """The scene that a text describes, or SceneError with every fault."""
    reader = Reader(path)
    neural = "model" in text.generator
    inside = ("bend", "blend") if neural else ()
    generator = {key: value for key, value in text.generator.items() if key not in inside}
    if neural:
        generator |= {key: _beside(path, generator[key]) for key in ("model", "kept") if key in generator}
    source = (
        reader.unit("generator", generator, "model", catalogue.model)
        if neural
        else reader.unit("generator", generator, "shader", lambda name: catalogue.shader(name, "generator"))
    )
    bends = reader.bends(source.name, text.generator.get("bend", []), catalogue) if neural else ()
    blend = reader.blend(source.name, text.generator, catalogue) if neural else None
    latent = reader.unit("latent", {"path": "walk"} | text.latent, "path", catalogue.path) if neural else None
    for key in ("latent", "direction"):
        if getattr(text, key) and not neural:
            reader.fault(key, "needs a generator with a model; a shader has no latent space")
    directions = reader.beyond(source, text.direction, catalogue) if neural else ()
    filters = tuple(
        reader.unit(f"filter[{i}]", table, "shader", lambda name: catalogue.shader(name, "filter"))
        for i, table in enumerate(text.filter)
    )
    entrance = reader.entrance("transition", text.transition, catalogue)
    reader.finish()
    more = text.description, path, bends, blend, directions
    return Scene(text.title, source, latent, filters, entrance, *more)


def _beside(preset: Path, model: Any) -> Any:
    """The file that a preset names, if it lies beside the preset; else the name as it is."""
    named = isinstance(model, str) and model and (file := preset.parent / model).is_file()
    return str(file) if named else model


class Reader:
    """Reads the tables of one file and gathers their faults."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._faults: list[str] = []

    def fault(self, key: str, what: str) -> None:
        """Note a fault: `presets/moth.toml: filter[1].amount = 1.7, must be 0..1`."""
        self._faults.append(f"{self._path}: {key} {what}".rstrip())

    def finish(self) -> None:
        """Raise SceneError if there was any fault."""
        if self._faults:
            raise SceneError(self._faults)

    def unit(
        self,
        key: str,
        table: Mapping[str, Any],
        kind: str,
        declared: Callable[[str], tuple[Parameter, ...]],
    ) -> Settings:
        """The settings of the unit that `table[kind]` names."""
        name = table.get(kind)
        if not isinstance(name, str):
            allowed = "model or shader" if key == "generator" else kind
            self.fault(key, f"has no {allowed}: it names what to play")
            return Settings("", (), {})
        parameters = self._known(f"{key}.{kind}", name, declared)
        if parameters is None:
            return Settings(name, (), {})
        return self.settings(key, name, parameters, {k: v for k, v in table.items() if k != kind})

    def settings(
        self, key: str, name: str, parameters: tuple[Parameter, ...], table: Mapping[str, Any]
    ) -> Settings:
        """What a table sets the parameters to, each checked against its declaration."""
        known = {parameter.name: parameter for parameter in parameters}
        values = {}
        for setting, text in table.items():
            if setting not in known:
                self.fault(f"{key}.{setting}", f"is unknown{_near(setting, known)}")
                continue
            try:
                values[setting] = _setting(known[setting], text)
            except ParameterError as error:
                self.fault(f"{key}.{error}", "")
            except formula.FormulaError as error:
                self.fault(f"{key}.{setting}", f"= {text!r}: {error}")
        return Settings(name, parameters, values)

    def bends(self, model: str, tables: Any, catalogue: Catalogue) -> tuple[Settings, ...]:
        """What is done to the activations of a model's layers."""
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.fault("generator.bend", "must be tables, each headed [[generator.bend]]")
            return ()
        return tuple(
            self.unit(f"generator.bend[{i}]", table, "operation", lambda name: catalogue.bend(model, name))
            for i, table in enumerate(tables)
        )

    def blend(self, model: str, generator: Mapping[str, Any], catalogue: Catalogue) -> Settings | None:
        """The second model that a model is mixed with."""
        table = generator.get("blend")
        if table is None or isinstance(table, dict):
            key, declared = "generator.blend", partial(catalogue.blend, model)
            if table is None:
                return None
            placed = {**table, "model": _beside(self._path, table.get("model"))}
            return self.unit(key, placed, "model", declared)
        self.fault("generator.blend", "must be a table, headed [generator.blend]")
        return None

    def beyond(
        self, source: Settings, tables: list[dict[str, Any]], catalogue: Catalogue
    ) -> tuple[Settings, ...]:
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

    def entrance(self, key: str, table: Mapping[str, Any], catalogue: Catalogue) -> Entrance:
        """How a scene is entered; without a table in four beats, by the shader `dissolve`."""
        rest = {"shader": "dissolve", **table}
        beats, path = rest.pop("beats", 4), rest.pop("path", None)
        if isinstance(beats, bool) or not isinstance(beats, int | float) or not 0 <= beats <= 256:
            self.fault(f"{key}.beats", f"= {beats!r}, must be a number 0..256")
            beats = 4
        if path not in (None, "morph"):
            self.fault(f"{key}.path", f"= {path!r}, must be 'morph'")
        shader = self.unit(key, rest, "shader", lambda name: catalogue.shader(name, "transition"))
        return Entrance(float(beats), shader, path == "morph")


def _setting(parameter: Parameter, text: Any) -> Any:
    """A constant, a formula, or for points and colours a tuple of both."""
    if isinstance(text, str) and parameter.playable:
        if parameter.kind in ("point", "color"):
            raise ParameterError(f"{parameter.name} = {text!r}, must be a list, each a number or a formula")
        return formula.compile(text)
    if parameter.kind in SIZES and isinstance(text, list) and any(isinstance(item, str) for item in text):
        stand_in = parameter.low or 0.0
        parameter.check([stand_in if isinstance(item, str) else item for item in text])
        return tuple(formula.compile(item) if isinstance(item, str) else float(item) for item in text)
    return parameter.check(text)


def _moves(value: Any) -> bool:
    return isinstance(value, formula.Formula) or (
        isinstance(value, tuple) and any(isinstance(item, formula.Formula) for item in value)
    )


Run: TypeAlias = Callable[[Parameter, Signals, Moment], Any]


def _start(value: Any) -> Run:
    """A formula, or a tuple with formulas in it, running."""
    if isinstance(value, tuple):
        parts = [_start(part) if _moves(part) else _constant(part) for part in value]
        return lambda p, signals, moment: tuple(part(p, signals, moment) for part in parts)
    run = value.start()
    was = False

    def number(parameter: Parameter, signals: Signals, moment: Moment) -> Any:
        nonlocal was
        result = parameter.clip(run(signals, moment))
        match parameter.kind:
            case "int":
                return round(result)
            case "bool":
                return result > 0.5
            case "event":  # a key held down is one event, not one a frame
                before, was = was, result > 0.5
                return was and not before
        return result

    return number


def _constant(value: float) -> Run:
    return lambda _parameter, _signals, _moment: value


def _sentence(error: Any, model: type[BaseModel]) -> str:
    """A fault that pydantic found: key, value and what is allowed."""
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    if error["type"] == "extra_forbidden":
        return f"{key} is unknown{_near(str(error['loc'][-1]), model.model_fields)}"
    if error["type"] == "missing":
        return f"{key} is missing"
    return f"{key} = {error['input']!r}: {error['msg'][:1].lower()}{error['msg'][1:]}"


def _near(word: str, known: Any) -> str:
    near = get_close_matches(word, list(known), 1)
    return f", did you mean {near[0]}?" if near else f"; known: {', '.join(known) or 'none'}"
