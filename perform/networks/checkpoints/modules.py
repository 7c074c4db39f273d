"""Networks in checkpoints as plain names and arrays: torch modules, NVIDIA's persistent objects, TensorFlow's
networks, and state dicts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeAlias, TypeGuard

import numpy as np

from perform.arrays import AnyArray
from perform.networks.checkpoints.limits import CheckpointError, shown
from perform.networks.checkpoints.names import NVIDIA_MODULE, TENSORFLOW_NETWORK
from perform.networks.checkpoints.values import Key, Record, Value, sequence

MOST_MODULE_DEPTH = 32  # modules within modules
MOST_NAME_LENGTH = 300  # of a dotted name: a long one that many parts share is small to read, not to write
StateDict: TypeAlias = Mapping[str, AnyArray]  # tensors by name
Options: TypeAlias = Mapping[str, Any]  # the arguments that a network was made with; families check them
Fields: TypeAlias = dict[Key, Value]  # the attributes of an object by name
SCALARS = (str, bool, int, float, type(None), np.ndarray)


@dataclass(frozen=True, slots=True)
class TorchModule:
    """A network of torch: `init` are the arguments that it was made with, `attributes` the plain values of
    each module by its dotted path ("" for the network itself), `tensors` its parameters and buffers by
    their full dotted names.
    """

    class_name: str
    init: Mapping[str, Value]
    attributes: Mapping[str, Mapping[str, Value]]
    tensors: dict[str, AnyArray]


@dataclass(frozen=True, slots=True)
class TensorFlowNetwork:
    """A network of TensorFlow's StyleGANs: `static` are the arguments that it was built with, `own` its
    variables by name, `components` the networks within it.
    """

    name: str
    version: int
    function: str
    static: Mapping[str, Value]
    own: Mapping[str, AnyArray]
    components: Mapping[str, TensorFlowNetwork]

    @property
    def variables(self) -> dict[str, AnyArray]:
        """All variables, those of the components after their names: `synthesis/4x4/Const/const`."""
        within = {
            _joined_name(key, name, "/"): array
            for key, part in self.components.items()
            for name, array in part.variables.items()
        }
        return {**within, **self.own}

    @property
    def options(self) -> Options:
        """The arguments of the components and, before theirs, its own."""
        within = {key: value for part in self.components.values() for key, value in part.options.items()}
        return {**within, **self.static}


def is_torch_module(value: Value) -> TypeGuard[Record]:
    """Whether a value of a checkpoint is a network of torch."""
    return isinstance(value, Record) and "_modules" in _attributes(value)


def is_nvidia_module(value: Value) -> TypeGuard[Record]:
    """Whether a value is a network as NVIDIA's projects pickle one."""
    return is_torch_module(value) and value.name == NVIDIA_MODULE


def is_tensorflow_network(value: Value) -> TypeGuard[Record]:
    """Whether a value of a checkpoint is a network of TensorFlow's StyleGANs."""
    return isinstance(value, Record) and value.name == TENSORFLOW_NETWORK and isinstance(value.state, dict)


def torch_module(record: Record) -> TorchModule:
    """A network of torch out of its record (`content["G_ema"]`). Raises CheckpointError."""
    attributes: dict[str, Mapping[str, Value]] = {}
    tensors: dict[str, AnyArray] = {}
    for path, fields in _submodules(record, "", 0):
        attributes[path] = _plain_items(fields)
        own = (_named_part(fields, "_parameters"), _named_part(fields, "_buffers"))
        for name, tensor in chain.from_iterable(part.items() for part in own):
            dotted = _joined_name(path, name)
            if isinstance(tensor, np.ndarray):
                tensors[dotted] = tensor
            elif tensor is not None:
                raise CheckpointError(f"{shown(dotted)} is no tensor")
    init = _attributes(record).get("_init_kwargs")
    return TorchModule(_class_name(record), _plain_items(init), attributes, tensors)


def tensorflow_network(value: Value, depth: int = 0) -> TensorFlowNetwork:
    """A network of TensorFlow's StyleGANs out of its record. Raises CheckpointError."""
    if not is_tensorflow_network(value) or depth > MOST_MODULE_DEPTH:
        raise CheckpointError("it holds no network of TensorFlow's StyleGANs, or endlessly many")
    fields = _dictionary_or_empty(value.state)
    own: dict[str, AnyArray] = {}
    for pair in sequence(fields.get("variables") or ()):
        match pair:
            case (str(name), np.ndarray() as array):
                own[name] = array
            case (str(name), int() | float() as number):  # noise_strength, lod: a session gives numbers
                own[name] = np.asarray(number, np.float32)
            case _:
                raise CheckpointError("a variable of a TensorFlow network is no name and array")
    version, components = fields.get("version"), fields.get("components") or {}
    if not isinstance(version, int) or not isinstance(components, dict):
        raise CheckpointError("a TensorFlow network has no version, or invalid components")
    return TensorFlowNetwork(
        _text_or_empty(fields.get("name")),
        version,
        _text_or_empty(fields.get("build_func_name")),
        _plain_items(fields.get("static_kwargs") or {}),
        own,
        {_text_or_empty(key): tensorflow_network(part, depth + 1) for key, part in components.items()},
    )


def state_dict(content: Value) -> dict[str, AnyArray]:
    """The arrays by name of a state dict or a whole network, without the `module.` of DataParallel.

    Raises CheckpointError."""
    if is_torch_module(content):
        found = torch_module(content).tensors
    elif isinstance(content, dict):
        arrays = ((name, array) for name, array in content.items() if isinstance(array, np.ndarray))
        found = {name: array for name, array in arrays if isinstance(name, str)}
    else:
        raise CheckpointError(f"a state dict is a {type(content).__name__}, must be arrays by name")
    parallel = bool(found) and all(name.startswith("module.") for name in found)
    return {name.removeprefix("module."): array for name, array in found.items()} if parallel else found


def is_plain(value: Value) -> bool:
    """Whether a value is a number, text, None, an array, or lists, tuples and dictionaries of these."""
    if isinstance(value, list | tuple):
        return all(is_plain(one) for one in value)
    if isinstance(value, dict):
        return all(is_plain(one) for one in value.values())
    return isinstance(value, SCALARS)


def _submodules(value: Value, path: str, depth: int) -> Iterator[tuple[str, Fields]]:
    """A module and those within it, with their paths and attributes."""
    if not is_torch_module(value) or depth > MOST_MODULE_DEPTH:
        raise CheckpointError(f"the module {shown(path)} is none, or lies more than {MOST_MODULE_DEPTH} deep")
    fields = _attributes(value)
    yield path, fields
    for name, part in _named_part(fields, "_modules").items():
        if part is not None:
            yield from _submodules(part, _joined_name(path, name), depth + 1)


def _joined_name(path: str, name: str, mark: str = ".") -> str:
    """The name of a part: that of what it is in before its own."""
    if len(path) + len(name) > MOST_NAME_LENGTH:
        raise CheckpointError(
            f"{shown(name)} and what it is in have a name of more than {MOST_NAME_LENGTH} characters"
        )
    return f"{path}{mark}{name}" if path else name


def _named_part(fields: Fields, field: str) -> dict[str, Value]:
    part = fields.get(field) or {}
    named = {name: value for name, value in _dictionary_or_empty(part).items() if isinstance(name, str)}
    if not isinstance(part, dict) or len(named) < len(part):
        raise CheckpointError(f"a module's {field} are not by name")
    return named


def _attributes(value: Record) -> Fields:
    """The attributes of an object: NVIDIA's records have them among their arguments."""
    if value.name == NVIDIA_MODULE:
        return _dictionary_or_empty(nvidia_meta(value).get("state"))
    return _dictionary_or_empty(value.state)


def nvidia_meta(value: Record) -> Fields:
    """What NVIDIA's pickle holds of a module: the name of its class, the source of that, its attributes."""
    return _dictionary_or_empty(value.args[0]) if value.args else {}


def _dictionary_or_empty(value: Value) -> Fields:
    return value if isinstance(value, dict) else {}


def _class_name(value: Record) -> str:
    if value.name == NVIDIA_MODULE:
        return _text_or_empty(nvidia_meta(value).get("class_name"))
    return value.name.rsplit(".", 1)[-1]


def _text_or_empty(value: Value) -> str:
    return value if isinstance(value, str) else ""


def _plain_items(items: Value) -> dict[str, Value]:
    """What is plain among attributes or arguments; names that begin with _ are the library's own."""
    return {
        key: value
        for key, value in _dictionary_or_empty(items).items()
        if isinstance(key, str) and not key.startswith("_") and is_plain(value)
    }
