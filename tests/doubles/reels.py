"""Films that tests make: each frame has its number as a bar code, so that seams and times are exact."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from perform.arrays import Pixels

BITS, SIZE = 8, (64, 48)


def barred(number: int, size: tuple[int, int] = SIZE) -> Pixels:
    """A picture of eight bars, white for the bits of a number that are set, the lowest on the left."""
    bits = (number >> np.arange(BITS)) & 1
    row = np.repeat(bits * np.uint8(255), size[0] // BITS)
    return np.broadcast_to(row[None, :, None], (size[1], size[0], 3)).astype(np.uint8)


def number(pixels: Pixels) -> int:
    """The number in a picture of any size."""
    row = pixels[pixels.shape[0] // 2, :, 1]
    middles = ((np.arange(BITS) + 0.5) * len(row) / BITS).astype(int)
    return int(((row[middles] > 127) << np.arange(BITS)).sum())


def write_film(
    path: Path,
    frames: int = 50,
    rate: int | Fraction = 25,
    codec: str = "libx264",
    form: str = "yuv420p",
    gop: int = 12,
    pictures: Iterable[Pixels] | None = None,
    times: Sequence[int] | None = None,
    rotation: int = 0,
) -> Path:
    """A film of numbered frames, or of `pictures`; `times` are theirs in hundredths of a second."""
    pictures = pictures or (barred(at) for at in range(frames))
    with av.open(str(path), "w") as file:
        stream = None
        for at, picture in enumerate(pictures):
            if stream is None:
                stream = file.add_stream(codec, rate=100 if times else rate)
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = form
                stream.codec_context.gop_size = gop
                stream.options = {"crf": "18", "preset": "veryfast"} if codec == "libx264" else {}
                if rotation:
                    stream.set_display_rotation(rotation)
            frame = av.VideoFrame.from_ndarray(picture, "rgba" if picture.shape[2] == 4 else "rgb24")
            frame.pts = times[at] if times else at
            file.mux(stream.encode(frame))
        assert stream is not None
        file.mux(stream.encode(None))
    return path
