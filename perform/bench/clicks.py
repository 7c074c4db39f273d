"""Plays clicks into JACK and prints when: `clicks COUNT EACH SPREAD LEAD`."""

from __future__ import annotations

import random
import signal
import sys
from queue import SimpleQueue

from perform.arrays import Floats
from perform.clock import stopwatch

CLICK_RATE = 48_000
CLICK_SAMPLES = 480  # samples of a click
CLICK_HEIGHT = 0.8
END = 1.0  # seconds of silence after the last
JACK = "JACK Audio Connection Kit"  # not PortAudio's default: ALSA's way into JACK has clients of other names


def click_starts(count: int, each: float, spread: float, lead: float) -> list[int]:
    """The first samples of `count` clicks, the first at `lead` seconds, the others `each` seconds apart, more
    or less `spread` (a share of it)."""
    draw, at = random.Random(1), lead * CLICK_RATE
    starts = []
    for _ in range(count):
        starts.append(round(at))
        at += CLICK_RATE * each * draw.uniform(1 - spread, 1 + spread)
    return starts


def main(count: str, each: str, spread: str, lead: str) -> None:
    """Play `click_starts`; a line of stdout is a click's time (stopwatch). SIGTERM closes the stream, too:
    JACK's server would wait for a client that died, and be killed before it has removed its files."""
    import sounddevice

    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    jack = next(system for system in sounddevice.query_hostapis() if system["name"] == JACK)
    starts = click_starts(int(count), float(each), float(spread), float(lead))
    played: SimpleQueue[float] = SimpleQueue()
    at = 0

    def fill(out: Floats, frames: int, _time: object, _status: object) -> None:
        nonlocal at
        out[:] = 0
        for start in starts:
            if start < at + frames and start + CLICK_SAMPLES > at:
                out[max(start - at, 0) : start + CLICK_SAMPLES - at] = CLICK_HEIGHT
                if start >= at:
                    played.put(stopwatch() + (start - at) / CLICK_RATE)
        at += frames

    device = jack["default_output_device"]
    with sounddevice.OutputStream(CLICK_RATE, device=device, channels=1, latency="low", callback=fill):
        for _ in starts:
            sys.stdout.write(f"{played.get()}\n")
            sys.stdout.flush()
        sounddevice.sleep(round(1000 * END))
