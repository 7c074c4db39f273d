"""The stage: what each part of a frame costs, and whether a show stays even and small for hours.

Its parts, of which `--part` chooses some: `stages`, the ms of each stage of a frame, for the demo set and
for two decks of four layers with three filters each, at 720p and 1080p; `soak`, the times of the frames of a
long show, and what grows in it; `objects`, what OpenGL and the system hold after many scene changes;
`changes`, how late a frame is when something changes while the show plays.

Without options it takes about two minutes. `--part soak --seconds 600` and `--part objects --changes 1000`
measure whole shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module

from perform.bench import Figure
from perform.networks import Device
from perform.parameters import choice

PARTS = ("stages", "soak", "objects", "changes")
CHANGES = 512  # of scenes, in `objects`


def stage_figures(
    seconds: float | None,
    model: str | None,
    device: Device,
    parts: Sequence[str] = PARTS,
    changes: int = CHANGES,
) -> Iterator[Figure]:
    """The figures of some PARTS: each case and each kind of change for `seconds`, and `changes` of scenes.
    ValueError for another part."""
    for name in [choice("part", part, PARTS) for part in parts]:
        part = import_module(f"{__name__}.{name}")
        yield from getattr(part, f"{name}_figures")(seconds, model, device, changes)
