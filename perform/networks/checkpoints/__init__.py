"""Model files of any origin, read as data: nothing in them is ever imported, called or run.

The content of a file decides what it is, not its name. `read_checkpoint` returns a plain tree; what the names
in it mean (which project's network it is) is known in perform/generators/dialects.
"""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np

from perform.networks.checkpoints import arrays, torchfiles
from perform.networks.checkpoints.limits import MOST_FILE_BYTES, MOST_NESTING, CheckpointError, ReadLimits
from perform.networks.checkpoints.pickles import DAMAGE_ERRORS
from perform.networks.checkpoints.values import Record, Value
from perform.networks.checkpoints.zips import ZipView

__all__ = ["Checkpoint", "CheckpointError", "Container", "Record", "read_checkpoint"]

Container: TypeAlias = Literal["torch zip", "torch legacy", "pickle", "safetensors", "npz", "npy"]

ALLOWED_FILES = "must be a model file of torch, NVIDIA's pickle, safetensors, npz or npy"
OTHER_FILES = (
    (b"version https://git-lfs", "a Git LFS pointer: the file itself was not downloaded (git lfs pull)"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"\x89PNG", "a PNG picture"),
    (b"GIF8", "a GIF picture"),
    (b"RIFF", "a WebP picture, a sound or a film"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "packed with gzip: unpack it first"),
    (b"BZh", "packed with bzip2: unpack it first"),
    (b"\xfd7zXZ", "packed with xz: unpack it first"),
    (b"7z\xbc\xaf", "a 7z archive: unpack it first"),
    (b"Rar!", "a RAR archive: unpack it first"),
    (b"\x89HDF", "an HDF5 file"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)
TAR_FILE = (257, b"ustar", "a tar file, the form of torch before 0.2: load and save it with a torch of today")
HTML_STARTS = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<script")
TEXT_OPCODES = b"(]}c"  # how pickles of protocol 0 and 1 begin; text may, too
LEAVES = (str, int, float, complex, bytes, memoryview, np.ndarray)  # values that hold no others


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a file holds: a tree of dict, list, tuple, str, numbers, None, memoryview (bytes), arrays and
    inert Records; no part of it contains itself. Sets are lists, torch devices are text.

    Arrays are read-only views of the file where that is possible, and then not always aligned: copy
    what you keep. `size` is the file's, in bytes; `notes` are its remarks (metadata of safetensors).
    """

    container: Container
    content: Value
    size: int
    notes: Mapping[str, str] = field(default_factory=dict)


def read_checkpoint(path: str | Path, inert: Sequence[str] = ()) -> Checkpoint:
    """Read a model file without running anything in it.

    `inert` are beginnings of further names (`torch.nn.modules.`) that become records instead of errors; they
    are not imported or called either. CheckpointError names the file, the fault and what is allowed.
    """
    path = Path(path)
    try:
        data = _mapped_file(path)
        limits = ReadLimits(len(data))
        container, content, notes = _content(data, limits, tuple(inert))
        _check_tree(content, limits)
    except CheckpointError as error:
        raise CheckpointError(f"{path}: {error}") from error
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from error
    except (*DAMAGE_ERRORS, zlib.error) as error:
        raise CheckpointError(f"{path} is damaged or cut off") from error
    return Checkpoint(container, content, len(data), notes)


def _mapped_file(path: Path) -> memoryview:
    """The bytes of a file, mapped: they are read when they are used."""
    if not path.is_file():
        raise CheckpointError(f"{'this is not a file' if path.exists() else 'there is no such file'}")
    size = path.stat().st_size
    if not 0 < size <= MOST_FILE_BYTES:
        raise CheckpointError(f"it has {size} bytes, may have 1 to {MOST_FILE_BYTES}; {ALLOWED_FILES}")
    with path.open("rb") as file:
        return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))


def _content(
    data: memoryview, limits: ReadLimits, inert: tuple[str, ...]
) -> tuple[Container, Value, Mapping[str, str]]:
    """Container, content and notes, by how the bytes begin."""
    head = bytes(data[:512])
    if head.startswith(b"PK"):
        archive = ZipView(data, limits)
        if archive.members and all(name.endswith(".npy") for name in archive.members):
            return "npz", arrays.read_npz(archive, limits), {}
        return "torch zip", torchfiles.read_zip(archive, limits, inert), {}
    if head.startswith(arrays.NPY_MAGIC):
        return "npy", arrays.read_npy(data, limits), {}
    if head.startswith(torchfiles.MAGIC_BYTES):
        return "torch legacy", torchfiles.read_legacy(data, limits, inert), {}
    # Before pickles: a header's length may begin with the byte that they begin with.
    if head[8:9] == b"{" and int.from_bytes(head[:8], "little") <= arrays.MOST_JSON_HEADER:
        return "safetensors", *arrays.read_safetensors(data, limits)
    if head[0] == 0x80:
        content = torchfiles.read_nvidia(data, limits, inert)
        if isinstance(content, int) and content == torchfiles.MAGIC:  # by another protocol than torch's own
            return "torch legacy", torchfiles.read_legacy(data, limits, inert), {}
        return "pickle", content, {}
    if head[0] in TEXT_OPCODES and data[-1] == ord("."):
        return "pickle", torchfiles.read_nvidia(data, limits, inert), {}
    raise CheckpointError(f"it is {_other_file(head)}; {ALLOWED_FILES}")


def _other_file(head: bytes) -> str:
    """What a file is that is not a model."""
    if (named := next((what for start, what in OTHER_FILES if head.startswith(start)), None)) is not None:
        return named
    if head[TAR_FILE[0] :].startswith(TAR_FILE[1]):
        return TAR_FILE[2]
    if head.lstrip().lower().startswith(HTML_STARTS):
        return "a page of the web: the download failed or asked for a login"
    printed = all(byte >= 32 or byte in b"\t\n\r" for byte in head)
    return "text" if printed else "of a form that is not known"


def _check_tree(content: Value, limits: ReadLimits) -> None:
    """Check that content is a finite tree of plain values, so that a walk through it ends.

    A shared container counts once for each place where it is: lists of lists of the same list are small to
    read and endless to walk. One that contains itself is too deep.
    """
    open_containers: list[Iterator[Value]] = [iter((content,))]
    while open_containers:
        for value in open_containers[-1]:
            if children := _children(value):
                limits.step(len(children))
                open_containers.append(iter(children))
                if len(open_containers) > MOST_NESTING:
                    raise CheckpointError(f"its values lie more than {MOST_NESTING} deep within each other")
                break
        else:
            open_containers.pop()


def _children(value: Value) -> Collection[Value]:
    if value is None or isinstance(value, LEAVES):
        return ()
    if isinstance(value, dict):
        return value.values()
    if isinstance(value, list | tuple):
        return value
    if isinstance(value, Record):
        return (value.args, value.state)
    raise CheckpointError("it holds storages of torch that are not tensors")
