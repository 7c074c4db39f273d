"""The tracker's process: started, asked, watched, and replaced before it has grown too large.

MediaPipe leaks in long runs, and a process that dies or hangs must not stop a show. The next process starts
while the current one works, and takes over between two pictures when it is ready.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform import children
from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.inputs.hands.process import ANSWER_HEAD, FAILED, REQUEST, ROW, run

ProcessTarget: TypeAlias = Callable[[Connection, str, str], None]  # runs in the process: pipe, memory, model
Rows: TypeAlias = NDArray[np.float32]  # [hands, ROW]

LARGEST_SIDE = 640  # pixels of a side that the tracker gets at most
MOST_MEMORY = 1 << 30  # bytes that a process may use
LONGEST_LIFE = 1800.0  # seconds that it may work
READY_TIMEOUT = 30.0  # seconds that it has to be ready
ANSWER_TIMEOUT = 2.0  # seconds that it has for a picture
IMPORT = "perform models import hands"
MISSING_CHECK = 2.0  # seconds until what is missing is checked again
START_AFTER = 0.1, 10.0  # seconds until the next one starts after one that failed: at first, and at most


class GoneError(RuntimeError):
    """The process is dead, hangs, or has reported a fault."""


class TrackerProcess:
    """One process that tracks. Pictures lie in memory that both sides share."""

    def __init__(self, model: str, target: ProcessTarget) -> None:
        context = children.spawning()
        self._memory = SharedMemory(create=True, size=3 * LARGEST_SIDE * LARGEST_SIDE)
        self._connection, theirs = context.Pipe()
        arguments = (theirs, self._memory.name, model)
        self._process: SpawnProcess = context.Process(
            target=target, args=arguments, name="hands", daemon=True
        )
        with _single_threaded():
            self._process.start()
        theirs.close()
        self.began = stopwatch()
        self.size = 0.0  # bytes
        self._ready = False
        self._asked = 0  # milliseconds of the last picture; it has had one at 0

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return self._process.pid

    def ready(self) -> bool:
        """Whether it can be asked. Raises GoneError when it never will be."""
        if not self._ready:
            if self._received(0.0) is not None:
                self._ready, self.began = True, stopwatch()
            elif stopwatch() - self.began > READY_TIMEOUT:
                raise GoneError("the tracker does not start")
        return self._ready

    def ask(self, pixels: Pixels, taken: float) -> Rows:
        """The hands of a picture taken at `taken` seconds. Raises GoneError."""
        stride = -(-max(pixels.shape[:2]) // LARGEST_SIDE)  # so that neither side is above it
        small = pixels[::stride, ::stride, :3]
        height, width = small.shape[:2]
        np.ndarray(small.shape, np.uint8, self._memory.buf)[:] = small
        self._asked = max(round(1000 * taken), self._asked + 1)
        try:
            self._connection.send_bytes(REQUEST.pack(self._asked, height, width))
        except OSError as error:
            raise GoneError("the tracker died") from error
        found = self._received(ANSWER_TIMEOUT)
        if found is None:
            raise GoneError("the tracker does not answer")
        return np.frombuffer(found, "<f4").reshape(-1, ROW)

    def close(self) -> None:
        """End it, whatever it is doing."""
        self._connection.close()
        self._process.kill()
        self._process.join()
        self._process.close()
        self._memory.close()
        self._memory.unlink()

    def _received(self, timeout: float) -> bytes | None:
        """Its next answer, None if there is none in time. Raises GoneError."""
        try:
            answer = self._connection.recv_bytes() if self._connection.poll(timeout) else None
        except (EOFError, OSError) as error:
            raise GoneError("the tracker died") from error
        if answer is None:
            return None
        kind, self.size = ANSWER_HEAD.unpack_from(answer)
        if kind == FAILED:
            raise GoneError(answer[ANSWER_HEAD.size :].decode(errors="replace"))
        return answer[ANSWER_HEAD.size :]


class Tracker:
    """Always one process at work, and a second one while the first is being replaced."""

    def __init__(self, model: str, target: ProcessTarget = run) -> None:
        self.begun = self.lost = 0  # processes started; those that died or hung
        self.note = "starting"
        self._model, self._target = model, target
        self._working: TrackerProcess | None = None
        self._coming: TrackerProcess | None = None
        self._wait, self._next = START_AFTER[0], 0.0

    @property
    def pid(self) -> int | None:
        """The number of the process at work; None while there is none."""
        return self._working.pid if self._working else None

    def track(self, pixels: Pixels, taken: float) -> Rows | None:
        """The hands of a picture [hands, ROW]; None while no process is ready."""
        self.tend()
        if self._working is None:
            return None
        try:
            found = self._working.ask(pixels, taken)
        except GoneError as error:
            failed, self._working = self._working, None
            self._lose(failed, error)
            return None
        self._wait = START_AFTER[0]
        return found

    def tend(self) -> None:
        """Start the next process if it is time for it, and let it take over if it is ready."""
        old = self._working
        worn = old is None or old.size > MOST_MEMORY or stopwatch() - old.began > LONGEST_LIFE
        if self._coming is None and worn and stopwatch() >= self._next:
            self._begin()
        try:
            if self._coming is not None and self._coming.ready():
                self._working, self._coming, self.note = self._coming, None, ""
                if old is not None:
                    old.close()
        except GoneError as error:
            failed, self._coming = self._coming, None
            self._lose(failed, error)

    def close(self) -> None:
        """End all processes; safe to call twice."""
        for process in (self._working, self._coming):
            if process is not None:
                process.close()
        self._working = self._coming = None

    def _begin(self) -> None:
        if missing := lacking(self._model):
            self.note, self._next = missing, stopwatch() + MISSING_CHECK
            return
        self.begun += 1
        with suppress(OSError):  # no more processes or memory: perhaps next time
            self._coming = TrackerProcess(self._model, self._target)

    def _lose(self, failed: TrackerProcess | None, error: GoneError) -> None:
        """A process failed; the next one starts after a while that grows."""
        if failed is not None:
            failed.close()
        self.lost += 1
        if self._working is None:
            self.note = str(error)
        self._next = stopwatch() + self._wait
        self._wait = min(2 * self._wait, START_AFTER[1])


@contextmanager
def _single_threaded() -> Iterator[None]:
    """A process that starts within has one thread at first: numpy would start more, and Linux lets only a
    process of one thread leave the network (`process.unplug`)."""
    name = "OPENBLAS_NUM_THREADS"
    before, os.environ[name] = os.environ.get(name), "1"
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


def lacking(model: str) -> str:
    """What the tracker needs and is missing, empty if nothing is."""
    if find_spec("mediapipe") is None:
        return "mediapipe is not installed; it is made for Linux, x86-64 Windows and Macs with Apple's chips"
    return "" if Path(model).is_file() else f"the tracker's model is missing: {IMPORT}"
