"""Compiles a network in a process of its own, which leaves the compiled form in the cache.

OpenVINO holds the interpreter while it copies a compiled network out: 14 ms for 64² pictures, 145 for 256² of
the full size, in which a show would stand still. A fault or a lack of memory ends that process alone.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from perform import generators
from perform.generators import ModelError, Precision
from perform.generators.bending import Bend
from perform.generators.blending import Blend

BEGIN = """
import os, sys
if hasattr(os, "SCHED_IDLE"):
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
from perform.generators.runtimes.apart import main
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

    def __call__(
        self,
        model: str | Path,
        precision: Precision,
        threads: int,
        bends: Sequence[Bend],
        blend: Blend | None,
    ) -> None:
        """Leave it in the cache; what goes wrong there is for who opens it next to find. ModelError when the
        process was killed: by want of memory as a rule, and who does the same here ends likewise."""
        order = {"model": str(model), "precision": precision, "threads": threads}
        order |= {"bends": [asdict(bend) for bend in bends], "blend": asdict(blend) if blend else None}
        try:
            done = self._thread.submit(_run, [*COMMAND, json.dumps(order)]).result()
        except (OSError, subprocess.TimeoutExpired) as error:
            log.warning("a process that compiles %s: %s", model, error)
            return
        if done.returncode < 0:
            raise ModelError(f"{model}: the process that compiled it ended with signal {-done.returncode}")
        if done.returncode:
            log.warning("a process that compiles %s: %s", model, done.stderr.strip()[-1000:])


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)


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
