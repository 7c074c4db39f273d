"""A file of rows, replayed by the show's clock: always the same, live and offline."""

from __future__ import annotations

import csv
from bisect import bisect_right
from datetime import datetime
from itertools import islice
from pathlib import Path

import numpy as np

from perform.arrays import Doubles
from perform.faults import Health
from perform.inputs.feeds.document import NUMBER, Csv, Feed, Reading
from perform.signals import LARGEST, Event

MOST_ROWS = 2_000_000  # rows


class Replay:
    """Rows of a file as they come."""

    def __init__(self, feed: Feed) -> None:
        assert isinstance(feed.text, Csv)
        self.name = f"feed {feed.name}"
        self._text = feed.text
        self._file = feed.file.parent / feed.text.file
        self._times, self._columns = read_table(self._file, feed.text, list(feed.values.values()))
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
        """From the last row to the first of the next turn: as long as rows are apart."""
        return float(np.median(np.diff(self._times))) if len(self._times) > 1 else self._text.every

    def health(self) -> Health:
        return Health("ok", f"{self.name}: {len(self._times)} rows of {self._file.name}")

    def close(self) -> None:
        """Nothing is open."""


def read_table(file: Path, text: Csv, wanted: list[str]) -> tuple[list[float], list[Doubles]]:
    """Times in seconds from 0, rising, and the wanted columns; gaps are nan. ValueError, OSError."""
    with file.open(newline="", encoding="utf-8-sig") as lines:
        try:
            rows = list(islice(csv.reader(lines), MOST_ROWS + 1)) or [[]]
        except (csv.Error, UnicodeDecodeError) as error:
            raise ValueError(f"{file} cannot be read as a table: {error}") from error
    head, *rows = rows
    names = [name.strip() for name in head]
    if all(NUMBER.fullmatch(name) for name in names):  # no head: columns have numbers
        rows, names = [head, *rows], [str(i) for i in range(len(head))]
    rows = [row for row in rows if any(row)]
    if not rows:
        raise ValueError(f"{file} has no rows")
    numbered = [name for name in names if name != text.time]
    columns = [[_cell(row, _column(file, names, name or numbered[0])) for row in rows] for name in wanted]
    if not text.time:
        return [text.every * i for i in range(len(rows))], [np.array(column) for column in columns]
    place = _column(file, names, text.time)
    times = np.array([_time(row[place] if place < len(row) else "") for row in rows])
    order = np.argsort(times, kind="stable")
    order = order[np.isfinite(times[order])]
    if not len(order):
        raise ValueError(f"{file}: column {text.time} has no times: seconds, or such as 2026-11-21 09:30:00")
    since = times[order] - times[order[0]]
    return since.tolist(), [np.array(column)[order] for column in columns]


def _column(file: Path, names: list[str], name: str) -> int:
    if name not in names:
        raise ValueError(f"{file} has no column {name!r}, it has {', '.join(names[:20])}")
    return names.index(name)


def _cell(row: list[str], place: int) -> float:
    text = row[place].strip() if place < len(row) else ""
    value = float(text) if NUMBER.fullmatch(text) else np.nan
    return value if abs(value) < LARGEST else np.nan


def _time(text: str) -> float:
    """Seconds of a number or of an ISO 8601 date; nan for neither."""
    if NUMBER.fullmatch(text.strip()):
        return float(text)
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except (ValueError, OverflowError, OSError):  # a year that no clock of the system has
        return np.nan
