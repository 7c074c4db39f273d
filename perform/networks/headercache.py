"""Configurations and notes of other projects' model files, cached: to know them, a file is read whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TypeAlias

from perform import paths
from perform.networks import ModelError
from perform.networks.families import code_digest
from perform.networks.modelfiles import parse_config
from perform.networks.weights import NetworkConfig

Header: TypeAlias = tuple[NetworkConfig, dict[str, str]]  # configuration and notes
Stamp: TypeAlias = Sequence[Sequence[int | str]]  # of the files that it was read from: name, time, size


def cached_header(path: Path, stamp: Stamp) -> Header | None:
    """The cached configuration and notes of a file. None if the file, the descriptions beside it or our code
    changed, or if nothing is cached."""
    with suppress(OSError, ValueError, KeyError, TypeError, ModelError):
        kept = json.loads(_cache_file(path).read_text("utf-8"))
        if kept["stamp"] == json.loads(json.dumps([code_digest().hex(), *stamp])):
            return parse_config(path, kept["family"], json.dumps(kept["config"])), dict(kept["notes"])
    return None


def cache_header(path: Path, stamp: Stamp, config: NetworkConfig, notes: Mapping[str, str]) -> None:
    """Cache what was found in a file. If the disk cannot be written, nothing happens."""
    kept = {
        "stamp": [code_digest().hex(), *stamp],
        "family": config.family,
        "config": asdict(config),
        "notes": dict(notes),
    }
    place = _cache_file(path)
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        paths.write_whole(place, json.dumps(kept).encode())


def _cache_file(path: Path) -> Path:
    """The cache file of a model: one for each path."""
    digest = sha256(str(path).encode("utf-8", "replace")).hexdigest()
    return paths.user_cache() / "headers" / f"{digest[:32]}.json"
