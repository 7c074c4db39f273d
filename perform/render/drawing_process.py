"""A process that draws shaders for this one, one after the other: nothing can stop a draw from within, and a
driver may crash on it.

Both sides speak in lines of JSON. A shader is asked for by file, width, height and limit in seconds; null
follows its last answer.
"""

from __future__ import annotations

import faulthandler
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from perform import children
from perform.render.context import headless

if TYPE_CHECKING:
    import moderngl

NO_OPENGL = 3  # exit code


def started(command: Sequence[str], **changed: str) -> subprocess.Popen[str]:
    """The process of a command that calls `serve_shaders`, in a changed environment. Raises OSError."""
    return subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=children.environment(**changed),
    )


def ask(process: subprocess.Popen[str], file: str, size: tuple[int, int], limit: float) -> None:
    """Ask for a shader at `size` (width, height). Raises BrokenPipeError if the process has ended."""
    assert process.stdin
    process.stdin.write(json.dumps([file, *size, limit]) + "\n")
    process.stdin.flush()


def answers(process: subprocess.Popen[str]) -> tuple[list[Any], bool]:
    """What it answers about the shader, as far as it comes, and whether it ends with that."""
    assert process.stdout
    found: list[Any] = []
    for line in process.stdout:
        answer = json.loads(line)
        if answer is None:
            return found, False
        found.append(answer)
    return found, True


def serve_shaders(draw: Callable[[moderngl.Context, Path, tuple[int, int]], Iterator[object]]) -> None:
    """The process: each answer is sent when `draw` yields it. It ends by itself when a shader takes longer
    than its limit: it is watched by a thread that needs no interpreter."""
    try:
        context = headless()
    except Exception:  # noqa: BLE001 - GLError, and what a driver raises
        sys.exit(NO_OPENGL)
    with Path(os.devnull).open("w") as nowhere:
        for line in sys.stdin:
            file, width, height, limit = json.loads(line)
            faulthandler.dump_traceback_later(limit, exit=True, file=nowhere)
            for answer in draw(context, Path(file), (width, height)):
                _send(answer)
            faulthandler.cancel_dump_traceback_later()
            _send(None)


def _send(answer: object) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
