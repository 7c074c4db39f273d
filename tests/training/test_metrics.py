"""Metrics of how close generated pictures are to real ones."""

from __future__ import annotations

import json
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from perform.arrays import Floats, Pixels
from perform.cli import app
from perform.sampling.pictures import encode_png
from perform.training.metrics import compare, diversity, frechet, nearest, precision_recall
from perform.training.metrics.features import network_features, planes, resized, scattering


def normal(count: int, width: int, seed: int = 0) -> Floats:
    return np.random.default_rng(seed).standard_normal((count, width)).astype(np.float32)


def disc(
    x: float, y: float, radius: float, side: int = 96, colour: tuple[int, int, int] = (200, 60, 30)
) -> Pixels:
    rows, columns = np.mgrid[:side, :side] / side
    inside = np.clip((radius - np.hypot(rows - y, columns - x)) * side, 0, 1)[..., None]
    return (inside * np.array(colour) + (1 - inside) * 12).astype(np.uint8)


def discs(count: int, seed: int) -> list[Pixels]:
    draw = np.random.default_rng(seed)
    return [disc(*draw.uniform(0.3, 0.7, 2), float(draw.uniform(0.1, 0.25))) for _ in range(count)]


def test_frechet_distance_of_known_distributions_is_exact() -> None:
    one = normal(4000, 3)
    one = (one - one.mean(0)) @ np.linalg.inv(np.linalg.cholesky(np.cov(one, rowvar=False))).T.astype(
        np.float32
    )
    assert frechet(one, one) == pytest.approx(0, abs=1e-5)
    assert frechet(one, one + np.float32(2)) == pytest.approx(12, rel=1e-4)
    assert frechet(one, 3 * one) == pytest.approx(3 * (3 - 1) ** 2, rel=1e-4)
    turned = one @ np.array([[0, 1, 0], [-1, 0, 0], [0, 0, 1]], np.float32)
    assert frechet(one * [1, 2, 3], turned * [1, 2, 3]) == pytest.approx(0, abs=1e-3)


def test_precision_measures_quality_and_recall_coverage() -> None:
    real = np.concatenate([normal(100, 4), normal(100, 4, 1) + 50]).astype(np.float32)
    assert precision_recall(real, real) == (1, 1)
    assert precision_recall(real, real + np.float32(500)) == (0, 0)
    precision, recall = precision_recall(real, normal(100, 4, 2))  # one of two modes
    assert precision > 0.9
    assert 0.3 < recall <= 0.5


def test_memorised_pictures_are_detected() -> None:
    real, other = normal(200, 6), normal(200, 6, 1)
    assert compare(real, real[:100])["novelty"] == pytest.approx(0, abs=1e-5)
    assert compare(real, other)["novelty"] == pytest.approx(1, abs=0.15)
    assert nearest(real[[7, 3]], real, 2)[:, 0].tolist() == [7, 3]


def test_diversity_is_relative_to_the_real_pictures() -> None:
    real = normal(200, 6)
    assert diversity(np.array([[0.0], [3.0]], np.float32)) == pytest.approx(3)
    assert compare(real, real / 2)["diversity"] == pytest.approx(0.5, rel=1e-3)
    assert compare(real, np.repeat(real[:1], 50, 0))["diversity"] == pytest.approx(0, abs=1e-6)


def test_features_distinguish_grain_form_and_colour() -> None:
    real, alike = scattering(discs(40, 0)), scattering(discs(40, 1))
    draw = np.random.default_rng(2)
    noisy = [np.clip(one + draw.normal(0, 20, one.shape), 0, 255).astype(np.uint8) for one in discs(40, 1)]
    blue = [one[..., ::-1] for one in discs(40, 1)]
    large = np.repeat(scattering([disc(0.5, 0.5, 0.45)]), 40, axis=0)
    near = compare(real, alike)
    assert near["precision"] > 0.8
    for worse in (scattering(noisy), scattering(blue), large):
        far = compare(real, worse)
        assert far["frechet"] > 3 * near["frechet"]
        assert far["precision"] < 0.3


def test_features_do_not_depend_on_picture_or_batch_size() -> None:
    places = [np.hypot(*((np.indices((side, side)) + 0.5) / side - 0.5)) for side in (128, 256, 384)]
    sizes = scattering([(255 * np.exp(-40 * one**2))[..., None].astype(np.uint8) for one in places])
    spread = np.abs(sizes).max()
    assert np.abs(sizes - sizes[0]).max() < 0.06 * spread
    pictures = discs(20, 0)
    np.testing.assert_allclose(scattering(pictures)[17:], scattering(pictures[17:]), atol=1e-6)
    grey = [picture[..., :1] for picture in pictures[:2]]
    np.testing.assert_allclose(
        scattering(grey), scattering([np.repeat(one, 3, 2) for one in grey]), atol=1e-6
    )


def test_pictures_are_reduced_by_averaging() -> None:
    checks = (np.indices((256, 256)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    assert resized(checks, 128) == pytest.approx(127.5, abs=6)
    assert planes(np.full((40, 60, 3), 255, np.uint8))[:, 5, 5] == pytest.approx([1, 0, 0], abs=1e-5)


def test_a_user_network_gives_the_features(tmp_path: Path) -> None:
    import openvino as ov
    from openvino import opset15 as op

    picture = op.parameter([1, 3, 32, 32], np.float32)
    mean = op.reduce_mean(picture, op.constant(np.array([2, 3])), keep_dims=False)
    ov.save_model(ov.Model([mean], [picture]), tmp_path / "mean.xml", compress_to_fp16=False)
    found = network_features(tmp_path / "mean.xml")([disc(0.5, 0.5, 2, colour=(255, 51, 0))])
    assert found == pytest.approx(np.array([[1, 0.2, 0]]), abs=1e-3)
    ov.save_model(ov.Model([picture], [picture]), tmp_path / "same.xml")
    with pytest.raises(ValueError, match="must take"):
        network_features(tmp_path / "same.xml")
    (tmp_path / "words.onnx").write_text("no network")
    with pytest.raises(ValueError, match=r"words\.onnx is not a network"):
        network_features(tmp_path / "words.onnx")


def test_the_command_compares_a_model_with_a_folder(tmp_path: Path) -> None:
    for i, picture in enumerate(discs(20, 0)):
        (tmp_path / f"{i}.png").write_bytes(encode_png(picture))
    sheet = tmp_path / "near.png"
    words = ["metrics", "untrained-small", str(tmp_path), "--samples", "16", "--json", "--sheet", str(sheet)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert told["precision"] < 0.5 and told["novelty"] > 1 and told["frechet"] > 1
    with av.open(str(sheet)) as file:
        assert next(file.decode(video=0)).width == 8 * 128 + 7 * 4
    done = CliRunner().invoke(app, ["metrics", "untrained-small", str(tmp_path / "lost")])
    assert done.exit_code == 1 and "lost" in done.output


def test_a_missing_network_of_features_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"lost\.onnx: there is no such file$"):
        network_features(tmp_path / "lost.onnx")
