"""Generators: networks that make a picture from a point of a latent space. One family per file."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING, Protocol, TypeAlias

from perform.arrays import Floats, Pixels
from perform.latent.space import Space
from perform.networks import Device, ModelError, Precision
from perform.parameters import Parameter

if TYPE_CHECKING:
    from perform.generators.model import Model
    from perform.networks.bending import Bend
    from perform.networks.blending import Blend, BlendTensors
    from perform.networks.controls import NetworkValues
    from perform.networks.weights import Weights

# Leaves the compiled form of a model in the cache: model, precision, threads, bends, blend.
Compile: TypeAlias = "Callable[[Model | str | Path, Precision, int, Sequence[Bend], Blend | None], None]"

SPARE = 0.6  # share of the free memory that open models may take


class Generator(Protocol):
    """A trained generator, ready to play.

    `space` describes its latents, `parameters` its controls (truncation, noise strength and the
    like), `size` is (width, height) of its pictures in pixels.
    """

    space: Space
    parameters: tuple[Parameter, ...]
    size: tuple[int, int]

    def map(self, z: Floats, labels: Floats | None = None) -> Floats:
        """z [n, z_dim] and labels [n, c_dim] to w [n, w_dim], before truncation."""
        ...

    def mean(self, labels: Floats | None = None) -> Floats:
        """The centre of truncation [w_dim] for labels [1, c_dim]."""
        ...

    def synthesise(self, ws: Floats, values: NetworkValues = ...) -> Pixels:
        """ws [num_ws, w_dim] to a picture [height, width, channels], sRGB.

        Of what `values` does not give it takes the defaults.
        """
        ...

    def close(self) -> None:
        """Give back the network's memory and device."""
        ...


def open(
    model: Model | str | Path,
    device: Device = "auto",
    precision: Precision = "auto",
    threads: int = 0,
    bends: Sequence[Bend] = (),
    blend: Blend | None = None,
    compiler: Compile | None = None,
) -> Generator:
    """A generator, ready to play: of a model, or of a built-in's name (`untrained`) or a model file.

    `device` auto takes CUDA, then Apple's GPU, then the CPU; `threads` is for the CPU, 0 leaves it
    to the runtime; `bends` and a `blend` with another model are compiled into the network, by the
    `compiler` if it never was. Raises ModelError with what is wrong and what is allowed.
    """
    device = _device(device)
    weights = weights_of(model)
    other = _second(weights, blend) if blend else None
    elsewhere = partial(compiler, model, precision, threads, bends, blend) if compiler else None
    return opened(weights, device, precision, threads, bends, other, elsewhere)


def opened(
    weights: Weights,
    device: Device = "auto",
    precision: Precision = "auto",
    threads: int = 0,
    bends: Sequence[Bend] = (),
    other: BlendTensors | None = None,
    elsewhere: Callable[[], None] | None = None,
) -> Generator:
    """The same of weights that were read already; `elsewhere` compiles them into the cache. Raises
    ModelError."""
    device = _device(device)
    if device == "cuda":
        from perform.networks.runtimes.torch.cuda import Cuda

        return Cuda(weights, precision, bends=bends, other=other)
    if device == "cpu" and find_spec("openvino"):
        from perform.networks.runtimes.openvino.runtime import OpenVino

        return OpenVino(weights, precision, threads, bends, other, elsewhere)
    from perform.networks.runtimes.torch.eager import Eager

    return Eager(weights, device, precision, bends, other)


def spare_memory(device: Device = "auto") -> float:
    """How many bytes open models may take together: most of what is free now."""
    if _device(device) == "cuda":
        import torch

        kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()  # torch's, of closed models
        return SPARE * (torch.cuda.mem_get_info()[0] + kept)
    return SPARE * _available()


def _available(told: Path = Path("/proc/meminfo")) -> float:
    """Bytes of memory that programs can have. Linux's free pages are fewer: the cache of files gives way."""
    text = told.read_text("ascii", "replace") if told.is_file() else ""
    if found := re.search(r"^MemAvailable: +(\d+) kB", text, re.MULTILINE):
        return 1024.0 * int(found[1])
    try:
        return float(os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    except (AttributeError, ValueError, OSError):
        return 8.0 * 2**30  # a system that does not say


def weights_of(model: Model | str | Path) -> Weights:
    """The weights of a built-in or a file of any known project. Raises ModelError."""
    from perform.generators import load, untrained

    place = str(model)
    if place in untrained.BUILT_IN:
        return untrained.untrained_weights(place)
    if not Path(place).is_file():
        names = ", ".join(untrained.BUILT_IN)
        raise ModelError(f"{place} is not a file, must be a model file or one of {names}")
    return load.load_weights(place)


def _second(weights: Weights, blend: Blend) -> BlendTensors:
    from perform.networks.blending import blend_tensors

    return blend_tensors(weights, weights_of(blend.model), blend)


def _device(wanted: Device) -> Device:
    """The device asked for, or the best one here; torch is asked only where there may be one."""
    if wanted not in ("auto", "cpu", "cuda", "mps"):
        raise ModelError(f"device = {wanted!r}, must be auto, cpu, cuda or mps")
    if wanted == "cpu" or (wanted == "auto" and not _may_have_gpu()):
        return "cpu"
    import torch

    there: dict[Device, bool] = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next((device for device, present in there.items() if present), "cpu")
    if not there[wanted]:
        raise ModelError(f"device = {wanted!r}, but torch finds none here; must be auto or cpu")
    return wanted


def _may_have_gpu() -> bool:
    """A look at the system that costs nothing: importing torch costs seconds."""
    nvidia = Path("/dev/nvidiactl").exists() or Path("/dev/dxg").exists() or which("nvidia-smi")
    return bool(nvidia) or sys.platform == "darwin"
