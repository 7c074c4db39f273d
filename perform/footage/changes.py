"""Files that are saved anew while they are played."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from perform.clock import stopwatch

Stamp: TypeAlias = tuple[int, int]  # time of change in ns, bytes
LOOK = 0.5  # seconds between two looks


def stamp(path: Path) -> Stamp | None:
    """What tells a file from what it was before; None while it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


class Changes:
    """Says when a file has become another one and has been left alone since the look before."""

    def __init__(self, path: Path) -> None:
        self._path, self._known = path, stamp(path)
        self._before, self._looked = self._known, stopwatch()

    def seen(self) -> bool:
        """Whether it has changed; says so once. Looks at the file twice a second at most."""
        if stopwatch() - self._looked < LOOK:
            return False
        now, self._looked = stamp(self._path), stopwatch()
        settled, self._before = now == self._before, now
        if now is None or now == self._known or not settled:
            return False
        self._known = now
        return True
