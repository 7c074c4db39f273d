"""StyleGAN2 on a CPU through OpenVINO, in float32 or, where the processor has it, bfloat16."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
import openvino as ov

from perform.generators import Floats, ModelError, Pixels, Precision
from perform.generators.base import Base, stored_noise
from perform.generators.mapping import mapped
from perform.generators.openvino_graph import graph
from perform.generators.weights import Weights

LEAST_PSNR = 40.0  # dB against float32; below it bfloat16 is not played
JUDGED = 4  # latents on which that is measured
HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVino(Base):
    """A generator on the CPU. `threads` 0 leaves their number to OpenVINO."""

    def __init__(self, weights: Weights, precision: Precision = "auto", threads: int = 0) -> None:
        model, core = graph(weights), ov.Core()
        chosen, reason = _precision(core, precision)
        runner = _Runner(core, model, chosen, threads)
        if precision == "auto" and chosen == "bfloat16":
            exact = _Runner(core, model, "float32", threads)
            quality = _quality(weights, runner, exact)
            if quality < LEAST_PSNR:
                reason = f"bfloat16 is {quality:.0f} dB from float32, must be {LEAST_PSNR:.0f} or more"
                runner, chosen = exact, "float32"
        super().__init__(weights, "cpu", chosen, reason)
        self._runner = runner

    def _picture(self, ws: Floats, noise: Floats, strength: float) -> Pixels:
        return self._runner(ws, noise, strength)


class _Runner:
    """A compiled graph with two requests in turn, each with arrays of its own: a picture stays whole
    while the next one is made."""

    def __init__(self, core: Any, model: Any, precision: str, threads: int) -> None:
        compiled = core.compile_model(model, "CPU", _settings(precision, threads))
        self._requests = cycle([_Request(compiled), _Request(compiled)])

    def __call__(self, ws: Floats, noise: Floats, strength: float) -> Pixels:
        return next(self._requests)(ws, noise, strength)


class _Request:
    def __init__(self, compiled: Any) -> None:
        self._request = compiled.create_infer_request()
        self._ws = np.zeros(tuple(compiled.input("ws").shape), np.float32)
        self._strength = np.zeros(1, np.float32)
        self._pixels = np.zeros(tuple(compiled.output(0).shape), np.uint8)
        self._noise: Floats | None = None
        self._request.set_tensor("ws", ov.Tensor(self._ws, shared_memory=True))
        self._request.set_tensor("strength", ov.Tensor(self._strength, shared_memory=True))
        self._request.set_output_tensor(0, ov.Tensor(self._pixels, shared_memory=True))

    def __call__(self, ws: Floats, noise: Floats, strength: float) -> Pixels:
        self._ws[:], self._strength[:] = ws, strength
        if self._noise is not noise:
            self._noise = noise
            self._request.set_tensor("noise", ov.Tensor(noise, shared_memory=True))
        self._request.infer()
        picture: Pixels = self._pixels[0]
        return picture


def _settings(precision: str, threads: int) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": HINTS[precision],
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # the drawing needs the same cores
        "CPU_DENORMALS_OPTIMIZATION": True,
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
    }


def _precision(core: Any, wanted: Precision) -> tuple[str, str]:
    """The precision to try and, when it is not the one that was asked for, why."""
    if wanted not in ("auto", *HINTS):
        raise ModelError(f"precision = {wanted!r}, must be auto, float32 or bfloat16 on a CPU")
    if wanted == "float32":
        return "float32", ""
    if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return "float32", "the processor has no bfloat16"
    return "bfloat16", ""


def _quality(weights: Weights, runner: _Runner, exact: _Runner) -> float:
    """The worst PSNR of one runner's pictures against another's, dB."""
    z = np.random.default_rng(0).standard_normal((JUDGED, weights.config.z_dim), np.float32)
    layers, noise = weights.config.space.num_ws, stored_noise(weights)
    latents = [np.repeat(w[None], layers, 0) for w in mapped(weights, z)]
    return min(psnr(runner(ws, noise, 1.0), exact(ws, noise, 1.0)) for ws in latents)


def psnr(picture: Pixels, reference: Pixels) -> float:
    """Peak signal-to-noise ratio of two uint8 pictures, dB."""
    error = np.square(picture.astype(np.float64) - reference).mean()
    return float(10 * np.log10(255**2 / error)) if error else float("inf")
