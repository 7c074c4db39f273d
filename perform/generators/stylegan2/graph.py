"""StyleGAN2's synthesis as OpenVINO graphs, from latents to pictures.

Made for one picture at a time. The convolutions' weights are constants, so that the plugin can
lay them out once: activations are scaled by the styles on their way in and demodulated on their
way out, which the plugin fuses with noise, bias and activation into one pass. Forms that were
tried and lost are in docs/performance-generator.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import sqrt
from typing import Any, TypeAlias

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as op

from perform.generators.bending import Bend
from perform.generators.blending import Second
from perform.generators.stylegan2 import noise_sizes, winograd
from perform.generators.weights import Weights

Node: TypeAlias = Any  # OpenVINO's Python package carries no types
Shaped: TypeAlias = Callable[[NDArray[np.float32]], NDArray[np.float32]]

SLOPE = 0.2
EPSILON = 1e-8
EXACT = (0, 2, 3, 4)  # coarse blocks that may be in float32 when the rest is not: none, to 8², 16², 32²


def parts(
    weights: Weights,
    hint: str,
    exact: int = 0,
    bends: Sequence[Bend] = (),
    other: Second | None = None,
) -> list[tuple[Node, str]]:
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
    other: Second | None = None,
) -> Node:
    """The blocks first..stop as an ov.Model (all of them by default), to be compiled in float32 if `exact`.

    ws [num_ws, w_dim], noise [values of all layers] and strength [1] give `image` [1, c, h, w]. A
    part that stops early gives `features` and, in the skip architecture, `picture`; a part that
    begins later takes them.
    """
    stop = weights.config.blocks if stop is None else stop
    if other is None:
        return Synthesis(weights, first, stop, exact, _splicer(bends)).model()
    from perform.generators.stylegan2.blended import Blended

    return Blended(weights, first, stop, exact, _splicer(bends), other).model()


def _splicer(bends: Sequence[Bend]) -> Any:
    """What sets bends into the graph; without any, torch is not needed."""
    if not bends:
        return None
    from perform.generators.runtimes.splice import Splicer

    return Splicer(bends)


def floats(value: Any) -> Node:
    """A constant."""
    return op.constant(np.asarray(value, np.float32))


def _whole(value: Any) -> Node:
    return op.constant(np.asarray(value, np.int64))


def _spread(vector: Node, channels: int) -> Node:
    """[1, channels] -> [1, channels, 1, 1]."""
    return op.reshape(vector, _whole([1, channels, 1, 1]), False)


def _result(node: Node, name: str) -> Node:
    node.output(0).get_tensor().set_names({name})
    return op.result(node)


class Synthesis:
    """A graph in the making."""

    def __init__(self, weights: Weights, first: int, stop: int, exact: bool, splicer: Any) -> None:
        self.first, self.stop, self.exact, self.splicer = first, stop, exact, splicer
        self.config, self.arrays = weights.config, weights.arrays
        config = self.config
        self.ws = op.parameter([config.space.num_ws, config.w_dim], np.float32, name="ws")
        self.noise = op.parameter([sum(noise_sizes(config))], np.float32, name="noise")
        self.strength = op.parameter([1], np.float32, name="strength")
        self.more: list[Node] = []  # further parameters
        self.noises = self._noises()
        self.kernel = self._array("resample_filter") * 4  # a quarter is lost to the zeros between pixels

    def model(self) -> Node:
        given = self._given()
        features, picture = self._drawn(*given)
        if self.stop == self.config.blocks:
            results = [_result(picture, "image")]
        else:
            results = [_result(features, "features")]
            results += [_result(picture, "picture")] if picture is not None else []
        parameters = [self.ws, self.noise, self.strength, *self.more]
        parameters += [node for node in given if node is not None and self.first]
        if self.splicer:
            parameters += self.splicer.parameters
            results += self.splicer.results
        return ov.Model(results, parameters, "synthesis")

    def _given(self) -> tuple[Node, Node | None]:
        """What the first block begins with: the constant, or the features and picture of a part before."""
        if not self.first:
            return self._value("b4.const", lambda const: const[None]), None
        height, width = self.config.noise_shape(2 * self.first - 2)
        shape = [1, self.config.channels[2 * self.first - 1], height, width]
        features = op.parameter(shape, np.float32, name="features")
        if not self.config.shows(self.first - 1):
            return features, None
        shape = [1, self.config.image_channels, height, width]
        return features, op.parameter(shape, np.float32, name="picture")

    def _array(self, name: str) -> NDArray[np.float32]:
        return self.arrays[f"synthesis.{name}"]

    def _noises(self) -> list[Node]:
        config = self.config
        scaled = op.multiply(self.noise, self.strength)
        parts = op.variadic_split(scaled, _whole(0), _whole(noise_sizes(config)))
        shapes = [config.noise_shape(layer) for layer in range(len(config.layers))]
        outputs = zip(parts.outputs(), shapes, strict=True)
        return [op.reshape(part, _whole([1, 1, *shape]), False) for part, shape in outputs]

    def _drawn(self, x: Node, picture: Node | None) -> tuple[Node, Node | None]:
        """Features and picture after the blocks of this part."""
        for block in range(self.first, self.stop):
            x = self._block(x, block, max(2 * block - 1, 0))
            if self.config.shows(block):
                shown = self._to_rgb(x, 2 * block + 1, f"b{4 << block}.torgb")
                picture = shown if picture is None else op.add(shown, self._enlarged(picture))
        return x, picture

    def _block(self, x: Node, block: int, layer: int) -> Node:
        if not block:
            return self._layer(x, layer)
        y = self._layer(x, layer)
        if self.config.architecture != "resnet":
            return self._layer(y, layer + 1)
        y = self._layer(y, layer + 1, sqrt(0.5))
        return op.add(y, self._skip(x, f"b{4 << block}.skip.weight"))

    def _style(self, row: int, name: str, gain: float = 1.0) -> Node:
        """The affine of ws[row]: [1, channels]."""
        w = op.gather(self.ws, _whole([row]), _whole(0))
        product = self._product(w, f"{name}.affine.weight", gain / sqrt(self.config.w_dim))
        return op.add(product, self._value(f"{name}.affine.bias", lambda bias: bias[None] * gain))

    def _layer(self, x: Node, layer: int, gain: float = 1.0) -> Node:
        """A modulated convolution with its noise, bias and activation; every second one doubles the size."""
        name = self.config.layers[layer]
        outputs, inputs = self._array(f"{name}.weight").shape[:2]
        weight = f"{name}.weight", 1 / (3 * sqrt(inputs))
        gain *= sqrt(2)  # a leaky ReLU is homogeneous: its gain is folded into what is added up before it
        style = self._style(layer, name)
        power = self._power(op.multiply(style, style), *weight)
        demodulation = op.multiply(op.power(op.add(power, floats(EPSILON)), floats(-0.5)), floats(gain))
        x = op.multiply(x, _spread(style, inputs))
        x = self._weighted(x, *weight, up=layer % 2 == 1)
        noise = op.multiply(self.noises[layer], self._value(f"{name}.noise_strength", lambda a: a * gain))
        bias = self._value(f"{name}.bias", lambda bias: bias[None, :, None, None] * gain)
        x = op.add(op.add(op.multiply(x, _spread(demodulation, outputs)), noise), bias)
        x = self._clamped(op.prelu(x, floats([SLOPE])), gain / sqrt(2))
        return self.splicer(name, x) if self.splicer else x

    def _to_rgb(self, x: Node, row: int, name: str) -> Node:
        inputs = self._array(f"{name}.weight").shape[1]
        style = self._style(row, name, 1 / sqrt(inputs))
        x = self._weighted(op.multiply(x, _spread(style, inputs)), f"{name}.weight", 1.0)
        bias = self._value(f"{name}.bias", lambda bias: bias[None, :, None, None])
        return self._clamped(op.add(x, bias), 1.0)

    def _skip(self, x: Node, name: str) -> Node:
        return self._enlarged(self._weighted(x, name, sqrt(0.5 / self._array(name).shape[1])))

    def _value(self, name: str, shaped: Shaped) -> Node:
        """A tensor, shaped for its use by a linear function."""
        return floats(shaped(self._array(name)))

    def _product(self, vector: Node, name: str, factor: float) -> Node:
        """[1, inputs] times a matrix [outputs, inputs], scaled."""
        return op.matmul(vector, floats(self._array(name) * factor), False, True)

    def _power(self, squares: Node, name: str, factor: float) -> Node:
        """What a convolution makes of the squares of styles [1, inputs]: [1, outputs]."""
        power = np.square(self._array(name) * np.float32(factor)).sum((2, 3))
        return op.matmul(squares, floats(power), False, True)

    def _weighted(self, x: Node, name: str, factor: float, up: bool = False) -> Node:
        """The convolution of x with a scaled weight."""
        weight = self._array(name) * np.float32(factor)
        return self._upward(x, weight) if up else self._convolved(x, weight)

    def _clamped(self, x: Node, gain: float) -> Node:
        clamp = self.config.clamp
        return x if clamp is None else op.clamp(x, -clamp * gain, clamp * gain)

    def _convolved(self, x: Node, weight: NDArray[np.float32]) -> Node:
        height, width = (int(size) for size in x.get_output_shape(0)[2:])
        if self.exact and winograd.pays(weight, height, width):
            return winograd.convolved(x, weight, height, width)
        pad = [weight.shape[2] // 2] * 2
        return op.convolution(x, floats(weight), [1, 1], pad, pad, [1, 1])

    def _upward(self, x: Node, weight: NDArray[np.float32]) -> Node:
        """Transposed convolution [h, w] -> [2h + 1, 2w + 1], then the filter -> [2h, 2w]."""
        outputs = weight.shape[0]
        transposed = floats(weight.transpose(1, 0, 2, 3))
        x = op.convolution_backprop_data(
            x, transposed, strides=[2, 2], pads_begin=[0, 0], pads_end=[0, 0], dilations=[1, 1]
        )
        kernel = np.broadcast_to(self.kernel[::-1, ::-1], (outputs, 1, 1, 4, 4))
        return op.group_convolution(x, floats(kernel.copy()), [1, 1], [1, 1], [1, 1], [1, 1])

    def _enlarged(self, x: Node) -> Node:
        """Twice the size through the filter; a full kernel, since few channels come here."""
        channels = x.get_output_partial_shape(0)[1].get_length()
        kernel = np.einsum("io,hw->iohw", np.eye(channels), self.kernel)
        return op.convolution_backprop_data(
            x, floats(kernel), strides=[2, 2], pads_begin=[1, 1], pads_end=[1, 1], dilations=[1, 1]
        )
