"""A MIDI port that is a UDP socket, for measuring where there is no sequencer.

A backend of mido: `Midi(None, now, backend="perform.bench.wire")` finds one port, whose number the
environment's PERFORM_WIRE is; what comes there is bytes, as from a driver.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable

import mido

from perform.threads import Background

VARIABLE = "PERFORM_WIRE"
BUFFER = 1 << 20  # bytes that wait for the thread
PACKET = 2048
heard = [0]  # messages, in all


def get_devices(**_options: object) -> list[dict[str, object]]:
    """The one port, when the environment names it."""
    port = os.environ.get(VARIABLE)
    return [{"name": f"wire {port}", "is_input": True, "is_output": False}] if port else []


class Input:
    """The port, open: messages go to the callback on a thread of its own, as python-rtmidi's do."""

    def __init__(self, name: str, callback: Callable[[mido.Message], None], **_options: object) -> None:
        self.name, self._callback = name, callback
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._socket.bind(("127.0.0.1", int(name.split()[1])))
        self._thread = Background(self._listen, name)

    def close(self) -> None:
        """Hear no more."""
        self._thread.closing.set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())  # wakes the thread

    def _listen(self, closing: threading.Event) -> None:
        parser = mido.Parser()
        while not closing.is_set():
            parser.feed(self._socket.recv(PACKET))
            for message in parser:
                heard[0] += 1
                self._callback(message)
        self._socket.close()
