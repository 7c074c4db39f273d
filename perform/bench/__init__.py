"""Benches: figures of this machine, each beside the goal that it is measured against.

A bench is a module here with a function NAME_figures(seconds, model, device); `run` opens it by its name,
and `report` makes of its figures the one object that `perform bench --json` prints.
"""

from __future__ import annotations

import math
import os
import platform
import subprocess
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from perform import __version__, children
from perform.parameters import choice

NAMES = (
    "loop",
    "busy",
    "stage",
    "generator",
    "latency",
    "beat",
    "render",
    "bridges",
    "switch",
    "models",
    "inputs",
    "training",
)
EXIT_TIMEOUT = 5.0  # seconds that a process has to end by itself
LIBRARIES = ("numpy", "torch", "openvino", "moderngl", "av", "sounddevice", "mido", "python-osc")


@dataclass(frozen=True)
class Figure:
    """One measured value in its unit; `met` says whether it reaches the goal, None if there is no goal.

    `note` is the reason for a missing value (NaN).
    """

    name: str
    value: float
    unit: str
    goal: float | None = None
    met: bool | None = None
    note: str = ""

    @classmethod
    def at_least(cls, name: str, value: float, unit: str, goal: float | None) -> Figure:
        """A figure that is good when it is high. A value that could not be measured (NaN) is not met."""
        return cls(name, value, unit, goal, None if goal is None else value >= goal)

    @classmethod
    def at_most(cls, name: str, value: float, unit: str, goal: float | None) -> Figure:
        """A figure that is good when it is low. A value that could not be measured (NaN) is not met."""
        return cls(name, value, unit, goal, None if goal is None else value <= goal)


class Percentiles(NamedTuple):
    """The 50th, 95th and 99th percentile of some samples, in the samples' unit."""

    p50: float
    p95: float
    p99: float


def percentiles(samples: Iterable[float]) -> Percentiles:
    """Percentiles by linear interpolation (type 7 of Hyndman and Fan 1996); NaN of nothing."""
    values = np.fromiter(samples, dtype=np.float64)
    if not values.size:
        return Percentiles(math.nan, math.nan, math.nan)
    p50, p95, p99 = np.percentile(values, (50, 95, 99))
    return Percentiles(float(p50), float(p95), float(p99))


def duration_figures(
    name: str, milliseconds: Iterable[float], suffix: str = "", goal: float | None = None
) -> Iterator[Figure]:
    """The percentiles of durations in ms: NAME_p50, NAME_p95 and NAME_p99, which is to reach the goal."""
    p50, p95, p99 = percentiles(milliseconds)
    yield Figure(f"{name}_p50{suffix}", p50, "ms")
    yield Figure(f"{name}_p95{suffix}", p95, "ms")
    yield Figure.at_most(f"{name}_p99{suffix}", p99, "ms", goal)


@contextmanager
def running(command: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the block, and with this process; `options` are those of Popen."""
    tied = children.tied(*command)
    process = subprocess.Popen(tied, text=True, env=children.environment(), **options)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(EXIT_TIMEOUT)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def run(
    name: str,
    *,
    seconds: float | None = None,
    model: str | None = None,
    device: str = "auto",
    **options: object,
) -> list[Figure]:
    """Measure one of NAMES: each measurement for `seconds` (None: as long as the bench finds right),
    with this model in place of its own, on this device; `options` are those of this bench alone. ValueError
    for another name."""
    bench = import_module(f"{__name__}.{choice('bench', name, NAMES)}")
    figures: Callable[..., Iterable[Figure]] = getattr(bench, f"{name}_figures")
    return list(figures(seconds, model, device, **options))


def report(bench: str, figures: Iterable[Figure]) -> dict[str, Any]:
    """The object that `perform bench NAME --json` prints: the figures with machine and versions."""
    rows = [_row(figure) for figure in figures]
    return {"bench": bench, "machine": machine(), "versions": versions(), "figures": rows}


def _row(figure: Figure) -> dict[str, Any]:
    """JSON has no NaN and no infinity: what could not be measured is null."""
    value = float(figure.value)
    return {
        "name": figure.name,
        "value": value if math.isfinite(value) else None,
        "unit": figure.unit,
        "goal": figure.goal,
        "met": None if figure.met is None else bool(figure.met),
        **({"note": figure.note} if figure.note else {}),
    }


def machine() -> dict[str, object]:
    """The machine in words: system, processor, the cores that this process may use, memory in GiB."""
    return {
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "processor": _processor(),
        "cores": usable_cores(),
        "memory_gib": _memory(),
    }


def versions() -> Mapping[str, str]:
    """The versions of Python, of `perform` and of the libraries that the figures depend on.

    Read from what is installed, without importing it; what is not installed is left out.
    """
    found = {"python": platform.python_version(), "perform": __version__}
    for name in LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def usable_cores() -> int:
    """The cores that this process may run on, which a container or taskset may have made fewer."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def resident() -> float:
    """The process's resident memory in MiB, NaN where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return math.nan
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def most_resident() -> float:
    """The most memory that was resident in the process so far, in MiB, NaN where the system does not say."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    except OSError:
        return math.nan
    return next((int(one.split()[1]) / 1024 for one in lines if one.startswith("VmHWM")), math.nan)


def _processor() -> str:
    """The processor's name; only Linux needs to be asked through a file."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in text.splitlines() if line.startswith("model name"))
    return next(names, platform.machine())


def _memory() -> float | None:
    """Memory in GiB, where POSIX tells it."""
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1)
    except (AttributeError, OSError, ValueError):
        return None
