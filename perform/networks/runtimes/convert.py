"""A family's torch network as an OpenVINO graph: for families without a graph made by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from perform.networks.bending import Bend, packed
from perform.networks.blending import Second
from perform.networks.runtimes.eager import network
from perform.networks.runtimes.splice import converted
from perform.networks.weights import Weights, family

EXACT = (0,)  # nothing is computed in float32 when the rest is not


def parts(
    weights: Weights,
    hint: str,
    exact: int = 0,
    bends: Sequence[Bend] = (),
    other: Second | None = None,
) -> list[tuple[Any, str]]:
    """The whole synthesis as one ov.Model with its hint: ws and the family's inputs by name to `image`."""
    kind, config = family(weights.config.family), weights.config
    defaults = {parameter.name: parameter.default for parameter in config.parameters}
    given = [np.zeros((config.space.num_ws, config.space.w_dim), np.float32)]
    given += kind.inputs(weights)(defaults)
    given += [np.full(1, 0.5, np.float32)] if other else []
    given += [packed(bends, {})] if bends else []
    module = network(weights, bends=bends, other=other)
    example = [torch.tensor(array) for array in given]
    memories = module(*example)[1:]
    more = [name for name, there in (("blend", other), ("bend", bends)) if there]
    names = ["ws", *kind.INPUTS, *more, *(f"memory{i}" for i in range(len(memories)))]
    model = converted(module, [*example, *memories])
    for port, name in zip(model.inputs, names, strict=True):
        port.get_tensor().set_names({name})
    for i, port in enumerate(model.outputs):
        port.get_tensor().set_names({f"kept{i - 1}" if i else "image"})
    return [(model, hint)]
