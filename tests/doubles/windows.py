"""Windows on a real X server, in a process of their own, because a thread has one OpenGL at a time and other
tests draw without a window."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.doubles.library import save, write_library
from tests.doubles.prepared import Prepared
from tests.folders import ROOT

MANY = 3000  # frames after which nothing more is to be expected
MISSING = [tool for tool in ("Xvfb", "xdotool") if not shutil.which(tool)]
NO_SCREENS = [tool for tool in ("Xorg", "xrandr", "xdotool") if not shutil.which(tool)]
real_screens = pytest.mark.skipif(
    bool(NO_SCREENS) and "CI" not in os.environ, reason=f"missing: {NO_SCREENS}"
)
XORG = """
Section "ServerFlags"
  Option "AutoAddDevices" "false"
  Option "AutoAddGPU" "false"
EndSection
Section "Device"
  Identifier "graphics"
  Driver "dummy"
  VideoRam 65536
EndSection
Section "Screen"
  Identifier "screen"
  Device "graphics"
  DefaultDepth 24
  SubSection "Display"
    Virtual {width} {height}
  EndSubSection
EndSection
"""
SCREEN = (640, 480)  # a mode that the driver knows
SMALL = 320, 328, 376, 400, 240, 245, 246, 262  # the timings of a mode of 320x240
real = pytest.mark.skipif(bool(MISSING) and "CI" not in os.environ, reason=f"not installed: {MISSING}")


class Stage:
    """Windows in another process, a script that calls `answer`, played one frame at a time, in our time."""

    def __init__(self, script: str, display: str | None) -> None:
        environ = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
        self.environ = environ | ({"DISPLAY": display} if display else {})
        code = "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__')"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self._process = Prepared(code, script, cwd=ROOT, env=self.environ, **pipes)
        self.seconds = 0.0

    def ask(self, what: str, *arguments: Any) -> Any:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.write(json.dumps([what, *arguments]) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def open(self, *arguments: Any) -> dict[str, Any]:
        return dict(self.ask("open", *arguments))

    def frame(self) -> dict[str, Any]:
        self.seconds += 1 / 64
        return dict(self.ask("frame", self.seconds))

    def until(self, true: Callable[[dict[str, Any]], Any]) -> dict[str, Any]:
        """Play until something is true of a frame."""
        for _ in range(MANY):
            if true(seen := self.frame()):
                return seen
        raise AssertionError(f"did not happen in {MANY} frames; the last one was {seen}")

    def press(self, key: str) -> list[tuple[str, float, float]]:
        """Strike a key; the events until it is up again, as (name, value, time)."""
        self.xdotool("key", key)
        events: list[tuple[str, float, float]] = []
        while not any(value == 0 for _, value, _ in events):
            events += [tuple(event) for event in self.until(lambda seen: seen["events"])["events"]]
        return events

    def xdotool(self, *arguments: str) -> str:
        done = subprocess.run(
            ["xdotool", *arguments], env=self.environ, capture_output=True, text=True, check=False
        )
        return done.stdout.strip()

    def titles(self) -> list[str]:
        """The titles of the windows that are to be seen."""
        windows = self.xdotool("search", "--onlyvisible", "--name", "perform").split()
        return sorted(self.xdotool("getwindowname", window) for window in windows)

    def close(self) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


@contextlib.contextmanager
def show_stage(script: str, display: str, folder: Path, venue: str) -> Iterator[Stage]:
    """A stage whose script opens a show of small presets in a venue, which has this text."""
    write_library(folder)
    save(folder / "venue.toml", venue)
    stage = Stage(script, display)
    stage.ask("open_show", str(folder))
    yield stage
    stage.close()


@contextlib.contextmanager
def x_server() -> Iterator[str]:
    """An X server of 800x600; the name of its display."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", "800x600x24", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as answer:
        name = f":{answer.readline().strip()}"
    try:
        yield name
    finally:
        server.terminate()
        server.wait(20)


def answer(player: object) -> None:
    """The other side of Stage: answer requests until its input ends."""
    for said in sys.stdin:
        what, *arguments = json.loads(said)
        given = getattr(player, what)(*arguments)
        with contextlib.suppress(BrokenPipeError):
            sys.stdout.write(json.dumps(given) + "\n")
            sys.stdout.flush()


class Screens:
    """An X server with several displays beside each other, DUMMY0, DUMMY1 …, each of SCREEN, which can be
    pulled and plugged in."""

    def __init__(self, display: str, count: int) -> None:
        self.display, self.count = display, count
        self.environ = {**os.environ, "DISPLAY": display}
        for number in range(1, count):
            self._xrandr("--addmode", f"DUMMY{number}", self._mode)
        for number in range(count):
            self.plug(number)

    @property
    def _mode(self) -> str:
        return "x".join(map(str, SCREEN))

    def plug(self, number: int, mode: str = "", left: int | None = None) -> None:
        """Plug a display in, at its place, or `left` on the desktop; in another `mode` than SCREEN."""
        place = f"{number * SCREEN[0] if left is None else left}x0"
        self._set(number, "--mode", mode or self._mode, "--pos", place)

    def add_small_mode(self, number: int) -> str:
        """Let a display have a mode of 320x240; its name."""
        name = "small"
        if name not in self._xrandr():
            self._xrandr("--newmode", name, "12.59", *map(str, SMALL))
        self._xrandr("--addmode", f"DUMMY{number}", name)
        return name

    def pull(self, number: int) -> None:
        """Unplug a display."""
        self._set(number, "--off")

    def pixels(self, number: int) -> Any:
        """What a display shows, [height, width, 3], read from the server's own picture of the desktop."""
        listed = subprocess.run(["xrandr"], env=self.environ, check=True, capture_output=True, text=True)
        place = re.search(rf"^DUMMY{number} .*x\d+\+(\d+)\+(\d+)", listed.stdout, re.MULTILINE)
        assert place, f"display {number} is not plugged in"
        return root_pixels(self.display, int(place[1]), int(place[2]), *SCREEN)

    def _set(self, number: int, *words: str) -> None:
        wide = f"{self.count * SCREEN[0]}x{SCREEN[1]}"
        self._xrandr("--fb", wide, "--output", f"DUMMY{number}", *words)
        self._xrandr("--query")  # the server looks at its plugs only when it is asked

    def _xrandr(self, *words: str) -> str:
        done = subprocess.run(
            ["xrandr", *words], env=self.environ, check=True, capture_output=True, text=True
        )
        return done.stdout


@contextlib.contextmanager
def x_screens(count: int, folder: Path) -> Iterator[Screens]:
    """An X server with several displays; `folder` is for its files."""
    file = folder / "xorg.conf"
    file.write_text(XORG.format(width=count * SCREEN[0], height=SCREEN[1]), encoding="utf-8")
    read, write = os.pipe()
    words = ["-config", str(file), "-logfile", str(folder / "log"), "-nolisten", "tcp", "-noreset"]
    server = subprocess.Popen(
        ["Xorg", "-displayfd", str(write), *words, "-novtswitch", "-sharevts"],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as answer:
        number = answer.readline().strip()
    try:
        if not number and "CI" not in os.environ:
            pytest.skip("this user may not start Xorg")
        yield Screens(f":{number}", count)
    finally:
        server.terminate()
        server.wait(20)


def share(pixels: Any, colour: tuple[int, int, int]) -> float:
    """How much of a picture [height, width, 3] has a colour."""
    near = np.abs(pixels.astype(int) - colour).max(-1) <= 2
    return float(near.mean())


def root_pixels(display: str, left: int, top: int, width: int, height: int) -> Any:
    """A part of the desktop [height, width, 3], as the X server has it."""
    x11 = ctypes.CDLL("libX11.so.6")
    for name in ("XOpenDisplay", "XDefaultRootWindow", "XGetImage"):
        getattr(x11, name).restype = ctypes.c_void_p
    server = ctypes.c_void_p(x11.XOpenDisplay(display.encode()))
    try:
        root = ctypes.c_void_p(x11.XDefaultRootWindow(server))
        image = x11.XGetImage(server, root, left, top, width, height, ctypes.c_ulong(0xFFFFFFFF), 2)
        # Of the structure XImage: width, height, xoffset, format (ints), then the data.
        data = ctypes.cast(image + 16, ctypes.POINTER(ctypes.c_void_p))[0]
        pixels = np.frombuffer(ctypes.string_at(data, 4 * width * height), np.uint8)
        return pixels.reshape(height, width, 4)[..., 2::-1].copy()
    finally:
        x11.XCloseDisplay(server)
