"""Files that are saved again while they are played."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from perform.clock import stopwatch

Stamp: TypeAlias = tuple[int, int]  # time of change in ns, bytes
LOOK_INTERVAL = 0.5  # seconds


def stamp(path: Path) -> Stamp | None:
    """Changes when the file is saved; None while it is not there."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


class Changes:
    """Notices when a file was saved and is complete: it has not changed since the look before."""

    def __init__(self, path: Path) -> None:
        self._path, self._known = path, stamp(path)
        self._before, self._looked = self._known, stopwatch()

    def seen(self) -> bool:
        """Whether it has changed, once for each change. Looks at the file twice a second at most."""
        if stopwatch() - self._looked < LOOK_INTERVAL:
            return False
        now, self._looked = stamp(self._path), stopwatch()
        complete, self._before = now == self._before, now
        if now is None or now == self._known or not complete:
            return False
        self._known = now
        return True
