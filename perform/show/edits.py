"""Edits: files that you save while the show plays."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from perform.library import SHADER_SUFFIXES
from perform.scenes.setlist import Setlist
from perform.threads import Background

log = logging.getLogger("perform")
SUFFIXES = (".toml", *SHADER_SUFFIXES, ".vs", ".glsl")


class FileWatcher:
    """Watches `folders` in the background; `take` reads the setlist again when a file in them was saved."""

    def __init__(self, folders: Iterable[Path], read: Callable[[], Setlist]) -> None:
        from watchfiles import watch

        self._folders, self._read = {folder.resolve() for folder in folders}, read
        self._changes = watch  # imported here: a file may be saved while the thread would import it
        self._saved = threading.Event()
        self._thread = Background(self._watch, "watch")

    def take(self) -> Setlist | None:
        """The setlist as it is now if a file was saved since the last call, else None. Raises what `read`
        raises."""
        if not self._saved.is_set():
            return None
        self._saved.clear()
        return self._read()

    def close(self) -> None:
        """Stop watching; safe to call twice."""
        self._thread.close()

    def _watch(self, closing: threading.Event) -> None:
        changes = self._changes(
            *self._folders, watch_filter=_matters, stop_event=closing, debounce=50, step=20, recursive=False
        )
        try:
            for _ in changes:
                self._saved.set()
        except (OSError, RuntimeError) as error:  # too many watches, or a folder that is gone
            log.error("edits are no longer applied: %s", error)


def _matters(_change: object, path: str) -> bool:
    return path.lower().endswith(SUFFIXES)
