"""Syphon: pictures of programs on the same Mac, with the optional extra `syphon` (syphon-python).

Its textures of Metal are BGRA, and their rows begin at the bottom. Not proven on macOS yet.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.inputs.sharing import AGAIN_SECONDS, GONE, POLL_SECONDS, sender_of

LOOK_SECONDS = 0.1  # in which the system tells of servers


def syphon_senders() -> list[str]:
    """The servers of Syphon, as `PROGRAM: name`."""
    return sorted(_servers())


def _servers() -> dict[str, Any]:
    import syphon

    directory = syphon.SyphonServerDirectory()
    directory.run_loop_interval = LOOK_SECONDS
    return {f"{one.app_name}: {one.name}": one for one in directory.servers}


class SyphonReceiver:
    """The server of Syphon whose name has `name` in it; empty: the first. Raises LookupError."""

    def __init__(self, name: str) -> None:
        import syphon

        there = _servers()
        self._client: Any = syphon.SyphonMetalClient(there[sender_of(name, sorted(there))])
        self._last: Pixels | None = None
        self._pause = threading.Event()

    def read(self) -> tuple[Pixels, float]:
        """The next picture, or the last again while the server is there. Raises OSError."""
        began = stopwatch()
        while (pixels := self._look()) is None:
            if not self._client.is_valid:
                raise OSError(GONE)
            if self._last is not None and stopwatch() - began > AGAIN_SECONDS:
                return self._last, stopwatch()
            self._pause.wait(POLL_SECONDS)
        self._last = pixels
        return pixels, stopwatch()

    def _look(self) -> Pixels | None:
        """The newest picture, if it is a new one."""
        from syphon.utils.raw import copy_mtl_texture_to_bytes

        texture = self._client.new_frame_image if self._client.has_new_frame else None
        if texture is None:
            return None
        data = np.frombuffer(copy_mtl_texture_to_bytes(texture), np.uint8)
        rows = data.reshape(texture.height(), texture.width(), 4)
        return np.ascontiguousarray(rows[::-1, :, 2::-1])

    def close(self) -> None:
        """Leave the server."""
        self._client.stop()
