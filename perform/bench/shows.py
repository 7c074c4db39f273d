"""Shows of the benches: the demo set without a window, and what is measured of its frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from perform import show
from perform.bench import percentiles
from perform.clock import stopwatch
from perform.rig import Rig, freeze_gc

SHOW_SIZE = (1280, 720)
LIVE_RATE = 60.0  # frames/s of the latency benches
WARM_UP_SECONDS = 3.0
LATE_FACTOR = 2.0  # a frame is late from so many times the median on


def demo_show(**options: Any) -> Rig:
    """The demo set to its track, opened without a window and without OSC; `options` are those of a show."""
    track = show.demo_track()
    sound = str(track) if track else None
    rig = show.play(show.Options(sound=sound, headless=True, osc_port=0, watch=False, **options))
    freeze_gc()
    return rig


def play_for(rig: Rig, seconds: float) -> None:
    """Play frames for some seconds."""
    ends = stopwatch() + seconds
    while stopwatch() < ends:
        rig.frame()


def late_frames(frames: Sequence[float]) -> int:
    """How many frames take longer than twice the median."""
    median = percentiles(frames).p50
    return sum(frame > LATE_FACTOR * median for frame in frames)
