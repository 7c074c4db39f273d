"""Documents: TOML files that a person edits, read as checked text.

A fault is a sentence: the file, the key, the value, and what is allowed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from perform.parameters import did_you_mean

Shape = TypeVar("Shape", bound=BaseModel)


class SceneError(ValueError):
    """A scene or setlist that cannot be played; `faults` has one line for every fault of the file."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def document(path: Path) -> dict[str, Any]:
    """The tables of a TOML file. Raises SceneError if it is invalid, OSError if it cannot be read."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SceneError([f"{path}: not valid TOML: {error}"]) from error


def parse_document(path: Path, model: type[Shape]) -> Shape:
    """A TOML file as a pydantic model. Raises SceneError with file, key and what is allowed."""
    return fitted(path, document(path), model)


def parse_leniently(
    path: Path, model: type[Shape], stand_ins: Mapping[str, Any] = MappingProxyType({})
) -> tuple[Shape, list[str]]:
    """A TOML file as a pydantic model, and its faults: a faulty key has its default, a required one its value
    in `stand_ins`, so that the reader can check the rest. Raises SceneError if too little is left."""
    table = document(path)
    try:
        return model.model_validate(table), []
    except ValidationError as error:
        found = error.errors()
    faults = [f"{path}: {_sentence(one, model)}" for one in found]
    for one in found:
        _remove(table, one["loc"])
    try:
        return model.model_validate({**stand_ins, **table}), faults
    except ValidationError as error:
        raise SceneError(faults) from error


def _remove(table: dict[str, Any], key: Sequence[int | str]) -> None:
    """Remove a key from a document; of a list that is itself wrong, the whole list."""
    *before, last = key
    place: Any = table
    with suppress(KeyError):  # a list around it is removed already
        for part in before:
            place = place[part]
        if isinstance(place, dict):
            place.pop(last, None)
        else:
            _remove(table, before)


def fitted(path: Path, table: Mapping[str, Any], model: type[Shape], key: str = "") -> Shape:
    """A table of a file, under `key`, as a pydantic model. Raises SceneError."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        before = f"{path}: {key}." if key else f"{path}: "
        raise SceneError([before + _sentence(e, model) for e in error.errors()]) from error


def _sentence(error: Any, model: type[BaseModel]) -> str:
    """A fault that pydantic found: key, value and what is allowed."""
    key = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error["loc"]).lstrip(".")
    if error["type"] == "extra_forbidden":
        inner = len(error["loc"]) > 1  # the model knows the keys of the outermost table only
        return f"{key} is unknown{'' if inner else near(str(error['loc'][-1]), model.model_fields)}"
    if error["type"] == "missing":
        return f"{key} is missing"
    if error["type"] == "list_type" and isinstance(error["input"], Mapping):
        return f"{key} must be tables, each headed [[{key}]]"
    expected = (
        error["msg"].replace("Input should be a valid", "must be a").replace("Input should be", "must be")
    )
    return f"{key} = {error['input']!r}, {expected[:1].lower()}{expected[1:]}"


def near(word: str, known: Collection[str]) -> str:
    """The end of a message: the known name most like a word, or all of them."""
    hint = did_you_mean(word, known, 1)
    return f", {hint}" if hint else f"; known: {', '.join(known) or 'none'}"
