"""The whole loop: the demo set, live and headless, for each size of network and each precision.

`display_fps` is frames shown a second, `picture_fps` pictures drawn a second in the scenes that have a
generator, `frame_ms` the time from one frame to the next, `share_*` what part of the time each stage of the
loop takes. Scenes are drawn at the scale that `perform play` chooses on this machine, and shown at 1280x720.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from perform.bench import Figure, duration_figures
from perform.bench.shows import SHOW_SIZE, WARM_UP_SECONDS, demo_show, play_for
from perform.clock import stopwatch
from perform.networks import Device, Precision
from perform.rig import PHASES


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement: a model, a precision, how its figures are called, and the pictures/s aimed at."""

    model: str
    precision: Precision
    suffix: str
    goal: float | None


LOOP_CASES = (
    Case("flora", "bfloat16", "_flora", 28.0),
    Case("untrained-large", "bfloat16", "", 28.0),
    Case("untrained", "bfloat16", "_full", 20.0),
    Case("untrained-large", "float32", "_float32", None),
    Case("untrained", "float32", "_full_float32", None),
)


def loop_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Play the demo set once per case, `seconds` each (default: the demo track once)."""
    cases = LOOP_CASES if model is None else (Case(model, "auto", "", 28.0),)
    for case in cases:
        yield from _played(case, seconds or 64.0, device)


def _played(case: Case, seconds: float, device: Device) -> Iterator[Figure]:
    rig = demo_show(size=SHOW_SIZE, model=case.model, precision=case.precision, device=device)
    play_for(rig, WARM_UP_SECONDS)
    timings, name = rig.timings, case.suffix
    timings.frames.clear()
    timings.phases.update(dict.fromkeys(PHASES, 0.0))
    frames, pictures, drawing, began = timings.count, 0, 0.0, stopwatch()
    while (passed := stopwatch() - began) < seconds:
        made = rig.stage.pictures_made()
        rig.frame()
        if rig.performance.cues[rig.performance.position.cue].cue.scene.model:
            drawing += stopwatch() - began - passed
            pictures += rig.stage.pictures_made() - made
    rig.close()
    yield Figure.at_least(f"display_fps{name}", (timings.count - frames) / passed, "frames/s", 30.0)
    rate = pictures / drawing if drawing else 0.0
    yield Figure.at_least(f"picture_fps{name}", rate, "pictures/s", case.goal)
    yield from duration_figures("frame_ms", (1000 * frame for frame in timings.frames), name, 50.0)
    for phase in PHASES:
        yield Figure(f"share_{phase}{name}", 100 * timings.phases[phase] / passed, "%")
