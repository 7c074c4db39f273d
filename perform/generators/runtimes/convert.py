"""A family's torch network as an OpenVINO graph: for families without a graph made by hand."""

from __future__ import annotations

from typing import Any

import openvino as ov
import torch

from perform.generators.runtimes.eager import network
from perform.generators.weights import Weights, family

EXACT = (0,)  # nothing is computed in float32 when the rest is not


def parts(weights: Weights, hint: str, exact: int = 0) -> list[tuple[Any, str]]:
    """The whole synthesis as one ov.Model with its hint: ws and the family's inputs by name to `image`."""
    kind, config = family(weights.config.family), weights.config
    names = ("ws", *kind.INPUTS)
    defaults = {parameter.name: float(parameter.default) for parameter in config.parameters}
    example = [torch.zeros(config.space.num_ws, config.space.w_dim)]
    example += [torch.tensor(array) for array in kind.inputs(weights)(defaults)]
    with torch.inference_mode():
        model = ov.convert_model(network(weights), example_input=tuple(example))
    for node, name, tensor in zip(model.inputs, names, example, strict=True):
        node.get_tensor().set_names({name})
        node.get_node().set_partial_shape(ov.PartialShape(list(tensor.shape)))
    model.validate_nodes_and_infer_types()
    model.outputs[0].get_tensor().set_names({"image"})
    return [(model, hint)]
