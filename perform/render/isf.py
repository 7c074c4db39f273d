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
from typing import Any, Literal, NoReturn, TypeAlias

from perform import paths
from perform.documents import SceneError, read_text
from perform.faults import reason
from perform.parameters import Constant, Parameter, ParameterError
from perform.render import dialect, glsl, headers, includes, inputs_in_code, isf_inputs, sizes
from perform.render.headers import HeaderError, Json
from perform.render.includes import IncludeError
from perform.render.isf_inputs import TYPE_NAMES, TYPES, InputError
from perform.render.sizes import Size, SizeError

log = logging.getLogger("perform")
ShaderKind: TypeAlias = Literal["generator", "filter", "transition"]

LEADING = {"filter": ("inputImage",), "transition": ("startImage", "endImage"), "generator": ()}
CUBE_FACES = 6
OTHER_MODES = ("VERTEX_SHADER_ART", "RAW_RASTER_PIPELINE", "COMPUTE_SHADER", "GEOMETRY_FILTER")  # of hosts
NOTHING: Json = MappingProxyType({})


class ISFError(ValueError):
    """A shader that is no ISF; the message has file, line and what is allowed."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One drawing of the shader into `target` (None: the output). `width` and `height` None mean the
    size of the output; `persistent` targets keep their picture from frame to frame, `floating` ones
    hold 16-bit floats."""

    target: str | None = None
    persistent: bool = False
    floating: bool = False
    width: Size | None = None
    height: Size | None = None


@dataclass(frozen=True, slots=True)
class ISF:
    """A shader as its file declares it.

    `images` are the names of the pictures that `render` takes, in that order. `parameters` are what a
    preset may set, without a transition's `progress`. `imported` has one picture for a name, or the six
    faces of a cube. `options` has the numbers behind the words of a choice. `samples` has the MAX of the
    sounds that ask for a number of samples. At the values of `identity`, a filter changes nothing. `vertex`
    and `fragment` are GLSL 4.10 text, in which some names are `renamed`; `files` are the file names in
    compiler messages: the .fs, the .vs, and what they include. `warnings` are sentences with file and line.
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

    @property
    def included(self) -> tuple[Path, ...]:
        """The files that the .fs and the .vs file include."""
        return tuple(map(Path, self.files[2:]))


def load(path: Path) -> ISF:
    """The shader in an .fs file, with the .vs file of the same name if there is one; imported images and
    included files are found relative to it. Warnings are logged. Raises ISFError, also when a file cannot be
    read."""
    vertex_file = paths.beside(path, ".vs")
    try:  # bytes that are no UTF-8 stand in comments mostly
        text = read_text(path, lenient=True)
        vertex = read_text(vertex_file, lenient=True) if vertex_file.is_file() else None
    except (OSError, SceneError) as error:
        raise ISFError(reason(error)) from None
    isf = parse(text, str(path), vertex, path.parent)
    for warning in isf.warnings:
        log.warning("%s", warning)
    return isf


def parse(text: str, name: str, vertex: str | None = None, folder: Path | None = None) -> ISF:
    """The shader in `text` (an .fs file) and `vertex` (its .vs file); errors name it `name`. `folder` is
    where its files lie, None if it has none."""
    return _Header(text, name, folder).isf(vertex)


class _Header:
    """The JSON of one file, and the file's lines, for errors."""

    def __init__(self, text: str, name: str, folder: Path | None) -> None:
        self.text, self.name, self.folder = text, name, folder
        self.warnings: list[str] = []
        self.json = self._read()
        self._check_format()
        self.inputs = self._inputs()
        self.types = {entry["NAME"]: entry["TYPE"].lower() for entry in self.inputs}
        self.imported = self._imported()
        self.passes = self._passes()
        self._check_names()

    def isf(self, vertex: str | None) -> ISF:
        kind = self._kind()
        made = [self._parameter(entry) for entry in self.inputs if not self._is_supplied(entry, kind)]
        categories = self.json.get("CATEGORIES")
        vertex_name = str(Path(self.name).with_suffix(".vs")) if self.name else ".vs"
        found: list[Path] = []
        code = self._with_includes(self.text, self.name, found)
        own = vertex if vertex and vertex.strip() else glsl.PLAIN_VERTEX
        vertex_code = self._with_includes(own, vertex_name, found)
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
            warnings=tuple(self.warnings),
        )

    def fail(self, message: str, near: str = "") -> NoReturn:
        """ISFError at the first line that holds `near` in quotes."""
        raise ISFError(f"{self.name}:{self._line(near)}: {message}") from None

    def warn(self, message: str, near: str) -> None:
        """A warning at the first line that holds `near` in quotes."""
        self.warnings.append(f"{self.name}:{self._line(near)}: {message}")

    def _line(self, near: str) -> int:
        before = self.text.partition(f'"{near}"')[0] if near and f'"{near}"' in self.text else ""
        return before.count("\n") + 1

    def _read(self) -> Json:
        try:
            header, warnings = headers.read_header(self.text)
        except HeaderError as error:
            raise ISFError(f"{self.name}:{error.line}: {error}") from None
        self.warnings += [f"{self.name}:{line}: {message}" for line, message in warnings]
        return header

    def _check_format(self) -> None:
        """Refuse what has a header like that of an ISF, and draws by other means."""
        mode = self.json.get("MODE")
        if mode in OTHER_MODES:
            self.fail(
                f"MODE = {mode!r}, must be left out: only shaders that colour pixels are played", "MODE"
            )
        if "materialColorForPixel" in self.text and not re.search(r"\bmain\s*\(", self.text):
            self.fail("is a material of MadMapper, must be an ISF with a function main()")

    def _with_includes(self, text: str, file: str, found: list[Path]) -> str:
        try:
            return includes.with_includes(dialect.without_comments(text), file, self.folder, found)
        except IncludeError as error:
            raise ISFError(str(error)) from None

    def _dicts(self, key: str) -> Sequence[Json]:
        entries = self.json.get(key) or []
        if isinstance(entries, dict):  # one object, or objects by their names
            named = all(isinstance(entry, dict) for entry in entries.values())
            entries = [{"NAME": name, **entry} for name, entry in entries.items()] if named else [entries]
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self.fail(f"{key} must be a list of objects", key)
        return [_trimmed(headers.in_capitals(entry)) for entry in entries]

    def _inputs(self) -> list[Json]:
        """The inputs, each name once."""
        inputs: dict[str, Json] = {}
        for entry in map(_known_type, self._dicts("INPUTS")):
            if self._is_left_out(entry):
                continue
            self._check_input(entry)
            name = entry["NAME"]
            if name in inputs and inputs[name]["TYPE"].lower() != entry["TYPE"].lower():
                self.fail(f"the name {name} is taken, each input, image and target needs its own", name)
            if name in inputs:
                self.warn(f"INPUTS {name}: stands there twice, the first counts", name)
            inputs.setdefault(name, entry)
        return list(inputs.values())

    def _is_left_out(self, entry: Json) -> bool:
        """Whether an input has a type of another host, and the code does not use it."""
        name, kind = str(entry.get("NAME")), entry.get("TYPE")
        if str(kind).lower() in TYPES or re.search(rf"(?<!\")\b{re.escape(name)}\b(?!\")", self.text):
            return False
        self.warn(f"INPUTS {name}: TYPE = {kind!r} is unknown, it is left out", name)
        return True

    def _check_input(self, entry: Json) -> None:
        name, kind = entry.get("NAME"), entry.get("TYPE")
        if not isinstance(name, str) or not _is_identifier(name):
            self.fail(
                f"INPUTS: NAME = {name!r}, must be letters, digits and _, not beginning with gl_", str(name)
            )
        if not isinstance(kind, str) or kind.lower() not in TYPES:
            self.fail(f"INPUTS {name}: TYPE = {kind!r}, must be one of {TYPE_NAMES}", name)

    def _check_names(self) -> None:
        targets = dict.fromkeys(p.target for p in self.passes if p.target)
        names = [*self.types, *self.imported, *targets]
        for at, name in enumerate(names):
            if name in dialect.KEYWORDS:
                self.fail(f"the name {name} is a word of GLSL, must be another", name)
            if name in dialect.BUILT_IN or name in names[:at]:
                self.fail(f"the name {name} is taken, each input, image and target needs its own", name)

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
        targets = dict.fromkeys([p.target for p in self.passes if p.target] + [*self._old_buffers()])
        return inputs + imported + [("sampler2D", name) for name in targets]

    def _samples(self) -> dict[str, int]:
        sounds = [
            entry for entry in self.inputs if entry["TYPE"].lower().startswith("audio") and entry.get("MAX")
        ]
        return {e["NAME"]: round(min(max(self._most(e), 1), sizes.LARGEST)) for e in sounds}

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

    def _most(self, entry: Json) -> float:
        try:
            return isf_inputs.number(entry, "MAX")
        except InputError as error:
            self.fail(f"INPUTS {entry['NAME']}: {error}", entry["NAME"])

    def _parameter(self, entry: Json) -> Parameter:
        name = entry["NAME"]
        try:
            return isf_inputs.parameter(entry, lambda message: self.warn(f"INPUTS {name}: {message}", name))
        except InputError as error:
            self.fail(f"INPUTS {name}: {error}", name)

    def _imported(self) -> dict[str, tuple[Path, ...]]:
        entries = self.json.get("IMPORTED") or {}
        if isinstance(entries, list):  # version 1 has a list of objects with a NAME
            entries = {str(e.get("NAME")): e for e in entries if isinstance(e, dict)}
        if not isinstance(entries, dict):
            self.fail("IMPORTED must be an object of images", "IMPORTED")
        return {name: self._image_files(name, entry) for name, entry in entries.items()}

    def _image_files(self, name: str, entry: object) -> tuple[Path, ...]:
        """The file of an imported picture, or the six of a cube."""
        given = headers.in_capitals(entry).get("PATH") if isinstance(entry, dict) else entry
        paths: list[Any] = given if isinstance(given, list) and len(given) == CUBE_FACES else [given]
        if not _is_identifier(name) or not all(isinstance(p, str) and p and "\0" not in p for p in paths):
            faces = f"the names of {CUBE_FACES}, the faces of a cube"
            self.fail(
                f"IMPORTED {name}: PATH = {given!r}, must be the name of one image file, or {faces}", name
            )
        files = tuple((self.folder or Path()) / path for path in paths)
        missing = [file for file in files if self.folder and not file.is_file()]
        if missing:
            self.warn(f"IMPORTED {name}: {missing[0]} is not there, it is black", name)
        return files

    def _passes(self) -> tuple[Pass, ...]:
        old = self._old_buffers()
        passes = tuple(self._pass(entry, old) for entry in self._dicts("PASSES"))
        return passes or (Pass(),)

    def _old_buffers(self) -> dict[str, Json]:
        """The PERSISTENT_BUFFERS of version 1: names, or objects by name."""
        buffers = self.json.get("PERSISTENT_BUFFERS") or {}
        if isinstance(buffers, list):
            buffers = {str(name): NOTHING for name in buffers}
        if not isinstance(buffers, dict) or not all(map(_is_identifier, buffers)):
            self.fail("PERSISTENT_BUFFERS must be a list of names or an object", "PERSISTENT_BUFFERS")
        return {str(name): b if isinstance(b, dict) else NOTHING for name, b in buffers.items()}

    def _pass(self, entry: Json, old: Mapping[str, Json]) -> Pass:
        target = entry.get("TARGET") or None
        if target is not None and (not isinstance(target, str) or not _is_identifier(target)):
            self.fail(f"PASSES: TARGET = {target!r}, must be letters, digits and _", str(target))
        keys = {**old.get(target or "", NOTHING), **entry}
        return Pass(
            target=target,
            persistent=target in old or isf_inputs.is_on(keys.get("PERSISTENT")),
            floating=isf_inputs.is_on(keys.get("FLOAT")),
            width=self._size("WIDTH", keys.get("WIDTH"), target),
            height=self._size("HEIGHT", keys.get("HEIGHT"), target),
        )

    def _size(self, key: str, value: object, target: str | None) -> Size | None:
        if value is None or value == "":
            return None
        near = target or "PASSES"
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            self.fail(f"PASSES {near}: {key} = {value!r}, must be a number or an expression", near)
        try:
            size = sizes.parse(str(value))
        except SizeError as error:
            self.fail(f"PASSES {near}: {key} = {error}", near)
        allowed = {"WIDTH", "HEIGHT"} | {
            n for n, t in self.types.items() if t in ("float", "long", "bool", "event")
        }
        if unknown := sorted(size.names - allowed):
            known = ", ".join(f"${name}" for name in sorted(allowed))
            self.fail(f"PASSES {near}: {key} = {size.text!r}: no ${unknown[0]}, must be one of {known}", near)
        return size


def _trimmed(entry: Json) -> Json:
    """An entry whose names have no spaces around them."""
    names = {key: entry[key] for key in ("NAME", "TYPE", "TARGET") if isinstance(entry.get(key), str)}
    return {**entry, **{key: name.strip() for key, name in names.items()}}


def _known_type(entry: Json) -> Json:
    """An entry with the name that the format has for its type."""
    kind = entry.get("TYPE")
    own = isf_inputs.OTHER_TYPES.get(kind.lower()) if isinstance(kind, str) else None
    return {**entry, "TYPE": own} if own else entry


def _is_identifier(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name) is not None and not name.startswith(
        ("gl_", "isf_")
    )
