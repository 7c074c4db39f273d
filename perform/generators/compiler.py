"""Compiles a network into the cache, in its own process.

OpenVINO holds the interpreter while it copies a compiled network out: 14 ms for 64² pictures, 145 ms for 256²
at full size; meanwhile a show would stop. A fault or a lack of memory ends that process alone.
"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryFile

from pydantic import TypeAdapter

from perform import children, generators
from perform.faults import reason
from perform.generators.extending import Extension
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
from perform.generators.compiler import run_job
sys.exit(run_job(sys.argv[1]))
"""  # lowest priority, also for its imports; on one core `untrained-large` took 15 s, on two 22
COMMAND = children.command(BEGIN)
COMPILE_TIMEOUT = 900.0  # seconds
FAILED = 1  # exit code

log = logging.getLogger("perform")


@dataclass(frozen=True, slots=True)
class CompileJob:
    """The network that a process compiles."""

    model: str
    precision: Precision
    threads: int
    bends: tuple[Bend, ...] = ()
    blend: Blend | None = None
    extension: Extension | None = None


class Compiler:
    """Starts these processes, from a thread of normal priority: the interpreter waits until a process has
    begun, and with a parent of low priority it begins late (140 ms)."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "compiler")
        self._executor.submit(int).result()
        self._process: subprocess.Popen[bytes] | None = None
        self._lock, self._closed, self._begun = threading.Lock(), False, False

    def begin(self) -> None:
        """Compile in other processes from now on: before a show no picture waits, and this one is faster."""
        self._begun = True

    def __call__(
        self,
        model: Model | str | Path,
        precision: Precision,
        threads: int,
        bends: Sequence[Bend],
        blend: Blend | None,
        extension: Extension | None,
    ) -> None:
        """Compile a model into the cache. A fault is only logged: opening the model finds it again.
        ModelError if the process was killed or took too long: compiling here would do the same."""
        if not self._begun:
            return
        job = CompileJob(str(model), precision, threads, tuple(bends), blend, extension)
        try:
            code, errors = self._executor.submit(self._run, [*COMMAND, json.dumps(asdict(job))]).result()
        except OSError as error:
            code, errors = FAILED, reason(error)
        except subprocess.TimeoutExpired:
            raise ModelError(f"{model}: compiling it took longer than {COMPILE_TIMEOUT:g} s") from None
        if code < 0:
            raise ModelError(f"{model}: the process that compiled it ended with signal {-code}")
        if errors.strip():
            log.warning("a process that compiles %s: %s", model, errors.strip()[-1000:])

    def close(self) -> None:
        """Cancel the compilation that is running."""
        with self._lock:
            self._closed = True
            if self._process:
                self._process.kill()
        self._executor.shutdown()

    def _run(self, command: list[str]) -> tuple[int, str]:
        """The exit code, and what the process wrote to stderr. It ends if its standard input closes, as when
        this process ends."""
        with TemporaryFile("w+", errors="replace") as errors:
            with self._lock:
                if self._closed:
                    raise ModelError("the show has ended")
                self._process = process = subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=errors,
                    env=children.environment(),
                )
            with process:
                try:
                    code = process.wait(COMPILE_TIMEOUT)
                finally:
                    process.kill()
                    self._process = None
            errors.seek(0)
            return code, errors.read()


def run_job(text: str) -> int:
    """Compile the network of a CompileJob as JSON; the exit code of the process."""
    job = TypeAdapter(CompileJob).validate_json(text)
    try:
        generators.open(
            job.model, "cpu", job.precision, job.threads, job.bends, job.blend, job.extension
        ).close()
    except ModelError as error:
        sys.stderr.write(f"{error}\n")
        return FAILED
    return 0
