"""Pictures that are drawn from a number, for datasets."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from perform.arrays import Pixels
from perform.training.dataset.sources import RenderedPictures


def drawing(number: int, width: int = 64, height: int = 64) -> Image.Image:
    """A picture unlike those of other numbers."""
    coarse = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def render(z: NDArray[np.float32], size: int) -> Pixels:
    """A stand-in for a renderer: a picture that is a function of z."""
    return np.asarray(drawing(int(abs(z[0]) * 1e6), size, size))


def latents(count: int, dimensions: int = 3) -> NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal((count, dimensions), np.float32)


def drawn(count: int, dimensions: int = 3) -> RenderedPictures:
    return RenderedPictures("stand-in", latents(count, dimensions), render, 0)


SIZE = (96, 64)


def written(
    path: Path, frames: Iterable[Pixels], times: Iterable[int] | None = None, gop: int = 8, **stream: Any
) -> Path:
    """A film of 25 frames a second, or of frames at `times` in hundredths of seconds."""
    with av.open(str(path), "w") as file:
        video: Any = file.add_stream(
            "libx264", rate=25 if times is None else 100, options={"crf": "4", "g": str(gop)}
        )
        video.pix_fmt = "yuv444p"
        at = iter(times or ())
        video.width, video.height = SIZE
        video.codec_context.time_base = Fraction(1, 25 if times is None else 100)
        for name, value in stream.items():
            setattr(video.codec_context, name, value)
        for number, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts = number if times is None else next(at)
            file.mux(video.encode(frame))
        file.mux(video.encode(None))
    return path


def still(number: int) -> Pixels:
    return np.asarray(drawing(number, *SIZE))
