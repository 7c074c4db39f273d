"""How the last pass presents a picture."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

FlashMode: TypeAlias = Literal["off", "warn", "on"]  # of the flash limiter


@dataclass(frozen=True, slots=True)
class Look:
    """`master` is 0..1, `gamma` above 0 (1 changes nothing), `frame` moves the dither."""

    master: float = 1.0
    blackout: bool = False
    gamma: float = 1.0
    frame: int = 0
