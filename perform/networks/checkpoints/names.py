"""The names that checkpoints may use, and the plain values that stand for what they would make.

Left out on purpose are `copyreg._reconstructor` and all classes of networks: of a file made with
`torch.save(network)` instead of its state dict they are read as records where the caller says whose
names (`read(path, inert=...)`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeAlias

from perform.arrays import AnyArray
from perform.networks.checkpoints.arrays import array_view, parse_kind
from perform.networks.checkpoints.limits import CheckpointError, ReadLimits
from perform.networks.checkpoints.pickles import AllowedNames, Record, checked_key

NVIDIA_MODULE = "torch_utils.persistence._reconstruct_persistent_obj"
TENSORFLOW_NETWORK = "dnnlib.tflib.network.Network"
NUMPY_ARRAY = "numpy.ndarray"
# The last are what the arguments of a training run may be, which training files keep.
RECORD_NAMES = (
    NVIDIA_MODULE, TENSORFLOW_NETWORK, NUMPY_ARRAY, "numpy.dtype", "argparse.Namespace", "pathlib.PosixPath",
    "pathlib.WindowsPath", "pathlib._local.PosixPath", "pathlib._local.WindowsPath",
)  # fmt: skip

LATIN_CODINGS = ("latin1", "latin-1")

Makers: TypeAlias = Mapping[str, Callable[..., Any] | None]


def plain_makers(limits: ReadLimits) -> Makers:
    """Python's, numpy's and StyleGAN's names."""
    made: dict[str, Callable[..., Any] | None] = dict.fromkeys(RECORD_NAMES)
    for dictionary in ("collections.OrderedDict", "dnnlib.util.EasyDict", "dnnlib.EasyDict"):
        made[dictionary] = partial(_dictionary, limits)
    for module in ("builtins", "__builtin__"):
        made[f"{module}.set"] = made[f"{module}.frozenset"] = partial(counted_members, limits)
        made[f"{module}.bytes"] = _empty_bytes
    for core in ("numpy.core", "numpy._core"):
        made[f"{core}.multiarray.scalar"] = partial(_scalar, limits)
        made[f"{core}.multiarray._reconstruct"] = _empty_array
        made[f"{core}.numeric._frombuffer"] = partial(_array_of_buffer, limits)
    return made | {"_codecs.encode": partial(_encoded_bytes, limits)}


def allowed_names(made: Makers, limits: ReadLimits, inert: tuple[str, ...]) -> AllowedNames:
    """The names of a stream: those given, and what settles the arrays among them."""
    return AllowedNames(made, inert, {NUMPY_ARRAY: partial(_array_of_state, limits)})


def counted_members(limits: ReadLimits, given: Any = ()) -> list[Any]:
    """A copy of a list or tuple, counted: a short call can ask for a long one again and again."""
    if not isinstance(given, list | tuple):
        raise CheckpointError(f"a set or a size is made of a {type(given).__name__}")
    limits.step(len(given))
    return list(given)


def raw_bytes(data: Any, limits: ReadLimits) -> memoryview:
    """The bytes of an array or a storage; as Python 2 wrote them they are text."""
    if isinstance(data, str):
        limits.spend(len(data), "bytes")
        data = data.encode("latin-1")
    if not isinstance(data, bytes | memoryview):
        raise CheckpointError(f"an array or storage is made of a {type(data).__name__}, must be of bytes")
    return memoryview(data)


def _dictionary(limits: ReadLimits, pairs: Any = ()) -> dict[Any, Any]:
    return {checked_key(key): value for key, value in counted_members(limits, pairs)}


def _empty_bytes() -> bytes:
    return b""  # how protocol 2 writes bytes that are none


def _encoded_bytes(limits: ReadLimits, text: Any, coding: Any) -> bytes:
    """Bytes as protocol 2 writes them."""
    if not isinstance(text, str) or not isinstance(coding, str) or coding not in LATIN_CODINGS:
        raise CheckpointError("bytes are written in a coding that is not latin1")
    limits.spend(len(text), "bytes")
    return text.encode("latin-1")


def _order_and_kind(record: Any) -> tuple[str, str]:
    """Byte order and kind of a numpy.dtype: its first argument, and the second value of its state."""
    if not isinstance(record, Record) or record.name != "numpy.dtype" or not record.args:
        raise CheckpointError("an array or number has no type")
    order, kind = parse_kind(record.args[0])
    return (record.state[1] if record.state else order), kind


def _scalar(limits: ReadLimits, dtype: Any, data: Any = b"") -> Any:
    order, kind = _order_and_kind(dtype)
    return array_view(raw_bytes(data, limits), kind, (), limits, order=order).item()


def _empty_array(cls: Any, shape: Any, code: Any) -> Record:
    if not isinstance(cls, Record) or cls.name != NUMPY_ARRAY:
        raise CheckpointError("it makes an array of a class that is not numpy's own")
    return Record(NUMPY_ARRAY, ())


def _array_of_state(limits: ReadLimits, state: Any) -> AnyArray:
    shape, dtype, fortran, data = state[-4:]
    order, kind = _order_and_kind(dtype)
    return array_view(
        raw_bytes(data, limits), kind, shape, limits, order=order, fortran=bool(fortran), exact=True
    )


def _array_of_buffer(limits: ReadLimits, data: Any, dtype: Any, shape: Any, layout: Any) -> AnyArray:
    order, kind = _order_and_kind(dtype)
    return array_view(
        raw_bytes(data, limits), kind, shape, limits, order=order, fortran=layout == "F", exact=True
    )
