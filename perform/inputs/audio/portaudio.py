"""PortAudio: the list of devices, and the process that plays or records one (see `streams`)."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from perform.arrays import Samples
from perform.clock import stopwatch
from perform.inputs.audio.streams import EXIT_TIMEOUT, GONE_AFTER, Number, SharedSound

if TYPE_CHECKING:
    import sounddevice

OPEN_INTERVAL = 2.0  # seconds between two attempts to open a device that is not there
FIRST_CALLBACK = 2.0  # seconds after opening without a callback: PulseAudio was seen to take 1.4
STREAM_INTERVAL = 0.05  # seconds between two checks of a stream
CHECK_TIMEOUT = 6.0  # seconds that a check may take before the process is replaced
STREAM_CLOSE_TIMEOUT = 1.5  # the same for closing a stream
SPEAKER_LATENCY = 0.1  # seconds of the speaker's buffer: long enough for a busy machine


class CallbackTime(Protocol):
    """The times of a block in PortAudio's callback, in seconds of the stream's clock."""

    currentTime: float  # noqa: N815
    inputBufferAdcTime: float  # noqa: N815
    outputBufferDacTime: float  # noqa: N815


class DeviceError(Exception):
    """A sound device that cannot be opened (now); the message says why."""


@dataclass(frozen=True, slots=True)
class AudioDevice:
    """A sound device: how many channels it records (`inputs`) and plays (`outputs`)."""

    index: int
    name: str
    system: str
    inputs: int
    outputs: int
    rate: int


def audio_devices() -> list[AudioDevice]:
    """Every sound device that is there now. Raises DeviceError when PortAudio itself is missing."""
    sound = _library()
    systems = [system["name"] for system in sound.query_hostapis()]
    return [
        AudioDevice(
            index, one["name"], systems[one["hostapi"]],
            one["max_input_channels"], one["max_output_channels"], round(one["default_samplerate"]),
        )
        for index, one in enumerate(sound.query_devices())
    ]  # fmt: skip


def find_input(name: str) -> AudioDevice:
    """The device that records and is called `name`, or has it in its name. Raises DeviceError."""
    recording = [device for device in audio_devices() if device.inputs]
    wanted = name.casefold()
    for match in (str.__eq__, str.startswith, str.__contains__):
        for device in recording:
            if match(device.name.casefold(), wanted):
                return device
    names = ", ".join(device.name for device in recording) or "none"
    raise DeviceError(f"no sound device called {name!r} (there are: {names})")


def _library() -> Any:
    """The module sounddevice, with a new list of devices: PortAudio makes it when it is initialised."""
    try:
        import sounddevice
    except OSError as error:  # the package is there, the library is not
        raise DeviceError(f"{error}: on Debian install libportaudio2") from error
    sounddevice._terminate()
    sounddevice._initialize()
    return sounddevice


class _Stream:
    """A stream that is opened, checked and opened again, in a process of its own."""

    def __init__(self, shared: SharedSound, name: str, rate: int) -> None:
        self._shared, self._name, self._rate = shared, name, rate
        self._numbers = shared.numbers
        self._opened = 0.0
        self._stream: sounddevice.Stream | None = None

    def check(self) -> float:
        """Check the stream; seconds until the next check."""
        self._numbers[Number.DUE] = stopwatch() + CHECK_TIMEOUT
        if self._stream is None:
            return self._start()
        called = max(self._numbers[Number.CALLED], self._opened + FIRST_CALLBACK)
        if stopwatch() - called > GONE_AFTER or not self._stream.active:
            self.end("the sound device is gone")
            return OPEN_INTERVAL / 4
        return STREAM_INTERVAL

    def end(self, note: str) -> None:
        """Close the stream. After a server died this may take for ever: then the show ends the process."""
        stream, self._stream = self._stream, None
        self._numbers[[Number.OPEN, Number.POSITION]] = 0, np.nan
        self._shared.note = note
        if stream is not None:
            self._numbers[Number.DUE] = stopwatch() + STREAM_CLOSE_TIMEOUT
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)

    def close(self) -> None:
        """Close the stream for good, and PortAudio with it: a JACK server waits for a client that goes
        without that. If there is no stream the server may have died, and PortAudio would wait for it."""
        sound = sys.modules.get("sounddevice") if self._stream else None
        self.end("closed")
        if sound:
            sound._terminate()

    def _start(self) -> float:
        try:
            self._stream = self._make()
            self._opened = stopwatch()
            self._stream.start()
        except Exception as error:  # noqa: BLE001 - drivers raise what they like; the next attempt may do
            self.end(str(error))
            return OPEN_INTERVAL
        self._shared.note = ""
        self._numbers[Number.OPEN] = 1
        return STREAM_INTERVAL

    def _make(self) -> sounddevice.Stream:
        """A new stream, not started."""
        raise NotImplementedError


class _PlayingStream(_Stream):
    """The process's side of `Speaker`."""

    _next: int | None = None  # the next sample for the device

    def _make(self) -> sounddevice.Stream:
        sound = _library()
        if not any(one["max_output_channels"] for one in sound.query_devices()):
            raise DeviceError("no sound device to play on")
        self._next = None
        return sound.OutputStream(
            samplerate=self._rate, channels=2, dtype="float32", latency=SPEAKER_LATENCY, callback=self._fill
        )

    def _fill(self, out: Samples, frames: int, time: CallbackTime, status: object) -> None:
        """PortAudio's callback: samples that are not there yet are silence and never played."""
        now, show = stopwatch(), float(self._numbers[Number.SHOW_TIME])
        self._numbers[Number.CALLED] = now
        out[:] = 0.0
        if show != show or self._stream is None:
            return
        clock = self._stream.time
        plays_at = now + (time.outputBufferDacTime or clock + self._stream.latency) - clock
        if self._next is None:
            self._next = round((show + plays_at) * self._rate) if show + now > SPEAKER_LATENCY else 0
        ready = max(min(int(self._numbers[Number.WRITTEN]) - self._next, frames), 0)
        out[:ready] = self._shared.read(self._next, self._next + ready)
        self._numbers[Number.POSITION] = self._next / self._rate - plays_at
        self._next += frames
        self._numbers[Number.PLAYED] = self._next / self._rate


class _RecordingStream(_Stream):
    """The process's side of `Microphone`."""

    def _make(self) -> sounddevice.Stream:
        device = find_input(self._name)
        try:
            stream = self._stream_of(device, self._rate)
        except Exception:  # noqa: BLE001 - a device that has another rate only
            stream = self._stream_of(device, device.rate)
        self._numbers[Number.RATE] = round(stream.samplerate)
        return stream

    def _stream_of(self, device: AudioDevice, rate: int) -> sounddevice.InputStream:
        import sounddevice

        return sounddevice.InputStream(
            device=device.index, samplerate=rate, channels=min(device.inputs, 2), dtype="float32",
            latency="low", callback=self._record,
        )  # fmt: skip

    def _record(self, block: Samples, frames: int, time: CallbackTime, status: object) -> None:
        """PortAudio's callback. A driver that says no time, or under JACK another program's sound, has its
        first sample at the time of the call; but the last one cannot be later than that."""
        now = stopwatch()
        age = time.currentTime - time.inputBufferAdcTime if time.inputBufferAdcTime else 0.0
        self._numbers[Number.CALLED] = now
        self._numbers[Number.RECORDED] = now - max(age - frames / self._numbers[Number.RATE], 0.0)
        self._shared.write(int(self._numbers[Number.WRITTEN]), block)


STREAMS: dict[str, Callable[[SharedSound, str, int], _Stream]] = {
    "speaker": _PlayingStream,
    "microphone": _RecordingStream,
}


def main(path: str, kind: str, name: str, rate: str) -> None:
    """Run a stream until standard input ends, which it does with the show. If PortAudio then waits for a
    server that died, the process ends by itself: the show may be gone."""
    stream = STREAMS[kind](SharedSound(Path(path)), name, int(rate))
    over, never = threading.Event(), threading.Event()

    def listen() -> None:
        sys.stdin.buffer.read()
        over.set()
        never.wait(EXIT_TIMEOUT)
        os._exit(1)

    threading.Thread(target=listen, daemon=True).start()
    wait = 0.0
    while not over.wait(wait):
        wait = stream.check()
    try:
        stream.close()
    finally:
        os._exit(0)  # not through the end of sounddevice, which may wait for a server that died
