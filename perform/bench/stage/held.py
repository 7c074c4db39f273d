"""What a process holds: objects of OpenGL, descriptors, threads and memory, and what of it grows."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import Any

import moderngl
import numpy as np

from perform.bench import Figure, resident
from perform.paths import shipped

MAKERS = ("texture", "texture_array", "texture3d", "texture_cube", "depth_texture", "framebuffer", "buffer",
          "program", "vertex_array", "renderbuffer", "depth_renderbuffer", "sampler", "query")  # fmt: skip
BETWEEN = ("render/targets.py", "render/strips.py")
DESCRIPTORS = Path("/proc/self/fd")
LARGEST_GROWTH = 5.0  # MiB
MOST_NAMED = 3  # kinds in a note


class OpenObjects:
    """The OpenGL objects that were made since `traced` began and are not released, with the line that made
    each."""

    def __init__(self) -> None:
        self._made: list[tuple[str, Any]] = []

    def add(self, made: Any, place: str) -> None:
        """Take an object that was made at a place."""
        self._made.append((f"{type(made).__name__} of {place}", made))

    def count(self) -> Counter[str]:
        """How many there are of each kind: "Texture of perform/render/targets.py:28"."""
        self._made = [one for one in self._made if not isinstance(one[1].mglo, moderngl.InvalidObject)]
        return Counter(kind for kind, _ in self._made)


@contextmanager
def traced() -> Iterator[OpenObjects]:
    """Count the objects that contexts make in the block."""
    objects = OpenObjects()
    makers = {name: getattr(moderngl.Context, name) for name in MAKERS}
    for name, make in makers.items():
        setattr(moderngl.Context, name, _tracing(make, objects))
    try:
        yield objects
    finally:
        for name, make in makers.items():
            setattr(moderngl.Context, name, make)


def _tracing(make: Callable[..., Any], objects: OpenObjects) -> Callable[..., Any]:
    def traced_make(*given: Any, **named: Any) -> Any:
        made = make(*given, **named)
        objects.add(made, _caller(sys._getframe(1)))
        return made

    return traced_make


def _caller(frame: FrameType) -> str:
    """File and line of what made an object: whoever asked for a target or a strip, if that was in between."""
    while frame.f_code.co_filename.endswith(BETWEEN) and frame.f_back:
        frame = frame.f_back
    file = Path(frame.f_code.co_filename)
    with suppress(ValueError):
        file = file.relative_to(shipped())
    return f"{file}:{frame.f_lineno}"


def descriptors() -> Counter[str]:
    """How many descriptors of each kind are open: files by name, others as socket or pipe. Empty where the
    system does not say."""
    found: Counter[str] = Counter()
    with suppress(OSError):
        for one in DESCRIPTORS.iterdir():
            with suppress(OSError):  # the one of this listing
                found[str(one.readlink()).partition(":[")[0]] += 1
    return found


@dataclass(frozen=True, slots=True)
class Held:
    """What the process holds at one time: MiB of memory, and how many of each kind."""

    memory: float
    objects: Mapping[str, int]
    descriptors: Mapping[str, int]
    threads: Mapping[str, int]

    @classmethod
    def now(cls, objects: OpenObjects) -> Held:
        """What it holds now."""
        threads = Counter(one.name.rstrip("0123456789-_") for one in threading.enumerate())
        return cls(resident(), objects.count(), descriptors(), threads)


def growth_figures(held: Sequence[Held], flat: bool, suffix: str = "") -> Iterator[Figure]:
    """How much more is held in the last quarter than in the second, at most; the first is a warm-up. With
    `flat` the goal is none. Notes name the kinds that grew."""
    for name in ("objects", "descriptors", "threads"):
        before, after = (_most([getattr(one, name) for one in part]) for part in _quarters(held))
        grown, label = after.total() - before.total(), "gl_objects" if name == "objects" else name
        yield Figure(f"{label}{suffix}", after.total(), name)
        figure = Figure.at_most(f"{label}_growth{suffix}", grown, name, 0.0 if flat else None)
        yield replace(figure, note=_named(after - before) if grown > 0 else "")


def memory_figures(held: Sequence[Held], seconds: float, flat: bool, suffix: str = "") -> Iterator[Figure]:
    """MiB by which the median of the last quarter is more than that of the second, and the slope after the
    first quarter in MiB a minute (least squares); the samples are evenly spaced over `seconds`."""
    before, after = ([one.memory for one in part] for part in _quarters(held))
    grown = float(np.median(after) - np.median(before))
    yield Figure(f"memory_mib{suffix}", float(np.median(after)), "MiB")
    yield Figure.at_most(f"memory_growth_mib{suffix}", grown, "MiB", LARGEST_GROWTH if flat else None)
    kept = [one.memory for one in held[len(held) // 4 :]]
    minutes = np.arange(len(kept)) * (seconds / 60 / max(len(held) - 1, 1))
    yield Figure(f"memory_slope{suffix}", float(np.polyfit(minutes, kept, 1)[0]), "MiB/min")


def _quarters(held: Sequence[Held]) -> tuple[Sequence[Held], Sequence[Held]]:
    """The second quarter and the last."""
    quarter = max(len(held) // 4, 1)
    return held[quarter : 2 * quarter] or held, held[-quarter:]


def _most(counts: Sequence[Mapping[str, int]]) -> Counter[str]:
    """The counts of the time with the most."""
    return max(map(Counter, counts), key=Counter.total)


def _named(more: Counter[str]) -> str:
    """The kinds that grew most."""
    return ", ".join(f"{count} more {kind}" for kind, count in more.most_common(MOST_NAMED))
