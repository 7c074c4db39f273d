"""Frames kept in memory, for previews and tests."""

from __future__ import annotations

from collections import deque

from perform.faults import Health
from perform.outputs import Frame


class Memory:
    """The last `keep` frames, oldest first, in `frames`; `count` is how many there were at all."""

    name, may_lag = "memory", False

    def __init__(self, keep: int = 1) -> None:
        if keep < 1:
            raise ValueError(f"keep = {keep}, must be 1 or more frames")
        self.frames: deque[Frame] = deque(maxlen=keep)
        self.count = 0
        self._closed = False

    @property
    def last(self) -> Frame | None:
        """The newest frame; None before the first."""
        return self.frames[-1] if self.frames else None

    def write(self, frame: Frame) -> None:
        if self._closed:
            return
        self.frames.append(Frame(frame.moment, frame.pixels.copy()))
        self.count += 1

    def health(self) -> Health:
        return Health("ok", f"frames: {self.count}")

    def close(self) -> None:
        self._closed = True
