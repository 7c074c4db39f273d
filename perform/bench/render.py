"""Rendering offline: the demo set to the demo track at 1280x720, to a file that is thrown away."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from perform import show
from perform.bench import Figure
from perform.clock import stopwatch
from perform.generators import Device

FPS = 30.0


def figures(
    seconds: float | None = None, model: str | None = None, device: Device = "auto"
) -> Iterator[Figure]:
    """Frames a second over `seconds` of the track (default: all of it)."""
    track = show.demo_track()
    if track is None:
        raise ValueError("the demo track is not installed, the bench has nothing to render")
    with tempfile.TemporaryDirectory() as folder:
        options = show.Options(
            sound=str(track),
            fps=FPS,
            model=model,
            device=device,
            headless=True,
            record=Path(folder) / "demo.mp4",
        )
        rig = show.render(options)
        length = seconds or getattr(rig.sound, "duration", None) or 60.0
        began = stopwatch()
        rig.run(lambda rendering: rendering.timings.count >= length * FPS)
        took = stopwatch() - began
    yield Figure.at_least("render_fps", rig.timings.count / took, "frames/s", 10.0)
    yield Figure("render_frames", rig.timings.count, "frames")
    for stage, total in rig.timings.stages.items():
        yield Figure(f"share_{stage}", 100 * total / took, "%")
