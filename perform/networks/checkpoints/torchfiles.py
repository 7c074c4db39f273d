"""Files of torch.save without torch: the zip form, the older one of five pickles and a tail, and the
storages within NVIDIA's pickles, which are such files each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Literal, TypeAlias

from perform.networks import faults_of
from perform.networks.checkpoints import pickles
from perform.networks.checkpoints.arrays import MOST_VALUES, array_view, item_size
from perform.networks.checkpoints.limits import CheckpointError, ReadLimits, shown
from perform.networks.checkpoints.names import allowed_names, counted_members, plain_makers, raw_bytes
from perform.networks.checkpoints.pickles import AllowedNames, Makers
from perform.networks.checkpoints.values import Record, Storage, Value
from perform.networks.checkpoints.zips import STORED, ZipView

MAGIC = 0x1950A86A20F9469CFC6C
MAGIC_BYTES = b"\x80\x02\x8a\x0a" + MAGIC.to_bytes(10, "little") + b"."
LEGACY_VERSION = 1001
STORAGE_CLASSES = {
    "Float": "f4", "Double": "f8", "Half": "f2", "BFloat16": "bf16", "Long": "i8", "Int": "i4", "Short": "i2",
    "Char": "i1", "Byte": "u1", "Bool": "b1", "ComplexFloat": "c8", "ComplexDouble": "c16", "Untyped": "u1",
}  # fmt: skip
TORCH_KINDS = {
    "float32": "f4", "float64": "f8", "float16": "f2", "bfloat16": "bf16", "int64": "i8", "int32": "i4",
    "int16": "i2", "int8": "i1", "uint8": "u1", "uint16": "u2", "uint32": "u4", "uint64": "u8", "bool": "b1",
    "complex64": "c8", "complex128": "c16",
}  # fmt: skip
STORAGE_KINDS = {f"torch.{name}Storage": kind for name, kind in STORAGE_CLASSES.items()}
STORAGE_KINDS |= {f"torch.storage.{name}Storage": kind for name, kind in STORAGE_CLASSES.items()}
NO_NAMES, STORAGE_NAMES = AllowedNames({}), AllowedNames(dict.fromkeys(STORAGE_KINDS))

# From a storage's key, number of values and bytes of one to its content.
FindStorage: TypeAlias = Callable[[str, int, int], memoryview | None]


def tensor_makers(limits: ReadLimits) -> Makers:
    """The names of a pickle with tensors in it."""
    made: dict[str, Callable[..., Value] | None] = {**plain_makers(limits), **dict.fromkeys(STORAGE_KINDS)}
    made |= dict.fromkeys(f"torch.{name}" for name in TORCH_KINDS)
    return made | {
        "torch.Size": partial(_size, limits),
        "torch.device": _device_name,
        "torch._utils._rebuild_tensor": partial(_tensor, limits),
        "torch._utils._rebuild_tensor_v2": partial(_tensor, limits),
        "torch._utils._rebuild_tensor_v3": partial(_tensor_of_type, limits),
        "torch._utils._rebuild_parameter": _parameter,
        "torch._utils._rebuild_parameter_with_state": _parameter,
        "torch.storage._load_from_bytes": partial(_nested_storage, limits),
    }


def read_nvidia(data: memoryview, limits: ReadLimits, inert: tuple[str, ...]) -> Value:
    """The value of a pickle, with NVIDIA's tensors and TensorFlow's arrays."""
    return pickles.read_pickle(data, allowed_names(tensor_makers(limits), limits, inert), limits)[0]


def read_zip(archive: ZipView, limits: ReadLimits, inert: tuple[str, ...]) -> Value:
    """The value of a torch zip. Tensors that share a storage are views of the same bytes."""
    pickle = _pickle_member(archive)
    root = pickle.removesuffix("data.pkl")
    big = f"{root}byteorder" in archive.members and bytes(archive.read(f"{root}byteorder")) == b"big"

    storages: dict[str, memoryview] = {}  # each is unpacked once

    def find(key: str, count: int, item: int) -> memoryview:
        if f"{root}data/{key}" not in archive.members:
            raise CheckpointError(f"its storage {shown(key)} is not in the zip")
        if key not in storages:
            storages[key] = archive.read(f"{root}data/{key}")
        if len(storages[key]) < count * item:
            raise CheckpointError(
                f"its storage {shown(key)} has {len(storages[key])} of {count * item} bytes"
            )
        return storages[key][: count * item]

    allowed = allowed_names(tensor_makers(limits), limits, inert)
    allowed = replace(allowed, persistent=partial(_storage, find, ">" if big else "<"))
    place = archive.place(pickle) if archive.members[pickle].method == STORED else 0
    return pickles.read_pickle(archive.read(pickle), allowed, limits, before=place)[0]


def _pickle_member(archive: ZipView) -> str:
    found = [name for name in archive.members if name.count("/") <= 1 and name.split("/")[-1] == "data.pkl"]
    if any("/code/" in name for name in archive.members):
        raise CheckpointError("it is a program of TorchScript; must be a state dict (torch.save)")
    if len(found) != 1:
        raise CheckpointError(
            "it is a zip of something else, with no data.pkl of torch and no array of numpy"
        )
    return found[0]


def read_legacy(data: memoryview, limits: ReadLimits, inert: tuple[str, ...]) -> Value:
    """The value of a file as torch wrote them before 1.6."""
    return _read_five(data, allowed_names(tensor_makers(limits), limits, inert), limits)


def _nested_storage(limits: ReadLimits, data: Value) -> Storage:
    """A storage in NVIDIA's pickles: such a file that names a storage and nothing else."""
    with faults_of("within a storage"):
        found = _read_five(raw_bytes(data, limits), STORAGE_NAMES, limits)
    if not isinstance(found, Storage):
        raise CheckpointError("a storage within it is something else")
    return found


def _read_five(data: memoryview, allowed: AllowedNames, limits: ReadLimits) -> Value:
    """The value is the fourth of five pickles. It is read twice: the places of its bytes come after it."""
    magic, at = pickles.read_pickle(data, NO_NAMES, limits)
    version, at = pickles.read_pickle(data, NO_NAMES, limits, at)
    system, at = pickles.read_pickle(data, NO_NAMES, limits, at)
    if magic != MAGIC or version != LEGACY_VERSION or not isinstance(system, dict):
        raise CheckpointError(f"its header is not that of torch's version {LEGACY_VERSION}")
    order = "<" if system.get("little_endian", True) else ">"
    sizes: dict[str, tuple[int, int]] = {}

    def measured(key: str, count: int, item: int) -> None:
        if sizes.setdefault(key, (count, item)) != (count, item):
            raise CheckpointError(f"its storage {shown(key)} has two sizes")

    first = replace(allowed, persistent=partial(_storage, measured, order))
    _, after = pickles.read_pickle(data, first, limits, at)
    keys, tail = pickles.read_pickle(data, NO_NAMES, limits, after)
    found = _storages_of_tail(data[tail:], keys, sizes, "little" if order == "<" else "big")
    second = replace(allowed, persistent=partial(_storage, lambda key, *_: found[key], order))
    return pickles.read_pickle(data, second, limits, at)[0]


def _storages_of_tail(
    data: memoryview, keys: Value, sizes: dict[str, tuple[int, int]], order: Literal["little", "big"]
) -> dict[str, memoryview]:
    """The bytes of the storages, which follow each other, each after the number of its values."""
    names = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []
    if not isinstance(keys, list) or len(names) < len(keys):
        raise CheckpointError("its list of storages is not a list of names")
    if len({*names}) != len(names) or {*names} != {*sizes}:
        raise CheckpointError("its list of storages is not that of its tensors")
    found = {}
    for key in names:
        count, item = sizes[key]
        if len(data) < 8 + count * item or int.from_bytes(data[:8], order) != count:
            raise CheckpointError(f"the file is damaged or cut off: its storage {shown(key)} is not whole")
        found[key], data = data[8 : 8 + count * item], data[8 + count * item :]
    return found


def _storage(find: FindStorage, order: str, reference: Value) -> Storage | Record:
    """What a reference in the pickle refers to."""
    match reference if isinstance(reference, tuple) else ():
        case (str("module"), Record() as cls, *_):  # the class of a network: before torch 1.6 it came so
            return cls
        case (str("storage"), cls, key, _, count, *view) if len(view) < 2:
            pass
        case _:
            raise CheckpointError("it refers to something that is not a storage of torch")
    if not isinstance(cls, Record) or cls.args is not None or cls.name not in STORAGE_KINDS:
        raise CheckpointError("a storage is of no class of torch's")
    if (
        not isinstance(key, str)
        or type(count) is not int
        or not 0 <= count < MOST_VALUES
        or view not in ([], [None])
    ):
        raise CheckpointError("a storage has no key and size, or is a view of another one")
    kind = STORAGE_KINDS[cls.name]
    return Storage(kind, order, find(key, count, item_size(kind)))


def _tensor(
    limits: ReadLimits, storage: Value, offset: Value, shape: Value, strides: Value, *_: Value
) -> Value:
    """An array over a storage; None while the storage's bytes are not known."""
    if not isinstance(storage, Storage):
        raise CheckpointError(f"a tensor is over a {type(storage).__name__}, must be over a storage")
    if storage.data is None:
        return None
    return array_view(
        storage.data, storage.kind, shape, limits, order=storage.order, offset=offset, strides=strides
    )


def _tensor_of_type(
    limits: ReadLimits,
    storage: Value,
    offset: Value,
    shape: Value,
    strides: Value,
    grad: Value,
    hooks: Value,
    dtype: Value,
    *_: Value,
) -> Value:
    """As `_tensor`, of a type that is not the storage's."""
    name = dtype.name.removeprefix("torch.") if isinstance(dtype, Record) else ""
    if not isinstance(storage, Storage) or name not in TORCH_KINDS:
        raise CheckpointError(f"a tensor is of type {shown(name)}, must be one of {', '.join(TORCH_KINDS)}")
    return _tensor(limits, replace(storage, kind=TORCH_KINDS[name]), offset, shape, strides)


def _parameter(tensor: Value, *_: Value) -> Value:
    return tensor


def _size(limits: ReadLimits, shape: Value = ()) -> tuple[Value, ...]:
    return tuple(counted_members(limits, shape))


def _device_name(kind: Value, index: Value = None) -> str:
    if not isinstance(kind, str):
        raise CheckpointError(f"a device is named by a {type(kind).__name__}, must be text")
    return f"{kind}:{index}" if type(index) is int else kind
