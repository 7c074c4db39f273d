"""Documents: TOML files that a person edits, read as checked text.

A fault is a sentence: the file, the key, the value, and what is allowed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
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
