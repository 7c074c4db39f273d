"""Shards: plain tar files of pictures, each followed by a JSON file with its facts.

A picture is two members, `00000042.png` and `00000042.json`, as WebDataset reads them (Aizman, Maltby and
Breuel, "High performance I/O for large scale deep learning", IEEE Big Data 2019). The same pictures give the
same bytes: the headers have no times, owners or machine names (POSIX.1-1988 ustar). The webdataset package is
not used: it reads streams, not single pictures, and checks no bounds.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from perform.paths import commit_file
from perform.training.dataset.manifest import DatasetError, Shard

PICTURES, BYTES = 1000, 64 * 2**20  # a shard is full when it has so many of either
LARGEST_PICTURE = 2**28  # bytes of one picture
_BLOCK = 512
_MEMBER = re.compile(rb"([0-9]{8,12})\.(png|jpg|webp|json)")


class ShardWriter:
    """Writes `folder/name` as `name.part`, which becomes `name` when it is finished. Raises OSError."""

    def __init__(self, folder: Path, name: str) -> None:
        self.pictures = 0
        self._path, self._part = folder / name, folder / f"{name}.part"
        self._file = self._part.open("wb")
        self._tar = tarfile.open(fileobj=self._file, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115

    @property
    def full(self) -> bool:
        """Whether the next picture belongs into another shard."""
        return self.pictures >= PICTURES or self._tar.offset >= BYTES

    def add(self, key: str, ending: str, data: bytes, facts: Mapping[str, object]) -> None:
        """Add an encoded picture and its facts."""
        self._member(f"{key}.{ending}", data)
        self._member(f"{key}.json", json.dumps(facts, separators=(",", ":")).encode())
        self.pictures += 1

    def finish(self) -> Shard:
        """Close the file, force it to the disk, and give it its name."""
        self._tar.close()
        self._file.close()
        commit_file(self._part, self._path)
        return Shard(self._path.name, self.pictures, self._path.stat().st_size, file_sha256(self._path))

    def discard(self) -> None:
        """Delete an unfinished shard, without an error."""
        with suppress(OSError):  # the rest of the buffer meets the same full disk
            self._file.close()
        with suppress(OSError):  # else the next run overwrites it
            self._part.unlink(missing_ok=True)

    def _member(self, name: str, data: bytes) -> None:
        head = tarfile.TarInfo(name)
        head.size, head.mode = len(data), 0o644
        self._tar.addfile(head, io.BytesIO(data))


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def picture_offsets(path: Path) -> Iterator[tuple[int, int, int, int]]:
    """Offset and length of each picture and of its facts, from the headers of a shard. DatasetError."""
    try:
        with path.open("rb") as file:
            members = list(_members(file, path))
    except OSError as error:
        raise DatasetError(f"{path}: {error.strerror or error}") from error
    for picture, facts in zip(members[::2], members[1::2], strict=False):
        if picture[0] != facts[0] or picture[1] == b"json" or facts[1] != b"json":
            raise DatasetError(f"{path}: {picture[0].decode()} must be a picture followed by its .json")
        yield *picture[2:], *facts[2:]
    if len(members) % 2:
        raise DatasetError(f"{path}: its last picture has no .json")


def _members(file: BinaryIO, path: Path) -> Iterator[tuple[bytes, bytes, int, int]]:
    """Key, ending, offset and length of every member; tarfile takes ten times as long."""
    at, end = 0, file.seek(0, os.SEEK_END)
    while True:
        file.seek(at)
        head = file.read(_BLOCK)
        if len(head) == _BLOCK and not any(head):
            return
        name, length = _header(head, path)
        at += _BLOCK
        if at + length > end:
            raise DatasetError(f"{path}: cut off at {name[0].decode()}")
        yield *name, at, length
        at += -(-length // _BLOCK) * _BLOCK


def _header(head: bytes, path: Path) -> tuple[tuple[bytes, bytes], int]:
    """Key and ending, and the length, of a header."""
    if len(head) < _BLOCK:
        raise DatasetError(f"{path}: cut off")
    name = _MEMBER.fullmatch(head[:100].rstrip(b"\0"))
    sound = head[156:157] in (b"0", b"\0") and _octal(head[148:156]) == sum(head) - sum(head[148:156]) + 256
    length = _octal(head[124:136])
    if name is None or not sound or not 0 <= length <= LARGEST_PICTURE:
        raise DatasetError(f"{path}: damaged, or not written by perform dataset")
    return (name[1], name[2]), length


def _octal(text: bytes) -> int:
    """The number in a header's field; -1 of anything else."""
    digits = text.strip(b"\0 ")
    return int(digits, 8) if re.fullmatch(rb"[0-7]{1,12}", digits) else -1
