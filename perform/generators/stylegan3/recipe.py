"""StyleGAN3's design: how sizes, rates and filters follow from a few numbers.

Karras et al. 2021, section 3.2 and appendix C: cutoffs and stopbands grow geometrically from layer to
layer, the sampling rate of a layer is the least power of two that its stopband allows, filters are
Kaiser windowed, sinc along the axes or jinc radially.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from perform.arrays import Doubles, Floats
from perform.generators.stylegan3.config import Config, Pair, Sides

FILTER = 6  # taps for each factor of resampling
OVERSAMPLED = 2  # how much finer the grid of activations is


@dataclass(frozen=True, slots=True)
class Plan:
    """The numbers behind a network of a resolution; the defaults are the paper's.

    `critical` layers sample critically, for sharp details; `first_cutoff` and `first_stopband` are
    the input's in waves a picture, `last_stopband` is a multiple of the last cutoff; `margin` are the
    pixels kept around the picture. `base` and `most` give the channels, twice as many when radial.
    """

    resolution: int
    radial: bool = False
    num_layers: int = 14
    critical: int = 2
    first_cutoff: float = 2.0
    first_stopband: float = 2**2.1
    last_stopband: float = 2**0.3
    margin: int = 10
    base: int = 32768
    most: int = 512

    def _grown(self, first: float, last: float) -> Doubles:
        """From the first to the last value, geometrically, then constant for the critical layers."""
        steps = np.arange(self.num_layers + 1) / (self.num_layers - self.critical)
        return np.asarray(first * (last / first) ** np.minimum(steps, 1))

    @property
    def cutoffs(self) -> Doubles:
        """Of each layer's output, in waves a picture."""
        return self._grown(self.first_cutoff, self.resolution / 2)

    @property
    def _stopbands(self) -> Doubles:
        return self._grown(self.first_stopband, self.resolution / 2 * self.last_stopband)

    @property
    def rates(self) -> tuple[int, ...]:
        """Sampling rates of each layer's output, in pixels a picture."""
        wanted = np.minimum(2 * self._stopbands, self.resolution)
        return tuple(int(rate) for rate in np.exp2(np.ceil(np.log2(wanted))))

    @property
    def half_widths(self) -> Doubles:
        """Half the width of each transition band."""
        return np.asarray(np.maximum(self._stopbands, np.array(self.rates) / 2) - self.cutoffs)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Pixels along a side of each layer's output."""
        return (*(rate + 2 * self.margin for rate in self.rates[:-2]), self.resolution, self.resolution)

    @property
    def channels(self) -> tuple[int, ...]:
        """Of each layer's output but the colours'."""
        more = 2 if self.radial else 1
        wide = np.minimum(more * self.base / 2 / self.cutoffs, more * self.most)
        return tuple(int(channels) for channels in np.rint(wide))[:-1]

    def steps(self) -> list[tuple[int, int, int]]:
        """For each layer the rates of its input, of its activation and of its output."""
        given = (self.rates[0], *self.rates[:-1])
        last = len(self.rates) - 1
        return [
            (before, max(before, after) * (OVERSAMPLED if i < last else 1), after)
            for i, (before, after) in enumerate(zip(given, self.rates, strict=True))
        ]

    def config(self, image_channels: int = 3, **fields: Any) -> Config:
        """The network's shape; `fields` are further ones of `Config`."""
        steps, kernel = self.steps(), 1 if self.radial else 3
        ups = tuple(between // before for before, between, _ in steps)
        downs = tuple(between // after for _, between, after in steps)
        sizes = tuple((size, size) for size in (self.sizes[0], *self.sizes))
        up_filters = tuple((FILTER * up,) if up > 1 else () for up in ups)
        down_filters = tuple(self._down_shape(i, down) for i, down in enumerate(downs))
        kernels = (kernel,) * (len(steps) - 1) + (1,)
        pads = tuple(
            sides(sizes[i], sizes[i + 1], kernels[i], ups[i], downs[i], up_filters[i], down_filters[i])
            for i in range(len(steps))
        )
        channels = (self.channels[0], *self.channels, image_channels)
        rows = (ups, downs, up_filters, down_filters, pads, kernels)
        return Config(channels, sizes, *rows, float(self.rates[0]), self.first_cutoff, **fields)

    def _down_shape(self, layer: int, down: int) -> tuple[int, ...]:
        if down == 1:
            return ()
        radial = self.radial and layer < self.num_layers - self.critical
        return (FILTER * down,) * (2 if radial else 1)

    def filters(self, layer: int) -> tuple[Floats, Floats]:
        """A layer's filters for up- and downsampling; of one tap where it does not resample."""
        before, between, after = self.steps()[layer]
        source = max(layer - 1, 0)
        down = self._down_shape(layer, between // after)
        up = FILTER * (between // before) if between > before else 1
        cut, width = self.cutoffs, 2 * self.half_widths
        designed = jinc if len(down) == 2 else sinc
        taps = down[0] if down else 1
        return sinc(up, cut[source], width[source], between), designed(
            taps, cut[layer], width[layer], between
        )


def sides(
    before: Pair, after: Pair, kernel: int, up: int, down: int, ups: tuple[int, ...], downs: tuple[int, ...]
) -> Sides:
    """The padding that gives a layer's output its size, as even on both sides as it can be."""
    reach = (ups[0] if ups else 1) + (downs[0] if downs else 1) - 2
    padding: list[int] = []
    for given, wanted in zip(before, after, strict=True):
        total = (wanted - 1) * down + 1 - (given + kernel - 1) * up + reach
        low = (total + up) // 2
        padding += [low, total - low]
    left, right, top, bottom = padding
    return left, right, top, bottom


def sinc(taps: int, cutoff: float, width: float, rate: float) -> Floats:
    """A lowpass filter [taps] of sum 1; cutoff and transition width in the unit of the sampling rate."""
    if taps == 1:
        return np.ones(1, np.float32)
    at = np.arange(taps) - (taps - 1) / 2
    wave = np.sinc(2 * cutoff / rate * at) * _window(taps, width, rate)
    return np.asarray(wave / wave.sum(), np.float32)


def jinc(taps: int, cutoff: float, width: float, rate: float) -> Floats:
    """The same for all directions alike, [taps, taps]."""
    at = np.arange(taps) - (taps - 1) / 2
    turned = 2 * np.pi * cutoff / rate * np.hypot(at, at[:, None])
    window = _window(taps, width, rate)
    wave = bessel_j1(turned) / turned * np.outer(window, window)
    return np.asarray(wave / wave.sum(), np.float32)


def _window(taps: int, width: float, rate: float) -> Doubles:
    """Kaiser's window for a transition width (Kaiser 1974: its attenuation, and its shape for that)."""
    ripple = 2.285 * (taps - 1) * np.pi * width / (rate / 2) + 7.95  # dB
    if ripple > 50:
        beta = 0.1102 * (ripple - 8.7)
    else:
        beta = 0.5842 * max(ripple - 21, 0) ** 0.4 + 0.07886 * max(ripple - 21, 0)
    return np.kaiser(taps, beta)


def bessel_j1(x: Doubles) -> Doubles:
    """Bessel's J1 from its integral; the rule of midpoints is exact to rounding for a periodic one."""
    angles = (np.arange(64) + 0.5) * (np.pi / 64)
    return np.asarray(np.cos(angles - x[..., None] * np.sin(angles)).mean(-1))
