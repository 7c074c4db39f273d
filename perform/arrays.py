"""The arrays that pass between rooms, one name for each type of number."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]
Pixels: TypeAlias = NDArray[np.uint8]  # [height, width, channels], sRGB, top row first
Samples: TypeAlias = NDArray[np.float32]  # sound [n, channels], -1..1
AnyArray: TypeAlias = NDArray[Any]  # of any type of number, as files hold them


def finite(samples: Samples) -> Samples:
    """The samples, with silence for those that are no numbers (NaN, infinity); the same array if all are."""
    heard = np.isfinite(samples)
    return samples if heard.all() else np.where(heard, samples, np.float32(0))
