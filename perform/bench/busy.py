"""The loop beside another program: the demo set alone, then beside a program that keeps one core busy, then
alone again. The figures are those of `loop`; `change*` are the governor's decisions, in seconds from the
beginning of each part."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing, nullcontext

from perform import children
from perform.bench import Figure, running
from perform.bench.loop import LOOP_GOALS
from perform.bench.shows import SHOW_SIZE, WARM_UP_SECONDS, Goals, alone, demo_show, play_for, played_part
from perform.networks import Device

BUSY_SECONDS = 20.0  # of each part
BUSY_MODEL = "flora"
BUSY_GOALS = Goals(display=20.0, share=0.25)
BUSY_LOOP = "while True: pass"


def busy_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Play each part for `seconds`."""
    model = model or BUSY_MODEL
    own = alone(model, device)
    with closing(demo_show(size=SHOW_SIZE, model=model, device=device)) as rig:
        play_for(rig, WARM_UP_SECONDS)
        for suffix, goals in (("_before", LOOP_GOALS), ("_busy", BUSY_GOALS), ("_after", LOOP_GOALS)):
            program = children.command(BUSY_LOOP)
            busy = running(program, stdin=subprocess.DEVNULL) if suffix == "_busy" else nullcontext()
            with busy:
                part = played_part(rig, seconds or BUSY_SECONDS)
            yield from part.figures(suffix, own, goals)
