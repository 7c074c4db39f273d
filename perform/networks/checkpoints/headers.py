"""What the model files of other projects are, remembered on disk: to tell it, such a file is read whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias

from perform import paths
from perform.networks import ModelError
from perform.networks.weights import Config, config_of, sources_digest

Header: TypeAlias = tuple[Any, dict[str, str]]  # configuration and notes
Stamp: TypeAlias = Sequence[Sequence[int | str]]  # of the files that it was read from: name, time, size


def recall(path: Path, stamp: Stamp) -> Header | None:
    """What was found in a file, as long as it and what is beside it have their stamp; None when it has to
    be read."""
    with suppress(OSError, ValueError, KeyError, TypeError, ModelError):
        kept = json.loads(_place(path).read_text("utf-8"))
        if kept["stamp"] == json.loads(json.dumps([sources_digest().hex(), *stamp])):
            return config_of(path, kept["family"], json.dumps(kept["config"])), dict(kept["notes"])
    return None


def remember(path: Path, stamp: Stamp, config: Config, notes: Mapping[str, str]) -> None:
    """Keep what was found in a file; a disk that takes nothing does no harm."""
    plain: Any = config
    kept = {
        "stamp": [sources_digest().hex(), *stamp],
        "family": config.family,
        "config": asdict(plain),
        "notes": dict(notes),
    }
    place = _place(path)
    partial = place.with_suffix(".part")
    with suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(json.dumps(kept), "utf-8")
        partial.replace(place)


def _place(path: Path) -> Path:
    """One file for each model's path, so that there are never more than there were models."""
    return (
        paths.user_cache()
        / "headers"
        / f"{sha256(str(path).encode('utf-8', 'replace')).hexdigest()[:32]}.json"
    )
