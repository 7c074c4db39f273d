"""Clicks in a virtual sound device, and a show of one shader that hears them.

A process of its own plays the clicks into a JACK server with the dummy driver, at 48 kHz. A click counts from
when its player hands it to the device (`stopwatch`, which processes of one Linux machine share). On some
machines the dummy driver does not keep time, with short periods above all: `device_fault` measures it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from perform import children, paths, show
from perform.bench import percentiles, running
from perform.bench.clicks import END
from perform.clock import stopwatch
from perform.library import Library
from perform.rig import Rig
from perform.threads import Background

CLICKS_CODE = "import sys; from perform.bench.clicks import main; main(*sys.argv[1:])"
DEVICE = "PortAudio"  # what JACK calls the player, as an input
DEVICE_PERIOD = 128  # samples a period of the virtual device, where the latency counts
DEVICE_PATIENCE = 10_000  # ms after which the device drops a client that is late
LEAD = 4.0  # seconds of silence before the first click, for the show to start
STEADY = 3.0  # ms: a device whose clicks come less evenly does not keep time, as on a busy machine
TRUE_RATE = 0.01  # share by which a device that keeps time may be too slow or too fast
PROBE_CLICKS, PROBE_EACH, PROBE_LEAD = 30, 0.05, 0.3  # of `device_fault`; seconds
PROBE_TIMEOUT = 6.0  # seconds
START_TIMEOUT = 5  # seconds that the server has to start, and a player
SLOWEST = 1.2  # how many times as long as it should a player may take
SERVER = f"perform-bench-{os.getpid()}"  # never one that another bench has left
STALLED = 20.0  # seconds without a click after which the device counts as gone
SHADER = """/*{"ISFVSN": "2", "INPUTS": [
    {"NAME": "light", "TYPE": "float", "DEFAULT": 0, "MIN": 0, "MAX": 1}]}*/
void main() { gl_FragColor = vec4(vec3(light), 1.0); }
"""


@dataclass(slots=True)
class Clicks:
    """The clicks of a player: when each was played so far (stopwatch)."""

    player: subprocess.Popen[str]
    seconds: float  # that they take
    played: list[float] = field(default_factory=list)
    _began: float = field(default_factory=stopwatch)

    @property
    def over(self) -> bool:
        """Whether the player is done, or its device has stopped or is far too slow."""
        last = self.played[-1] if self.played else self._began
        latest = min(last + STALLED, self._began + START_TIMEOUT + SLOWEST * self.seconds)
        return self.player.poll() is not None or stopwatch() > latest


def virtual_device() -> bool:
    """Whether the machine has JACK's server."""
    return shutil.which("jackd") is not None


def device_fault(period: int) -> str:
    """Why the virtual device cannot be used with so many samples a period; empty if it keeps time. Takes some
    three seconds, ten at most."""
    if not virtual_device():
        return "there is no jackd"
    try:
        probing = clicks(PROBE_CLICKS, PROBE_EACH, 0.0, PROBE_LEAD, period)
        with probing as probe, suppress(subprocess.TimeoutExpired):
            probe.player.wait(PROBE_TIMEOUT)
    except RuntimeError as error:
        return str(error)
    return "" if keeps_time(probe.played, PROBE_CLICKS, PROBE_EACH) else "JACK's device does not keep time"


def keeps_time(played: Sequence[float], count: int, each: float) -> bool:
    """Whether all of `count` clicks came, evenly and `each` seconds apart."""
    if len(played) < count:
        return False
    measured = (played[-1] - played[0]) / (count - 1)
    uneven = percentiles(1000 * one for one in unevenness(played)).p95
    return abs(measured / each - 1) <= TRUE_RATE and uneven <= STEADY


def unevenness(times: Sequence[float]) -> tuple[float, ...]:
    """How far each time is from the line through all of them (least squares), seconds."""
    if len(times) < 3:
        return (0.0,) * len(times)
    number = np.arange(len(times))
    line = np.polyval(np.polyfit(number, times, 1), number)
    return tuple(float(one) for one in np.abs(line - times))


@contextmanager
def clicks(
    count: int, each: float, spread: float, lead: float = LEAD, period: int = DEVICE_PERIOD
) -> Iterator[Clicks]:
    """`count` clicks that play in DEVICE after `lead` seconds, `each` seconds apart, more or less `spread` (a
    share of it). At the end of the block all that were played are known. Raises RuntimeError if the device
    does not start."""
    command = children.command(CLICKS_CODE, *map(str, (count, each, spread, lead)))
    with _sound_server(period):
        with running(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as player:
            heard = Clicks(player, lead + count * each * (1 + spread) + END)
            lines = player.stdout or ()
            reader = Background(lambda _: heard.played.extend(float(line) for line in lines), "clicks")
            yield heard
        reader.close()


def write_scene(folder: Path, light: str) -> Path:
    """A preset in `folder` whose picture has the brightness that the formula `light` gives (0..1)."""
    shader = folder / "shaders" / "generators" / "click.fs"
    shader.parent.mkdir(parents=True)
    shader.write_text(SHADER, encoding="utf-8")
    preset = folder / "click.toml"
    preset.write_text(f'title = "Click"\n[generator]\nshader = "click"\nlight = "{light}"\n', "utf-8")
    return preset


def light_show(folder: Path, light: str, sound: str, fps: float, offset: float = 0.0) -> Rig:
    """A live show of `write_scene`, without a window, at a fixed rate."""
    preset = write_scene(folder, light)
    options = show.Options(
        str(preset), sound, fps=fps, adapt=False, offset=offset, headless=True, osc_port=0, watch=False
    )
    return show.play(options, Library(folder, paths.shipped()))


@contextmanager
def _sound_server(period: int) -> Iterator[None]:
    """A JACK server of our own with the dummy driver, which all clients started in the block use. It runs in
    real time if this user may, as JACK does on stage: then its device keeps time beside other programs."""
    if not virtual_device():
        raise RuntimeError("the bench needs JACK's virtual device: on Debian install jackd2")
    patience, samples = str(DEVICE_PATIENCE), str(period)
    command = ["jackd", "-n", SERVER, "-t", patience, "-d", "dummy", "-r", "48000", "-p", samples]
    quiet = subprocess.DEVNULL
    with running(command, stdout=quiet, stderr=quiet):
        wait = ["jack_wait", "-s", SERVER, "-w", "-t", str(START_TIMEOUT)]
        if subprocess.run(wait, stdout=quiet, stderr=quiet).returncode:
            raise RuntimeError("JACK's device does not start")
        os.environ["JACK_DEFAULT_SERVER"] = SERVER
        try:
            yield
        finally:
            del os.environ["JACK_DEFAULT_SERVER"]
