"""Spout: pictures of programs on the same Windows machine, with the optional extra `spout` (SpoutGL).

Not proven on Windows yet.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.inputs.sharing import AGAIN_SECONDS, GONE, POLL_SECONDS, sender_of

RGBA = 0x1908  # of OpenGL


def spout_senders() -> list[str]:
    """The senders of Spout."""
    import SpoutGL

    return sorted(SpoutGL.SpoutReceiver().getSenderList())


class SpoutReceiver:
    """The sender of Spout whose name has `name` in it; empty: the first. It draws with a hidden window of its
    own, on the thread that opens it. Raises LookupError, OSError."""

    def __init__(self, name: str) -> None:
        import SpoutGL

        self._receiver: Any = SpoutGL.SpoutReceiver()
        sender = sender_of(name, self._receiver.getSenderList())
        if not self._receiver.createOpenGL():
            raise OSError("Spout finds no OpenGL")
        self._receiver.setReceiverName(sender)
        self._rows = np.empty((0, 0, 4), np.uint8)
        self._pause = threading.Event()

    def read(self) -> tuple[Pixels, float]:
        """The next picture, or the last again while the sender is there. Raises OSError."""
        began = stopwatch()
        while not self._look() and (not self._rows.size or stopwatch() - began < AGAIN_SECONDS):
            self._pause.wait(POLL_SECONDS)
        return self._rows.copy(), stopwatch()

    def _look(self) -> bool:
        """Fetch a picture; whether it is a new one. The first call, and the first after another size of the
        sender's, only tells the size."""
        receiver = self._receiver
        if not receiver.receiveImage(self._rows if self._rows.size else None, RGBA, False, 0):
            raise OSError(GONE)
        if receiver.isUpdated():
            shape = receiver.getSenderHeight(), receiver.getSenderWidth(), 4
            self._rows = np.zeros(shape, np.uint8)
            return False
        return bool(receiver.isFrameNew())

    def close(self) -> None:
        """Leave the sender."""
        self._receiver.releaseReceiver()
        self._receiver.closeOpenGL()
