"""Sounds whose content is known, in memory and as files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from perform.arrays import Samples


def tone(seconds: float, rate: int = 48_000, hertz: float = 1000.0) -> Samples:
    """A sine of amplitude 0.5 [n, 1]."""
    time = np.arange(round(seconds * rate)) / rate
    return (0.5 * np.sin(2 * np.pi * hertz * time)).astype(np.float32)[:, None]


def clicks(times: list[float], seconds: float, rate: int = 48_000) -> Samples:
    """Bursts of 5 ms at `times` in silence [n, 1]."""
    sound = np.zeros((round(seconds * rate), 1), np.float32)
    burst = np.random.default_rng(0).uniform(-0.8, 0.8, (rate // 200, 1))
    for time in times:
        at = round(time * rate)
        sound[at : at + len(burst)] = burst
    return sound


def write_sound(path: Path, samples: Samples, rate: int = 48_000, codec: str = "pcm_f32le") -> Path:
    """A sound file of `samples` [n, channels]; the name's ending says the container."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[1]]
    with av.open(str(path), "w") as file:
        stream = file.add_stream(codec, rate=rate, layout=layout)
        coder = stream.codec_context
        coder.open()
        fitted = av.AudioResampler(coder.format, layout, rate, frame_size=coder.frame_size or None)
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples).reshape(1, -1), "flt", layout)
        frame.sample_rate, frame.pts, frame.time_base = rate, 0, Fraction(1, rate)
        for one in (*fitted.resample(frame), *fitted.resample(None)):
            file.mux(coder.encode(one))
        file.mux(coder.encode(None))
    return path
