"""The Interactive Shader Format, read without OpenGL: a GLSL fragment shader whose first comment is JSON.

Source of the format: ISF specification, version 2 (mrRay/ISF_Spec), and what version 1 files and
hosts add to it. Unknown keys are ignored, as in other hosts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NoReturn, TypeAlias

from perform.parameters import Kind, Parameter
from perform.render import glsl, sizes
from perform.render.sizes import Size, SizeError

ShaderKind: TypeAlias = Literal["generator", "filter", "transition"]
Json: TypeAlias = Mapping[str, Any]

LEADING = {"filter": ("inputImage",), "transition": ("startImage", "endImage"), "generator": ()}
TYPES: Mapping[str, tuple[str, Kind | None]] = {  # ISF type: GLSL type, kind of parameter
    "audio": ("sampler2D", "sound"),
    "audiofft": ("sampler2D", "sound"),
    "bool": ("bool", "bool"),
    "color": ("vec4", "color"),
    "event": ("bool", "event"),
    "float": ("float", "float"),
    "image": ("sampler2D", None),
    "long": ("int", "int"),
    "point2d": ("vec2", "point"),
}
TYPE_NAMES = "event, bool, long, float, point2D, color, image, audio, audioFFT"
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
    preset may set, without a transition's `progress`. `options` has the numbers behind the words of a
    choice. `samples` has the MAX of the sounds that ask for a number of samples. `vertex` and
    `fragment` are GLSL 4.10 text; `files` are the file names in compiler messages.
    """

    name: str
    kind: ShaderKind
    description: str
    credit: str
    categories: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    images: tuple[str, ...]
    passes: tuple[Pass, ...]
    imported: Mapping[str, Path]
    options: Mapping[str, Mapping[str, int]]
    samples: Mapping[str, int]
    vertex: str
    fragment: str
    files: tuple[str, str]


def load(path: Path) -> ISF:
    """The shader in an .fs file, with the .vs file of the same name if there is one; imported images are
    found relative to it. Raises ISFError, also when a file cannot be read."""
    vertex_file = path.with_suffix(".vs")
    try:
        text = _text(path)
        vertex = _text(vertex_file) if vertex_file.is_file() else None
    except OSError as error:
        raise ISFError(f"{path}: cannot be read: {error.strerror}") from None
    isf = parse(text, str(path), vertex)
    imported = {name: path.parent / image for name, image in isf.imported.items()}
    for name, image in imported.items():
        if not image.is_file():
            raise ISFError(f"{path}: IMPORTED {name}: {image} is not there")
    return replace(isf, imported=MappingProxyType(imported))


def parse(text: str, name: str, vertex: str | None = None) -> ISF:
    """The shader in `text` (an .fs file) and `vertex` (its .vs file); errors name it `name`."""
    return _Header(text, name).isf(vertex)


class _Header:
    """The JSON of one file, and the file's lines, for errors."""

    def __init__(self, text: str, name: str) -> None:
        self.text, self.name = text, name
        self.json = self._read()
        self.inputs = [self._input(entry) for entry in self._dicts("INPUTS")]
        self.types = {entry["NAME"]: entry["TYPE"].lower() for entry in self.inputs}
        self.imported = self._imported()
        self.passes = self._passes()
        self._check_names()

    def isf(self, vertex: str | None) -> ISF:
        kind = self._kind()
        uniforms = glsl.declare([*self._uniforms()])
        made = [self._parameter(entry) for entry in self.inputs if not self._is_supplied(entry, kind)]
        categories = self.json.get("CATEGORIES")
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
            options=MappingProxyType({e["NAME"]: _options(e) for e in self.inputs if _options(e)}),
            samples=MappingProxyType(self._samples()),
            vertex=glsl.vertex(glsl.PLAIN_VERTEX if vertex is None else vertex, uniforms),
            fragment=glsl.fragment(self.text, uniforms),
            files=(self.name, str(Path(self.name).with_suffix(".vs")) if self.name else ".vs"),
        )

    def fail(self, message: str, near: str = "") -> NoReturn:
        """ISFError at the first line that holds `near` in quotes."""
        before = self.text.partition(f'"{near}"')[0] if near and f'"{near}"' in self.text else ""
        raise ISFError(f"{self.name}:{before.count(chr(10)) + 1}: {message}") from None

    def _read(self) -> Json:
        found = re.search(r"/\*(.*?)\*/", self.text, re.DOTALL)
        if not found:
            self.fail("no header, must begin with a comment /*{ … }*/ that holds JSON")
        try:
            header = json.loads(found[1], strict=False, parse_constant=_refuse)
        except json.JSONDecodeError as error:
            line = self.text.count("\n", 0, found.start(1)) + error.lineno
            raise ISFError(f"{self.name}:{line}: the header is not valid JSON: {error.msg}") from None
        except (ValueError, RecursionError) as error:
            self.fail(f"the header is not valid JSON: {error}")
        if not isinstance(header, dict):
            self.fail("the header must be a JSON object { … }")
        return header

    def _dicts(self, key: str) -> list[Json]:
        entries = self.json.get(key) or []
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            self.fail(f"{key} must be a list of objects", key)
        return entries

    def _input(self, entry: Json) -> Json:
        name, kind = entry.get("NAME"), entry.get("TYPE")
        if not isinstance(name, str) or not _is_identifier(name):
            self.fail(
                f"INPUTS: NAME = {name!r}, must be letters, digits and _, not beginning with gl_", str(name)
            )
        if not isinstance(kind, str) or kind.lower() not in TYPES:
            self.fail(f"INPUTS {name}: TYPE = {kind!r}, must be one of {TYPE_NAMES}", name)
        return entry

    def _check_names(self) -> None:
        targets = dict.fromkeys(p.target for p in self.passes if p.target)
        names = [entry["NAME"] for entry in self.inputs] + [*self.imported] + [*targets]
        for at, name in enumerate(names):
            if name in glsl.RESERVED:
                self.fail(f"the name {name} is a word of GLSL, must be another", name)
            if name in glsl.BUILT_IN or name in names[:at]:
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
        inputs = [(TYPES[type_][0], name) for name, type_ in self.types.items()]
        targets = dict.fromkeys(p.target for p in self.passes if p.target)
        return inputs + [("sampler2D", name) for name in (*self.imported, *targets)]

    def _samples(self) -> dict[str, int]:
        sounds = [
            entry for entry in self.inputs if entry["TYPE"].lower().startswith("audio") and entry.get("MAX")
        ]
        return {e["NAME"]: round(min(max(self._number(e, "MAX"), 1), sizes.LARGEST)) for e in sounds}

    def _imported(self) -> dict[str, Path]:
        entries = self.json.get("IMPORTED") or {}
        if isinstance(entries, list):  # version 1 has a list of objects with a NAME
            entries = {str(e.get("NAME")): e for e in entries if isinstance(e, dict)}
        if not isinstance(entries, dict):
            self.fail("IMPORTED must be an object of images", "IMPORTED")
        for name, entry in entries.items():
            path = entry.get("PATH") if isinstance(entry, dict) else None
            if not isinstance(path, str) or not path or "\0" in path or not _is_identifier(name):
                self.fail(f"IMPORTED {name}: PATH = {path!r}, must be the name of one image file", name)
        return {name: Path(entry["PATH"]) for name, entry in entries.items()}

    def _passes(self) -> tuple[Pass, ...]:
        old = self._old_buffers()
        passes = tuple(self._pass(entry, old) for entry in self._dicts("PASSES"))
        return passes or (Pass(),)

    def _old_buffers(self) -> dict[str, Json]:
        """The PERSISTENT_BUFFERS of version 1: names, or objects by name."""
        buffers = self.json.get("PERSISTENT_BUFFERS") or {}
        if isinstance(buffers, list):
            return {str(name): NOTHING for name in buffers}
        if not isinstance(buffers, dict):
            self.fail("PERSISTENT_BUFFERS must be a list of names or an object", "PERSISTENT_BUFFERS")
        return {str(name): b if isinstance(b, dict) else NOTHING for name, b in buffers.items()}

    def _pass(self, entry: Json, old: Mapping[str, Json]) -> Pass:
        given = {key.upper(): value for key, value in entry.items()}
        target = given.get("TARGET") or None
        if target is not None and (not isinstance(target, str) or not _is_identifier(target)):
            self.fail(f"PASSES: TARGET = {target!r}, must be letters, digits and _", str(target))
        keys = {**old.get(target or "", NOTHING), **given}
        return Pass(
            target=target,
            persistent=target in old or _is_on(keys.get("PERSISTENT")),
            floating=_is_on(keys.get("FLOAT")),
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

    def _parameter(self, entry: Json) -> Parameter:
        kind = TYPES[entry["TYPE"].lower()][1]
        about = str(entry.get("LABEL") or "")
        match kind:
            case "sound":
                source = "audio.spectrum" if entry["TYPE"].lower() == "audiofft" else "audio.waveform"
                return Parameter(entry["NAME"], source, description=about, kind="sound")
            case "bool" | "event":
                on = kind == "bool" and _is_on(entry.get("DEFAULT"))
                return Parameter(entry["NAME"], on, 0, 1, description=about, kind=kind)
            case "point" | "color":
                return self._vector(entry, kind, about)
            case "int":
                return self._whole(entry, about)
        low, high, default = self._range(entry)
        return Parameter(entry["NAME"], default, low, high, description=about)

    def _range(self, entry: Json) -> tuple[float, float, float]:
        """MIN, MAX and DEFAULT, 0..1 if not given; the default widens what is not given."""
        key = "DEFAULT" if "DEFAULT" in entry else "IDENTITY"
        default = self._number(entry, key) if entry.get(key) is not None else None
        low = self._number(entry, "MIN") if entry.get("MIN") is not None else min(0.0, default or 0.0)
        high = self._number(entry, "MAX") if entry.get("MAX") is not None else max(1.0, default or 0.0, low)
        if low > high:
            self.fail(f"INPUTS {entry['NAME']}: MIN = {low:g}, must be at most MAX = {high:g}", entry["NAME"])
        return low, high, min(max(default if default is not None else 0.0, low), high)

    def _whole(self, entry: Json, about: str) -> Parameter:
        options = _options(entry)
        low, high, default = (round(number) for number in self._range({**_bounds(entry), **entry}))
        if not options:
            return Parameter(entry["NAME"], default, low, high, description=about, kind="int")
        words = tuple(options)
        chosen = next((word for word, number in options.items() if number == default), words[0])
        return Parameter(entry["NAME"], chosen, description=about, kind="choice", choices=words)

    def _vector(self, entry: Json, kind: Literal["point", "color"], about: str) -> Parameter:
        black = (0.0, 0.0, 0.0, 1.0)
        size = 4 if kind == "color" else 2
        default = self._numbers(entry, "DEFAULT", black[:size])
        low = min(self._numbers(entry, "MIN", (min(0.0, *default),)))
        high = max(self._numbers(entry, "MAX", (max(1.0, *default),)))
        padded = (*default, *black[len(default) : size])[:size]
        held = tuple(min(max(number, low), high) for number in padded)
        return Parameter(entry["NAME"], held, low, high, description=about, kind=kind)

    def _numbers(self, entry: Json, key: str, otherwise: tuple[float, ...]) -> tuple[float, ...]:
        values = entry.get(key)
        if values is None:
            return otherwise
        values = values if isinstance(values, list) else [values]
        return tuple(self._number({**entry, key: value}, key) for value in values) or otherwise

    def _number(self, entry: Json, key: str) -> float:
        number = _number(entry.get(key))
        if number is None:
            self.fail(f"INPUTS {entry['NAME']}: {key} = {entry.get(key)!r}, must be a number", entry["NAME"])
        return number


def _number(value: object) -> float | None:
    """A finite float of a JSON number, of true and false, and of a number in quotes."""
    if not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if abs(number) < 1e30 else None


def _options(entry: Json) -> dict[str, int]:
    """The words and numbers of a long that has LABELS; a number that has no word is its own word."""
    values, labels = entry.get("VALUES"), entry.get("LABELS")
    if entry["TYPE"].lower() != "long" or not isinstance(labels, list) or not labels:
        return {}
    given = values if isinstance(values, list) and values else range(len(labels))
    numbers = [round(number) for value in given if (number := _number(value)) is not None]
    words = [str(label) for label in labels[: len(numbers)]]
    words += [str(number) for number in numbers[len(words) :]]
    return dict(zip(words, numbers, strict=True))


def _bounds(entry: Json) -> Json:
    """The range of a long that only lists VALUES."""
    values = entry.get("VALUES")
    numbers = [n for v in values if (n := _number(v)) is not None] if isinstance(values, list) else []
    return {"MIN": min(numbers), "MAX": max(numbers)} if numbers else {}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8-sig", errors="replace")


def _is_identifier(name: str) -> bool:
    return re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,99}", name) is not None and not name.startswith(
        ("gl_", "isf_")
    )


def _is_on(value: object) -> bool:
    return value.strip().lower() in ("true", "yes", "1") if isinstance(value, str) else bool(value)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
