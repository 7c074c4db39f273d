"""The pictures that an ISF header imports."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perform import paths
from perform.render import headers
from perform.render.isf_source import Source, is_identifier

CUBE_FACES = 6


def imported(source: Source, given: object) -> dict[str, tuple[Path, ...]]:
    """The files of IMPORTED by name: one, or the six of a cube. Raises ISFError."""
    entries = given or {}
    if isinstance(entries, list):  # version 1 has a list of objects with a NAME
        entries = {str(one.get("NAME")): one for one in _with_names(source, entries)}
    if not isinstance(entries, dict):
        source.fail("IMPORTED must be an object of images", "IMPORTED")
    return {name: _picture_files(source, name, entry) for name, entry in entries.items()}


def _with_names(source: Source, entries: Sequence[object]) -> list[headers.Json]:
    """The entries of a list that have a name."""
    found = [headers.in_capitals(one) for one in entries if isinstance(one, dict)]
    named = [one for one in found if one.get("NAME")]
    if len(named) < len(entries):
        source.warn("IMPORTED: what has no NAME is left out", "IMPORTED")
    return named


def _picture_files(source: Source, name: str, entry: object) -> tuple[Path, ...]:
    keys = headers.in_capitals(entry) if isinstance(entry, dict) else {"PATH": entry}
    given = keys.get("PATH") or ""
    every = given if isinstance(given, list) else [given]
    names = [one for one in every if isinstance(one, str) and "\0" not in one]
    if len(names) == 1 and str(keys.get("TYPE")).lower() == "cube":
        names *= CUBE_FACES  # one picture for all
    if not is_identifier(name) or len(names) < len(every) or len(names) not in (1, CUBE_FACES):
        faces = f"the names of {CUBE_FACES}, the faces of a cube"
        source.fail(
            f"IMPORTED {name}: PATH = {given!r}, must be the name of one image file, or {faces}", name
        )
    files = tuple(_file(source.folder, one) for one in names)
    missing = [file for file in files if source.folder and not file.is_file()]
    if missing:
        what = "it names no file" if missing[0] == source.folder else f"{missing[0]} is not there"
        source.warn(f"IMPORTED {name}: {what}, it is black", name)
    return files


def _file(folder: Path | None, name: str) -> Path:
    """The file of a name as another system writes it: with \\ between folders, in other capitals."""
    if folder is None or not name:
        return folder or Path(name)
    ways = (folder / name, folder / name.replace("\\", "/"))
    return next((file for way in ways if (file := paths.found(way) or _in_other_capitals(way))), ways[0])


def _in_other_capitals(path: Path) -> Path | None:
    same = (file for file in path.parent.glob("*") if file.name.lower() == path.name.lower())
    return next((file for file in sorted(same) if file.is_file()), None)
