"""Clicks in a virtual sound device, and a show of one shader that hears them.

A process of its own plays the clicks into a JACK server with the dummy driver, at 48 kHz and 128 samples a
period. A click counts from when its player hands it to the device (`stopwatch`, which processes of one Linux
machine share).
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from perform import children, paths, show
from perform.bench import running
from perform.clock import stopwatch
from perform.library import Library
from perform.rig import Rig
from perform.threads import Background

CLICKS_CODE = "import sys; from perform.bench.clicks import main; main(*sys.argv[1:])"
DEVICE = "PortAudio"  # what the player is called as an input
DEVICE_PERIOD = 128  # samples a period of the virtual device
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
    played: list[float] = field(default_factory=list)
    _began: float = field(default_factory=stopwatch)

    @property
    def over(self) -> bool:
        """Whether the player is done, or its device has stopped."""
        last = self.played[-1] if self.played else self._began
        return self.player.poll() is not None or stopwatch() > last + STALLED


def virtual_device() -> bool:
    """Whether the machine has JACK's server."""
    return shutil.which("jackd") is not None


@contextmanager
def clicks(count: int, each: float, spread: float) -> Iterator[Clicks]:
    """`count` clicks that play in DEVICE, `each` seconds apart, more or less `spread` (a share of it)."""
    command = children.command(CLICKS_CODE, str(count), str(each), str(spread))
    with _sound_server(), running(command, stdout=subprocess.PIPE) as player:
        heard = Clicks(player)
        Background(lambda _: heard.played.extend(float(line) for line in player.stdout or ()), "clicks")
        yield heard


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
def _sound_server() -> Iterator[None]:
    """A JACK server of our own with the dummy driver."""
    if not virtual_device():
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
