"""Shows of the benches: the demo set without a window, and what is measured of its frames."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from perform import generators, show
from perform.bench import Figure, percentiles, running
from perform.clock import stopwatch
from perform.library import Library
from perform.networks import Device
from perform.render.context import headless
from perform.rig import PHASES, Rig, freeze_gc
from perform.sampling.speed import pictures_per_second

SHOW_SIZE = (1280, 720)
LIVE_RATE = 60.0  # frames/s of the latency benches
WARM_UP_SECONDS = 3.0
ALONE_SECONDS = 4.0
LATE_FACTOR = 2.0  # a frame is late from so many times the median on


def demo_show(**options: Any) -> Rig:
    """The demo set to its track, opened without a window and without OSC; `options` are those of a show."""
    track = show.demo_track()
    sound = str(track) if track else None
    rig = show.play(show.Options(sound=sound, headless=True, osc_port=0, watch=False, **options))
    freeze_gc()
    return rig


def play_for(rig: Rig, seconds: float, frame: Callable[[], None] | None = None) -> None:
    """Play frames for some seconds; `frame` plays one, if it is not the rig's own."""
    ends, play = stopwatch() + seconds, frame or rig.frame
    while stopwatch() < ends:
        play()


def late_frames(frames: Sequence[float]) -> int:
    """How many frames take longer than twice the median."""
    median = percentiles(frames).p50
    return sum(frame > LATE_FACTOR * median for frame in frames)


@dataclass(frozen=True, slots=True)
class Goals:
    """What a part of a show is to reach: frames a second, pictures a second as a share of what the network
    draws alone (or of the frames, if that is less), and p99 of the frames' times in medians of them."""

    display: float
    share: float
    steadiness: float | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a show: rates a second, the times of its frames in seconds, the share of each phase in %, and
    the governor's decisions with the seconds at which they came."""

    display: float
    pictures: float
    frames: Sequence[float]
    phases: Mapping[str, float]
    changes: Sequence[tuple[float, str]]

    def figures(self, suffix: str, alone: float, goals: Goals) -> Iterator[Figure]:
        """Its figures beside the goals; `alone` is how many pictures a second the network draws alone."""
        yield Figure.at_least(f"display_fps{suffix}", self.display, "frames/s", goals.display)
        least = goals.share * min(alone, self.display)
        yield Figure.at_least(f"picture_fps{suffix}", self.pictures, "pictures/s", least)
        yield Figure(f"picture_fps_alone{suffix}", alone, "pictures/s")
        p50, p95, p99 = percentiles(1000 * frame for frame in self.frames)
        yield Figure(f"frame_ms_p50{suffix}", p50, "ms")
        yield Figure(f"frame_ms_p95{suffix}", p95, "ms")
        most = goals.steadiness and goals.steadiness * p50
        yield Figure.at_most(f"frame_ms_p99{suffix}", p99, "ms", most)
        for phase, share in self.phases.items():
            yield Figure(f"share_{phase}{suffix}", share, "%")
        for number, (seconds, text) in enumerate(self.changes, 1):
            yield Figure(f"change{number}{suffix}", seconds, "s", note=text)


def alone(model: str, device: Device) -> float:
    """How many pictures a second a network draws with nothing beside it."""
    with closing(generators.open(Library().model(model), device)) as unit:
        return pictures_per_second(unit, ALONE_SECONDS)


def played_part(rig: Rig, seconds: float) -> Part:
    """Play a part of a show; pictures are counted in the scenes that have a generator."""
    timings = rig.timings
    timings.frames.clear()
    timings.phases.update(dict.fromkeys(PHASES, 0.0))
    count, pictures, drawing, began = timings.count, 0, 0.0, stopwatch()
    decided, changes = decisions(rig), []
    while (passed := stopwatch() - began) < seconds:
        made = rig.stage.pictures_made()
        rig.frame()
        if rig.performance.cues[rig.performance.position.cue].cue.scene.models:
            drawing += stopwatch() - began - passed
            pictures += rig.stage.pictures_made() - made
        if rig.balance and (now := decisions(rig)) > decided:
            decided = now
            changes.append((passed, rig.balance.text))
    return Part(
        display=(timings.count - count) / passed,
        pictures=pictures / drawing if drawing else 0.0,
        frames=list(timings.frames),
        phases={phase: 100 * timings.phases[phase] / passed for phase in PHASES},
        changes=changes,
    )


def decisions(rig: Rig) -> int:
    """How often the governor has changed the level within a scene."""
    return rig.balance.decisions if rig.balance else 0


def _leave_context() -> None:
    """Make no OpenGL context current: one without a window that was released is still current on its thread,
    where no window can have its own then."""
    context = headless()
    with context:
        pass
    context.release()


@contextmanager
def display(width: int, height: int) -> Iterator[bool]:
    """A display for windows: this desktop's, or one of this size that nobody sees. Says whether there is
    one. Shows without a window that are closed are in the way of no window any more."""
    _leave_context()
    if os.environ.get("DISPLAY") or not shutil.which("Xvfb"):
        yield bool(os.environ.get("DISPLAY"))
        return
    read, write = os.pipe()
    screen = f"{width}x{height}x24"
    command = ("Xvfb", "-displayfd", str(write), "-screen", "0", screen, "-nolisten", "tcp")
    with running(command, pass_fds=[write], stderr=subprocess.DEVNULL):
        os.close(write)
        with os.fdopen(read) as answer:
            os.environ["DISPLAY"] = f":{answer.readline().strip()}"
        try:
            yield True
        finally:
            del os.environ["DISPLAY"]
