"""A family's torch network as an OpenVINO graph, for families without a graph made by hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from perform.arrays import Floats
from perform.networks.bending import Bend, pack_values
from perform.networks.blending import BlendTensors
from perform.networks.families import family
from perform.networks.runtimes.openvino.bending import convert_module
from perform.networks.runtimes.openvino.nodes import GraphNode
from perform.networks.runtimes.torch.network import build_network
from perform.networks.weights import Weights

EXACT = (0,)  # all or nothing is computed in float32


def parts(
    weights: Weights, hint: str, exact: int = 0, bends: Sequence[Bend] = (), other: BlendTensors | None = None
) -> list[tuple[GraphNode, str]]:
    """The whole synthesis as one ov.Model with its hint: ws and the family's inputs by name to `image`."""
    kind, config = family(weights.config.family), weights.config
    defaults = {parameter.name: parameter.default for parameter in config.parameters}
    given: list[Floats] = [np.zeros((config.space.num_ws, config.space.w_dim), np.float32)]
    given += kind.inputs(weights)(defaults)
    given += [np.full(1, 0.5, np.float32)] if other else []
    given += [pack_values(bends, ())] if bends else []
    module = build_network(weights, bends=bends, other=other)
    example = [torch.tensor(array) for array in given]
    memories = module(*example)[1:]
    more = [name for name, there in (("blend", other), ("bend", bends)) if there]
    names = ["ws", *kind.INPUTS, *more, *(f"memory{i}" for i in range(len(memories)))]
    model = convert_module(module, [*example, *memories])
    for port, name in zip(model.inputs, names, strict=True):
        port.get_tensor().set_names({name})
    for i, port in enumerate(model.outputs):
        port.get_tensor().set_names({f"kept{i - 1}" if i else "image"})
    return [(model, hint)]
