"""Torch modules as OpenVINO graphs: whole networks, and bends inside graphs made by hand."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import openvino as ov
import torch
from openvino import opset13 as op
from openvino._offline_transformations import apply_moc_transformations
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from torch import Tensor, nn

from perform.networks.bending import Bend
from perform.networks.runtimes.openvino.nodes import GraphNode, named_result
from perform.networks.runtimes.torch.bending import BendLayer


def convert_module(module: nn.Module, example: Sequence[Tensor]) -> GraphNode:
    """A torch module as an ov.Model of fixed shapes, its inputs in the order of the example."""
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit, which OpenVINO converts from
        # As openvino.convert_model does, which also sends telemetry.
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(module.eval(), example_input=tuple(example))
        model = frontend.convert(frontend.load(decoder))
        apply_moc_transformations(model, cf=False, smart_reshape=True)
    for node, tensor in zip(model.inputs, example, strict=True):
        node.get_node().set_partial_shape(ov.PartialShape(list(tensor.shape)))
    model.validate_nodes_and_infer_types()
    return model


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
        model = convert_module(BendLayer(bend), [torch.zeros(list(port.get_shape())) for port in given])
        for inner, outer in zip(model.get_parameters(), given, strict=True):
            for target in inner.output(0).get_target_inputs():
                target.replace_source_output(outer)
        node = model.get_results()[0].input_value(0).get_node()
        if bend.remembers:
            self.results.append(named_result(node, f"kept{place}"))
        return node
