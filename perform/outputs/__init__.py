"""Outputs: where frames go. One kind of screen, file or stream per file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Samples
from perform.clock import Moment


@dataclass(frozen=True, slots=True)
class Frame:
    """What the outputs get, once per Moment: `pixels` [height, width, 3] uint8, sRGB, top row first;
    `sound` [n, 2], what passed since the frame before, None where there is none."""

    moment: Moment
    pixels: NDArray[np.uint8]
    sound: Samples | None = None


class Output(Protocol):
    """An opened output of pixels (the window draws the texture itself and is not one of these)."""

    def write(self, frame: Frame) -> None:
        """Take one frame. Raises OSError when it cannot be kept; what was written stays."""
        ...

    def close(self) -> None:
        """Finish and keep what was written; safe to call twice."""
        ...
