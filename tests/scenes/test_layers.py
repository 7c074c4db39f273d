"""Layers of a preset: how they are read, and what their addresses and keys are."""

from pathlib import Path

import pytest

from perform.documents import SceneError
from perform.learning.targets import scene_targets
from perform.scenes.layers import LAYER_PARAMETERS
from perform.scenes.nodes import units
from perform.scenes.reader import read_scene
from tests.doubles.catalogue import FakeCatalogue

LAYERS = """
title = "Tulips on a grid"
[[layer]]
[layer.generator]
shader = "grid"
[[layer.filter]]
shader = "feedback"

[[layer]]
name = "flower"
blend = "screen"
opacity = "0.5 + audio.low"
position = [0.1, "beat.phase"]
matte = "shape"
[layer.generator]
model = "flora"
[[layer.generator.bend]]
operation = "zoom"
[layer.latent]
path = "hold"
[[layer.direction]]
name = "smile"

[[layer]]
name = "shape"
visible = false
[layer.source]
still = "logo.png"

[[filter]]
shader = "feedback"
"""


def write(folder: Path, text: str) -> Path:
    file = folder / "moth.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_the_controls_have_valid_defaults() -> None:
    for parameter in LAYER_PARAMETERS:
        assert parameter.check(parameter.default) == parameter.default


def test_layers_are_read(tmp_path: Path) -> None:
    scene = read_scene(write(tmp_path, LAYERS), FakeCatalogue())
    assert [(one.name, one.matte, one.model) for one in scene.layers] == [
        ("1", "", None),
        ("flower", "shape", "flora"),
        ("shape", "", None),
    ]
    assert scene.models == ("flora",)
    assert [one.name for one in scene.layers[0].filters] == ["feedback"]
    assert [one.name for one in scene.filters] == ["feedback"]
    flower = scene.layers[1]
    assert flower.placement is not None
    assert flower.placement.with_defaults["blend"] == "screen"
    assert [one.name for one in (*flower.bends, *flower.directions)] == ["zoom", "smile"]
    assert scene.signal_names == {"audio.low", "beat.phase"}


def test_every_unit_has_its_table_and_its_address(tmp_path: Path) -> None:
    scene = read_scene(write(tmp_path, LAYERS), FakeCatalogue())
    assert [(unit.key, unit.prefix) for unit in units(scene)] == [
        ("layer[0]", "/layer/1"),
        ("layer[0].generator", "/layer/1/generator"),
        ("layer[0].filter[0]", "/layer/1/filter/feedback"),
        ("layer[1]", "/layer/2"),
        ("layer[1].generator", "/layer/2/generator"),
        ("layer[1].latent", "/layer/2/latent"),
        ("layer[1].direction[0]", "/layer/2/direction/smile"),
        ("layer[1].generator.bend[0]", "/layer/2/bend/zoom"),
        ("layer[2]", "/layer/3"),
        ("layer[2].source", "/layer/3/generator"),
        ("filter[0]", "/filter/feedback"),
    ]
    targets = {target.name: target.address for target in scene_targets(scene)}
    assert targets["layer[1].opacity"] == "/layer/2/opacity"
    assert targets["layer[0].filter[0].amount"] == "/layer/1/filter/feedback/amount"


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("opacity = ", "opacty = ", "layer[1].opacty is unknown; did you mean opacity?"),
        ('blend = "screen"', 'blend = "scren"', "layer[1].blend = 'scren', must be one of normal, add,"),
        ('matte = "shape"', 'matte = "shap"', "layer[1].matte = 'shap', must be another layer; did you mean"),
        ('matte = "shape"', 'matte = "flower"', "layer[1].matte = 'flower', must be another layer"),
        ('matte = "shape"', "matte = 3", "layer[1].matte = 3, must be the name of a layer"),
        ('name = "shape"', 'name = "flower"', "layer[2].name = 'flower' is the name of another layer, too"),
        ("[layer.source]\nstill", "[layer.sauce]\nstill", "layer[2].source is missing: a layer has a [gen"),
        ("[layer.source]\nstill", "[layer.sauce]\nstill", "layer[2].sauce is unknown; did you mean source"),
        ('still = "logo.png"', 'stil = "logo.png"', "layer[2].source must have one of film, still, camera,"),
        ('still = "logo.png"', "text = 3", "layer[2].source.text = 3, must be text"),
        ('shader = "grid"', 'shader = "gird"', "layer[0].generator.shader = 'gird': there is no such gen"),
        (
            "[[layer.filter]]",
            "[layer.filter]",
            "layer[0].filter must be tables, each headed [[layer.filter]]",
        ),
        (
            'title = "Tulips on a grid"',
            'title = "T"\n[generator]\nshader = "grid"',
            "generator and layer: a preset with layers has it in one of them, [layer.generator]",
        ),
        (
            "[layer.generator]\nshader",
            "[layer.latent]\npath = 'hold'\n[layer.generator]\nshader",
            "layer[0].latent",
        ),
    ],
)
def test_faults_have_their_key(tmp_path: Path, old: str, new: str, fault: str) -> None:
    assert old in LAYERS
    with pytest.raises(SceneError) as caught:
        read_scene(write(tmp_path, LAYERS.replace(old, new, 1)), FakeCatalogue())
    assert any(f"moth.toml: {fault}" in one for one in caught.value.faults), caught.value.faults


@pytest.mark.parametrize("text", ['layer = "grid"', "layer = []", "[layer]\nopacity = 1"])
def test_what_is_no_list_of_layers(tmp_path: Path, text: str) -> None:
    with pytest.raises(SceneError) as caught:
        read_scene(write(tmp_path, f'title = "T"\n{text}\n'), FakeCatalogue())
    assert "layer" in caught.value.faults[0]
