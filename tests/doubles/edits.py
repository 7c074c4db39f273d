"""Edits of a show that a test makes."""

from __future__ import annotations

from pathlib import Path

from perform.library import Library
from perform.scenes.setlist import Setlist
from perform.show import load


class Edited:
    """Gives the setlist of a folder when a test has edited a file in it."""

    def __init__(self, file: Path, library: Library) -> None:
        self.saved, self._file, self._library = False, file, library

    def take(self) -> Setlist | None:
        saved, self.saved = self.saved, False
        return load(self._file, self._library) if saved else None

    def close(self) -> None: ...
