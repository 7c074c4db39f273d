"""The training picture in the sizes of all scales."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from perform.arrays import Pixels
from perform.training.dataset.opening import PictureFile, Unfit
from perform.training.dataset.outcomes import REASONS
from perform.training.dataset.settings import DatasetSettings
from perform.training.single import LARGEST_SIDE, SMALLEST_SIDE, SingleSettings

DEFAULT_SIDE = 256  # pixels of the longer side, if no size is given
RATIO = 0.7  # from one scale to the next coarser one, about


def read_picture(path: Path) -> Pixels:
    """The picture of a file [height, width, 3], upright, in sRGB. ValueError if it is not a picture."""
    if not path.is_file():
        raise ValueError(f"{path} is not a file, must be a picture")
    try:
        found = next(PictureFile(path, path.name).opened(DatasetSettings((LARGEST_SIDE, LARGEST_SIDE))))
    except Unfit as error:
        why = ", ".join(filter(None, (REASONS[error.reason], error.detail)))
        raise ValueError(f"{path} is not readable as a picture: {why}") from error
    return np.asarray(found.image, np.uint8)


def read_fitted(paths: Sequence[Path], size: tuple[int, int] | None) -> Tensor:
    """The pictures of files, as `fit_pictures` gives them. ValueError names the file with a fault."""
    return fit_pictures([read_picture(path) for path in paths], size, [str(path) for path in paths])


def fit_pictures(
    pictures: Sequence[Pixels], size: tuple[int, int] | None, names: Sequence[str] = ()
) -> Tensor:
    """Pictures [n, 3, height, width] of -1..1 at one (width, height), that of the first if none is given, cut
    to its shape around their middles. ValueError if one is smaller than that."""
    height, width = pictures[0].shape[:2]
    named = [*zip(pictures, names or ["the picture"] * len(pictures), strict=True)]
    shrink = min(1.0, DEFAULT_SIDE / max(width, height))
    wanted = size or (round(width * shrink), round(height * shrink))
    if min(wanted) < SMALLEST_SIDE:
        raise ValueError(
            f"{named[0][1]} is {width}x{height}, must have {SMALLEST_SIDE} pixels a side or more"
        )
    return torch.cat([_fit_picture(picture, wanted, name) for picture, name in named])


def _fit_picture(picture: Pixels, wanted: tuple[int, int], name: str) -> Tensor:
    height, width = picture.shape[:2]
    scale = max(wanted[0] / width, wanted[1] / height)
    if scale > 1:
        raise ValueError(f"{name} is {width}x{height}, must be {wanted[0]}x{wanted[1]} or larger")
    across, down = min(round(wanted[0] / scale), width), min(round(wanted[1] / scale), height)
    left, top = (width - across) // 2, (height - down) // 2
    cut = torch.tensor(picture[top : top + down, left : left + across]).permute(2, 0, 1)[None]
    return smaller(cut.float() / 127.5 - 1, (wanted[1], wanted[0]))


def smaller(x: Tensor, size: tuple[int, int]) -> Tensor:
    """Pictures [n, c, h, w] at a smaller (height, width), antialiased."""
    return functional.interpolate(x, size, mode="bicubic", antialias=True).clamp(-1, 1)


def fields(x: Tensor, count: tuple[int, int]) -> Tensor:
    """The mean colours [1, c, down, across] of so many fields of all pictures [n, c, h, w].

    (Bicubic with antialiasing gives one colour everywhere when there is one column: torch 2.13.)
    """
    return functional.adaptive_avg_pool2d(x, count).mean(0, keepdim=True)


def rounded(pictures: Tensor) -> Tensor:
    """Pictures of -1..1 as bytes; reading them gives the same pictures."""
    return ((pictures + 1) * 127.5).round().to(torch.uint8)


def sizes(size: tuple[int, int], options: SingleSettings) -> tuple[tuple[int, int], ...]:
    """(height, width) of each scale for pictures of (width, height), coarsest first.

    More of them are small than large, as in Hinz et al. 2020 (arXiv:2003.11512, section 3.3): the coarse
    ones make the layout, the fine ones cost the time.
    """
    width, height = size
    smallest = min(1.0, options.coarsest / min(size))
    count = options.scales or max(2, 1 + round(math.log(smallest) / math.log(RATIO)))
    shares = [_coarseness(n, count) for n in range(count)]
    return tuple((max(round(height * smallest**s), 3), max(round(width * smallest**s), 3)) for s in shares)


def _coarseness(n: int, count: int) -> float:
    """How coarse scale n is: 1 the coarsest, 0 the finest.

    Halfway between even steps and those of Hinz et al. Their last step of 2.5 times is too large for a
    network that gets colours, not features, from the scale before.
    """
    return (1 - n / (count - 1) + math.log(count - n) / math.log(count)) / 2
