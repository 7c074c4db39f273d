"""Small files that declare much, damaged files and random files: only CheckpointError, little time and
memory.
"""

from __future__ import annotations

import io
import json
import os
import pickle
import struct
import tracemalloc
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from perform.networks.checkpoints import CheckpointError, limits, read_checkpoint
from perform.networks.checkpoints.modules import torch_module
from tests.doubles import checkpoint_files as files
from tests.doubles.checkpoint_files import FLOAT, WEIGHT, Call, Name, Outside, nested, opened

MEGABYTE = 1 << 20


def peak(folder: Path, content: bytes) -> tuple[int, bool]:
    """The most memory that reading takes, in bytes, and whether it succeeds."""
    tracemalloc.start()
    try:
        opened(folder, content)
    except CheckpointError:
        return tracemalloc.get_traced_memory()[1], False
    else:
        return tracemalloc.get_traced_memory()[1], True
    finally:
        tracemalloc.stop()


def packed(name: str, content: bytes, size: int | None = None, times: int = 1) -> bytes:
    """A zip of one member, and what it claims to be unpacked; its directory may name it many times."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
        entry = archive.infolist()[0]
        entry.file_size = size or entry.file_size
        for number in range(1, times):
            again = zipfile.ZipInfo(f"{number}{name}")
            for field in ("compress_type", "CRC", "compress_size", "file_size", "header_offset"):
                setattr(again, field, getattr(entry, field))
            archive.filelist.append(again)
    return stream.getvalue()


def npy(array: Any, shape: str | None = None) -> bytes:
    """An npy file, with another shape than it has."""
    stream = io.BytesIO()
    np.save(stream, array)
    told = f"{array.shape}"
    return stream.getvalue().replace(told.encode(), (shape or told).ljust(len(told)).encode())


def safe(header: dict[str, Any], body: bytes = bytes(24), length: int | None = None) -> bytes:
    text = json.dumps(header).encode()
    return (length or len(text)).to_bytes(8, "little") + text + body


def entry(first: int, last: int, shape: Any = (6,), dtype: Any = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [first, last]}


def wide(shape: tuple[int, ...], strides: tuple[int, ...], offset: int = 0) -> bytes:
    """A tensor of another shape than its storage."""
    args = (files.reference(WEIGHT, "0"), offset, shape, strides, False, Call(files.DICT))
    return files.zipped(Call(Name("torch._utils", "_rebuild_tensor_v2"), args), {"0": WEIGHT.tobytes()})


HUGE = (1 << 40).to_bytes(8, "little")
SMALL = {
    "missing memo": b"\x80\x02j\xff\xff\xff\x7f.",
    "bytes": b"\x80\x04\x8e" + HUGE + b"abc.",
    "text": b"\x80\x04\x8d" + HUGE + b"abc.",
    "bytearray": b"\x80\x05\x96" + HUGE + b"abc.",
    "long": b"\x80\x02\x8b\xff\xff\xff\x7f\x01.",
    "negative": b"\x80\x02\x8b\xff\xff\xff\xff\x01.",
    "negative text": b"\x80\x02T\xff\xff\xff\xff\x01.",
    "zip member": packed("archive/data.pkl", b"x", 1 << 31),
    "npy": npy(np.zeros(1000), "(10**9,)"),
    "npy shape": npy(np.zeros((1, 2, 3, 4, 5)), "(999999999999,)"),
    "expanded": wide((1 << 20, 1 << 20), (0, 0)),
    "expanded far": wide((1 << 40,), (0,)),
    "outside": wide((2, 3), (3, 2)),
    "behind": wide((3,), (1,), 4),
    "before": wide((3,), (1,), -1),
    "backwards": wide((3,), (-1,), 3),
    "too many dimensions": wide((1,) * 40, (1,) * 40),
    "nothing of much": wide((0, 1 << 47, 1 << 47), (1, 1, 1)),
    "strides": wide((2, 3), (1,)),
    "safetensors": safe({"w": entry(0, 1 << 40, (1 << 38,))}),
    "safetensors header": safe({"w": entry(0, 24)}, length=1 << 60),
    "safetensors shape": safe({"w": entry(0, 24, (1 << 62, 4))}),
    "safetensors over each other": safe({"a": entry(0, 24), "b": entry(8, 16, (2,))}),
    "safetensors outside": safe({"w": entry(8, 32)}),
    "safetensors before": safe({"w": entry(-24, 0)}),
    "safetensors dtype": safe({"w": entry(0, 24, dtype="O")}),
    "safetensors no dtype": safe({"w": entry(0, 24, dtype=["F32"])}),
    "safetensors bool": safe({"w": entry(0, 24, (True, 6))}),
    "safetensors deep": (1 << 20).to_bytes(8, "little") + b'{"a":' + b"[" * MEGABYTE,
    "safetensors twice": (2).to_bytes(8, "little") + b"{}"[:1] + b"]",
    "two data.pkl": packed("archive/data.pkl", b"N.", times=2),
    "characters": files.pickled(
        Call(Name("numpy.core.multiarray", "scalar"), (files.dtype(np.dtype("U1")), b"\xff" * 4))
    ),
    "characters of an array": npy(np.array(["a"])).replace(b"a\0\0\0", b"\xff" * 4),
    "sizes of a storage": nested(
        files.MAGIC, 1001, files.SYSTEM, Outside(FLOAT), ["0"], tail=HUGE + bytes(4)
    ),
}
BOMBS = {  # made by their tests: it takes a second
    "zip bomb": lambda: packed("archive/data.pkl", bytes(200 * MEGABYTE)),
    "npz bomb": lambda: packed("w.npy", npy(np.zeros(50 * MEGABYTE, np.float32))),
    "npz bombs over each other": lambda: packed("w.npy", npy(np.zeros(MEGABYTE, np.float32)), times=1000),
}


@pytest.mark.parametrize("name", [*SMALL, *BOMBS])
def test_declared_sizes_are_not_trusted(tmp_path: Path, name: str) -> None:
    content = BOMBS[name]() if name in BOMBS else SMALL[name]
    most, succeeds = peak(tmp_path, content)
    factor = 40 if "deep" in name else 3
    allowed = limits.FREE_BYTES if "over each other" in name else MEGABYTE
    assert most < allowed + factor * len(content)
    assert not succeeds


def test_a_large_memo_index_uses_no_memory(tmp_path: Path) -> None:
    content = b"\x80\x02Nr\xff\xff\xff\x7f0j\xff\xff\xff\x7f."
    most, succeeds = peak(tmp_path, content)
    assert succeeds
    assert most < MEGABYTE


def repeated(start: bytes, part: bytes, end: bytes = b".", size: int = MEGABYTE // 8) -> bytes:
    return start + part * (size // len(part)) + end


def laughs(depth: int, mark: bytes = b"]", last: bytes = b"e") -> bytes:
    """Lists of ten times the list before."""
    levels = (mark + b"(" + b"h%c" % i * 10 + last + b"q%c" % (i + 1) for i in range(depth))
    return b"\x80\x02]q\x00" + b"".join(levels) + b"."


MANY = {
    "lists": repeated(b"\x80\x02", b"]"),
    "marks": repeated(b"\x80\x02", b"("),
    "frames": repeated(b"\x80\x04", b"\x95" + bytes(8)),
    "doubled bytes": repeated(b"\x80\x02B\0\0\1\0" + bytes(1 << 16), b"2"),
    "doubled text": repeated(b"\x80\x02X\0\0\1\0" + b"a" * (1 << 16), b"2"),
    "memo": repeated(b"\x80\x04", b"]\x940"),
    "appended sets": repeated(b"\x80\x04]", b"\x8fa"),
    "appended dictionaries": repeated(b"\x80\x04]", b"}a"),
    "items": repeated(b"\x80\x04]", b"}NNsa"),
    "records": repeated(b"\x80\x04]cargparse\nNamespace\n\x940", b"h\x00)Ra"),
}
ENDLESS = {
    "tuples": repeated(b"\x80\x02N", b"\x85"),
    "lists in lists": repeated(b"\x80\x02]q\0", b"]2h\0a", size=MEGABYTE // 4),
    "deep lists": b"\x80\x02]q\0" + b"]q\1h\0a0h\1q\0" * 10_000 + b".",
    "deep records": repeated(b"\x80\x02", b"cargparse\nNamespace\n", b"") + b"N" + b"\x85R" * 6000 + b".",
    "copies": repeated(
        b"\x80\x02c__builtin__\nset\nq\0](" + b"N" * 10_000 + b"e\x85q\1]", b"h\0h\1Ra", size=50_000
    ),
    "encoded": repeated(
        b"\x80\x02c_codecs\nencode\nq\0X\0\0\1\0" + b"a" * (1 << 16) + b"X\6\0\0\0latin1\x86q\1]",
        b"h\0h\1Ra",
    ),
    "wide": b"\x80\x02N" + b"".join(b"q%c(" % i + b"h%c" % i * 9999 + b"l" for i in range(9)) + b".",
    "escapes": b"\x80\x02V" + b"\\u0041" * 1_100_000 + b"\n.",
    "quoted": b"\x80\x02S'" + b"\\x41" * 1_100_000 + b"'\n.",
    "themselves": b"\x80\x02]q\0h\0a.",
    "themselves as value": b"\x80\x02}q\0K\0h\0s.",
    "laughing lists": laughs(12),
    "laughing tuples": laughs(12, b"", b"t"),
    "keys": b"\x80\x02}N" + b"\x85" * 10 + b"Ns.",
    "large keys": b"\x80\x02}\x8a\x09" + bytes(8) + b"\x01Ns.",
}


@pytest.mark.parametrize("name", MANY)
def test_expansion_of_small_data_is_limited(tmp_path: Path, name: str) -> None:
    """The worst are lists of 64 bytes with their places, for an opcode of one byte."""
    assert peak(tmp_path, MANY[name])[0] < MEGABYTE // 2 + 100 * len(MANY[name])


@pytest.mark.parametrize("name", ENDLESS)
def test_an_endless_structure_is_rejected(tmp_path: Path, name: str) -> None:
    most, succeeds = peak(tmp_path, ENDLESS[name])
    assert most < limits.FREE_BYTES + 100 * len(ENDLESS[name])
    assert not succeeds


def test_nested_streams_share_the_limits(tmp_path: Path) -> None:
    """A storage that is read again and again, with a long text in it."""
    system = {**files.SYSTEM, "note": "a" * (1 << 20)}
    inner = b"".join(files.pickled(one, 2) for one in (files.MAGIC, 1001, system, Outside(FLOAT), ["0"]))
    inner += (1).to_bytes(8, "little") + bytes(4)
    load = b"ctorch.storage\n_load_from_bytes\nq\0B" + struct.pack("<I", len(inner)) + inner + b"\x85q\1]"
    with pytest.raises(CheckpointError, match=r"within a storage: .*text would take"):
        opened(tmp_path, repeated(b"\x80\x02" + load, b"h\0h\1Ra", size=1000))


def test_the_number_of_steps_is_limited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = files.pickled([[number] for number in range(2000)])
    assert len(opened(tmp_path, content)) == 2000
    monkeypatch.setattr(limits, "MOST_STEPS", 2000)
    with pytest.raises(CheckpointError, match="more than 2000 steps"):
        opened(tmp_path, content)


def survives(path: Path) -> bool:
    """Whether a file is read; what is not read must end in CheckpointError, and so must its network."""
    try:
        found = read_checkpoint(path).content
    except CheckpointError as error:
        assert str(error).startswith(str(path)) and "\n" not in str(error)
        return False
    with suppress(CheckpointError):
        torch_module(found["G_ema"] if isinstance(found, dict) and "G_ema" in found else found)
    return True


@pytest.mark.parametrize("container", files.samples())
def test_a_truncated_file_is_rejected_at_every_length(tmp_path: Path, container: str) -> None:
    content, model = files.samples()[container], tmp_path / "model"
    model.write_bytes(content)
    assert survives(model)
    read_anyway = []
    for size in reversed(range(len(content))):  # the same file, ever shorter: a new one takes milliseconds
        os.truncate(model, size)
        if survives(model):
            read_anyway.append(size)
    assert read_anyway == []


@pytest.mark.parametrize("container", files.samples())
def test_a_file_with_a_flipped_bit_is_read_or_rejected(tmp_path: Path, container: str) -> None:
    content, model = files.samples()[container], tmp_path / "model"
    model.write_bytes(content)
    with model.open("r+b", buffering=0) as file:
        for at, byte in enumerate(content):
            for written in (byte ^ 1 << (at * 7 + 3) % 8, byte):
                file.seek(at)
                file.write(bytes([written]))
                if written != byte:
                    survives(model)
    assert model.read_bytes() == content


def test_a_flipped_bit_of_a_tensor_in_a_zip_is_reported(tmp_path: Path) -> None:
    content = bytearray(files.samples()["zip"])
    content[content.index(WEIGHT.tobytes())] ^= 1
    with pytest.raises(CheckpointError, match="'archive/data/0' is damaged"):
        opened(tmp_path, bytes(content))


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: (
        st.lists(inner) | st.tuples(inner, inner) | st.dictionaries(st.text() | st.integers(-999, 999), inner)
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None)
@given(value=PLAIN, protocol=st.integers(2, 5))
def test_plain_values_survive_a_round_trip(
    tmp_path_factory: pytest.TempPathFactory, value: Any, protocol: int
) -> None:
    assert opened(tmp_path_factory.getbasetemp(), pickle.dumps(value, protocol)) == value


NAMES = """
collections.OrderedDict torch.storage._load_from_bytes argparse.Namespace numpy.dtype numpy.ndarray
numpy.core.multiarray._reconstruct numpy.core.multiarray.scalar torch._utils._rebuild_tensor_v2
torch.FloatStorage _codecs.encode builtins.set torch.Size os.system
torch_utils.persistence._reconstruct_persistent_obj
"""
VALUES = rb"""
K\x01 K\x00 X\x01\0\0\0a X\6\0\0\0latin1 C\x02f4 X\2\0\0\0f4 (K\x02t )R \x85R \x86R }b ( t ] } e u 2 )\x81
"""
PARTS = st.one_of(
    st.sampled_from([bytes([code]) for code in range(256)]),
    st.sampled_from(["c{}\n{}\n".format(*name.rsplit(".", 1)).encode() for name in NAMES.split()]),
    st.sampled_from([part.decode("unicode_escape").encode("latin-1") for part in VALUES.split()]),
    st.integers(0, 5).map(lambda key: b"h%c" % key),
    st.integers(0, 5).map(lambda key: b"q%c" % key),
    st.binary(max_size=6),
)


@settings(max_examples=600, deadline=None)
@given(parts=st.lists(PARTS, max_size=40), zipped=st.booleans())
def test_random_pickles_are_read_or_rejected(
    tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], zipped: bool
) -> None:
    stream = b"\x80\x04" + b"".join(parts) + b"."
    if zipped:
        stream = files.zipped(None, {"0": bytes(24)}).replace(b"\x80\x02N.", stream)
    path = tmp_path_factory.getbasetemp() / "chance"
    path.write_bytes(stream)
    survives(path)
