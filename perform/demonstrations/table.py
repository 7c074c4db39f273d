"""Examples from a table: a CSV file whose columns are signals, and parameters or values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from perform.demonstrations.targets import MappingTarget
from perform.inputs.feeds.csv import read_rows
from perform.inputs.quantities import number_of
from perform.parameters import ParameterError
from perform.scenes.mapping import MAX_EXAMPLES, Example


def read_examples(file: Path, signals: Sequence[str], targets: Sequence[MappingTarget]) -> list[Example]:
    """The examples of a file. A target's column is its key, `filter[0].zoom`, or its value's name, `zoom`.

    Raises ValueError, with the row and the column, and OSError.
    """
    table = read_rows(file, MAX_EXAMPLES + 2)
    if not table:
        raise ValueError(f"{file} cannot be read as a table: it is empty")
    head, *rows = table
    names = [name.strip() for name in head]
    inputs = [_column(file, names, signal) for signal in signals]
    outputs = [_column(file, names, target.value, target.key) for target in targets]
    found = []
    for number, row in enumerate(rows, 2):
        if any(cell.strip() for cell in row):
            where = f"{file}: row {number}"
            posture = [_cell_number(where, row, at, names) for at in inputs]
            values = [_cell_number(where, row, at, names) for at in outputs]
            _check(where, targets, values)
            found.append(Example(signals=posture, values=values))
    if not 1 <= len(found) <= MAX_EXAMPLES:
        raise ValueError(f"{file} has {len(found)} rows, must have 1..{MAX_EXAMPLES}")
    return found


def _column(file: Path, names: Sequence[str], *wanted: str) -> int:
    for name in wanted:
        if name in names:
            return names.index(name)
    raise ValueError(f"{file} has no column {' or '.join(wanted)}, it has {', '.join(names[:20])}")


def _cell_number(where: str, row: Sequence[str], at: int, names: Sequence[str]) -> float:
    text = row[at].strip() if at < len(row) else ""
    number = number_of(text)
    if number is None:
        raise ValueError(f"{where}: {names[at]} = {text!r}, must be a number")
    return number


def _check(where: str, targets: Sequence[MappingTarget], values: Sequence[float]) -> None:
    for target, value in zip(targets, values, strict=True):
        parameter = target.parameter
        if parameter.clip(value) != value:
            sentence = f"{target.key} = {value:g}, must be {parameter.range}"
            raise ParameterError(f"{where}: {sentence}")
