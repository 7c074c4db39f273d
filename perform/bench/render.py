"""Rendering offline: the demo set to the demo track at 1280x720, to a file that is thrown away; and
whether memory grows over ten minutes of sound."""

from __future__ import annotations

import tempfile
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from perform import show
from perform.bench import Figure, resident
from perform.clock import stopwatch
from perform.networks import Device
from perform.rig import Rig

RENDER_RATE = 30.0
LONG_SECONDS, LONG_FPS, LONG_SIZE = 600.0, 10.0, (160, 90)  # seconds, frames a second, pixels
SAMPLE_RATE = 48_000


def render_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Frames a second over `seconds` of the track (default: all of it, and the long render too)."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if seconds is None:  # first, while the process has nothing to give back
            yield _growth(folder, device)
        yield from _rate(folder, seconds, model, device)


def _rate(folder: Path, seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    track = show.demo_track()
    if track is None:
        raise ValueError("the demo track is not installed, the bench has nothing to render")
    film = folder / "demo.mp4"
    rig = show.render(
        show.Options(sound=str(track), fps=RENDER_RATE, model=model, device=device, record=film)
    )
    length = seconds or getattr(rig.sound, "duration", None) or 60.0
    began = stopwatch()
    rig.run(lambda rendering: rendering.timings.count >= length * RENDER_RATE)
    took = stopwatch() - began
    yield Figure.at_least("render_fps", rig.timings.count / took, "frames/s", 10.0)
    yield Figure("render_frames", rig.timings.count, "frames")
    for phase, total in rig.timings.phases.items():
        yield Figure(f"share_{phase}", 100 * total / took, "%")


def _growth(folder: Path, device: Device) -> Figure:
    """MiB by which the process grows between the first minute and the tenth."""
    options = show.Options(sound=str(_noise(folder / "long.wav")), size=LONG_SIZE, fps=LONG_FPS)
    film = folder / "long.mkv"
    rig = show.render(replace(options, model="untrained-small", device=device, record=film))
    sizes: list[float] = []

    def over(rendering: Rig) -> bool:
        if rendering.timings.count in (60 * LONG_FPS, LONG_SECONDS * LONG_FPS):
            sizes.append(resident())
        return rendering.timings.count >= LONG_SECONDS * LONG_FPS

    rig.run(over)
    return Figure.at_most("memory_growth_mib", sizes[1] - sizes[0], "MiB", 5.0)


def _noise(file: Path) -> Path:
    """Ten minutes of noise with a pulse of 2 Hz."""
    draw = np.random.default_rng(1)
    with wave.open(str(file), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(SAMPLE_RATE)
        fall = np.exp(-np.arange(SAMPLE_RATE // 2) / 4000)
        for _ in range(round(LONG_SECONDS * 2)):
            sound.writeframes((draw.normal(0, 5000, SAMPLE_RATE // 2) * fall).astype("<i2").tobytes())
    return file
