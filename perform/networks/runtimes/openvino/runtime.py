"""Networks on a CPU through OpenVINO, in float32 or, where the processor has it, bfloat16."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from importlib import import_module
from io import BytesIO
from typing import Any

import numpy as np
import openvino as ov
from openvino import opset13 as op

from perform.arrays import Floats, Pixels
from perform.clock import processor_seconds
from perform.faults import steps
from perform.networks import ModelError, Precision
from perform.networks.bending import Bend
from perform.networks.blending import BlendTensors
from perform.networks.checkpoints.values import Json
from perform.networks.controls import NetworkValues
from perform.networks.families import family_module
from perform.networks.runtimes.base import Runtime, psnr
from perform.networks.runtimes.openvino import cache
from perform.networks.runtimes.openvino.nodes import GraphNode
from perform.networks.runtimes.openvino.requests import Runner
from perform.networks.weights import Weights

LEAST_PSNR = 40.0  # dB against float32; below that bfloat16 is not used
LEAST_GAIN = 1.1  # times as fast as float32; below that bfloat16 is not used
SPEED_ROUNDS = 8  # pictures of each precision that are timed
JUDGED = 16  # untruncated latents, none of which may be below; of 64 others one in twenty was, by 2 dB
HINTS = {"float32": "f32", "bfloat16": "bf16"}


@functools.cache
def core() -> ov.Core:
    """The only core of the process, never closed. OpenVINO 2026.4 gives each core a stack for signals; after
    two cores are closed the thread keeps a freed one, and the next signal is a segmentation fault."""
    return ov.Core()


class OpenVino(Runtime):
    """A generator on the CPU. `threads` 0 leaves their number to OpenVINO.

    In bfloat16 as many layers as the picture needs are computed in float32, of the choices that the family's
    graph offers (`exact`). If that is too far from float32 or hardly faster, `precision` is float32 and
    `reason` says why.
    `fill_cache` is called to compile the network into the cache.
    """

    def __init__(
        self,
        weights: Weights,
        precision: Precision = "auto",
        threads: int = 0,
        bends: Sequence[Bend] = (),
        other: BlendTensors | None = None,
        fill_cache: Callable[[], None] | None = None,
    ) -> None:
        chosen, reason = _choose_precision(core(), precision)
        super().__init__(weights, "cpu", chosen, reason, bends, other)
        self._threads, self.exact = threads, 0
        machine = core().get_property("CPU", "FULL_DEVICE_NAME")
        name = cache.cache_key(weights, other, self.bends, precision, threads, ov.get_version(), machine)
        found = self._restore(name)
        if not found:
            steps.info("compiling the network: it is kept for the next time")
        if not found and fill_cache:
            fill_cache()
            found = self._restore(name)
        if not found:
            self._runner = self._compiled(weights, HINTS[chosen])
            if chosen == "bfloat16" and precision == "auto":
                self._refine(weights)
                self._runner.forget()
            facts: cache.Facts = {"precision": self.precision, "reason": self.reason, "exact": self.exact}
            cache.save_compiled(name, facts | {"hints": self._runner.hints}, self._runner.exported())

    def _restore(self, name: str) -> bool:
        """Open the compiled network from the cache, if it is there and undamaged."""
        found = cache.load_compiled(name)
        if found is None:
            return False
        facts, blobs = found
        try:
            parts = [
                (core().import_model(BytesIO(blob), "CPU", _plugin_settings(hint, self._threads)), hint)
                for blob, hint in zip(blobs, facts["hints"], strict=True)
            ]
        except (RuntimeError, KeyError, ValueError):
            cache.discard_compiled(name)
            return False
        self._runner = Runner(parts, self._names)
        self.precision, self.reason, self.exact = (facts[fact] for fact in ("precision", "reason", "exact"))
        return True

    def _compiled(self, weights: Weights, hint: str, exact: int = 0, shown: bool = True) -> Runner:
        graphs = graph_module(weights.config.family).parts(weights, hint, exact, self.bends, self.other)
        return Runner(compile_graphs(core(), graphs, self._threads, shown), self._names)

    def drawing(self, weights: Weights) -> Callable[[Floats, NetworkValues], Floats]:
        """What draws as `synthesise` does, of the weights that this was opened with, but gives the picture
        as the network does: [channels, height, width], about -1..1."""
        runner = self._compiled(weights, HINTS[self.precision], self.exact, shown=False)
        return lambda ws, values: runner(*self._taken(ws, values)).copy()

    def _refine(self, weights: Weights) -> None:
        """Compute as many layers in float32 as the picture needs, or all, also if bfloat16 is hardly faster:
        a processor may have the instructions, but run them slowly."""
        whole, quality = self._compiled(weights, "f32"), 0.0
        latents, inputs = self._judged(), self._inputs()
        fast, exact_seconds = least_seconds((self._runner, whole), latents[0], *inputs)
        if exact_seconds < LEAST_GAIN * fast:
            self._keep_float32(
                whole,
                f"bfloat16 takes {1000 * fast:.3g} ms of processor time a picture here, float32 "
                f"{1000 * exact_seconds:.3g}",
            )
            return
        references = [whole(ws, *inputs).copy() for ws in latents]
        for exact in graph_module(weights.config.family).EXACT:
            if exact:
                self._runner, self.exact = self._compiled(weights, "bf16", exact), exact
            quality = self._quality(latents, inputs, references)
            if quality >= LEAST_PSNR:
                return
        self._keep_float32(
            whole, f"bfloat16 is {quality:.0f} dB from float32, must be {LEAST_PSNR:.0f} or more"
        )

    def _keep_float32(self, whole: Runner, reason: str) -> None:
        self._runner, self.precision, self.reason, self.exact = whole, "float32", reason, 0

    def _judged(self) -> list[Floats]:
        """The latents whose pictures are compared, as ws; of several classes if there are classes."""
        space = self.space
        z = np.random.default_rng(0).standard_normal((JUDGED, space.z_dim), np.float32)
        width = space.c_dim
        labels = [np.eye(1, width, i % width, dtype=np.float32) if width else None for i in range(JUDGED)]
        pairs = zip(z, labels, strict=True)
        return [np.repeat(self.map(one[None], label), space.num_ws, 0) for one, label in pairs]

    def _quality(
        self, latents: Sequence[Floats], inputs: tuple[Floats, ...], references: Sequence[Pixels]
    ) -> float:
        """The worst PSNR against reference pictures, dB; it stops at the first that is too low."""
        self._runner.forget()
        worst = float("inf")
        for ws, reference in zip(latents, references, strict=True):
            worst = min(worst, psnr(self._runner(ws, *inputs), reference))
            if worst < LEAST_PSNR:
                break
        return worst

    def close(self) -> None:
        """Release the compiled networks."""
        vars(self).pop("_runner", None)

    def _picture(self, ws: Floats, *inputs: Floats) -> Pixels:
        picture: Pixels = self._runner(ws, *inputs)
        return picture


def least_seconds(runners: Sequence[Runner], ws: Floats, *inputs: Floats) -> list[float]:
    """The processor time of a picture with each runner, in seconds: the least of some rounds in turn. Other
    programs make the time on the clock many times longer, but processor time only a few percent."""
    times: list[list[float]] = [[] for _ in runners]
    for _ in range(1 + SPEED_ROUNDS):  # the first warms up
        for kept, runner in zip(times, runners, strict=True):
            began = processor_seconds()
            runner(ws, *inputs)
            kept.append(processor_seconds() - began)
    return [min(kept[1:]) for kept in times]


def graph_module(name: str) -> Any:
    """The module that makes a family's graphs: its own, or the conversion of its torch network."""
    return family_module(name, "graph") or import_module("perform.networks.runtimes.openvino.conversion")


def compile_graphs(
    core: GraphNode, graphs: list[tuple[GraphNode, str]], threads: int, shown: bool = True
) -> list[tuple[GraphNode, str]]:
    """Graphs in a row, compiled each with its hint, the last to give pixels, or if not `shown` floats."""
    if shown:
        graphs[-1] = with_pixels(graphs[-1][0]), graphs[-1][1]
    return [
        (core.compile_model(graph, "CPU", _plugin_settings(hint, threads)), hint) for graph, hint in graphs
    ]


def with_pixels(graph: GraphNode) -> GraphNode:
    """A graph that gives `image` [1, c, h, w] of -1..1, ended with `pixels` uint8 [1, h, w, c]: cut off
    below as the field's tools do."""
    image = graph.output("image").get_node().input_value(0)
    scaled = op.add(op.multiply(image, np.float32(127.5)), np.float32(128.0))
    last = op.transpose(op.clamp(scaled, 0.0, 255.0), np.array([0, 2, 3, 1]))
    bytes_ = op.convert(last, "u8")
    bytes_.output(0).get_tensor().set_names({"pixels"})
    others = [result for result in graph.get_results() if "image" not in result.output(0).get_names()]
    return ov.Model([op.result(bytes_), *others], graph.get_parameters(), graph.get_name())


def _plugin_settings(hint: str, threads: int) -> dict[str, Json]:
    return {
        "INFERENCE_PRECISION_HINT": hint,
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1,
        "ENABLE_CPU_PINNING": False,  # the drawing needs the same cores
        "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
    }


def _choose_precision(core: GraphNode, wanted: Precision) -> tuple[str, str]:
    """The precision to try and, if it is not the requested one, the reason."""
    if wanted not in ("auto", *HINTS):
        raise ModelError(f"precision = {wanted!r}, must be auto, float32 or bfloat16 on a CPU")
    if wanted == "float32":
        return "float32", ""
    if "BF16" not in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        return "float32", "the processor has no bfloat16"
    return "bfloat16", ""
