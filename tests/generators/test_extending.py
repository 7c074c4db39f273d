"""Extended networks: the constant goes on beyond its sides, and everything after it with it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from perform import generators
from perform.generators import untrained
from perform.generators.extending import Extension, extended_config, extended_weights, extension
from perform.library import Library
from perform.networks.blending import Blend
from perform.networks.runtimes.torch.eager import Eager
from perform.scenes.readiness import Readiness
from perform.show import Options, render
from tests.doubles.networks import drawn

WEIGHTS = untrained.untrained_weights("untrained-small")
CONFIG = WEIGHTS.config
CONST = "synthesis.b4.const"


@pytest.mark.parametrize(
    ("size", "start"),
    [
        ((1920, 1080), (4, 8)),
        ((1080, 1920), (8, 4)),
        ((640, 480), (4, 6)),
        ((5120, 1440), (4, 16)),
        ((10_000, 10), (4, 16)),
    ],
)
def test_a_network_is_extended_to_the_shape_of_the_show(
    size: tuple[int, int], start: tuple[int, int]
) -> None:
    found = extension(CONFIG, "edge", size)
    assert found == Extension("edge", start)
    factor = CONFIG.size[0] // 4
    assert extended_config(CONFIG, found).size == (start[1] * factor, start[0] * factor)


def test_nothing_is_extended_without_need() -> None:
    assert extension(CONFIG, "off", (1920, 1080)) is None
    assert extension(CONFIG, "edge", (720, 720)) is None
    other = Library().model("flora-64").config  # not a StyleGAN
    assert extension(other, "edge", (1920, 1080)) is None
    assert extended_config(other, None) is other
    assert extended_weights(WEIGHTS, None) is WEIGHTS


@pytest.mark.parametrize(
    ("way", "row"),
    [
        ("edge", [0, 0, 0, 3, 6, 9, 9, 9]),
        ("mirror", [3, 0, 0, 3, 6, 9, 9, 6]),
        ("blend", [3.6, 1.8, 0, 3, 6, 9, 7.2, 5.4]),
    ],
)
def test_the_constant_goes_on_at_both_sides(way: str, row: list[float]) -> None:
    weights = drawn(CONFIG)
    weights.arrays[CONST][:] = [0, 3, 6, 9]
    wide = extended_weights(weights, Extension(way, (4, 8)))
    assert wide.arrays[CONST][0] == pytest.approx(np.tile(np.float32(row), (4, 1)))
    noise = {name for name in weights.arrays if name.endswith(".noise_const")}
    for name, array in wide.arrays.items():
        assert array.shape == wide.config.shapes()[name]
        assert array is weights.arrays[name] or name == CONST or name in noise
    high = extended_weights(weights, Extension(way, (8, 4)))
    assert high.arrays[CONST].shape[1:] == (8, 4)
    assert (high.arrays[CONST][:, 2:6] == weights.arrays[CONST]).all()


@pytest.mark.parametrize("way", ["edge", "mirror", "blend"])
def test_every_runtime_draws_the_same_wide_picture(way: str) -> None:
    wide = Extension(way, (4, 8))
    exact = Eager(extended_weights(WEIGHTS, wide))
    fast = generators.open("untrained-small", "cpu", "float32", 1, extension=wide)
    ws = np.repeat(
        exact.map(np.random.default_rng(1).standard_normal((1, exact.space.z_dim), np.float32)),
        exact.space.num_ws,
        0,
    )
    width, height = CONFIG.size
    expected, picture = exact.synthesise(ws).astype(int), fast.synthesise(ws)
    assert fast.size == (2 * width, height)
    assert picture.shape == (height, 2 * width, 3)
    assert np.abs(picture - expected).max() <= 1


def test_a_blend_extends_both_models() -> None:
    layer = CONFIG.bendable[0]
    mixed = Blend("untrained-small", layer, CONFIG.bendable[-1])
    wide = generators.open(
        "untrained-small", "cpu", "float32", 1, blend=mixed, extension=Extension("edge", (4, 6))
    )
    assert wide.size == (CONFIG.size[0] * 3 // 2, CONFIG.size[1])


def test_a_preset_fills_the_shape_of_the_show(tmp_path: Path) -> None:
    preset = tmp_path / "wide.toml"
    preset.write_text(
        'title = "Wide"\n[generator]\nmodel = "untrained-small"\nextend = "edge"\nfit = "fit"\n'
    )
    rig = render(Options(str(preset), None, size=(128, 64), fps=10, headless=True))
    try:
        rig.frame()
        (cue,) = rig.performance.cues
        assert cue.scene.layers[0].source.generator.key.size == (2 * CONFIG.size[0], CONFIG.size[1])
        assert rig.picture is not None
        columns = np.frombuffer(rig.picture.image.read(), np.uint8).reshape(64, 128, -1)[..., :3].max((0, 2))
        assert columns.min() > 0  # no black bars
        rig.stage.resize((43, 21), [cue])
        assert rig.stage.readiness(rig.performance.setlist, [preset]) is Readiness.READY
    finally:
        rig.close()
