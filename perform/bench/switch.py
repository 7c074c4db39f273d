"""Changing models on stage: a setlist of many models within a budget for two, changed ten times a minute,
with bends and a blend swept all the while; and whether memory grows over 200 openings. `late_frames` are
later than twice the median."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np

from perform import generators, show
from perform.bench import Figure, duration_figures, resident
from perform.bench.shows import SHOW_SIZE, late_frames
from perform.clock import stopwatch
from perform.generators.model import Model
from perform.library import Library
from perform.networks import Device
from perform.networks.modelfiles import write_weights
from perform.rig import Rig

CHANGE_SECONDS = 6.0  # seconds between two changes
CHANGES = 20
SWITCH_WARM_UP = 5.0  # seconds
MODELS = 5
OPENINGS = 200
SCENE = """
title = "{title}"
[generator]
model = "{model}"
truncation = "0.7 + 0.3 * lfo(4)"
[generator.blend]
model = "{other}"
from = "b32.conv0"
amount = "lfo(3)"
[[generator.bend]]
operation = "rotate"
layer = "b16.conv1"
turns = "0.1 * lfo(5)"
[[generator.bend]]
operation = "warp"
layer = "b64.conv0"
amount = "lfo(7)"
phase = "time.seconds / 4"
[transition]
beats = 2
"""


def switch_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Play for `seconds` after a warm-up (default: until all changes have been)."""
    base = model or "untrained-small"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_show(folder, base)
        memory = 2.5 * 2 * Model.read(base).memory  # a blend of two in each scene, and room for two scenes
        options = show.Options(
            "many", size=SHOW_SIZE, device=device, headless=True, osc_port=0, watch=False, memory=memory
        )
        rig = show.play(options, Library(folder, *Library().folders))
        yield from _changed(rig, seconds or CHANGE_SECONDS * CHANGES)
        if seconds is None:
            yield _reopened([str(folder / "models" / f"m{i}.safetensors") for i in range(MODELS)], device)


def _write_show(folder: Path, base: str) -> None:
    """Models that differ in one tensor, a preset for each, and the setlist."""
    weights = generators.weights_of(base)
    for name in ("models", "presets", "setlists"):
        (folder / name).mkdir()
    draw = np.random.default_rng(1)
    bias = next(name for name in weights.arrays if name.endswith("bias") and "synthesis" in name)
    cues = ""
    for i in range(MODELS):
        array = weights.arrays[bias] + draw.normal(0, 0.1, weights.arrays[bias].shape).astype(np.float32)
        file = folder / "models" / f"m{i}.safetensors"
        write_weights(file, replace(weights, arrays={**weights.arrays, bias: array}))
        (folder / "presets" / f"s{i}.toml").write_text(
            SCENE.format(title=f"Scene {i}", model=f"m{i}", other=base)
        )
        cues += f'[[cue]]\nscene = "s{i}"\nbars = {CHANGE_SECONDS / 2:g}\n'  # of 2 s at 120 bpm
    (folder / "setlists" / "many.toml").write_text(f'title = "Many"\nquantise = "off"\nloop = true\n{cues}')


def _reopened(models: list[str], device: Device) -> Figure:
    """MiB by which the process grows from the second to the last fifth of many openings, two at a time."""
    opened: list[generators.Generator] = []
    sizes = []
    for change in range(OPENINGS):
        opened.append(generators.open(models[change % len(models)], device))
        space = opened[-1].space
        opened[-1].synthesise(np.zeros((space.num_ws, space.w_dim), np.float32))
        if len(opened) > 2:
            opened.pop(0).close()
        sizes.append(resident())
    fifth = OPENINGS // 5
    grown = np.median(sizes[-fifth:]) - np.median(sizes[fifth : 2 * fifth])
    return Figure.at_most("memory_growth_reopened_mib", float(grown), "MiB", 5.0)


def _changed(rig: Rig, seconds: float) -> Iterator[Figure]:
    began, cues = stopwatch(), [0]

    def over(rig: Rig) -> bool:
        if rig.performance.position.cue != cues[-1]:
            cues.append(rig.performance.position.cue)
        passed = stopwatch() - began
        if passed < SWITCH_WARM_UP:
            rig.timings.frames.clear()
        return passed >= SWITCH_WARM_UP + seconds

    rig.run(over)
    late = late_frames(rig.timings.frames)
    yield Figure("changes", len(cues) - 1, "")
    yield from duration_figures("frame_ms", (1000 * frame for frame in rig.timings.frames))
    yield Figure.at_most("late_frames", late, "frames", 0.0)
    yield Figure("frame_ms_worst", 1000 * max(rig.timings.frames, default=0.0), "ms")
