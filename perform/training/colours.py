"""Colours: sRGB, linear light, and OKLab, in which mixtures look even.

Björn Ottosson, "A perceptual color space for image processing", 2020.
"""

from __future__ import annotations

import numpy as np

from perform.arrays import Doubles

_TO_CONES = np.array(
    [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
)
_TO_LAB = np.array(
    [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
)


def oklab(encoded: Doubles) -> Doubles:
    """OKLab [..., 3] of sRGB 0..1 [..., 3]."""
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_CONES.T) @ _TO_LAB.T)


def linear(lab: Doubles) -> Doubles:
    """Linear sRGB [..., 3] of OKLab [..., 3], nothing of it below 0."""
    cones = (lab @ np.linalg.inv(_TO_LAB).T) ** 3
    return np.asarray(np.maximum(cones @ np.linalg.inv(_TO_CONES).T, 0.0))


def lab_of(text: str) -> Doubles:
    """OKLab [3] of sRGB hex digits."""
    return oklab(np.array(list(bytes.fromhex(text))) / 255)


def graded(lab: Doubles, turn: float, lightness: float, chroma: float) -> Doubles:
    """OKLab [3] with its hue turned by radians, lightness added, and chroma multiplied."""
    cos, sin = np.cos(turn) * chroma, np.sin(turn) * chroma
    shade = max(lab[0] + lightness * min(1.0, lab[0] / 0.3), 0.0)
    return np.array([shade, cos * lab[1] - sin * lab[2], sin * lab[1] + cos * lab[2]])
