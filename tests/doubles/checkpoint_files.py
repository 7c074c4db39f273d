"""Model files made by hand: pickles that name what is not installed, torch's files without torch.

As a script it measures the reader: `python -m tests.doubles.checkpoint_files make FILE MEGABYTES`,
then `read FILE`.
"""

from __future__ import annotations

import io
import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from perform.networks.checkpoints import read_checkpoint

MAGIC = 0x1950A86A20F9469CFC6C
SYSTEM = {"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}
CLASSES = {
    "f4": "Float", "f8": "Double", "f2": "Half", "i8": "Long", "i4": "Int", "i2": "Short", "i1": "Char",
    "u1": "Byte", "b1": "Bool",
}  # fmt: skip


@dataclass(frozen=True)
class Name:
    """A name in a pickle."""

    module: str
    name: str


@dataclass(eq=False)
class Call:
    """A call in a pickle (REDUCE, or NEWOBJ where `new`), its state and its items."""

    name: Any
    args: Any = ()
    state: Any = None
    items: Mapping[Any, Any] = field(default_factory=dict)
    new: bool = False


@dataclass(eq=False)
class Outside:
    """A reference out of a pickle."""

    reference: Any


class Writer(pickle._Pickler):  # type: ignore[name-defined]  # the one written in Python
    """Pickles with names that need not exist here."""

    dispatch: ClassVar[dict[Any, Any]] = dict(pickle._Pickler.dispatch)  # type: ignore[attr-defined]

    def persistent_id(self, value: Any) -> Any:
        return value.reference if isinstance(value, Outside) else None

    def save_name(self, name: Name) -> None:
        if self.proto >= 4:
            self.save(name.module)
            self.save(name.name)
            self.write(pickle.STACK_GLOBAL)
        else:
            self.write(pickle.GLOBAL + f"{name.module}\n{name.name}\n".encode())
        self.memoize(name)

    def save_call(self, call: Call) -> None:
        self.save(call.name)
        self.save(call.args)
        self.write(pickle.NEWOBJ if call.new else pickle.REDUCE)
        self.memoize(call)
        if call.items:
            self._batch_setitems(call.items.items())
        if call.state is not None:
            self.save(call.state)
            self.write(pickle.BUILD)

    dispatch[Name], dispatch[Call] = save_name, save_call


def pickled(value: Any, protocol: int = 4) -> bytes:
    """A pickle of a value with Names, Calls and Outsides in it."""
    stream = io.BytesIO()
    Writer(stream, protocol).dump(value)
    return stream.getvalue()


def storage_class(array: NDArray[Any]) -> Name:
    """torch's class of storages of an array's type."""
    return Name("torch", CLASSES[array.dtype.str[1:]] + "Storage")


def stored(array: NDArray[Any], key: str = "94", order: str = "<") -> bytes:
    """A storage as NVIDIA's pickles have it: a legacy torch file of nothing else."""
    reference = ("storage", storage_class(array), key, "cuda:0", array.size, None)
    system = {**SYSTEM, "little_endian": order == "<"}
    head = [pickled(one, 2) for one in (MAGIC, 1001, system, Outside(reference), [key])]
    number = array.size.to_bytes(8, "little" if order == "<" else "big")
    return b"".join(head) + number + array.astype(array.dtype.newbyteorder(order)).tobytes()


def tensor(
    array: NDArray[Any], storage: Any = None, offset: int = 0, strides: tuple[int, ...] | None = None
) -> Call:
    """A tensor over a storage; without one, over its own storage."""
    storage = storage or Call(Name("torch.storage", "_load_from_bytes"), (stored(array),))
    strides = strides or tuple(one // array.itemsize for one in np.ascontiguousarray(array).strides)
    args = (storage, offset, array.shape, strides if array.ndim else (), False, Call(DICT))
    return Call(Name("torch._utils", "_rebuild_tensor_v2"), args)


DICT = Name("collections", "OrderedDict")
EASY = Name("dnnlib.util", "EasyDict")
PERSISTENT = Name("torch_utils.persistence", "_reconstruct_persistent_obj")
NETWORK = Name("dnnlib.tflib.network", "Network")


def parameter(array: NDArray[Any]) -> Call:
    """A parameter of a module."""
    return Call(Name("torch._utils", "_rebuild_parameter"), (tensor(array), False, Call(DICT)))


def module(tensors: Mapping[str, NDArray[Any]], kind: str = "Generator", **attributes: Any) -> Call:
    """A persistent module of tensors by dotted names (those in `buffer/` groups are buffers)."""
    own = {name: array for name, array in tensors.items() if "." not in name.split("/")[-1]}
    parts: dict[str, dict[str, NDArray[Any]]] = {}
    for name, array in tensors.items():
        group, _, path = name.rpartition("/")
        if "." in path:
            part, _, rest = path.partition(".")
            parts.setdefault(part, {})[f"{group}/{rest}"] = array
    state = {
        "training": False,
        "_parameters": {
            n.split("/")[-1]: parameter(a) for n, a in own.items() if not n.startswith("buffer/")
        },
        "_buffers": {n.split("/")[-1]: tensor(a) for n, a in own.items() if n.startswith("buffer/")},
        "_non_persistent_buffers_set": Call(Name("builtins", "set"), ([],)),
        "_forward_hooks": Call(DICT),
        "_modules": {name: module(part, "Layer") for name, part in parts.items()},
        **attributes,
    }
    state["_buffers"]["none"] = None
    meta = {"type": "class", "version": 6, "module_src": "# none", "class_name": kind, "state": state}
    return Call(PERSISTENT, (meta,))


def scalar(value: Any, core: str = "numpy._core") -> Call:
    """A number of numpy's."""
    return Call(Name(f"{core}.multiarray", "scalar"), (dtype(value.dtype), value.tobytes()))


def dtype(kind: np.dtype[Any], order: str = "<") -> Call:
    """A type of numpy's."""
    state = (3, order if kind.itemsize > 1 else "|", None, None, None, -1, -1, 0)
    return Call(Name("numpy", "dtype"), (kind.str[1:], False, True), state)


def ndarray(array: NDArray[Any], core: str = "numpy._core") -> Call:
    """An array of numpy's."""
    fortran = not array.flags.c_contiguous
    state = (1, array.shape, dtype(array.dtype), fortran, array.tobytes("F" if fortran else "C"))
    empty = (Name("numpy", "ndarray"), (0,), b"b")
    return Call(Name(f"{core}.multiarray", "_reconstruct"), empty, state)


def zipped(
    value: Any, storages: Mapping[str, bytes], root: str = "archive/", packed: bool = False, **more: bytes
) -> bytes:
    """A torch zip of a value that refers to storages by their keys."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED) as archive:
        archive.writestr(f"{root}data.pkl", pickled(value, 2))
        for name, content in {"version": b"3\n", **more}.items():
            archive.writestr(root + name, content)
        for key, content in storages.items():
            archive.writestr(f"{root}data/{key}", content)
    return stream.getvalue()


def reference(array: NDArray[Any], key: str) -> Outside:
    """A reference to a storage with an array's values."""
    return Outside(("storage", storage_class(array), key, "cpu", array.size))


def legacy(value: Any, storages: Mapping[str, NDArray[Any]]) -> bytes:
    """A file as torch wrote them before 1.6."""
    head = b"".join(pickled(one, 2) for one in (MAGIC, 1001, SYSTEM, value, [*storages]))
    tail = (array.size.to_bytes(8, "little") + array.tobytes() for array in storages.values())
    return head + b"".join(tail)


def samples() -> dict[str, bytes]:
    """A small file of every container."""
    weight = np.arange(6, dtype=np.float32).reshape(2, 3)
    both = OrderedDict(a=tensor(weight, reference(weight, "0")), b=tensor(weight[0], reference(weight, "0")))
    old = {"w": tensor(weight, Outside((*reference(weight, "0").reference, None)))}
    flat, packed, one = io.BytesIO(), io.BytesIO(), io.BytesIO()
    np.savez(flat, w=weight)
    np.savez_compressed(packed, w=np.zeros((20, 20)))
    np.save(one, weight)
    net = module({"a.weight": weight, "buffer/a.scale": weight[0]}, size=ndarray(np.array([4, 4])))
    text = b'{"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}'
    return {
        "pickle": pickled({"G_ema": net}),
        "pickle2": pickled({"G_ema": net}, 2),
        "tf": pickled((None, None, Call(NETWORK, (), {"version": 4, "name": "Gs"}, new=True))),
        "zip": zipped(both, {"0": weight.tobytes()}),
        "packed": zipped(both, {"0": weight.tobytes()}, packed=True),
        "legacy": legacy(old, {"0": weight}),
        "npz": flat.getvalue(),
        "npzpacked": packed.getvalue(),
        "npy": one.getvalue(),
        "safetensors": len(text).to_bytes(8, "little") + text + weight.tobytes(),
    }


def large(path: Path, megabytes: int) -> None:
    """A persistent pickle of two networks whose layers are as large as StyleGAN2's coarse ones."""
    draw = np.random.default_rng(0)
    count = megabytes * 10**6 // (2 * 4 * 512 * 512 * 9)
    nets = [
        module({f"l{i}.weight": draw.standard_normal((512, 512, 3, 3), np.float32) for i in range(count)})
        for _ in range(2)
    ]
    path.write_bytes(pickled({"G": nets[0], "G_ema": nets[1]}))


def measured(path: Path) -> str:
    """Time and memory of reading a file, and of using each value of its network, against its size."""
    import resource

    from perform.clock import stopwatch
    from perform.networks.checkpoints import modules

    def peak() -> int:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    before, start = peak(), stopwatch()
    tensors = modules.torch_module(read_checkpoint(path).content["G_ema"]).tensors
    between, after_reading = stopwatch(), peak()
    copies = {name: array.copy() for name, array in tensors.items()}
    end, size = stopwatch(), path.stat().st_size
    return (
        f"{size / 1e6:.0f} MB, {len(copies)} tensors: read in {between - start:.3f} s with"
        f" {(after_reading - before) / size:.2f} of its size in memory, copied in {end - between:.3f} s with"
        f" {(peak() - before) / size:.2f}\n"
    )


WEIGHT = np.arange(6, dtype=np.float32)
FLOAT = ("storage", Name("torch", "FloatStorage"), "0", "cpu", 1, None)


def nested(*parts: Any, tail: bytes = b"") -> bytes:
    """A pickle whose storage is a legacy stream of pickles of one's own."""
    inner = b"".join(one if isinstance(one, bytes) else pickled(one, 2) for one in parts)
    return pickled(Call(Name("torch.storage", "_load_from_bytes"), (inner + tail,)))


def opened(folder: Path, content: bytes) -> Any:
    (folder / "model").write_bytes(content)
    return read_checkpoint(folder / "model").content


if __name__ == "__main__":
    if sys.argv[1] == "make":
        large(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.stdout.write(measured(Path(sys.argv[2])))
