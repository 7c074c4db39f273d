"""The mean w of a network whose file holds none, from many mapped latents: truncation draws towards it."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from perform.generators.mapping import infer_mapping
from perform.networks import ModelError
from perform.networks.checkpoints.modules import StateDict
from perform.networks.families import family
from perform.networks.weights import Weights

SAMPLES = 8192  # the mean's own deviation is then 1/90 of that of w
MOST_BATCH = 1024
MOST_LAYER_VALUES = 1 << 22  # of one layer at a time: wider networks are mapped in smaller batches
MOST_MAPPING_VALUES = 1 << 26  # values of a mapping; the largest published ones have 3 million
MEAN_SEED = 0
MEAN_W = "mapping.w_avg"


def with_zero_mean(named: StateDict) -> StateDict:
    """Tensors under our names, with zeros for the mean w if there is none: to be found when they are read."""
    if MEAN_W in named:
        return named
    widths = infer_mapping({name: array.shape for name, array in named.items()})["mapping"]
    return {**named, MEAN_W: np.zeros(widths[-1])}


def with_mean_w(weights: Weights) -> Weights:
    """The weights with the mean w of `SAMPLES` seeded latents as `mapping.w_avg`; those of a conditional
    network take its classes in turn. ModelError if it is not finite."""
    space = weights.config.space
    shapes = [array.shape for name, array in weights.arrays.items() if name.startswith("mapping.")]
    if (values := sum(map(math.prod, shapes))) > MOST_MAPPING_VALUES:
        raise ModelError(f"its mapping has {values} values, may have {MOST_MAPPING_VALUES}")
    batch = min(MOST_BATCH, max(1, MOST_LAYER_VALUES // max(map(max, shapes))))
    mapping = family(weights.config.family).mapping(weights)
    draw = np.random.Generator(np.random.PCG64(MEAN_SEED))
    total = np.zeros(space.w_dim)
    for start in range(0, SAMPLES, batch):
        count = min(batch, SAMPLES - start)
        z = draw.standard_normal((count, space.z_dim), np.float32)
        classes = np.arange(start, start + count)[:, None] % max(space.c_dim, 1)
        labels = (classes == np.arange(space.c_dim)).astype(np.float32) if space.c_dim else None
        with np.errstate(all="ignore"):
            total += mapping(z, labels).sum(0, dtype=np.float64)
    mean = np.asarray(total / SAMPLES, np.float32)
    if not np.isfinite(mean).all():
        raise ModelError("the mapping of its latents is not finite")
    note = {"centre": f"mean of {SAMPLES} mapped latents: the file has none"}
    return replace(weights, arrays={**weights.arrays, MEAN_W: mean}, notes={**weights.notes, **note})
