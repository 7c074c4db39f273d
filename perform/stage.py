"""The stage: opens the units of scenes, and keeps a unit's fault within the unit.

On stage nothing stops the picture: a filter that fails lets its image through, a source that fails
keeps its last good image, a transition that fails becomes a cut.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perform.catalogue import Library
from perform.clock import Moment
from perform.latent import open_path
from perform.performance import CueInstance, SceneInstance
from perform.render import Image, Unit, Values
from perform.render.pictures import Pictures
from perform.render.shader import Shader
from perform.scene import Role, Scene, Settings
from perform.setlist import Setlist
from perform.source import GeneratorVoice, Studio

log = logging.getLogger("perform")
Floats = NDArray[np.float32]


@dataclass(slots=True)
class Faults:
    """What failed on stage: logged once, then counted."""

    counts: Counter[str] = field(default_factory=Counter)

    def note(self, what: str, error: Exception) -> None:
        """A fault of `what`; the first of each sort is logged in one line."""
        sentence = f"{what}: {str(error) or type(error).__name__}"
        if not self.counts[sentence]:
            log.error("%s", sentence)
        self.counts[sentence] += 1


class Contained:
    """A unit whose faults stop at its edge: it is dropped, and the picture goes on."""

    def __init__(self, unit: Unit, name: str, faults: Faults) -> None:
        self.unit, self.parameters = unit, unit.parameters
        self._name, self._faults = name, faults
        self.failed = False
        self._last: Image = None

    def render(self, moment: Moment, values: Values, *images: Image) -> Image:
        """The unit's image; after a fault the newest image that came in, or the last good one."""
        if not self.failed:
            try:
                self._last = self.unit.render(moment, values, *images)
                return self._last
            except Exception as error:  # noqa: BLE001 - on stage one place catches
                self.failed = True
                self._faults.note(f"{self._name} is dropped", error)
        return images[-1] if images else self._last

    def release(self) -> None:
        self.unit.release()


class ContainedVoice:
    """A generator's voice whose faults stop at its edge: its last picture stays."""

    def __init__(self, voice: GeneratorVoice, name: str, faults: Faults) -> None:
        self.voice, self.mean = voice, voice.mean
        self._name, self._faults = name, faults
        self._values: Values = {}

    def map(self, z: Floats, label: int) -> Floats:
        """The voice's w; after a fault the mean."""
        try:
            return self.voice.map(z, label)
        except Exception as error:  # noqa: BLE001 - on stage one place catches
            self._faults.note(f"{self._name} cannot map", error)
            return np.repeat(self.mean[None], len(z), 0)

    def render(self, moment: Moment, values: Values, latent: Floats) -> Image:
        """The voice's image; after a fault the last picture, still fitted and moving through the filters."""
        try:
            return self.voice.render(moment, values, latent)
        except Exception as error:  # noqa: BLE001 - on stage one place catches
            self._faults.note(f"{self._name} is dropped", error)
            return self.voice.pictures.render(moment, values, 1.0)


class Stage:
    """Everything that is open for a show: shaders in one GL context, and one studio per model.

    `studio` opens a model by name; `size` is (width, height) of the show in pixels.
    """

    def __init__(
        self, library: Library, context: Any, size: tuple[int, int], studio: Callable[[str], Studio]
    ) -> None:
        self.library, self.size, self.faults = library, size, Faults()
        self._context, self._open_studio = context, studio
        self._studios: dict[str, Studio] = {}
        self._spare: list[Contained] = []  # open units that the show no longer needs

    def open(self, setlist: Setlist, before: Sequence[CueInstance] = ()) -> list[CueInstance]:
        """The cues of a setlist, ready to play; a scene in several cues is opened once.

        What has not changed since `before` goes on as it is: latent paths from where they are,
        feedback with what it holds. Raises before anything of `before` is given back, so that a
        broken edit changes nothing.
        """
        self._spare = [unit for unit in _units(before) if isinstance(unit, Contained)]
        old = {one.cue.scene.file: one.scene for one in before}
        scenes: dict[Path, SceneInstance] = {}
        cues = []
        for cue in setlist.cues:
            file = cue.scene.file
            if file not in scenes:
                scenes[file] = self._scene(cue.scene, old.get(file))
            transition = self._shader(cue.entrance.shader, "transition")
            cues.append(CueInstance(cue, scenes[file], transition, cue.entrance.shader.start()))
        for unit in self._spare:
            unit.release()
        return cues

    def pictures_made(self) -> int:
        """How many pictures the generators have drawn."""
        return sum(studio.made for studio in self._studios.values())

    def close(self) -> None:
        """Give back networks and textures."""
        for studio in self._studios.values():
            studio.close()
        self._studios.clear()

    def _scene(self, scene: Scene, old: SceneInstance | None) -> SceneInstance:
        filters = [self._shader(settings, "filter") for settings in scene.filters]
        if scene.latent is None or scene.model is None:
            return SceneInstance(scene, self._shader(scene.source, "generator"), None, None, filters)
        voice = self._voice(scene, old)
        same = old is not None and old.scene.latent and old.scene.latent.name == scene.latent.name
        path = old.path if old and same else open_path(scene.latent.name, voice.voice.studio.generator.space)
        return SceneInstance(scene, None, voice, path, filters)

    def _shader(self, settings: Settings, role: Role) -> Unit:
        source = self.library.isf(settings.name, role)
        for unit in self._spare:
            if isinstance(unit.unit, Shader) and unit.unit.isf is source and not unit.failed:
                self._spare.remove(unit)
                return unit
        return Contained(Shader(self._context, source, self.size), f"{role} {settings.name}", self.faults)

    def _voice(self, scene: Scene, old: SceneInstance | None) -> ContainedVoice:
        assert scene.model
        if old and isinstance(old.voice, ContainedVoice) and old.scene.model == scene.model:
            return old.voice
        model = self.library.model_name(scene.model)
        if model not in self._studios:
            self._studios[model] = self._open_studio(model)
        studio = self._studios[model]
        voice = GeneratorVoice(studio, Pictures(self._context, self.size))
        _warm(voice)
        return ContainedVoice(voice, f"model {scene.model}", self.faults)


def _units(cues: Sequence[CueInstance]) -> Iterator[Unit]:
    """Every unit of some cues, once."""
    seen: set[int] = set()
    for one in cues:
        for unit in (one.scene.source, *one.scene.filters, one.transition):
            if unit is not None and id(unit) not in seen:
                seen.add(id(unit))
                yield unit


def _warm(voice: GeneratorVoice) -> None:
    """Draw once, so that the first frame has a picture and no compiler works on stage."""
    generator = voice.studio.generator
    latent = np.repeat(generator.mean[None], generator.space.num_ws, 0)
    voice.pictures.upload(generator.synthesise(latent))
