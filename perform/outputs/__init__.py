"""Outputs: where frames go. One kind of screen, file or stream per file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from perform.clock import Moment
from perform.signals import Event


@dataclass(frozen=True, slots=True)
class Frame:
    """What the outputs get, once per Moment: `pixels` [height, width, 3] uint8, sRGB, top row first."""

    moment: Moment
    pixels: NDArray[np.uint8]


class Output(Protocol):
    """An opened output of pixels (the window draws the texture itself and is not one of these)."""

    def write(self, frame: Frame) -> None:
        """Take one frame. Raises OSError when it cannot be kept; what was written stays."""
        ...

    def close(self) -> None:
        """Finish and keep what was written; safe to call twice."""
        ...


Events = list[Event]
