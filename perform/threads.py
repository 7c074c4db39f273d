"""Threads: work in the background that can be stopped."""

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
    If it waits for a condition, give it as `wake`: `stop` notifies it.
    """

    def __init__(
        self,
        work: Callable[[threading.Event], None],
        name: str,
        wake: threading.Condition | None = None,
    ) -> None:
        self.closing = threading.Event()
        self._work, self._wake = work, wake
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the work goes on."""
        return self._thread.is_alive()

    def stop(self) -> None:
        """Ask the work to end, without waiting for it."""
        self.closing.set()
        if self._wake:
            with self._wake:
                self._wake.notify_all()

    def close(self, timeout: float | None = CLOSE_TIMEOUT) -> None:
        """Ask the work to end and wait for it, at most `timeout` seconds (None: for ever); safe to call
        twice."""
        self.stop()
        if self._thread is not threading.current_thread():
            self._thread.join(timeout)

    def _run(self) -> None:
        try:
            self._work(self.closing)
        except Exception as error:  # noqa: BLE001 - nobody above a thread could handle it
            log.error("%s stopped: %s", self._thread.name, reason(error))
