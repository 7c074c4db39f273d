"""Threads: work in the background that ends when it is asked to."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from perform.faults import reason

log = logging.getLogger("perform")
CLOSE_TIMEOUT = 5.0  # seconds that closing waits for the work to end


class Background:
    """Runs `work` on a daemon thread of this name, from now on until it returns.

    `work` gets the event `closing` and returns soon after it is set; what it raises is logged and ends it.
    """

    def __init__(self, work: Callable[[threading.Event], None], name: str) -> None:
        self.closing = threading.Event()
        self._work = work
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the work goes on."""
        return self._thread.is_alive()

    def close(self, timeout: float | None = CLOSE_TIMEOUT) -> None:
        """Ask the work to end and wait for it, at most `timeout` seconds (None: for ever); safe to call
        twice."""
        self.closing.set()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._work(self.closing)
        except Exception as error:  # noqa: BLE001 - a thread has nobody to tell
            log.error("%s stopped: %s", self._thread.name, reason(error))
