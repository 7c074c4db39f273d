"""Decodes the sound of a file, whatever its form, into two channels at 48 kHz, each sample at its time.

A stream may change its rate and its channels on the way, as joined files and radio do. What is damaged is
left out, and silence takes its place, as it takes that of holes: sound and pictures stay together.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from perform import media
from perform.arrays import Floats, Samples, finite

if TYPE_CHECKING:
    import av
    from av.container import InputContainer

SAMPLE_RATE = 48_000
LEAST_HOLE = 0.1  # seconds: shorter ones are stamps that tremble, unless there was damage
MOST_HOLE = 60.0  # seconds: in a sound without pictures, a longer one is another clock
SAME_RATE = 0.95  # share of the bits a second that a file should have, from which on it is whole
SILENT_BLOCK = SAMPLE_RATE  # samples of silence at a time
GUESSED = {3: "2.1", 4: "4.0", 5: "5.0", 6: "5.1", 7: "6.1", 8: "7.1"}  # channels without names, as in FFmpeg
ASIDE = 0.5**0.5  # of a channel that is not in front, and of the centre on each side


class SoundError(ValueError):
    """A sound that cannot be opened; the message names it."""


def open_sound_file(path: Path) -> InputContainer:
    """The container of a file with sound, or SoundError."""
    try:
        container = media.open_media(path)
    except FileNotFoundError as error:
        raise SoundError(f"{path}: no such sound file") from error
    except media.faults() as error:
        raise SoundError(f"{path}: cannot be read as sound ({media.why(error)})") from error
    if not container.streams.audio:
        container.close()
        raise SoundError(f"{path}: holds no sound")
    return container


def claimed_length(container: InputContainer) -> float | None:
    """Seconds of the sound, as the file says them; None if it does not."""
    stream = container.streams.audio[0]
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    return None if container.duration is None else container.duration / 1_000_000


def lacks_bytes(container: InputContainer) -> bool:
    """Whether the file is too small for the length that it says; False if that was guessed from its size."""
    rates = [stream.codec_context.bit_rate for stream in container.streams if stream.codec_context]
    return not all(rates) or container.bit_rate < SAME_RATE * sum(rate or 0 for rate in rates)


class Decoder:
    """Decodes passes through a file. The resampler goes on from pass to pass, so that the seam of a loop is
    filtered like any other place. `damage` is that of all passes. A pass is `turn` seconds long, if it is
    given: silence fills it up, and what is too long is left out."""

    def __init__(self, path: Path, turn: float | None = None) -> None:
        self.path, self.turn = path, turn
        self.damage = media.Damage(path)
        self._resampler: av.AudioResampler | None = None
        self._rate = SAMPLE_RATE

    def decode(self) -> Iterator[Samples]:
        """Blocks [n, 2] of one pass. Raises SoundError if the file cannot be read (any more)."""
        with open_sound_file(self.path) as container:
            timing = _Timing(media.origin(container) if media.films(container) else None)
            for frame in self._frames(container, timing):
                rate = frame.sample_rate
                yield from self._silence(timing, timing.missing(frame), rate)
                samples = _stereo(frame)[: self._room(timing, rate)]
                yield from self._resampled(samples, rate)
                timing.position += len(samples) / rate
            yield from self._silence(timing, self._room(timing, self._rate) or 0, self._rate)

    def flush(self) -> Iterator[Samples]:
        """What the resampler still holds."""
        if self._resampler is not None:
            yield from (_packed(one) for one in self._resampler.resample(None))
        self._resampler, self._rate = None, SAMPLE_RATE

    def _room(self, timing: _Timing, rate: int) -> int | None:
        """How many samples of the turn are left; None without one."""
        return None if self.turn is None else max(round((self.turn - timing.position) * rate), 0)

    def _silence(self, timing: _Timing, samples: int, rate: int) -> Iterator[Samples]:
        """Samples of silence, in blocks."""
        for start in range(0, samples, SILENT_BLOCK):
            silence = np.zeros((min(SILENT_BLOCK, samples - start), 2), np.float32)
            yield from self._resampled(silence, rate)
            timing.position += len(silence) / rate

    def _frames(self, container: InputContainer, timing: _Timing) -> Iterator[av.AudioFrame]:
        """The frames of the first sound stream that can be decoded."""
        packets = container.demux(container.streams.audio[0])
        while True:
            packet = None
            try:
                packet = next(packets, None)
                frames = packet.decode() if packet else []
            except media.faults() as error:
                if not timing.damaged:
                    self.damage.note(timing.position, error)
                timing.damaged, frames = True, []
            if packet is None:
                return
            yield from (frame for frame in frames if frame.samples and frame.sample_rate)

    def _resampled(self, samples: Samples, rate: int) -> Iterator[Samples]:
        """Samples [n, 2] at 48 kHz; at a new rate, a new resampler begins where the old one ends."""
        import av

        if rate != self._rate:
            yield from self.flush()
            self._rate = rate
            if rate != SAMPLE_RATE:
                self._resampler = av.AudioResampler(format="flt", layout="stereo", rate=SAMPLE_RATE)
        if self._resampler is None:
            yield samples
            return
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="flt", layout="stereo")
        frame.sample_rate = rate
        yield from (_packed(one) for one in self._resampler.resample(frame))


class _Timing:
    """Where the frames of a pass belong, by the stamps of the file. Without pictures beside it (`origin` is
    None) the sound begins with its first sample, and a clock that jumps is another clock, not a hole."""

    def __init__(self, origin: float | None) -> None:
        self.position = 0.0  # seconds of sound so far
        self.damaged = False  # since the last frame
        self._zero, self._with_pictures = origin, origin is not None
        self._rate, self._guessed = 0, False  # of the first frame; whether stamps are only guessed from it

    def missing(self, frame: av.AudioFrame) -> int:
        """How many samples of silence belong before a frame, at its rate."""
        least = 0.0 if self.damaged or not self.position else LEAST_HOLE
        self.damaged = False
        self._rate = self._rate or frame.sample_rate
        self._guessed |= not self._with_pictures and frame.sample_rate != self._rate
        if frame.time is None or self._guessed:
            return 0
        if self._zero is None:
            self._zero = frame.time
        hole = frame.time - self._zero - self.position
        if hole <= -LEAST_HOLE or (hole > MOST_HOLE and not self._with_pictures):
            self._zero = frame.time - self.position
            return 0
        return round(hole * frame.sample_rate) if hole > least else 0


def _stereo(frame: av.AudioFrame) -> Samples:
    """A frame's samples [n, 2]; those that are no numbers are silence."""
    names = [channel.name for channel in frame.layout.channels]
    plain = finite(_floats(frame).reshape(-1, len(names)))
    if len(names) == 1:
        return np.repeat(plain, 2, axis=1)
    return plain if len(names) == 2 else plain @ _downmix(tuple(names))


def _floats(frame: av.AudioFrame) -> Floats:
    """A frame's samples of any format as -1..1, the channels of one moment beside each other."""
    values: Any = frame.to_ndarray()
    values = values.T if frame.format.is_planar else values
    if values.dtype.kind == "f":
        return np.ascontiguousarray(values, np.float32)
    if values.dtype.kind == "u":
        values = values.astype(np.int16) - 128
        return np.ascontiguousarray(values, np.float32) / np.float32(128)
    scale = np.float32(2.0 ** (1 - 8 * values.dtype.itemsize))
    return np.ascontiguousarray(values, np.float32) * scale


@cache
def _downmix(names: tuple[str, ...]) -> Floats:
    """What each channel gives to the left and the right [channels, 2]: the front all of it, what is aside
    or in the middle 0.71, the bass channel too. Channels without names: left and right in turn."""
    import av

    count = len(names)
    if set(names) == {"NONE"} and count in GUESSED:
        names = tuple(channel.name for channel in av.AudioLayout(GUESSED[count]).channels)
    if not {"FL", "FR"} <= set(names):
        left = np.arange(count) % 2 == 0
        return np.stack((left / left.sum(), ~left / (~left).sum()), 1).astype(np.float32)
    return np.array([_shares(name) for name in names], np.float32)


def _shares(name: str) -> tuple[float, float]:
    """What a channel gives to the left and to the right."""
    share = 1.0 if name in ("FL", "FR", "DL", "DR") else ASIDE
    if name.startswith("LFE") or not set(name) & {"L", "R"}:
        return share, share
    return (share, 0.0) if "L" in name else (0.0, share)


def _packed(frame: av.AudioFrame) -> Samples:
    """The two channels of a packed frame [n, 2]."""
    return np.asarray(frame.to_ndarray(), np.float32).reshape(-1, 2)
