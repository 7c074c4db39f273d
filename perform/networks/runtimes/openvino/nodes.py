"""The nodes that OpenVINO graphs made by hand are built of."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from openvino import opset13 as op

GraphNode: TypeAlias = Any  # a node, graph, port or request: OpenVINO's Python package carries no types


def constant(value: ArrayLike) -> GraphNode:
    """A constant."""
    return op.constant(np.ascontiguousarray(value, np.float32))


def integers(value: ArrayLike) -> GraphNode:
    """A constant of whole numbers."""
    return op.constant(np.asarray(value, np.int64))


def per_channel(vector: GraphNode) -> GraphNode:
    """[1, channels] -> [1, channels, 1, 1]."""
    return op.reshape(vector, integers([1, -1, 1, 1]), False)


def times(vector: GraphNode, matrix: GraphNode) -> GraphNode:
    """[1, inputs] times a matrix [outputs, inputs]: [1, outputs]."""
    return op.matmul(vector, matrix, False, True)


def named_result(node: GraphNode, name: str) -> GraphNode:
    """An output of the graph, by a name beside those that the node has."""
    node.output(0).get_tensor().add_names({name})
    return op.result(node)


def cut(node: GraphNode, begin: int, end: int, axis: int) -> GraphNode:
    """The values begin..end along an axis."""
    if begin == 0 and end >= node.get_output_shape(0)[axis]:
        return node
    return op.slice(node, integers([begin]), integers([end]), integers([1]), integers([axis]))
