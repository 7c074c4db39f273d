"""Frames as a recorder gets them."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from perform.clock import Moment
from perform.outputs import Frame

RATE = 48_000
SIZE = (96, 64)


def frame(number: int, fps: Fraction | float, colour: object = 0, sound: object = None) -> Frame:
    pixels = np.empty((SIZE[1], SIZE[0], 3), np.uint8)
    pixels[:] = np.asarray(colour)
    seconds = float(number / fps)
    return Frame(Moment(seconds, number, float(1 / fps), 0, 0, 120), pixels, sound)  # type: ignore[arg-type]
