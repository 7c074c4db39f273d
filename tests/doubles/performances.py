"""Performances whose units return their arguments in place of pictures."""

from pathlib import Path
from typing import Any

import numpy as np

from perform.clock import OfflineClock, Tempo
from perform.latent.paths import open_path, path_parameters
from perform.latent.space import Space
from perform.parameters import Parameter
from perform.performance import CueInstance, Performance, Picture, SceneInstance
from perform.performance.scene import LatentSource, LayerInstance
from perform.scenes.controls import UnitSettings, bound
from perform.scenes.readiness import Readiness
from perform.scenes.scene import Layer, Scene, Transition
from perform.scenes.setlist import Cue, Setlist
from perform.scenes.show import BINDINGS, SHOW_PARAMETERS
from perform.signals import Event
from tests.doubles.catalogue import MODEL
from tests.doubles.formulas import compiled

AMOUNT = (Parameter("amount", 0.0, 0.0, 1.0),)
SPACE = Space(4, 4, 2)


class FakeUnit:
    """A unit whose image is its arguments."""

    def __init__(self, name: str) -> None:
        self.name, self.parameters = name, AMOUNT

    def render(self, moment: Any, values: Any, *images: Any) -> Any:
        return (self.name, values.get("progress", values.get("amount")), *images)

    def release(self) -> None:
        pass


class Stack:
    """A compositor whose image is those of its layers."""

    def render(self, layers: Any) -> Any:
        return tuple(layer.image for layer in layers)


class FakeGenerator:
    """A source whose image is its latent."""

    readiness = Readiness.READY

    def __init__(self, key: str = "flora") -> None:
        self.mapped, self.key = 0, key
        self.image: Any = None
        self.values: Any = None

    def request(self) -> None:
        pass

    def mean(self, label: float) -> Any:
        return np.zeros(4, np.float32)

    def map(self, z: Any, label: float) -> Any:
        self.mapped += 1
        return z + label

    def render(self, moment: Any, values: Any, latent: Any) -> Any:
        self.values = values
        self.image = ("voice", values.parameters["truncation"], latent)
        return self.image

    def hold(self, moment: Any, values: Any) -> Any:
        return ("held", *self.image[1:])

    def go_on_from(self, other: Any) -> None:
        self.image = other.image


def settings(name: str, **values: Any) -> UnitSettings:
    texts = {k: compiled(v) if isinstance(v, str) else v for k, v in values.items()}
    return UnitSettings(name, AMOUNT, texts)


def shader_scene(name: str, amount: Any = 0.0, filters: tuple[str, ...] = ()) -> Scene:
    transition = Transition(4, UnitSettings("dissolve", (), {}))
    return Scene(
        name,
        (Layer(settings(name, amount=amount)),),
        tuple(settings(f) for f in filters),
        transition,
        file=Path(name),
    )


def neural_scene(name: str, seed: int, morph: bool = False, label: int = 0) -> Scene:
    source = UnitSettings("flora", MODEL, {"truncation": 0.5, "label": label})
    latent = UnitSettings("hold", path_parameters("hold"), {"seed": seed})
    transition = Transition(4, UnitSettings("dissolve", (), {}), morph)
    return Scene(name, (Layer(source, latent),), (), transition, file=Path(name))


def instance(scene: Scene) -> SceneInstance:
    [layer] = scene.layers
    source: Any = FakeUnit(scene.title)
    if layer.latent:
        source = LatentSource(FakeGenerator(), open_path(layer.latent.name, SPACE))
    return SceneInstance(scene, [LayerInstance(layer, source)], [FakeUnit(one.name) for one in scene.filters])


def performance(*scenes: Scene, quantise: int = 0, loop: bool = False) -> Performance:
    instances = {scene.title: instance(scene) for scene in scenes}
    twins = {scene.title: instance(scene) for scene in scenes if scenes.count(scene) > 1}
    cues = [
        CueInstance(
            Cue(scene, scene.transition),
            instances[scene.title],
            FakeUnit("dissolve"),
            scene.transition.shader.start(),
            twins.get(scene.title),
        )
        for scene in scenes
    ]
    show = bound("show", SHOW_PARAMETERS, BINDINGS)
    setlist = Setlist(
        "t", tuple(one.cue for one in cues), show, quantise, loop, tuple(s.file for s in scenes)
    )
    return Performance(setlist, cues, Tempo(bpm=120))


def play(
    show: Performance, frames: int, said: dict[int, list[tuple[str, Any]]] | None = None
) -> list[Picture]:
    clock, pictures = OfflineClock(30), []
    for frame in range(frames):
        seconds = clock.advance()
        events = [Event(seconds, name, value) for name, value in (said or {}).get(frame, [])]
        pictures.append(show.step(clock.moment(show.tempo), events))
    return pictures
