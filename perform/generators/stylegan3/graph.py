"""StyleGAN3's synthesis as OpenVINO graphs, from latents to pictures.

Made for one picture at a time. What costs elsewhere, activating on a grid twice or four times as fine, is
done in phases (`phases`): small depthwise convolutions at the layer's own rate whose sums the plugin
fuses. Where a layer crops, its convolution makes only what is read. As in StyleGAN2's graph activations
are scaled on their way in and demodulated on their way out. The input's waves are products of waves
along each axis. Forms that were tried and lost are in docs/stylegan3.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import pi, sqrt
from typing import TypeAlias

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as op

from perform.arrays import AnyArray, Floats
from perform.generators.stylegan2 import winograd
from perform.generators.stylegan3.config import Config
from perform.generators.stylegan3.phases import Axis, Choice, Phase, Taps, axis
from perform.networks.bending import Bend
from perform.networks.blending import BlendTensors
from perform.networks.runtimes.openvino.bending import BendInserter
from perform.networks.runtimes.openvino.nodes import (
    GraphNode,
    constant,
    cut,
    integers,
    named_result,
    per_channel,
    times,
)
from perform.networks.runtimes.openvino.tensors import WeightNodes, weight_nodes
from perform.networks.weights import Weights

Grid: TypeAlias = list[list[GraphNode]]

SLOPE = 0.2
EPSILON = 1e-8
STRIP, LEAST_ROWS = 5 << 19, 16  # bytes that a phase of a strip may have, and rows that it has at least
WIDE, LARGE = 96, 160 * 160  # channels from which, and pixels to which, Winograd's convolution pays
EXACT = (0, 2, 4, 6, 8, 10, 12)  # layers that may be in float32 when the rest is not; the input always is


def parts(
    weights: Weights, hint: str, exact: int = 0, bends: Sequence[Bend] = (), other: BlendTensors | None = None
) -> list[tuple[GraphNode, str]]:
    """The synthesis as graphs in a row, each with the precision to compile it in.

    The input and the first `exact` layers are in float32: waves need phases that are right to far less
    than a turn, and what is rounded early is what all later layers build on.
    """
    config = weights.config_as(Config)
    odd = any(up % down for up, down in zip(config.ups, config.downs, strict=True))
    odd = odd or any(len(shape) == 2 for shape in config.up_filters)  # no network of the paper is so
    if odd:
        from perform.networks.runtimes.openvino import conversion

        return conversion.parts(weights, hint, exact, bends, other)
    if hint == "f32":
        return [(graph(weights, bends=bends, other=other), hint)]
    exact = min(exact, config.depth - 1)
    early = graph(weights, None, exact, True, bends, other)
    return [(early, "f32"), (graph(weights, exact, None, False, bends, other), hint)]


def graph(
    weights: Weights,
    first: int | None = None,
    stop: int | None = None,
    exact: bool = True,
    bends: Sequence[Bend] = (),
    other: BlendTensors | None = None,
) -> GraphNode:
    """The layers first..stop as an ov.Model; first None: the input comes before them, stop None: to the end;
    to be compiled in float32 if `exact`.

    ws [num_ws, w_dim] and the transform [3, 3] give `image` [1, c, h, w]. A part that stops early gives
    `features`, which a part that begins later takes instead of the transform.
    """
    config, bent = weights.config_as(Config), BendInserter(bends)
    synthesis = _Synthesis(config, weight_nodes(weights, other), exact)
    if first is None:
        given = op.parameter([3, 3], np.float32, name="transform")
        x = bent("input", synthesis.waves(given))
    else:
        width, height = config.sizes[first]
        x = given = op.parameter([1, config.channels[first], height, width], np.float32, name="features")
    for layer in range(first or 0, config.depth if stop is None else stop):
        x = bent(config.layers[layer], synthesis.layer(x, layer))
    x, name = (x, "features") if stop is not None else (op.multiply(x, constant(config.scale)), "image")
    taken = [synthesis.ws, given, *synthesis.tensors.parameters, *bent.parameters]
    return ov.Model([named_result(x, name), *bent.results], taken, "synthesis")


class _Synthesis:
    def __init__(self, config: Config, used: WeightNodes, exact: bool) -> None:
        self.config, self.tensors, self.exact = config, used, exact
        self.ws = op.parameter([config.space.num_ws, config.w_dim], np.float32, name="ws")

    def waves(self, transform: GraphNode) -> GraphNode:
        """The input, [1, channels, height, width].

        sin(a + b) = sin a cos b + cos a sin b: a sine for each row and each column instead of each pixel.
        """
        config = self.config
        freqs, phases = self._placed(transform)  # [channels, 2], [channels, 1]
        lengths = op.sqrt(op.reduce_sum(op.multiply(freqs, freqs), integers([1]), True))
        nyquist = config.sampling / 2
        heights = op.divide(op.subtract(constant(nyquist), lengths), constant(nyquist - config.bandwidth))
        heights = op.clamp(heights, 0.0, 1.0)  # fades what would alias
        x, y = ((np.arange(size) + 0.5 - size / 2)[None] / config.sampling for size in config.sizes[0])
        across = op.add(op.multiply(cut(freqs, 0, 1, 1), constant(x)), phases)
        across, down = (
            op.multiply(turns, constant(2 * pi))
            for turns in (across, op.multiply(cut(freqs, 1, 2, 1), constant(y)))
        )
        columns = [
            op.unsqueeze(op.multiply(wave(across), heights), integers([0, 2])) for wave in (op.sin, op.cos)
        ]
        rows = [op.unsqueeze(wave(down), integers([0, 3])) for wave in (op.cos, op.sin)]
        x = op.add(op.multiply(columns[0], rows[0]), op.multiply(columns[1], rows[1]))
        factor = 1 / sqrt(config.channels[0])
        mixed = self.tensors.value("input.weight", lambda weight: weight[:, :, None, None] * factor)
        return op.convolution(x, mixed, [1, 1], [0, 0], [0, 0], [1, 1])

    def _placed(self, transform: GraphNode) -> tuple[GraphNode, GraphNode]:
        """Frequencies [channels, 2] and phases [channels, 1] where the latent and the transform put them."""
        value = self.tensors.value
        across, phases = value("input.freqs", lambda a: a), value("input.phases", lambda a: a[:, None])
        down = value("input.freqs", lambda a: a[:, ::-1] * (1, -1))
        place = self.tensors.affine(self.ws, 0, "input")
        direction = cut(place, 0, 2, 1)
        length = op.sqrt(op.reduce_sum(op.multiply(direction, direction), integers([1]), True))
        place = op.divide(place, length)
        cos, sin, shift = cut(place, 0, 1, 1), cut(place, 1, 2, 1), cut(place, 2, 4, 1)
        turned = op.add(op.multiply(across, cos), op.multiply(down, sin))
        linear, moved = cut(cut(transform, 0, 2, 0), 0, 2, 1), cut(cut(transform, 0, 2, 0), 2, 3, 1)
        offset = op.subtract(op.transpose(moved, integers([1, 0])), shift)  # [1, 2]
        phases = op.add(phases, op.matmul(turned, offset, False, True))
        return op.matmul(turned, linear, False, False), phases

    def layer(self, x: GraphNode, layer: int) -> GraphNode:
        """A modulated convolution, and its activation, free of aliasing."""
        config, value, name = self.config, self.tensors.value, self.config.layers[layer]
        style = self.tensors.affine(self.ws, layer + 1, name)
        magnitude = value(f"{name}.magnitude_ema", np.ravel)
        if config.colours(layer):
            factor = gain = 1.0
            factor /= sqrt(config.channels[layer] * config.kernels[layer] ** 2)
            scale = op.power(magnitude, constant(-0.5))
        else:
            factor = gain = sqrt(2)  # that a leaky ReLU comes with, before it: it is homogeneous
            scale = self._demodulation(style, name, magnitude)
        across, down = self._axes(layer)
        x = self._convolved(op.multiply(x, per_channel(style)), f"{name}.weight", factor, across, down)
        bias = value(f"{name}.bias", lambda bias: bias[None, :, None, None] * gain)
        return self._activated(op.add(op.multiply(x, per_channel(scale)), bias), layer, across, down)

    def _demodulation(self, style: GraphNode, name: str, magnitude: GraphNode) -> GraphNode:
        """What brings a convolution's variance back to 1, [1, outputs].

        The original scales weights and styles to a mean square of 1 first, which demodulation takes out
        again but for the epsilon.
        """

        def summed(squares: Floats) -> Floats:
            mean = squares.mean((1, 2, 3))[:, None]
            return np.asarray(squares.sum((2, 3)) + mean * (EPSILON / squares.shape[1]), np.float32)

        power = times(op.multiply(style, style), self.tensors.power(f"{name}.weight", summed))
        return op.power(op.multiply(power, magnitude), constant(-0.5))

    def _filter(self, layer: int, kind: str) -> Taps:
        there = getattr(self.config, f"{kind}_filters")[layer]
        taps = self.tensors.array(f"{self.config.layers[layer]}.{kind}_filter") if there else np.ones(1)
        return np.asarray(taps, np.float64)

    def _axes(self, layer: int) -> tuple[Axis, Axis]:
        config = self.config
        taps = self._filter(layer, "up")
        shape = config.down_filters[layer] or (1,)
        made = [
            axis(
                config.sizes[layer][i] + config.kernels[layer] - 1,
                config.sizes[layer + 1][i],
                config.ups[layer],
                config.downs[layer],
                config.paddings[layer][2 * i],
                taps,
                shape[-1 - i] if len(shape) == 2 else shape[0],
            )
            for i in range(2)
        ]
        return made[0], made[1]

    def _convolved(self, x: GraphNode, name: str, factor: float, across: Axis, down: Axis) -> GraphNode:
        """The convolution with a scaled weight; the axes are the part of its input that is used."""
        weight = self.tensors.array(name)
        reach, pads = weight.shape[2] - 1, []
        for dimension, used in ((2, down), (3, across)):
            size = x.get_output_shape(0)[dimension]
            pads.append((max(reach - used.first, 0), max(used.last - size, 0)))
            x = cut(x, max(used.first - reach, 0), min(used.last, size), dimension)
        begins, ends = zip(*pads, strict=True)
        made = down.last - down.first, across.last - across.first
        if self.exact and self.tensors.fixed(name) and _winograd_pays(weight, *made):
            return _winograd(x, weight * np.float32(factor), begins, ends)
        scaled = self.tensors.value(name, lambda weight: weight * factor)
        return op.convolution(x, scaled, [1, 1], list(begins), list(ends), [1, 1])

    def _activated(self, x: GraphNode, layer: int, across: Axis, down: Axis) -> GraphNode:
        """Upsampled, activated, downsampled; large pictures in strips of rows that stay in the cache."""
        most = STRIP // (4 * x.get_output_shape(0)[1] * across.fine)
        strips = down.strips(max(most, LEAST_ROWS))
        done = [self._strip(cut(x, s.first, s.last, 2), layer, across, s) for s in strips]
        return op.concat(done, 2) if len(done) > 1 else done[0]

    def _strip(self, x: GraphNode, layer: int, across: Axis, down: Axis) -> GraphNode:
        columns = [_up(x, phase, across, 3) for phase in across.ups]
        fine = [[self._active(_up(x, phase, down, 2), layer) for phase in down.ups] for x in columns]
        taps = self._filter(layer, "down")
        rows = _radial(fine, taps, across, down) if taps.ndim == 2 else _separable(fine, taps, across, down)
        return _interleaved(rows, across.out, down.out)

    def _active(self, x: GraphNode, layer: int) -> GraphNode:
        clamp = self.config.clamp
        x = x if self.config.colours(layer) else op.prelu(x, constant([SLOPE]))
        return x if clamp is None else op.clamp(x, -clamp, clamp)


def _depthwise(
    x: GraphNode, kernel: AnyArray, begins: tuple[int, int] = (0, 0), ends: tuple[int, int] = (0, 0)
) -> GraphNode:
    """The same kernel [rows, columns] over each channel."""
    channels = x.get_output_shape(0)[1]
    if kernel.shape == (1, 1) and kernel[0, 0] == 1 and begins == ends == (0, 0):
        return x
    weight = constant(np.broadcast_to(kernel, (channels, 1, 1, *kernel.shape)))
    return op.group_convolution(x, weight, [1, 1], list(begins), list(ends), [1, 1])


def _winograd_pays(weight: NDArray[np.float32], height: int, width: int) -> bool:
    """Whether a convolution that makes so many pixels was measured to be faster that way."""
    return weight.shape[2] == 3 and min(weight.shape[:2]) >= WIDE and height * width <= LARGE


def _winograd(
    x: GraphNode, weight: NDArray[np.float32], begins: tuple[int, int], ends: tuple[int, int]
) -> GraphNode:
    """A 3x3 convolution with padding, as `winograd` makes it: of whole tiles and a padding of its own of
    one pixel, which is what begins and ends are set to and the rest cut off."""
    befores, afters, sides, cuts = [], [], [], []
    for size, begin, end in zip(x.get_output_shape(0)[2:], begins, ends, strict=True):
        before, skipped, made = max(begin - 1, 0), int(begin == 0), size + begin + end - 2
        side = -(-max(skipped + made, size + before) // winograd.TILE) * winograd.TILE
        befores.append(before)
        afters.append(side - size - before)
        sides.append(side)
        cuts.append((skipped, skipped + made))
    x = op.pad(
        x, integers([0, 0, *befores]), integers([0, 0, *afters]), "constant", op.constant(np.float32(0))
    )
    x = winograd.convolved(x, weight, sides[0], sides[1])
    return cut(cut(x, *cuts[0], 2), *cuts[1], 3)


def _up(x: GraphNode, phase: Phase, axis: Axis, dimension: int) -> GraphNode:
    """One phase of x along a dimension."""
    taps, before, after = phase.fitted(axis.last - axis.first, axis.fine)
    if dimension == 3:
        return _depthwise(x, taps[None], (0, before), (0, after))
    return _depthwise(x, taps[:, None], (before, 0), (after, 0))


def _chosen(taps: Taps, choice: Choice) -> Taps:
    """The taps of the flipped filter [t] that a phase uses."""
    return np.where(choice >= 0, taps[::-1][choice], 0)


def _sum(nodes: list[GraphNode]) -> GraphNode:
    """Added up one after the other: each addition becomes a part of the convolution before it."""
    total = nodes[0]
    for node in nodes[1:]:
        total = op.add(total, node)
    return total


def _separable(fine: Grid, taps: Taps, across: Axis, down: Axis) -> Grid:
    """Fine phases [column][row] to output phases [row][column], one axis after the other."""
    rows = []
    for choices in down.downs:
        kernels = [_chosen(taps, choice)[:, None] for choice in choices]
        columns = [_sum([_depthwise(x, k) for x, k in zip(xs, kernels, strict=True)]) for xs in fine]
        rows.append(columns)
    across_kernels = [[_chosen(taps, choice)[None] for choice in choices] for choices in across.downs]
    return [
        [_sum([_depthwise(x, k) for x, k in zip(row, kernels, strict=True)]) for kernels in across_kernels]
        for row in rows
    ]


def _radial(fine: Grid, taps: Taps, across: Axis, down: Axis) -> Grid:
    """The same with a filter [rows, columns] of both axes at once."""
    flipped = taps[::-1, ::-1]

    def summed(rows: tuple[Choice, ...], columns: tuple[Choice, ...]) -> GraphNode:
        pairs = product(range(len(columns)), range(len(rows)))
        return _sum([_depthwise(fine[c][r], _both(flipped, rows[r], columns[c])) for c, r in pairs])

    return [[summed(rows, columns) for columns in across.downs] for rows in down.downs]


def _both(flipped: Taps, rows: Choice, columns: Choice) -> Taps:
    there = (rows >= 0)[:, None] & (columns >= 0)
    return np.where(there, flipped[np.ix_(rows, columns)], 0)


def _interleaved(rows: Grid, width: int, height: int) -> GraphNode:
    """Output phases [row][column] put in turn."""
    if len(rows) == 1:
        return rows[0][0]
    stacked = op.concat([node for row in rows for node in row], 1)
    return cut(cut(op.depth_to_space(stacked, "blocks_first", len(rows)), 0, height, 2), 0, width, 3)
