"""The names that checkpoints may use, and the plain values that stand for what they would make.

Left out on purpose are `copyreg._reconstructor` and all classes of networks: of a file made with
`torch.save(network)` instead of its state dict they are read as records where the caller says whose
names (`read(path, inert=...)`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from numpy.typing import NDArray

from perform.networks.checkpoints.arrays import array, kind_of
from perform.networks.checkpoints.limits import CheckpointError, Limits
from perform.networks.checkpoints.pickles import Names, Record, key_of

PERSISTENT = "torch_utils.persistence._reconstruct_persistent_obj"
NETWORK = "dnnlib.tflib.network.Network"
ARRAY = "numpy.ndarray"
# The last are what the arguments of a training run may be, which training files keep.
RECORDS = (
    PERSISTENT, NETWORK, ARRAY, "numpy.dtype", "argparse.Namespace", "pathlib.PosixPath",
    "pathlib.WindowsPath", "pathlib._local.PosixPath", "pathlib._local.WindowsPath",
)  # fmt: skip

LATIN = ("latin1", "latin-1")

Made: TypeAlias = Mapping[str, Callable[..., Any] | None]


def plain(limits: Limits) -> Made:
    """Python's, numpy's and StyleGAN's names."""
    made: dict[str, Callable[..., Any] | None] = dict.fromkeys(RECORDS)
    for dictionary in ("collections.OrderedDict", "dnnlib.util.EasyDict", "dnnlib.EasyDict"):
        made[dictionary] = partial(_dictionary, limits)
    for module in ("builtins", "__builtin__"):
        made[f"{module}.set"] = made[f"{module}.frozenset"] = partial(members, limits)
        made[f"{module}.bytes"] = _no_bytes
    for core in ("numpy.core", "numpy._core"):
        made[f"{core}.multiarray.scalar"] = partial(_scalar, limits)
        made[f"{core}.multiarray._reconstruct"] = _empty_array
        made[f"{core}.numeric._frombuffer"] = partial(_from_buffer, limits)
    return made | {"_codecs.encode": partial(_encoded, limits)}


def names(made: Made, limits: Limits, inert: tuple[str, ...]) -> Names:
    """The names of a stream: those given, and what settles the arrays among them."""
    return Names(made, inert, {ARRAY: partial(_settled_array, limits)})


def members(limits: Limits, given: Any = ()) -> list[Any]:
    """A copy of a list or tuple, counted: a short call can ask for a long one again and again."""
    if not isinstance(given, list | tuple):
        raise CheckpointError(f"a set or a size is made of a {type(given).__name__}")
    limits.step(len(given))
    return list(given)


def raw(data: Any, limits: Limits) -> memoryview:
    """The bytes of an array or a storage; as Python 2 wrote them they are text."""
    if isinstance(data, str):
        limits.spend(len(data), "bytes")
        data = data.encode("latin-1")
    if not isinstance(data, bytes | memoryview):
        raise CheckpointError(f"an array or storage is made of a {type(data).__name__}, must be of bytes")
    return memoryview(data)


def _dictionary(limits: Limits, pairs: Any = ()) -> dict[Any, Any]:
    return {key_of(key): value for key, value in members(limits, pairs)}


def _no_bytes() -> bytes:
    return b""  # how protocol 2 writes bytes that are none


def _encoded(limits: Limits, text: Any, coding: Any) -> bytes:
    """Bytes as protocol 2 writes them."""
    if not isinstance(text, str) or not isinstance(coding, str) or coding not in LATIN:
        raise CheckpointError("bytes are written in a coding that is not latin1")
    limits.spend(len(text), "bytes")
    return text.encode("latin-1")


def _dtype(record: Any) -> tuple[str, str]:
    """Byte order and kind of a numpy.dtype: its first argument, and the second value of its state."""
    if not isinstance(record, Record) or record.name != "numpy.dtype" or not record.args:
        raise CheckpointError("an array or number has no type")
    order, kind = kind_of(record.args[0])
    return (record.state[1] if record.state else order), kind


def _scalar(limits: Limits, dtype: Any, data: Any = b"") -> Any:
    order, kind = _dtype(dtype)
    return array(raw(data, limits), kind, (), limits, order=order).item()


def _empty_array(cls: Any, shape: Any, code: Any) -> Record:
    if not isinstance(cls, Record) or cls.name != ARRAY:
        raise CheckpointError("it makes an array of a class that is not numpy's own")
    return Record(ARRAY, ())


def _settled_array(limits: Limits, state: Any) -> NDArray[Any]:
    shape, dtype, fortran, data = state[-4:]
    order, kind = _dtype(dtype)
    return array(raw(data, limits), kind, shape, limits, order=order, fortran=bool(fortran), exact=True)


def _from_buffer(limits: Limits, data: Any, dtype: Any, shape: Any, layout: Any) -> NDArray[Any]:
    order, kind = _dtype(dtype)
    return array(raw(data, limits), kind, shape, limits, order=order, fortran=layout == "F", exact=True)
