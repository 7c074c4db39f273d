"""Arrays from the bytes of a file, and the files that hold nothing but arrays: npy, npz and safetensors.

Everything is checked before an array is made. Arrays are views of the file where that is possible: read-only,
and not always aligned. The layouts are those of `numpy.lib.format` and of safetensors' own description. The
library safetensors 0.8 gives numpy no bfloat16, and copies: such files are read by hand here.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator, Mapping
from operator import itemgetter
from typing import TypeAlias, TypeGuard

import numpy as np

from perform.arrays import AnyArray
from perform.networks import faults_of
from perform.networks.checkpoints.limits import CheckpointError, ReadLimits, shown
from perform.networks.checkpoints.values import Json, Key, Value
from perform.networks.checkpoints.zips import ZipView

Entry: TypeAlias = tuple[object, object, memoryview]  # of safetensors: its dtype, its shape, its bytes

NPY_MAGIC = b"\x93NUMPY"
NUMPY_KIND = re.compile(r"([<>|=]?)(b1|[iu][1248]|f[248]|c8|c16|[US][1-9]\d{0,5})")
# The header is a Python literal; numpy parses it, a pattern needs no parser.
NPY_HEADER = re.compile(
    r"\{'descr': '(?P<kind>[^']{1,12})', 'fortran_order': (?P<fortran>True|False),"
    r" 'shape': \((?P<shape>(\d{1,15}L?, ?)*(\d{1,15}L?)?)\),? ?\}\s*"
)
MOST_DIMENSIONS, MOST_VALUES = 16, 1 << 48  # of an array: how many, and of how many values in all
MOST_NPY_HEADER, MOST_JSON_HEADER = 1 << 16, 1 << 22  # bytes
SAFETENSORS_KINDS = {
    "F64": "f8", "F32": "f4", "F16": "f2", "BF16": "bf16", "I64": "i8", "I32": "i4", "I16": "i2", "I8": "i1",
    "U64": "u8", "U32": "u4", "U16": "u2", "U8": "u1", "BOOL": "b1",
}  # fmt: skip


def parse_kind(code: object) -> tuple[str, str]:
    """Byte order and kind of numpy's short name of a type. Types of objects are rejected."""
    found = NUMPY_KIND.fullmatch(code) if isinstance(code, str) else None
    if found is None:
        named = shown(code) if isinstance(code, str) else type(code).__name__
        why = " (arrays of objects hold pickles and are not read)" if "O" in named else ""
        raise CheckpointError(f"an array is of type {named}, must be of numbers or text{why}")
    return found[1], found[2]


def item_size(kind: str) -> int:
    """Bytes of one value."""
    return 2 if kind == "bf16" else np.dtype(kind).itemsize


def array_view(
    data: memoryview,
    kind: str,
    shape: object,
    limits: ReadLimits,
    *,
    order: object = "<",
    offset: object = 0,
    strides: object = None,
    fortran: bool = False,
    exact: bool = False,
) -> AnyArray:
    """An array of a kind (bf16 becomes float32) and shape over bytes, a view where it can be.

    `offset` and `strides` count values, `exact` asks for as many bytes as the shape has.
    Raises CheckpointError before anything is made that does not fit into the bytes and the limits.
    """
    sizes, size = _checked_shape(shape), item_size(kind)
    count = math.prod(sizes)
    start, *steps = _checked_strides(sizes, fortran, strides, offset)
    last = -1 if 0 in sizes else start + sum((one - 1) * step for one, step in zip(sizes, steps, strict=True))
    if (last + 1) * size > data.nbytes or (exact and count * size != data.nbytes):
        raise CheckpointError(f"an array {shape} of {kind} does not fit its {data.nbytes} bytes")
    limits.spend(count * max(size, 4 if kind == "bf16" else 1), f"an array {shape} of {kind}")
    stored = {"bf16": "u2", "b1": "u1"}.get(kind, kind)
    view: AnyArray = np.ndarray(
        sizes,
        np.dtype(stored).newbyteorder(">" if order == ">" else "<"),
        data,
        start * size if count else 0,
        tuple(step * size for step in steps),
    )
    if kind.startswith("U"):
        _check_text(data, order)
    if kind == "bf16":
        view = np.left_shift(view, np.uint32(16), dtype=np.uint32).view(np.float32)
    elif kind == "b1":
        view = np.not_equal(view, 0)
    return view if view.dtype.isnative else view.astype(kind)


def _check_text(data: memoryview, order: object) -> None:
    """Check the characters of an array of text: numpy fails later on invalid ones."""
    codes = np.frombuffer(data, np.dtype("u4").newbyteorder(">" if order == ">" else "<"), len(data) // 4)
    if codes.max(initial=0) > sys.maxunicode:
        raise CheckpointError("an array of text has invalid characters")


def _checked_shape(shape: object) -> tuple[int, ...]:
    """The shape, if it is one and not too large."""
    if not isinstance(shape, tuple) or len(shape) > MOST_DIMENSIONS:
        raise CheckpointError(f"an array has an invalid shape, or more than {MOST_DIMENSIONS} dimensions")
    if not _are_counts(shape):
        raise CheckpointError("an array has a shape that is not of whole numbers, or too large")
    if math.prod(one or 1 for one in shape) >= MOST_VALUES:
        raise CheckpointError(f"an array has the shape {shape}, which is too large")
    return shape


def _checked_strides(
    shape: tuple[int, ...], fortran: bool, strides: object, offset: object
) -> tuple[int, ...]:
    """The offset and then the strides, in values; None: those of an array without gaps."""
    if strides is None:
        sizes = shape if fortran else shape[::-1]
        steps = tuple(math.prod(sizes[:i]) for i in range(len(sizes)))
        strides = steps if fortran else steps[::-1]
    if not isinstance(strides, tuple) or len(strides) != len(shape):
        raise CheckpointError("an array has not one stride for each dimension")
    found = (offset, *strides)
    if not _are_counts(found):
        raise CheckpointError("an array has an offset or a stride that is negative or too large")
    return found


def _are_counts(values: tuple[object, ...]) -> TypeGuard[tuple[int, ...]]:
    """Whether values are whole numbers that can be sizes in memory."""
    return all(type(one) is int and 0 <= one < MOST_VALUES for one in values)


def read_npy(data: memoryview, limits: ReadLimits) -> AnyArray:
    """The array of an npy file."""
    wide = data[6] > 1
    start = 12 if wide else 10
    length = int.from_bytes(data[8:start], "little")
    if data[6] not in (1, 2, 3) or length > min(MOST_NPY_HEADER, len(data) - start):
        raise CheckpointError("the header of its array is cut off, or of a version after 3")
    found = NPY_HEADER.fullmatch(str(data[start : start + length], "latin-1"))
    if found is None:
        raise CheckpointError("the header of its array is not numpy's for an array of numbers or text")
    order, kind = parse_kind(found["kind"])
    shape = tuple(int(one.strip(" L")) for one in found["shape"].split(",") if one.strip())
    fortran = found["fortran"] == "True"
    return array_view(data[start + length :], kind, shape, limits, order=order, fortran=fortran, exact=True)


def read_npz(archive: ZipView, limits: ReadLimits) -> dict[Key, Value]:
    """The arrays of an npz file by name."""
    content: dict[Key, Value] = {}
    for name in archive.members:
        data = archive.read(name)
        if bytes(data[:6]) != NPY_MAGIC or len(data) < 12:
            raise CheckpointError(f"its member {shown(name)} is no array of numpy")
        with faults_of(shown(name)):
            content[name.removesuffix(".npy")] = read_npy(data, limits)
    return content


def read_safetensors(data: memoryview, limits: ReadLimits) -> tuple[dict[Key, Value], dict[str, str]]:
    """The arrays of a safetensors file by name, and its metadata."""
    length = int.from_bytes(data[:8], "little")
    if length > MOST_JSON_HEADER or length > len(data) - 8:
        raise CheckpointError(
            f"its header has {length} bytes, more than are there or than {MOST_JSON_HEADER}"
        )
    try:
        header = json.loads(str(data[8 : 8 + length], "utf-8"), object_pairs_hook=_unique_keys)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"its header is not readable: {shown(str(error))}") from error
    notes = header.pop("__metadata__", {})
    if not isinstance(notes, dict) or not all(isinstance(note, str) for note in notes.values()):
        raise CheckpointError("its metadata is not text by name")
    body = data[8 + length :]
    content: dict[Key, Value] = {}
    for name, entry in _entries_in_order(header, body):
        content[name] = _safetensors_array(name, entry, limits)
    return content, notes


def _unique_keys(pairs: list[tuple[str, Json]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise CheckpointError("its header has a name twice")
    return found


def _entries_in_order(header: Mapping[str, Json], body: memoryview) -> Iterator[tuple[str, Entry]]:
    """The entries in the order of the file, while no two share a byte and none leaves the file."""
    entries = []
    for name, entry in header.items():
        match entry:
            case {"data_offsets": [int(first), int(last)], **more} if bool not in (type(first), type(last)):
                entries.append((first, last, name, more.get("dtype"), more.get("shape")))
            case _:
                raise CheckpointError(f"its tensor {shown(name)} has no place in the file")
    end = 0
    for first, last, name, kind, shape in sorted(entries, key=itemgetter(0, 1, 2)):
        if not end <= first <= last <= len(body):
            raise CheckpointError(f"its tensor {shown(name)} lies over another one or outside of the file")
        end = last
        yield name, (kind, shape, body[first:last])


def _safetensors_array(name: str, entry: Entry, limits: ReadLimits) -> AnyArray:
    kind, shape, data = entry
    if not isinstance(kind, str) or kind not in SAFETENSORS_KINDS or not isinstance(shape, list):
        raise CheckpointError(
            f"its tensor {shown(name)} has a dtype that is not {', '.join(SAFETENSORS_KINDS)}"
        )
    with faults_of(shown(name)):
        return array_view(data, SAFETENSORS_KINDS[kind], tuple(shape), limits, exact=True)
