"""The arrays that pass between rooms, one name for each type of number."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]
Pixels: TypeAlias = NDArray[np.uint8]  # [height, width, channels], sRGB, top row first
Samples: TypeAlias = NDArray[np.float32]  # sound [n, channels], -1..1
AnyArray: TypeAlias = NDArray[Any]  # of any type of number, as files hold them


class DevicePixels(Protocol):
    """A picture in the memory of a graphics card: RGBA, sRGB, top row first. It is complete, and nothing
    writes over it."""

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels (4)."""
        ...

    @property
    def pointer(self) -> int:
        """The address of its first byte on the card."""
        ...

    @property
    def tensor(self) -> Any:
        """The tensor of torch that has it."""
        ...

    def copy(self) -> DevicePixels:
        """One that stays as it is."""
        ...

    def pixels(self) -> Pixels:
        """A copy in the machine's memory."""
        ...


AnyPixels: TypeAlias = "Pixels | DevicePixels"


def finite(samples: Samples) -> Samples:
    """The samples, with silence for those that are no numbers (NaN, infinity); the same array if all are."""
    heard = np.isfinite(samples)
    return samples if heard.all() else np.where(heard, samples, np.float32(0))
