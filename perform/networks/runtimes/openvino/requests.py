"""Inference requests: compiled graphs in a row, whose inputs and outputs stay in the same arrays."""

from __future__ import annotations

from io import BytesIO
from itertools import cycle

import numpy as np
import openvino as ov

from perform.arrays import AnyArray, Floats
from perform.networks.runtimes.openvino.nodes import GraphNode


class Runner:
    """Compiled graphs in a row with two sets of requests in turn, each with arrays of its own: a
    picture stays whole while the next one is made."""

    def __init__(self, parts: list[tuple[GraphNode, str]], names: tuple[str, ...]) -> None:
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
        """Reset the memories of the bends."""
        for memory in self._memories.values():
            memory.fill(0)

    def exported(self) -> list[memoryview]:
        """The compiled parts as bytes."""
        stream = [BytesIO() for _ in self._parts]
        for part, into in zip(self._parts, stream, strict=True):
            part.export_model(into)
        return [into.getbuffer() for into in stream]

    def __call__(self, ws: Floats, *inputs: Floats) -> AnyArray:
        return next(self._requests)(ws, *inputs)


class _Request:
    """Requests of all compiled parts for one picture, with fixed arrays for inputs and outputs.

    `names` are the inputs in order; all requests share the `memories` of the bends.
    """

    def __init__(
        self, compiled: list[GraphNode], names: tuple[str, ...], memories: dict[str, Floats]
    ) -> None:
        self._names, self._memories = names, memories
        self._requests = [part.create_infer_request() for part in compiled]
        self._picture = _picture_array(compiled[-1], self._requests[-1])
        self._given: dict[str, Floats] = {}
        self._takers: dict[str, list[GraphNode]] = {}
        self._kept: list[tuple[Floats, GraphNode]] = []
        for part, request in zip(compiled, self._requests, strict=True):
            for port in part.inputs:
                self._takers.setdefault(port.get_any_name(), []).append(request)
        for part, request in zip(compiled, self._requests, strict=True):
            for name in {name for port in part.outputs for name in port.get_names()}:
                self._pass_on(name, request)  # what a bend keeps may be what the next part takes
        for name, memory in memories.items():
            self._set(name, memory)

    def _pass_on(self, name: str, request: GraphNode) -> None:
        """Connect a part's output to the parts that take it, or keep it as a memory."""
        if name.startswith("kept"):
            memory = self._memories[name.replace("kept", "memory")]
            self._kept.append((memory, request.get_tensor(name)))
        for taker in self._takers.get(name, ()):
            taker.set_tensor(name, request.get_tensor(name))

    def __call__(self, *arrays: Floats) -> AnyArray:
        for name, array in zip(self._names, arrays, strict=True):
            if self._given.get(name) is not array:
                self._set(name, array)
        for request in self._requests:
            request.infer()
        for memory, kept in self._kept:
            np.copyto(memory, kept.data)
        picture: AnyArray = self._picture[0]
        return picture

    def _set(self, name: str, array: Floats) -> None:
        self._given[name] = array
        for taker in self._takers.get(name, ()):
            taker.set_tensor(name, ov.Tensor(array, shared_memory=True))


def _picture_array(part: GraphNode, request: GraphNode) -> AnyArray:
    """The array that a request writes its picture to: `pixels` or, as floats, `image`."""
    port = next(port for port in part.outputs if port.get_any_name() in ("pixels", "image"))
    page = np.zeros(tuple(port.shape), np.uint8 if port.get_any_name() == "pixels" else np.float32)
    request.set_tensor(port.get_any_name(), ov.Tensor(page, shared_memory=True))
    return page
