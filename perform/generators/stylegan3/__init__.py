"""StyleGAN3: the shape of its networks, where its picture lies, and its own names for their tensors.

The alias-free generator of Karras et al. 2021 (Alias-free generative adversarial networks), in its two
forms t (translation) and r (translation and rotation), which differ in numbers only: r has 1x1
convolutions and radial filters. Tensors have the names that the field's files use
(`synthesis.input.freqs`, `synthesis.L3_36_512.up_filter` …). The filters are in the files; the sampling
rates follow from the sizes that the names of the layers tell, unless the file says them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Floats
from perform.generators.mapping import mapping, mean
from perform.generators.stylegan3.config import PLACE, Config
from perform.generators.stylegan3.official import from_official
from perform.networks.controls import Controls
from perform.networks.weights import Weights

__all__ = ["INPUTS", "Config", "from_official", "inputs", "mapping", "mean", "moved"]

INPUTS = ("transform",)


def inputs(weights: Weights) -> Callable[[Controls], tuple[Floats, ...]]:
    """From the place of the picture to the transform [3, 3] of the input's coordinates.

    A file's own transform, nearly always the identity, comes after it.
    """
    stored = weights.arrays["synthesis.input.transform"]

    @lru_cache(maxsize=1)
    def placed(place: tuple[float, ...]) -> tuple[Floats]:
        return (np.asarray(stored @ np.linalg.inv(moved(*place)), np.float32),)

    return lambda controls: placed(tuple(controls[parameter.name] for parameter in PLACE))


def moved(x: float, y: float, turns: float, zoom: float) -> NDArray[np.float64]:
    """The matrix [3, 3] that moves a picture; its coordinates are in pictures, x right and y down.

    The picture is zoomed and turned about its middle, then moved. The input of the network takes the
    inverse: from where a pixel is to where it came from.
    """
    cos, sin = zoom * np.cos(2 * np.pi * turns), zoom * np.sin(2 * np.pi * turns)
    return np.array([[cos, sin, x], [-sin, cos, y], [0, 0, 1]])
