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
from perform.parameters import SIZES, Parameter, ParameterError, did_you_mean, name_hint
from perform.paths import found, run_model
from perform.scenes.controls import Setting, UnitSettings
from perform.scenes.layers import LAYER_PARAMETERS
from perform.scenes.scene import LIVE, Catalogue, Footage, Layer, Role, Scene, Transition

Found = TypeVar("Found")
Table: TypeAlias = dict[str, Any]  # of a TOML file
Declared: TypeAlias = Callable[[str], tuple[Parameter, ...]]  # the parameters of a unit by its name
FOOTAGE: tuple[Footage, ...] = get_args(Footage)
# The keys of what another model may lack.
OF_MODEL = re.compile(r"((layer|overlay)\[\d+\]\.)?(generator\.(?!model$)|direction\[\d+\]\.name$)")


class LayerText(BaseModel, extra="forbid", strict=True):
    """The tables of a layer's source and filters, unchecked within; a preset without [[layer]] has them at
    its top. FIRST_KEYS are the keys of a table that may take its name."""

    FIRST_KEYS: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "generator": ("model", "shader"),
        "source": ("film", "still", "shader"),
        "latent": ("path",),
        "direction": ("name",),
        "filter": ("shader",),
        "transition": ("shader",),
        "layer": ("name",),
    }
    generator: Table | None = None
    source: Table | None = None
    latent: Table = {}
    direction: list[Table] = []
    filter: list[Table] = []


class SceneText(LayerText):
    """The tables of a preset."""

    title: str = Field(min_length=1)
    description: str = ""
    clock: Lead = "auto"
    layer: list[Table] = []
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
    if text.layer or "layer" in given:
        layers = reader.layers(text, given)
    else:
        layers = (reader.layer("", text, given),)
    filters = reader.filters("filter", text.filter)
    transition = reader.transition("transition", text.transition)
    if reader.faults:
        raise SceneError(reader.faults)
    for one in reader.left_out:
        catalogue.leave_out(one)
    return Scene(
        title=text.title,
        layers=layers,
        filters=filters,
        transition=transition,
        description=text.description,
        file=path,
        lead=text.clock,
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

    def layers(self, text: SceneText, given: Collection[str]) -> tuple[Layer, ...]:
        """The layers of a preset with [[layer]], the lowest first."""
        for key in ("generator", "source", "latent", "direction"):
            if key in given:
                self.fault(key, "and layer: a preset with layers has it in one of them, [layer.generator]")
        if not text.layer and not self.faults:
            self.fault("layer", "is empty: a preset with layers has one or more")
        return self.placed_layers("layer", text.layer)

    def placed_layers(self, kind: str, tables: Sequence[Table]) -> tuple[Layer, ...]:
        """The layers in the tables of a list: [[layer]] of a preset, or [[overlay]] of a setlist."""
        found = [self._placed_layer(kind, number, table) for number, table in enumerate(tables)]
        names = [layer.name for layer in found]
        for number, layer in enumerate(found):
            if layer.name in names[:number]:
                self.fault(f"{layer.key}.name", f"= {layer.name!r} is the name of another {kind}, too")
            if layer.matte and (layer.matte not in names or layer.matte == layer.name):
                others = [name for name in names if name != layer.name]
                what = f"= {layer.matte!r}, must be another {kind}{name_hint(layer.matte, others)}"
                self.fault(f"{layer.key}.matte", what)
        return tuple(found)

    def _placed_layer(self, kind: str, number: int, table: Table) -> Layer:
        """One table of the list, counted from 0."""
        key = f"{kind}[{number}]"
        inner = {name: one for name, one in table.items() if name in LayerText.model_fields}
        text, faults = fitted_partly(self._path, inner, LayerText, key)
        self.faults += faults
        layer = self.layer(f"{key}.", text, table)
        name, matte = (self._layer_name(key, table, one) for one in ("name", "matte"))
        others = ("name", "matte", *LayerText.model_fields)
        rest = {setting: one for setting, one in table.items() if setting not in others}
        return replace(
            layer,
            filters=self.filters(f"{key}.filter", text.filter),
            placement=self.settings(key, name, LAYER_PARAMETERS, rest, others),
            name=name or str(number + 1),
            matte=matte,
            key=key,
            prefix=f"/{kind}/{number + 1}",
        )

    def _layer_name(self, key: str, table: Table, name: str) -> str:
        """The name of a layer at a key of its table; empty, with a fault noted, if it is none."""
        value = table.get(name, "")
        if isinstance(value, str):
            return value
        self.fault(f"{key}.{name}", f"= {value!r}, must be the name of a layer")
        return ""

    def layer(self, at: str, text: LayerText, given: Collection[str]) -> Layer:
        """The source of a layer, and how it is played, without its filters. `at` is the beginning of its
        keys, `given` are the tables that it has, right or wrong."""
        table = text.generator or {}
        neural, self._replaced = "model" in table, False
        source = self._layer_source(at, text.generator, text.source, given)
        for key in ("latent", "direction"):
            if getattr(text, key) and not neural:
                self.fault(f"{at}{key}", "needs a generator with a model; nothing else has a latent space")
        if not neural:
            return Layer(source, source_table="generator" if text.source is None else "source")
        return Layer(
            source,
            latent=self.unit(f"{at}latent", {"path": "walk"} | text.latent, "path", self.catalogue.path),
            bends=self.bends(at, source.name, table.get("bend", [])),
            blend=self.blend(at, source.name, table),
            directions=self.directions(at, source, text.direction),
        )

    def filters(self, key: str, tables: Sequence[Table]) -> tuple[UnitSettings, ...]:
        """The filters in the tables of a list."""
        return tuple(self.shader(f"{key}[{i}]", table, "filter") for i, table in enumerate(tables))

    def _layer_source(
        self, at: str, generator: Table | None, source: Table | None, given: Collection[str]
    ) -> UnitSettings:
        """A layer's source: its [generator] or its [source]. `given` are its tables."""
        what = f"{'an overlay' if at.startswith('overlay') else 'a layer'}" if at else "a scene"
        if generator is not None and source is not None:
            self.fault(f"{at}generator", f"and source: {what} has exactly one of these")
        elif generator is source is None and not {"generator", "source"} & {*given}:
            self.fault(f"{at}source", f"is missing: {what} has a [generator] or a [source]")
        if (generator is None) == (source is None):
            return UnitSettings("", (), {})
        if source is not None:
            return self.source(f"{at}source", source)
        table = generator or {}
        if "model" not in table:
            return self.shader(f"{at}generator", table, "generator")
        if "shader" in table:
            self.fault(f"{at}generator", "has model and shader: a generator has one of these")
            table = {key: value for key, value in table.items() if key != "shader"}
        self._replaced = self.catalogue.replaced(str(table["model"]))
        table = self._resolve_files(table, "model", "kept")
        inside = {key: value for key, value in table.items() if key not in ("bend", "blend")}
        return self._with_kept(at, self.unit(f"{at}generator", inside, "model", self.catalogue.generator))

    def _with_kept(self, at: str, source: UnitSettings) -> UnitSettings:
        """A model whose file of kept latents, if it has one, is checked."""
        kept, key = source.values.get("kept"), f"{at}generator.kept"
        if isinstance(kept, str) and kept:
            self._known(key, kept, partial(self.catalogue.latents, source.name))
            if self._leaves_out(key):
                return replace(source, values={**source.values, "kept": ""})
        return source

    def source(self, key: str, table: Table) -> UnitSettings:
        """A film, a still, a camera, another program or a generator shader, whichever the table names."""
        kinds = [kind for kind in FOOTAGE if kind in table]
        if len(kinds) + ("shader" in table) != 1:
            self.fault(key, _kind_fault(table))
            return UnitSettings("", (), {})
        if not kinds:
            return self.shader(key, table, "generator")
        kind = kinds[0]
        images = ("fallback",) if kind in LIVE else ()
        table = self._resolve_files(table, "film", "still", "file", "font")
        source = self.unit(key, table, kind, partial(self.catalogue.footage, kind), images)
        files = {one: source.values.get(one) for one in ("font", "file")} if kind == "text" else {}
        for setting, file in files.items():
            if isinstance(file, str) and file:
                self._known(f"{key}.{setting}", file, partial(self.catalogue.check_text, setting))
        return source

    def shader(self, key: str, table: Table, role: Role, named: str = "shader") -> UnitSettings:
        """A shader, with the sources that are played into the images that it takes; its name is at the key
        `named`."""
        images: Sequence[str] = ()
        with suppress(LookupError, ValueError, OSError):  # the fault is noted with its parameters
            images = self.catalogue.images(str(table.get(named)), role)
        found = self.unit(key, table, named, lambda name: self.catalogue.shader(name, role), images)
        return replace(found, kind="shader")

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
            allowed = "model or shader" if key.endswith("generator") else kind
            if kind in table:
                self.fault(f"{key}.{kind}", f"= {name!r}, must be text")
            else:
                self.fault(key, f"has no {allowed}")
            if kind not in (*LIVE, "text"):
                return UnitSettings("", (), {}, kind, fed)
            name = ""  # whatever it is, the rest of the table is the same
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

    def bends(self, at: str, model: str, tables: object) -> tuple[UnitSettings, ...]:
        """The operations on the activations of a model's layers."""
        key = f"{at}generator.bend"
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            self.fault(key, must_be_table(key, tables, ("operation",), several=True))
            return ()
        declared = partial(self.catalogue.bend, model)
        found = [self.unit(f"{key}[{i}]", table, "operation", declared) for i, table in enumerate(tables)]
        return () if self._leaves_out(key) else tuple(found)

    def blend(self, at: str, model: str, generator: Table) -> UnitSettings | None:
        """The second model that a model is mixed with."""
        table, key = generator.get("blend"), f"{at}generator.blend"
        if table is None:
            return None
        if not isinstance(table, dict):
            self.fault(key, must_be_table(key, table, ("model",)))
            return None
        declared = partial(self.catalogue.blend, model)
        found = self.unit(key, self._resolve_files(table, "model"), "model", declared)
        self._check_order(key, found)
        return None if self._leaves_out(key) else found

    def _check_order(self, key: str, blend: UnitSettings) -> None:
        """Note a fault of a blend whose first layer comes after its last."""
        layers = next((one.choices for one in blend.parameters if one.name == "from"), ())
        first, last = (blend.with_defaults.get(end) for end in ("from", "to"))
        if first in layers and last in layers and layers.index(first) > layers.index(last):
            self.fault(f"{key}.from", f"= {first!r} comes after to = {last!r}, must come before")

    def directions(self, at: str, source: UnitSettings, tables: list[Table]) -> tuple[UnitSettings, ...]:
        """The directions that are played after the path; one that is left out has no parameters."""
        if not source.parameters:  # there is no such model; the fault is noted already
            return ()
        declared = partial(self.catalogue.direction, source.name)
        return tuple(
            self.unit(f"{at}direction[{i}]", table, "name", declared) for i, table in enumerate(tables)
        )

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


def _kind_fault(table: Table) -> str:
    """What is wrong with a source that names no kind, or several."""
    kinds = (*FOOTAGE, "shader")
    if several := [kind for kind in kinds if kind in table]:
        return f"has {' and '.join(several)}: a source has one of these"
    hints = (did_you_mean(name, kinds, 1) for name in table)
    return f"must have one of {', '.join(kinds)}{next((f'; {hint}' for hint in hints if hint), '')}"


def _setting(parameter: Parameter, text: object, vocabulary: formula.Vocabulary) -> Setting:
    """A constant, a formula, or for points and colours a tuple of both."""
    if isinstance(text, str) and parameter.playable:
        if parameter.kind in ("point", "color"):
            count = SIZES[parameter.kind]
            raise ParameterError(
                f"{parameter.name} = {text!r}, must be a list of {count} numbers or formulas"
            )
        return formula.compile(text, vocabulary)
    if parameter.kind in SIZES and isinstance(text, list) and any(isinstance(item, str) for item in text):
        stand_in = parameter.low or 0.0
        parameter.check([stand_in if isinstance(item, str) else item for item in text])
        return tuple(
            formula.compile(item, vocabulary) if isinstance(item, str) else float(item) for item in text
        )
    return parameter.check(text)
