"""The state of a live show in a file: saved while it plays, and played again by `--resume`."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path

from perform import paths
from perform.faults import Health, reason
from perform.scenes.saved import SavedState
from perform.scenes.snapshot import Snapshot
from perform.threads import Background

log = logging.getLogger("perform")
STATE_EVERY = 0.25  # seconds of the show from one look at the state to the next


def state_file(setlist: Path) -> Path:
    """Where the state of a setlist or preset is kept."""
    name = hashlib.sha256(str(setlist.resolve()).encode()).hexdigest()[:12]
    return paths.user_data() / "state" / f"{setlist.stem}-{name}.json"


class StateKeeper:
    """Writes the state of a show, that `state` gives, to a file whenever it has changed: on a thread of its
    own, at once as a whole, also to be found after a power cut."""

    name = "state"

    def __init__(self, file: Path, state: Callable[[], SavedState]) -> None:
        self._file, self._state = file, state
        self._looked = float("-inf")
        self._newest: SavedState | None = None
        self._unsaved = False  # whether the newest is to be written
        self._fault = ""
        self._changed = threading.Condition()
        self._writing = Background(self._write, "state", self._changed)

    def update(self, seconds: float, snapshot: Callable[[], Snapshot]) -> None:
        """Look whether the state has changed; one that could not be saved is saved again."""
        if 0 <= seconds - self._looked < STATE_EVERY:
            return
        self._looked = seconds
        state = self._state()
        if state != self._newest or self._fault:
            with self._changed:
                self._newest, self._unsaved = state, True
                self._changed.notify()

    def health(self) -> Health:
        """Whether it can be written."""
        return Health("failed", self._fault) if self._fault else Health("ok", str(self._file))

    def close(self) -> None:
        """Write what has changed last; safe to call twice."""
        self._writing.close()

    def _write(self, closing: threading.Event) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._unsaved or closing.is_set())
                newest = self._newest if self._unsaved else None
                self._unsaved = False
            if newest is not None:
                self._save(newest)
            elif closing.is_set():
                return

    def _save(self, state: SavedState) -> None:
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            paths.write_whole(self._file, state.model_dump_json().encode(), synced=True)
            self._fault = ""
        except OSError as error:
            if not self._fault:
                log.error("the state of the show cannot be saved: %s", reason(error))
            self._fault = reason(error)
