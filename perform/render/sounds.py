"""Sounds as textures, the way ISF hands them to shaders: a row per channel, a column per sample."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perform.arrays import Floats

if TYPE_CHECKING:
    import moderngl

SILENT_SAMPLES = 64  # of the texture while no sound has come yet


class Sound:
    """The texture of one sound input: a waveform (`wave`, centred on 0.5) or a spectrum.

    `samples` is the number of columns that the shader asks for, None for as many as come.
    """

    def __init__(self, context: moderngl.Context, wave: bool, samples: int | None = None) -> None:
        self._context = context
        self._samples = samples
        self._silence = np.full((1, samples or SILENT_SAMPLES), 0.5 if wave else 0.0, np.float32)
        self._rest = 0.5 if wave else 0.0
        self._seen: object = None
        self._texture = self._made(self._silence.shape)
        self._texture.write(self._silence)

    def texture(self, sound: object) -> moderngl.Texture:
        """The sound [samples] or [channels, samples] as a texture of one 32-bit float (read .r; .g and
        .b are the same); silence for anything else. An array must not change after it was given: the
        same one again is not uploaded again."""
        if sound is self._seen:
            return self._texture
        self._seen = sound
        rows = self._rows(sound)
        if self._texture.size != (rows.shape[1], rows.shape[0]):
            self._texture.release()
            self._texture = self._made(rows.shape)
        self._texture.write(rows)
        return self._texture

    def release(self) -> None:
        self._texture.release()

    def _rows(self, sound: object) -> Floats:
        if not isinstance(sound, np.ndarray) or sound.size == 0 or sound.ndim not in (1, 2):
            return self._silence
        rows = np.atleast_2d(sound).astype(np.float32, copy=False)
        rows = resampled(rows, self._samples, self._rest) if self._samples else rows
        return np.ascontiguousarray(rows)

    def _made(self, shape: tuple[int, ...]) -> moderngl.Texture:
        texture = self._context.texture((shape[1], shape[0]), 1, dtype="f4")
        texture.repeat_x = texture.repeat_y = False
        texture.swizzle = "RRR1"
        return texture


def resampled(rows: Floats, samples: int, rest: float) -> Floats:
    """Rows [channels, n] with `samples` columns: each the value farthest from `rest` in its share of the
    row, so that a peak is never lost and one column gives how loud the sound is."""
    count = rows.shape[1]
    if samples >= count:
        return rows[:, np.arange(samples) * count // samples]
    edges = np.arange(samples) * count // samples
    highest = np.maximum.reduceat(rows, edges, axis=1)
    lowest = np.minimum.reduceat(rows, edges, axis=1)
    return np.where(highest - rest >= rest - lowest, highest, lowest)
