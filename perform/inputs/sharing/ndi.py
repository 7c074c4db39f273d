"""NDI: pictures from the network, with the library of the optional extra `ndi` (cyndilib).

A call of this library keeps the interpreter until it returns, so none of them waits here.
A receiver of it takes its memory until the garbage collector comes, and a source that has gone comes back to
the receiver that it had: each name keeps its own.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.inputs.sharing import AGAIN_SECONDS, GONE, POLL_SECONDS, sender_of
from perform.sharing import load_whole

SEARCH_SECONDS = 1.5  # in which a search finds what is there
CONNECT_SECONDS = 3.0  # that a source may take for its first picture


@cache
def _finder() -> Any:
    """What looks for sources on the network, from its first use to the end of the program."""
    load_whole("cyndilib")
    from cyndilib.finder import Finder

    return Finder()


def ndi_senders() -> list[str]:
    """The sources of NDI, as `COMPUTER (name)`; the first search takes SEARCH_SECONDS."""
    first = not _finder.cache_info().currsize
    finder = _finder()
    if first:
        threading.Event().wait(SEARCH_SECONDS)
    return sorted(finder.update_sources())


@dataclass(slots=True)
class _Connection:
    """A receiver, its newest picture, and the number of that in NDI's time."""

    receiver: Any
    frame: Any
    stamp: float = 0.0

    @classmethod
    @cache
    def of(cls, name: str) -> _Connection:
        """The connection that a name has from its first use to the end of the program."""
        from cyndilib.receiver import Receiver
        from cyndilib.video_frame import VideoFrameSync
        from cyndilib.wrapper.ndi_recv import RecvBandwidth, RecvColorFormat

        receiver = Receiver(
            color_format=RecvColorFormat.RGBX_RGBA,
            bandwidth=RecvBandwidth.highest,
            allow_video_fields=False,
            recv_name="perform",
        )
        frame = VideoFrameSync()
        receiver.frame_sync.set_video_frame(frame)
        return cls(receiver, frame)

    def look(self) -> Pixels | None:
        """The newest picture [height, width, 4], if it is another one; the fourth channel says nothing."""
        frame = self.frame
        self.receiver.frame_sync.capture_video()
        stamp = frame.get_timestamp_posix()
        if not frame.xres or stamp == self.stamp:
            return None
        self.stamp = stamp
        rows = np.frombuffer(frame, np.uint8).reshape(frame.yres, frame.get_line_stride())
        return np.array(rows[:, : 4 * frame.xres]).reshape(frame.yres, frame.xres, 4)


class NdiReceiver:
    """The source of NDI whose name has `name` in it; empty: the first. Raises LookupError."""

    def __init__(self, name: str) -> None:
        self._source = sender_of(name, ndi_senders())
        self._connection = _Connection.of(name)
        self._connection.receiver.set_source(_finder().get_source(self._source))
        self._last: Pixels | None = None
        self._pause = threading.Event()

    def read(self) -> tuple[Pixels, float]:
        """The next picture, or the last again while the source is there. Raises OSError."""
        began = stopwatch()
        while (pixels := self._connection.look()) is None:
            waited = stopwatch() - began
            if self._last is not None and waited > AGAIN_SECONDS:
                if not self._connection.receiver.is_connected():
                    raise OSError(GONE)
                return self._last, stopwatch()
            if self._last is None and waited > CONNECT_SECONDS:
                raise OSError(f"{self._source} sends no picture")
            self._pause.wait(POLL_SECONDS)
        self._last = pixels
        return pixels, stopwatch()

    def close(self) -> None:
        """Disconnect."""
        self._connection.receiver.set_source(None)
