"""The passes of an ISF header: what is drawn into which target, at which size."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from perform.render import isf_inputs, sizes
from perform.render.headers import Json
from perform.render.isf_source import Source, is_identifier
from perform.render.sizes import Size, SizeError

NOTHING: Json = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Pass:
    """One drawing of the shader into `target` (None: the output). `width` and `height` None mean the
    size of the output; `persistent` targets keep their picture from frame to frame, `floating` ones
    hold 16-bit floats."""

    target: str | None = None
    persistent: bool = False
    floating: bool = False
    width: Size | None = None
    height: Size | None = None


def passes(
    source: Source, entries: Sequence[Json], old: Mapping[str, Json], numbers: Collection[str]
) -> tuple[Pass, ...]:
    """The passes of PASSES and of the `old` buffers of version 1. `numbers` are the inputs that a size may
    name. Raises ISFError."""
    return tuple(_pass(source, entry, old, numbers) for entry in entries) or (Pass(),)


def old_buffers(source: Source, header: Json) -> dict[str, Json]:
    """The PERSISTENT_BUFFERS of version 1: names, objects by their names, objects with a NAME. Raises
    ISFError."""
    given = header.get("PERSISTENT_BUFFERS") or {}
    if isinstance(given, str):
        given = [given]
    if isinstance(given, list):
        objects = [one if isinstance(one, dict) else {"NAME": one} for one in given]
        given = {str(one.get("NAME")): one for one in objects}
    if not isinstance(given, dict) or not all(map(is_identifier, given)):
        source.fail("PERSISTENT_BUFFERS must be a list of names or an object", "PERSISTENT_BUFFERS")
    return {str(name): one if isinstance(one, dict) else NOTHING for name, one in given.items()}


def _pass(source: Source, entry: Json, old: Mapping[str, Json], numbers: Collection[str]) -> Pass:
    target = entry.get("TARGET") or None
    if target is not None and not is_identifier(target):
        source.fail(f"PASSES: TARGET = {target!r}, must be letters, digits and _", str(target))
    keys = {**old.get(target or "", NOTHING), **entry}
    return Pass(
        target=target,
        persistent=target in old or isf_inputs.is_on(keys.get("PERSISTENT")),
        floating=isf_inputs.is_on(keys.get("FLOAT")),
        width=_side(source, "WIDTH", keys, numbers),
        height=_side(source, "HEIGHT", keys, numbers),
    )


def _side(source: Source, key: str, keys: Json, numbers: Collection[str]) -> Size | None:
    """The size of a key; the whole size, and a warning, if it is none."""
    value = keys.get(key)
    if value is None or value == "":
        return None
    near = str(keys.get("TARGET") or "PASSES")
    try:
        return _with_known(sizes.parse(_size_text(value)), {"WIDTH", "HEIGHT", *numbers})
    except SizeError as error:
        source.warn(f"PASSES {near}: {key} = {error}: the size of the output is taken", near)
        return None


def _size_text(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise SizeError(f"{value!r}, must be a number or an expression")
    return str(value)


def _with_known(size: Size, allowed: Collection[str]) -> Size:
    """The size. SizeError if it depends on other names than those that are allowed."""
    if unknown := sorted(size.names - {*allowed}):
        known = ", ".join(f"${name}" for name in sorted(allowed))
        raise SizeError(f"{size.text!r}: no ${unknown[0]}, must be one of {known}")
    return size
