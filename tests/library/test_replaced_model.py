"""A model in place of the presets' own: what it cannot play is left out, the rest plays."""

from __future__ import annotations

import logging
from contextlib import closing
from pathlib import Path

import pytest

from perform import paths, show
from perform.documents import SceneError
from perform.generators.untrained import BUILT_IN
from perform.library import Library
from perform.outputs.memory import Memory
from perform.scenes.reader import read_scene
from perform.scenes.setlist import read_setlist
from tests.doubles.library import save
from tests.doubles.sounds import tone, write_sound

PRESETS = sorted((paths.shipped() / "presets").glob("*.toml"))
WHOLE = """
title = "Whole"
[generator]
model = "flora"
truncation = 0.5
noise = 0.25
kept = "nowhere.npz"
[[generator.bend]]
operation = "rotate"
layer = "b256.conv1"
[generator.blend]
model = "flora"
from = "b256.conv0"
[latent]
path = "orbit"
radius = 0.5
[[direction]]
name = "bloom"
amount = 2
[[filter]]
shader = "feedback"
amount = 0.5
"""


@pytest.mark.parametrize("model", [*BUILT_IN, "flora", "flora-64"])
def test_every_shipped_preset_plays_with_any_model(model: str) -> None:
    library = Library(model=model)
    for preset in PRESETS:
        assert read_scene(preset, library).file == preset


LAYERS = """
title = "Layers"
[[layer]]
[layer.generator]
model = "flora"
noise = 0.25
[[layer]]
[layer.generator]
shader = "chladni"
nose = 1
"""


def test_another_layer_than_that_of_the_model_has_its_faults(tmp_path: Path) -> None:
    save(tmp_path / "layers.toml", LAYERS)
    with pytest.raises(SceneError) as caught:
        read_scene(tmp_path / "layers.toml", Library(model="flora-64"))
    [fault] = caught.value.faults
    assert fault.startswith(f"{tmp_path / 'layers.toml'}: layer[1].generator.nose is unknown")


def test_what_the_model_cannot_play_in_an_overlay_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file, library = tmp_path / "set.toml", Library(model="flora-64")
    overlay = '[[overlay]]\n[overlay.generator]\nmodel = "flora"\nnoise = 0.25\n'
    save(file, f'title = "Set"\n[[cue]]\nscene = "disorder"\n{overlay}')
    with caplog.at_level(logging.WARNING, "perform"):
        over = read_setlist(file, library, library.preset_file).over
    assert over and over.layers[1].source.values == {}
    assert any(f"left out: {file}: overlay[0].generator.noise" in one for one in caplog.messages)


def test_what_the_model_cannot_play_is_left_out_and_said_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "whole.toml"
    save(file, f'{WHOLE}[[direction]]\nname = "blom"\namount = 1\n[[direction]]\nname = "curl"\n')
    library = Library(model="flora-64")
    with caplog.at_level(logging.WARNING, "perform"):
        scene = read_scene(file, library)
        assert read_scene(file, library) == scene
    [layer] = scene.layers
    assert layer.source.values == {"truncation": 0.5, "kept": ""}
    assert (layer.bends, layer.blend) == ((), None)
    assert [one.values for one in layer.directions] == [
        {"amount": 2},
        {},
        {},
    ]  # it has bloom and curl, too
    assert [len(one.parameters) for one in layer.directions] == [2, 0, 2]
    assert (layer.latent and layer.latent.values, scene.filters[0].values) == (
        {"radius": 0.5},
        {"amount": 0.5},
    )
    said = [one.removeprefix("model flora-64: left out: ") for one in caplog.messages]
    assert [one.removeprefix(f"{file}: ").split(" ")[0] for one in said] == [
        "generator.noise",
        "generator.kept",
        "generator.bend[0].layer",
        "generator.blend.from",
        "direction[1].name",
    ]
    assert said[1] == f"{file}: generator.kept = 'nowhere.npz': there is no such file"


def test_the_directions_that_the_model_has_move_the_picture_as_they_would_alone(tmp_path: Path) -> None:
    write_sound(tmp_path / "tone.wav", tone(1.0))

    def frame(*names: str) -> list[int]:
        tables = "".join(f'[[direction]]\nname = "{name}"\namount = 4\n' for name in names)
        save(tmp_path / "a.toml", f'title = "A"\n[generator]\nmodel = "flora"\n{tables}')
        options = show.Options(
            str(tmp_path / "a.toml"), str(tmp_path / "tone.wav"), size=(64, 36), model="flora-64"
        )
        memory = Memory()
        with closing(show.render(options)) as rig:
            rig.outputs.append(memory)
            rig.frame()
        assert memory.last
        return list(memory.last.pixels.ravel())

    both = frame("bloom", "hue")
    assert frame("gone", "bloom", "gone", "hue") == both
    assert frame("hue") != both != frame("bloom")


def test_the_presets_own_model_must_play_all_of_it(tmp_path: Path) -> None:
    file = tmp_path / "whole.toml"
    save(file, WHOLE.replace('"bloom"', '"blom"'))
    for library in (Library(), Library(model="flora")):
        with pytest.raises(SceneError) as caught:
            read_scene(file, library)
        assert [fault.removeprefix(f"{file}: ").split(" ")[0] for fault in caught.value.faults] == [
            "generator.kept",
            "direction[0].name",
        ]


def test_other_faults_are_faults_with_any_model(tmp_path: Path) -> None:
    file = tmp_path / "whole.toml"
    save(file, WHOLE.replace("radius = 0.5", "radius = 5").replace("amount = 0.5", "amount = 5"))
    with pytest.raises(SceneError) as caught:
        read_scene(file, Library(model="flora-64"))
    assert caught.value.faults == [
        f"{file}: latent.radius = 5, must be 0..2",
        f"{file}: filter[0].amount = 5, must be 0..1",
    ]
