"""`dataset.json`: the pictures' size and recipe, their counts, and the hashes of their shards."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

DATASET_FORMAT = 1  # of dataset.json and of the folder around it
FILE, SHARDS, DROPPED, REPORT = "dataset.json", "shards", "dropped.csv", "report.html"
SHORTEST_READ, LONGEST_READ = 16, 4096  # a side in pixels
LARGEST_FILE = 64 * 2**20  # bytes of a dataset.json: a million pictures have 100 kB
SHARD_NAME = re.compile(r"[0-9]{6}\.tar")
SHA256 = re.compile(r"[0-9a-f]{64}")

Recipe: TypeAlias = Mapping[str, str | int | float | bool]


class DatasetError(ValueError):
    """A dataset cannot be made or read; the sentence says which and why."""


@dataclass(frozen=True, slots=True)
class Shard:
    """A finished tar: its name, number of pictures, length in bytes, and hash."""

    name: str
    pictures: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Counts:
    """The counts of the outcomes: `seen` is `kept` and all that were `dropped`, by reason.

    `handled` counts how kept pictures were handled, such as rotation; `rest` the items after the limit was
    reached (None: unknown, as with films).
    """

    seen: int
    kept: int
    dropped: Mapping[str, int] = field(default_factory=dict)
    handled: Mapping[str, int] = field(default_factory=dict)
    rest: int | None = 0


@dataclass(frozen=True, slots=True)
class Manifest:
    """A dataset.json. `recipe` is its source and its settings."""

    size: tuple[int, int]  # width, height
    mirror: bool
    recipe: Recipe
    counts: Counts
    shards: tuple[Shard, ...]

    @property
    def text(self) -> str:
        """The text of the file; `parse_manifest` reads it."""
        return json.dumps({"format": DATASET_FORMAT, "channels": 3, **asdict(self)}, indent=1) + "\n"


def read_manifest(file: Path) -> Manifest:
    """The manifest in a file. Raises DatasetError with the file's name and the fault."""
    try:
        if file.stat().st_size > LARGEST_FILE:
            raise DatasetError(f"{file.stat().st_size} bytes, must be {LARGEST_FILE} at most")
        return parse_manifest(file.read_bytes())
    except (DatasetError, OSError) as error:
        raise DatasetError(f"{file}: {getattr(error, 'strerror', None) or error}") from error


def parse_manifest(text: str | bytes) -> Manifest:
    """The manifest of a text. Raises DatasetError for any invalid text."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DatasetError(f"not a dataset's description: {error}") from error
    if not isinstance(data, dict):
        raise DatasetError("not a dataset's description: no object")
    if data.get("format") != DATASET_FORMAT:
        raise DatasetError(f"format = {_short_repr(data.get('format'))}, must be {DATASET_FORMAT}")
    if data.get("channels") != 3:
        raise DatasetError(f"channels = {_short_repr(data.get('channels'))}, must be 3")
    made = Manifest(
        tuple(_field(data, "size", _is_size, f"[width, height], each {SHORTEST_READ}..{LONGEST_READ}")),
        _field(data, "mirror", _is(bool), "true or false"),
        _field(data, "recipe", _object_of(_is_scalar), "an object of texts and numbers"),
        _counts(_field(data, "counts", _is(dict), "an object")),
        tuple(_shard(one) for one in _field(data, "shards", _is(list), "a list")),
    )
    _agree(made)
    return made


def _counts(data: dict[str, object]) -> Counts:
    return Counts(
        _field(data, "seen", _is_count, "a count"),
        _field(data, "kept", _is_count, "a count"),
        _field(data, "dropped", _object_of(_is_count), "counts by reason"),
        _field(data, "handled", _object_of(_is_count), "counts"),
        _field(data, "rest", lambda value: value is None or _is_count(value), "a count or null"),
    )


def _shard(data: object) -> Shard:
    if not isinstance(data, dict):
        raise DatasetError(f"shards: {_short_repr(data)}, must be an object")
    return Shard(
        # a name must not lead out of the folder of shards
        _field(data, "name", _matches(SHARD_NAME), "a name such as 000000.tar"),
        _field(data, "pictures", lambda value: _in_range(value, 1, 2**40), "a count from 1 on"),
        _field(data, "bytes", _is_count, "a count"),
        _field(data, "sha256", _matches(SHA256), "64 hexadecimal digits"),
    )


def _agree(made: Manifest) -> None:
    counts = made.counts
    if counts.seen != counts.kept + sum(counts.dropped.values()):
        raise DatasetError(f"counts: seen = {counts.seen}, must be all that was kept and dropped")
    if counts.kept != sum(shard.pictures for shard in made.shards):
        raise DatasetError(f"counts: kept = {counts.kept}, must be the pictures of all shards")
    if len({shard.name for shard in made.shards}) < len(made.shards):
        raise DatasetError("shards: a name appears twice")


def _field(data: dict[str, object], name: str, fits: Callable[[object], bool], what: str) -> Any:
    if name not in data:
        raise DatasetError(f"{name} is missing, must be {what}")
    if not fits(data[name]):
        raise DatasetError(f"{name} = {_short_repr(data[name])}, must be {what}")
    return data[name]


def _is(kind: type) -> Callable[[object], bool]:
    return lambda value: isinstance(value, kind)


def _matches(pattern: re.Pattern[str]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _in_range(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_count(value: object) -> bool:
    return _in_range(value, 0, 2**60)


def _is_size(value: object) -> bool:
    sides = value if isinstance(value, list) else []
    return len(sides) == 2 and all(_in_range(side, SHORTEST_READ, LONGEST_READ) for side in sides)


def _object_of(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: isinstance(value, dict) and all(map(fits, value.values()))


def _is_scalar(value: object) -> bool:
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _short_repr(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
