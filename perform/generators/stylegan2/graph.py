"""StyleGAN2's synthesis as OpenVINO graphs, from latents to pictures.

Made for one picture at a time. The convolutions' weights are constants, so that the plugin can
lay them out once: activations are scaled by the styles on their way in and demodulated on their
way out, which the plugin fuses with noise, bias and activation into one pass. Forms that were
tried and lost are in docs/performance-generator.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import openvino as ov
from openvino import opset13 as op

from perform.generators.noise import noise_sizes
from perform.generators.stylegan2 import Config, winograd
from perform.networks.bending import Bend
from perform.networks.blending import BlendTensors
from perform.networks.runtimes.openvino.bending import BendInserter
from perform.networks.runtimes.openvino.nodes import (
    GraphNode,
    constant,
    integers,
    named_result,
    per_channel,
    times,
)
from perform.networks.runtimes.openvino.tensors import WeightNodes, weight_nodes
from perform.networks.weights import Weights

SLOPE = 0.2
EPSILON = 1e-8
EXACT = (0, 2, 3, 4)  # coarse blocks that may be in float32 when the rest is not: none, to 8², 16², 32²


def parts(
    weights: Weights, hint: str, exact: int = 0, bends: Sequence[Bend] = (), other: BlendTensors | None = None
) -> list[tuple[GraphNode, str]]:
    """The synthesis as graphs in a row, each with the precision to compile it in.

    What is rounded in the coarse blocks is what all later layers build on, and they are cheap: the
    first `exact` blocks are in float32. OpenVINO's mark that should keep single nodes in float32
    changed nothing, hence two graphs.
    """
    last = (graph(weights, exact, None, hint == "f32", bends, other), hint)
    return [(graph(weights, 0, exact, True, bends, other), "f32"), last] if exact else [last]


def graph(
    weights: Weights,
    first: int = 0,
    stop: int | None = None,
    exact: bool = True,
    bends: Sequence[Bend] = (),
    other: BlendTensors | None = None,
) -> GraphNode:
    """The blocks first..stop as an ov.Model (all of them by default), to be compiled in float32 if `exact`.

    ws [num_ws, w_dim], noise [values of all layers] and strength [1] give `image` [1, c, h, w]. A
    part that stops early gives `features` and, in the skip architecture, `picture`; a part that
    begins later takes them.
    """
    config = weights.config_as(Config)
    stop = config.blocks if stop is None else stop
    used = weight_nodes(weights, other)
    return _Synthesis(config, used, first, stop, exact, BendInserter(bends)).model()


@dataclass
class _Synthesis:
    """A graph in the making: the blocks first..stop."""

    config: Config
    tensors: WeightNodes
    first: int
    stop: int
    exact: bool
    bends: BendInserter

    def __post_init__(self) -> None:
        config = self.config
        self.ws = op.parameter([config.space.num_ws, config.w_dim], np.float32, name="ws")
        self.noise = op.parameter([sum(noise_sizes(config))], np.float32, name="noise")
        self.strength = op.parameter([1], np.float32, name="strength")
        self.noises = self._noises()
        # A quarter is lost to the zeros between pixels
        self.kernel = self.tensors.array("resample_filter") * 4

    def model(self) -> GraphNode:
        given = self._given()
        features, picture = self._drawn(*given)
        if self.stop == self.config.blocks:
            results = [named_result(picture, "image")]
        else:
            results = [named_result(features, "features")]
            results += [named_result(picture, "picture")] if picture is not None else []
        parameters = [self.ws, self.noise, self.strength, *self.tensors.parameters]
        parameters += [node for node in given if node is not None and self.first]
        return ov.Model(results + self.bends.results, parameters + self.bends.parameters, "synthesis")

    def _given(self) -> tuple[GraphNode, GraphNode | None]:
        """What the first block begins with: the constant, or the features and picture of a part before."""
        if not self.first:
            return self.tensors.value("b4.const", lambda const: const[None]), None
        height, width = self.config.noise_shape(2 * self.first - 2)
        shape = [1, self.config.channels[2 * self.first - 1], height, width]
        features = op.parameter(shape, np.float32, name="features")
        if not self.config.shows(self.first - 1):
            return features, None
        shape = [1, self.config.image_channels, height, width]
        return features, op.parameter(shape, np.float32, name="picture")

    def _noises(self) -> list[GraphNode]:
        config = self.config
        scaled = op.multiply(self.noise, self.strength)
        parts = op.variadic_split(scaled, integers(0), integers(noise_sizes(config)))
        outputs = zip(parts.outputs(), config.noise_shapes, strict=True)
        return [op.reshape(part, integers([1, 1, *shape]), False) for part, shape in outputs]

    def _drawn(self, x: GraphNode, picture: GraphNode | None) -> tuple[GraphNode, GraphNode | None]:
        """Features and picture after the blocks of this part."""
        for block in range(self.first, self.stop):
            x = self._block(x, block, max(2 * block - 1, 0))
            if self.config.shows(block):
                shown = self._to_rgb(x, 2 * block + 1, f"b{4 << block}.torgb")
                picture = shown if picture is None else op.add(shown, self._enlarged(picture))
        return x, picture

    def _block(self, x: GraphNode, block: int, layer: int) -> GraphNode:
        if not block:
            return self._layer(x, layer)
        y = self._layer(x, layer)
        if self.config.architecture != "resnet":
            return self._layer(y, layer + 1)
        y = self._layer(y, layer + 1, sqrt(0.5))
        return op.add(y, self._skip(x, f"b{4 << block}.skip.weight"))

    def _layer(self, x: GraphNode, layer: int, gain: float = 1.0) -> GraphNode:
        """A modulated convolution with its noise, bias and activation; every second one doubles the size."""
        name = self.config.layers[layer]
        weight, factor = f"{name}.weight", 1 / (3 * sqrt(self.config.channels[layer]))
        gain *= sqrt(2)  # a leaky ReLU is homogeneous: its gain is folded into what is added up before it
        style = self.tensors.affine(self.ws, layer, name)
        squares = op.multiply(style, style)
        power = times(squares, self.tensors.power(weight, lambda square: square.sum((2, 3)) * factor**2))
        demodulation = op.multiply(op.power(op.add(power, constant(EPSILON)), constant(-0.5)), constant(gain))
        convolution = self._upward if layer % 2 else self._convolved
        x = convolution(op.multiply(x, per_channel(style)), weight, factor)
        noise = op.multiply(
            self.noises[layer], self.tensors.value(f"{name}.noise_strength", lambda a: a * gain)
        )
        bias = self.tensors.value(f"{name}.bias", lambda bias: bias[None, :, None, None] * gain)
        x = op.add(op.add(op.multiply(x, per_channel(demodulation)), noise), bias)
        x = self._clamped(op.prelu(x, constant([SLOPE])), gain / sqrt(2))
        return self.bends(name, x)

    def _to_rgb(self, x: GraphNode, row: int, name: str) -> GraphNode:
        inputs = self.tensors.array(f"{name}.weight").shape[1]
        style = self.tensors.affine(self.ws, row, name, 1 / sqrt(inputs))
        x = self._convolved(op.multiply(x, per_channel(style)), f"{name}.weight", 1.0)
        bias = self.tensors.value(f"{name}.bias", lambda bias: bias[None, :, None, None])
        return self._clamped(op.add(x, bias), 1.0)

    def _skip(self, x: GraphNode, name: str) -> GraphNode:
        factor = sqrt(0.5 / self.tensors.array(name).shape[1])
        return self._enlarged(self._convolved(x, name, factor))

    def _clamped(self, x: GraphNode, gain: float) -> GraphNode:
        clamp = self.config.clamp
        return x if clamp is None else op.clamp(x, -clamp * gain, clamp * gain)

    def _convolved(self, x: GraphNode, name: str, factor: float) -> GraphNode:
        """The convolution with a scaled weight."""
        height, width = (int(size) for size in x.get_output_shape(0)[2:])
        weight = self.tensors.array(name)
        if self.exact and self.tensors.fixed(name) and winograd.pays(weight, height, width):
            return winograd.convolved(x, weight * np.float32(factor), height, width)
        pad = [weight.shape[2] // 2] * 2
        scaled = self.tensors.value(name, lambda weight: weight * factor)
        return op.convolution(x, scaled, [1, 1], pad, pad, [1, 1])

    def _upward(self, x: GraphNode, name: str, factor: float) -> GraphNode:
        """Transposed convolution [h, w] -> [2h + 1, 2w + 1], then the filter -> [2h, 2w]."""
        outputs = len(self.tensors.array(name))
        transposed = self.tensors.value(name, lambda weight: weight.transpose(1, 0, 2, 3) * factor)
        x = op.convolution_backprop_data(
            x, transposed, strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 0], dilations=[1, 1]
        )
        kernel = np.broadcast_to(self.kernel[::-1, ::-1], (outputs, 1, 1, 4, 4))
        return op.group_convolution(x, constant(kernel.copy()), [1, 1], [1, 1], [1, 1], [1, 1])

    def _enlarged(self, x: GraphNode) -> GraphNode:
        """Twice the size through the filter; a full kernel, since few channels come here."""
        channels = x.get_output_partial_shape(0)[1].get_length()
        kernel = np.einsum("io,hw->iohw", np.eye(channels), self.kernel)
        return op.convolution_backprop_data(
            x, constant(kernel), strides=[2, 2], pads_begin=[1, 1], pads_end=[1, 1], dilations=[1, 1]
        )
