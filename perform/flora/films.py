"""A film of flowers that bloom and become one another, without a seam."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from perform.flora import render_flower
from perform.flora.dimensions import DIMENSION_NUMBERS, DIMENSIONS

Watch = Callable[[Iterable[NDArray[np.float32]]], Iterable[NDArray[np.float32]]]

SLOW = 10.0  # seconds of the fastest wave that a latent moves in
SLOWER = (
    "near", "scale", "place_x", "place_y", "eye", "turn", "lean", "light_side", "light_height", "ground",
)  # fmt: skip


def walk(seconds: float, fps: float, seed: int) -> NDArray[np.float32]:
    """Latents [frames, DIMENSIONS] of one turn of a closed way; the frame after the last is the first.

    A sum of sines with normally distributed weights: at any moment every number is normally distributed.
    What camera and light do is slower than what the flower does.
    """
    allowed = 0 < seconds <= 3600 and 1 <= fps <= 240
    frames = round(seconds * fps) if allowed else 0
    if frames < 1:
        raise ValueError(f"{seconds:g} s at {fps:g} frames/s, must be up to 3600 s and 1..240 frames/s")
    if seed < 0:
        raise ValueError(f"seed {seed}, must be 0 or more")
    waves = max(1, round(seconds / SLOW))
    # Up to 360 waves; how many there are does not change the first ones' weights.
    weights = np.random.default_rng(seed).standard_normal((waves, 2, DIMENSIONS))
    heard = np.ones((waves, DIMENSIONS))
    heard[(waves + 1) // 2 :, [DIMENSION_NUMBERS[name] for name in SLOWER]] = 0
    turns = 2 * np.pi * np.arange(frames)[:, None] / frames * np.arange(1, waves + 1)
    scaled = weights * (heard / np.sqrt(heard.sum(0)))[:, None]
    return np.asarray(np.cos(turns) @ scaled[:, 0] + np.sin(turns) @ scaled[:, 1], np.float32)


def write_film(
    path: Path | str,
    seconds: float = 30.0,
    size: int = 256,
    fps: float = 30.0,
    seed: int = 0,
    watched: Watch = iter,
    codec: str = "h264",
    quality: str | None = None,
) -> int:
    """Writes the film to path (.mp4, .mov or .mkv) and returns how many frames it has; `codec` and `quality`
    as in `perform.outputs.codecs`.

    `watched` may look on: it gets the latents and gives them on, one per frame. Raises ValueError for wrong
    numbers or names, OSError when the file cannot be written.
    """
    from perform.clock import Moment
    from perform.outputs import Frame
    from perform.outputs.recorder import Recorder

    way = walk(seconds, fps, seed)
    recorder = Recorder(path, (size, size), fps, codec=codec, quality=quality)
    try:
        for number, z in enumerate(watched(way)):
            moment = Moment(number / fps, number, 1 / fps, 0.0, 0.0, 120.0)
            recorder.write(Frame(moment, render_flower(z, size)))
    finally:
        recorder.close()
    return len(way)
