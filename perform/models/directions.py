"""Find directions in a model's latent space, save them, and draw what they change."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from perform import generators
from perform.arrays import Floats, Pixels
from perform.generators import Generator, latents
from perform.generators.biggan import Config as BigGAN
from perform.generators.untrained import BUILT_IN, SHARED_MAPPING, present_name
from perform.latent.directions import LAST, Directions, factorised, measured, moved, principal
from perform.latent.space import truncate, z_of
from perform.models import store
from perform.networks import ModelError
from perform.networks.families import family
from perform.networks.modelfiles import DIRECTIONS_SUFFIX, own_name
from perform.networks.weights import Weights
from perform.paths import write_whole
from perform.sampling.pictures import encode_png
from perform.sampling.sheets import join_pictures, shrink

DIRECTION_METHODS = ("pca", "sefa")
MAPPED_AT_ONCE = 1000  # latents mapped at once
PLAIN_Z_FAMILIES = ("dcgan", "biggan")  # families whose w is z: it varies as much in every direction
SHEET_SIGMAS = (-3, -2, -1, 0, 1, 2, 3)  # shown on a sheet
SHEET_TRUNCATION = 0.7  # of the pictures there
Z_STEP = 1.0  # standard deviations of z by which a direction of z is measured in w


@dataclass(frozen=True, slots=True)
class DirectionSearch:
    """How to find directions: by the `method` pca or sefa, or in a file (`given`). `layers` are the first and
    the last row of ws for sefa, None: all; w is drawn `samples` times from `seed`."""

    method: str = "pca"
    count: int = 10
    layers: tuple[int, int] | None = None
    samples: int = 10_000
    seed: int = 0
    given: Path | None = None


def directions_file(model: str) -> Path:
    """The file of a model's directions; the model is a built-in's name, or a file."""
    name = SHARED_MAPPING if present_name(model) in BUILT_IN else own_name(model)
    return store.models_folder() / f"{name}{DIRECTIONS_SUFFIX}"


def find_directions(weights: Weights, search: DirectionSearch) -> Directions:
    """Directions of w, of length 1, with standard deviations. Raises ModelError or ValueError."""
    samples = sampled_w(weights, search.samples, search.seed)
    if search.given:
        given = latents.read_directions(search.given, layers=weights.config.space.num_ws)
        return measured(_directions_in_w(weights, given, search), samples)
    if weights.config.family == "singan":
        raise ModelError("the latents of singan are maps of noise, alike in all directions: none stands out")
    if search.method == "sefa":
        return measured(factorised(style_matrices(weights, search.layers), search.count), samples)
    if weights.config.family in PLAIN_Z_FAMILIES:
        raise ModelError(
            f"the latents of {weights.config.family} vary alike in all directions: take --method sefa"
        )
    return principal(samples, search.count)


def save_directions(model: str, found: Directions, without: Collection[str] = ()) -> Directions:
    """Save directions of a model with the earlier ones, `without` some of these; a new direction replaces an
    earlier one of the same name."""
    file = directions_file(model)
    if file.is_file():
        before = latents.read_directions(file)
        widths = {before.components.shape[-1], found.components.shape[-1]}
        layers = {shape for one in (before, found) if (shape := one.components.shape[1:-1])}
        if len(widths) > 1 or len(layers) > 1 or before.scales is None:
            raise ModelError(f"{file} has directions of another model: remove it")
        found = before.joined(found, without)
    latents.write_directions(file, found)
    return found


def sampled_w(weights: Weights, count: int, seed: int) -> Floats:
    """w [count, w_dim] of z drawn from a seed, of the first class."""
    if not 2 <= count <= 1_000_000:
        raise ValueError(f"samples = {count}, must be 2..1000000")
    mapping, draw = family(weights.config.family).mapping(weights), np.random.Generator(np.random.PCG64(seed))
    width = weights.config.space.z_dim
    sizes = [min(MAPPED_AT_ONCE, count - first) for first in range(0, count, MAPPED_AT_ONCE)]
    return np.concatenate([mapping(draw.standard_normal((size, width), np.float32), None) for size in sizes])


def style_matrices(weights: Weights, layers: tuple[int, int] | None = None) -> list[Floats]:
    """The matrices [outputs, w_dim] that make the styles of layers from w, for rows `layers` of ws."""
    rows = _matrices_by_row(weights)
    first, last = layers or (0, max(rows))
    found = [matrix for row in sorted(rows) if first <= row <= last for matrix in rows[row]]
    if not found:
        raise ValueError(f"layers {first}-{last}, must be within 0-{max(rows)}")
    return found


def _matrices_by_row(weights: Weights) -> dict[int, list[Floats]]:
    """By row of ws, the matrices that multiply it; of StyleGANs without those of the colours, as in SeFa."""
    arrays, name = weights.arrays, weights.config.family
    found: dict[int, list[Floats]] = {}
    if name == "dcgan":
        first = arrays["layers.0.weight"]
        return {0: [first.reshape(len(first), -1).T]}
    if name == "biggan":
        config = weights.config_as(BigGAN)
        found[0] = [arrays["generator.gen_z.weight"]]
        for block in range(len(config.layers)):
            own = rf"{re.escape(config.name(block))}\.bn_\d\.(scale|offset)\.weight"
            found[1 + block] = [array for key, array in arrays.items() if re.fullmatch(own, key)]
        return found
    affines = [key for key in arrays if key.endswith(".affine.weight") and ".torgb." not in key]
    each = 2 if name == "lucidrains" else 1  # layers for each row
    for i, key in enumerate(affines):
        found.setdefault(i // each, []).append(arrays[key])
    return found


def _directions_in_w(weights: Weights, found: Directions, search: DirectionSearch) -> Directions:
    """Directions of z as directions of w: the mean change of w by a step in z."""
    if found.space == "w":
        return found
    mapping = family(weights.config.family).mapping(weights)
    draw = np.random.Generator(np.random.PCG64(search.seed))
    z = draw.standard_normal((min(search.samples, MAPPED_AT_ONCE), weights.config.space.z_dim), np.float32)
    if found.components.shape[1] != z.shape[1]:
        raise ModelError(f"directions have shape {found.components.shape}, must be [n, {z.shape[1]}] of z")
    lengths = np.maximum(np.linalg.norm(found.components, axis=1, keepdims=True), np.float32(1e-12))
    steps = found.components * (np.float32(Z_STEP) / lengths)
    led = [(mapping(z + step, None) - mapping(z - step, None)).mean(0) / 2 for step in steps]
    return Directions(found.names, np.stack(led).astype(np.float32))


def write_sheet(
    weights: Weights, found: Directions, seeds: Sequence[int], layers: tuple[int, int] | None, file: Path
) -> None:
    """Draw a sheet of directions, moving `layers` (None: all), into a PNG file."""
    unit = generators.open(weights)
    pixels = directions_sheet(unit, found, seeds, layers or (0, LAST))
    unit.close()
    file.parent.mkdir(parents=True, exist_ok=True)
    write_whole(file, encode_png(pixels))


def directions_sheet(
    unit: Generator, found: Directions, seeds: Sequence[int], layers: Sequence[float]
) -> Pixels:
    """A row for each direction: the pictures of some seeds, each from -3 to 3 standard deviations.

    Pixels [height, width, 3], black between the pictures.
    """
    space, mean = unit.space, unit.mean()
    drawn = [np.repeat(unit.map(z_of(seed, space.z_dim)[None]), space.num_ws, 0) for seed in seeds]
    points = [truncate(ws, mean, SHEET_TRUNCATION) for ws in drawn]
    rows = []
    for name in found.names:
        ways = [
            moved(ws, [found.step(name)], [{"amount": amount, "layers": layers}])
            for ws in points
            for amount in SHEET_SIGMAS
        ]
        rows.append(join_pictures([shrink(unit.synthesise(ws)) for ws in ways], 1))
    return join_pictures(rows, 0)


def parse_layers(text: str) -> tuple[int, int]:
    """The first and the last of `0-7`. Raises ValueError."""
    match = re.fullmatch(r"\s*(\d{1,3})\s*-\s*(\d{1,3})\s*", text)
    if not match or int(match[1]) > int(match[2]):
        raise ValueError(f"layers {text!r}, must be FIRST-LAST such as 0-7")
    return int(match[1]), int(match[2])


def parse_labels(texts: Sequence[str]) -> dict[str, str]:
    """New names by old names, from texts such as `pca1=bloom`. Raises ValueError."""
    pairs = [text.partition("=") for text in texts]
    for text, (old, _, new) in zip(texts, pairs, strict=True):
        if not old.strip() or not new.strip():
            raise ValueError(f"name {text!r}, must be NAME=LABEL")
    return {old.strip(): new.strip() for old, _, new in pairs}
