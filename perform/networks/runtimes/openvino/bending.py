"""Bends inside graphs made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from openvino import opset13 as op

from perform.networks.bending import Bend
from perform.networks.runtimes.openvino.nodes import GraphNode, named_result


class BendInserter:
    """Inserts bends while a graph is made: called with a layer's name and its output, it returns the bent
    activations. `parameters` and `results` are the graph's additional inputs and outputs."""

    def __init__(self, bends: Sequence[Bend]) -> None:
        self._bends = bends
        self.parameters: list[GraphNode] = []
        self.results: list[GraphNode] = []
        if bends:
            self._values = op.parameter([sum(bend.count for bend in bends)], np.float32, name="bend")
            self.parameters.append(self._values)
            counts = np.array([bend.count for bend in bends], np.int64)
            self._parts = op.variadic_split(self._values, np.int64(0), counts).outputs()

    def __call__(self, layer: str, node: GraphNode) -> GraphNode:
        for place, bend in enumerate(self._bends):
            if bend.layer == layer:
                node = self._bent(place, bend, node)
        return node

    def _bent(self, place: int, bend: Bend, node: GraphNode) -> GraphNode:
        given = [node.output(0), self._parts[place]]
        shape = list(node.get_output_shape(0))
        if bend.remembers:
            memory = op.parameter(shape, np.float32, name=f"memory{place}")
            self.parameters.append(memory)
            given.append(memory.output(0))
        model = _converted(bend, given)
        for inner, outer in zip(model.get_parameters(), given, strict=True):
            for target in inner.output(0).get_target_inputs():
                target.replace_source_output(outer)
        node = model.get_results()[0].input_value(0).get_node()
        if bend.remembers:
            self.results.append(named_result(node, f"kept{place}"))
        return node


def _converted(bend: Bend, given: Sequence[GraphNode]) -> GraphNode:
    """A bend of some ports as a graph of its own. Torch is imported only when there are bends."""
    import torch

    from perform.networks.runtimes.openvino.conversion import convert_module
    from perform.networks.runtimes.torch.bending import BendLayer

    return convert_module(BendLayer(bend), [torch.zeros(list(port.get_shape())) for port in given])
