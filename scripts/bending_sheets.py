"""Pictures of everything that can be done inside a network: docs/pictures/bending.

    python -m scripts.bending_sheets [--model MODEL]

A row for each operation, from left to right its control swept, in two layers; rows of a blend; and flowers of
flora in a wider field.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from perform import generators
from perform.arrays import Pixels
from perform.generators.extending import EXTEND, extension
from perform.generators.model import Model
from perform.latent.space import z_of
from perform.library import Library
from perform.networks import Precision
from perform.networks.bending import Bend
from perform.networks.blending import Blend
from perform.networks.controls import NetworkValues
from scripts.contact_sheets import GAP, save

FOLDER = Path(__file__).resolve().parent.parent / "docs" / "pictures" / "bending"
SEED, OTHER_SEED, TRUNCATION = 27, 8, 0.9
STEPS = 5
FLOWERS = (3, 14, 15)
PRECISION: Precision = "bfloat16"  # opens quicker: nothing is compared
SWEPT: dict[str, tuple[str, float, float]] = {  # operation: control, from, to
    "ablate": ("amount", 0.2, 1.0),
    "scale": ("factor", 0.0, 4.0),
    "threshold": ("level", -0.5, 1.5),
    "invert": ("amount", 0.2, 1.0),
    "rotate": ("turns", 0.05, 0.45),
    "translate": ("x", 0.1, 0.5),
    "zoom": ("factor", 0.5, 2.5),
    "warp": ("depth", 0.02, 0.2),
    "erode": ("amount", 0.2, 1.0),
    "dilate": ("amount", 0.2, 1.0),
    "blur": ("amount", 0.2, 1.0),
}


def main() -> None:
    """Write the sheets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="untrained-large")
    model = parser.parse_args().model
    FOLDER.mkdir(parents=True, exist_ok=True)
    layers = Model.read(model).layers
    coarse, fine = layers[len(layers) // 3], layers[len(layers) * 2 // 3]
    for operation in SWEPT:
        save(sheet(bent(model, operation, coarse, fine)), FOLDER / f"{operation}.jpg")
    save(sheet(echoes(model, coarse, fine)), FOLDER / "feedback.jpg")
    save(sheet(blended(model, layers)), FOLDER / "blend.jpg")
    save(sheet(extended()), FOLDER / "extend.jpg")


def bent(model: str, operation: str, *layers: str) -> Iterator[list[Pixels]]:
    """A row for each layer: the picture as it is, then bent more and more."""
    control, low, high = SWEPT[operation]
    for layer in layers:
        unit = generators.open(model, "cpu", PRECISION, bends=[Bend(operation, layer, 2)])
        values = [NetworkValues(bends=[{"amount": 0.0}])]
        values += [NetworkValues(bends=[{control: value}]) for value in np.linspace(low, high, STEPS)]
        yield drawn(unit, values)
        unit.close()


def echoes(model: str, *layers: str) -> Iterator[list[Pixels]]:
    """A row for each layer: on the way from one latent to another, with what was before coming back."""
    for layer in layers:
        unit = generators.open(model, "cpu", PRECISION, bends=[Bend("feedback", layer)])
        start, end = latent(unit, SEED), latent(unit, OTHER_SEED)
        ways = [start + (end - start) * np.float32(step / STEPS) for step in range(STEPS + 1)]
        values = NetworkValues(bends=[{"amount": 0.8}])
        yield [unit.synthesise(way, values).copy() for way in ways]
        unit.close()


def blended(model: str, layers: Sequence[str]) -> Iterator[list[Pixels]]:
    """Rows of a model and itself with other weights: all layers, the coarse ones, the fine ones."""
    other = FOLDER / "other.safetensors"
    half = len(layers) // 2
    try:
        write_other(model, other)
        for first, last in ((0, -1), (0, half), (half + 1, -1)):
            unit = generators.open(
                model, "cpu", PRECISION, blend=Blend(str(other), layers[first], layers[last])
            )
            shares = np.linspace(0, 1, STEPS + 1)
            yield drawn(unit, [NetworkValues(blend={"amount": share}) for share in shares])
            unit.close()
    finally:
        other.unlink(missing_ok=True)


def extended() -> Iterator[list[Pixels]]:
    """A row for each way to extend: four flowers of flora."""
    model, shape = Library().model("flora"), (2, 1)
    for way in EXTEND.choices[1:]:
        unit = generators.open(model, "cpu", PRECISION, extension=extension(model.config, way, shape))
        yield [unit.synthesise(latent(unit, seed)).copy() for seed in FLOWERS]
        unit.close()


def write_other(model: str, file: Path) -> None:
    """A model of the same shape: the channels of every weight in another order."""
    from dataclasses import replace

    from perform.networks.modelfiles import write_weights

    weights = generators.weights_of(model)
    draw = np.random.default_rng(SEED)
    arrays = {name: array.copy() for name, array in weights.arrays.items()}
    for name, array in arrays.items():
        if "conv" in name and name.endswith(".weight") and array.ndim == 4:
            arrays[name] = np.ascontiguousarray(array[draw.permutation(len(array))])
    write_weights(file, replace(weights, arrays=arrays))


def latent(unit: generators.Generator, seed: int) -> Any:
    """ws [num_ws, w_dim] of a seed, truncated."""
    w = unit.map(z_of(seed, unit.space.z_dim)[None])
    return np.repeat(unit.mean() + np.float32(TRUNCATION) * (w - unit.mean()), unit.space.num_ws, 0)


def drawn(unit: generators.Generator, values: Sequence[NetworkValues]) -> list[Pixels]:
    """The same latent under different values."""
    ws = latent(unit, SEED)
    return [unit.synthesise(ws, one).copy() for one in values]


def sheet(rows: Iterator[list[Pixels]]) -> Pixels:
    """Rows of pictures at half size, black between them."""
    lines = []
    for row in rows:
        cells = []
        for picture in row:
            size, width = len(picture) // 128, picture.shape[1] // (len(picture) // 128)
            cell = np.zeros((128 + GAP, width + GAP, 3), np.uint8)
            cell[:128, :width] = picture.reshape(128, size, width, size, 3).mean((1, 3)).round()
            cells.append(cell)
        lines.append(np.concatenate(cells, 1))
    return np.concatenate(lines)[:-GAP, :-GAP]


if __name__ == "__main__":
    main()
