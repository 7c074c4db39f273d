"""Windows on a real X server, in a process of their own, because a thread has one OpenGL at a time and other
tests draw without a window."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.doubles.prepared import Prepared
from tests.folders import ROOT

MANY = 3000  # frames after which nothing more is to be expected
MISSING = [tool for tool in ("Xvfb", "xdotool") if not shutil.which(tool)]
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
