"""Compiled networks on disk, so that a model opens at once the second time.

A file holds one network: facts on it, its compiled parts and a checksum. It is written whole or not at all;
a damaged file is deleted and the network is compiled again.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from perform import paths
from perform.faults import reason
from perform.networks.blending import BlendTensors
from perform.networks.families import code_digest
from perform.networks.weights import Weights

Facts: TypeAlias = dict[str, Any]  # JSON: how a network was compiled

log = logging.getLogger("perform")

MOST_CACHE_BYTES = 4 * 2**30  # bytes of all files; those that were used longest ago go first
CHECKSUM_BYTES = 32  # bytes of the checksum
LENGTH_BYTES = 8  # bytes of the length of the facts


def cache_key(weights: Weights, other: BlendTensors | None, *form: object) -> str:
    """A name for the compiled form of weights and of a blend; `form` is everything else that it depends on.

    Our code is part of it, since other code makes another graph.
    """
    sha = hashlib.sha256(repr((weights.config, *form)).encode())
    sha.update(code_digest())
    for arrays in (weights.arrays, other.arrays if other else {}):
        for name, array in sorted(arrays.items()):
            sha.update(name.encode())
            sha.update(np.ascontiguousarray(array).data)
    return sha.hexdigest()


def load_compiled(name: str) -> tuple[Facts, list[memoryview]] | None:
    """The facts and parts of a compiled network. None if it is missing or damaged.

    Parts are views: to copy some hundred MB would stop the interpreter during a show.
    """
    file = _cache_folder() / f"{name}.bin"
    try:
        text = memoryview(file.read_bytes())
        file.touch()
    except OSError:
        return None
    body, checksum = text[:-CHECKSUM_BYTES], text[-CHECKSUM_BYTES:]
    if hashlib.sha256(body).digest() != checksum:
        discard_compiled(name)
        return None
    size = int.from_bytes(body[:LENGTH_BYTES], "little")
    facts: Facts = json.loads(bytes(body[LENGTH_BYTES : LENGTH_BYTES + size]))
    parts, at = [], LENGTH_BYTES + size
    for length in facts.pop("lengths"):
        parts.append(body[at : at + length])
        at += length
    return facts, parts


def save_compiled(name: str, facts: Facts, parts: Sequence[bytes | memoryview]) -> None:
    """Save a compiled network. If the disk cannot be written, a warning is logged."""
    header = json.dumps({**facts, "lengths": [len(part) for part in parts]}).encode()
    folder, sha = _cache_folder(), hashlib.sha256()
    suffix = f".{os.getpid()}.part"  # another process may be keeping the same one
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with paths.whole_file(folder / f"{name}.bin", suffix) as partial, partial.open("wb") as file:
            for piece in (len(header).to_bytes(LENGTH_BYTES, "little"), header, *parts):
                sha.update(piece)
                file.write(piece)
            file.write(sha.digest())
        _remove_oldest(folder)
    except OSError as error:
        log.warning("a compiled network could not be kept: %s", reason(error))


def discard_compiled(name: str) -> None:
    """Delete a damaged file."""
    log.warning("a compiled network was damaged and is made again")
    with suppress(OSError):
        (_cache_folder() / f"{name}.bin").unlink()


def _cache_folder() -> Path:
    return paths.user_cache() / "compiled"


def _remove_oldest(folder: Path) -> None:
    """Delete the files that were not used for longest, down to the limit."""
    files = sorted(folder.glob("*.bin"), key=lambda file: file.stat().st_mtime, reverse=True)
    total = 0
    for file in files:
        total += file.stat().st_size
        if total > MOST_CACHE_BYTES:
            file.unlink()
