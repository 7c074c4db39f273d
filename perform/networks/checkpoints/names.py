"""The names that checkpoints may use, and the plain values that replace what they would make.

`copyreg._reconstructor` and all classes of networks are left out on purpose. A file made by
`torch.save(network)` names such classes; they become records if the caller allows them
(`read_checkpoint(path, inert=...)`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from perform.arrays import AnyArray
from perform.networks.checkpoints.arrays import array_view, parse_kind
from perform.networks.checkpoints.limits import CheckpointError, ReadLimits
from perform.networks.checkpoints.pickles import AllowedNames, Makers, checked_key
from perform.networks.checkpoints.values import Key, Record, Value, sequence

NVIDIA_MODULE = "torch_utils.persistence._reconstruct_persistent_obj"
TENSORFLOW_NETWORK = "dnnlib.tflib.network.Network"
NUMPY_ARRAY = "numpy.ndarray"
# The last ones are in the arguments of a training run, which training files hold.
RECORD_NAMES = (
    NVIDIA_MODULE, TENSORFLOW_NETWORK, NUMPY_ARRAY, "numpy.dtype", "argparse.Namespace", "pathlib.PosixPath",
    "pathlib.WindowsPath", "pathlib._local.PosixPath", "pathlib._local.WindowsPath",
)  # fmt: skip

LATIN_CODINGS = ("latin1", "latin-1")


def plain_makers(limits: ReadLimits) -> Makers:
    """Python's, numpy's and StyleGAN's names."""
    made: dict[str, Callable[..., Value] | None] = dict.fromkeys(RECORD_NAMES)
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
    """The names that a pickle may use; the data of numpy's arrays comes as their state."""
    return AllowedNames(made, inert, {NUMPY_ARRAY: partial(_array_of_state, limits)})


def counted_members(limits: ReadLimits, given: Value = ()) -> list[Value]:
    """A copy of a list or tuple, counted: a short call can ask for a long one again and again."""
    if not isinstance(given, list | tuple):
        raise CheckpointError(f"a set or a size is made of a {type(given).__name__}")
    limits.step(len(given))
    return list(given)


def raw_bytes(data: Value, limits: ReadLimits) -> memoryview:
    """The bytes of an array or a storage; as Python 2 wrote them they are text."""
    if isinstance(data, str):
        limits.spend(len(data), "bytes")
        data = data.encode("latin-1")
    if not isinstance(data, bytes | memoryview):
        raise CheckpointError(f"an array or storage is made of a {type(data).__name__}, must be of bytes")
    return memoryview(data)


def _dictionary(limits: ReadLimits, pairs: Value = ()) -> dict[Key, Value]:
    found: dict[Key, Value] = {}
    for pair in counted_members(limits, pairs):
        key, value = sequence(pair)
        found[checked_key(key)] = value
    return found


def _empty_bytes() -> bytes:
    return b""  # how protocol 2 writes empty bytes


def _encoded_bytes(limits: ReadLimits, text: Value, coding: Value) -> bytes:
    """Bytes as protocol 2 writes them."""
    if not isinstance(text, str) or not isinstance(coding, str) or coding not in LATIN_CODINGS:
        raise CheckpointError("bytes are written in a coding that is not latin1")
    limits.spend(len(text), "bytes")
    return text.encode("latin-1")


def _order_and_kind(record: Value) -> tuple[Value, str]:
    """Byte order and kind of a numpy.dtype: its first argument, and the second value of its state."""
    if not isinstance(record, Record) or record.name != "numpy.dtype" or not record.args:
        raise CheckpointError("an array or number has no type")
    order, kind = parse_kind(record.args[0])
    return sequence(record.state)[1] if record.state else order, kind


def _scalar(limits: ReadLimits, dtype: Value, data: Value = b"") -> Value:
    order, kind = _order_and_kind(dtype)
    number: Value = array_view(raw_bytes(data, limits), kind, (), limits, order=order).item()
    return number


def _empty_array(cls: Value, shape: Value, code: Value) -> Record:
    if not isinstance(cls, Record) or cls.name != NUMPY_ARRAY:
        raise CheckpointError("it makes an array of a class that is not numpy's own")
    return Record(NUMPY_ARRAY, ())


def _array_of_state(limits: ReadLimits, state: Value) -> AnyArray:
    shape, dtype, fortran, data = sequence(state)[-4:]
    return _whole_array(limits, data, dtype, shape, bool(fortran))


def _array_of_buffer(limits: ReadLimits, data: Value, dtype: Value, shape: Value, layout: Value) -> AnyArray:
    return _whole_array(limits, data, dtype, shape, isinstance(layout, str) and layout == "F")


def _whole_array(limits: ReadLimits, data: Value, dtype: Value, shape: Value, fortran: bool) -> AnyArray:
    (order, kind), content = _order_and_kind(dtype), raw_bytes(data, limits)
    return array_view(content, kind, shape, limits, order=order, fortran=fortran, exact=True)
