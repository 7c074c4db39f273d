"""PortAudio: the list of devices, and the process that plays or hears one (see `_line`)."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from perform.arrays import Samples
from perform.clock import stopwatch
from perform.inputs.audio.line import GONE, Field, Shared

RETRY = 2.0  # seconds between two attempts to open a device that is not there
SETTLE = 2.0  # seconds after opening without a callback: PulseAudio was seen to take 1.4
TEND = 0.05  # seconds between two looks at a stream
OPENING = 6.0  # seconds that a look may take before the process is replaced
CLOSING = 1.5  # the same for closing a stream
LATENCY = 0.1  # seconds of the speaker's buffer: long enough for a busy machine


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
    """sounddevice, with a new list of devices: PortAudio makes it when it is initialised."""
    try:
        import sounddevice
    except OSError as error:  # the package is there, the library is not
        raise DeviceError(f"{error}: on Debian install libportaudio2") from error
    sounddevice._terminate()
    sounddevice._initialize()
    return sounddevice


class _Stream:
    """A stream that is opened, watched and opened again, in the process that is its own."""

    def __init__(self, shared: Shared, name: str, rate: int) -> None:
        self._shared, self._name, self._rate = shared, name, rate
        self._numbers = shared.numbers
        self._opened = 0.0
        self._stream: Any = None

    def tend(self) -> float:
        """One look at the stream; seconds until the next."""
        self._numbers[Field.DUE] = stopwatch() + OPENING
        if self._stream is None:
            return self._start()
        called = max(self._numbers[Field.CALLED], self._opened + SETTLE)
        if stopwatch() - called > GONE or not self._stream.active:
            self.end("the sound device is gone")
            return RETRY / 4
        return TEND

    def end(self, note: str) -> None:
        """Close the stream. With a server that died this may take for ever: the show ends it then."""
        stream, self._stream = self._stream, None
        self._numbers[[Field.OPEN, Field.POSITION]] = 0, np.nan
        self._shared.note = note
        if stream is not None:
            self._numbers[Field.DUE] = stopwatch() + CLOSING
            stream.abort(ignore_errors=True)
            stream.close(ignore_errors=True)

    def _start(self) -> float:
        try:
            self._stream = self._make()
            self._opened = stopwatch()
            self._stream.start()
        except Exception as error:  # noqa: BLE001 - drivers raise what they like; the next attempt may do
            self.end(str(error))
            return RETRY
        self._shared.note = ""
        self._numbers[Field.OPEN] = 1
        return TEND

    def _make(self) -> Any:
        """A new stream, not started."""
        raise NotImplementedError


class _Playing(_Stream):
    """The speaker's side of `Speaker`."""

    _next: int | None = None  # the sample to be handed to the device next

    def _make(self) -> Any:
        sound = _library()
        if not any(one["max_output_channels"] for one in sound.query_devices()):
            raise DeviceError("no sound device to play on")
        self._next = None
        return sound.OutputStream(
            samplerate=self._rate, channels=2, dtype="float32", latency=LATENCY, callback=self._fill
        )

    def _fill(self, out: Samples, frames: int, time: Any, status: Any) -> None:
        """PortAudio's callback: what is not there yet is silence, and its time is over."""
        now, show = stopwatch(), float(self._numbers[Field.SHOW])
        self._numbers[Field.CALLED] = now
        out[:] = 0.0
        if show != show:
            return
        clock = self._stream.time
        heard_at = now + (time.outputBufferDacTime or clock + self._stream.latency) - clock
        if self._next is None:
            self._next = round((show + heard_at) * self._rate) if show + now > LATENCY else 0
        there = max(min(int(self._numbers[Field.WRITTEN]) - self._next, frames), 0)
        out[:there] = self._shared.read(self._next, self._next + there)
        self._numbers[Field.POSITION] = self._next / self._rate - heard_at
        self._next += frames
        self._numbers[Field.HANDED] = self._next / self._rate


class _Hearing(_Stream):
    """The microphone's side of `Microphone`."""

    def _make(self) -> Any:
        device = find(self._name)
        try:
            stream = self._stream_of(device, self._rate)
        except Exception:  # noqa: BLE001 - a device that has another rate only
            stream = self._stream_of(device, device.rate)
        self._numbers[Field.RATE] = round(stream.samplerate)
        return stream

    def _stream_of(self, device: Device, rate: int) -> Any:
        import sounddevice

        return sounddevice.InputStream(
            device=device.index, samplerate=rate, channels=min(device.inputs, 2), dtype="float32",
            latency="low", callback=self._hear,
        )  # fmt: skip

    def _hear(self, block: Samples, frames: int, time: Any, status: Any) -> None:
        """PortAudio's callback."""
        now = stopwatch()
        age = time.currentTime - time.inputBufferAdcTime if time.inputBufferAdcTime else 0.0
        self._numbers[[Field.CALLED, Field.HEARD]] = now, now - age + frames / self._numbers[Field.RATE]
        self._shared.write(int(self._numbers[Field.WRITTEN]), block)


STREAMS: dict[str, Callable[[Shared, str, int], _Stream]] = {"speaker": _Playing, "microphone": _Hearing}


def main(path: str, kind: str, name: str, rate: str) -> None:
    """Tend a stream until standard input ends, which it does with the show."""
    stream = STREAMS[kind](Shared(Path(path)), name, int(rate))
    over = threading.Event()

    def listen() -> None:
        sys.stdin.buffer.read()
        over.set()

    threading.Thread(target=listen, daemon=True).start()
    wait = 0.0
    while not over.wait(wait):
        wait = stream.tend()
    stream.end("closed")
    os._exit(0)  # not through PortAudio's own end, which may wait for a server that died


if __name__ == "__main__":
    main(*sys.argv[1:])
