"""The shipped model: it fits, plays, and its named directions have the effect of their names."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from perform import generators, paths
from perform.arrays import Floats
from perform.flora import DIMENSIONS, TABLE
from perform.generators import Generator
from perform.generators.latents import read_directions, write_directions
from perform.generators.model import Model
from perform.latent.directions import Directions
from perform.latent.space import truncate, z_of
from perform.library import Library
from perform.models import located, store
from perform.models.directions import DirectionSearch, find_directions
from perform.training.pretrained import Pretrained

MODELS = paths.shipped() / "models"
MODEL = MODELS / "flora.safetensors"
LARGEST = 25_000_000  # bytes
SEEDS = range(12)


@pytest.fixture(scope="module")
def unit() -> Iterator[Generator]:
    unit = generators.open(str(MODEL), "cpu", "float32")
    yield unit
    unit.close()


@pytest.fixture(scope="module")
def plain(unit: Generator) -> Floats:
    """The pictures of SEEDS as they are."""
    return pictures(unit)


def pictures(unit: Generator, step: Floats | float = 0.0, psi: float = 0.8, seeds: range = SEEDS) -> Floats:
    """The pictures of seeds in 0..1 [seeds, height, width, 3], `step` added to w."""
    w = unit.map(np.stack([z_of(seed, unit.space.z_dim) for seed in seeds]))
    drawn = [truncate(np.repeat(one[None], unit.space.num_ws, 0), unit.mean(), psi) + step for one in w]
    return np.stack([unit.synthesise(np.float32(ws)).copy() for ws in drawn]) / np.float32(255)


def test_the_model_fits_and_has_a_card() -> None:
    for file in MODELS.glob("*.safetensors"):
        assert file.stat().st_size <= LARGEST
    model = Model.read(MODEL)
    config, notes = model.config, model.notes
    assert config.size == (256, 256)
    assert notes["licence"] == "MIT"
    assert MODEL.with_suffix(".md").is_file()


@pytest.mark.parametrize("name", ["flora", "flora-64"])
def test_the_model_is_complete_and_plays(name: str) -> None:
    told = " ".join(store.verify_model(located(name)))
    assert "the same as when it was written" in told


def test_the_small_model_draws_the_same_flowers(unit: Generator) -> None:
    assert Model.read(MODELS / "flora-64.safetensors").size == (64, 64)
    small = generators.open(located("flora-64"), "cpu", "float32")
    large = pictures(unit, psi=1.0).reshape(len(SEEDS), 64, 4, 64, 4, 3).mean((2, 4))
    tiny = pictures(small, psi=1.0)
    small.close()
    apart = np.abs(large[:, None] - tiny[None]).mean((2, 3, 4))
    assert (apart.argmin(1) == np.arange(len(SEEDS))).mean() > 0.8


def test_the_small_model_has_the_same_direction_names() -> None:
    known = Library().directions("flora-64")
    assert {one.name for one in TABLE} <= {*known.names}


def test_fine_tuning_starts_with_its_discriminator() -> None:
    known = Pretrained.of(MODEL).discriminator
    assert {"b4.out.weight", "b256.conv0.weight"} <= known.keys()


def test_every_flower_is_different_and_on_dark_ground(plain: Floats) -> None:
    middle, corners = plain[:, 80:144, 96:160], plain[:, :32, :32]
    assert np.median(middle.max((1, 2, 3))) > 0.5
    assert np.median(corners) < 0.2
    apart = [np.abs(one - other).mean() for i, one in enumerate(plain) for other in plain[:i]]
    assert min(apart) > 0.02


def test_the_borders_have_no_frame(plain: Floats) -> None:
    for side in (plain, plain.swapaxes(1, 2), plain.swapaxes(1, 2)[:, ::-1]):
        assert np.median(np.abs(side[:, 0] - side[:, 12])) < 0.03


def test_the_directions_belong_to_these_weights(tmp_path: Path) -> None:
    shipped = read_directions(MODELS / "flora.directions.safetensors")
    assert {one.name for one in TABLE} <= {*shipped.names}
    given = tmp_path / "z.safetensors"
    names = tuple(one.name for one in TABLE)
    write_directions(given, Directions(names, np.eye(DIMENSIONS, dtype=np.float32), space="z"))
    found = find_directions(generators.weights_of(str(MODEL)), DirectionSearch(given=given))
    for name in names:
        assert shipped.step(name) == pytest.approx(found.step(name), abs=1e-3)


def test_named_directions_have_their_effect(unit: Generator, plain: Floats) -> None:
    known, few = Library().directions("flora"), SEEDS[:12] if os.environ.get("PERFORM_SOAK") else SEEDS[:6]

    def led(name: str) -> list[Floats]:
        return [pictures(unit, amount * known.step(name), seeds=few) for amount in (2.0, -2.0)]

    for name in ("bloom", "curl", "nod", "rim"):
        assert all(np.abs(one - plain[: len(few)]).mean() > 0.01 for one in led(name)), name
    up, down = (one.mean() for one in led("lightness"))
    assert up > down + 0.02
    up, down = (np.median(one[:, :16]) for one in led("ground"))
    assert up > down + 0.02
    up, down = (one.mean((0, 1, 2)) for one in led("palette_y"))
    assert up[0] / up[1] > 1.3 * down[0] / down[1]
    up, down = (one.mean((0, 1, 2)) for one in led("palette_z"))
    assert up[2] / up[0] > 1.3 * down[2] / down[0]
    right, left = (centre(one) for one in led("lean"))
    assert abs(right - left) > 3


def centre(drawn: Floats) -> float:
    """The column of the middle of what is bright in the upper half."""
    weight = drawn[:, 40:120].mean((0, 1, 3))
    return float((weight * np.arange(len(weight))).sum() / weight.sum())
