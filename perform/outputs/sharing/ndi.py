"""NDI: pictures over the network, with the library of the optional extra `ndi` (cyndilib).

A sender announces itself on the local network. NDI compresses a picture only when there are receivers.
"""

from __future__ import annotations

import io
import threading
from contextlib import redirect_stdout
from fractions import Fraction

from perform.arrays import Pixels
from perform.outputs.sharing import with_alpha
from perform.sharing import load_whole

_SILENCED = threading.Lock()  # of two threads that silence the program at once, the last leaves it silent


class NdiSender:
    """A source of NDI: others see it as `COMPUTER (name)`."""

    def __init__(self, name: str, size: tuple[int, int], fps: float) -> None:
        load_whole("cyndilib")
        from cyndilib.audio_frame import AudioSendFrame
        from cyndilib.sender import Sender
        from cyndilib.video_frame import VideoSendFrame
        from cyndilib.wrapper.ndi_structs import FourCC

        frame = VideoSendFrame()
        frame.set_resolution(*size)
        frame.set_fourcc(FourCC.RGBX)
        frame.set_frame_rate(Fraction(fps).limit_denominator(1001))
        self._sender = Sender(name, clock_video=False, clock_audio=False)  # the show has its own clock
        self._sender.set_video_frame(frame)
        self._sender.set_audio_frame(AudioSendFrame())  # stays empty; without it, the fault below is a crash
        try:
            with _SILENCED, redirect_stdout(io.StringIO()):  # cyndilib prints the fault
                self._sender.open()
        except MemoryError as error:  # what cyndilib raises if NDI gives no source
            raise OSError(f"another program on this machine sends as {name!r}: give another name") from error

    def send(self, pixels: Pixels) -> None:
        """Compress a picture and give it to the receivers."""
        if not self._sender.write_video(with_alpha(pixels).reshape(-1)):
            raise OSError("NDI takes no pictures any more")

    def receivers(self) -> int | None:
        """How many receive."""
        return int(self._sender.get_num_connections(0))

    def close(self) -> None:
        """Withdraw the source; safe to call twice."""
        self._sender.close()
