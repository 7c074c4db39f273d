"""The shape of a StyleGAN3 generator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from perform.generators.mapping import MappedConfig
from perform.latent.space import Space
from perform.networks import ModelError
from perform.networks.weights import biased
from perform.parameters import Parameter

Pair: TypeAlias = tuple[int, int]
Sides: TypeAlias = tuple[int, int, int, int]  # left, right, top, bottom

PLACE = (
    Parameter("translate_x", 0.0, -4.0, 4.0, "pictures", "how far the picture is moved to the right"),
    Parameter("translate_y", 0.0, -4.0, 4.0, "pictures", "how far the picture is moved down"),
    Parameter("rotate", 0.0, -4.0, 4.0, "turns", "how far the picture is turned, anticlockwise"),
    Parameter("zoom", 1.0, 0.25, 4.0, "", "how much larger the picture is drawn, about its middle"),
)
LARGEST = 1 << 14  # pixels along a side, before or after a layer; larger ones are no network's
LARGEST_FACTOR = 64  # of up- and downsampling, and of the sampling rates of two layers


@dataclass(frozen=True, slots=True)
class Config(MappedConfig):
    """The shape of a StyleGAN3 generator.

    `channels` and `sizes`, (width, height), are those of the input and of the output of each layer; the
    rest of the tuples have an entry for each layer, the last of which makes colours. A layer convolves
    with a kernel of kernels[i] pixels, padded so that every pixel that it touches is kept, upsamples
    ups[i] times, padded by paddings[i] (less than 0: cropped) and filtered, activates, filters and
    downsamples downs[i] times. `up_filters` and `down_filters` are the filters' shapes: () none, (taps,)
    along both axes, (rows, columns) radial. `sampling` is the input's sampling rate in pixels a picture
    and `bandwidth` its highest frequency in waves a picture; `scale` is that of the colours, `clamp`
    limits the activations (None: not), `mapping` has the widths of the mapping's layers, `embed` is the
    width of the label's embedding and `rate` the mapping's learning-rate multiplier.
    """

    family: ClassVar[str] = "stylegan3"
    parameters: ClassVar[tuple[Parameter, ...]] = PLACE

    channels: tuple[int, ...]
    sizes: tuple[Pair, ...]
    ups: tuple[int, ...]
    downs: tuple[int, ...]
    up_filters: tuple[tuple[int, ...], ...]
    down_filters: tuple[tuple[int, ...], ...]
    paddings: tuple[Sides, ...]
    kernels: tuple[int, ...]
    sampling: float = 16.0
    bandwidth: float = 2.0
    scale: float = 0.25
    clamp: float | None = 256.0
    z_dim: int = 512
    c_dim: int = 0
    embed: int = 0
    mapping: tuple[int, ...] = (512, 512)
    rate: float = 0.01

    @property
    def depth(self) -> int:
        """How many layers there are; layer i takes ws[i + 1], the input ws[0]."""
        return len(self.kernels)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers' names, in order."""
        outputs = zip(self.sizes[1:], self.channels[1:], strict=True)
        return tuple(f"L{i}_{size[0]}_{channels}" for i, (size, channels) in enumerate(outputs))

    @property
    def bendable(self) -> tuple[str, ...]:
        """The layers whose activations can be bent, coarse to fine."""
        return self.layers[:-1]

    @property
    def space(self) -> Space:
        return Space(self.z_dim, self.w_dim, self.depth + 1, self.c_dim)

    @property
    def size(self) -> Pair:
        """(width, height) of the pictures."""
        return self.sizes[-1]

    @property
    def image_channels(self) -> int:
        return self.channels[-1]

    def colours(self, layer: int) -> bool:
        """Whether a layer is the one that makes colours: it is not demodulated and has no leaky ReLU."""
        return layer == self.depth - 1

    def fine(self, layer: int) -> Pair:
        """(width, height) between a layer's upsampling and its downsampling, where it activates."""
        grown = (side + self.kernels[layer] - 1 for side in self.sizes[layer])
        filters = _both(self.up_filters[layer])
        pads = self.paddings[layer]
        sums = (pads[0] + pads[1], pads[2] + pads[3])
        width, height = (
            side * self.ups[layer] + pad - taps + 1
            for side, pad, taps in zip(grown, sums, filters, strict=True)
        )
        return width, height

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor with its shape, in the order of the network. ModelError where sizes disagree."""
        self._check()
        named = self.mapping_shapes()
        first = self.channels[0]
        named |= {"synthesis.input.weight": (first, first), "synthesis.input.transform": (3, 3)}
        named |= {"synthesis.input.freqs": (first, 2), "synthesis.input.phases": (first,)}
        named |= biased("synthesis.input.affine", (4, self.w_dim))
        for i, name in enumerate(self.layers):
            named |= self._layer(i, f"synthesis.{name}")
        return named

    def _layer(self, i: int, name: str) -> dict[str, tuple[int, ...]]:
        inputs, outputs = self.channels[i : i + 2]
        filters = {"up_filter": self.up_filters[i], "down_filter": self.down_filters[i]}
        return {
            **biased(name, (outputs, inputs, self.kernels[i], self.kernels[i])),
            f"{name}.magnitude_ema": (),
            **{f"{name}.{kind}": shape for kind, shape in filters.items() if shape},
            **biased(f"{name}.affine", (inputs, self.w_dim)),
        }

    def _check(self) -> None:
        """Check that the layers fit together. ModelError names the first that does not."""
        rows = (self.ups, self.downs, self.up_filters, self.down_filters, self.paddings)
        lengths = {len(row) for row in rows} | {len(self.sizes) - 1, len(self.channels) - 1}
        if lengths != {self.depth} or self.depth < 1:
            raise ModelError(f"layers = {self.depth}, but other entries are for {sorted(lengths)}")
        for i, name in enumerate(self.layers):
            factors = self.ups[i], self.downs[i]
            taps = *_both(self.up_filters[i]), *_both(self.down_filters[i])
            sides = (*self.sizes[i], *self.sizes[i + 1], *self.fine(i), *taps, self.kernels[i])
            if not all(1 <= factor <= LARGEST_FACTOR for factor in factors):
                raise ModelError(f"{name}: factors = {factors}, must be 1..{LARGEST_FACTOR}")
            if not all(1 <= side <= LARGEST for side in sides):
                raise ModelError(f"{name}: sizes and taps = {sides}, must be 1..{LARGEST}")
            given = zip(self.fine(i), _both(self.down_filters[i]), strict=True)
            made = tuple((side - taps) // self.downs[i] + 1 for side, taps in given)
            if made != tuple(self.sizes[i + 1]):
                raise ModelError(f"{name} makes {made} pixels, must be {self.sizes[i + 1]}")


def _both(taps: tuple[int, ...]) -> Pair:
    """A filter's taps along x and y."""
    return (taps[-1], taps[0]) if taps else (1, 1)
