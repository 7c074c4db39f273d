"""A groove: what a band or machines play, as patterns of one bar.

A pattern has one character per step: `x` a stroke, `o` a softer one (in a bass: an octave higher), `-` a
ghost note, `.` a rest. A groove gives several patterns per drum or part, from which a piece chooses one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

MELODIC = ("bass", "chords", "pad", "figure", "melody")
STRENGTH: Mapping[str, float] = MappingProxyType({"x": 1.0, "o": 0.6, "-": 0.3})
HATS = (
    "x.x.x.x.x.x.x.x.",
    "x...x...x...x...",
    "xoxoxoxoxoxoxoxo",
    "..x...x...x...x.",
    "o.x.o.x.o.x.o.x.",
    "xxx.xxx.xxx.xxx.",
    "x.xxx.xxx.xxx.xx",
    "................",
)

Patterns = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Groove:
    """A way to play: `tempi` (beats per minute) and how often (`share`) it comes, patterns by drum, `parts`
    (patterns of melodic voices that are typical of it), `beats` in a bar, `swing` (how late, 0..1 of a third
    of a step, its off-beat steps may be), whether machines (`electronic`, 0..1) play it rather than a band,
    and whether its drums play `alone`."""

    name: str
    share: float
    tempi: tuple[float, float]
    drums: Patterns = field(default_factory=lambda: MappingProxyType({}))
    parts: Patterns = field(default_factory=lambda: MappingProxyType({}))
    beats: int = 4
    swing: float = 0.15
    electronic: float = 0.5
    alone: bool = False


def groove(
    name: str,
    share: float,
    tempi: tuple[float, float],
    *,
    beats: int = 4,
    swing: float = 0.15,
    electronic: float = 0.5,
    alone: bool = False,
    **patterns: Sequence[str],
) -> Groove:
    """A groove with its `patterns` by drum and by melodic voice."""
    drums = MappingProxyType({name: one for name, one in patterns.items() if name not in MELODIC})
    parts = MappingProxyType({name: one for name, one in patterns.items() if name in MELODIC})
    return Groove(name, share, tempi, drums, parts, beats, swing, electronic, alone)
