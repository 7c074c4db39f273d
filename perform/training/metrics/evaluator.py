"""Figures of a generator during training: always of the same latents, against the same real pictures."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Floats, Pixels
from perform.generators import Generator
from perform.latent.space import z_of
from perform.sampling.sheets import picture_grid
from perform.training.loader import PictureDataset
from perform.training.metrics import compare, nearest
from perform.training.metrics.features import FeatureExtractor, resized, scattering

SAMPLES = 1000  # pictures of each
SHEET_ROWS = 8  # generated pictures on the sheet of neighbours, each in a row with its nearest real ones


class Measurement(NamedTuple):
    """Figures, of which the first decides which model is best, and a sheet of neighbours."""

    figures: Mapping[str, float]
    neighbours: Pixels


class Evaluator:
    """Measures a generator repeatedly; the dataset's features are computed once."""

    def __init__(self, features: FeatureExtractor = scattering) -> None:
        self._features = features
        self._real: tuple[str, Floats] = "", np.zeros((0, 0), np.float32)

    def __call__(self, generator: Generator, dataset: PictureDataset) -> Measurement:
        spread = evenly_spread(dataset, SAMPLES)
        if self._real[0] != dataset.digest:
            self._real = dataset.digest, self._features(dataset.picture(int(i)) for i in spread)
        real, made = self._real[1], self._features(generated(generator, range(SAMPLES)))
        shown = [*generated(generator, range(SHEET_ROWS))]
        sheet = neighbour_sheet(shown, made, real, lambda n: dataset.picture(int(spread[n])))
        return Measurement(compare(real, made), sheet)


def evenly_spread(dataset: PictureDataset, most: int) -> NDArray[np.int64]:
    """The numbers of at most `most` pictures, evenly spread over a dataset."""
    return np.linspace(0, len(dataset) - 1, min(most, len(dataset))).round().astype(np.int64)


def generated(generator: Generator, seeds: range) -> Iterator[Pixels]:
    """Pictures uint8 [height, width, channels] of seeds."""
    for seed in seeds:
        w = generator.map(z_of(seed, generator.space.z_dim)[None])
        yield generator.synthesise(np.repeat(w, generator.space.num_ws, 0))


def neighbour_sheet(
    shown: Sequence[Pixels], made: Floats, real: Floats, picture: Callable[[int], Pixels]
) -> Pixels:
    """A sheet: rows of a generated picture (its features are in `made`) and its nearest real ones."""
    rows = nearest(made[: len(shown)], real, SHEET_ROWS - 1)
    pictures = [one for mine, row in zip(shown, rows, strict=True) for one in (mine, *map(picture, row))]
    side = max(shown[0].shape[:2])
    alike = [resized(one[..., :3], side).round().astype(np.uint8) for one in pictures]
    return picture_grid(alike, rows.shape[1] + 1)
