"""From a click in the sound to the first frame that shows it, over a virtual sound device.

A process of its own plays clicks into a JACK server with the dummy driver, at 48 kHz and 128 samples
a period; a show of one shader without filters hears them at 60 frames/s, and every frame is read
back. A click counts from when its player hands it to the device (`perf_counter`, which processes of
one Linux machine share). `heard_ms` is the part until the frame that knows of it begins: the device, a
hop of the features and the wait for the frame; `drawn_ms` the part until its pixels are read back.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from perform import children, paths, show
from perform.bench import Figure, percentiles, running
from perform.bench.shows import LIVE_RATE
from perform.clock import stopwatch
from perform.library import Library
from perform.networks import Device
from perform.outputs.memory import Memory
from perform.rig import Rig
from perform.threads import Background

CLICKS_CODE = "import sys; from perform.bench.clicks import main; main(*sys.argv[1:])"
CLICKS = 100
CLICK_SECONDS = 0.45  # seconds that a click takes on average
DEVICE_PERIOD = 128  # samples a period of the virtual device
SERVER = "perform-bench"
SHADER = """/*{"ISFVSN": "2", "INPUTS": [
    {"NAME": "light", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1}]}*/
void main() { gl_FragColor = vec4(vec3(light), 1.0); }
"""
PRESET = 'title = "Click"\n[generator]\nshader = "click"\nlight = "audio.level * 4"\n'


def latency_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Latency over 100 clicks, or as many as `seconds` allow; the model plays no part."""
    clicks = CLICKS if seconds is None else max(int(seconds / CLICK_SECONDS), 5)
    with ExitStack() as stack:
        stack.enter_context(_sound_server())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        command = children.command(CLICKS_CODE, str(clicks), str(CLICK_SECONDS))
        player = stack.enter_context(running(command, stdout=subprocess.PIPE))
        played: list[float] = []
        Background(lambda _closing: played.extend(float(line) for line in player.stdout or ()), "clicks")
        rig = _rig(folder)
        frames = _watched(rig, lambda: player.poll() is not None)
    found = [each for each in (_answer(frames, click) for click in played) if each]
    total = percentiles(1000 * (heard + drawn) for heard, drawn in found)
    yield Figure("latency_ms_p50", total.p50, "ms")
    yield Figure.at_most("latency_ms_p95", total.p95, "ms", 45.0)
    yield Figure("latency_ms_p99", total.p99, "ms")
    yield Figure("heard_ms_p50", percentiles(1000 * heard for heard, _ in found).p50, "ms")
    yield Figure("drawn_ms_p50", percentiles(1000 * drawn for _, drawn in found).p50, "ms")
    yield Figure.at_least("clicks_seen", len(found), "clicks", clicks)
    yield Figure("clicks_played", len(played), "clicks")


def _rig(folder: Path) -> Rig:
    shader = folder / "shaders" / "generators" / "click.fs"
    shader.parent.mkdir(parents=True)
    shader.write_text(SHADER, encoding="utf-8")
    preset = folder / "click.toml"
    preset.write_text(PRESET, encoding="utf-8")
    options = show.Options(str(preset), "PortAudio", fps=LIVE_RATE, headless=True, osc_port=0, watch=False)
    rig = show.play(options, Library(folder, paths.shipped()))
    rig.outputs.append(Memory())
    return rig


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


@contextmanager
def _sound_server() -> Iterator[None]:
    """A JACK server of our own with the dummy driver."""
    if not shutil.which("jackd"):
        raise RuntimeError("the bench needs JACK's virtual device: on Debian install jackd2")
    os.environ["JACK_DEFAULT_SERVER"] = SERVER
    command = ["jackd", "-n", SERVER, "-r", "-d", "dummy", "-r", "48000", "-p", str(DEVICE_PERIOD)]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as server:
        assert server.stdout is not None
        for line in server.stdout:
            if "ready" in line.lower() or "driver" in line.lower():
                break
        unread: list[str] = []  # the server waits if nobody reads its output
        output = server.stdout
        Background(lambda _closing: unread.extend(output), "jackd")
        try:
            yield
        finally:
            del os.environ["JACK_DEFAULT_SERVER"]
