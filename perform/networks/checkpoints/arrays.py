"""Arrays out of bytes of a file, checked before anything is made; and the containers that hold arrays
and nothing else: npy and npz of numpy, safetensors.

Layouts are those of numpy's `numpy.lib.format` and of safetensors' own description. Arrays are views of
the file where that is possible: read-only, and not always aligned.
"""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np

from perform.arrays import AnyArray
from perform.networks.checkpoints.limits import CheckpointError, ReadLimits, shown
from perform.networks.checkpoints.zips import ZipView

NPY_MAGIC = b"\x93NUMPY"
NUMPY_KIND = re.compile(r"([<>|=]?)(b1|[iu][1248]|f[248]|c8|c16|[US][1-9]\d{0,5})")
# The header is a Python literal; numpy reads it with a parser, a pattern reads it without one.
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


def parse_kind(code: Any) -> tuple[str, str]:
    """Byte order and kind of numpy's short name of a type; those that would hold objects are refused."""
    found = NUMPY_KIND.fullmatch(code) if isinstance(code, str) else None
    if found is None:
        said = shown(code) if isinstance(code, str) else type(code).__name__
        why = " (arrays of objects hold pickles and are not read)" if "O" in said else ""
        raise CheckpointError(f"an array is of type {said}, must be of numbers or text{why}")
    return found[1], found[2]


def item_size(kind: str) -> int:
    """Bytes of one value."""
    return 2 if kind == "bf16" else np.dtype(kind).itemsize


def array_view(
    data: memoryview,
    kind: str,
    shape: Any,
    limits: ReadLimits,
    *,
    order: str = "<",
    offset: int = 0,
    strides: Any = None,
    fortran: bool = False,
    exact: bool = False,
) -> AnyArray:
    """An array of a kind (bf16 becomes float32) and shape over bytes, a view where it can be.

    `offset` and `strides` count values, `exact` asks for as many bytes as the shape has.
    Raises CheckpointError before anything is made that does not fit into the bytes and the limits.
    """
    count, size = _value_count(shape), item_size(kind)
    steps = _contiguous_strides(shape, fortran) if strides is None else strides
    last = _last_value(shape, steps, offset)
    if (last + 1) * size > data.nbytes or (exact and count * size != data.nbytes):
        raise CheckpointError(f"an array {shape} of {kind} does not fit its {data.nbytes} bytes")
    limits.spend(count * max(size, 4 if kind == "bf16" else 1), f"an array {shape} of {kind}")
    stored = {"bf16": "u2", "b1": "u1"}.get(kind, kind)
    view: AnyArray = np.ndarray(
        shape,
        np.dtype(stored).newbyteorder(">" if order == ">" else "<"),
        data,
        offset * size if count else 0,
        tuple(step * size for step in steps),
    )
    if kind.startswith("U"):
        _check_text(data, order)
    if kind == "bf16":
        view = np.left_shift(view, np.uint32(16), dtype=np.uint32).view(np.float32)
    elif kind == "b1":
        view = np.not_equal(view, 0)
    return view if view.dtype.isnative else view.astype(kind)


def _check_text(data: memoryview, order: str) -> None:
    """That the characters of an array of text are some; numpy fails on others when they are looked at."""
    codes = np.frombuffer(data, np.dtype("u4").newbyteorder(">" if order == ">" else "<"), len(data) // 4)
    if codes.max(initial=0) > sys.maxunicode:
        raise CheckpointError("an array of text has characters that are none")


def _value_count(shape: Any) -> int:
    """How many values a shape has, after a look at whether it is one."""
    if not isinstance(shape, tuple) or len(shape) > MOST_DIMENSIONS:
        raise CheckpointError(f"an array has a shape that is none, or more than {MOST_DIMENSIONS} dimensions")
    if any(type(one) is not int or not 0 <= one < MOST_VALUES for one in shape):
        raise CheckpointError("an array has a shape that is not of whole numbers, or too large")
    if math.prod(one or 1 for one in shape) >= MOST_VALUES:
        raise CheckpointError(f"an array has the shape {shape}, which is too large")
    return math.prod(shape)


def _contiguous_strides(shape: tuple[int, ...], fortran: bool) -> tuple[int, ...]:
    sizes = shape if fortran else shape[::-1]
    steps = tuple(math.prod(sizes[:i]) for i in range(len(sizes)))
    return steps if fortran else steps[::-1]


def _last_value(shape: tuple[int, ...], steps: Any, offset: Any) -> int:
    """The place of the value that lies last, -1 when there is none."""
    if not isinstance(steps, tuple) or len(steps) != len(shape):
        raise CheckpointError("an array has not one stride for each dimension")
    if any(type(one) is not int or not 0 <= one < MOST_VALUES for one in (offset, *steps)):
        raise CheckpointError("an array has an offset or a stride that is negative or too large")
    if 0 in shape:
        return -1
    return int(offset + sum((one - 1) * step for one, step in zip(shape, steps, strict=True)))


def read_npy(data: memoryview, limits: ReadLimits) -> AnyArray:
    """The array of an npy file."""
    wide = data[6] > 1
    start = 12 if wide else 10
    length = int.from_bytes(data[8:start], "little")
    if data[6] not in (1, 2, 3) or length > min(MOST_NPY_HEADER, len(data) - start):
        raise CheckpointError("the header of its array is cut off, or of a version after 3")
    found = NPY_HEADER.fullmatch(str(data[start : start + length], "latin-1"))
    if found is None:
        raise CheckpointError("the header of its array is none of numpy's for an array of numbers or text")
    order, kind = parse_kind(found["kind"])
    shape = tuple(int(one.strip(" L")) for one in found["shape"].split(",") if one.strip())
    fortran = found["fortran"] == "True"
    return array_view(data[start + length :], kind, shape, limits, order=order, fortran=fortran, exact=True)


def read_npz(archive: ZipView, limits: ReadLimits) -> dict[str, AnyArray]:
    """The arrays of an npz file by name."""
    content = {}
    for name in archive.members:
        data = archive.read(name)
        if bytes(data[:6]) != NPY_MAGIC or len(data) < 12:
            raise CheckpointError(f"its member {shown(name)} is no array of numpy")
        try:
            content[name.removesuffix(".npy")] = read_npy(data, limits)
        except CheckpointError as error:
            raise CheckpointError(f"{shown(name)}: {error}") from error
    return content


def read_safetensors(data: memoryview, limits: ReadLimits) -> tuple[dict[str, AnyArray], dict[str, str]]:
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
    return {
        name: _safetensors_array(body, name, entry, limits) for name, entry in _entries_in_order(header, body)
    }, notes


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise CheckpointError("its header has a name twice")
    return found


def _entries_in_order(header: dict[str, Any], body: memoryview) -> Iterator[tuple[str, dict[str, Any]]]:
    """The entries in the order of the file, while no two share a byte and none leaves the file."""
    spans = []
    for name, entry in header.items():
        span = entry.get("data_offsets") if isinstance(entry, dict) else None
        if not isinstance(span, list) or [type(one) for one in span] != [int, int]:
            raise CheckpointError(f"its tensor {shown(name)} has no place in the file")
        spans.append((*span, name))
    end = 0
    for first, last, name in sorted(spans):
        if not end <= first <= last <= len(body):
            raise CheckpointError(f"its tensor {shown(name)} lies over another one or outside of the file")
        end = last
        yield name, header[name]


def _safetensors_array(body: memoryview, name: str, entry: dict[str, Any], limits: ReadLimits) -> AnyArray:
    kind, shape, (first, last) = entry.get("dtype"), entry.get("shape"), entry["data_offsets"]
    if not isinstance(kind, str) or kind not in SAFETENSORS_KINDS or not isinstance(shape, list):
        raise CheckpointError(
            f"its tensor {shown(name)} has a dtype that is not {', '.join(SAFETENSORS_KINDS)}"
        )
    try:
        return array_view(body[first:last], SAFETENSORS_KINDS[kind], tuple(shape), limits, exact=True)
    except CheckpointError as error:
        raise CheckpointError(f"{shown(name)}: {error}") from error
