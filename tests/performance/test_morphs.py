"""Morphs: exact latents and values on the way from one scene to another, with units that return their
arguments in place of pictures."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perform.latent.paths import open_path, path_parameters
from perform.networks.bending import bend_parameters
from perform.parameters import Parameter
from perform.performance import CueInstance, Performance, SceneInstance
from perform.performance.morph import matched, mixed
from perform.performance.scene import LatentSource, LayerInstance
from perform.performance.transition import Law
from perform.scenes.controls import UnitSettings
from perform.scenes.layers import LAYER_PARAMETERS
from perform.scenes.scene import Layer, Scene, Transition
from perform.scenes.setlist import Cue
from tests.doubles.catalogue import MODEL
from tests.doubles.performances import (
    AMOUNT,
    SPACE,
    FakeGenerator,
    FakeUnit,
    Stack,
    performance,
    play,
    shader_scene,
)

GO, GONE = ("key.space", 1.0), ("key.space", 0.0)
BEGIN = {1: [GO], 2: [GONE]}  # at 120 bpm a morph of 4 beats is on from frame 1 to 61
MORPH = Transition(4, UnitSettings("dissolve", (), {}), morph=True)


def neural(name: str, seed: int, model: str = "flora", placed: bool = True, **values: Any) -> Layer:
    bends = values.pop("bends", ())
    return Layer(
        UnitSettings(model, MODEL, {"truncation": 1.0, **values}, kind="model"),
        UnitSettings("hold", path_parameters("hold"), {"seed": seed}),
        bends=bends,
        placement=UnitSettings(name, LAYER_PARAMETERS, {}) if placed else None,
        name=name,
    )


def flat(name: str) -> Layer:
    placement = UnitSettings(name, LAYER_PARAMETERS, {})
    return Layer(UnitSettings(name, AMOUNT, {}), placement=placement, name=name)


def show_of(*scenes: tuple[Layer, ...], keys: tuple[str, ...] = (), **more: Any) -> Performance:
    """A show of scenes with these layers; `keys` are those of the generators of each scene, else `flora`."""
    cues = []
    for number, layers in enumerate(scenes):
        scene = Scene(str(number), layers, (), MORPH, file=Path(str(number)))
        key = keys[number] if keys else "flora"
        sources = [
            LatentSource(FakeGenerator(key), open_path("hold", SPACE)) if one.latent else FakeUnit(one.name)
            for one in layers
        ]
        opened = [LayerInstance(*pair) for pair in zip(layers, sources, strict=True)]
        stack = Stack() if layers[0].placement else None
        instance = SceneInstance(scene, opened, [], stack)
        cues.append(CueInstance(Cue(scene, MORPH), instance, FakeUnit("dissolve"), MORPH.shader.start()))
    plain = performance(shader_scene("a"))
    setlist = replace(plain.setlist, cues=tuple(one.cue for one in cues))
    return Performance(setlist, cues, plain.tempo, **more)


def generator(show: Performance, cue: int, layer: int = 0) -> FakeGenerator:
    source: Any = show.cues[cue].scene.layers[layer].source
    found = source.generator
    assert isinstance(found, FakeGenerator)
    return found


def z(seed: int) -> Any:
    return np.random.RandomState(seed).randn(4).astype(np.float32)


def smooth(t: float) -> float:
    return t * t * t * (t * (6 * t - 15) + 10)


@pytest.mark.parametrize("frame", [1, 16, 31, 46, 60])
def test_latent_and_values_go_on_a_smooth_curve(frame: int) -> None:
    one = neural("", 1, placed=False, truncation=0.2, noise=0.0, label=2)
    other = neural("", 2, placed=False, truncation=1.0, noise=2.0, label=5)
    show = show_of((one,), (other,))
    picture = play(show, frame + 1, BEGIN)[frame].image
    t = smooth((frame - 1) / 60)
    name, progress, start, end = picture
    assert (name, progress, start is end) == ("dissolve", pytest.approx(t), True)
    assert end[2][0] == pytest.approx((1 - t) * 0.2 * (z(1) + 2) + t * (z(2) + 5), abs=1e-5)
    values = generator(show, 1).values.parameters
    assert values["truncation"] == pytest.approx(0.2 + 0.8 * t)
    assert values["noise"] == pytest.approx(2 * t)
    assert values["label"] == (2 if t < 0.5 else 5)  # whole classes switch; their latents do not


def test_it_is_there_on_the_beat() -> None:
    show = show_of((neural("", 1, placed=False),), (neural("", 2, placed=False),))
    pictures = play(show, 63, BEGIN)
    assert pictures[1].image[2][2][0] == pytest.approx(z(1))  # it begins where the scene before is
    assert pictures[60].image[0] == "dissolve"
    assert pictures[61].image[2][0] == pytest.approx(z(2))
    steps = np.abs(np.diff([np.ravel(one.image[2] if at > 60 else one.image[2][2])[0]
                            for at, one in enumerate(pictures) if at >= 1]))  # fmt: skip
    assert steps.max() < 0.04 * abs(z(2)[0] - z(1)[0])  # nowhere a jump, also at its end


def test_bends_of_one_network_go_along() -> None:
    bends = [UnitSettings("zoom", bend_parameters("zoom", ["b4"]), {"amount": at, "factor": 1 + at}) for at in (0.2, 0.8)]  # fmt: skip # noqa: E501
    one, other = (neural("", 1, placed=False, bends=(bend,)) for bend in bends)
    show = show_of((one,), (other,))
    play(show, 32, BEGIN)
    (values,) = generator(show, 1).values.bends
    assert (values["amount"], values["factor"]) == (pytest.approx(0.5), pytest.approx(1.5))


def test_networks_with_other_bends_draw_the_same_latent_each() -> None:
    show = show_of((neural("", 1, placed=False),), (neural("", 2, placed=False),), keys=("plain", "bent"))
    _, _, start, end = play(show, 32, BEGIN)[31].image
    assert start is not end
    assert start[2] == pytest.approx(end[2])
    assert end[2][0] == pytest.approx((z(1) + z(2)) / 2, abs=1e-6)
    held = show_of((neural("", 1, placed=False),), (neural("", 2, placed=False),), keys=("plain", "bent"), holds=True)  # fmt: skip # noqa: E501
    pictures = play(held, 32, BEGIN)
    assert pictures[31].image[2][0] == "held"
    assert pictures[31].image[2][2][0] == pytest.approx(z(1))
    assert pictures[31].image[3][2][0] == pytest.approx((z(1) + z(2)) / 2, abs=1e-6)


def test_layers_morph_by_name_then_by_order_and_the_rest_cross_fades() -> None:
    before = (flat("ground"), neural("rose", 1), neural("leaf", 2), neural("fern", 3, "moss"))
    after = (neural("leaf", 4), neural("bud", 5), neural("moth", 6, "wings"), flat("words"))
    show = show_of(before, after)
    assert matched(show.cues[0].scene, show.cues[1].scene) == [(2, 0), (1, 1)]
    _, _, start, end = play(show, 32, BEGIN)[31].image
    assert [one[0] for one in start] == ["ground", "voice", "voice", "voice"]
    assert [one[0] for one in end] == ["voice", "voice", "voice", "words"]
    assert start[2] is end[0] and start[1] is end[1]
    seeds = {0: (2, 4), 1: (1, 5)}
    for layer, (here, there) in seeds.items():
        assert end[layer][2][0] == pytest.approx((z(here) + z(there)) / 2, abs=1e-6)
    assert start[3][2][0] == pytest.approx(z(3))
    assert end[2][2][0] == pytest.approx(z(6))


def test_a_path_goes_on_once_a_frame() -> None:
    walk = replace(neural("", 1), latent=UnitSettings("walk", path_parameters("walk"), {"speed": 1.0}))
    hidden = replace(walk, placement=UnitSettings("", LAYER_PARAMETERS, {"visible": False}))
    shows = [show_of((layer,), (layer,)) for layer in (walk, hidden)]
    steps: list[int] = []
    for show in shows:
        for cue in show.cues:
            source: Any = cue.scene.layers[0].source
            path = open_path("walk", SPACE)
            source.path = path
            step = path.step
            path.step = lambda *given, step=step: steps.append(1) or step(*given)  # type: ignore[method-assign]
        play(show, 21, {1: [GO]})
        assert len(steps) == 1 + 20 + 20  # both paths of the 20 frames of the morph
        steps.clear()


@pytest.mark.parametrize("holds", [False, True])
def test_between_two_models_the_one_that_goes_draws_on_where_the_machine_can(holds: bool) -> None:
    show = show_of((neural("a", 1), flat("f")), (neural("b", 2, "moss"),), keys=("a", "b"), holds=holds)
    pictures = play(show, 63, BEGIN)
    _, progress, start, end = pictures[31].image
    assert progress == pytest.approx(0.5)
    assert [one[0] for one in start] == ["held" if holds else "voice", "f"]
    assert end[0][0] == "voice"
    assert pictures[62].image[0][0] == "voice"


def test_a_scene_without_a_network_comes_in_over_one_that_draws_on() -> None:
    show = show_of((neural("a", 1),), (flat("f"),), holds=True)
    assert play(show, 32, BEGIN)[31].image[2][0][0] == "voice"


def test_the_pictures_go_from_one_generator_to_the_other_and_back() -> None:
    show = show_of((neural("", 1, placed=False),), (neural("", 2, placed=False),))
    went: list[tuple[int, Any]] = []
    for cue in (0, 1):
        generator(show, cue).go_on_from = lambda other, cue=cue: went.append((cue, other))  # type: ignore[method-assign]
    play(show, 10, {2: [("/crossfader", 0.25)], 5: [("/crossfader", 0.0)]})
    assert went == [(1, generator(show, 0)), (0, generator(show, 1))]


def test_a_law_of_the_crossfader_morphs_nothing() -> None:
    law = Law(FakeUnit("law"), UnitSettings("law", (), {}).start())
    show = show_of((neural("", 1, placed=False),), (neural("", 2, placed=False),), law=law)
    name, progress, start, end = play(show, 5, {2: [("/crossfader", 0.25)]})[4].image
    assert (name, progress) == ("law", 0.25)
    assert start[2][0] == pytest.approx(z(1))
    assert end[2][0] == pytest.approx(z(2))


def test_what_has_steps_switches_at_the_middle() -> None:
    parameters = (
        Parameter("size", 0.0),
        Parameter("seed", 0, kind="int"),
        Parameter("on", False, kind="bool"),
        Parameter("way", "a", kind="choice", choices=("a", "b")),
        Parameter("place", (0.0, 0.0), kind="point"),
    )
    before = {"size": 1.0, "seed": 3, "on": False, "way": "a", "place": (0.0, 1.0)}
    after = {"size": 3.0, "seed": 9, "on": True, "way": "b", "place": (1.0, 0.0)}
    assert mixed(parameters, before, after, 0.0) == before
    assert mixed(parameters, before, after, 0.25) == before | {"size": 1.5, "place": (0.25, 0.75)}
    assert mixed(parameters, before, after, 0.5) == after | {"size": 2.0, "place": (0.5, 0.5)}
    assert mixed(parameters, before, after, 1.0) == after
