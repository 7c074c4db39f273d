"""Streams of PortAudio that may die and come back: a speaker and a microphone.

PortAudio lists devices only when it is initialised, and initialising it again ends every stream of
the process. So the list is read afresh only while no stream is open: with one sound device at a
time, as a show has, that is always the case when one has been lost.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perform.clock import stopwatch

Samples = NDArray[np.float32]  # [n, channels]

RETRY = 2.0  # seconds between two attempts to open a device that is not there
GONE = 1.0  # seconds without a callback after which a device counts as gone
SETTLE = 2.0  # seconds after opening in which it need not come: PulseAudio was seen to take 1.4
TEND = 0.02  # seconds between two looks at a stream
LATENCY = 0.1  # seconds of the speaker's buffer: long enough for a busy machine
AHEAD = 0.3  # seconds of sound that wait for the speaker
BUFFERED = 2.0  # seconds of sound that wait to be heard by the show, at most

COMPLAINTS = (
    ("libasound.so.2", "snd_lib_error_set_handler"),
    ("libjack.so.0", "jack_set_error_function"),
    ("libjack.so.0", "jack_set_info_function"),
)

_lock = threading.RLock()  # PortAudio's functions may not be called by two threads at a time
_streams: list[Any] = []
_SILENT = ctypes.CFUNCTYPE(None)(lambda: None)  # must outlive every call of it


class DeviceError(Exception):
    """A sound device that cannot be opened (now); the message says why."""


@dataclass(frozen=True, slots=True)
class Device:
    """A sound device: how many channels it hears (`inputs`) and plays (`outputs`)."""

    index: int
    name: str
    system: str
    inputs: int
    outputs: int
    rate: int


def devices() -> list[Device]:
    """Every sound device that is there now. Raises DeviceError when PortAudio itself is missing."""
    with _lock:
        sound = _library()
        systems = [system["name"] for system in sound.query_hostapis()]
        return [
            Device(
                index, one["name"], systems[one["hostapi"]],
                one["max_input_channels"], one["max_output_channels"], round(one["default_samplerate"]),
            )
            for index, one in enumerate(sound.query_devices())
        ]  # fmt: skip


def find(name: str) -> Device:
    """The device that hears and is called `name`, or has it in its name; DeviceError when none is."""
    hearing = [device for device in devices() if device.inputs]
    wanted = name.casefold()
    for match in (str.__eq__, str.startswith, str.__contains__):
        for device in hearing:
            if match(device.name.casefold(), wanted):
                return device
    names = ", ".join(device.name for device in hearing) or "none"
    raise DeviceError(f"no sound device called {name!r} (there are: {names})")


def _library() -> Any:
    """sounddevice, with a list of devices as new as open streams allow."""
    try:
        import sounddevice
    except OSError as error:  # the package is there, the library is not
        raise DeviceError(f"{error}: on Debian install libportaudio2") from error
    _hush()
    if not _streams:
        sounddevice._terminate()
        sounddevice._initialize()
    return sounddevice


@cache
def _hush() -> None:
    """ALSA and JACK write each of their troubles to the terminal, where the dashboard is; they are
    seen to here."""
    for library, setter in COMPLAINTS:
        with suppress(OSError, AttributeError):
            getattr(ctypes.CDLL(library), setter)(_SILENT)


class Ring:
    """A bounded buffer of samples between two threads; when it is full the oldest are dropped."""

    def __init__(self, capacity: int, channels: int) -> None:
        self._samples: Samples = np.zeros((capacity, channels), np.float32)
        self._lock = threading.Lock()
        self._read = self._written = 0
        self.dropped = 0

    def __len__(self) -> int:
        return self._written - self._read

    def write(self, samples: Samples) -> None:
        """Append `samples` [n, channels]."""
        capacity = len(self._samples)
        with self._lock:
            end = self._written + len(samples)
            kept = samples[-capacity:]
            self._samples[np.arange(end - len(kept), end) % capacity] = kept
            lost = max(end - self._read - capacity, 0)
            self._read, self._written = self._read + lost, end
            self.dropped += lost

    def read(self, count: int) -> Samples:
        """The oldest samples, at most `count`, which they leave the buffer with."""
        with self._lock:
            end = min(self._read + count, self._written)
            samples = self._samples.take(np.arange(self._read, end), axis=0, mode="wrap")
            self._read = end
        return samples


class Line:
    """A stream that a thread of its own opens, watches and opens again. `note` says what is wrong."""

    def __init__(self) -> None:
        self.note = "opening"
        self._stream: Any = None
        self._opened = self._beat = 0.0  # when the stream was opened, when the last callback came
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=type(self).__name__, daemon=True)

    @property
    def open(self) -> bool:
        """Whether the device is there."""
        return self._stream is not None

    def close(self) -> None:
        """End the stream and its thread; safe to call twice."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _make(self) -> Any:
        """A new stream, not started."""
        raise NotImplementedError

    def _serve(self) -> None:
        """What is to be done regularly while the stream runs."""

    def _run(self) -> None:
        wait = 0.0
        while not self._closing.wait(wait):
            wait = self._tend()
        self._end("closed")

    def _tend(self) -> float:
        """One look at the stream; seconds until the next."""
        if self._stream is None:
            return self._start()
        if stopwatch() - max(self._beat, self._opened + SETTLE) > GONE or not self._stream.active:
            self._end("the sound device is gone")
            return RETRY / 4
        self._serve()
        return TEND

    def _start(self) -> float:
        with _lock:
            try:
                stream = self._make()
                self._opened = stopwatch()
                stream.start()
            except (DeviceError, OSError, ValueError, _portaudio_error()) as error:
                self.note = str(error)
                return RETRY
            _streams.append(stream)
        self._stream, self.note = stream, ""
        return 0.0

    def _end(self, note: str) -> None:
        stream, self._stream, self.note = self._stream, None, note
        if stream is None:
            return
        with _lock:
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)
            _streams.remove(stream)


def _portaudio_error() -> type[Exception]:
    try:
        import sounddevice
    except OSError:
        return DeviceError
    return sounddevice.PortAudioError  # type: ignore[no-any-return]


class Speaker(Line):
    """Plays the samples that `read(start, stop)` gives, each at its time by `now` (None: not yet).

    At every opening it begins with the sample that is due, at the show's beginning with the first:
    the little that the device's buffer takes (LATENCY) the clock makes up. What comes too late is
    left out, so that the position never falls back.
    """

    def __init__(
        self, read: Callable[[int, int], Samples], now: Callable[[], float | None], rate: int
    ) -> None:
        super().__init__()
        self._read, self._now, self._rate = read, now, rate
        self._anchor: tuple[int, float] | None = None
        self._next = self._heard = 0  # the next sample to be read, and to be handed to the device
        self._late = 0  # samples in the ring whose time is over
        self._ring = Ring(rate, 2)
        self._thread.start()

    def position(self) -> float | None:
        """Seconds of the sound that leave the speaker now; None when it is silent.

        Between callbacks the time goes on, but never past what was handed to the device.
        """
        anchor = self._anchor
        if anchor is None or self._stream is None or stopwatch() - self._beat > GONE:
            return None
        sample, heard_at = anchor
        return min(sample + (stopwatch() - heard_at) * self._rate, self._heard) / self._rate

    def _make(self) -> Any:
        sound = _library()
        if not any(one["max_output_channels"] for one in sound.query_devices()):
            raise DeviceError("no sound device to play on")
        self._anchor, self._ring = None, Ring(self._rate, 2)
        self._next = self._heard = round((self._now() or 0.0) * self._rate)
        self._late = 0
        self._serve()
        return sound.OutputStream(
            samplerate=self._rate, channels=2, dtype="float32", latency=LATENCY, callback=self._fill
        )

    def _serve(self) -> None:
        missing = int(AHEAD * self._rate) - len(self._ring)
        if missing > 0:
            self._ring.write(self._read(self._next, self._next + missing))
            self._next += missing

    def _fill(self, out: Samples, frames: int, time: Any, status: Any) -> None:
        """PortAudio's callback. A stream's time is read here, where the stream is sure to be there,
        and at once related to the stopwatch, so that waiting for the interpreter adds no jitter."""
        stream, show, self._beat = self._stream, self._now(), stopwatch()
        if stream is None or show is None:  # the stream is still being opened, or the show
            out[:] = 0.0
            return
        now = stream.time
        delay = (time.outputBufferDacTime or now + stream.latency) - now
        if self._anchor is None:
            due = round((show + delay) * self._rate) if show > LATENCY else 0
            self._late, self._heard = due - self._heard, due
        self._anchor = self._heard, self._beat + delay
        self._late -= len(self._ring.read(self._late))
        block = self._ring.read(0 if self._late else frames)
        out[: len(block)], out[len(block) :] = block, 0.0
        self._late += frames - len(block)
        self._heard += frames


class Microphone(Line):
    """Hears a device by (a part of) its name. `samples()` gives what was heard since the last call.

    `rate` and `channels` are those of the device that is or was open, `dropped` counts samples that
    nobody fetched in time, and `heard_until` is when by `now` the last one was heard.
    """

    def __init__(self, name: str, now: Callable[[], float], rate: int = 48_000) -> None:
        super().__init__()
        self._name, self._now, self._wanted = name, now, rate
        self.rate, self.channels = rate, 1
        self.dropped = 0
        self.heard_until = 0.0
        self._ring = Ring(1, 1)
        self._thread.start()

    def samples(self) -> Samples:
        """What was heard since the last call [n, channels], at most the last two seconds."""
        ring = self._ring
        return ring.read(len(ring))

    def _make(self) -> Any:
        device = find(self._name)
        channels = min(device.inputs, 2)
        try:
            stream = self._stream_of(device, channels, self._wanted)
        except _portaudio_error():
            stream = self._stream_of(device, channels, device.rate)
        self._forget(stream.samplerate, channels)
        return stream

    def _stream_of(self, device: Device, channels: int, rate: int) -> Any:
        import sounddevice

        return sounddevice.InputStream(
            device=device.index, samplerate=rate, channels=channels, dtype="float32", latency="low",
            callback=self._hear,
        )  # fmt: skip

    def _forget(self, rate: float, channels: int) -> None:
        self.rate, self.channels = round(rate), channels
        self.dropped += self._ring.dropped
        self._ring = Ring(int(BUFFERED * rate), channels)

    def _hear(self, block: Samples, frames: int, time: Any, status: Any) -> None:
        """PortAudio's callback."""
        self._beat = stopwatch()
        age = time.currentTime - time.inputBufferAdcTime if time.inputBufferAdcTime else 0.0
        self._ring.write(block)
        self.heard_until = self._now() - age + frames / self.rate
