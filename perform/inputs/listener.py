"""The base of inputs that listen on a thread of their own."""

from __future__ import annotations

import threading

from perform.faults import Health
from perform.threads import Background


class Listener:
    """An input with a background thread, which is named after it.

    A subclass fills in `_listen` and calls `start` once its fields are set. `note` is what is wrong or what
    it waits for; it is empty while the device is there.
    """

    def __init__(self, name: str, note: str = "starting") -> None:
        self.name, self.note = name, note
        self._background: Background | None = None

    @property
    def started(self) -> bool:
        """Whether the thread has been started."""
        return self._background is not None

    def start(self) -> None:
        """Start listening; safe to call twice."""
        if self._background is None:
            self._background = Background(self._listen, self.name)

    def stop(self) -> None:
        """Ask the thread to end, without waiting for it."""
        if self._background is not None:
            self._background.closing.set()

    def health(self) -> Health:
        """`waiting` with the note, or `ok` with the details."""
        if self.note:
            return Health("waiting", f"{self.name}: {self.note}")
        return Health("ok", self._details())

    def close(self) -> None:
        """Stop listening; safe to call twice."""
        if self._background is not None:
            self._background.close()

    def _listen(self, closing: threading.Event) -> None:
        """Listen until `closing` is set."""
        raise NotImplementedError

    def _details(self) -> str:
        """What `health` reports of a device that is there."""
        return self.name
