"""Compiles a network in a process of its own, which leaves the compiled form in the cache.

OpenVINO holds the interpreter while it copies a compiled network out: 14 ms for 64² pictures, 145 for 256² of
the full size, in which a show would stand still. A fault or a lack of memory ends that process alone.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from perform import generators
from perform.generators.model import Model
from perform.networks import ModelError, Precision
from perform.networks.bending import Bend
from perform.networks.blending import Blend

BEGIN = """
import os, sys, threading
from contextlib import suppress
with suppress(AttributeError, OSError):
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(1)), daemon=True).start()
from perform.generators.compiler import main
sys.exit(main(sys.argv[1]))
"""  # behind all who play, its imports too; one core: `untrained-256` took 15 s of a show so, on two 22
COMMAND = (sys.executable, "-P", "-c", BEGIN)
LONGEST = 900.0  # seconds
FAILED = 1  # exit code

log = logging.getLogger("perform")


class Compiler:
    """Starts such processes, from a thread that is made with it: until a process has begun the interpreter
    stands still, and one whose parent waits behind the display begins late (140 ms)."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "compiler")
        self._thread.submit(int).result()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock, self._closed, self._begun = threading.Lock(), False, False

    def begin(self) -> None:
        """The show begins. Before, there is nothing to hold up, and who asks is quicker by itself."""
        self._begun = True

    def __call__(
        self,
        model: Model | str | Path,
        precision: Precision,
        threads: int,
        bends: Sequence[Bend],
        blend: Blend | None,
    ) -> None:
        """Leave it in the cache; what goes wrong there is for who opens it next to find. ModelError when the
        process was killed or took too long: who does the same here ends likewise."""
        if not self._begun:
            return
        order = {"model": str(model), "precision": precision, "threads": threads}
        order |= {"bends": [asdict(bend) for bend in bends], "blend": asdict(blend) if blend else None}
        try:
            code, said = self._thread.submit(self._run, [*COMMAND, json.dumps(order)]).result()
        except OSError as error:
            code, said = FAILED, str(error)
        except subprocess.TimeoutExpired:
            raise ModelError(f"{model}: compiling it took longer than {LONGEST:g} s") from None
        if code < 0:
            raise ModelError(f"{model}: the process that compiled it ended with signal {-code}")
        if said.strip():
            log.warning("a process that compiles %s: %s", model, said.strip()[-1000:])

    def close(self) -> None:
        """Break off what is being compiled."""
        with self._lock:
            self._closed = True
            if self._process:
                self._process.kill()
        self._thread.shutdown()

    def _run(self, command: list[str]) -> tuple[int, str]:
        """The exit code, and what was said; the process ends with its standard input, so with this one."""
        with TemporaryFile("w+", errors="replace") as said:
            with self._lock:
                if self._closed:
                    raise ModelError("the show has ended")
                self._process = process = subprocess.Popen(
                    command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
                )
            with process:
                try:
                    code = process.wait(LONGEST)
                finally:
                    process.kill()
                    self._process = None
            said.seek(0)
            return code, said.read()


def main(text: str) -> int:
    """Do what a Compiler ordered."""
    order: dict[str, Any] = json.loads(text)
    order["bends"] = [Bend(**bend) for bend in order["bends"]]
    order["blend"] = Blend(**order["blend"]) if order["blend"] else None
    try:
        generators.open(device="cpu", **order).close()
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    return 0
