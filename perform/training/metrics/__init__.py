"""How near a generator's pictures are to its training pictures: distance, quality, coverage, neighbours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Doubles, Floats

NEIGHBOURS = 3  # of a picture, that bound its neighbourhood


def frechet(real: Floats, made: Floats) -> float:
    """The Fréchet distance between two sets of features [n, dimensions], as two normal distributions
    (Dowson and Landau 1982; Heusel et al. 2017, arXiv:1706.08500). Few pictures make it larger."""
    apart = np.asarray(real.mean(0, np.float64) - made.mean(0, np.float64))
    one, other = _covariance(real), _covariance(made)
    root = _root(one)
    values = np.linalg.eigvalsh(root @ other @ root)
    return float(apart @ apart + np.trace(one) + np.trace(other) - 2 * np.sqrt(values.clip(0)).sum())


def precision_recall(real: Floats, made: Floats) -> tuple[float, float]:
    """How many made pictures lie in a real one's neighbourhood, and how many real ones in a made one's
    (Kynkäänniemi et al. 2019, arXiv:1904.06991): quality and coverage, 0..1 each."""
    return _covered(made, real), _covered(real, made)


def diversity(features: Floats) -> float:
    """The mean distance between two pictures' features [n, dimensions]."""
    count = len(features)
    return float(np.sqrt(_distances(features, features)).sum() / max(count * (count - 1), 1))


def nearest(made: Floats, real: Floats, count: int = 1) -> NDArray[np.int64]:
    """Which real pictures are nearest to each made one [n, count], nearest first."""
    return np.argsort(_distances(made, real), 1, kind="stable")[:, :count]


def compare(real: Floats, made: Floats) -> dict[str, float]:
    """All figures of generated pictures against real ones, features [n, dimensions] of each.

    `diversity` is a share of the real ones'. `novelty` is the distance of a generated picture from the
    nearest real one, in units of the real ones' distance from each other: far below 1 it is memorised.
    """
    precision, recall = precision_recall(real, made)
    own = np.sort(_distances(real, real), 1)[:, min(1, len(real) - 1)]
    away = _distances(made, real)
    novelty = np.median(np.sqrt(away.min(1))) / max(np.median(np.sqrt(own)), 1e-12)
    return {
        "frechet": frechet(real, made),
        "precision": precision,
        "recall": recall,
        "diversity": diversity(made) / max(diversity(real), 1e-12),
        "novelty": float(novelty),
    }


def _covered(points: Floats, by: Floats) -> float:
    """The share of points that lie nearer to one of `by` than its third neighbour does."""
    reach = np.sort(_distances(by, by), 1)[:, min(NEIGHBOURS, len(by) - 1)]
    return float((_distances(points, by) <= reach).any(1).mean())


def _distances(a: Floats, b: Floats) -> Doubles:
    """Squared distances [n, m] of features [n, dimensions] and [m, dimensions]."""
    one, other = a.astype(np.float64), b.astype(np.float64)
    squares = np.square(one).sum(1)[:, None] + np.square(other).sum(1) - 2 * one @ other.T
    if a is b:
        np.fill_diagonal(squares, 0)
    return np.asarray(squares.clip(0))


def _covariance(features: Floats) -> Doubles:
    return np.atleast_2d(np.cov(features.astype(np.float64), rowvar=False))


def _root(matrix: Doubles) -> Doubles:
    values, vectors = np.linalg.eigh(matrix)
    return np.asarray((vectors * np.sqrt(values.clip(0))) @ vectors.T)
