"""Reads sound files as endless samples: decoded on demand, with a bounded part in memory."""

from __future__ import annotations

import logging
import threading
from collections.abc import Generator, Iterator
from pathlib import Path

import numpy as np

from perform import media, paths
from perform.arrays import Samples
from perform.inputs.audio.decoding import (
    SAMPLE_RATE,
    Decoder,
    SoundError,
    claimed_length,
    lacks_bytes,
    open_sound_file,
)

log = logging.getLogger("perform")
MOST_DECODED = 10 * SAMPLE_RATE  # samples that can still be read after they were decoded
SILENT = np.zeros((SAMPLE_RATE // 10, 2), np.float32)  # a block of silence
SILENCE_BEFORE_RETRY = 2 * SAMPLE_RATE  # samples, before a file that can no longer be read is tried again
MOST_PADDING = 0.25  # seconds of a film's sound after its pictures that a loop leaves out
CUT_SECONDS, CUT_SHARE = 0.5, 0.01  # by which a sound must be shorter than it says, to be cut off


class SoundReader:
    """The file's samples, two channels at 48 kHz; sample 0 is the first.

    With `loop` the end joins the beginning without a gap, otherwise silence follows it; the sound of a film
    loops with its pictures. `length`
    (samples) is None while the end has not been reached. The last ten seconds can be read, by any
    thread. A file that breaks while it plays is silent from there on (`fault` is the reason); a loop tries
    it again. `note` is what is wrong with the file although it plays. Raises SoundError if the file is
    missing, is no sound file or has no sound.
    """

    def __init__(self, path: Path | str, loop: bool = False) -> None:
        self.path, self.loop = paths.found(Path(path)) or Path(path), loop
        self.fault = self._cut = ""
        self.length: int | None = None
        with open_sound_file(self.path) as container:
            self._claimed = claimed_length(container)
            self._lacks = lacks_bytes(container)
            turn = media.pictures_end(container) if loop else None
        padded = turn is not None and (self._claimed or 0.0) < turn + MOST_PADDING
        self._decoder = Decoder(self.path, turn if padded else None)
        self._lock = threading.Lock()
        self._kept: Samples = np.zeros((MOST_DECODED, 2), np.float32)  # sample n is at n % MOST_DECODED
        self._end = self._decoded = 0
        self._source = self._endless()
        self.read(0, SAMPLE_RATE // 10)  # fails here if the file cannot be decoded
        if not self._decoded:
            reason = self.fault or self._decoder.damage.summary
            raise SoundError(
                f"{self.path}: cannot be decoded ({reason})" if reason else f"{self.path}: has no samples"
            )

    @property
    def duration(self) -> float | None:
        """Seconds; while the end has not been reached, as the file says them, None if it does not."""
        return self._claimed if self.length is None else self.length / SAMPLE_RATE

    @property
    def note(self) -> str:
        """What is wrong with a file that plays; empty if nothing is."""
        return ", ".join(filter(None, (self._decoder.damage.summary, self._cut)))

    def read(self, start: int, stop: int) -> Samples:
        """Samples `start`..`stop` [n, 2]; zeros for those that are no longer kept."""
        with self._lock:
            while self._end < stop:
                self._append(next(self._source, SILENT))
            first = min(max(start, self._end - MOST_DECODED), max(stop, start))
            kept = self._kept.take(np.arange(first, stop), axis=0, mode="wrap")
        return np.concatenate((np.zeros((first - start, 2), np.float32), kept))

    def blocks(self, size: int) -> Iterator[Samples]:
        """All samples in blocks of `size` [size, 2]; after the end of the file the last one is silent."""
        start = 0
        while self.length is None or start < self.length:
            yield self.read(start, start + size)
            start += size

    def close(self) -> None:
        """Close the file; what was not read before is silent."""
        with self._lock:
            self._source.close()

    def _append(self, block: Samples) -> None:
        recent = block[-MOST_DECODED:]
        self._end += len(block)
        self._kept[np.arange(self._end - len(recent), self._end) % MOST_DECODED] = recent

    def _endless(self) -> Generator[Samples, None, None]:
        """Blocks without end: the file once or in a loop, then silence."""
        while True:
            before = self._decoded
            yield from self._once()
            if not self.loop:
                break
            if self._decoded == before:
                yield np.zeros((SILENCE_BEFORE_RETRY, 2), np.float32)
        yield from self._decoder.flush()
        self.length = self._end
        while True:
            yield SILENT

    def _once(self) -> Generator[Samples, None, None]:
        """One pass through the file."""
        before = self._decoded
        try:
            for block in self._decoder.decode():
                self._decoded += len(block)
                yield block
            self.fault = ""
            self._check_length((self._decoded - before) / SAMPLE_RATE)
        except media.faults() as error:
            self.fault = media.why(error)
            log.error("%s stopped: %s", self.path, self.fault)

    def _check_length(self, seconds: float) -> None:
        """Report a sound that is shorter than its file says, once."""
        claimed = self._claimed or 0.0
        if self._lacks and not self._cut and claimed - seconds > max(CUT_SECONDS, CUT_SHARE * claimed):
            self._cut = f"cut off: {seconds:.1f} s of {claimed:.1f} s"
            log.warning("%s: %s", self.path, self._cut)
