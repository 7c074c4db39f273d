"""What runs in a tracker's process in tests: it finds a hand in the picture's corner, and misbehaves when
it is shown a colour."""

from __future__ import annotations

import os
import socket
import threading
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Pixels
from perform.inputs.hands import process as _hand_process
from perform.inputs.hands.process import ROW, serve

DIE, HANG, RAISE, LEAK = 201, 202, 203, 204  # the first pixel's red
_leaked: list[Any] = []


def _find(pixels: Pixels, milliseconds: int) -> NDArray[np.float32]:
    match int(pixels[0, 0, 0]):
        case 201:
            os._exit(9)
        case 202:
            threading.Event().wait()
        case 203:
            raise ValueError("a bad picture")
        case 204:
            _leaked.append(np.ones(1 << 26, np.uint8))
    found = np.zeros((1, ROW), np.float32)
    found[0, 1:4] = pixels[-1, -1] / 255
    found[0, 4:7] = milliseconds % (1 << 20), *pixels.shape[:2]  # a float32 is whole up to 2^24
    found[0, 7] = os.getpid()
    return found


def double(connection: Connection, memory: str, model: str) -> None:
    """A tracker whose results depend on the corners of the picture."""
    serve(connection, memory, lambda: _find)


def broken(connection: Connection, memory: str, model: str) -> None:
    """A tracker that does not start."""

    def open() -> Any:
        raise RuntimeError("no such model")

    serve(connection, memory, open)


def caller(connection: Connection, memory: str, model: str) -> None:
    """A tracker that tries to reach a port of this machine (the model's name) in the two possible ways."""

    def find(pixels: Pixels, milliseconds: int) -> NDArray[np.float32]:
        found = np.zeros((1, ROW), np.float32)
        found[0, 0] = _reached(int(model))
        found[0, 1] = os.environ["https_proxy"] == _hand_process.NOWHERE
        return found

    serve(connection, memory, lambda: find)


def _reached(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1.0).close()
    except OSError:
        return False
    return True
