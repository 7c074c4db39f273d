"""What an edit needs that is not open: made before the edit plays, one thing a frame.

A shader that is compiled takes a part of a frame, also where the driver has it on the disk; all those of a
new setlist would take longer than one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import TypeAlias

from perform.stage.contained import ContainedUnit

Making: TypeAlias = Callable[[], bool]  # makes a thing, unless it is there already; says whether it did
MADE_AHEAD = ("shader", "film", "still", "text")  # kinds of units


class Ahead:
    """`made` are the units that are there for an edit, also those that were made for an edit before it."""

    def __init__(self, made: Sequence[ContainedUnit] = ()) -> None:
        self.made = [*made]
        self._missing: deque[Making] | None = None

    def step(self, find: Callable[[], Iterable[Making]]) -> bool:
        """Make one of the things that are missing, as `find` gives them at first; whether none is left."""
        if self._missing is None:
            self._missing = deque(find())
        while self._missing:
            if _done(self._missing.popleft()):
                break
        return not self._missing


def _done(make: Making) -> bool:
    """Whether it took any time."""
    with suppress(Exception):  # whoever opens the edit meets it again, and tells what is wrong
        return make()
    return True
