"""Directions and centres in presets and in a show, and `perform directions`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from perform import generators, paths
from perform.cli import app
from perform.commands.check import check_file
from perform.documents import SceneError
from perform.generators import biggan, dcgan, lucidrains, stylegan1, stylegan2
from perform.generators.latents import read_directions, write_directions
from perform.generators.model import Model
from perform.latent.centre import Centre
from perform.latent.directions import PARAMETERS, Directions
from perform.latent.paths import open_path
from perform.latent.space import truncate, z_of
from perform.library import Library
from perform.models.directions import (
    DirectionSearch,
    find_directions,
    parse_labels,
    parse_layers,
    save_directions,
    style_matrices,
)
from perform.networks import ModelError, weights
from perform.networks.families import family
from perform.networks.modelfiles import write_weights
from perform.performance import SceneInstance
from perform.performance.scene import LatentSource, LayerInstance
from perform.scenes.controls import UnitSettings
from perform.scenes.reader import read_scene
from perform.scenes.scene import Scene
from tests.doubles.catalogue import FakeCatalogue
from tests.doubles.networks import WEIGHTS
from tests.doubles.performances import SPACE, FakeGenerator, neural_scene, performance, play

TEXT = """
title = "T"
[generator]
model = "flora"
centre = [3, 4]
kept = "kept.npz"
[[direction]]
name = "smile"
layers = [0, "3 * audio.low"]
amount = "2 * audio.level"
[[direction]]
name = "pca1"
"""
MODEL = "untrained-small"


def written(folder: Path, text: str, name: str = "moth.toml") -> Path:
    (file := folder / name).write_text(text, encoding="utf-8")
    return file


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(SceneError) as caught:
        read_scene(written(folder, text), FakeCatalogue())
    return [fault.replace(f"{folder}/", "") for fault in caught.value.faults]


def test_a_preset_uses_directions_and_centres(tmp_path: Path) -> None:
    scene = read_scene(written(tmp_path, TEXT), FakeCatalogue())
    [layer] = scene.layers
    assert [one.name for one in layer.directions] == ["smile", "pca1"]
    assert layer.directions[1].with_defaults == {"layers": (0.0, 63.0), "amount": 0.0}
    assert (layer.source.values["centre"], layer.source.values["kept"]) == (
        (3, 4),
        "kept.npz",
    )


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (
            ('"smile"', '"smil"'),
            "direction[0].name = 'smil': there is no such direction; did you mean smile",
        ),
        (("amount =", "amont ="), "direction[0].amont is unknown; did you mean amount?"),
        (('layers = [0, "3', 'layers = ["3'), "direction[0].layers"),
        (("[0,", "[99,"), "direction[0].layers = 99, must be 0..63"),
        (("kept.npz", "lost.npz"), "generator.kept = 'lost.npz': there is no such file"),
        (("[3, 4]", "[0.5]"), "generator.centre = [0.5], must hold whole numbers only"),
        (("[[direction]]\nname", "[[directions]]\nname"), "directions is unknown; did you mean direction"),
    ],
)
def test_a_wrong_value_is_reported(change: tuple[str, str], fault: str, tmp_path: Path) -> None:
    assert any(fault in one for one in faults(tmp_path, TEXT.replace(*change, 1)))


def test_a_shader_has_no_directions(tmp_path: Path) -> None:
    text = 'title = "T"\n[generator]\nshader = "grid"\n[[direction]]\nname = "smile"\n'
    assert faults(tmp_path, text) == [
        "moth.toml: direction needs a generator with a model; nothing else has a latent space"
    ]


def beyond(scene: Scene, steps: Any = (), centre: Centre | None = None) -> Any:
    """A show of one scene whose latent moves."""
    show = performance(scene)
    [layer] = scene.layers
    assert layer.latent
    source = LatentSource(FakeGenerator(), open_path(layer.latent.name, SPACE), steps, centre)
    show.cues[0].scene = SceneInstance(scene, [LayerInstance(layer, source)], [])
    return show


def test_directions_move_as_far_at_any_truncation() -> None:
    step = np.float32([0, 1, 0, 0])
    moved = (UnitSettings("a", PARAMETERS, {"amount": 3.0, "layers": (1, 1)}),)
    for psi in (0.0, 0.5, 1.0):
        plain = neural_scene("s", seed=5)
        layer = plain.layers[0]
        layer = replace(layer, source=replace(layer.source, values={"truncation": psi}))
        plain = replace(plain, layers=(layer,))
        (before,) = play(performance(plain), 1)
        turned = replace(plain, layers=(replace(layer, directions=moved),))
        (after,) = play(beyond(turned, [step]), 1)
        assert after.image[2] - before.image[2] == pytest.approx(
            np.float32([[0, 0, 0, 0], [0, 3, 0, 0]]), abs=1e-6
        )


def test_truncation_moves_towards_the_kept_latent() -> None:
    scene = neural_scene("s", seed=5)
    (picture,) = play(beyond(scene, centre=Centre(SPACE, (9,))), 1)
    towards = truncate(np.stack([z_of(5, 4)] * 2), z_of(9, 4), 0.5)
    assert picture.image[2] == pytest.approx(towards, abs=1e-6)
    points = np.random.default_rng(0).standard_normal((1, 2, 4), np.float32)
    (picture,) = play(beyond(scene, centre=Centre(SPACE, (), points)), 1)
    assert picture.image[2] == pytest.approx(truncate(np.stack([z_of(5, 4)] * 2), points[0], 0.5), abs=1e-6)


def test_the_library_finds_directions_and_latents_of_a_model(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    library, space = Library(tmp_path), Model.read(MODEL).space
    with pytest.raises(LookupError, match="no directions of untrained are known: find them with `perform"):
        library.directions(MODEL)
    known = Directions(("smile", "bloom"), np.eye(2, space.w_dim, dtype=np.float32))
    write_directions(folder / "untrained.directions.safetensors", known)
    assert library.directions(MODEL).names == library.directions("untrained").names == known.names
    assert library.direction(MODEL, "bloom") == PARAMETERS
    with pytest.raises(LookupError, match="there is no such direction; did you mean bloom"):
        library.direction(MODEL, "blom")
    assert library.models() == {}
    np.save(folder / "kept.npy", np.zeros((2, space.w_dim), np.float32))
    assert library.latents(MODEL, "kept.npy").shape == (2, space.num_ws, space.w_dim)
    assert library.latents(MODEL, str(folder / "kept.npy")).shape[0] == 2
    with pytest.raises(LookupError, match="there is no such file"):
        library.latents(MODEL, "lost.npy")
    write_directions(folder / "untrained.directions.safetensors", replace(known, components=np.eye(2, 5)))
    with pytest.raises(ModelError, match=r"has directions \(2, 5\), must be \[n, 512\] of w"):
        library.directions(MODEL)


def test_each_run_has_its_own_directions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    files = [tmp_path / f"{run}/{name}.safetensors" for run in ("a", "b") for name in ("best", "latest")]
    for number, file in enumerate(files):
        file.parent.mkdir(exist_ok=True)
        write_weights(file, WEIGHTS)
        component = np.eye(1, WEIGHTS.config.space.w_dim, dtype=np.float32)
        found = Directions((f"way{number}",), component, scales=np.ones(1, np.float32))
        save_directions(str(file), found)
    library = Library(tmp_path, paths.user_data())
    known = [{*library.directions(str(file)).names} for file in files]
    assert known == [{"way0", "way1"}] * 2 + [{"way2", "way3"}] * 2


@pytest.mark.parametrize("padding", range(0, 300, 7))
def test_files_with_a_header_of_any_length_open(padding: int, tmp_path: Path) -> None:
    file, name = tmp_path / "m.directions.safetensors", "a" * (padding + 1)
    write_directions(file, Directions((name,), np.ones((1, 3), np.float32)))
    assert read_directions(file).names == (name,)


def test_check_reads_files_of_directions(tmp_path: Path) -> None:
    file = tmp_path / "m.directions.safetensors"
    write_directions(file, Directions(("a",), np.ones((1, 3), np.float32)))
    assert check_file(file, Library(tmp_path)) == []
    file.write_bytes(file.read_bytes()[:-3])
    assert len(check_file(file, Library(tmp_path))) == 1


def untrained(config: Any, seed: int = 0) -> weights.Weights:
    draw = np.random.default_rng(seed)
    arrays = {name: draw.standard_normal(shape, np.float32) for name, shape in config.shapes().items()}
    return weights.Weights(config, arrays, {})


FAMILIES: dict[str, tuple[Any, int, list[int]]] = {  # config, rows of ws with styles, outputs of each row
    "stylegan2": (stylegan2.Config((6, 6, 5, 4), z_dim=5, mapping=(7, 9)), 3, [6, 6, 5]),
    "stylegan1": (stylegan1.Config((6, 6, 5, 4), z_dim=5, mapping=(7, 9)), 4, [12, 12, 10, 8]),
    "lucidrains": (lucidrains.Config((6, 5, 4), z_dim=5, mapping=(7, 9)), 2, [11, 9]),
    "dcgan": (dcgan.Config((5, 4, 3), kernels=(4,)), 1, [64]),
    "biggan": (
        biggan.Config(((False, 4, 2), (True, 2, 1)), 8, z_dim=5, embed=4, classes=3, attention=1),
        3,
        [512, 112, 56],
    ),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_every_family_gives_its_styles(name: str) -> None:
    config, rows, outputs = FAMILIES[name]
    network, space = untrained(config), config.space
    found = [np.concatenate(style_matrices(network, (row, row))) for row in range(rows)]
    assert [one.shape for one in found] == [(count, space.w_dim) for count in outputs]
    assert rows <= space.num_ws
    assert find_directions(network, DirectionSearch("sefa", 3, samples=100)).components.shape == (
        3,
        space.w_dim,
    )
    with pytest.raises(ValueError, match=f"layers 40-41, must be within 0-{rows - 1}"):
        style_matrices(network, (40, 41))
    if name in ("dcgan", "biggan"):
        with pytest.raises(ModelError, match="vary alike in all directions: take --method sefa"):
            find_directions(network, DirectionSearch("pca", 3, samples=100))


def test_imported_directions_in_z_are_converted_to_w(tmp_path: Path) -> None:
    config = dcgan.Config((5, 4, 3), kernels=(4,))
    np.save(tmp_path / "a_zcomp.npy", np.eye(2, 5, dtype=np.float32) * 3)
    found = find_directions(untrained(config), DirectionSearch(samples=5000, given=tmp_path / "a_zcomp.npy"))
    assert found.space == "w"
    assert found.components == pytest.approx(np.eye(2, 5), abs=1e-5)
    assert found.scales == pytest.approx([1, 1], rel=0.05)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "user_data", lambda: tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str, expect: int = 0) -> str:
    done = CliRunner().invoke(app, ["directions", MODEL, *words])
    assert done.exit_code == expect, done.output
    return " ".join(done.output.split())


def test_the_command_finds_names_and_saves_directions(folder: Path) -> None:
    file = folder / "models" / "untrained.directions.safetensors"
    run("--count", "2", "--samples", "600", "--name", "pca2=bloom", "--name", "pca1= slow turn ")
    first = file.read_bytes()
    assert read_directions(file).names == ("slow turn", "bloom")
    file.unlink()
    run("--count", "2", "--samples", "600", "--name", "pca2=bloom", "--name", "pca1=slow turn")
    assert file.read_bytes() == first
    run("--method", "sefa", "--count", "1", "--layers", "0-5", "--samples", "600")
    run("--count", "3", "--samples", "600")
    assert read_directions(file).names == ("slow turn", "bloom", "sefa1", "pca1", "pca2", "pca3")
    run("--count", "1", "--samples", "600", "--name", "pca1=still")
    assert read_directions(file).names == ("slow turn", "bloom", "sefa1", "pca2", "pca3", "still")
    preset = written(folder, TEXT.replace("flora", MODEL).replace("smile", "bloom").replace("pca1", "still"))
    np.save(folder / "kept.npy", np.zeros(512, np.float32))
    preset.write_text(preset.read_text().replace("kept.npz", "kept.npy"))
    assert check_file(preset, Library(folder, paths.shipped())) == []


def test_the_command_draws_a_sheet(folder: Path) -> None:
    import av

    run("--count", "2", "--samples", "600", "--sheet", "out/sheet.png", "--seeds", "3")
    with av.open("out/sheet.png") as picture:
        frame = next(picture.decode(video=0)).to_ndarray(format="rgb24")
    assert frame.shape == (2 * 128 + 4, 7 * 132 - 4, 3)
    cells = [frame[:128, i * 132 : i * 132 + 128].astype(int) for i in range(7)]
    steps = [np.abs(cell - cells[3]).mean() for cell in cells]
    assert steps[0] > steps[1] > steps[2] > steps[3] == 0 < steps[4] < steps[5] < steps[6]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--method", "ica"), "method 'ica', must be one of pca, sefa"),
        (("--count", "600", "--samples", "100"), "count = 600, must be 1..99 of 100 samples"),
        (("--samples", "1"), "samples = 1, must be 2..1000000"),
        (("--layers", "7-0"), "layers '7-0', must be FIRST-LAST such as 0-7"),
        (("--name", "pca1"), "name 'pca1', must be NAME=LABEL"),
        (("--sheet", "a.gif"), "a.gif, must be a .png"),
        (("--import", "lost.npz"), "lost.npz"),
    ],
)
def test_the_command_reports_faults(words: tuple[str, ...], said: str, folder: Path) -> None:
    assert said in run(*words, "--seeds", "0", expect=1)
    assert not (folder / "models").exists()


def test_directions_of_another_model_are_not_changed(folder: Path) -> None:
    file = folder / "models" / "untrained.directions.safetensors"
    write_directions(file, Directions(("a",), np.ones((1, 3), np.float32), np.ones(1, np.float32)))
    before = file.read_bytes()
    with pytest.raises(ModelError, match="has directions of another model: remove it"):
        save_directions(MODEL, Directions(("b",), np.ones((1, 512), np.float32), np.ones(1, np.float32)))
    assert file.read_bytes() == before


def test_the_command_finds_the_shipped_directions() -> None:
    shipped = read_directions(paths.shipped() / "models" / "untrained.directions.safetensors")
    found = find_directions(generators.weights_of("untrained"), DirectionSearch("pca", 10, None, 10_000, 0))
    assert shipped.names == found.names
    assert shipped.components == pytest.approx(found.components, abs=1e-3)
    assert shipped.scales == pytest.approx(found.scales, rel=1e-4)


def test_own_directions_are_added_to_shipped_ones(tmp_path: Path) -> None:
    own = Directions(("bloom", "pca2"), np.eye(2, 512, dtype=np.float32), np.ones(2, np.float32))
    write_directions(tmp_path / "models" / "untrained.directions.safetensors", own)
    both = Library(tmp_path, paths.shipped()).directions("untrained-large")
    assert sorted(both.names) == sorted(("bloom", *(f"pca{i}" for i in range(1, 11))))
    assert both.step("pca2") == pytest.approx(own.step("pca2"))


def test_own_directions_replace_shipped_ones_of_the_same_name(tmp_path: Path) -> None:
    own = Directions(("bloom", "mine"), np.eye(2, 256, dtype=np.float32), np.ones(2, np.float32))
    write_directions(tmp_path / "models" / "flora.directions.safetensors", own)
    both = Library(tmp_path, paths.shipped()).directions("flora")
    assert {"mine", "curl"} <= {*both.names}
    assert both.step("bloom") == pytest.approx(own.step("bloom"))


def test_shipped_directions_do_not_apply_to_a_user_model_of_the_same_name(tmp_path: Path) -> None:
    library = Library(tmp_path, paths.shipped())
    for own in (tmp_path / "models" / "flora.safetensors", tmp_path / "flora.safetensors"):
        own.parent.mkdir(exist_ok=True)
        write_weights(own, dcgan.untrained(16, 8, 4))
        with pytest.raises(LookupError, match="no directions of flora are known"):
            library.directions(str(own))


def test_layer_ranges_and_labels_are_parsed() -> None:
    assert parse_layers(" 0 - 7") == (0, 7)
    assert parse_labels(["a=b=c"]) == {"a": "b=c"}


@pytest.mark.parametrize("name", ["stylegan2", "stylegan1"])
def test_noise_changes_only_its_layers(name: str) -> None:
    config = FAMILIES[name][0]
    network = untrained(config)
    given = family(name).inputs(network)
    plain: dict[str, Any] = {"noise": 1.0, "noise_seed": -1, "noise_phase": 0.0, "noise_layers": (0.0, 63.0)}
    (whole, strength), (part, _) = given(plain), given({**plain, "noise_layers": (1, 1.5)})
    assert strength.tolist() == [1]
    sizes = [height * width for height, width in map(config.noise_shape, range(len(config.layers)))]
    for i, (of_whole, of_part) in enumerate(
        zip(np.split(whole, np.cumsum(sizes)), np.split(part, np.cumsum(sizes)), strict=True)
    ):
        share = {1: 1.0, 2: 0.5}.get(i, 0.0)
        assert np.array_equal(of_part, of_whole * np.float32(share))
    assert given(plain)[0] is given(dict(plain))[0]
    moving = {**plain, "noise_phase": 0.5}
    assert given(moving)[0] is given(moving)[0]
    assert np.array_equal(given({**plain, "noise_phase": 3.0})[0], given({**plain, "noise_seed": 2})[0])
