"""A GPU: StyleGAN2 and StyleGAN3 in every form that was written for one, beside its matrix rate.

Every form takes the same latent and gives the same picture; what it differs by from plain float32 stands
beside its speed. Durations are a GPU's own (events on its stream), of one picture at a time, as in a show.
A form that cannot be built here, or does not fit, has no value, but a note with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from perform.arrays import Floats
from perform.bench import Figure, duration_figures
from perform.clock import stopwatch
from perform.generators import untrained
from perform.generators.kernels import TILE, fuse
from perform.generators.stylegan3.untrained import untrained as alias_free
from perform.networks.families import family
from perform.networks.runtimes.torch import cuda
from perform.networks.runtimes.torch.network import build_network
from perform.networks.weights import Weights

RunOnce: TypeAlias = Callable[[], Tensor]
NumberKind: TypeAlias = Literal["half", "tf32", "float32"]  # of the numbers that are multiplied

FORM_SECONDS = 4.0  # of each form
WARM_UP_PICTURES = 3
LEAST_PICTURES = 20  # pictures of each form
NEAR_FLOAT32 = 45.0  # dB from float32
MATRIX = 8192  # rows of the matrices whose product is the measure of the machine
ROUNDS = 10

GPU_CASES: dict[str, Callable[[], Weights]] = {
    "stylegan2_256": partial(untrained.untrained_sized, 256, 16384),
    "stylegan2_512": partial(untrained.untrained_sized, 512, 32768),
    "stylegan2_1024": partial(untrained.untrained_sized, 1024, 32768),
    "stylegan3t_512": partial(alias_free, 512),
    "stylegan3t_1024": partial(alias_free, 1024),
}


@dataclass(frozen=True)
class TestBed:
    """Where it is measured. Tests stand a processor for the GPU: other number formats and no graphs."""

    device: str = "cuda"
    half: str = "float16"
    capture: cuda.Capture = cuda.capture_graph
    matrix: int = MATRIX
    least: int = LEAST_PICTURES

    @property
    def real(self) -> bool:
        return self.device == "cuda"


@dataclass(frozen=True)
class NetworkForm:
    """One form of a network: its number format, and what is done to it before it is run.

    `tile` is that of our kernels (0: none of them); with `race` cuDNN tries its algorithms and keeps the
    fastest, which may be another in the next process.
    """

    name: str
    kind: NumberKind = "half"
    compiled: bool = False
    captured: bool = False
    tile: int = 0
    race: bool = False

    def build(self, weights: Weights, given: Sequence[Tensor], bed: TestBed) -> RunOnce:
        """What makes the picture [1, channels, height, width] of `given`, warm, without arguments."""
        synthesis: Any = build_network(weights, bed.half if self.kind == "half" else "float32").to(bed.device)
        if self.tile:
            fuse(synthesis, self.tile)
        if self.compiled:
            synthesis = torch.compile(synthesis)

        def run() -> Tensor:
            picture: Tensor = synthesis(*given)[0]
            return picture

        for _ in range(WARM_UP_PICTURES):
            run()
        if not self.captured:
            return run
        replay, picture = bed.capture(run)

        def replayed() -> Tensor:
            replay()
            return picture

        return replayed


FORMS = (
    NetworkForm("eager_float32", "float32"),
    NetworkForm("eager_tf32", "tf32"),
    NetworkForm("eager_half"),
    NetworkForm("compiled", compiled=True),
    NetworkForm("graph", captured=True),
    NetworkForm("graph_raced", captured=True, race=True),
    NetworkForm("graph_compiled", compiled=True, captured=True),
    NetworkForm("kernels", captured=True, tile=TILE),
    NetworkForm("kernels_wide", captured=True, tile=2 * TILE),
)


@dataclass
class FormFigures:
    """What one form gave: durations in ms, peak memory in MiB, the picture."""

    durations: list[float]
    memory: float
    picture: Tensor = field(repr=False)


def gpu_figures(
    seconds: float | None = None,
    cases: Mapping[str, Callable[[], Weights]] | None = None,
    bed: TestBed | None = None,
    variants: Sequence[NetworkForm] = FORMS,
) -> Iterator[Figure]:
    """The machine's matrix rates, then each case in each form."""
    bed = bed or TestBed()
    kinds: tuple[NumberKind, ...] = ("float32", "tf32", "half")
    rates = {kind: matrix_rate(bed, kind) for kind in kinds}
    for kind, rate in rates.items():
        yield Figure(f"matrix_rate_{kind}", rate / 1e12, "TFLOP/s")
    for name, made in (cases or GPU_CASES).items():
        yield from _case(name, made(), bed, variants, rates, FORM_SECONDS if seconds is None else seconds)


def _case(
    name: str,
    weights: Weights,
    bed: TestBed,
    variants: Sequence[NetworkForm],
    rates: Mapping[NumberKind, float],
    seconds: float,
) -> Iterator[Figure]:
    work, reference = operations(weights), None
    for variant in variants:
        label = f"{name}_{variant.name}"
        measured, reason = _attempt(variant, weights, bed, seconds)
        if measured is None:
            yield Figure(f"picture_fps_{label}", math.nan, "pictures/s", note=reason)
            continue
        yield from _form_figures(label, measured, work / rates[variant.kind])
        if variant.kind == "float32" and reference is None:
            reference = measured.picture
        else:
            near = math.nan if reference is None else psnr(measured.picture, reference)
            yield Figure.at_least(f"psnr_{label}", near, "dB", NEAR_FLOAT32)


def _attempt(
    variant: NetworkForm, weights: Weights, bed: TestBed, seconds: float
) -> tuple[FormFigures | None, str]:
    """One form's figures, or why there are none: compilers and drivers fail in ways of their own."""
    try:
        return measure(variant, weights, bed, seconds), ""
    except Exception as fault:  # noqa: BLE001
        lines = str(fault).strip().splitlines() or [""]
        return None, f"{type(fault).__name__}: {lines[0]}"[:200]


def _form_figures(label: str, measured: FormFigures, ideal: float) -> Iterator[Figure]:
    """`ideal` are the seconds of a picture at the machine's matrix rate."""
    mean = sum(measured.durations) / len(measured.durations)
    yield from duration_figures("picture_ms", measured.durations, f"_{label}")
    yield Figure(f"picture_fps_{label}", 1000 / mean, "pictures/s")
    yield Figure(f"matrix_share_{label}", 100 * ideal / (mean / 1000), "%")
    yield Figure(f"memory_{label}", measured.memory, "MiB")


@torch.inference_mode()
def measure(variant: NetworkForm, weights: Weights, bed: TestBed, seconds: float) -> FormFigures:
    """Build one form and let it run for `seconds`, for the bed's `least` pictures at least."""
    torch.compiler.reset()
    if bed.real:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    given = [torch.tensor(array, device=bed.device) for array in latent(weights)]
    once = _by_events if bed.real else _by_clock
    with _multiplied(variant.kind, variant.race):
        run = variant.build(weights, given, bed)
        picture = run().float().cpu()
        durations: list[float] = []
        while len(durations) < bed.least or sum(durations) < 1000 * seconds:
            durations.append(once(run))
    memory = torch.cuda.max_memory_allocated() / 2**20 if bed.real else math.nan
    return FormFigures(durations, memory, picture)


@contextmanager
def _multiplied(kind: NumberKind, race: bool = False) -> Iterator[None]:
    """Lets torch round float32 factors to TF32 or forbids it, in convolutions and products alike."""
    cudnn, matmul, tf32 = torch.backends.cudnn, torch.backends.cuda.matmul, kind == "tf32"
    before, matmul.allow_tf32 = matmul.allow_tf32, tf32
    try:
        with cudnn.flags(enabled=True, benchmark=race, deterministic=not race, allow_tf32=tf32):
            yield
    finally:
        matmul.allow_tf32 = before


def _by_events(run: Callable[[], object]) -> float:
    """Milliseconds from the first to the last operation of a run, as the GPU's stream saw them."""
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    start.record()
    run()
    end.record()
    end.synchronize()
    return float(start.elapsed_time(end))


def _by_clock(run: Callable[[], object]) -> float:
    begun = stopwatch()
    run()
    return 1000 * (stopwatch() - begun)


def matrix_rate(bed: TestBed, kind: NumberKind) -> float:
    """Operations a second of the fastest of some products of large matrices."""
    dtype = getattr(torch, bed.half) if kind == "half" else torch.float32
    values = np.random.default_rng(0).standard_normal((2, bed.matrix, bed.matrix), np.float32)
    a, b = torch.from_numpy(values).to(bed.device, dtype)
    once = _by_events if bed.real else _by_clock
    with torch.inference_mode(), _multiplied(kind):
        fastest = min(once(lambda: a @ b) for _ in range(ROUNDS))
    return 2 * bed.matrix**3 / (fastest / 1000)


def operations(weights: Weights) -> float:
    """Additions and multiplications of a picture's convolutions and products, as plain torch makes them."""
    synthesis = build_network(weights).to("meta")
    given = [torch.empty(array.shape, device="meta") for array in latent(weights)]
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        synthesis(*given)
    return float(counter.get_total_flops())


def latent(weights: Weights) -> list[Floats]:
    """What a network takes for the picture of one seed, its controls at their defaults."""
    config, kind = weights.config, family(weights.config.family)
    z = np.random.default_rng(0).standard_normal((1, config.space.z_dim), np.float32)
    labels = np.eye(1, config.space.c_dim, dtype=np.float32) if config.space.c_dim else None
    ws = np.repeat(kind.mapping(weights)(z, labels), config.space.num_ws, 0)
    controls = {parameter.name: parameter.default for parameter in config.parameters}
    return [np.ascontiguousarray(ws, np.float32), *kind.inputs(weights)(controls)]


def psnr(picture: Tensor, reference: Tensor) -> float:
    """Peak signal-to-noise ratio of pictures of -1..1, dB; what lies beyond is cut off, as on the screen."""
    error = (picture.clamp(-1, 1).double() - reference.clamp(-1, 1).double()).square().mean().item()
    return 10 * math.log10(4 / error) if error else math.inf
