"""Edits of presets. They keep comments and line ends, are written whole or not at all, and can be undone.

One file in the user's folder lists the edits, newest last. Undo restores an unchanged file exactly. In a file
that was edited by hand since, it restores the learned value only.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import InvalidStringError, TOMLKitError

from perform import paths
from perform.documents import MARK, SceneError, edit_tables, read_marked_text, set_key
from perform.learning.targets import OTHER_TABLE

EDITS_KEPT = 200  # for undo
TABLE_NAME = re.compile(r"(?P<word>[^\[\].]+)(?:\[(?P<number>\d+)\])?")


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit: the file, what was learned, the text before, and the hash of the text after. `copied`: the
    edit made the file."""

    file: str
    key: str
    part: int | None
    formula: str
    before: str
    after: str
    copied: bool = False


def with_value(
    text: str, key: str, value: object, part: int | None = None, default: Sequence[float] = ()
) -> str:
    """The text of a preset with a value at a key such as `filter[0].zoom`. With `part`, one number of a point
    or a colour is set, over `default` if the key is not there yet. The value None removes the key."""

    def change(tables: Any) -> None:
        table, name = table_of(tables, key)
        if value is None:
            table.pop(name, None)
        elif part is None:
            set_key(table, name, _quoted(value))
        elif name in table:
            table[name][part] = _quoted(value)
        else:
            set_key(table, name, [*default[:part], _quoted(value), *default[part + 1 :]])

    return edit_tables(text, change)


def value_at(text: str, key: str) -> Any:
    """The value at a key of a preset's text; None if it is not set."""
    table, name = table_of(tomlkit.parse(text.removeprefix(MARK)), key)
    return table.get(name)


def editable_file(file: Path, by_name: bool) -> Path:
    """The file to edit for a preset: of a shipped one the user's copy, which may not exist yet. `by_name`:
    the preset was found by name, not given as a file."""
    file = file.resolve()
    shipped = paths.shipped().resolve()
    ours = (by_name and file.is_relative_to(shipped)) or file.is_relative_to(paths.PACKAGE)
    return paths.user_data() / file.relative_to(shipped) if ours else file


def check_preset(file: Path) -> None:
    """ValueError for a file that plays by itself: a formula can only be written into a preset."""
    if file.suffix.lower() != ".toml":
        raise ValueError(f"{file} is no preset: write one that plays it, and learn in that")


def edit(
    file: Path,
    target: tuple[str, int | None, Sequence[float]],
    formula: str,
    check: Callable[[Path], object],
    by_name: bool = False,
) -> Edit:
    """Write a formula into a preset or the user's copy of it. `target` is the key, the part of a point or a
    colour, and its default; `check` reads the new file before it replaces the old one.

    Raises SceneError, ValueError or OSError; then nothing is written.
    """
    check_preset(file)
    key, part, default = target
    there = editable_file(file, by_name)
    copied = not there.exists()
    before = read_marked_text(file if copied else there)
    try:
        after = with_value(before, key, formula, part, default)
    except TOMLKitError as error:
        raise ValueError(f"{there}: {error}") from error
    step = Edit(str(there), key, part, formula, before, _hash(after), copied)
    there.parent.mkdir(parents=True, exist_ok=True)
    _replace(there, after, check, like=file)
    _save_edits([*past_edits(), step])
    return step


def undo(file: Path | None = None) -> Edit:
    """Undo the newest edit, or the newest of one file. LookupError if there is none."""
    done = past_edits()
    mine = [step for step in done if file is None or Path(step.file) == file.resolve()]
    if not mine:
        raise LookupError(f"nothing was learned in {file}" if file else "nothing was learned yet")
    step = mine[-1]
    _restore(step)
    done.reverse()
    done.remove(step)
    _save_edits(done[::-1])
    return step


def past_edits() -> list[Edit]:
    """The edits that can be undone, newest last. ValueError if their file is unreadable."""
    try:
        return [Edit(**row) for row in json.loads(_history().read_text(encoding="utf-8"))]
    except FileNotFoundError:
        return []
    except (ValueError, TypeError) as error:
        raise ValueError(f"{_history()} cannot be read; delete it and try again: {error}") from error


def _restore(step: Edit) -> None:
    file = Path(step.file)
    if not file.is_file():
        return
    now = read_marked_text(file)
    if _hash(now) == step.after:
        if step.copied:
            file.unlink()
        else:
            _replace(file, step.before)
        return
    before = value_at(step.before, step.key)
    if step.part is None or before is None or value_at(now, step.key) is None:
        _replace(file, with_value(now, step.key, before))
    else:
        _replace(file, with_value(now, step.key, before[step.part], step.part))


def _save_edits(done: list[Edit]) -> None:
    history = _history()
    history.parent.mkdir(parents=True, exist_ok=True)
    _replace(history, json.dumps([asdict(step) for step in done[-EDITS_KEPT:]], indent=1))


def _history() -> Path:
    return paths.user_data() / "learn.json"


def _replace(
    file: Path, text: str, check: Callable[[Path], object] | None = None, like: Path | None = None
) -> None:
    """Replace a file by a text in one step; the file keeps its mode, or gets that of `like`."""
    like = file if file.exists() else like
    handle, name = tempfile.mkstemp(".part", f".{file.name}.", file.parent)  # two shows may save at once
    part = Path(name)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="") as written:
            written.write(text)
        if check:
            _checked(part, file, check)
        mode = stat.S_IMODE(like.stat().st_mode) if like and like.exists() else None
        paths.commit_file(part, file)
        if mode is not None:
            file.chmod(mode)
    finally:
        part.unlink(missing_ok=True)


def _checked(part: Path, file: Path, check: Callable[[Path], object]) -> None:
    try:
        check(part)
    except SceneError as error:
        raise SceneError([fault.replace(str(part), str(file)) for fault in error.faults]) from error


def table_of(document: Any, key: str) -> tuple[Any, str]:
    """The table of a key, made if it is missing, and the key's last word."""
    *tables, name = key.split(".")
    table = document
    for at, step in enumerate(tables):
        match = TABLE_NAME.fullmatch(step)
        assert match is not None, step
        word, number = match["word"], match["number"]
        if at == 0 and word not in table and OTHER_TABLE.get(word, word) in table:
            word = OTHER_TABLE[word]
        if word not in table:
            table[word] = tomlkit.table()
        table = table[word] if number is None else table[word][int(number)]
    return table, name


def _quoted(value: object) -> object:
    """A text with double quotes in single ones, where it needs no escapes."""
    if isinstance(value, str) and '"' in value:
        with suppress(InvalidStringError):  # it has single quotes, too
            return tomlkit.string(value, literal=True)
    return value


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
