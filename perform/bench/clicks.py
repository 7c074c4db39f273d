"""Plays clicks at uneven intervals into the default sound device and prints when: `clicks COUNT EACH`."""

from __future__ import annotations

import random
import sys
from queue import SimpleQueue

import sounddevice

from perform.arrays import Floats
from perform.clock import stopwatch

CLICK_RATE = 48_000
CLICK_SAMPLES = 480  # samples of a click
LEAD = 4 * CLICK_RATE  # samples of silence before the first, for the show to start


def main(count: str, each: str) -> None:
    """`count` clicks, `each` seconds apart on average; a line of stdout is a click's time (stopwatch)."""
    draw = random.Random(1)
    starts = [LEAD]
    for _ in range(int(count) - 1):
        starts.append(starts[-1] + round(CLICK_RATE * float(each) * draw.uniform(0.8, 1.2)))
    played: SimpleQueue[float] = SimpleQueue()
    at = 0

    def fill(out: Floats, frames: int, _time: object, _status: object) -> None:
        nonlocal at
        out[:] = 0
        for start in starts:
            if start < at + frames and start + CLICK_SAMPLES > at:
                out[max(start - at, 0) : start + CLICK_SAMPLES - at] = 0.8
                if start >= at:
                    played.put(stopwatch() + (start - at) / CLICK_RATE)
        at += frames

    with sounddevice.OutputStream(CLICK_RATE, channels=1, latency="low", callback=fill):
        for _ in starts:
            sys.stdout.write(f"{played.get()}\n")
            sys.stdout.flush()
        sounddevice.sleep(1000)
