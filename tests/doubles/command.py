"""The command line as a person starts it."""

import os
import subprocess
from typing import Any

from typer.testing import CliRunner

from perform.cli import app
from tests.doubles.prepared import FromNothing, Prepared

PROGRAM = "from perform.cli import app; app(prog_name='perform')"


def environment() -> dict[str, str]:
    """Wide lines, no display, and files that Python writes as it does for most people."""
    without = ("DISPLAY", "WAYLAND_DISPLAY", "PYTHONUNBUFFERED")
    return {name: value for name, value in os.environ.items() if name not in without} | {"COLUMNS": "200"}


def start(*words: str, kind: type[FromNothing] = Prepared, **options: Any) -> subprocess.Popen[Any]:
    """A command in a process of its own, which `options` for Popen describe; without a display."""
    return kind(PROGRAM, *words, **{"env": environment(), **options})


def finished(*words: str, timeout: float = 120, **options: Any) -> subprocess.CompletedProcess[str]:
    """A command that has ended in a process of its own, with what it has written."""
    captured = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with start(*words, **{**captured, **options}) as process:
        try:
            out, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    return subprocess.CompletedProcess(words, process.returncode, out, errors)


def run(*words: object, expect: int = 0) -> str:
    """What a command prints, in this process; its exit code must be `expect`, and it must not end by an
    exception."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == expect, done.output
    return done.output
