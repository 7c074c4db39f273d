"""A film file, read at any of its times: forwards, backwards and across its ends.

Times are the frames' own, counted from the file's first sound or picture, so that a film of changing rate is
right and in step with its sound: a frame is on from its time until the next one's. Frames that were decoded
are kept, up to a budget: forwards that is a convenience; backwards, what lies between two key frames is
decoded once and then read from the end to the beginning. What is longer than the budget is decoded again for
each part of it.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perform import media
from perform.arrays import Pixels
from perform.footage import CLOSE, FilmFrame, FootageError

if TYPE_CHECKING:
    import av

BUDGET = 128 * 2**20  # bytes of decoded frames that are kept: 41 of 1920x1080
NEAR_SECONDS = 2.0  # a frame so near ahead is reached by decoding, not by seeking
BACK_SECONDS = (0.0, 1.0, 5.0, 25.0)  # seek so much earlier if the key frame came too late
SMALLER = 0.8  # a picture is made smaller if it can be made as small as this part of its size
BROWSER_FORMATS = ("gif", "apng")  # animations that are shown as browsers show them
SHORTEST_DELAY, USUAL_DELAY = 0.01, 0.1  # seconds of a picture there: up to the first, it has the second
BT601, BT709, BT2020 = 5, 1, 9  # matrices, as ISO/IEC 23091-2 counts them


@dataclass(frozen=True, slots=True)
class _Frame:
    """A decoded frame, on from tick `start`, counted from the beginning of the file."""

    start: int
    frame: av.VideoFrame


class Reel:
    """The first stream of pictures in a file. Raises FootageError if it cannot be played.

    Pictures that would be larger than `size` (width, height) when they fill it are made that small.
    `length` is in seconds, `size` (width, height) what its pictures have, `alpha` whether they have four
    channels, and `damage` where they cannot be decoded.
    """

    def __init__(self, path: Path, size: tuple[int, int] | None = None, budget: int = BUDGET) -> None:
        self.path, self.wanted, self._budget = path, size, budget
        self.damage = media.Damage(path)
        self._tick, self._origin = 1.0, 0
        self._kept: deque[_Frame] = deque()
        self._bytes = 0
        self._shots: deque[FilmFrame] = deque(maxlen=3)  # that were read last
        try:
            self._begin()
        except FootageError:
            raise
        except media.faults() as error:
            raise FootageError(f"{path} cannot be played: {media.why(error)}") from error

    def read(self, seconds: float) -> FilmFrame:
        """The picture that is on at a time, the last one after the end. Raises OSError, or FootageError,
        if the file is gone."""
        tick = min(max(math.floor((seconds + CLOSE) / self._tick), 0), self._end - 1)
        middle = (tick + 0.5) * self._tick
        shot = next((one for one in self._shots if one.start <= middle < one.end), None)
        if shot is None:
            frame, end = self._find(tick)
            shot = FilmFrame(frame.start * self._tick, end * self._tick, self._pixels(frame.frame))
            self._shots.append(shot)
        return shot

    def rest(self) -> None:
        """Release the frames that are kept."""
        self._forget()
        self._shots.clear()

    def close(self) -> None:
        """Close the file; safe to call twice."""
        self._forget()
        self._file.close()

    def _open(self) -> None:
        if not self.path.is_file():
            raise FootageError(f"{self.path}: there is no such file")
        self._file = media.open_media(self.path)
        if not self._file.streams.video:
            self._file.close()
            raise FootageError(f"{self.path} has no video stream")
        self._stream: Any = self._file.streams.video[0]
        if self._stream.codec_context is None:
            self._file.close()
            raise FootageError(f"{self.path} has a codec that is not known")
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = 2
        self._decoder = _decoder(self._stream)
        self._frames, self._count = self._decoded(), 0

    def _begin(self) -> None:
        """Read what the first frame tells of the film, and measure its length."""
        self._open()
        self._rate = float(self._stream.average_rate or self._stream.guessed_rate or 25)
        self._tick = float(self._stream.time_base or 1 / self._rate)
        frame = next(self._frames, None)
        if frame is None:
            self._file.close()
            raise FootageError(f"{self.path} has no picture that can be decoded")
        self._timed = frame.pts is not None
        self._step = max(round(1 / self._rate / self._tick), 1)
        self._first = frame.pts or 0
        self._origin = min(round(media.origin(self._file) / self._tick), self._first)
        self._starts = self._browser_starts() if self._file.format.name in BROWSER_FORMATS else {}
        self.alpha = any(part.is_alpha for part in frame.format.components)
        self._orientation = media.orientation(frame)
        self._reach = self._sides(frame)
        self.size = self._reach[::-1] if self._orientation.transposed else self._reach
        self._end = self._measure()
        self.length = self._end * self._tick
        self._seek(0)

    def _sides(self, frame: av.VideoFrame) -> tuple[int, int]:
        """The width and height that its frames are given, before they are upright."""
        aspect = float(self._stream.sample_aspect_ratio or 1) or 1.0
        sides = [frame.width * max(aspect, 1.0), frame.height * max(1 / aspect, 1.0)]
        if self.wanted:
            wanted = self.wanted[::-1] if self._orientation.transposed else self.wanted
            scale = max(there / here for here, there in zip(sides, wanted, strict=True))
            sides = [side * scale for side in sides] if scale < SMALLER else sides
        return max(round(sides[0]), 1), max(round(sides[1]), 1)

    def _measure(self) -> int:
        """The film's end in ticks, from its last packets: headers are wrong in files that were cut off."""
        for back in (1.0, 10.0, None):
            self._go(None if back is None else (self._stream.duration or 0) - round(back / self._tick))
            end = max((self._over(packet) for packet in self._packets() if packet.size), default=0)
            if end > 0:
                return end
        return self._step

    def _over(self, packet: Any) -> int:
        """When the frame in a packet is over, in ticks."""
        if not self._timed:
            self._count += 1
            return self._count * self._step
        time = packet.pts if packet.pts is not None else packet.dts
        if time in self._starts:
            return self._starts[time] + self._lasting(packet)
        return 0 if time is None else int(time) - self._origin + int(packet.duration or self._step)

    def _browser_starts(self) -> dict[int, int]:
        """The ticks at which pictures begin, by their stamps, in an animation that browsers slow down: a
        picture of 10 ms or less stays for 100 ms. Empty for any other."""
        self._go(None)
        packets = [one for one in self._packets() if one.size and one.pts is not None]
        lasting = [self._lasting(one) for one in packets]
        self._go(None)
        if lasting == [one.duration for one in packets]:
            return {}
        return dict(zip((one.pts for one in packets), accumulate(lasting, initial=0), strict=False))

    def _lasting(self, packet: Any) -> int:
        """For how many ticks browsers show a picture of an animation."""
        ticks = int(packet.duration or 0)
        return ticks if ticks * self._tick > SHORTEST_DELAY + CLOSE else round(USUAL_DELAY / self._tick)

    def _find(self, tick: int) -> tuple[_Frame, int]:
        """The frame that is on at a tick, and the tick at which it is over."""
        near = NEAR_SECONDS / self._tick
        if not self._kept or not self._kept[0].start <= tick <= self._kept[-1].start + near:
            self._seek(tick)
        while self._kept[-1].start <= tick and self._more():
            pass
        later = self._end
        for one in reversed(self._kept):
            if one.start <= tick:
                return one, max(later, one.start + 1)
            later = one.start
        return self._kept[0], later

    def _seek(self, tick: int) -> None:
        """Go to the last key frame from which the frame at `tick` is reached, or to the beginning."""
        for back in (*BACK_SECONDS, None):
            self._forget()
            self._go(None if back is None else tick - round(back / self._tick))
            if self._more() and self._kept[0].start <= tick:
                return
        if not self._kept:
            raise OSError(f"{self.path} has no picture at {tick * self._tick:.3f} s")

    def _go(self, tick: int | None) -> None:
        """Read on from the key frame before a tick; from the beginning if the file cannot seek there."""
        if tick is not None and tick >= 0 and self._timed and not self._starts:
            with suppress(*media.faults()):
                self._file.seek(tick + self._origin, stream=self._stream)
                self._decoder.flush_buffers()
                self._frames, self._count = self._decoded(), 0
                return
        self._file.close()
        self._open()

    def _more(self) -> bool:
        """Decode one more frame; False at the end."""
        frame = next(self._frames, None)
        if frame is None:
            return False
        start = self._start(frame)
        self._count += 1
        if self._kept and start <= self._kept[-1].start:
            return True  # its time is not after the one before: it would never be on
        self._kept.append(_Frame(start, frame))
        self._bytes += _bytes(frame)
        while self._bytes > self._budget and len(self._kept) > 2:
            self._bytes -= _bytes(self._kept.popleft().frame)
        return True

    def _start(self, frame: av.VideoFrame) -> int:
        """The tick at which a frame is on; the first one is on from the beginning of the file."""
        if not self._timed or frame.pts is None:
            return self._count * self._step
        if frame.pts in self._starts:
            return self._starts[frame.pts]
        return int(frame.pts) - self._origin if frame.pts > self._first else 0

    def _forget(self) -> None:
        self._kept.clear()
        self._bytes = 0

    def _packets(self) -> Iterator[Any]:
        """The stream's packets from here on; a file that was cut off ends early."""
        try:
            yield from self._file.demux(self._stream)
        except media.faults():
            return

    def _decoded(self) -> Iterator[av.VideoFrame]:
        """The frames from here on; what is damaged is passed over, and logged."""
        for packet in self._packets():
            try:
                yield from self._decoder.decode(packet)
            except media.faults() as error:
                self.damage.note(float(((packet.pts or packet.dts or 0) - self._origin) * self._tick), error)

    def _pixels(self, frame: av.VideoFrame) -> Pixels:
        from av.video.reformatter import Colorspace, Interpolation

        width, height = self._reach
        smaller = width * height < frame.width * frame.height
        pixels = frame.reformat(
            width, height, "rgba" if self.alpha else "rgb24", Colorspace(matrix(frame)),
            interpolation=Interpolation.AREA if smaller else Interpolation.BICUBIC,
        ).to_ndarray()  # fmt: skip
        return self._orientation.upright(pixels) if self._orientation.changes else np.asarray(pixels)


def _decoder(stream: Any) -> Any:
    """The decoder of a stream: FFmpeg's own, but for WebM with alpha, which only libvpx knows."""
    import av

    name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.name)
    if stream.metadata.get("alpha_mode") != "1" or name not in av.codecs_available:
        return stream.codec_context
    return av.CodecContext.create(name, "r")


def matrix(frame: av.VideoFrame) -> int:
    """A frame's matrix; if it names none, BT.709 from 720 lines on, as in players."""
    if frame.colorspace in (BT601, BT709, BT2020):
        return int(frame.colorspace)
    return BT709 if frame.height >= 720 and frame.colorspace != BT601 + 1 else BT601


def _bytes(frame: av.VideoFrame) -> int:
    return int(frame.width * frame.height * frame.format.padded_bits_per_pixel) // 8
