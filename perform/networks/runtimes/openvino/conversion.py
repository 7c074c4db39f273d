"""A family's torch network as an OpenVINO graph, for families without a graph made by hand."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import numpy as np
import openvino as ov
import torch
from openvino._offline_transformations import apply_moc_transformations
from openvino.frontend import FrontEndManager
from openvino.frontend.pytorch.ts_decoder import TorchScriptPythonDecoder
from torch import Tensor, nn

from perform.networks.bending import Bend
from perform.networks.blending import BlendTensors
from perform.networks.runtimes.inputs import NetworkInputs
from perform.networks.runtimes.openvino.nodes import GraphNode
from perform.networks.runtimes.torch.network import build_network
from perform.networks.weights import Weights

EXACT = (0,)  # all or nothing is computed in float32


def parts(
    weights: Weights, hint: str, exact: int = 0, bends: Sequence[Bend] = (), other: BlendTensors | None = None
) -> list[tuple[GraphNode, str]]:
    """The whole synthesis as one ov.Model with its hint: ws and the family's inputs by name to `image`."""
    space, inputs = weights.config.space, NetworkInputs(weights, bends, other)
    given = [np.zeros((space.num_ws, space.w_dim), np.float32), *inputs()]
    module = build_network(weights, bends=bends, other=other)
    example = [torch.tensor(array) for array in given]
    memories = module(*example)[1:]
    names = ["ws", *inputs.names, *(f"memory{i}" for i in range(len(memories)))]
    model = convert_module(module, [*example, *memories])
    for port, name in zip(model.inputs, names, strict=True):
        port.get_tensor().set_names({name})
    for i, port in enumerate(model.outputs):
        port.get_tensor().set_names({f"kept{i - 1}" if i else "image"})
    return [(model, hint)]


def convert_module(module: nn.Module, example: Sequence[Tensor]) -> GraphNode:
    """A torch module as an ov.Model of fixed shapes, its inputs in the order of the example."""
    with torch.inference_mode(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit, which OpenVINO converts from
        # As openvino.convert_model does, which also sends telemetry.
        frontend = FrontEndManager().load_by_framework("pytorch")
        decoder = TorchScriptPythonDecoder(
            module.eval(), example_input=tuple(example), trace_kwargs={"check_trace": False}
        )  # the check runs and traces the network twice more: most of the time that this takes
        model = frontend.convert(frontend.load(decoder))
        apply_moc_transformations(model, cf=False, smart_reshape=True)
    for node, tensor in zip(model.inputs, example, strict=True):
        node.get_node().set_partial_shape(ov.PartialShape(list(tensor.shape)))
    model.validate_nodes_and_infer_types()
    return model
