"""A beat, as a tracker reports it."""

from __future__ import annotations

from dataclasses import dataclass

CONFIDENT = 0.5  # a beat of less confidence is not followed


@dataclass(frozen=True, slots=True)
class Beat:
    """A beat at `time` (seconds of the stream), reported in the hop in which it falls. `confidence` is
    0..1, and worth following from CONFIDENT on; `downbeat` begins a bar."""

    time: float
    bpm: float
    confidence: float
    downbeat: bool
