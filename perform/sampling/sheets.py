"""Contact sheets: pictures of one size, side by side on black."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from perform.arrays import Pixels

MOST_CELL_PIXELS = 128  # pixels of a picture's side at most
GAP_PIXELS = 4  # pixels of black between pictures


def picture_grid(pictures: Sequence[Pixels], columns: int) -> Pixels:
    """Pictures [height, width, channels] in rows from the left, the last row filled with black."""
    cells = [shrink(picture) for picture in pictures]
    cells += [np.zeros_like(cells[0])] * (-len(cells) % columns)
    rows = [join_pictures(cells[i : i + columns], 1) for i in range(0, len(cells), columns)]
    return join_pictures(rows, 0)


def join_pictures(pictures: Sequence[Pixels], axis: int) -> Pixels:
    """Pictures of one size side by side (axis 1) or one above the other (axis 0)."""
    shape = list(pictures[0].shape)
    shape[axis] = GAP_PIXELS
    gap = np.zeros(shape, np.uint8)
    return np.concatenate([part for picture in pictures for part in (gap, picture)][1:], axis)


def shrink(picture: Pixels) -> Pixels:
    """A picture in RGB, at most CELL pixels a side: means of squares of pixels."""
    picture = picture[..., :3] if picture.shape[2] >= 3 else np.repeat(picture[..., :1], 3, 2)
    side = max(-(-max(picture.shape[:2]) // MOST_CELL_PIXELS), 1)
    height, width = (length // side for length in picture.shape[:2])
    cut = picture[: height * side, : width * side].reshape(height, side, width, side, 3)
    return np.asarray(cut.mean((1, 3)).round(), np.uint8)
