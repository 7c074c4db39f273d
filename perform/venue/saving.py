"""Projections in the file of a venue: only what changed is written, and comments and order stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from perform.documents import edit_tables, read_marked_text, set_key
from perform.paths import whole_file
from perform.scenes.projection import Mask, Projection
from perform.venue.reader import Venue, read_venue

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Merged = TypeVar("Merged", bound="DataclassInstance")

DIGITS = 6  # a tenth of a pixel on the widest canvas


class OtherHandError(Exception):
    """The file has other displays than those that were known: somebody saved it. `venue` is what it has."""

    def __init__(self, venue: Venue) -> None:
        super().__init__(f"{venue.file.name} was saved by another hand")
        self.venue = venue


def save_projections(file: Path, projections: Mapping[str, Projection], known: Venue | None = None) -> Venue:
    """Write the projections of displays, by name, into a venue's file, whole or not at all; the venue as it
    then is. Raises SceneError if the file is broken, LookupError if it has no such display, OSError, and
    OtherHandError if its displays are not `known` ones: nothing that another hand saved is overwritten."""
    text, before = read_marked_text(file), read_venue(file)
    if known and before.displays != known.displays:
        raise OtherHandError(before)
    for name, projection in projections.items():
        number = _number(before, name)
        text = _with_projection(text, number, before.displays[number].projection, projection)
    with whole_file(file, synced=True) as partial:
        partial.write_bytes(text.encode())
        read_venue(partial)
    return read_venue(file)


def merged(onto: Merged, before: Merged, after: Merged) -> Merged:
    """A value with all in which `after` differs from `before`, field by field, also of values within it."""
    changes = {}
    for one in fields(before):
        own, old, new = (getattr(value, one.name) for value in (onto, before, after))
        if new != old:
            changes[one.name] = merged(own, old, new) if is_dataclass(old) else new
    return replace(onto, **changes)


def _number(venue: Venue, name: str) -> int:
    names = [display.name for display in venue.displays]
    if name not in names:
        raise LookupError(f"{venue.file}: there is no display {name!r} any more, it has {', '.join(names)}")
    return names.index(name)


def _with_projection(text: str, number: int, before: Projection, after: Projection) -> str:
    """The text of a file with what differs in the projection of its display `number`."""

    def change(tables: Any) -> None:
        table = tables["display"][number]
        old, new = _keys(before), _keys(after)
        for key, value in new.items():
            if value == old[key]:
                continue
            if isinstance(value, dict):
                _set_table(table, key, {name: one for name, one in value.items() if one != old[key][name]})
            else:
                _replace(table, key, WRITTEN.get(key, _short)(value))

    return edit_tables(text, change)


def _keys(projection: Projection) -> dict[str, Any]:
    """The values of a projection by the keys of the file."""
    return {
        "shows": projection.part,
        "rotate": projection.rotation,
        "flip": projection.flip,
        "corners": projection.corners,
        "mesh": projection.mesh,
        "blend": asdict(projection.blend),
        "masks": projection.masks,
        "colour": asdict(projection.colour),
    }


def _set_table(table: Any, key: str, values: Mapping[str, object]) -> None:
    """Set values of an inner table, which is made if it is missing."""
    import tomlkit

    if key not in table:
        set_key(table, key, tomlkit.inline_table())
    for name, value in values.items():
        set_key(table[key], name, _short(value))


def _replace(table: Any, key: str, value: object) -> None:
    """Set a value, also in place of tables of its name."""
    from tomlkit.items import AoT

    if isinstance(table.get(key), AoT):
        table.remove(key)
    set_key(table, key, value)


def _short(value: Any) -> Any:
    """A value as TOML has it, with few digits."""
    if isinstance(value, tuple | list):
        return [_short(one) for one in value]
    if isinstance(value, float):
        short = round(value, DIGITS)
        return int(short) if short == int(short) else short
    return value


def _mesh_lines(rows: Any) -> Any:
    """A row of points a line."""
    import tomlkit

    return tomlkit.item(_short(rows)).multiline(len(rows) > 0)


def _mask_lines(masks: tuple[Mask, ...]) -> Any:
    """A mask a line, without what it has by default."""
    import tomlkit

    array = tomlkit.array()
    for mask in masks:
        line = tomlkit.inline_table()
        line["points"] = _short(mask.points)
        if mask.feather:
            line["feather"] = _short(mask.feather)
        if mask.invert:
            line["invert"] = True
        array.append(line)
    return array.multiline(len(masks) > 0)


WRITTEN: Mapping[str, Callable[[Any], Any]] = {"mesh": _mesh_lines, "masks": _mask_lines}
