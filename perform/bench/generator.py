"""Pictures a second of the generator alone, by size and variant, one picture at a time.

On an NVIDIA GPU that was asked for, every form of the networks too (`bench.gpu`).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

from perform import generators
from perform.bench import Figure
from perform.networks import Device, Precision
from perform.sampling.speed import pictures_per_second

SIZES = {"64": "untrained-small", "128": "untrained-medium", "256": "untrained-large", "full": "untrained"}
GOAL = 30.0  # pictures a second of the full-size network in its fastest form
GENERATOR_SECONDS = 4.0


def generator_figures(seconds: float | None, model: str | None, device: Device) -> Iterator[Figure]:
    """Each size (or one model) as opened by default, in float32 and through plain torch; on CUDA, each
    form of the large networks (or of the model)."""
    sizes = SIZES if model is None else {Path(model).stem: model}
    for size, name in sizes.items():
        known: set[str] = set()
        for precision in ("auto", "float32"):
            yield from _opened_figure(size, name, device, precision, seconds or GENERATOR_SECONDS, known)
        yield _torch_figure(size, name, seconds or GENERATOR_SECONDS)
    if device == "cuda":
        from perform.bench import gpu

        cases = None if model is None else {Path(model).stem: partial(generators.weights_of, model)}
        yield from gpu.gpu_figures(seconds, cases)


def _opened_figure(
    size: str, name: str, device: Device, precision: Precision, seconds: float, known: set[str]
) -> Iterator[Figure]:
    with closing(generators.open(name, device, precision)) as unit:
        variant = getattr(unit, "precision", precision)
        if variant in known:
            return
        known.add(variant)
        label = f"picture_fps_{size}_{variant}"
        measured = pictures_per_second(unit, seconds)
    goal = GOAL if size == "full" and precision == "auto" else None
    yield Figure.at_least(label, measured, "pictures/s", goal)


def _torch_figure(size: str, name: str, seconds: float) -> Figure:
    """The network as plain torch calls on the CPU: what the runtimes are measured against."""
    from perform.networks.runtimes.torch.eager import Eager

    with closing(Eager(generators.weights_of(name))) as unit:
        return Figure(f"picture_fps_{size}_torch", pictures_per_second(unit, seconds), "pictures/s")
