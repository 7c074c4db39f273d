"""The command line as a person starts it."""

import os
import sys

COMMAND = [sys.executable, "-c", "from perform.cli import app; app()"]


def environment() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")} | {
        "COLUMNS": "200"
    }
