"""StyleGAN2's graph with a live share of a second model's weights in some of its layers.

A plugin lays weights out once, so they stay constants: what is linear in them is computed with both
and mixed, a convolution as one of twice the inputs, and demodulation, which is quadratic, from three
constant matrices. So a share that moves costs nothing more than one that rests: about twice the products of
the layers that are mixed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from openvino import opset13 as op

from perform.generators.blending import Second
from perform.generators.stylegan2.graph import Node, Shaped, Synthesis, floats
from perform.generators.weights import Weights


class Blended(Synthesis):
    """Takes `blend` [1] besides: the second model's share."""

    def __init__(
        self, weights: Weights, first: int, stop: int, exact: bool, splicer: Any, other: Second
    ) -> None:
        super().__init__(weights, first, stop, exact, splicer)
        self._other = {name.removeprefix("synthesis."): array for name, array in other.arrays.items()}
        self._share = op.parameter([1], np.float32, name="blend")
        self._rest = op.subtract(floats(1.0), self._share)
        self.more.append(self._share)

    def _mixed(self, one: Node, other: Node) -> Node:
        return op.add(op.multiply(one, self._rest), op.multiply(other, self._share))

    def _value(self, name: str, shaped: Shaped) -> Node:
        one = super()._value(name, shaped)
        return self._mixed(one, floats(shaped(self._other[name]))) if name in self._other else one

    def _product(self, vector: Node, name: str, factor: float) -> Node:
        one = super()._product(vector, name, factor)
        if name not in self._other:
            return one
        return self._mixed(one, op.matmul(vector, floats(self._other[name] * factor), False, True))

    def _power(self, squares: Node, name: str, factor: float) -> Node:
        one = super()._power(squares, name, factor)
        if name not in self._other:
            return one
        mine, its = self._array(name) * np.float32(factor), self._other[name] * np.float32(factor)
        cross, other = (
            op.matmul(squares, floats(product.sum((2, 3))), False, True)
            for product in (mine * its, its * its)
        )  # the square of a sum
        return self._mixed(self._mixed(one, cross), self._mixed(cross, other))

    def _weighted(self, x: Node, name: str, factor: float, up: bool = False) -> Node:
        if name not in self._other:
            return super()._weighted(x, name, factor, up)
        twice = op.concat([op.multiply(x, self._rest), op.multiply(x, self._share)], 1)
        weight = np.concatenate([self._array(name), self._other[name]], 1) * np.float32(factor)
        return self._upward(twice, weight) if up else self._convolved(twice, weight)
