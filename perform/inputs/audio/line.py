"""A speaker or a microphone in a process of its own, and the memory that it shares with the show.

In the show's own process PortAudio was seen to wait for ten minutes when JACK's server had died, it
lists devices only when it is initialised anew, its drivers write to the terminal, and its callbacks
have to wait for an interpreter that a show keeps busy. A process can be killed and started again.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from pathlib import Path

import numpy as np

from perform.arrays import Samples
from perform.clock import stopwatch

CAPACITY = 1 << 18  # samples in the ring: 5 s at 48 kHz
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a file that is never written to a disk
NOTE = 400  # bytes
TEND = 0.02  # seconds between two looks at the process
GONE = 1.0  # seconds without a callback after which a device counts as gone
STARTING = 10.0  # seconds that the process has for its first sign of life, before it is replaced
AHEAD = 0.5  # seconds of sound that wait for the speaker
KEPT = 2.0  # seconds of sound that wait to be heard by the show, at most
PATIENCE = 1.0  # seconds that the process has to end by itself


class Field(IntEnum):
    """The shared numbers, float64 each; times are the stopwatch's, which all processes share."""

    OPEN = 0  # whether the stream is open
    RATE = 1  # samples a second
    WRITTEN = 2  # sample up to which the ring is written
    HEARD = 3  # when the last sample of the microphone was heard
    DUE = 4  # until when the process must have given a sign of life
    CALLED = 5  # when the last callback came
    SHOW = 6  # the show's time less the stopwatch's; nan before the show
    POSITION = 7  # the speaker's time less the stopwatch's; nan while it is silent
    HANDED = 8  # seconds of sound that were handed to the speaker


class Shared:
    """The memory: numbers, a note of what is wrong, and a ring in which sample n is at n % CAPACITY."""

    def __init__(self, path: Path, new: bool = False) -> None:
        if new:
            path.write_bytes(bytes(8 * len(Field) + NOTE + 8 * CAPACITY))
        self.numbers = np.memmap(path, np.float64, "r+", 0, (len(Field),))
        self._note = np.memmap(path, np.uint8, "r+", 8 * len(Field), (NOTE,))
        self._ring = np.memmap(path, np.float32, "r+", 8 * len(Field) + NOTE, (CAPACITY, 2))

    @property
    def note(self) -> str:
        """What is wrong; empty when nothing is."""
        return self._note.tobytes().rstrip(b"\0").decode(errors="replace")

    @note.setter
    def note(self, text: str) -> None:
        encoded = text.encode()[:NOTE]
        self._note[:] = np.frombuffer(encoded.ljust(NOTE, b"\0"), np.uint8)

    def read(self, start: int, stop: int) -> Samples:
        """Samples `start`..`stop` [n, 2]."""
        return np.array(self._ring[np.arange(start, stop) % CAPACITY])

    def write(self, start: int, samples: Samples) -> None:
        """Put `samples` [n, 1 or 2] at `start`, then say that they are there."""
        self._ring[np.arange(start, start + len(samples)) % CAPACITY] = samples
        self.numbers[Field.WRITTEN] = start + len(samples)


class Line:
    """The process, kept alive by a thread. `note` says what is wrong with the device."""

    def __init__(self, kind: str, name: str, rate: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="perform-", dir=MEMORY, ignore_cleanup_errors=True)
        path = Path(self._folder.name) / kind
        self._shared = Shared(path, new=True)
        self._shared.note = "opening"
        self._numbers = self._shared.numbers
        self._numbers[[Field.RATE, Field.SHOW, Field.POSITION]] = rate, np.nan, np.nan
        self._command = [
            sys.executable,
            "-m",
            "perform.inputs.audio.portaudio",
            str(path),
            kind,
            name,
            str(rate),
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=kind, daemon=True)

    @property
    def open(self) -> bool:
        """Whether the device is there."""
        return bool(self._numbers[Field.OPEN])

    @property
    def note(self) -> str:
        """What is wrong with the device; empty when it is open."""
        return self._shared.note

    def close(self) -> None:
        """End the stream and its process; safe to call twice."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self._folder.cleanup()

    def _serve(self) -> None:
        """What is to be done for the stream regularly."""

    def _run(self) -> None:
        while not self._closing.wait(TEND):
            if self._process is None or self._process.poll() is not None:
                with suppress(OSError):  # no more processes: perhaps at the next look
                    self._spawn()
            elif stopwatch() > self._numbers[Field.DUE]:
                self._process.kill()
                self._process.wait()
            self._serve()
        self._end()

    def _spawn(self) -> None:
        """Start the process, out of reach of the terminal's Ctrl-C: the show ends it."""
        self._numbers[[Field.OPEN, Field.POSITION, Field.DUE]] = 0, np.nan, stopwatch() + STARTING
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=dict(os.environ) | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )

    def _end(self) -> None:
        """Closing its standard input tells the process to end, also when the show dies."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Speaker(Line):
    """Plays the samples that `read(start, stop)` gives, each at its time by `now` (None: not yet).

    At every opening it begins with the sample that is due, at the show's beginning with the first:
    the little that the device's buffer takes the clock makes up. What comes too late is left out,
    so that the position never falls back.
    """

    def __init__(
        self, read: Callable[[int, int], Samples], now: Callable[[], float | None], rate: int
    ) -> None:
        super().__init__("speaker", "", rate)
        self._read, self._now, self._rate = read, now, rate
        self._thread.start()

    def position(self) -> float | None:
        """Seconds of the sound that leave the speaker now; None when it is silent.

        Between callbacks the time goes on, but never past what was handed to the device.
        """
        now, position = stopwatch(), float(self._numbers[Field.POSITION])
        if not self.open or position != position or now - self._numbers[Field.CALLED] > GONE:
            return None
        return min(now + position, float(self._numbers[Field.HANDED]))

    def _serve(self) -> None:
        now = self._now()
        self._numbers[Field.SHOW] = np.nan if now is None else now - stopwatch()
        show = now or 0.0
        start = max(int(self._numbers[Field.WRITTEN]), round(show * self._rate))
        stop = round((show + AHEAD) * self._rate)
        if start < stop:
            self._shared.write(start, self._read(start, stop))


class Microphone(Line):
    """Hears a device by (a part of) its name. `now` is the show's time."""

    def __init__(self, name: str, now: Callable[[], float], rate: int) -> None:
        super().__init__("microphone", name, rate)
        self.dropped = 0  # samples that nobody fetched in time
        self._now = now
        self._fetched: int | None = None
        self._thread.start()

    @property
    def rate(self) -> int:
        """Samples a second of the device that is or was open."""
        return int(self._numbers[Field.RATE])

    @property
    def heard_until(self) -> float:
        """When by `now` the last sample was heard."""
        return self._now() - (stopwatch() - float(self._numbers[Field.HEARD]))

    def samples(self) -> Samples:
        """What was heard since the last call [n, 2], the last two seconds at most; nothing at first."""
        written = int(self._numbers[Field.WRITTEN])
        fetched, self._fetched = written if self._fetched is None else self._fetched, written
        start = max(fetched, written - min(int(KEPT * self.rate), CAPACITY // 2))
        self.dropped += start - fetched
        return self._shared.read(start, written)
