"""Edits of a show that a test makes."""

from __future__ import annotations

from pathlib import Path

from perform.library import Library
from perform.scenes.setlist import Setlist
from perform.show import load


class Edited:
    """Gives the setlist of a folder when a test has edited a file in it."""

    def __init__(self, file: Path, library: Library, newest: Setlist | None = None) -> None:
        self.saved, self._file, self._library, self._newest = False, file, library, newest

    def take(self) -> Setlist | None:
        saved, self.saved = self.saved, False
        if not saved:
            return None
        self._newest = load(self._file, self._library, self._newest)
        return self._newest

    def close(self) -> None: ...
