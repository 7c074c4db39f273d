"""Directions: found as the papers define, saved, and played; centres of truncation; noise that moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perform.generators.latents import read_directions, write_directions
from perform.generators.noise import MovingNoise
from perform.latent.centre import POWER, Centre, nearness
from perform.latent.directions import Directions, factorised, measured, moved, principal, reach
from perform.latent.space import Space, z_of
from perform.networks import ModelError

SPACE = Space(4, 4, 3)


def normal(*shape: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def identity(z: Any) -> Any:
    return z


def test_principal_components_equal_those_of_the_covariance() -> None:
    turn = np.linalg.qr(normal(5, 5))[0]
    samples = (normal(40_000, 5) * np.float32([5, 4, 3, 2, 1])) @ turn.T + 7
    found = principal(samples, 3)
    assert found.names == ("pca1", "pca2", "pca3")
    assert found.scales == pytest.approx([5, 4, 3], rel=0.02)
    assert np.abs(np.sum(found.components * turn.T[:3], 1)) == pytest.approx(np.ones(3), abs=1e-2)
    assert np.linalg.norm(found.components, axis=1) == pytest.approx(np.ones(3), abs=1e-6)
    assert (found.components.max(1) == np.abs(found.components).max(1)).all()
    assert np.array_equal(found.components, principal(samples, 3).components)


@pytest.mark.parametrize(("n", "count"), [(10, 0), (10, 5), (3, 3)])
def test_too_many_components_are_rejected(n: int, count: int) -> None:
    with pytest.raises(ValueError, match=rf"count = {count}, must be 1\.\."):
        principal(normal(n, 4), count)


def test_a_factorised_direction_changes_normalised_styles_most() -> None:
    matrices = [normal(6, 5), normal(9, 5, seed=1) * 100]
    found = factorised(matrices, 5)
    rows = np.concatenate([one / np.linalg.norm(one, axis=1, keepdims=True) for one in matrices])
    gains = np.square(rows @ found.components.T).sum(0)
    assert (np.diff(gains) <= 1e-5).all()
    others = normal(1000, 5, seed=2)
    others /= np.linalg.norm(others, axis=1, keepdims=True)
    assert np.square(rows @ others.T).sum(0).max() <= gains[0]
    assert found.components @ found.components.T == pytest.approx(np.eye(5), abs=1e-5)
    assert found.scales is None


def test_directions_are_measured_in_standard_deviations() -> None:
    samples = normal(20_000, 3) * np.float32([1, 2, 4])
    found = measured(Directions(("a", "b"), np.float32([[0, 9, 0], [0, 0, 0.1]])), samples)
    assert found.scales == pytest.approx([2, 4], rel=0.02)
    assert found.step("b") == pytest.approx([0, 0, 4], rel=0.02)
    told = measured(Directions(("a",), np.float32([[0, 2, 0]]), np.float32([3])), samples)
    assert told.step("a") == pytest.approx([0, 6, 0])
    for wrong in (normal(1, 2), np.zeros((1, 3), np.float32)):
        with pytest.raises(ValueError, match="direction"):
            measured(Directions(("a",), wrong), samples)


def test_names_are_assigned_and_unique() -> None:
    found = Directions(("a", "b"), normal(2, 3), np.ones(2, np.float32))
    assert found.named({"a": "smile"}).names == ("smile", "b")
    with pytest.raises(ValueError, match="there is no direction 'c'; there are: a, b"):
        found.named({"c": "x"})
    with pytest.raises(ValueError, match="names b, must differ"):
        found.named({"a": "b"})
    other = Directions(("b", "c"), normal(2, 3, seed=1), np.full(2, 2, np.float32))
    both = found.joined(other)
    assert both.names == ("a", "b", "c")
    assert np.array_equal(both.step("b"), other.step("b"))
    assert found.joined(other, without=["a"]).names == ("b", "c")


def test_a_file_of_directions_survives_a_round_trip(tmp_path: Path) -> None:
    for kept in (
        Directions(("a", "ü b"), normal(2, 3), np.float32([1, 2])),
        Directions(("a",), normal(1, 3), None, "z"),
    ):
        write_directions(tmp_path / "m.directions.safetensors", kept)
        read = read_directions(tmp_path / "m.directions.safetensors")
        assert (read.names, read.space) == (kept.names, kept.space)
        assert np.array_equal(read.components, kept.components)
        assert (read.scales is None) == (kept.scales is None)
        assert kept.scales is None or np.array_equal(read.scales, kept.scales)  # type: ignore[arg-type]
    assert [file.name for file in tmp_path.iterdir()] == ["m.directions.safetensors"]


def test_a_direction_with_a_row_for_each_layer_moves_each_layer_its_own_way(tmp_path: Path) -> None:
    """w+, as encoders give it: one direction, not as many as there are layers."""
    way = normal(3, 4)
    np.save(tmp_path / "smile.npy", way)
    given = read_directions(tmp_path / "smile.npy", layers=3)
    assert given.components.shape == (1, 3, 4)
    assert np.array_equal(given.components[0], way)
    samples = normal(20_000, 4, seed=1) * np.float32(2)
    found = measured(given, samples)
    assert np.linalg.norm(found.components[0], axis=1).max() == pytest.approx(1)
    assert found.scales == pytest.approx([2], rel=0.02)
    ws, amount = normal(3, 4, seed=2), [{"amount": 3.0, "layers": (0, 63)}]
    longest = np.linalg.norm(way, axis=1).max()
    assert found.scales is not None
    expected = ws + 3 * found.scales[0] * way / longest
    assert moved(ws, [found.step("direction0")], amount) == pytest.approx(expected, abs=1e-5)
    both = Directions(("a",), normal(1, 4, seed=3), np.float32([1])).joined(found)
    assert both.components.shape == (2, 3, 4)
    assert np.array_equal(both.step("a"), np.repeat(normal(1, 4, seed=3), 3, 0))
    write_directions(tmp_path / "m.directions.safetensors", both)
    assert np.array_equal(read_directions(tmp_path / "m.directions.safetensors").components, both.components)


def test_a_direction_that_leaves_layers_as_they_are(tmp_path: Path) -> None:
    way = np.zeros((3, 4), np.float32)
    way[1] = 2, 0, 0, 0
    np.save(tmp_path / "late.npy", way)
    found = measured(read_directions(tmp_path / "late.npy", layers=3), normal(1000, 4))
    assert found.components[0].tolist() == [[0, 0, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("array", "shape"),
    [
        (normal(5, 4), (5, 4)),  # as many as there are, of any number but that of the layers
        (np.eye(4, dtype=np.float32)[:3], (3, 4)),  # components are at right angles
        (normal(1, 4), (1, 4)),
        (normal(4), (1, 4)),
        (normal(2, 3, 4), (2, 3, 4)),
        (normal(1, 3, 4), (1, 3, 4)),
        (normal(5, 1, 4), (5, 4)),
    ],
)
def test_other_arrays_are_so_many_directions(array: Any, shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "some.npy", array)
    assert read_directions(tmp_path / "some.npy", layers=3).components.shape == shape


@pytest.mark.parametrize(
    ("array", "said"),
    [
        (normal(2, 5, 4), r"shape \(2, 5, 4\), must be .* or \[n, 3, dimensions\]: the model has 3 layers"),
        (
            np.repeat(normal(1, 4), 5, 0),
            "a direction with 5 rows, one for each layer: the model has 3 layers",
        ),
    ],
)
def test_layers_that_the_model_has_not_are_told(array: Any, said: str, tmp_path: Path) -> None:
    np.save(tmp_path / "some.npy", array)
    with pytest.raises(ModelError, match=said):
        read_directions(tmp_path / "some.npy", layers=3)


@pytest.mark.parametrize("names", [None, "[", "[]", '["a"]', '["a", "a"]', '{"a": 1, "b": 2}'])
def test_a_file_without_names_is_rejected(names: str | None, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    file = tmp_path / "m.safetensors"
    save_file({"components": normal(2, 3)}, file, None if names is None else {"names": names})
    with pytest.raises(ModelError, match=r"m.safetensors: its metadata must name 2 directions, each once"):
        read_directions(file)


def test_a_range_of_layers_can_be_played() -> None:
    assert reach((0, 63), 4).tolist() == [1, 1, 1, 1]
    assert reach((1, 2), 4).tolist() == [0, 1, 1, 0]
    assert reach((1, 2.25), 4).tolist() == [0, 1, 1, 0.25]
    assert reach((0.75, 1), 4).tolist() == [0.25, 1, 0, 0]
    assert reach((3, 1), 4).tolist() == [0, 0, 0, 0]


@given(st.floats(0, 63), st.floats(0, 63), st.floats(-0.01, 0.01))
def test_a_range_of_layers_never_jumps(first: float, last: float, by: float) -> None:
    assert np.abs(reach((first, last), 18) - reach((first + by, last), 18)).max() <= abs(by) + 1e-5


def test_a_latent_is_moved_by_amounts_in_some_layers() -> None:
    ws, steps = normal(3, 4), [normal(4, seed=1), normal(4, seed=2)]
    assert moved(ws, [], []) is ws
    values = [{"amount": 2.0, "layers": (0, 63)}, {"amount": -1.0, "layers": (2, 2)}]
    expected = ws + 2 * steps[0]
    expected[2] -= steps[1]
    assert moved(ws, steps, values) == pytest.approx(expected, abs=1e-6)
    assert moved(ws, steps, values).dtype == np.float32


def test_the_nearest_centre_is_used() -> None:
    points = np.stack([z_of(seed, 4) for seed in (5, 6)])
    centre = Centre(SPACE, (5, 6))
    for point in points:
        near = np.repeat(point[None], 3, 0)
        assert np.array_equal(centre.at(near, identity), near)
    middle = np.repeat(points.mean(0)[None], 3, 0)
    assert centre.at(middle, identity) == pytest.approx(middle, abs=1e-5)


def test_kept_latents_are_centres_like_seeds() -> None:
    kept = normal(2, 3, 4)
    centre = Centre(SPACE, (5,), kept)
    assert np.array_equal(centre.at(kept[1], identity), kept[1])
    assert np.array_equal(Centre(SPACE, (), kept[:1]).at(kept[1], identity), kept[0])


def test_the_path_between_two_centres_has_no_jump() -> None:
    centre, steps = Centre(SPACE, (5, 6, 7)), 2000
    ways = [normal(3, 4, seed=seed) for seed in (1, 2)]
    path = [ways[0] + np.float32(i / steps) * (ways[1] - ways[0]) for i in range(steps + 1)]
    found = np.stack([centre.at(ws, identity) for ws in path])
    assert np.abs(np.diff(found, axis=0)).max() < 0.02 * np.abs(found[0] - found[-1]).max()


def test_a_fifth_farther_away_weighs_a_twentieth() -> None:
    weights = nearness(np.float32([1, 1.2, 2]))
    assert weights[1] / weights[0] == pytest.approx(1.2**-POWER, rel=1e-3)
    assert weights[1] / weights[0] == pytest.approx(1 / 20, abs=0.005)
    assert weights.sum() == pytest.approx(1)
    assert nearness(np.float32([0])).tolist() == [1]


def test_noise_moves_between_seeds_at_constant_strength() -> None:
    drawn: list[int] = []

    def draw(seed: int) -> Any:
        drawn.append(seed)
        return normal(20_000, seed=seed + 10)

    noise = MovingNoise(draw)
    assert np.array_equal(noise.at(3, 0.0), normal(20_000, seed=13))
    assert np.array_equal(noise.at(3, 2.0), normal(20_000, seed=15))
    for phase in (0.25, 0.5, 0.75, -1.3):
        assert noise.at(3, phase).std() == pytest.approx(1, abs=0.02)
        assert noise.at(3, phase).dtype == np.float32
    assert noise.at(3, 0.5) is noise.at(3, 0.5)
    assert np.abs(noise.at(3, 0.999) - noise.at(3, 1.001)).max() < 0.02
    drawn.clear()
    for phase in np.linspace(5.1, 5.9, 9):
        noise.at(3, float(phase))
    assert drawn == [8, 9]
