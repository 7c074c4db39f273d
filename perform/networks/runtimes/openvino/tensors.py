"""A network's tensors as nodes of a graph made by hand, or those of two networks mixed by a live share.

The weights of two networks are mixed in the graph for each picture, which reads both once. Convolutions with
twice the inputs, whose weights are constants that the plugin lays out once, took half as long again. What is
quadratic in the weights (the power by which demodulation divides) comes from three constant matrices.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import sqrt
from typing import TypeAlias

import numpy as np
from openvino import opset13 as op

from perform.arrays import AnyArray, Floats
from perform.networks.blending import BlendTensors
from perform.networks.runtimes.openvino.nodes import GraphNode, constant, integers, times
from perform.networks.weights import Weights

Shaped: TypeAlias = Callable[[Floats], AnyArray]

PREFIX = "synthesis."  # of the tensors that graphs are made of


class WeightNodes:
    """The tensors of a network by their names without `synthesis.`, as nodes of its graph.

    `parameters` are the inputs that the graph needs for them.
    """

    def __init__(self, arrays: Mapping[str, Floats]) -> None:
        self._arrays = arrays
        self.parameters: list[GraphNode] = []

    def array(self, name: str) -> Floats:
        """A tensor that is never mixed, or, of one that is mixed, its shape."""
        return self._arrays[PREFIX + name]

    def fixed(self, name: str) -> bool:
        """Whether a tensor is a constant."""
        return True

    def value(self, name: str, shaped: Shaped) -> GraphNode:
        """A tensor, after a linear function of it."""
        return constant(shaped(self.array(name)))

    def power(self, name: str, summed: Shaped) -> GraphNode:
        """A linear function of the squares of a tensor."""
        return constant(summed(np.square(self.array(name))))

    def affine(self, ws: GraphNode, row: int, name: str, gain: float = 1.0) -> GraphNode:
        """The affine layer of ws[row] that a name has, times a gain: [1, outputs]."""
        factor = gain / sqrt(self.array(f"{name}.affine.weight").shape[1])
        matrix = self.value(f"{name}.affine.weight", lambda weight: weight * factor)
        bias = self.value(f"{name}.affine.bias", lambda bias: bias[None] * gain)
        return op.add(times(op.gather(ws, integers([row]), integers(0)), matrix), bias)


class BlendedWeightNodes(WeightNodes):
    """The same with a share of a second network's tensors; the graph takes it as `blend` [1]."""

    def __init__(self, arrays: Mapping[str, Floats], other: BlendTensors) -> None:
        super().__init__(arrays)
        self._others = other.arrays
        self._share = op.parameter([1], np.float32, name="blend")
        self.parameters.append(self._share)

    def fixed(self, name: str) -> bool:
        return PREFIX + name not in self._others

    def value(self, name: str, shaped: Shaped) -> GraphNode:
        one = super().value(name, shaped)
        if self.fixed(name):
            return one
        return self._mixed(one, constant(shaped(self._others[PREFIX + name])))

    def power(self, name: str, summed: Shaped) -> GraphNode:
        one = super().power(name, summed)
        if self.fixed(name):
            return one
        other = self._others[PREFIX + name]
        cross = constant(summed(self.array(name) * other))
        its = constant(summed(np.square(other)))
        return self._mixed(self._mixed(one, cross), self._mixed(cross, its))  # the square of a sum

    def _mixed(self, one: GraphNode, other: GraphNode) -> GraphNode:
        return op.add(one, op.multiply(op.subtract(other, one), self._share))


def weight_nodes(weights: Weights, other: BlendTensors | None) -> WeightNodes:
    """The nodes of one network, or of two."""
    return WeightNodes(weights.arrays) if other is None else BlendedWeightNodes(weights.arrays, other)
