"""Networks within checkpoints, as plain names and arrays: NVIDIA's persistent objects, TensorFlow's
networks, and state dicts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from perform.arrays import AnyArray
from perform.networks.checkpoints.limits import CheckpointError, shown
from perform.networks.checkpoints.names import NVIDIA_MODULE, TENSORFLOW_NETWORK
from perform.networks.checkpoints.pickles import Record

MOST_MODULE_DEPTH = 32  # modules within modules
MOST_NAME_LENGTH = (
    300  # characters of a dotted name: a long one that many parts share is small to read, not to write
)
SCALARS = (str, bool, int, float, type(None), np.ndarray)


@dataclass(frozen=True, slots=True)
class TorchModule:
    """A network of torch: `init` are the arguments that it was made with, `attributes` the plain values of
    each module by its dotted path ("" for the network itself), `tensors` its parameters and buffers by
    their full dotted names.
    """

    class_name: str
    init: Mapping[str, Any]
    attributes: Mapping[str, Mapping[str, Any]]
    tensors: dict[str, AnyArray]


@dataclass(frozen=True, slots=True)
class TensorFlowNetwork:
    """A network of TensorFlow's StyleGANs: `static` are the arguments that it was built with, `own` its
    variables by name, `components` the networks within it.
    """

    name: str
    version: int
    function: str
    static: Mapping[str, Any]
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
    def options(self) -> dict[str, Any]:
        """The arguments of the components and, before theirs, its own."""
        within = {key: value for part in self.components.values() for key, value in part.options.items()}
        return {**within, **self.static}


def is_torch_module(value: Any) -> bool:
    """Whether a value of a checkpoint is a network of torch."""
    return (
        isinstance(value, Record)
        and isinstance(_attributes(value), dict)
        and "_modules" in _attributes(value)
    )


def is_nvidia_module(value: Any) -> bool:
    """Whether a value is a network as NVIDIA's projects pickle one."""
    return is_torch_module(value) and value.name == NVIDIA_MODULE


def is_tensorflow_network(value: Any) -> bool:
    """Whether a value of a checkpoint is a network of TensorFlow's StyleGANs."""
    return isinstance(value, Record) and value.name == TENSORFLOW_NETWORK and isinstance(value.state, dict)


def torch_module(value: Any) -> TorchModule:
    """A network of torch out of its record (`content["G_ema"]`). Raises CheckpointError."""
    attributes: dict[str, Mapping[str, Any]] = {}
    tensors: dict[str, AnyArray] = {}
    for path, fields in _submodules(value, "", 0):
        attributes[path] = _plain_items(fields)
        for name, tensor in (
            *_named_part(fields, "_parameters").items(),
            *_named_part(fields, "_buffers").items(),
        ):
            dotted = _joined_name(path, name)
            if isinstance(tensor, np.ndarray):
                tensors[dotted] = tensor
            elif tensor is not None:
                raise CheckpointError(f"{shown(dotted)} is no tensor")
    init = _attributes(value).get("_init_kwargs")
    return TorchModule(
        _class_name(value), _plain_items(init) if isinstance(init, dict) else {}, attributes, tensors
    )


def tensorflow_network(value: Any, depth: int = 0) -> TensorFlowNetwork:
    """A network of TensorFlow's StyleGANs out of its record. Raises CheckpointError."""
    if not is_tensorflow_network(value) or depth > MOST_MODULE_DEPTH:
        raise CheckpointError("it holds no network of TensorFlow's StyleGANs, or endlessly many")
    fields: dict[str, Any] = value.state
    own: dict[str, AnyArray] = {}
    for pair in fields.get("variables") or ():
        match pair:
            case (str(name), np.ndarray() as array):
                own[name] = array
            case (str(name), int() | float() as number):  # noise_strength, lod: a session gives numbers
                own[name] = np.asarray(number, np.float32)
            case _:
                raise CheckpointError("a variable of a TensorFlow network is no name and array")
    version, components = fields.get("version"), fields.get("components") or {}
    if not isinstance(version, int) or not isinstance(components, dict):
        raise CheckpointError("a TensorFlow network has no version, or components that are none")
    return TensorFlowNetwork(
        _text_or_empty(fields.get("name")),
        version,
        _text_or_empty(fields.get("build_func_name")),
        _plain_items(fields.get("static_kwargs") or {}),
        own,
        {_text_or_empty(key): tensorflow_network(part, depth + 1) for key, part in components.items()},
    )


def state_dict(content: Any) -> dict[str, AnyArray]:
    """The arrays by name of a state dict or a whole network, without the `module.` of DataParallel.

    Raises CheckpointError."""
    if is_torch_module(content):
        content = torch_module(content).tensors
    if not isinstance(content, dict):
        raise CheckpointError(f"a state dict is a {type(content).__name__}, must be arrays by name")
    found = {
        name: array
        for name, array in content.items()
        if isinstance(name, str) and isinstance(array, np.ndarray)
    }
    parallel = bool(found) and all(name.startswith("module.") for name in found)
    return {name.removeprefix("module."): array for name, array in found.items()} if parallel else found


def is_plain(value: Any) -> bool:
    """Whether a value is a number, text, None, an array, or lists, tuples and dictionaries of these."""
    if isinstance(value, list | tuple):
        return all(is_plain(one) for one in value)
    if isinstance(value, dict):
        return all(is_plain(one) for one in value.values())
    return isinstance(value, SCALARS)


def _submodules(value: Any, path: str, depth: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """A module and those within it, with their paths and states."""
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


def _named_part(fields: Mapping[str, Any], field: str) -> dict[str, Any]:
    part = fields.get(field) or {}
    if not isinstance(part, dict) or not all(isinstance(name, str) for name in part):
        raise CheckpointError(f"a module's {field} are not by name")
    return part


def _attributes(value: Record) -> Any:
    """The attributes of an object: NVIDIA's records have them among their arguments."""
    if value.name == NVIDIA_MODULE:
        return _nvidia_meta(value).get("state")
    return value.state


def _nvidia_meta(value: Record) -> dict[str, Any]:
    return value.args[0] if value.args and isinstance(value.args[0], dict) else {}


def _class_name(value: Record) -> str:
    if value.name == NVIDIA_MODULE:
        return _text_or_empty(_nvidia_meta(value).get("class_name"))
    return value.name.rsplit(".", 1)[-1]


def _text_or_empty(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _plain_items(items: Any) -> dict[str, Any]:
    """What is plain among attributes or arguments; names that begin with _ are the library's own."""
    if not isinstance(items, dict):
        return {}
    return {
        key: value
        for key, value in items.items()
        if isinstance(key, str) and not key.startswith("_") and is_plain(value)
    }
