"""Banks of filters: what share of each bin of a spectrum belongs to a mel band or to a pitch class.

Both are librosa's, to the last bit; librosa itself takes more than a second to load.
"""

from __future__ import annotations

import numpy as np

from perform.arrays import Doubles, Floats

LINEAR_UP_TO = 1000.0  # Hz: the mel scale is linear below, logarithmic above
HERTZ_PER_MEL = 200 / 3  # below
OCTAVES_PER_MEL = np.log(6.4) / 27  # above, as a natural logarithm
LOWEST_A = 440 / 16  # Hz
SEMITONES = 12
FROM_A_TO_C = 3  # semitones
MIDDLE_OCTAVE, OCTAVE_WIDTH = 5.0, 2.0  # above the lowest A: where the chroma hears best, and how far around


def mel_centres(bands: int, low: float, high: float) -> Doubles:
    """The edge below, the centres [bands] and the edge above of mel bands from `low` to `high` Hz, evenly
    spaced on Slaney's scale (Auditory Toolbox, 1998)."""
    lowest, highest = _mels(np.array([low, high]))
    return _hertz(np.linspace(lowest, highest, bands + 2))


def mel_bank(rate: float, window: int, centres: Doubles) -> Floats:
    """Triangles [bands, window / 2 + 1] of height 1, each from the centre before to the centre after."""
    hertz = np.fft.rfftfreq(window, 1 / rate)
    steps = np.diff(centres)[:, None]
    rising = (hertz - centres[:-2, None]) / steps[:-1]
    falling = (centres[2:, None] - hertz) / steps[1:]
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)


def chroma_bank(rate: int, window: int) -> Floats:
    """Pitch classes [12, window / 2 + 1] from C: a bell around each semitone, as wide as a bin where bins are
    wider, whose squares sum to 1 in a bin; octaves weigh less the further they are from 880 Hz
    (Ellis, "Chroma feature analysis and synthesis", 2007)."""
    hertz = np.arange(1, window // 2 + 2) * (rate / window)
    semitones = SEMITONES * np.log2(hertz / LOWEST_A)
    semitones = np.append(semitones[0] - 1.5 * SEMITONES, semitones)  # the bin of 0 Hz lies far below
    widths, semitones = np.maximum(np.diff(semitones), 1), semitones[:-1]
    half = SEMITONES / 2
    away = (semitones - np.arange(SEMITONES)[:, None] + half) % SEMITONES - half
    bells = np.exp(-0.5 * (2 * away / widths) ** 2)
    bells /= np.sqrt((bells**2).sum(axis=0))
    bells *= np.exp(-0.5 * ((semitones / SEMITONES - MIDDLE_OCTAVE) / OCTAVE_WIDTH) ** 2)
    return np.roll(bells, -FROM_A_TO_C, axis=0).astype(np.float32)


def _mels(hertz: Doubles) -> Doubles:
    above = np.log(np.maximum(hertz, LINEAR_UP_TO) / LINEAR_UP_TO) / OCTAVES_PER_MEL
    return np.asarray(np.minimum(hertz, LINEAR_UP_TO) / HERTZ_PER_MEL + above)


def _hertz(mels: Doubles) -> Doubles:
    edge = LINEAR_UP_TO / HERTZ_PER_MEL
    above = LINEAR_UP_TO * np.exp(OCTAVES_PER_MEL * (np.maximum(mels, edge) - edge))
    return np.where(mels < edge, HERTZ_PER_MEL * mels, above)
