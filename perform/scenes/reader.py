"""Reads scenes from presets: every parameter is checked against its declaration.

A reader finds every fault of a file in one run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeAlias, TypeVar, get_args

from pydantic import BaseModel, Field

from perform import formula
from perform.clock import Lead
from perform.documents import SceneError, document, fitted_partly, must_be_table
from perform.faults import reason
from perform.parameters import SIZES, Parameter, ParameterError, name_hint
from perform.paths import found, run_model
from perform.scenes.controls import Setting, UnitSettings
from perform.scenes.scene import Catalogue, Footage, Role, Scene, Transition

Found = TypeVar("Found")
Table: TypeAlias = dict[str, Any]  # of a TOML file
Declared: TypeAlias = Callable[[str], tuple[Parameter, ...]]  # the parameters of a unit by its name
FOOTAGE: tuple[Footage, ...] = get_args(Footage)
OF_MODEL = re.compile(r"generator\.(?!model$)|direction\[\d+\]\.name$")  # keys of what another model may lack


class SceneText(BaseModel, extra="forbid", strict=True):
    """The tables of a preset, unchecked within. FIRST_KEYS are the keys of a table that may take its name."""

    FIRST_KEYS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "generator": ("model", "shader"),
        "source": ("film", "still", "shader"),
        "latent": ("path",),
        "direction": ("name",),
        "filter": ("shader",),
        "transition": ("shader",),
    }
    title: str = Field(min_length=1)
    description: str = ""
    clock: Lead = "auto"
    generator: Table | None = None
    source: Table | None = None
    latent: Table = {}
    direction: list[Table] = []
    filter: list[Table] = []
    transition: Table = {}


def read_scene(path: Path, catalogue: Catalogue) -> Scene:
    """The scene in a preset file. Raises SceneError with every fault, OSError when it cannot be read."""
    table = document(path)
    text, faults = fitted_partly(path, table, SceneText)
    return check_scene(text, catalogue, path, faults, given=table.keys())


def check_scene(
    text: SceneText,
    catalogue: Catalogue,
    path: Path,
    faults: Sequence[str] = (),
    given: Collection[str] = (),
) -> Scene:
    """The scene that a text describes. Raises SceneError with every fault, those that are known already
    first; `given` are the tables that the file has, right or wrong."""
    reader = Reader(path, catalogue, faults)
    table = text.generator or {}
    neural = "model" in table
    source = reader.scene_source(text.generator, text.source, given)
    bends = reader.bends(source.name, table.get("bend", [])) if neural else ()
    blend = reader.blend(source.name, table) if neural else None
    latent = reader.unit("latent", {"path": "walk"} | text.latent, "path", catalogue.path) if neural else None
    for key in ("latent", "direction"):
        if getattr(text, key) and not neural:
            reader.fault(key, "needs a generator with a model; nothing else has a latent space")
    directions = reader.directions(source, text.direction) if neural else ()
    filters = tuple(reader.shader(f"filter[{i}]", table, "filter") for i, table in enumerate(text.filter))
    transition = reader.transition("transition", text.transition)
    if reader.faults:
        raise SceneError(reader.faults)
    for one in reader.left_out:
        catalogue.leave_out(one)
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
        lead=text.clock,
        source_table="generator" if text.source is None else "source",
    )


class Reader:
    """Reads the tables of one file and gathers their faults. If another model plays than the one that the
    file names, what that model cannot play is no fault, but left out."""

    def __init__(self, path: Path, catalogue: Catalogue, faults: Sequence[str] = ()) -> None:
        self.faults = [*faults]
        self.left_out: list[str] = []
        self._replaced = False
        self._path = path
        self.catalogue = catalogue

    def fault(self, key: str, what: str) -> None:
        """Note a fault: `presets/moth.toml: filter[1].amount = 1.7, must be 0..1`. A key has one at most."""
        noted = self.left_out if self._replaced and OF_MODEL.match(key) else self.faults
        if not any(one.startswith(f"{self._path}: {key} ") for one in noted):
            noted.append(f"{self._path}: {key} {what}".rstrip())

    def _leaves_out(self, key: str) -> bool:
        """Whether something whose key begins so is left out."""
        return any(one.startswith(f"{self._path}: {key}") for one in self.left_out)

    def scene_source(
        self, generator: Table | None, source: Table | None, given: Collection[str]
    ) -> UnitSettings:
        """The scene's source: its [generator] or its [source]. `given` are the file's tables."""
        if generator is not None and source is not None:
            self.fault("generator", "and source: a scene has exactly one of these")
        elif generator is source is None and not {"generator", "source"} & {*given}:
            self.fault("source", "is missing: a scene has a [generator] or a [source]")
        if (generator is None) == (source is None):
            return UnitSettings("", (), {})
        if source is not None:
            return self.source("source", source)
        table = generator or {}
        if "model" not in table:
            return self.shader("generator", table, "generator")
        if "shader" in table:
            self.fault("generator", "has model and shader: a generator has one of these")
            table = {key: value for key, value in table.items() if key != "shader"}
        self._replaced = self.catalogue.replaced(str(table["model"]))
        table = self._resolve_files(table, "model", "kept")
        inside = {key: value for key, value in table.items() if key not in ("bend", "blend")}
        return self._with_kept(self.unit("generator", inside, "model", self.catalogue.generator))

    def _with_kept(self, source: UnitSettings) -> UnitSettings:
        """A model whose file of kept latents, if it has one, is checked."""
        kept = source.values.get("kept")
        if isinstance(kept, str) and kept:
            self._known("generator.kept", kept, partial(self.catalogue.latents, source.name))
            if self._leaves_out("generator.kept"):
                return replace(source, values={**source.values, "kept": ""})
        return source

    def source(self, key: str, table: Table) -> UnitSettings:
        """A film, a still, a camera or a generator shader, whichever the table names."""
        kinds = [kind for kind in FOOTAGE if kind in table]
        if len(kinds) + ("shader" in table) != 1:
            self.fault(key, f"must have one of {', '.join(FOOTAGE)}, shader")
            return UnitSettings("", (), {})
        if not kinds:
            return self.shader(key, table, "generator")
        kind = kinds[0]
        images = ("fallback",) if kind == "camera" else ()
        table = self._resolve_files(table, "film", "still")
        return self.unit(key, table, kind, partial(self.catalogue.footage, kind), images)

    def shader(self, key: str, table: Table, role: Role) -> UnitSettings:
        """A shader, with the sources that are played into the images that it takes."""
        images: Sequence[str] = ()
        with suppress(LookupError, ValueError, OSError):  # the fault is noted with its parameters
            images = self.catalogue.images(str(table.get("shader")), role)
        return self.unit(key, table, "shader", lambda name: self.catalogue.shader(name, role), images)

    def unit(
        self, key: str, table: Table, kind: str, declared: Declared, images: Sequence[str] = ()
    ) -> UnitSettings:
        """The settings of the unit that `table[kind]` names, with the sources that are played into its
        `images`, each from a table of its own."""
        tables = {name: one for name in images if isinstance(one := table.get(name), dict)}
        others = [image for image in images if image in table and image not in tables]
        for image in others:
            inner = f"{key}.{image}"
            self.fault(inner, must_be_table(inner, table[image], ("film", "still", "shader")))
        fed = {name: self.source(f"{key}.{name}", one) for name, one in tables.items()}
        name = table.get(kind)
        if not isinstance(name, str):
            allowed = "model or shader" if key == "generator" else kind
            self.fault(key, f"has no {allowed}")
            return UnitSettings("", (), {}, kind, fed)
        parameters = self._known(f"{key}.{kind}", name, declared)
        if parameters is None:
            return UnitSettings(name, (), {}, kind, fed)
        rest = {setting: value for setting, value in table.items() if setting not in (kind, *tables, *others)}
        return replace(self.settings(key, name, parameters, rest, images), kind=kind, images=fed)

    def settings(
        self,
        key: str,
        name: str,
        parameters: tuple[Parameter, ...],
        table: Table,
        images: Sequence[str] = (),
    ) -> UnitSettings:
        """The settings in a table, each checked against the declaration of its parameter; the names of
        `images` are allowed, too."""
        known = {parameter.name: parameter for parameter in parameters}
        values = {}
        for setting, text in table.items():
            if setting not in known:
                self.fault(f"{key}.{setting}", f"is unknown{name_hint(setting, [*known, *images])}")
                continue
            try:
                values[setting] = _setting(known[setting], text, self.catalogue.vocabulary)
            except ParameterError as error:
                self.fault(f"{key}.{error}", "")
            except formula.FormulaError as error:
                self.fault(f"{key}.{setting}", f"= {text!r}: {error}")
        return UnitSettings(name, parameters, values)

    def bends(self, model: str, tables: object) -> tuple[UnitSettings, ...]:
        """The operations on the activations of a model's layers."""
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.fault(
                "generator.bend", must_be_table("generator.bend", tables, ("operation",), several=True)
            )
            return ()
        declared = partial(self.catalogue.bend, model)
        found = [
            self.unit(f"generator.bend[{i}]", table, "operation", declared) for i, table in enumerate(tables)
        ]
        return () if self._leaves_out("generator.bend") else tuple(found)

    def blend(self, model: str, generator: Table) -> UnitSettings | None:
        """The second model that a model is mixed with."""
        table = generator.get("blend")
        if table is None:
            return None
        if not isinstance(table, dict):
            self.fault("generator.blend", must_be_table("generator.blend", table, ("model",)))
            return None
        declared = partial(self.catalogue.blend, model)
        found = self.unit("generator.blend", self._resolve_files(table, "model"), "model", declared)
        self._check_order(found)
        return None if self._leaves_out("generator.blend") else found

    def _check_order(self, blend: UnitSettings) -> None:
        """Note a fault of a blend whose first layer comes after its last."""
        layers = next((one.choices for one in blend.parameters if one.name == "from"), ())
        first, last = (blend.with_defaults.get(end) for end in ("from", "to"))
        if first in layers and last in layers and layers.index(first) > layers.index(last):
            self.fault("generator.blend.from", f"= {first!r} comes after to = {last!r}, must come before")

    def directions(self, source: UnitSettings, tables: list[Table]) -> tuple[UnitSettings, ...]:
        """The directions that are played after the path; one that is left out has no parameters."""
        if not source.parameters:  # there is no such model; the fault is noted already
            return ()
        declared = partial(self.catalogue.direction, source.name)
        return tuple(self.unit(f"direction[{i}]", table, "name", declared) for i, table in enumerate(tables))

    def _known(self, key: str, name: str, find: Callable[[str], Found]) -> Found | None:
        """The result of `find` for a name; None, with a fault noted, if it fails."""
        try:
            return find(name)
        except (LookupError, ValueError, OSError) as error:
            self.fault(key, f"= {name!r}: {reason(error)}")
            return None

    def transition(self, key: str, table: Table) -> Transition:
        """The transition of a table; an empty one is four beats of the shader `dissolve`."""
        rest = {"shader": "dissolve", **table}
        path, seconds = rest.pop("path", None), None
        if "seconds" in rest:
            seconds = self._number(f"{key}.seconds", rest.pop("seconds"), 600)
            if "beats" in rest:
                self.fault(f"{key}.seconds", "and beats are given: a transition has one of them")
        beats = self._number(f"{key}.beats", rest.pop("beats", 4), 256)
        if path not in (None, "morph"):
            self.fault(f"{key}.path", f"= {path!r}, must be 'morph'")
        shader = self.unit(key, rest, "shader", lambda name: self.catalogue.shader(name, "transition"))
        return Transition(beats, shader, path == "morph", seconds)

    def _number(self, key: str, value: object, most: float) -> float:
        """A length of 0 to `most`; 0, with a fault noted, for anything else."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
            self.fault(key, f"= {value!r}, must be a number 0..{most:g}")
            return 0.0
        return float(value)

    def _resolve_files(self, table: Table, *keys: str) -> Table:
        """The table, with the whole path for a file, or a training run, that lies in the preset's folder."""
        folder = self._path.parent
        named = {key: folder / name for key in keys if isinstance(name := table.get(key), str) and name}
        there = {key: found(at) or (at if run_model(at) else None) for key, at in named.items()}
        return table | {key: str(at) for key, at in there.items() if at}


def _setting(parameter: Parameter, text: object, vocabulary: formula.Vocabulary) -> Setting:
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
