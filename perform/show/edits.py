"""Edits: files that you save while the show plays."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Generic, TypeVar

from perform.faults import reason
from perform.library import SHADER_SUFFIXES
from perform.threads import Background

Read = TypeVar("Read")
log = logging.getLogger("perform")
SUFFIXES = (".toml", *SHADER_SUFFIXES, ".vs", ".glsl")
AGAIN = 1.0  # seconds until the folders are watched again after a fault


class FileWatcher(Generic[Read]):
    """Watches `folders` in the background, and reads the setlist, or what else `read` gives, again there when
    a file in them was saved: a large one takes longer than a frame."""

    def __init__(self, folders: Iterable[Path], read: Callable[[], Read]) -> None:
        from watchfiles import watch

        self._folders, self._read = {folder.resolve() for folder in folders}, read
        self._changes = watch  # imported here: a file may be saved while the thread would import it
        self._newest: deque[Read | Exception] = deque(maxlen=1)  # what was read since the last call
        self._thread = Background(self._watch, "watch")

    def take(self) -> Read | None:
        """What was read since the last call, None if no file was saved. Raises what `read`
        raised; never waits."""
        newest = self._newest.pop() if self._newest else None
        if isinstance(newest, Exception):
            raise newest
        return newest

    def close(self) -> None:
        """Stop watching; safe to call twice."""
        self._thread.close()

    def _watch(self, closing: threading.Event) -> None:
        said = ""
        while not closing.is_set():
            try:
                for _ in self._watched(closing):
                    said = ""
                    self._newest.append(self._read_again())
            except (OSError, RuntimeError) as error:  # too many watches, a folder that is gone, an odd name
                if said != (said := reason(error)):
                    log.error("saved files are not seen, trying again: %s", said)
                    self._newest.append(self._read_again())  # one may have been saved meanwhile
                closing.wait(AGAIN)

    def _watched(self, closing: threading.Event) -> Iterable[object]:
        return self._changes(
            *self._folders, watch_filter=_matters, stop_event=closing, debounce=50, step=20, recursive=False
        )

    def _read_again(self) -> Read | Exception:
        try:
            return self._read()
        except Exception as error:  # noqa: BLE001 - the show gets it by `take`
            return error


def _matters(_change: object, path: str) -> bool:
    return path.lower().endswith(SUFFIXES)
