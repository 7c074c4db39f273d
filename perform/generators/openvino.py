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
EXACT_BLOCKS = (0, 2, 3, 4)  # coarse blocks tried in float32: none, to 8², to 16², to 32²
HINTS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVino(Base):
    """A generator on the CPU. `threads` 0 leaves their number to OpenVINO.

    In bfloat16 the coarsest `exact_blocks` are computed in float32 where the picture needs it:
    what is rounded there is what all later layers build on, and they are cheap. When even that is
    not near enough to float32, `precision` is float32 and `reason` says so.
    """

    def __init__(self, weights: Weights, precision: Precision = "auto", threads: int = 0) -> None:
        core = ov.Core()
        chosen, reason = _precision(core, precision)
        self.exact_blocks = 0
        self._runner = _Runner(core, weights, HINTS[chosen], threads)
        if chosen == "bfloat16" and precision == "auto":
            chosen, reason = self._refine(core, weights, threads)
        super().__init__(weights, "cpu", chosen, reason)

    def _refine(self, core: Any, weights: Weights, threads: int) -> tuple[str, str]:
        """Make as many coarse blocks exact as the picture needs, or all."""
        exact = _Runner(core, weights, "f32", threads)
        for blocks in EXACT_BLOCKS:
            if blocks >= weights.config.blocks:
                break
            if blocks:
                self._runner = _Runner(core, weights, "bf16", threads, blocks)
            self.exact_blocks = blocks
            quality = _quality(weights, self._runner, exact)
            if quality >= LEAST_PSNR:
                return "bfloat16", ""
        self._runner, self.exact_blocks = exact, weights.config.blocks
        return "float32", f"bfloat16 is {quality:.0f} dB from float32, must be {LEAST_PSNR:.0f} or more"

    def close(self) -> None:
        """Give the compiled networks back."""
        vars(self).pop("_runner", None)

    def _picture(self, ws: Floats, noise: Floats, strength: float) -> Pixels:
        return self._runner(ws, noise, strength)


class _Runner:
    """The compiled graph with two sets of requests in turn, each with arrays of its own: a picture
    stays whole while the next one is made. The first `exact` blocks are compiled in float32."""

    def __init__(self, core: Any, weights: Weights, hint: str, threads: int, exact: int = 0) -> None:
        parts = [(graph(weights, 0, exact), "f32"), (graph(weights, exact, None, hint == "f32"), hint)]
        compiled = [
            core.compile_model(part, "CPU", _settings(its_hint, threads))
            for part, its_hint in (parts if exact else parts[1:])
        ]
        self._requests = cycle([_Request(compiled), _Request(compiled)])

    def __call__(self, ws: Floats, noise: Floats, strength: float) -> Pixels:
        return next(self._requests)(ws, noise, strength)


class _Request:
    """One picture's way through the compiled parts; what goes in and out stays in the same arrays."""

    def __init__(self, compiled: list[Any]) -> None:
        self._requests = [part.create_infer_request() for part in compiled]
        self._ws = np.zeros(tuple(compiled[0].input("ws").shape), np.float32)
        self._strength = np.zeros(1, np.float32)
        self._pixels = np.zeros(tuple(compiled[-1].output("pixels").shape), np.uint8)
        self._noise: Floats | None = None
        self._set("ws", self._ws)
        self._set("strength", self._strength)
        self._requests[-1].set_tensor("pixels", ov.Tensor(self._pixels, shared_memory=True))
        for name in ("features", "picture")[: len(compiled[0].outputs)] if len(compiled) > 1 else ():
            self._requests[1].set_tensor(name, self._requests[0].get_tensor(name))

    def __call__(self, ws: Floats, noise: Floats, strength: float) -> Pixels:
        self._ws[:], self._strength[:] = ws, strength
        if self._noise is not noise:
            self._noise = noise
            self._set("noise", noise)
        for request in self._requests:
            request.infer()
        picture: Pixels = self._pixels[0]
        return picture

    def _set(self, name: str, array: Floats) -> None:
        for request in self._requests:
            request.set_tensor(name, ov.Tensor(array, shared_memory=True))


def _settings(hint: str, threads: int) -> dict[str, Any]:
    return {
        "INFERENCE_PRECISION_HINT": hint,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # the drawing needs the same cores
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
