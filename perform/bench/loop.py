"""The whole loop: the demo set, live and headless, for each size of network.

`display_fps` is frames shown a second, `picture_fps` pictures drawn a second in the scenes that have a
generator, `picture_fps_alone` those that the network draws with nothing beside it, `frame_ms` the time from
one frame to the next, `share_*` what part of the time each stage of the loop takes. Scenes are shown at
1280x720, and drawn at the size that the governor chooses; `change*` are its decisions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from perform.bench import Figure
from perform.bench.shows import SHOW_SIZE, WARM_UP_SECONDS, Goals, alone, demo_show, play_for, played_part
from perform.networks import Device

LOOP_SECONDS = 64.0  # the demo track once
LOOP_GOALS = Goals(display=24.0, share=0.45, steadiness=2.0)


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement: a model, and how its figures are called."""

    model: str
    suffix: str


LOOP_CASES = (Case("flora", "_flora"), Case("untrained-large", ""), Case("untrained", "_full"))


def loop_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Play the demo set once per case, `seconds` each (default: the demo track once)."""
    for case in LOOP_CASES if model is None else (Case(model, ""),):
        yield from _played(case, seconds or LOOP_SECONDS, device)


def _played(case: Case, seconds: float, device: Device) -> Iterator[Figure]:
    own = alone(case.model, device)
    with closing(demo_show(size=SHOW_SIZE, model=case.model, device=device)) as rig:
        play_for(rig, WARM_UP_SECONDS)
        part = played_part(rig, seconds)
    yield from part.figures(case.suffix, own, LOOP_GOALS)
