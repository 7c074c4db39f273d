"""From a click in the sound to the first frame that shows it, over a virtual sound device.

Clicks at uneven intervals (see `heard`); a show of one shader without filters hears them at 60 frames/s, and
every frame is read back. `heard_ms` is the part until the frame that knows of a click begins: the device, a
hop of the features and the wait for the frame; `drawn_ms` the part until its pixels are read back.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

from perform.bench import Figure, percentiles
from perform.bench.heard import DEVICE, clicks, light_show
from perform.bench.shows import LIVE_RATE
from perform.clock import stopwatch
from perform.networks import Device
from perform.outputs.memory import Memory
from perform.rig import Rig

CLICKS = 100
CLICK_SECONDS = 0.45  # seconds that a click takes on average
CLICK_SPREAD = 0.2


def latency_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Latency over 100 clicks, or as many as `seconds` allow; the model plays no part."""
    count = CLICKS if seconds is None else max(int(seconds / CLICK_SECONDS), 5)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        player = stack.enter_context(clicks(count, CLICK_SECONDS, CLICK_SPREAD))
        rig = light_show(folder, "audio.level * 4", DEVICE, LIVE_RATE)
        rig.outputs.append(Memory())
        frames = _watched(rig, lambda: player.over)
    found = [each for each in (_answer(frames, click) for click in player.played) if each]
    total = percentiles(1000 * (heard + drawn) for heard, drawn in found)
    yield Figure("latency_ms_p50", total.p50, "ms")
    yield Figure.at_most("latency_ms_p95", total.p95, "ms", 45.0)
    yield Figure("latency_ms_p99", total.p99, "ms")
    yield Figure("heard_ms_p50", percentiles(1000 * heard for heard, _ in found).p50, "ms")
    yield Figure("drawn_ms_p50", percentiles(1000 * drawn for _, drawn in found).p50, "ms")
    yield Figure.at_least("clicks_seen", len(found), "clicks", count)
    yield Figure("clicks_played", len(player.played), "clicks")


def _watched(rig: Rig, over: Callable[[], bool]) -> list[tuple[float, float, int]]:
    """Every frame until the player is done: when it began, when it was read back, and its light."""
    memory = rig.outputs[0]
    assert isinstance(memory, Memory)
    frames = []

    def seen(_: Rig) -> bool:
        if memory.last is not None:
            done = stopwatch()
            frames.append((done - rig.timings.work[-1], done, int(memory.last.pixels[0, 0, 0])))
        return over()

    rig.run(seen)
    return frames


def _answer(frames: list[tuple[float, float, int]], click: float) -> tuple[float, float] | None:
    """Seconds until the first frame that is brighter than the one before the click began, in parts."""
    before = [light for _, done, light in frames if done <= click]
    if not before:
        return None
    for began, done, light in frames:
        if done > click and light > before[-1] + 8:
            return (began - click, done - began) if done - click < CLICK_SECONDS / 2 else None
    return None
