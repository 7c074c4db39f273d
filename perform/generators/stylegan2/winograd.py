"""3x3 convolution in 4 multiplications for each output value instead of 9, as OpenVINO graph nodes.

Winograd's F(4x4, 3x3) (Lavin and Gray 2016, Fast algorithms for convolutional neural networks): tiles
of 6x6 values are transformed, multiplied by transformed weights in 36 matrix products, and
transformed back to 4x4. OpenVINO has no such convolution of its own. In float32 it is within 6e-6 of
the direct one; in bfloat16 its error is ten times the direct one's (3.6 %), so it is for float32 only.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from openvino import opset13 as op

from perform.networks.runtimes.openvino.nodes import GraphNode, cut, integers

TILE = 4
LEAST_CHANNELS = 128  # with fewer, moving the tiles costs more than the products save
LEAST_PIXELS, MOST_PIXELS = 16 * 16, 128 * 128  # below, the transformed weights are the load

INPUT = (
    (4, 0, -5, 0, 1, 0),
    (0, -4, -4, 1, 1, 0),
    (0, 4, -4, -1, 1, 0),
    (0, -2, -1, 2, 1, 0),
    (0, 2, -1, -2, 1, 0),
    (0, 4, 0, -5, 0, 1),
)
WEIGHT = np.array(
    [
        [1 / 4, 0, 0],
        [-1 / 6, -1 / 6, -1 / 6],
        [-1 / 6, 1 / 6, -1 / 6],
        [1 / 24, 1 / 12, 1 / 6],
        [1 / 24, -1 / 12, 1 / 6],
        [0, 0, 1],
    ]
)
OUTPUT = ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1))


def pays(weight: NDArray[np.float32], height: int, width: int) -> bool:
    """Whether a convolution of this size was measured to be faster this way."""
    whole = height % TILE == 0 and width % TILE == 0
    return (
        whole
        and weight.shape[2:] == (3, 3)
        and min(weight.shape[:2]) >= LEAST_CHANNELS
        and LEAST_PIXELS <= height * width <= MOST_PIXELS
    )


def convolved(x: GraphNode, weight: NDArray[np.float32], height: int, width: int) -> GraphNode:
    """x [1, inputs, h, w] with weight [outputs, inputs, 3, 3], padded by one, to [1, outputs, h, w]."""
    outputs, inputs = weight.shape[:2]
    down, across = height // TILE, width // TILE
    # One matrix product: as an einsum it was one for each pair of channels, minutes once torch was loaded.
    kernels = np.kron(WEIGHT, WEIGHT) @ weight.transpose(2, 3, 1, 0).reshape(9, -1)
    products = op.constant(kernels.reshape(36, inputs, outputs).astype(np.float32, order="C"))
    x = op.transpose(x, integers([0, 2, 3, 1]))
    x = op.pad(x, integers([0, 1, 1, 0]), integers([0, 3, 3, 0]), "constant", op.constant(np.float32(0)))
    x = op.reshape(x, integers([down + 1, TILE, across + 1, TILE, inputs]), False)
    rows = _combined(INPUT, _taps(x, 0, down))
    tiles = [tile for row in rows for tile in _combined(INPUT, _taps(row, 2, across))]
    flat = [op.reshape(tile, integers([1, down * across, inputs]), False) for tile in tiles]
    y = op.matmul(op.concat(flat, 0), products, False, False)
    y = op.reshape(y, integers([6, 6, down, across, outputs]), False)
    lines = [_row(line, down, across, outputs) for line in _combined(OUTPUT, _parts(y, 0))]
    y = op.reshape(op.concat(lines, 1), integers([1, height, width, outputs]), False)
    return op.transpose(y, integers([0, 3, 1, 2]))


def _taps(x: GraphNode, axis: int, tiles: int) -> list[GraphNode]:
    """The six values that each tile reads along an axis of (tiles + 1, 4): two are the next tile's."""
    chosen = (cut(x, tap % TILE, tap % TILE + 1, axis + 1) for tap in range(6))
    return [cut(part, tap // TILE, tap // TILE + tiles, axis) for tap, part in enumerate(chosen)]


def _parts(x: GraphNode, axis: int) -> list[GraphNode]:
    return [cut(x, part, part + 1, axis) for part in range(6)]


def _row(line: GraphNode, down: int, across: int, outputs: int) -> GraphNode:
    """One row of each tile's outputs: [1, 6, down, across, c] -> [down, 1, across, 4, c]."""
    columns = _combined(OUTPUT, _parts(line, 1))
    return op.concat([op.reshape(c, integers([down, 1, across, 1, outputs]), False) for c in columns], 3)


def _combined(matrix: Sequence[Sequence[int]], values: Sequence[GraphNode]) -> list[GraphNode]:
    """The matrix times a column of nodes."""
    return [_sum(row, values) for row in matrix]


def _sum(factors: Sequence[int], values: Sequence[GraphNode]) -> GraphNode:
    total = None
    for factor, value in zip(factors, values, strict=True):
        if factor:
            scaled = value if factor == 1 else op.multiply(value, op.constant(np.float32(factor)))
            total = scaled if total is None else op.add(total, scaled)
    return total
