"""Messages of feeds: their fields by name, each a number or another text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from perform.inputs.quantities import QUANTITY, SWITCHES, joined_digits, number_of
from perform.signals import as_number

Fields: TypeAlias = Mapping[str, float | str]

LONGEST_MESSAGE = 1 << 20  # bytes of one message
LONGEST_LINE = 4096  # characters of a line that is not JSON
MOST_VALUES, DEEPEST_JSON = 256, 8  # values of one message, and levels of a JSON value
LIST_COMMA = re.compile(r"(?<!\d),|,(?!\d)")
# Possessive, so that none is tried twice: a garbage line of 4096 letters held the interpreter for 0.2 s.
# A comma within digits is a decimal comma if a key, or nothing, follows them.
KEY_VALUE = re.compile(
    r"""
    (?<![\w.-]) ([A-Za-z_][\w.-]*+) \s*+ [=:] \s*+
    ( [^\s,;&]++ (?: ,\d[^\s,;&]*+ (?= \s*+ (?: [;&] | $ | ,?+ \s*+ [A-Za-z_][\w.-]*+ \s*+ [=:] ) ) )?+ )
    """,
    re.VERBOSE,
)


def fields(message: str) -> dict[str, float | str]:
    """The fields of a message by their names: of JSON their paths (`a.b.0`), of `key=value` pairs their keys,
    of CSV their columns from 0, of one number "". What is no number is its text.

    Numbers may be texts with decimal commas and units, as `number_of` takes them; with semicolons or tabs
    between columns, commas are decimal ones. Words such as ON come after all numbers.
    """
    if len(message) > LONGEST_MESSAGE:
        return {}
    texts = dict(_texts(message))
    ordered = sorted(
        texts, key=lambda name: _is_switch(texts[name])
    )  # the first number is one if there is one
    return {name: _read(texts[name]) for name in ordered}


def numbers(message: str) -> dict[str, float]:
    """The numbers of a message by their names, as `fields` has them."""
    return {name: value for name, value in fields(message).items() if isinstance(value, float)}


def chosen(found: Fields, path: str) -> float | None:
    """The number of that name; without a name, the first."""
    if path:
        value = found.get(path)
        return value if isinstance(value, float) else None
    return next((value for value in found.values() if isinstance(value, float)), None)


def _texts(message: str) -> Iterable[tuple[str, float | str]]:
    try:
        content = json.loads(message)
    except (ValueError, RecursionError):
        return _line_fields(joined_digits(message.strip()[:LONGEST_LINE]))
    return _flat("", content, DEEPEST_JSON)


def _read(value: float | str) -> float | str:
    number = number_of(value) if isinstance(value, str) else value
    return value if number is None else number


def _is_switch(value: float | str) -> bool:
    return isinstance(value, str) and value.strip().casefold() in SWITCHES


def _line_fields(line: str) -> Iterator[tuple[str, float | str]]:
    """The fields of a line that is not JSON, as texts."""
    pairs = KEY_VALUE.findall(line)[:MOST_VALUES]
    if pairs:
        yield from pairs
        return
    alone = QUANTITY.fullmatch(line)
    words = [line] if alone and alone["unit"] else _columns(line)  # 23,5 °C is one number, 23,5 are two
    yield from ((str(i), word.strip()) for i, word in enumerate(words[:MOST_VALUES]) if word.strip())


def _columns(line: str) -> list[str]:
    """The columns of a line: between semicolons or tabs, if all commas are within numbers; else between any
    of these, commas and spaces."""
    if (";" in line or "\t" in line) and not LIST_COMMA.search(line):
        return re.split(r"[;\t]", line)
    return re.split(r" *+[,;\t] *+| ++", line)


def _flat(path: str, content: object, depth: int) -> Iterator[tuple[str, float | str]]:
    """Every number and text below a JSON value, at most MOST_VALUES of each level."""
    if isinstance(content, dict | list) and depth:
        items = list(content.items() if isinstance(content, dict) else enumerate(content))[:MOST_VALUES]
        for key, value in items:
            yield from _flat(f"{path}.{key}" if path else str(key), value, depth - 1)
    elif (number := as_number(content)) is not None:
        yield path, number
    elif isinstance(content, str):
        yield path, content
    elif not isinstance(content, dict | list):
        yield path, json.dumps(content)  # null, NaN, Infinity, and what is too large
