"""A speaker or a microphone in a process of its own, and the memory that it shares with the show.

In the show's own process PortAudio was seen to wait for ten minutes after JACK's server had died, it finds
new devices only when it is initialised again, its drivers write to the terminal, and its callbacks wait for
an interpreter that a show keeps busy. A process can be killed and started again."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Callable
from contextlib import suppress
from enum import IntEnum
from pathlib import Path

import numpy as np

from perform import children
from perform.arrays import Samples, finite
from perform.clock import stopwatch
from perform.threads import Background

CAPACITY = 1 << 18  # samples in the ring: 5 s at 48 kHz
SHARED_FOLDER = "/dev/shm" if Path("/dev/shm").is_dir() else None  # a file that is never written to a disk
NOTE_BYTES = 400
SERVE_INTERVAL = 0.02  # seconds between two checks of the process
GONE_AFTER = 1.0  # seconds without a callback after which a device counts as gone
START_TIMEOUT = 10.0  # seconds that the process has for its first sign of life, before it is replaced
PLAYED_AHEAD = 0.5  # seconds of sound that wait for the speaker
MOST_RECORDED = 2.0  # seconds of sound that wait for the show
EXIT_TIMEOUT = 1.0  # seconds that the process has to end by itself
CHILD = children.command("import sys; from perform.inputs.audio.portaudio import main; main(*sys.argv[1:])")


class Number(IntEnum):
    """The shared numbers, float64 each; times are the stopwatch's, which all processes share."""

    OPEN = 0  # whether the stream is open
    RATE = 1  # samples a second
    WRITTEN = 2  # sample up to which the ring is written
    RECORDED = 3  # when the last sample of the microphone was recorded
    DUE = 4  # until when the process must have given a sign of life
    CALLED = 5  # when the last callback came
    SHOW_TIME = 6  # the show's time less the stopwatch's; nan before the show
    POSITION = 7  # the speaker's time less the stopwatch's; nan while it is silent
    PLAYED = 8  # seconds of sound that the speaker has got


class SharedSound:
    """Memory that two processes share: numbers, a note of what is wrong, and a ring of samples, in which
    sample n is at n % CAPACITY."""

    def __init__(self, path: Path, new: bool = False) -> None:
        if new:
            path.write_bytes(bytes(8 * len(Number) + NOTE_BYTES + 8 * CAPACITY))
        self.numbers = np.memmap(path, np.float64, "r+", 0, (len(Number),))
        self._note = np.memmap(path, np.uint8, "r+", 8 * len(Number), (NOTE_BYTES,))
        self._ring = np.memmap(path, np.float32, "r+", 8 * len(Number) + NOTE_BYTES, (CAPACITY, 2))

    @property
    def note(self) -> str:
        """What is wrong; empty if nothing is."""
        return self._note.tobytes().rstrip(b"\0").decode(errors="replace")

    @note.setter
    def note(self, text: str) -> None:
        encoded = text.encode()[:NOTE_BYTES]
        self._note[:] = np.frombuffer(encoded.ljust(NOTE_BYTES, b"\0"), np.uint8)

    def read(self, start: int, stop: int) -> Samples:
        """Samples `start`..`stop` [n, 2]."""
        return np.array(self._ring[np.arange(start, stop) % CAPACITY])

    def write(self, start: int, samples: Samples) -> None:
        """Put `samples` [n, 1 or 2] at `start`, then count them as written."""
        self._ring[np.arange(start, start + len(samples)) % CAPACITY] = samples
        self.numbers[Number.WRITTEN] = start + len(samples)


class StreamProcess:
    """The process of a stream, kept alive by a thread."""

    def __init__(self, kind: str, name: str, rate: int) -> None:
        self._folder = tempfile.TemporaryDirectory(
            prefix="perform-", dir=SHARED_FOLDER, ignore_cleanup_errors=True
        )
        path = Path(self._folder.name) / kind
        self._shared = SharedSound(path, new=True)
        self._shared.note = "opening"
        self._numbers = self._shared.numbers
        self._numbers[Number.RATE] = rate
        self._numbers[[Number.SHOW_TIME, Number.POSITION]] = np.nan
        self._command = [*CHILD, str(path), kind, name, str(rate)]
        self._process: subprocess.Popen[bytes] | None = None
        self._kind = kind
        self._background: Background | None = None

    @property
    def open(self) -> bool:
        """Whether the device is there."""
        return bool(self._numbers[Number.OPEN])

    @property
    def note(self) -> str:
        """What is wrong with the device; empty if it is open."""
        return self._shared.note

    def close(self) -> None:
        """End the stream and its process; safe to call twice."""
        if self._background is not None:
            self._background.close(None)
        self._folder.cleanup()

    def _start(self) -> None:
        """Start the thread, once everything that `_serve` needs is set."""
        self._background = Background(self._run, self._kind)

    def _serve(self) -> None:
        """What the stream needs regularly."""

    def _run(self, closing: threading.Event) -> None:
        while not closing.wait(SERVE_INTERVAL):
            if self._process is None or self._process.poll() is not None:
                with suppress(OSError):  # no more processes: perhaps next time
                    self._spawn()
            elif stopwatch() > self._numbers[Number.DUE]:
                self._process.kill()
                self._process.wait()
            self._serve()
        self._end()

    def _spawn(self) -> None:
        """Start the process; the terminal's Ctrl-C does not reach it, the show ends it."""
        self._numbers[Number.OPEN] = 0
        self._numbers[Number.POSITION] = np.nan
        self._numbers[Number.DUE] = stopwatch() + START_TIMEOUT
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=children.environment(),
            start_new_session=True,
        )

    def _end(self) -> None:
        """Closing its standard input tells the process to end, also when the show dies."""
        if self._process is None or self._process.stdin is None:
            return
        self._process.stdin.close()
        try:
            self._process.wait(EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Speaker(StreamProcess):
    """Plays the samples that `read(start, stop)` gives, each at its time by `now` (None: not yet).

    Whenever the device is opened it begins with the sample that is due, at the beginning of the show with the
    first: the clock corrects the delay of the device's buffer. Samples that come too late are left out, so
    that the position never goes back.
    """

    def __init__(
        self, read: Callable[[int, int], Samples], now: Callable[[], float | None], rate: int
    ) -> None:
        super().__init__("speaker", "", rate)
        self._read, self._now, self._rate = read, now, rate
        self._start()

    def position(self) -> float | None:
        """Seconds of the sound that leave the speaker now; None while it is silent.

        Between callbacks the time goes on, but never past the sound that the device has got.
        """
        now, position = stopwatch(), float(self._numbers[Number.POSITION])
        if not self.open or position != position or now - self._numbers[Number.CALLED] > GONE_AFTER:
            return None
        return min(now + position, float(self._numbers[Number.PLAYED]))

    def _serve(self) -> None:
        now = self._now()
        self._numbers[Number.SHOW_TIME] = np.nan if now is None else now - stopwatch()
        show = now or 0.0
        start = max(int(self._numbers[Number.WRITTEN]), round(show * self._rate))
        stop = round((show + PLAYED_AHEAD) * self._rate)
        if start < stop:
            self._shared.write(start, self._read(start, stop))


class Microphone(StreamProcess):
    """Records a device by (a part of) its name. `now` is the show's time."""

    def __init__(self, name: str, now: Callable[[], float], rate: int) -> None:
        super().__init__("microphone", name, rate)
        self.dropped = 0  # samples that were not fetched in time
        self._now = now
        self._fetched: int | None = None
        self._start()

    @property
    def rate(self) -> int:
        """Samples a second of the device that is or was open."""
        return int(self._numbers[Number.RATE])

    @property
    def recorded_until(self) -> float:
        """When by `now` the last sample was recorded."""
        return self._now() - (stopwatch() - float(self._numbers[Number.RECORDED]))

    def samples(self) -> Samples:
        """The samples since the last call [n, 2], the last two seconds at most; none at first. What is no
        number is silence."""
        written = int(self._numbers[Number.WRITTEN])
        fetched, self._fetched = written if self._fetched is None else self._fetched, written
        start = max(fetched, written - min(int(MOST_RECORDED * self.rate), CAPACITY // 2))
        self.dropped += start - fetched
        return finite(self._shared.read(start, written))
