"""A long show: the demo set live, how even its frames are, and what grows in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

from perform.bench import Figure, duration_figures, percentiles
from perform.bench.shows import LATE_FACTOR, SHOW_SIZE, WARM_UP_SECONDS, demo_show, late_frames, play_for
from perform.bench.stage.held import Held, growth_figures, memory_figures, traced
from perform.bench.stage.played import Governed
from perform.clock import stopwatch
from perform.networks import Device

SOAK_SECONDS = 16.0
ROUND = 64.0  # seconds of the demo track: within it a show holds more and less
SAMPLE_SECONDS = 1.0


def soak_figures(seconds: float | None, model: str | None, device: Device, _changes: int) -> Iterator[Figure]:
    """Play the demo set for `seconds`. What it holds has a goal if each quarter of them is a whole round."""
    seconds = seconds or SOAK_SECONDS
    frames: list[float] = []
    held: list[Held] = []
    with traced() as objects, closing(demo_show(size=SHOW_SIZE, model=model, device=device)) as rig:
        play_for(rig, WARM_UP_SECONDS)
        governed, due = Governed(rig), stopwatch()

        def frame() -> None:
            nonlocal due
            governed.frame()
            frames.append(rig.timings.frames[-1])
            if stopwatch() >= due:
                held.append(Held.now(objects))
                due += SAMPLE_SECONDS

        play_for(rig, seconds, frame)
    yield from _evenness(frames)
    flat = seconds >= 4 * ROUND
    yield from memory_figures(held, seconds, flat, "_soak")
    yield from growth_figures(held, flat, "_soak")
    yield from governed.figures("_soak")


def _evenness(frames: list[float]) -> Iterator[Figure]:
    milliseconds = [1000 * one for one in frames]
    most = LATE_FACTOR * percentiles(milliseconds).p50
    yield from duration_figures("frame_ms", milliseconds, "_soak", most)
    yield Figure("frame_ms_worst_soak", max(milliseconds), "ms")
    yield Figure("late_frames_soak", late_frames(frames), "frames")
    yield Figure("frames_soak", len(frames), "frames")
