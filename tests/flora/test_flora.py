"""Flora's renderer: the same picture for the same latent, and a similar one for a similar latent."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from perform import flora
from perform.commands.flora import flora_app
from perform.flora import films, varieties
from perform.flora.dimensions import DIMENSION_NUMBERS, TABLE
from perform.generators.latents import read_directions
from perform.render import stills

Pictures = NDArray[np.uint8]

SIZE = 64


def _difference(one: Pictures, other: Pictures) -> float:
    """Mean absolute difference, 0..255."""
    return float(np.abs(one.astype(float) - other).mean())


@pytest.fixture(scope="module")
def pictures() -> Pictures:
    """[64, SIZE, SIZE, 3]"""
    return np.stack([flora.render_flower(z, SIZE) for z in flora.latents(4, 64)])


def test_latents_repeat_with_the_seed_for_any_count() -> None:
    zs = flora.latents(3, 5)
    assert zs.shape == (5, flora.DIMENSIONS) and zs.dtype == np.float32
    assert np.array_equal(zs, flora.latents(3, 5)) and np.array_equal(zs[:2], flora.latents(3, 2))
    assert not np.array_equal(zs, flora.latents(4, 5))


def test_every_dimension_has_a_name_a_description_and_a_range() -> None:
    assert 40 <= flora.DIMENSIONS <= 64 and len({one.name for one in TABLE}) == flora.DIMENSIONS
    assert all(one.meaning and one.low < one.high for one in TABLE)
    low, high = (flora.describe(np.full(flora.DIMENSIONS, z, np.float32)) for z in (-9, 9))
    for one in TABLE:
        assert low[one.name] == pytest.approx(one.low, abs=0.05)
        assert high[one.name] == pytest.approx(one.high, abs=0.05)


def test_the_same_latent_gives_the_same_bytes() -> None:
    first, second = flora.latents(0, 2)
    once = flora.render_flower(first, SIZE)
    assert once.shape == (SIZE, SIZE, 3) and once.dtype == np.uint8
    flora.render_flower(second, 48)
    assert np.array_equal(flora.render_flower(first, SIZE), once)


def test_another_size_gives_the_same_picture() -> None:
    z = flora.latents(11, 1)[0]
    small, large = flora.render_flower(z, 32), flora.render_flower(z, 512)
    shrunk = large.reshape(32, 16, 32, 16, 3).mean((1, 3))
    assert _difference(small, shrunk.astype(np.uint8)) < 4


def test_every_number_changes_the_picture_a_little() -> None:
    """By a step of a hundredth; 2 of 255 is between two varieties, most numbers change it by far less."""
    z = flora.latents(2, 1)[0]
    still = flora.render_flower(z, 48)
    for place in range(flora.DIMENSIONS):
        moved = z.copy()
        moved[place] += 0.01
        assert _difference(flora.render_flower(moved, 48), still) < 2, TABLE[place].name


def test_the_path_between_two_flowers_has_no_jump() -> None:
    for seed in range(3):
        one, other = flora.latents(seed, 2)
        drawn = [
            flora.render_flower(one + (other - one) * share, 48)
            for share in np.linspace(0.4, 0.6, 21, dtype="f4")
        ]
        steps = [_difference(a, b) for a, b in pairwise(drawn)]
        assert max(steps) < 6 and _difference(drawn[0], drawn[-1]) > 1


def test_the_bloom_dimension_opens_the_flower() -> None:
    z = np.zeros(flora.DIMENSIONS, np.float32)
    widths = []
    for bloom in (-2, 0, 1):
        z[DIMENSION_NUMBERS["bloom"]] = bloom
        lit = flora.render_flower(z, SIZE).max(-1) > 70
        widths.append(np.ptp(np.flatnonzero(lit[: SIZE // 2].any(0))))
    assert widths[0] < widths[1] < widths[2]


def test_pictures_are_neither_black_nor_white_and_differ(pictures: Pictures) -> None:
    means = pictures.mean((1, 2, 3))
    assert means.min() > 8 and means.max() < 190 and np.median(means) < 90
    assert pictures.std((1, 2, 3)).min() > 12
    assert (pictures == 255).all(-1).mean() < 0.002
    flat = pictures.reshape(64, -1).astype(np.float32)
    apart = np.abs(flat[:, None, ::7] - flat[None, :, ::7]).mean(-1)[np.triu_indices(64, 1)]
    assert apart.mean() > 30 and apart.min() > 5


def test_flowers_fill_the_middle_and_not_the_corners(pictures: Pictures) -> None:
    """The middle is brighter or more colourful than the upper corners, in nearly every picture."""
    spread = pictures.astype(float).max(-1) - pictures.min(-1) + pictures.max(-1)
    third = SIZE // 3
    middle = spread[:, third:-third, third:-third].mean((1, 2))
    corners = (spread[:, :8, :8].mean((1, 2)) + spread[:, :8, -8:].mean((1, 2))) / 2
    assert (middle > corners).mean() > 0.85


def test_mixtures_of_varieties_are_whole_and_smooth() -> None:
    anchors = varieties.sphere(9, 1.5)
    weights = varieties.mixture(anchors[4], anchors, 0.1)
    assert weights.sum() == pytest.approx(1) and weights.argmax() == 4
    before, after = (varieties.form_at(np.array([x, 0.4, 0.0])) for x in (0.7, 0.70001))
    assert abs(before.petals - after.petals) < 0.01


@pytest.mark.parametrize(
    ("z", "size", "sentence"),
    [
        (np.zeros(7), 64, r"z has shape \(7,\), must be"),
        (np.zeros((1, flora.DIMENSIONS)), 64, "must be"),
        (np.full(flora.DIMENSIONS, np.nan), 64, r"z\[0\] is not finite"),
        (np.zeros(flora.DIMENSIONS), 16, r"size 16, must be 32\.\.2048"),
        (np.zeros(flora.DIMENSIONS), 4096, r"size 4096, must be 32\.\.2048"),
    ],
)
def test_wrong_options_are_rejected_with_a_clear_error(
    z: NDArray[np.float64], size: int, sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        flora.render_flower(z.astype(np.float32), size)


def test_a_negative_seed_is_rejected() -> None:
    with pytest.raises(ValueError, match="seed -1"):
        flora.latents(-1, 3)


def test_the_walk_is_closed_and_normally_distributed() -> None:
    way = films.walk(30, 30, 8)
    assert way.shape == (900, flora.DIMENSIONS)
    steps = np.linalg.norm(np.diff(way, axis=0, append=way[:1]), axis=1)
    assert steps[-1] < 1.5 * np.median(steps) and steps.max() < 0.4
    many = np.concatenate([films.walk(20, 1, seed) for seed in range(100)])
    assert many.std() == pytest.approx(1, abs=0.05)


def test_a_film_has_its_frames_and_no_seam(tmp_path: Path) -> None:
    import av

    path = tmp_path / "flora.mp4"
    assert films.write_film(path, seconds=2, size=32, fps=12, seed=1) == 24
    with av.open(str(path)) as container:
        frames = [frame.to_ndarray(format="rgb24").astype(np.uint8) for frame in container.decode(video=0)]
    assert len(frames) == 24 and frames[0].shape == (32, 32, 3)
    steps = [_difference(a, b) for a, b in pairwise(frames)]
    assert _difference(frames[-1], frames[0]) < 2 * max(steps)


def test_a_lossless_film_has_every_pixel(tmp_path: Path) -> None:
    import av

    words = ["film", str(tmp_path / "a.mkv"), "--seconds", "0.2", "--size", "32", "--fps", "10"]
    told = CliRunner().invoke(flora_app, [*words, "--codec", "ffv1"])
    assert told.exit_code == 0, told.output
    with av.open(str(tmp_path / "a.mkv")) as film:
        assert film.streams.video[0].codec_context.name == "ffv1"
        pictures = [frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)]
    drawn = [flora.render_flower(z, 32) for z in films.walk(0.2, 10, 0)]
    assert np.array_equal(pictures, drawn)
    refused = CliRunner().invoke(flora_app, [*words, "--codec", "ffv1", "--quality", "1", "--force"])
    assert refused.exit_code == 1 and "quality '1' of ffv1, must be left out" in refused.output


@pytest.mark.parametrize(
    "numbers", [(0, 30), (2, 0.5), (-1, 30), (4000, 30), (np.inf, 30), (np.nan, 30), (2, np.inf), (2, np.nan)]
)
def test_a_film_without_length_is_rejected(numbers: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="must be up to 3600 s"):
        films.walk(*numbers, seed=0)


def test_commands_write_their_files(tmp_path: Path) -> None:
    folder = tmp_path / "flowers"
    told = CliRunner().invoke(
        flora_app, ["pictures", str(folder), "--count", "3", "--size", "32", "--seed", "5"]
    )
    assert told.exit_code == 0, told.output
    assert sorted(one.name for one in folder.iterdir()) == [
        "000000.png",
        "000001.png",
        "000002.png",
        "latents.csv",
        "latents.npy",
    ]
    assert np.array_equal(np.load(folder / "latents.npy"), flora.latents(5, 3))
    assert len((folder / "latents.csv").read_text(encoding="utf-8").splitlines()) == 4
    assert np.array_equal(
        stills.read(folder / "000001.png")[..., :3], flora.render_flower(flora.latents(5, 3)[1], 32)
    )
    sheet = tmp_path / "sheet.png"
    told = CliRunner().invoke(
        flora_app, ["sheet", str(sheet), "--columns", "3", "--rows", "2", "--size", "32"]
    )
    assert told.exit_code == 0, told.output
    assert stills.read(sheet).shape == (64, 96, 4)


def test_the_command_writes_the_dimensions_as_directions(tmp_path: Path) -> None:
    file = tmp_path / "dimensions.safetensors"
    told = CliRunner().invoke(flora_app, ["directions", str(file)])
    assert told.exit_code == 0, told.output
    found = read_directions(file)
    assert found.space == "z" and found.names[6] == "bloom" and len(found.names) == flora.DIMENSIONS
    assert found.step("bloom")[6] == 1 and np.abs(found.step("bloom")).sum() == 1


def test_a_wrong_name_gives_a_clear_error(tmp_path: Path) -> None:
    told = CliRunner().invoke(flora_app, ["sheet", str(tmp_path / "sheet.gif")])
    assert told.exit_code == 1
    told = CliRunner().invoke(
        flora_app, ["film", str(tmp_path / "film.txt"), "--seconds", "1", "--size", "32"]
    )
    assert told.exit_code == 1
