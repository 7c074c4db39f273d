"""The ms of each stage of a frame, as the show plays it, with the governor where there is one.

Around each unit the graphics card, or the processor that draws, is waited for: otherwise its work would count
where something waits for it later. So these frames take longer than those of a show, and `work_ms` are of
frames without it. The means of all stages add up to the mean of a frame. The limiter is on, and each frame is
read back, as for a recording.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from perform.bench import Figure, duration_figures, percentiles
from perform.bench.shows import WARM_UP_SECONDS, demo_show, play_for
from perform.bench.stage.played import Governed, Hand
from perform.bench.stage.written import DECK_MODEL, DECK_SETLIST, deck, open_show, setlist, write_files
from perform.clock import stopwatch
from perform.networks import Device
from perform.outputs.memory import Memory
from perform.performance import SceneInstance
from perform.performance.scene import LatentSource
from perform.rig import Rig

STAGES = (
    "inputs",
    "controls",  # formulas, latents, the order of cues, and what is sent to lights and touchscreens
    "sources",
    "layers",
    "filters",
    "feedback",
    "transition",
    "over",  # overlays and filters over all scenes
    "limiter",
    "present",
    "outputs",
)
STAGE_SIZES = {"720p": (1280, 720), "1080p": (1920, 1080)}
CASE_SECONDS = 8.0


class StageTimes:
    """The seconds of each stage in the frames of a rig, which `play` plays. It watches the units that are
    open now."""

    def __init__(self, rig: Rig, play: Callable[[], None] | None = None) -> None:
        self.frames: dict[str, list[float]] = {stage: [] for stage in STAGES}
        self._rig, self._play, self._now = rig, play or rig.frame, defaultdict[str, float](float)
        for cue in rig.performance.cues:
            self._watch(cue.transition, "render", "transition")
            for scene in filter(None, (cue.scene, cue.twin)):
                self._watch_scene(scene)
        if law := rig.stage.law:
            self._watch(law.unit, "render", "transition")
        if over := rig.performance.over:
            self._watch_scene(over, "over")
        self._watch(rig.stage.feedback, "keep", "feedback")
        if rig.limiter:
            self._watch(rig.limiter, "limited", "limiter")

    def frame(self) -> None:
        """Play a frame."""
        phases = self._rig.timings.phases
        before = dict(phases)
        self._now.clear()
        self._play()
        now = self._now.copy()
        now["inputs"], now["outputs"] = (phases[name] - before[name] for name in ("inputs", "outputs"))
        now["present"] = phases["present"] - before["present"] - now["limiter"]
        inner = sum(self._now[stage] for stage in STAGES if stage != "limiter")
        now["controls"] = phases["performance"] - before["performance"] - inner
        for stage, seconds in self.frames.items():
            seconds.append(now[stage])

    def figures(self, suffix: str) -> Iterator[Figure]:
        """The mean, which may be of frames without this stage, and the 99th percentile of each stage."""
        for stage, seconds in self.frames.items():
            milliseconds = 1000 * np.asarray(seconds)
            yield Figure(f"{stage}_ms_mean{suffix}", float(milliseconds.mean()), "ms")
            yield Figure(f"{stage}_ms_p99{suffix}", percentiles(milliseconds).p99, "ms")

    def _watch_scene(self, scene: SceneInstance, stage: str = "") -> None:
        for layer in scene.layers:
            source = layer.source
            self._watch(
                source.generator if isinstance(source, LatentSource) else source, "render", stage or "sources"
            )
            for unit in layer.filters:
                self._watch(unit, "render", stage or "filters")
        for unit in scene.filters:
            self._watch(unit, "render", stage or "filters")
        if scene.compositor:
            self._watch(scene.compositor, "render", stage or "layers")
        if scene.feedback:
            self._watch(scene.feedback, "keep", stage or "feedback")

    def _watch(self, thing: object, verb: str, stage: str) -> None:
        """Count the time of a verb of a thing, once, for a stage; all that is drawn is finished in it."""
        if verb not in vars(thing):
            setattr(thing, verb, self._timed(getattr(thing, verb), stage))

    def _timed(self, call: Callable[..., Any], stage: str) -> Callable[..., Any]:
        finish, now = self._rig.context.finish, self._now

        def timed(*given: Any, **named: Any) -> Any:
            finish()
            began = stopwatch()
            result = call(*given, **named)
            finish()
            now[stage] += stopwatch() - began
            return result

        return timed


def stages_figures(
    seconds: float | None, model: str | None, device: Device, _changes: int
) -> Iterator[Figure]:
    """The stages of each show in each size, for `seconds` each."""
    for name, size in STAGE_SIZES.items():
        with closing(demo_show(size=size, model=model, device=device, flashes="on")) as rig:
            yield from measured(rig, f"_demo_{name}", seconds or CASE_SECONDS)
        with deck_show(size, model, device) as rig:
            yield from measured(rig, f"_decks_{name}", seconds or CASE_SECONDS)


@contextmanager
def deck_show(size: tuple[int, int], model: str | None = None, device: Device = "auto") -> Iterator[Rig]:
    """Two decks of four layers with three filters each, both half seen, under an overlay and a filter."""
    with tempfile.TemporaryDirectory() as name:
        files = {f"presets/deck{n}.toml": deck(n, model or DECK_MODEL) for n in (0, 1)}
        files["setlists/decks.toml"] = setlist("Decks", ["deck0", "deck1"], DECK_SETLIST)
        library = write_files(Path(name), files)
        with closing(open_show(library, "decks", size=size, device=device, flashes="on")) as rig:
            hand = Hand(rig)
            rig.frame()
            hand.say("/crossfader", 0.5)
            yield rig


def measured(rig: Rig, suffix: str, seconds: float) -> Iterator[Figure]:
    """The frames of a show for `seconds`, then its stages for as long."""
    recorder = Memory()
    recorder.may_lag = True
    rig.outputs.append(recorder)
    play_for(rig, WARM_UP_SECONDS)
    rig.timings.work.clear()
    governed = Governed(rig)
    play_for(rig, seconds, governed.frame)
    yield from duration_figures("work_ms", (1000 * one for one in rig.timings.work), suffix)
    times = StageTimes(rig, governed.frame)
    play_for(rig, seconds, times.frame)
    yield from times.figures(suffix)
    yield from governed.figures(suffix)
