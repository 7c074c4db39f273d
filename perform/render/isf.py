"""The Interactive Shader Format, read without OpenGL: a GLSL fragment shader whose first comment is JSON.

Source of the format: ISF specification, version 2 (mrRay/ISF_Spec), and what version 1 files and
hosts add to it. Unknown keys are ignored, as in other hosts.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Literal, NoReturn, TypeAlias

from perform import paths
from perform.parameters import Constant, Parameter, ParameterError
from perform.render import (
    dialect,
    glsl,
    headers,
    includes,
    inputs_in_code,
    isf_imports,
    isf_inputs,
    isf_passes,
    isf_source,
    sizes,
)
from perform.render.headers import HeaderError, Json
from perform.render.includes import IncludeError
from perform.render.isf_inputs import TYPE_NAMES, TYPES
from perform.render.isf_passes import Pass
from perform.render.isf_source import ISFError as ISFError
from perform.render.isf_source import Source, is_identifier

log = logging.getLogger("perform")
ShaderKind: TypeAlias = Literal["generator", "filter", "transition"]

LEADING = {"filter": ("inputImage",), "transition": ("startImage", "endImage"), "generator": ()}
OTHER_MODES = ("VERTEX_SHADER_ART", "RAW_RASTER_PIPELINE", "COMPUTE_SHADER", "GEOMETRY_FILTER")  # of hosts
FORMAT_KEYS = {  # of the format, and WRAP
    "": "ISFVSN VSN DESCRIPTION CREDIT CATEGORIES INPUTS PASSES IMPORTED PERSISTENT_BUFFERS",
    "INPUTS": "NAME TYPE LABEL DEFAULT MIN MAX IDENTITY VALUES LABELS WRAP",
    "PASSES": "TARGET PERSISTENT FLOAT WIDTH HEIGHT DESCRIPTION",
}


@dataclass(frozen=True, slots=True)
class ISF:
    """A shader as its file declares it.

    `images` are the names of the pictures that `render` takes, in that order. `parameters` are what a
    preset may set, without a transition's `progress`. `imported` has one picture for a name, or the six
    faces of a cube. `options` has the numbers behind the words of a choice. `samples` has the MAX of the
    sounds that ask for a number of samples. At the values of `identity`, a filter changes nothing. `vertex`
    and `fragment` are GLSL 4.10 text, in which some names are `renamed`; `files` are the file names in
    compiler messages: the .fs, the .vs, and what they include. `warnings` and `notes` are sentences with file
    and line: what is read otherwise than it stands there, and what other hosts let through, too.
    """

    name: str
    kind: ShaderKind
    description: str
    credit: str
    categories: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    images: tuple[str, ...]
    passes: tuple[Pass, ...]
    imported: Mapping[str, tuple[Path, ...]]
    options: Mapping[str, Mapping[str, int]]
    samples: Mapping[str, int]
    identity: Mapping[str, Constant]
    vertex: str
    fragment: str
    renamed: Mapping[str, str]
    files: tuple[str, ...]
    warnings: tuple[str, ...]
    notes: tuple[str, ...]

    @property
    def included(self) -> tuple[Path, ...]:
        """The files that the .fs and the .vs file include."""
        return tuple(map(Path, self.files[2:]))


def load(path: Path) -> ISF:
    """The shader in an .fs file, with the .vs file of the same name if there is one; imported images and
    included files are found relative to it. Warnings are logged. Raises ISFError, also when a file cannot be
    read."""
    vertex_file = paths.beside(path, ".vs")
    text = isf_source.read_source(path)
    isf = parse(
        text, str(path), isf_source.read_source(vertex_file) if vertex_file.is_file() else None, path.parent
    )
    for warning in isf.warnings:
        log.warning("%s", warning)
    return isf


def parse(text: str, name: str, vertex: str | None = None, folder: Path | None = None) -> ISF:
    """The shader in `text` (an .fs file) and `vertex` (its .vs file); errors name it `name`. `folder` is
    where its files lie, None if it has none."""
    return _Header(Source.of(text, name, folder)).isf(vertex)


class _Header:
    """The JSON of one file, and the file's lines, for errors."""

    def __init__(self, source: Source) -> None:
        self.source, self.text, self.name = source, source.text, source.name
        self.json = self._read()
        self._check_format()
        self.inputs = self._inputs()
        self.types = {entry["NAME"]: entry["TYPE"].lower() for entry in self.inputs}
        self.imported = isf_imports.imported(source, self.json.get("IMPORTED"))
        self.old_buffers = isf_passes.old_buffers(source, self.json)
        self.passes = self._passes()
        self._check_names()
        self._note()

    def isf(self, vertex: str | None) -> ISF:
        kind = self._kind()
        made = [self._parameter(entry) for entry in self.inputs if not self._is_supplied(entry, kind)]
        categories = self.json.get("CATEGORIES")
        vertex_name = str(Path(self.name).with_suffix(".vs")) if self.name else ".vs"
        found: list[Path] = []
        code = self._with_includes(self.text, self.name, found)
        own = vertex if vertex and vertex.strip() else glsl.PLAIN_VERTEX
        vertex_code = self._with_includes(own, vertex_name, found)
        code, vertex_code = dialect.with_texture_coordinates(code, vertex_code)
        declared = self._uniforms()
        names = [name for _, name in declared]
        code, vertex_code = (inputs_in_code.with_numbers(text, declared) for text in (code, vertex_code))
        others = dialect.renamed(names, code, vertex_code)
        changed = inputs_in_code.changed(declared, code, vertex_code)
        renamed = others | {name: f"{dialect.PREFIX}given_{name}" for _, name in changed}
        uniforms = glsl.declare((type_, name, renamed.get(name, name)) for type_, name in declared)
        uniforms += "".join(f"{kind} {others.get(name, name)} = {renamed[name]};\n" for kind, name in changed)
        return ISF(
            name=self.name,
            kind=kind,
            description=str(self.json.get("DESCRIPTION") or ""),
            credit=str(self.json.get("CREDIT") or ""),
            categories=tuple(map(str, categories)) if isinstance(categories, list) else (),
            parameters=tuple(made),
            images=self._images(kind),
            passes=self.passes,
            imported=MappingProxyType(self.imported),
            options=MappingProxyType(
                {entry["NAME"]: words for entry in self.inputs if (words := isf_inputs.options(entry))}
            ),
            samples=MappingProxyType(self._samples()),
            identity=MappingProxyType(self._identity(made)),
            vertex=glsl.vertex(dialect.adapted(vertex_code, "vertex", names, others), uniforms),
            fragment=glsl.fragment(dialect.adapted(code, "fragment", names, others), uniforms),
            renamed=MappingProxyType(renamed),
            files=(self.name, vertex_name, *map(str, found)),
            warnings=tuple(self.source.warnings),
            notes=tuple(self.source.notes),
        )

    def _read(self) -> Json:
        try:
            header, warnings = headers.read_header(self.text)
        except HeaderError as error:
            raise ISFError(f"{self.name}:{error.line}: {error}") from None
        self.source.warnings += [f"{self.name}:{line}: {message}" for line, message in warnings]
        return header

    def _check_format(self) -> None:
        """Refuse what has a header like that of an ISF, and draws by other means."""
        mode = self.json.get("MODE")
        if mode in OTHER_MODES:
            self.source.fail(
                f"MODE = {mode!r}, must be left out: only shaders that colour pixels are played", "MODE"
            )
        if re.search("(?:material|fx)ColorForPixel", self.text) and not re.search(r"\bmain\s*\(", self.text):
            self.source.fail("is of MadMapper, must be an ISF with a function main()")

    def _with_includes(self, text: str, file: str, found: list[Path]) -> str:
        try:
            return includes.with_includes(dialect.without_comments(text), file, self.source.folder, found)
        except IncludeError as error:
            raise ISFError(str(error)) from None

    def _dicts(self, key: str) -> Sequence[Json]:
        entries = self.json.get(key) or []
        if isinstance(entries, dict):  # one object, or objects by their names
            named = all(isinstance(entry, dict) for entry in entries.values())
            entries = [{"NAME": name, **entry} for name, entry in entries.items()] if named else [entries]
        if not isinstance(entries, list):
            self.source.fail(f"{key} must be a list of objects", key)
        if not all(isinstance(entry, dict) for entry in entries):
            self.source.warn(f"{key}: what is no object is left out", key)
        found = [_trimmed(headers.in_capitals(entry)) for entry in entries if isinstance(entry, dict)]
        self._note_unknown(key, found)
        return found

    def _inputs(self) -> list[Json]:
        """The inputs, each name once."""
        inputs: dict[str, Json] = {}
        for entry in map(_known_type, self._dicts("INPUTS")):
            if not self._is_input(entry):
                continue
            name = entry["NAME"]
            if name in inputs and inputs[name]["TYPE"].lower() != entry["TYPE"].lower():
                self._fail_taken(name)
            if name in inputs:
                self.source.warn(f"INPUTS {name}: stands there twice, the first counts", name)
            inputs.setdefault(name, entry)
        return list(inputs.values())

    def _is_input(self, entry: Json) -> bool:
        """Whether an entry is an input. One that is none is left out, if the code does not use it."""
        name, kind = entry.get("NAME"), entry.get("TYPE")
        if not is_identifier(name):
            fault = f"INPUTS: NAME = {name!r}, must be letters, digits and _, not beginning with gl_"
        elif not isinstance(kind, str) or kind.lower() not in TYPES:
            fault = f"INPUTS {name}: TYPE = {kind!r}, must be one of {TYPE_NAMES}"
        else:
            return True
        if isinstance(name, str) and self._uses(name):
            self.source.fail(fault, name)
        self.source.warn(f"{fault}: it is left out", str(name))
        return False

    def _uses(self, name: str) -> bool:
        """Whether a name stands in the code."""
        return bool(name) and re.search(rf"(?<![\"\w]){re.escape(name)}(?![\"\w])", self.text) is not None

    def _check_names(self) -> None:
        targets = dict.fromkeys(p.target for p in self.passes if p.target)
        names = [*self.types, *self.imported, *targets]
        for at, name in enumerate(names):
            if dialect.is_word(name):
                self.source.fail(f"the name {name} is a word of GLSL, must be another", name)
            if name in glsl.TAKEN or name in names[:at]:
                self._fail_taken(name)

    def _fail_taken(self, name: str) -> NoReturn:
        self.source.fail(f"the name {name} is taken, each input, image and target needs its own", name)

    def _kind(self) -> ShaderKind:
        if {"startImage", "endImage", "progress"} <= self.types.keys():
            return "transition"
        return "filter" if self.types.get("inputImage") == "image" else "generator"

    def _images(self, kind: ShaderKind) -> tuple[str, ...]:
        images = [name for name, type_ in self.types.items() if type_ == "image"]
        return (*LEADING[kind], *(name for name in images if name not in LEADING[kind]))

    def _is_supplied(self, entry: Json, kind: ShaderKind) -> bool:
        """Whether the performance supplies it, and no preset."""
        return entry["TYPE"].lower() == "image" or (kind == "transition" and entry["NAME"] == "progress")

    def _uniforms(self) -> list[tuple[str, str]]:
        """The GLSL types and names of all that the header declares."""
        inputs = [(TYPES[type_][0], name) for name, type_ in self.types.items()]
        imported = [
            ("sampler2D" if len(paths) == 1 else "samplerCube", name) for name, paths in self.imported.items()
        ]
        targets = dict.fromkeys([p.target for p in self.passes if p.target] + [*self.old_buffers])
        return inputs + imported + [("sampler2D", name) for name in targets]

    def _samples(self) -> dict[str, int]:
        """The MAX of the sounds that have one."""
        found: dict[str, int] = {}
        for entry in (one for one in self.inputs if one["TYPE"].lower().startswith("audio")):
            if most := isf_inputs.number(entry, "MAX", self._warn_of(entry["NAME"])):
                found[entry["NAME"]] = round(min(max(most, 1), sizes.LARGEST))
        return found

    def _identity(self, parameters: Sequence[Parameter]) -> dict[str, Constant]:
        """The IDENTITY of the inputs that have one which they take."""
        known = {parameter.name: parameter for parameter in parameters}
        found: dict[str, Constant] = {}
        for entry in (one for one in self.inputs if "IDENTITY" in one and one["NAME"] in known):
            words = {number: word for word, number in isf_inputs.options(entry).items()}
            with suppress(ParameterError, TypeError):
                value = words.get(entry["IDENTITY"], entry["IDENTITY"])
                found[entry["NAME"]] = known[entry["NAME"]].check(value)
        return found

    def _parameter(self, entry: Json) -> Parameter:
        return isf_inputs.parameter(entry, self._warn_of(entry["NAME"]))

    def _warn_of(self, name: str) -> isf_inputs.Warn:
        return lambda message: self.source.warn(f"INPUTS {name}: {message}", name)

    def _passes(self) -> tuple[Pass, ...]:
        numbers = [name for name, kind in self.types.items() if kind in isf_inputs.COUNTED]
        return isf_passes.passes(self.source, self._dicts("PASSES"), self.old_buffers, numbers)

    def _note(self) -> None:
        """Note the keys that are not of the format, and the inputs without a default."""
        self._note_unknown("", [self.json])
        inputs = [one for one in self.inputs if not self._is_supplied(one, self._kind())]
        if names := [one["NAME"] for one in inputs if isf_inputs.lacks_default(one)]:
            self.source.note(f"INPUTS {', '.join(names)}: no DEFAULT", names[0])

    def _note_unknown(self, key: str, entries: Sequence[Json]) -> None:
        known = FORMAT_KEYS[key].split()
        unknown = dict.fromkeys(name for one in entries for name in one if name.upper() not in known)
        if unknown:
            where, names = f"{key}: keys" if key else "keys", ", ".join(unknown)
            self.source.note(f"{where} that are not of the format are left out: {names}", next(iter(unknown)))


def _trimmed(entry: Json) -> Json:
    """An entry whose names have no spaces around them."""
    names = {key: entry[key] for key in ("NAME", "TYPE", "TARGET") if isinstance(entry.get(key), str)}
    return {**entry, **{key: name.strip() for key, name in names.items()}}


def _known_type(entry: Json) -> Json:
    """An entry with the name that the format has for its type."""
    kind = entry.get("TYPE")
    own = isf_inputs.OTHER_TYPES.get(kind.lower()) if isinstance(kind, str) else None
    return {**entry, "TYPE": own} if own else entry
