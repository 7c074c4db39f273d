"""Directions: straight ways through the space of a generator, found in it and played as controls.

They are found by principal components of many w (GANSpace: Härkönen, Hertzmann, Lehtinen, Paris 2020,
arXiv:2004.02546) or in the weights alone, as what moves the styles of some layers most (SeFa: Shen and
Zhou 2021, arXiv:2007.06600).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from perform.arrays import Floats
from perform.parameters import Parameter, name_hint

LatentKind: TypeAlias = Literal["z", "w"]

LAST = 63  # of the layers that a preset may name; a network has fewer
LAYERS = Parameter(
    "layers",
    (0.0, float(LAST)),
    0,
    LAST,
    description="the first and the last layer that it moves; a fraction moves a layer in part",
    kind="point",
)
AMOUNT = Parameter("amount", 0.0, -20.0, 20.0, "", "how far, in standard deviations of the model's latents")
PARAMETERS = (LAYERS, AMOUNT)


@dataclass(frozen=True, slots=True)
class Directions:
    """Ways through a space: `components` [n, dimensions] with a name each; of w+, which has a row for each
    layer of ws, [n, layers, dimensions].

    `scales` [n] is the standard deviation along each, where it is known: a step of 1 is that far.
    `space` is the one that they are directions of.
    """

    names: tuple[str, ...]
    components: Floats
    scales: Floats | None = None
    space: LatentKind = "w"

    @property
    def steps(self) -> Floats:
        """How far an amount of 1 leads along each [n]: 1 where the scale is not known."""
        return np.ones(len(self.names), np.float32) if self.scales is None else self.scales

    def step(self, name: str) -> Floats:
        """What an amount of 1 adds to a latent [dimensions], or [layers, dimensions]."""
        i = self.names.index(name)
        return np.asarray(self.components[i] * self.steps[i], np.float32)

    def named(self, labels: Mapping[str, str]) -> Directions:
        """The same with other names for some. ValueError for a name that there is not, or twice."""
        for name in labels:
            if name not in self.names:
                raise ValueError(f"there is no direction {name!r}{name_hint(name, self.names)}")
        names = tuple(labels.get(name, name) for name in self.names)
        double = {name for name in names if names.count(name) > 1}
        if double or not all(names):
            raise ValueError(f"names {', '.join(sorted(double)) or 'without a letter'}, must differ")
        return replace(self, names=names)

    def joined(self, other: Directions, without: Collection[str] = ()) -> Directions:
        """Both, of two of a name the other's; of these `without` some."""
        kept = [i for i, name in enumerate(self.names) if name not in (*other.names, *without)]
        layers = max(_layers(self.components), _layers(other.components))
        return Directions(
            (*(self.names[i] for i in kept), *other.names),
            np.concatenate([_in_layers(self.components[kept], layers), _in_layers(other.components, layers)]),
            np.concatenate([self.steps[kept], other.steps]),
            self.space,
        )


def principal(samples: Floats, count: int) -> Directions:
    """The `count` directions in which samples of w [n, w_dim] vary most, with how much.

    ValueError when the samples are too few for so many.
    """
    most = min(len(samples) - 1, samples.shape[1])
    if not 1 <= count <= most:
        raise ValueError(f"count = {count}, must be 1..{most} of {len(samples)} samples")
    values = samples.astype(np.float64)
    values -= values.mean(0)
    variances, vectors = np.linalg.eigh(values.T @ values / (len(values) - 1))
    scales = np.sqrt(np.maximum(variances[::-1][:count], 0))
    return Directions(_names("pca", count), _turned(vectors.T[::-1][:count]), scales.astype(np.float32))


def factorised(matrices: Sequence[Floats], count: int) -> Directions:
    """The `count` directions that change styles most: eigenvectors of A^T A, with the matrices
    [outputs, w_dim] that make the styles of some layers, one below the other, as A, its rows brought to
    length 1. They have no scales."""
    width = matrices[0].shape[1]
    if not 1 <= count <= width:
        raise ValueError(f"count = {count}, must be 1..{width}")
    rows = np.concatenate(list(matrices)).astype(np.float64)
    rows /= np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    _, vectors = np.linalg.eigh(rows.T @ rows)
    return Directions(_names("sefa", count), _turned(vectors.T[::-1][:count]))


def measured(found: Directions, samples: Floats) -> Directions:
    """Directions of w of length 1, scaled by how much samples of w [n, w_dim] vary along them; of w+, the
    largest row has length 1, and the samples vary along that.

    ValueError for a direction of another space, or without a length.
    """
    width = samples.shape[1]
    if found.components.shape[-1] != width or found.space != "w":
        shape = found.components.shape
        raise ValueError(f"directions have shape {shape}, must be [n, {width}] of w")
    rows = _in_layers(found.components, max(_layers(found.components), 1)).astype(np.float64)
    norms = np.linalg.norm(rows, axis=2)
    lengths = norms.max(1)
    if not lengths.all():
        raise ValueError("a direction has no length")
    largest = rows[np.arange(len(rows)), norms.argmax(1)] / lengths[:, None]
    components = (rows / lengths[:, None, None]).astype(np.float32).reshape(found.components.shape)
    if found.scales is not None:
        scales = found.scales * lengths
    else:
        scales = (samples.astype(np.float64) @ largest.T).std(0)
    return replace(found, components=components, scales=np.asarray(scales, np.float32))


def reach(layers: Sequence[float], count: int) -> Floats:
    """How much each of `count` layers takes part [count], from the first to the last: 1 within, between
    two layers a share, so that a range may move without a jump."""
    first, last = layers
    rows = np.arange(count)
    return np.asarray(np.clip(np.minimum(rows - first, last - rows) + 1, 0, 1), np.float32)


def moved(ws: Floats, steps: Sequence[Floats], values: Sequence[Mapping[str, Any]]) -> Floats:
    """ws [num_ws, w_dim] moved along some directions: `steps` [w_dim] or [num_ws, w_dim] are what an amount
    of 1 adds, `values` those of PARAMETERS."""
    for step, given in zip(steps, values, strict=True):
        if given["amount"]:
            rows = reach(given["layers"], len(ws)) * np.float32(given["amount"])
            ws = ws + rows[:, None] * step
    return ws


def _layers(components: Floats) -> int:
    """How many layers directions of w+ have; 0 of w."""
    return components.shape[1] if components.ndim == 3 else 0


def _in_layers(components: Floats, layers: int) -> Floats:
    """Components in so many layers, those of w the same in each; 0: as they are."""
    return np.repeat(components[:, None], layers, 1) if layers and components.ndim == 2 else components


def _names(kind: str, count: int) -> tuple[str, ...]:
    return tuple(f"{kind}{i + 1}" for i in range(count))


def _turned(vectors: NDArray[np.float64]) -> Floats:
    """Of a vector and its opposite always the same: the one whose largest entry is positive."""
    largest = np.take_along_axis(vectors, np.abs(vectors).argmax(1)[:, None], 1)
    return np.ascontiguousarray(vectors * np.sign(largest), np.float32)
