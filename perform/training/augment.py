"""Augmentations of the discriminator's pictures, so that a few hundred pictures are enough for training.

Karras et al. 2020, Training generative adversarial networks with limited data: flips, rotations and shifts by
whole pixels, then scaling, rotation, stretching and shifting, then colours. Each has a probability p well
below 1, so that the generator does not learn to draw augmentations. This form is compact: one affine map has
all movements of a picture (bilinear, mirrored at the edges), one matrix all its colours; no filters, noise or
holes.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import pi

import torch
from torch import Tensor
from torch.nn import functional

from perform.training.random_streams import RandomStreams

MAX_PROBABILITY = 0.85  # above it, generated pictures begin to show the augmentations
RANDOM_NUMBERS = 32  # for a picture's augmentation
GREY = (1 / 3) ** 0.5


def augment(
    pictures: Tensor, p: float, streams: RandomStreams, purpose: str, samples: Sequence[int]
) -> Tensor:
    """The pictures [n, 3, height, width], each augmented by its own numbers; differentiable."""
    if p <= 0:
        return pictures
    device = pictures.device
    numbers = streams.uniform(f"{purpose}.augment", samples, RANDOM_NUMBERS).clamp(1e-6, 1 - 1e-6)
    size = (pictures.shape[3], pictures.shape[2])
    moves = affine_maps(numbers[:, :20], min(p, MAX_PROBABILITY), size)[:, :2].to(device)
    grid = functional.affine_grid(moves, list(pictures.shape), align_corners=False)
    moved = functional.grid_sample(pictures.float(), grid, padding_mode="reflection", align_corners=False)
    if moved.shape[1] != 3:
        return moved
    change = colour_matrices(numbers[:, 20:], min(p, MAX_PROBABILITY)).to(device)
    flat = change[:, :3, :3] @ moved.flatten(2) + change[:, :3, 3:]
    changed: Tensor = flat.reshape(moved.shape)
    return changed


def affine_maps(numbers: Tensor, p: float, size: tuple[int, int]) -> Tensor:
    """From uniform numbers [n, 20] to maps [n, 3, 3] from points of the result to points of the picture.

    Points are -1..1 on both axes. Rotations are in pixels, so that pictures that are not square are not
    sheared; only square ones get quarter turns.
    """
    width, height = size
    draw = iter(torch.unbind(numbers, 1))
    flip = torch.where((next(draw) < p) & (next(draw) < 0.5), -1.0, 1.0)
    quarter = torch.where(next(draw) < p, (next(draw) * 4).floor(), 0.0) * (1.0 if width == height else 0.0)
    steps = torch.stack([_whole_pixels(next(draw), side) for side in size])
    steps = torch.where(next(draw) < p, steps, 0.0)
    scale = torch.where(next(draw) < p, 2 ** (0.2 * _normal(next(draw))), 1.0)
    turned = 1 - (1 - p) ** 0.5  # two rotations, together with a probability of p
    before = torch.where(next(draw) < turned, (next(draw) * 2 - 1) * pi, 0.0)
    stretch = torch.where(next(draw) < p, 2 ** (0.2 * _normal(next(draw))), 1.0)
    after = torch.where(next(draw) < turned, (next(draw) * 2 - 1) * pi, 0.0)
    shift = torch.where(
        next(draw) < p, 0.125 * torch.stack([_normal(next(draw)), _normal(next(draw))]) * 2, 0.0
    )
    ones = torch.ones_like(flip)
    pixels = _diagonal(ones * width, ones * height)
    maps = (
        _translations(*steps)
        @ _diagonal(flip, ones)
        @ torch.linalg.inv(pixels)
        @ _rotations(quarter * pi / 2)
    )
    maps = (
        maps @ _rotations(before) @ _diagonal(scale * stretch, scale / stretch) @ _rotations(after) @ pixels
    )
    placed: Tensor = maps @ _translations(*shift)
    return placed


def colour_matrices(numbers: Tensor, p: float) -> Tensor:
    """From uniform numbers [n, 12] to matrices [n, 4, 4] of red, green, blue and 1."""
    draw = iter(torch.unbind(numbers, 1))
    count = len(numbers)
    eye = torch.eye(4).expand(count, 4, 4)
    grey = torch.tensor([GREY, GREY, GREY, 0.0])
    along = torch.outer(grey, grey)
    brightness = torch.where(next(draw) < p, 0.2 * _normal(next(draw)), 0.0)
    lighter = eye.clone()
    lighter[:, :3, 3] += brightness[:, None]
    contrast = torch.where(next(draw) < p, 2 ** (0.5 * _normal(next(draw))), 1.0)
    stronger = _scaled_colours(contrast)
    flip = torch.where((next(draw) < p) & (next(draw) < 0.5), 2.0, 0.0)[:, None, None]
    hue = torch.where(next(draw) < p, (next(draw) * 2 - 1) * pi, 0.0)
    saturation = torch.where(next(draw) < p, 2 ** _normal(next(draw)), 1.0)[:, None, None]
    fuller = along + (eye - along) * saturation
    fuller[:, 3, 3] = 1
    change: Tensor = fuller @ _hue(hue) @ (eye - flip * along) @ stronger @ lighter
    return change


def _whole_pixels(number: Tensor, side: int) -> Tensor:
    """A shift of up to an eighth of a side, by whole pixels."""
    steps: Tensor = ((number * 2 - 1) * side / 8).round() * 2 / side
    return steps


def _normal(number: Tensor) -> Tensor:
    normal: Tensor = torch.special.ndtri(number)
    return normal


def _matrix(rows: Sequence[Sequence[Tensor | float]]) -> Tensor:
    """[n, rows, columns] of vectors [n] and numbers."""
    values = torch.broadcast_tensors(*(torch.as_tensor(one) for row in rows for one in row))  # type: ignore[no-untyped-call]
    return torch.stack(values, 1).reshape(-1, len(rows), len(rows[0]))


def _diagonal(x: Tensor | float, y: Tensor | float) -> Tensor:
    return _matrix([[x, 0.0, 0.0], [0.0, y, 0.0], [0.0, 0.0, 1.0]])


def _translations(x: Tensor, y: Tensor) -> Tensor:
    return _matrix([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _rotations(angle: Tensor) -> Tensor:
    c, s = angle.cos(), angle.sin()
    return _matrix([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]])


def _scaled_colours(factor: Tensor) -> Tensor:
    return _matrix([[factor if i == j else 0.0 for j in range(4)] for i in range(3)] + [[0.0, 0.0, 0.0, 1.0]])


def _hue(angle: Tensor) -> Tensor:
    """Rotations about the axis of greys, by Rodrigues' formula."""
    c, s = angle.cos(), angle.sin() * GREY
    share = (1 - c) / 3
    same, next_, last = c + share, share - s, share + s
    return _matrix(
        [[same, next_, last, 0.0], [last, same, next_, 0.0], [next_, last, same, 0.0], [0.0, 0.0, 0.0, 1.0]]
    )
