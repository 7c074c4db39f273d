"""The inputs of an ISF header as parameters: kinds, ranges, defaults, choices."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
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
COUNTED = ("bool", "event", "float", "long")  # types that a size may name
SET = ("bool", "color", "float", "long", "point2d")  # types that have a DEFAULT
TYPE_NAMES = "event, bool, long, float, point2D, color, image, audio, audioFFT"


_HEX_COLOR = re.compile(r"#([0-9a-fA-F]{3,4}|[0-9a-fA-F]{6}|[0-9a-fA-F]{8})")


def parameter(entry: Json, warn: Warn) -> Parameter:
    """The parameter of an input that is no image. `warn` gets what is left out, or taken otherwise than it
    stands there."""
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
            words = options(entry)
            return _choice(entry, words, about, warn) if words else _whole(entry, about, warn)
    low, high, default = _range(entry, warn)
    return Parameter(name, default, low, high, description=about, wraps=wraps and low < high)


def options(entry: Json) -> dict[str, int]:
    """The words and numbers of a long that has LABELS, or words as its VALUES; a number that has no word is
    its own word, and a word that stands twice has its number beside it."""
    values, labels = (entry[key] if isinstance(entry.get(key), list) else [] for key in ("VALUES", "LABELS"))
    numbers = [_held(number) for value in values if (number := _as_number(value)) is not None]
    labels = labels or ([] if numbers else values)
    if entry["TYPE"].lower() != "long" or not labels:
        return {}
    numbers = numbers or [*range(len(labels))]
    found: dict[str, int] = {}
    for whole, label in zip_longest(numbers, labels[: len(numbers)]):
        word = str(whole if label is None else label)
        found[f"{word} {whole}" if word in found else word] = whole
    return found


def number(entry: Json, key: str, warn: Warn) -> float | None:
    """The number of a key, None if it is not given, or none."""
    if not _is_given(entry, key):
        return None
    value = entry[key]
    found = _as_number(value[0] if isinstance(value, list) and len(value) == 1 else value)
    if found is None:
        _leave_out(key, value, warn)
    return found


def lacks_default(entry: Json) -> bool:
    """Whether an input that may have a DEFAULT has none."""
    return entry["TYPE"].lower() in SET and not any(_is_given(entry, key) for key in ("DEFAULT", "IDENTITY"))


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
    given = _default(entry, warn)
    default = given or 0.0
    low, high = (number(entry, key, warn) for key in ("MIN", "MAX"))
    low = min(0.0, default) if low is None else low
    low, high = _ordered(low, max(1.0, default, low) if high is None else high, warn)
    if given is not None:
        low, high = _widened((given,), low, high, warn)
    return low, high, min(max(default, low), high)


def _default(entry: Json, warn: Warn) -> float | None:
    """DEFAULT, or IDENTITY where it is missing."""
    found = number(entry, "DEFAULT", warn)
    return number(entry, "IDENTITY", warn) if found is None else found


def _is_given(entry: Json, key: str) -> bool:
    return entry.get(key) not in (None, "", [])


def _leave_out(key: str, value: object, warn: Warn) -> None:
    warn(f"{key} = {value!r} is left out, must be a number within {-LARGEST_NUMBER:g}..{LARGEST_NUMBER:g}")


def _ordered(low: float, high: float, warn: Warn) -> tuple[float, float]:
    if low > high:
        warn(f"MIN = {low:g} is above MAX = {high:g}: they are swapped")
    return min(low, high), max(low, high)


def _widened(default: Sequence[float], low: float, high: float, warn: Warn) -> tuple[float, float]:
    """The range with a default that its author set outside of it."""
    wide = min(low, *default), max(high, *default)
    if wide != (low, high):
        shown = ", ".join(f"{one:g}" for one in default)
        warn(f"DEFAULT = {shown} is outside {low:g}..{high:g}: the range is {wide[0]:g}..{wide[1]:g}")
    return wide


def _whole(entry: Json, about: str, warn: Warn) -> Parameter:
    bounds = _range({**_bounds(entry), **entry}, warn)
    if max(map(abs, bounds)) > LARGEST_INT:
        warn(f"its numbers must be within {-LARGEST_INT}..{LARGEST_INT}, others are held there")
    low, high, default = map(_held, bounds)
    return Parameter(entry["NAME"], default, low, high, description=about, kind="int")


def _choice(entry: Json, words: Mapping[str, int], about: str, warn: Warn) -> Parameter:
    """A long whose values have words. DEFAULT is one of the values, or one of the words."""
    chosen = entry.get("DEFAULT")
    if not isinstance(chosen, str) or chosen not in words:
        wanted = _default(entry, warn)
        first = next(iter(words))
        chosen = next((word for word, value in words.items() if value == _held(wanted or 0.0)), first)
        if wanted is not None and words[chosen] != wanted:
            warn(f"DEFAULT = {wanted:g} is none of its values, it begins at {chosen!r}")
    return Parameter(entry["NAME"], chosen, description=about, kind="choice", choices=tuple(words))


def _vector(entry: Json, kind: Literal["point", "color"], about: str, warn: Warn) -> Parameter:
    black = (0.0, 0.0, 0.0, 1.0)
    size = 4 if kind == "color" else 2
    given = _components(entry, "DEFAULT", warn) or _components(entry, "IDENTITY", warn)
    default = (*given, *black[len(given) : size])[:size]
    low = _components(entry, "MIN", warn) or (min((0.0, *given)),)
    high = _components(entry, "MAX", warn) or (max((1.0, *given)),)
    lowest, highest = _ordered(min(low), max(high), warn)
    if given:
        lowest, highest = _widened(default, lowest, highest, warn)
    held = tuple(min(max(one, lowest), highest) for one in default)
    return Parameter(entry["NAME"], held, lowest, highest, description=about, kind=kind)


def _components(entry: Json, key: str, warn: Warn) -> tuple[float, ...]:
    """The numbers of a point or a color, none if it is not given, or if one of them is no number."""
    numbers = [_as_number(value) for value in _listed(entry[key])] if _is_given(entry, key) else []
    if None in numbers:
        _leave_out(key, entry[key], warn)
        return ()
    return tuple(number for number in numbers if number is not None)


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


def _held(number: float) -> int:
    """The whole number that GLSL can hold next to a number."""
    return round(min(max(number, -LARGEST_INT), LARGEST_INT))


def _as_number(value: object) -> float | None:
    """A finite float of a JSON number, of true and false, and of a number in quotes."""
    if not isinstance(value, int | float | str):
        return None
    try:
        found = float(value)
    except (ValueError, OverflowError):
        return None
    return found if abs(found) <= LARGEST_NUMBER else None
