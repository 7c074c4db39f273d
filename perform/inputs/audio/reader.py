"""Reads sound files as endless samples: decoded on demand, with a bounded part in memory."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from perform.arrays import Samples

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

SAMPLE_RATE = 48_000
MOST_DECODED = 10 * SAMPLE_RATE  # samples that can still be read after they were decoded
SILENCE_BEFORE_RETRY = 2 * SAMPLE_RATE  # samples, before a file that can no longer be read is tried again


class SoundError(ValueError):
    """A sound that cannot be opened; the message names it."""


class SoundReader:
    """The file's samples, two channels at 48 kHz; sample 0 is the first.

    With `loop` the end joins the beginning without a gap, otherwise silence follows it. `length`
    (samples) is None while the end has not been reached. The last ten seconds can be read, by any
    thread. A file that breaks while it plays is silent from there on (`fault` is the reason); a loop tries
    it again. Raises SoundError if the file is missing, is no sound file or has no sound.
    """

    def __init__(self, path: Path | str, loop: bool = False) -> None:
        self.path, self.loop = Path(path), loop
        self.fault = ""
        self.length: int | None = None
        with _open_container(self.path) as container:
            self.duration = _duration(container)
            self._mono = container.streams.audio[0].channels == 1
        self._lock = threading.Lock()
        self._kept: Samples = np.zeros((MOST_DECODED, 2), np.float32)  # sample n is at n % MOST_DECODED
        self._end = 0
        self._source = self._endless()
        self.read(0, SAMPLE_RATE // 10)  # fails here if the file cannot be decoded
        if self.fault and self.length in (None, 0):
            raise SoundError(f"{self.path}: cannot be decoded ({self.fault})")

    def read(self, start: int, stop: int) -> Samples:
        """Samples `start`..`stop` [n, 2]; zeros for those that are no longer kept."""
        with self._lock:
            while self._end < stop:
                self._append(next(self._source))
            first = min(max(start, self._end - MOST_DECODED), max(stop, start))
            kept = self._kept.take(np.arange(first, stop), axis=0, mode="wrap")
        return np.concatenate((np.zeros((first - start, 2), np.float32), kept))

    def _append(self, block: Samples) -> None:
        self._kept[np.arange(self._end, self._end + len(block)) % MOST_DECODED] = block
        self._end += len(block)

    def _endless(self) -> Iterator[Samples]:
        """Blocks without end: the file once or in a loop, then silence."""
        import av

        # FFmpeg's mono to stereo loses 3 dB, so that mono stays mono here and is doubled afterwards
        layout = "mono" if self._mono else "stereo"
        resampler = av.AudioResampler(format="flt", layout=layout, rate=SAMPLE_RATE)
        while True:
            start = self._end
            yield from self._once(resampler)
            if not self.loop:
                break
            if self._end == start:
                yield np.zeros((SILENCE_BEFORE_RETRY, 2), np.float32)
        yield from (_packed(frame) for frame in resampler.resample(None))
        self.length = self._end
        while True:
            yield np.zeros((SAMPLE_RATE // 10, 2), np.float32)

    def _once(self, resampler: av.AudioResampler) -> Iterator[Samples]:
        """One pass through the file. The resampler goes on from pass to pass, so that the seam of
        a loop is filtered like any other place."""
        import av

        try:
            with _open_container(self.path) as container:
                for frame in _decoded_frames(container):
                    yield from (_packed(one) for one in resampler.resample(frame))
            self.fault = ""
        except (OSError, ValueError, av.FFmpegError) as error:
            self.fault = str(error)


def _packed(frame: av.AudioFrame) -> Samples:
    """The two channels of a packed frame [n, 2]; a single one is doubled."""
    packed = np.asarray(frame.to_ndarray(), np.float32).reshape(-1, frame.layout.nb_channels)
    return packed if packed.shape[1] == 2 else np.repeat(packed, 2, axis=1)


def _decoded_frames(container: InputContainer) -> Iterator[av.AudioFrame]:
    """The decoded frames of the first sound stream; packets that are damaged are left out."""
    import av

    for packet in container.demux(container.streams.audio[0]):
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            continue
        for frame in frames:
            frame.pts = None  # there are no gaps: the count of samples is their time
            yield frame


def _open_container(path: Path) -> InputContainer:
    """The container, or SoundError."""
    import av

    try:
        container = av.open(str(path))
    except FileNotFoundError as error:
        raise SoundError(f"{path}: no such sound file") from error
    except (OSError, ValueError, av.FFmpegError) as error:
        why = getattr(error, "strerror", None) or error
        raise SoundError(f"{path}: cannot be read as sound ({why})") from error
    if not container.streams.audio:
        container.close()
        raise SoundError(f"{path}: holds no sound")
    return container


def _duration(container: InputContainer) -> float | None:
    """Seconds, as the file gives them, or None."""
    stream = container.streams.audio[0]
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / 1_000_000
