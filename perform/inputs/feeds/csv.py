"""A file of rows, replayed by the show's clock: always the same, live and offline."""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from dataclasses import dataclass, field
from datetime import datetime
from io import StringIO
from itertools import islice
from pathlib import Path

import numpy as np

from perform.arrays import Doubles
from perform.documents import read_text
from perform.faults import Health
from perform.inputs.feeds.document import Csv, Feed, Reading
from perform.inputs.quantities import number_of
from perform.signals import Event

MOST_ROWS = 2_000_000  # rows
DELIMITERS = ";\t,"  # the first of these that the head has is between the columns
QUOTED = re.compile(r'"[^"]*"')
MOST_SHOWN = 32  # letters of a cell in a fault
GAPS = ("", "-", "na", "n/a", "nan", "null", "none")  # cells without a value


class Replay:
    """Rows of a file as they come."""

    def __init__(self, feed: Feed) -> None:
        assert isinstance(feed.text, Csv)
        self.name = f"feed {feed.name}"
        self._text = feed.text
        self._file = feed.file.parent / feed.text.file
        self._table = read_table(self._file, feed.text, list(feed.values.values()))
        self._times, self._columns = self._table.times, self._table.columns
        self._readings = [Reading(name, feed.text) for name in feed.values]
        self._next, self._polled = 0, -1.0

    def poll(self, until: float) -> list[Event]:
        if until <= self._polled:
            return []
        self._polled, at = until, until * self._text.speed
        turn = self._times[-1] + self._step
        turns, within = divmod(at, turn) if self._text.loop else (0.0, at)
        due = int(turns) * len(self._times) + bisect_right(self._times, within + 1e-9)
        for row in range(max(self._next, due - len(self._times)), due):
            came = (row // len(self._times) * turn + self._times[row % len(self._times)]) / self._text.speed
            for reading, column in zip(self._readings, self._columns, strict=True):
                if np.isfinite(value := column[row % len(self._times)]):
                    reading.take(came, float(value))
        self._next = due
        return [event for reading in self._readings for event in reading.events(until)]

    @property
    def _step(self) -> float:
        """From the last row to the first of the next turn: as long as rows are apart, if they are."""
        apart = float(np.median(np.diff(self._times))) if len(self._times) > 1 else 0.0
        return apart or self._text.every

    def health(self) -> Health:
        rows = f"{self.name}: {len(self._times)} rows of {self._file.name}"
        return Health("ok", ", ".join((rows, *self.faults)))

    @property
    def faults(self) -> list[str]:
        """What is wrong with its table."""
        return self._table.faults

    def close(self) -> None:
        """Nothing is open."""


@dataclass(slots=True)
class ReplayedTable:
    """Times in seconds from 0, rising, and the wanted columns, whose gaps are nan. `faults` are of cells that
    should have a number, one of each column."""

    times: list[float]
    columns: list[Doubles]
    faults: list[str] = field(default_factory=list)


def check_table(feed: Feed) -> list[str]:
    """The faults of the file of a feed, a sentence each."""
    assert isinstance(feed.text, Csv)
    file = feed.file.parent / feed.text.file
    try:
        return [f"{file}: {fault}" for fault in read_table(file, feed.text, [*feed.values.values()]).faults]
    except ValueError as error:
        return [str(error)]
    except OSError as error:
        return [f"{feed.file}: file = {feed.text.file!r}: {error.strerror}"]


def read_table(file: Path, text: Csv, wanted: list[str]) -> ReplayedTable:
    """The table of a file. ValueError for a file that has no such table, or a column without any number;
    OSError."""
    names, rows = _named_rows(file)
    numbered = [name for name in names if name != text.time]
    found = ReplayedTable([], [], _wide_rows(names, rows))
    for name in wanted:
        name = name or numbered[0]
        place = _column(file, names, name)
        found.columns.append(np.array(_numbers(found, name, {row: _cell(rows[row], place) for row in rows})))
        if not np.isfinite(found.columns[-1]).any():
            raise ValueError(f"{file}: {(found.faults or [f'column {name} is empty'])[-1]}")
    if not text.time:
        found.times = [text.every * i for i in range(len(rows))]
        return found
    place = _column(file, names, text.time)
    times = np.array([_time(_cell(row, place)) for row in rows.values()])
    order = np.argsort(times, kind="stable")
    order = order[np.isfinite(times[order])]
    if not len(order):
        raise ValueError(f"{file}: column {text.time} has no times: seconds, or such as 2026-11-21 09:30:00")
    if late := len(rows) - len(order):
        found.faults.append(f"column {text.time}: {late} of {len(rows)} cells are no times")
    found.times = (times[order] - times[order[0]]).tolist()
    found.columns = [column[order] for column in found.columns]
    return found


def read_rows(file: Path, most: int) -> list[list[str]]:
    """The rows of a file, with commas, semicolons or tabs between the columns, at most so many. ValueError,
    OSError."""
    text = read_text(file)
    head = QUOTED.sub("", text[: text.find("\n")] if "\n" in text else text)
    delimiter = next((sign for sign in DELIMITERS if sign in head), DELIMITERS[0])  # a lone column has none
    try:
        return list(islice(csv.reader(StringIO(text, newline=""), delimiter=delimiter), most))
    except csv.Error as error:
        raise ValueError(f"{file} cannot be read as a table: {error}") from error


def _named_rows(file: Path) -> tuple[list[str], dict[int, list[str]]]:
    """The names of the columns, and the rows that are not empty by their numbers from 1. Without a head, the
    names are numbers."""
    rows = {number: row for number, row in enumerate(read_rows(file, MOST_ROWS + 1), 1) if any(row)}
    head = rows.get(1, [])
    names = [name.strip() for name in head]
    if all(number_of(name, units=False) is not None for name in names):
        names = [str(i) for i in range(len(head))]
    else:
        del rows[1]
    if not rows:
        raise ValueError(f"{file} has no rows")
    return names, rows


def _wide_rows(names: list[str], rows: dict[int, list[str]]) -> list[str]:
    """A fault if rows have more cells than there are columns: their commas are within numbers."""
    wide = [number for number, row in rows.items() if any(row[len(names) :])]
    if not wide:
        return []
    why = "put numbers with decimal commas in quotes, or semicolons between columns"
    return [f"row {wide[0]} has {len(rows[wide[0]])} cells for {len(names)} columns: {why}"]


def _column(file: Path, names: list[str], name: str) -> int:
    if name not in names:
        raise ValueError(f"{file} has no column {name!r}, it has {', '.join(names[:20])}")
    return names.index(name)


def _cell(row: list[str], place: int) -> str:
    return row[place].strip() if place < len(row) else ""


def _numbers(found: ReplayedTable, name: str, cells: dict[int, str]) -> list[float]:
    """The numbers of a column; a fault is noted of the cells that are neither a number nor empty."""
    numbers = {row: number_of(cell) for row, cell in cells.items()}
    odd = [row for row, number in numbers.items() if number is None and cells[row].casefold() not in GAPS]
    if odd:
        count = f"{len(odd)} of {len(cells)} cells are no numbers"
        found.faults.append(f"column {name}: {count}; row {odd[0]} has {cells[odd[0]][:MOST_SHOWN]!r}")
    return [np.nan if number is None else number for number in numbers.values()]


def _time(text: str) -> float:
    """Seconds of a number or of an ISO 8601 date; nan for neither."""
    if (number := number_of(text, units=False)) is not None:
        return number
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):  # a year that no clock of the system has
        return np.nan
