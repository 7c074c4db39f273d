"""Features of a picture that need no trained network: a scattering transform.

Moduli of wavelets, pooled (Mallat 2012, Group invariant scattering; Bruna and Mallat 2013, Invariant
scattering convolution networks), of the luminance and of two opponent colours of a picture at 128². They
describe forms, edges, grain and colours, not objects. Figures from them compare runs on one dataset; they do
not compare with figures from Inception's features.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Floats, Pixels
from perform.paths import check_file

Spectrum: TypeAlias = NDArray[np.complexfloating[Any, Any]]
FeatureExtractor: TypeAlias = Callable[[Iterable[Pixels]], Floats]  # pictures to [n, dimensions]

FEATURE_SIDE = 128  # pixels that a picture is brought to
SCALES, ANGLES = 4, 4  # wavelets of 1, 2, 4 and 8 pixels, every 45 degrees
CELLS = 4  # across and down, of what keeps its place; textures are pooled over the whole picture
FIRST = 6.0  # weight of the coarsest moduli; finer ones, which are weaker in most pictures, count more
BATCH = 16
OPPONENT = np.array(
    [(0.299, 0.587, 0.114), (0.5, -0.5, 0.0), (0.25, 0.25, -0.5)], np.float32
)  # light, red, blue


def scattering(pictures: Iterable[Pixels]) -> Floats:
    """Features [n, 432] of pictures uint8 [height, width, 1 or 3]."""
    rows = [_scattered(np.stack(batch)) for batch in batches(map(planes, pictures), BATCH)]
    return np.concatenate(rows)


def batches(items: Iterable[Floats], size: int) -> Iterator[list[Floats]]:
    """Items in lists of `size`; the last may be shorter."""
    rest = iter(items)
    while batch := list(islice(rest, size)):
        yield batch


def planes(picture: Pixels) -> Floats:
    """Light and two opponent colours [3, 128, 128] of a picture, 0..1 and -0.5..0.5."""
    colours = picture[..., :3] if picture.shape[2] >= 3 else np.repeat(picture[..., :1], 3, 2)
    small = resized(colours, FEATURE_SIDE) / 255
    return np.asarray(np.einsum("hwc,pc->phw", small, OPPONENT), np.float32)


def resized(picture: Pixels, side: int) -> Floats:
    """A picture [height, width, channels] as a square: means where it shrinks, lines where it grows."""
    rows, columns = (_weights(length, side) for length in picture.shape[:2])
    return np.asarray(np.einsum("yh,hwc,xw->yxc", rows, picture.astype(np.float32), columns, optimize=True))


@cache
def _weights(before: int, after: int) -> Floats:
    """[after, before]: what each of the pixels before gives to each after; rows sum to 1."""
    reach = max(before / after, 1.0)
    centres = (np.arange(after) + 0.5) * before / after
    apart = np.abs(centres[:, None] - (np.arange(before) + 0.5)) / reach
    weights = np.clip(1 - apart, 0, None)
    return np.asarray(weights / weights.sum(1, keepdims=True), np.float32)


def _scattered(batch: Floats) -> Floats:
    """[n, 3, 128, 128] to features [n, dimensions]: pooled values, first moduli, and for light the second."""
    found = [_pooled(batch, CELLS)]
    for scale, moduli in _moduli(np.fft.fft2(batch), -1):
        weight = FIRST * 2 ** (SCALES - 1 - scale)
        found += [_pooled(weight * moduli[:, :1], CELLS), _pooled(2 * weight * moduli[:, 1:], 1)]
        found += [_pooled(2 * weight * second, 1) for _, second in _moduli(np.fft.fft2(moduli[:, :1]), scale)]
    return np.concatenate([part.reshape(len(batch), -1) for part in found], 1).astype(np.float32)


def _moduli(spectrum: Spectrum, above: int) -> Iterator[tuple[int, Floats]]:
    """Moduli of the wavelets of scales above one, of a spectrum [n, planes, side, side]."""
    side = spectrum.shape[-1]
    for scale in range(above + 1, SCALES):
        kept = min(side, FEATURE_SIDE >> max(scale - 1, 0))
        cut = _low(spectrum, kept) * (kept / side) ** 2
        for angle in range(ANGLES):
            yield scale, np.abs(np.fft.ifft2(cut * _wavelet(scale, angle, kept))).astype(np.float32)


def _low(spectrum: Spectrum, side: int) -> Spectrum:
    """The `side` lowest frequencies of a spectrum each way."""
    half = side // 2
    lows = [*range(half), *range(spectrum.shape[-1] - half, spectrum.shape[-1])]
    return spectrum[..., lows, :][..., lows]


@cache
def _wavelet(scale: int, angle: int, side: int) -> Floats:
    """A Morlet wavelet's spectrum [side, side]: a bump at 3/4 pi / 2^scale, none of it at zero."""
    turned = np.pi * angle / ANGLES
    frequencies = 2 * np.pi * np.fft.fftfreq(side) * side / FEATURE_SIDE  # radians per pixel of 128²
    y, x = np.meshgrid(frequencies, frequencies, indexing="ij")
    along, across = np.cos(turned) * x + np.sin(turned) * y, np.cos(turned) * y - np.sin(turned) * x
    middle, width = 0.75 * np.pi / 2**scale, 0.8 / 2**scale
    bump = np.exp(-(((along - middle) / width) ** 2 + (across / (1.5 * width)) ** 2) / 2)
    still = np.exp(-((middle / width) ** 2) / 2) * np.exp(
        -((along / width) ** 2 + (across / (1.5 * width)) ** 2) / 2
    )
    return np.asarray(bump - still, np.float32)


def _pooled(maps: Floats, cells: int) -> Floats:
    """Means of maps [n, planes, side, side] in cells [n, planes, cells, cells]."""
    n, count, side, _ = maps.shape
    return np.asarray(maps.reshape(n, count, cells, side // cells, cells, side // cells).mean((3, 5)))


def network_features(file: Path) -> FeatureExtractor:
    """Features from your own network (Inception, DINO …): an ONNX or OpenVINO file that takes pictures
    [1, 3, side, side] of 0..1 and gives a vector. ValueError if it does not, OSError if it is no file."""
    check_file(file)
    if not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such file")

    from perform.networks.runtimes.openvino.runtime import core

    try:
        compiled = core().compile_model(str(file), "CPU")
    except RuntimeError as error:
        raise ValueError(f"{file} is not a network in ONNX or OpenVINO's form") from error
    wanted, given = compiled.input(0).partial_shape, compiled.output(0).partial_shape
    if len(compiled.inputs) != 1 or wanted.rank.get_length() != 4 or given.rank.get_length() != 2:
        raise ValueError(
            f"{file} takes {wanted} and gives {given}, must take [1, 3, side, side] and give [1, n]"
        )
    side = wanted[2].get_length() if wanted[2].is_static else 299

    def features(pictures: Iterable[Pixels]) -> Floats:
        return np.concatenate([compiled(_network_input(picture, side))[0] for picture in pictures])

    return features


def _network_input(picture: Pixels, side: int) -> Floats:
    colours = picture[..., :3] if picture.shape[2] >= 3 else np.repeat(picture[..., :1], 3, 2)
    return np.ascontiguousarray(resized(colours, side).transpose(2, 0, 1)[None] / 255)
