"""The command line as a person starts it."""

import os
import sys

from typer.testing import CliRunner

from perform.cli import app

COMMAND = [sys.executable, "-c", "from perform.cli import app; app()"]


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")} | {
        "COLUMNS": "200"
    }


def run(*words: object, expect: int = 0) -> str:
    """What a command prints; its exit code must be `expect`, and it must not end by an exception."""
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert done.exit_code == expect, done.output
    return done.output
