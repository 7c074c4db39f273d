"""Any family on a CPU through OpenVINO, in float32 or, where the processor has it, bfloat16."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from importlib import import_module
from io import BytesIO
from itertools import cycle
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as op

from perform.arrays import Floats, Pixels
from perform.networks import ModelError, Precision
from perform.networks.bending import Bend
from perform.networks.blending import Second
from perform.networks.runtimes import cache
from perform.networks.runtimes.base import Base, psnr
from perform.networks.weights import Controls, Weights, family_module

LEAST_PSNR = 40.0  # dB against float32; below it bfloat16 is not played
JUDGED = 16  # untruncated latents, none of which may be below; of 64 others one in twenty was, by 2 dB
HINTS = {"float32": "f32", "bfloat16": "bf16"}


@functools.cache
def core() -> ov.Core:
    """The process's only one, for good: OpenVINO 2026.4 gives each a stack for signals, and where two have
    gone the thread keeps one that is freed: the next signal, say a polite kill, is a segmentation fault."""
    return ov.Core()


class OpenVino(Base):
    """A generator on the CPU. `threads` 0 leaves their number to OpenVINO.

    In bfloat16 as much is computed in float32 as the picture needs, of what the family's graph
    offers (`exact` says how much). When even that is not near enough to float32, `precision` is
    float32 and `reason` says so. `elsewhere` is called to leave the compiled form in the cache.
    """

    def __init__(
        self,
        weights: Weights,
        precision: Precision = "auto",
        threads: int = 0,
        bends: Sequence[Bend] = (),
        other: Second | None = None,
        elsewhere: Callable[[], None] | None = None,
    ) -> None:
        chosen, reason = _precision(core(), precision)
        super().__init__(weights, "cpu", chosen, reason, bends, other)
        self._threads, self.exact = threads, 0
        machine = core().get_property("CPU", "FULL_DEVICE_NAME")
        name = cache.key(weights, other, self.bends, precision, threads, ov.get_version(), machine)
        found = self._restore(name)
        if not found and elsewhere:
            elsewhere()
            found = self._restore(name)
        if not found:
            self._runner = self._compiled(weights, HINTS[chosen])
            if chosen == "bfloat16" and precision == "auto":
                self._refine(weights)
                self._runner.forget()
            facts = {"precision": self.precision, "reason": self.reason, "exact": self.exact}
            cache.save(name, facts | {"hints": self._runner.hints}, self._runner.exported())

    def _restore(self, name: str) -> bool:
        """Take what was compiled before, if it is there and whole."""
        found = cache.load(name)
        if found is None:
            return False
        facts, blobs = found
        try:
            parts = [
                (core().import_model(BytesIO(blob), "CPU", _settings(hint, self._threads)), hint)
                for blob, hint in zip(blobs, facts["hints"], strict=True)
            ]
        except (RuntimeError, KeyError, ValueError):
            cache.discard(name)
            return False
        self._runner = Runner(parts, self._names)
        self.precision, self.reason, self.exact = (facts[fact] for fact in ("precision", "reason", "exact"))
        return True

    def _compiled(self, weights: Weights, hint: str, exact: int = 0) -> Runner:
        graphs = graphs_of(weights.config.family).parts(weights, hint, exact, self.bends, self.other)
        return Runner(compiled(core(), graphs, self._threads), self._names)

    def drawing(self, weights: Weights) -> Callable[[Floats, Controls | None], Floats]:
        """What draws as `synthesise` does, of the weights that this was opened with, but gives the picture
        as the network does: [channels, height, width], about -1..1."""
        graphs = graphs_of(weights.config.family).parts(
            weights, HINTS[self.precision], self.exact, self.bends, self.other
        )
        runner = Runner(compiled(core(), graphs, self._threads, shown=False), self._names)
        return lambda ws, controls: runner(*self._taken(ws, controls)).copy()

    def _refine(self, weights: Weights) -> None:
        """Compute as much in float32 as the picture needs, or all."""
        whole, quality = self._compiled(weights, "f32"), 0.0
        latents, inputs = self._judged(), self._inputs({})
        references = [whole(ws, *inputs).copy() for ws in latents]
        for exact in graphs_of(weights.config.family).EXACT:
            if exact:
                self._runner, self.exact = self._compiled(weights, "bf16", exact), exact
            quality = self._quality(latents, inputs, references)
            if quality >= LEAST_PSNR:
                return
        self._runner, self.precision = whole, "float32"
        self.reason = f"bfloat16 is {quality:.0f} dB from float32, must be {LEAST_PSNR:.0f} or more"

    def _judged(self) -> list[Floats]:
        """The latents that pictures are compared on, as ws; of several classes where there are any."""
        space = self.space
        z = np.random.default_rng(0).standard_normal((JUDGED, space.z_dim), np.float32)
        labels = [
            np.eye(1, space.c_dim, i % space.c_dim, np.float32) if space.c_dim else None
            for i in range(JUDGED)
        ]
        pairs = zip(z, labels, strict=True)
        return [np.repeat(self.map(one[None], label), space.num_ws, 0) for one, label in pairs]

    def _quality(
        self, latents: Sequence[Floats], inputs: tuple[Floats, ...], references: Sequence[Pixels]
    ) -> float:
        """The worst PSNR against reference pictures, dB; the first that is not enough is enough to know."""
        self._runner.forget()
        worst = float("inf")
        for ws, reference in zip(latents, references, strict=True):
            worst = min(worst, psnr(self._runner(ws, *inputs), reference))
            if worst < LEAST_PSNR:
                break
        return worst

    def close(self) -> None:
        """Give the compiled networks back."""
        vars(self).pop("_runner", None)

    def _picture(self, ws: Floats, *inputs: Floats) -> Pixels:
        picture: Pixels = self._runner(ws, *inputs)
        return picture


def graphs_of(name: str) -> Any:
    """The module that makes a family's graphs: its own, or the conversion of its torch network."""
    return family_module(name, "graph") or import_module("perform.networks.runtimes.convert")


def compiled(
    core: Any, graphs: list[tuple[Any, str]], threads: int, shown: bool = True
) -> list[tuple[Any, str]]:
    """Graphs in a row, compiled each with its hint, the last to give pixels, or if not `shown` floats."""
    if shown:
        graphs[-1] = pixels(graphs[-1][0]), graphs[-1][1]
    return [(core.compile_model(graph, "CPU", _settings(hint, threads)), hint) for graph, hint in graphs]


class Runner:
    """Compiled graphs in a row with two sets of requests in turn, each with arrays of its own: a
    picture stays whole while the next one is made."""

    def __init__(self, parts: list[tuple[Any, str]], names: tuple[str, ...]) -> None:
        self._parts = compiled = [part for part, _ in parts]
        self.hints = [hint for _, hint in parts]
        self._memories = memories = {
            port.get_any_name(): np.zeros(tuple(port.shape), np.float32)
            for part in compiled
            for port in part.inputs
            if port.get_any_name().startswith("memory")
        }
        self._requests = cycle([_Request(compiled, names, memories) for _ in range(2)])

    def forget(self) -> None:
        """Let what the bends remember be as in the beginning."""
        for memory in self._memories.values():
            memory.fill(0)

    def exported(self) -> list[memoryview]:
        """The compiled parts as bytes."""
        stream = [BytesIO() for _ in self._parts]
        for part, into in zip(self._parts, stream, strict=True):
            part.export_model(into)
        return [into.getbuffer() for into in stream]

    def __call__(self, ws: Floats, *inputs: Floats) -> Any:
        return next(self._requests)(ws, *inputs)


class _Request:
    """One picture's way through the compiled parts; what goes in and out stays in the same arrays.

    `names` are the inputs in order; `memories` hold what the bends remember, for every request.
    """

    def __init__(self, compiled: list[Any], names: tuple[str, ...], memories: dict[str, Floats]) -> None:
        self._names, self._memories = names, memories
        self._requests = [part.create_infer_request() for part in compiled]
        self._picture = _page(compiled[-1], self._requests[-1])
        self._given: dict[str, Floats] = {}
        self._takers: dict[str, list[Any]] = {}
        self._kept: list[tuple[Floats, Any]] = []
        for part, request in zip(compiled, self._requests, strict=True):
            for port in part.inputs:
                self._takers.setdefault(port.get_any_name(), []).append(request)
        for part, request in zip(compiled, self._requests, strict=True):
            for name in {name for port in part.outputs for name in port.get_names()}:
                self._pass_on(name, request)  # what a bend keeps may be what the next part takes
        for name, memory in memories.items():
            self._set(name, memory)

    def _pass_on(self, name: str, request: Any) -> None:
        """Give a part's output to the parts that take it, or keep it as a memory."""
        if name.startswith("kept"):
            memory = self._memories[name.replace("kept", "memory")]
            self._kept.append((memory, request.get_tensor(name)))
        for taker in self._takers.get(name, ()):
            taker.set_tensor(name, request.get_tensor(name))

    def __call__(self, *arrays: Floats) -> NDArray[Any]:
        for name, array in zip(self._names, arrays, strict=True):
            if self._given.get(name) is not array:
                self._set(name, array)
        for request in self._requests:
            request.infer()
        for memory, kept in self._kept:
            np.copyto(memory, kept.data)
        picture: NDArray[Any] = self._picture[0]
        return picture

    def _set(self, name: str, array: Floats) -> None:
        self._given[name] = array
        for taker in self._takers.get(name, ()):
            taker.set_tensor(name, ov.Tensor(array, shared_memory=True))


def _page(part: Any, request: Any) -> NDArray[Any]:
    """The array that a request writes its picture to: `pixels` or, as floats, `image`."""
    port = next(port for port in part.outputs if port.get_any_name() in ("pixels", "image"))
    page = np.zeros(tuple(port.shape), np.uint8 if port.get_any_name() == "pixels" else np.float32)
    request.set_tensor(port.get_any_name(), ov.Tensor(page, shared_memory=True))
    return page


def pixels(graph: Any) -> Any:
    """A graph that gives `image` [1, c, h, w] of -1..1, ended with `pixels` uint8 [1, h, w, c]: cut off
    below as the field's tools do."""
    image = graph.output("image").get_node().input_value(0)
    scaled = op.add(op.multiply(image, np.float32(127.5)), np.float32(128.0))
    last = op.transpose(op.clamp(scaled, 0.0, 255.0), np.array([0, 2, 3, 1]))
    bytes_ = op.convert(last, "u8")
    bytes_.output(0).get_tensor().set_names({"pixels"})
    others = [result for result in graph.get_results() if "image" not in result.output(0).get_names()]
    return ov.Model([op.result(bytes_), *others], graph.get_parameters(), graph.get_name())


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
