"""Sounds whose content is known, in memory and as files."""

from __future__ import annotations

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from perform.arrays import Doubles, Samples


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


class Recording:
    """A microphone that records `sound` [n, 1] at 48 kHz in blocks of 10 ms, in place of `Microphone`: each
    comes up to 6 ms late, most of them less than 1. `now` is the show's time, and that of the sound."""

    open, note, dropped, rate, block = True, "", 0, 48_000, 480

    def __init__(self, sound: Samples) -> None:
        self._sound, self._fetched, self.now = sound, 0, 0.0
        dice, count = np.random.default_rng(1), len(sound) // self.block
        late = dice.exponential(0.0004, count) + (dice.random(count) < 0.02) * dice.uniform(0, 0.005, count)
        self._comes = (np.arange(count) + 1) * self.block / self.rate + np.minimum(late, 0.006)

    @property
    def _blocks(self) -> int:
        return int(np.searchsorted(self._comes, self.now, "right"))

    @property
    def recorded_until(self) -> float:
        """When the last block came."""
        return float(self._comes[self._blocks - 1])

    def samples(self) -> Samples:
        """The samples since the last call [n, 2]."""
        start, self._fetched = self._fetched, self._blocks * self.block
        return np.repeat(self._sound[start : self._fetched], 2, axis=1)

    def close(self) -> None:
        """Nothing is open."""


def onsets(sound: Samples, least: float = 0.2) -> list[float]:
    """When a sound at 48 kHz [n, channels] becomes loud after a tenth of a second of less, in seconds."""
    loud = np.nonzero(np.abs(sound).max(axis=1) > least)[0]
    return [float(at) / 48_000 for n, at in enumerate(loud) if n == 0 or at - loud[n - 1] > 4800]


def write_sound(
    path: Path, samples: Samples, rate: int = 48_000, codec: str = "pcm_f32le", bare: bool = False
) -> Path:
    """A sound file of `samples` [n, channels]; the name's ending says the container. `bare`: an MP3 without
    any head."""
    layout = {1: "mono", 2: "stereo", 6: "5.1"}[samples.shape[1]]
    options = {"write_xing": "0", "id3v2_version": "0"} if bare and path.suffix == ".mp3" else {}
    with av.open(str(path), "w", options=options) as file:
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


def write_wave(path: Path, sound: Doubles, kind: str = "<f4", scale: float = 1, rate: int = 48_000) -> Path:
    """A WAV file of samples [n, channels] of a kind of number, whose channels have no names."""
    raw = np.clip(np.round(sound * scale) if scale > 1 else sound, -scale, max(scale - 1, 1)).astype(float)
    data = (raw + 128 if kind == "u1" else raw).astype(kind).tobytes()
    bits, channels = 8 * np.dtype(kind).itemsize, sound.shape[1]
    block = channels * bits // 8
    form = struct.pack("<HHIIHH", 3 if "f" in kind else 1, channels, rate, rate * block, block, bits)
    body = b"WAVEfmt " + struct.pack("<I", 16) + form + b"data" + struct.pack("<I", len(data)) + data
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    return path


def late_film(
    path: Path,
    sound_from: float = 0.0,
    pictures_from: float = 0.0,
    click: float = 2.0,
    hole: tuple[float, float] = (9.0, 9.0),
    pictures_until: float = 4.0,
) -> Path:
    """A film of 4 s at 20 pictures a second, with a white picture and a click at second `click` of its own
    time. Its sound begins at `sound_from` and has a hole; its pictures are from `pictures_from` until
    `pictures_until`."""
    sound = np.zeros((2, 4 * 48_000), np.float32)
    at = round(click * 48_000)
    sound[:, at : at + 2000] = 0.8 * np.sin(np.arange(2000) / 8)
    packets = []
    with av.open(str(path), "w") as file:
        options = {"crf": "0", "preset": "veryfast", "bf": "0"}
        pictures = file.add_stream("libx264", rate=20, options=options)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, "yuv420p"
        heard = file.add_stream("flac" if path.suffix == ".mkv" else "aac", rate=48_000, layout="stereo")
        heard.codec_context.open()
        for number in range(round(pictures_from * 20), round(pictures_until * 20)):
            white = 255 * (number == round(click * 20))
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), white, np.uint8), format="rgb24")
            frame.pts = number
            packets += pictures.encode(frame)
        packets += pictures.encode(None)
        fitted = av.AudioResampler(heard.codec_context.format, "stereo", 48_000)
        for start in range(round(sound_from * 48_000), sound.shape[1] - 1023, 1024):
            if not hole[0] <= start / 48_000 < hole[1]:
                part = np.ascontiguousarray(sound[:, start : start + 1024])
                block = av.AudioFrame.from_ndarray(part, format="fltp", layout="stereo")
                block.sample_rate, block.pts, block.time_base = 48_000, start, Fraction(1, 48_000)
                for one in fitted.resample(block):
                    packets += heard.encode(one)
        packets += heard.encode(None)
        for packet in sorted(packets, key=lambda one: float((one.dts or 0) * one.time_base)):
            file.mux(packet)
    return path
