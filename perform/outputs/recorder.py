"""A recorder: the show as a video file with its sound, through FFmpeg (PyAV)."""

from __future__ import annotations

import errno
import threading
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from fractions import Fraction
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

import numpy as np

from perform import media
from perform.arrays import Samples, finite
from perform.faults import Health, reason, system_reason
from perform.outputs import Frame
from perform.outputs.bt709 import BT709_CODE, FULL_RANGE, LIMITED_RANGE, RGB, converted, video_frame
from perform.outputs.codecs import Encoding, check_size, encoding
from perform.threads import Background

if TYPE_CHECKING:
    import av
    from av.container import OutputContainer

EncoderJob = Callable[[], None]

MOST_PICTURES = 8  # between the show and the encoder; 22 MB at 720p
MOST_SOUNDS = 600  # blocks of sound, ten seconds of frames
RGB_CODE, SRGB_CODE = 0, 13  # of matrix and of curve

# A fragment per second, from a keyframe on, written when it is complete, so that a file whose writer died
# plays up to its last second. At the end it becomes an ordinary file (hybrid_fragmented): some editors do
# not open fragments. The index waits for the first fragment (delay_moov): only then does FFmpeg know how far
# the codecs start ahead, and can say so in edit lists that keep sound and picture together.
FRAGMENTS = MappingProxyType(
    {
        "movflags": "hybrid_fragmented+frag_keyframe+delay_moov+default_base_moof",
        "min_frag_duration": "900000",  # microseconds: of some codecs every picture is a keyframe
        "use_editlist": "1",
    }
)
CONTAINERS: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        ".mp4": ("mp4", FRAGMENTS),
        ".mov": ("mov", FRAGMENTS),
        ".mkv": ("matroska", {"cluster_time_limit": "1000"}),
    }
)
FLUSHED = {"flush_packets": "1", "max_interleave_delta": "1000000"}  # to the disk at once; 1 s
FEW = 2  # pictures: x265 leaves the decoding times of a shorter or equal film to chance
AAC_RATE = 256_000  # bits a second


class Recorder:
    """Writes frames of `size` (width, height; even numbers) at `fps` to `path` (.mp4, .mov, .mkv).

    `sound` is the rate of the samples that `write_sound` gets (None for a silent film); `codec` and `quality`
    are those of `codecs`.

    A thread encodes. If it is too far behind, a `live` recorder drops pictures (`dropped`), and the ones
    before stay longer; otherwise `write` waits. Pictures are placed by their moment, counted from the first
    one's, in steps of 1 / fps; those that come faster are left out.

    Raises ValueError for a wrong size, rate or name, and OSError when the file cannot be written.
    When writing fails later (a full disk), the next `write` or `close` raises OSError, once, and
    what was written before plays.
    """

    name = "recorder"

    def __init__(
        self,
        path: Path | str,
        size: tuple[int, int],
        fps: float | Fraction,
        sound: int | None = None,
        live: bool = False,
        codec: str = "h264",
        quality: str | None = None,
    ) -> None:
        self.path, self.size = Path(path), size
        self.fps = Fraction(fps).limit_denominator(1001)
        self.may_lag, self.sound = live, sound
        self.written = self.dropped = 0
        self._check()
        chosen, suffix = encoding(self.path, codec, quality), self.path.suffix.lower()
        self._film = _VideoFile(self.path, size, self.fps, chosen, live)
        if sound:
            self._film.add_sound(chosen.sound(suffix), sound)
        self._film.begin(self.path)
        self._start: float | None = None
        self._slot = -1
        self._samples = 0
        self._encoder = _Encoder(self._film.finish, wait=not live)

    def write(self, frame: Frame) -> None:
        width, height = self.size
        if frame.pixels.shape != (height, width, 3):
            raise ValueError(f"a frame of shape {frame.pixels.shape}, must be {(height, width, 3)}")
        self._encoder.raise_error(self.path)
        if self._start is not None and frame.sound is not None:
            self.write_sound(frame.sound)  # that of the first frame passed before it
        slot = self._slot_at(frame.moment.seconds)
        if slot is None or not self._encoder.ready():
            self.dropped += 1
            return
        picture, self._slot = video_frame(frame.pixels), slot
        self._encoder.put(lambda: self._film.picture(picture, slot))
        self.written += 1

    def write_sound(self, samples: Samples) -> None:
        """The samples [n, 2] that follow those written before; the very first falls on the first frame.
        `write` calls this for frames that carry their sound. Samples that are no numbers are silence, and
        what is above 1 is clipped."""
        start = self._samples
        self._samples += len(samples)
        if self.sound and len(samples):
            self._encoder.put(lambda: self._film.sound(samples, start), picture=False)

    def health(self) -> Health:
        if self._encoder.failed:
            return Health("failed", f"{self.path}: recording ended")
        return Health("ok", f"{self.path}, frames dropped: {self.dropped}")

    def close(self) -> None:
        self._encoder.close()
        self._encoder.raise_error(self.path)

    def _check(self) -> None:
        check_size(self.size)
        if not 1 <= self.fps <= 1000:
            raise ValueError(f"fps = {float(self.fps):g}, must be 1..1000")

    def _slot_at(self, seconds: float) -> int | None:
        """The slot of a picture in steps of 1 / fps; None if there is none free near its time."""
        if self._start is None:
            self._start = seconds
        exact = (seconds - self._start) * self.fps
        slot = max(round(exact), self._slot + 1)
        return None if slot - exact > 1 else slot


def holds(film: Path, frames: int) -> bool:
    """Whether a film that is being written can be opened already and has so many pictures."""
    import av

    try:
        with av.open(media.address(film)) as file:
            packets = (packet for packet in file.demux(video=0) if packet.size)
            return sum(1 for _ in islice(packets, frames)) == frames
    except (av.error.FFmpegError, IndexError):  # nothing is there yet
        return False


class _Encoder:
    """Does jobs in their order in the background, then `finish`. With `wait` a full queue makes the caller
    wait; otherwise `ready` is False. The first error ends the work."""

    def __init__(self, finish: EncoderJob, wait: bool) -> None:
        self._finish, self._wait = finish, wait
        self._jobs: deque[tuple[EncoderJob, bool]] = deque()
        self._pictures = 0
        self._changed = threading.Condition()
        self._error: OSError | None = None
        self.failed = self._ending = False
        self._background = Background(self._run, "recorder")

    def ready(self) -> bool:
        """Whether a picture can be put."""
        with self._changed:
            if self._wait:
                self._changed.wait_for(lambda: self.failed or self._pictures < MOST_PICTURES)
            return not (self.failed or self._ending) and self._pictures < MOST_PICTURES

    def put(self, job: EncoderJob, picture: bool = True) -> None:
        """A picture's job, or one of sound, which is left out when there are far too many."""
        with self._changed:
            if self.failed or self._ending or (not picture and len(self._jobs) >= MOST_SOUNDS):
                return
            self._jobs.append((job, picture))
            self._pictures += picture
            self._changed.notify_all()

    def raise_error(self, path: Path) -> None:
        """Raise the error that ended the work, once."""
        error, self._error = self._error, None
        if error is not None:
            raise OSError(error.errno, f"{path}: recording ended ({system_reason(error)})")

    def close(self) -> None:
        """Do what is left and finish; safe to call twice."""
        with self._changed:
            self._ending = True
            self._changed.notify_all()
        self._background.close(None)

    def _run(self, _closing: threading.Event) -> None:
        try:
            while (job := self._next()) is not None:
                job()
            self._finish()
        except Exception as error:  # noqa: BLE001 - the show gets it by `raise_error`
            self._fail(error if isinstance(error, OSError) else OSError(errno.EIO, reason(error)))
            with suppress(Exception):  # only an attempt: the disk may still be full
                self._finish()

    def _next(self) -> EncoderJob | None:
        """The next job; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._jobs or self._ending)
            if not self._jobs:
                return None
            job, picture = self._jobs.popleft()
            self._pictures -= picture
            self._changed.notify_all()
        return job

    def _fail(self, error: OSError) -> None:
        with self._changed:
            self._error, self.failed = error, True
            self._jobs.clear()
            self._changed.notify_all()


class _VideoFile:
    """The container and its streams. Only one thread at a time may use it."""

    def __init__(
        self, path: Path, size: tuple[int, int], fps: Fraction, encoding: Encoding, live: bool
    ) -> None:
        import av

        suffix = path.suffix.lower()
        name, options = CONTAINERS[suffix]
        try:
            self._file = av.open(media.address(path), "w", format=name, options={**FLUSHED, **options})
        except OSError as error:
            raise _unwritable(path, error) from error
        stream = self._file.add_stream(encoding.codec.encoder, rate=fps, options=encoding.options(live, fps))
        self._pictures = cast("av.VideoStream", stream)
        _describe(self._pictures, size, fps, encoding.pixels)
        if tag := encoding.tag(suffix):
            self._pictures.codec_context.codec_tag = tag
        self._sound: _SoundTrack | None = None
        self._count = 0  # of pictures
        self._closed = False

    def add_sound(self, codec: str, rate: int) -> None:
        """A stereo stream of `rate` samples a second, before the first picture."""
        self._sound = _SoundTrack(self._file, codec, rate)

    def begin(self, path: Path) -> None:
        """Open the file and the encoders, before the first picture. Raises OSError."""
        try:
            self._file.start_encoding()
        except OSError as error:
            self._closed = True
            raise _unwritable(path, error) from error

    def picture(self, frame: av.VideoFrame, slot: int) -> None:
        """One picture, `slot` frames after the first."""
        video = converted(frame, self._pictures.codec_context.pix_fmt or "yuv420p")
        video.pts = slot
        self._file.mux(self._pictures.encode(video))
        self._count += 1

    def sound(self, samples: Samples, start: int) -> None:
        """Samples whose first is number `start`; missing ones before them are silence."""
        if self._sound:
            self._sound.write(samples, start)

    def finish(self) -> None:
        """Write what the encoders still hold, and close; safe to call twice."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._sound:
                self._sound.finish()
            for packet in self._pictures.encode(None):
                if self._count <= FEW:
                    packet.dts = packet.pts
                self._file.mux(packet)
        finally:
            self._file.close()


class _SoundTrack:
    """A stereo stream of `rate` samples a second in a container."""

    def __init__(self, file: OutputContainer, codec: str, rate: int) -> None:
        import av

        self._file, self._rate = file, rate
        self._stream = cast("av.AudioStream", file.add_stream(codec, rate=rate, layout="stereo"))
        if codec == "aac":
            self._stream.bit_rate = AAC_RATE
        coder = self._stream.codec_context
        coder.open()
        self._resampler = av.AudioResampler(
            format=coder.format, layout="stereo", rate=rate, frame_size=coder.frame_size or None
        )
        self._samples = 0

    def write(self, samples: Samples, start: int) -> None:
        """Samples whose first is number `start`; missing ones before them are silence."""
        gap = start - self._samples
        if gap > 0:
            samples = np.concatenate((np.zeros((gap, 2), np.float32), samples))
        self._encode(_sound_frame(samples, self._samples, self._rate))
        self._samples += len(samples)

    def finish(self) -> None:
        """Write what the resampler and the encoder still hold."""
        self._encode(None)
        self._file.mux(self._stream.encode(None))

    def _encode(self, frame: av.AudioFrame | None) -> None:
        for resampled in self._resampler.resample(frame):
            self._file.mux(self._stream.encode(resampled))


def _describe(stream: av.VideoStream, size: tuple[int, int], fps: Fraction, pixels: str) -> None:
    stream.width, stream.height = size
    stream.pix_fmt = pixels
    coder = stream.codec_context
    coder.time_base = 1 / fps
    coder.color_primaries = BT709_CODE
    rgb = pixels == RGB
    coder.color_trc = SRGB_CODE if rgb else BT709_CODE
    coder.colorspace = RGB_CODE if rgb else BT709_CODE
    coder.color_range = FULL_RANGE if rgb else LIMITED_RANGE


def _sound_frame(samples: Samples, start: int, rate: int) -> av.AudioFrame:
    import av

    packed = np.ascontiguousarray(finite(samples), np.float32).reshape(1, -1).clip(-1, 1)
    frame = av.AudioFrame.from_ndarray(packed, format="flt", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
    return frame


def _unwritable(path: Path, error: OSError) -> OSError:
    return OSError(error.errno, f"{path}: cannot be written ({system_reason(error)})")
