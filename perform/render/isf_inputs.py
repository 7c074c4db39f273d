"""The inputs of an ISF header as parameters: kinds, ranges, defaults, choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import zip_longest
from typing import Any, Literal, TypeAlias

from perform.parameters import Kind, Parameter
from perform.render.headers import Json

Warn: TypeAlias = Callable[[str], None]

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
OTHER_TYPES = {  # of other hosts and of the code
    "boolean": "bool",
    "colour": "color",
    "int": "long",
    "integer": "long",
    "number": "float",
    "point": "point2d",
    "vec2": "point2d",
    "vec4": "color",
}
COMPONENTS = ("rgba", "xy")  # of a color and of a point that are objects
LARGEST_INT = 2**31 - 1  # of GLSL
LARGEST_NUMBER = 1e30  # a float of GLSL, with room to compute
TYPE_NAMES = "event, bool, long, float, point2D, color, image, audio, audioFFT"


_HEX_COLOR = re.compile(r"#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")


class InputError(ValueError):
    """An input whose numbers cannot be read; the message has key, value and what is allowed."""


def parameter(entry: Json, warn: Warn) -> Parameter:
    """The parameter of an input that is no image. `warn` gets what is doubtful. Raises InputError."""
    name, kind = entry["NAME"], TYPES[entry["TYPE"].lower()][1]
    about = str(entry.get("LABEL") or "")
    wraps = _wraps(entry, kind, warn)
    match kind:
        case "sound":
            source = "audio.spectrum" if entry["TYPE"].lower() == "audiofft" else "audio.waveform"
            return Parameter(name, source, description=about, kind="sound")
        case "bool" | "event":
            on = kind == "bool" and is_on(entry.get("DEFAULT"))
            return Parameter(name, on, 0, 1, description=about, kind=kind)
        case "point" | "color":
            return _vector(entry, kind, about, warn)
        case "int":
            return _whole(entry, about, warn)
    low, high, default = _range(entry, warn)
    return Parameter(name, default, low, high, description=about, wraps=wraps and low < high)


def options(entry: Json) -> dict[str, int]:
    """The words and numbers of a long that has LABELS; a number that has no word is its own word, and a word
    that stands twice has its number beside it."""
    values, labels = entry.get("VALUES"), entry.get("LABELS")
    if entry["TYPE"].lower() != "long" or not isinstance(labels, list) or not labels:
        return {}
    given = values if isinstance(values, list) and values else range(len(labels))
    numbers = [round(number) for value in given if (number := _as_number(value)) is not None]
    found: dict[str, int] = {}
    for whole, label in zip_longest(numbers, labels[: len(numbers)]):
        word = str(whole if label is None else label)
        found[f"{word} {whole}" if word in found else word] = whole
    return found


def number(entry: Json, key: str) -> float:
    """The number of a key. Raises InputError."""
    value = entry.get(key)
    found = _as_number(value[0] if isinstance(value, list) and len(value) == 1 else value)
    if found is None:
        allowed = f"must be a number within {-LARGEST_NUMBER:g}..{LARGEST_NUMBER:g}"
        raise InputError(f"{key} = {entry.get(key)!r}, {allowed}")
    return found


def is_on(value: object) -> bool:
    """Whether a value means true: also a number, and a word or a number in quotes."""
    if isinstance(value, str):
        return value.strip().lower() in ("true", "yes", "on") or bool(_as_number(value))
    return bool(value)


def _wraps(entry: Json, kind: Kind | None, warn: Warn) -> bool:
    """Whether a float goes through its range again: WRAP, a key of ours."""
    given = entry.get("WRAP")
    if given is None:
        return False
    if kind != "float":
        warn("WRAP is left out: only a float wraps")
        return False
    if not isinstance(given, bool):
        warn(f"WRAP = {given!r} is read as {str(is_on(given)).lower()}; must be true or false")
    return is_on(given)


def _range(entry: Json, warn: Warn) -> tuple[float, float, float]:
    """MIN, MAX and DEFAULT, 0..1 if not given; the default widens what is not given."""
    key = "DEFAULT" if "DEFAULT" in entry else "IDENTITY"
    given = number(entry, key) if _is_given(entry, key) else None
    default = given or 0.0
    low = number(entry, "MIN") if _is_given(entry, "MIN") else min(0.0, default)
    high = number(entry, "MAX") if _is_given(entry, "MAX") else max(1.0, default, low)
    low, high = _ordered(low, high, warn)
    if low == high and given is not None and given != low:
        warn(f"MIN = MAX = {low:g} leaves out DEFAULT = {given:g}: the range goes from one to the other")
        low, high = min(low, given), max(high, given)
    return low, high, min(max(default, low), high)


def _is_given(entry: Json, key: str) -> bool:
    return entry.get(key) not in (None, "", [])


def _ordered(low: float, high: float, warn: Warn) -> tuple[float, float]:
    if low > high:
        warn(f"MIN = {low:g} is above MAX = {high:g}: they are swapped")
    return min(low, high), max(low, high)


def _whole(entry: Json, about: str, warn: Warn) -> Parameter:
    words = options(entry)
    given = entry.get("DEFAULT")
    if isinstance(given, str) and given in words:  # the word of a choice in place of its number
        entry = {**entry, "DEFAULT": words[given]}
    low, high, default = (round(bound) for bound in _range({**_bounds(entry), **entry}, warn))
    if (largest := max(map(abs, (low, high, *words.values())))) > LARGEST_INT:
        raise InputError(f"a whole number is {largest}, must be at most {LARGEST_INT}")
    if not words:
        return Parameter(entry["NAME"], default, low, high, description=about, kind="int")
    chosen = next((word for word, value in words.items() if value == default), next(iter(words)))
    return Parameter(entry["NAME"], chosen, description=about, kind="choice", choices=tuple(words))


def _vector(entry: Json, kind: Literal["point", "color"], about: str, warn: Warn) -> Parameter:
    black = (0.0, 0.0, 0.0, 1.0)
    size = 4 if kind == "color" else 2
    default = _components(entry, "DEFAULT", black[:size])
    low = _components(entry, "MIN", (min(0.0, *default),))
    high = _components(entry, "MAX", (max(1.0, *default),))
    lowest, highest = _ordered(min(low), max(high), warn)
    padded = (*default, *black[len(default) : size])[:size]
    held = tuple(min(max(one, lowest), highest) for one in padded)
    return Parameter(entry["NAME"], held, lowest, highest, description=about, kind=kind)


def _components(entry: Json, key: str, otherwise: tuple[float, ...]) -> tuple[float, ...]:
    values = entry.get(key)
    if not _is_given(entry, key):
        return otherwise
    values = _listed(values)
    return tuple(number({key: value}, key) for value in values)


def _listed(values: Any) -> list[Any]:
    """The components of a value: also of #ff8800, of "1, 0.5, 0", and of an object of r, g, b or x, y."""
    if isinstance(values, Mapping):
        return [values[name] for names in COMPONENTS for name in names if name in values]
    if isinstance(values, str) and (digits := _HEX_COLOR.fullmatch(values.strip())):
        pairs = digits[1] if len(digits[1]) > 4 else "".join(2 * digit for digit in digits[1])
        return [byte / 255 for byte in bytes.fromhex(pairs)]
    if isinstance(values, str) and "," in values:
        return values.strip("[]() ").split(",")
    return values if isinstance(values, list) else [values]


def _bounds(entry: Json) -> Json:
    """The range of a long that only lists VALUES."""
    values = entry.get("VALUES")
    numbers = [n for v in values if (n := _as_number(v)) is not None] if isinstance(values, list) else []
    return {"MIN": min(numbers), "MAX": max(numbers)} if numbers else {}


def _as_number(value: object) -> float | None:
    """A finite float of a JSON number, of true and false, and of a number in quotes."""
    if not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) <= LARGEST_NUMBER else None
