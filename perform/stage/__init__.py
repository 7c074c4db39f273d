"""The stage: opens the units of scenes, and keeps a unit's fault within the unit.

On stage nothing stops the picture: a filter that fails lets its image through, a source that fails
keeps its last good image, a transition that fails becomes a cut.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from perform import generators
from perform.arrays import Floats
from perform.catalogue import Library
from perform.clock import Moment
from perform.faults import Faults
from perform.footage.opening import Opener
from perform.footage.units import Fed
from perform.latent.centre import Centre
from perform.latent.paths import Path as LatentPath
from perform.latent.paths import open_path
from perform.networks.bending import bend
from perform.networks.blending import blend
from perform.performance import CueInstance, SceneInstance
from perform.render import Image, Rewinds, Unit, Values, isf
from perform.render.pictures import Pictures
from perform.render.shader import Shader
from perform.scenes.controls import Settings
from perform.scenes.scene import Role, Scene
from perform.scenes.setlist import Setlist
from perform.stage.pool import Studios, Wanted
from perform.stage.worker import GeneratorVoice

log = logging.getLogger("perform")


class Contained:
    """A unit whose faults stop at its edge: it is dropped, and the picture goes on."""

    def __init__(self, unit: Unit, name: str, faults: Faults, black: Image = None, key: Any = None) -> None:
        """`key` says what it was made from: a unit with an equal one may take its place."""
        self.unit, self.parameters, self.key = unit, unit.parameters, key
        self._name, self._faults = name, faults
        self.failed = False
        self._last = black

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

    def rewind(self) -> None:
        """Begin anew, if it is a unit that does."""
        if isinstance(self.unit, Rewinds):
            self.unit.rewind()

    def release(self) -> None:
        self.unit.release()


class ContainedVoice:
    """A generator's voice whose faults stop at its edge: its last picture stays."""

    def __init__(self, voice: GeneratorVoice, wanted: Wanted, name: str, faults: Faults) -> None:
        self.voice, self.wanted = voice, wanted
        self._name, self._faults = name, faults

    def mean(self, label: float) -> Floats:
        """The voice's centre of truncation."""
        return self.voice.mean(label)

    def ready(self) -> bool | None:
        """Whether the voice can play."""
        return self.voice.ready()

    def map(self, z: Floats, label: float) -> Floats:
        """The voice's w; after a fault the mean."""
        try:
            return self.voice.map(z, label)
        except Exception as error:  # noqa: BLE001 - on stage one place catches
            self._faults.note(f"{self._name} cannot map", error)
            return np.repeat(self.mean(label)[None], len(z), 0)

    def render(self, moment: Moment, values: Values, latent: Floats) -> Image:
        """The voice's image; after a fault the last picture, still fitted and moving through the filters."""
        try:
            return self.voice.render(moment, values, latent)
        except Exception as error:  # noqa: BLE001 - on stage one place catches
            self._faults.note(f"{self._name} is dropped", error)
            return self.voice.pictures.render(moment, values, 1.0)

    def release(self) -> None:
        self.voice.release()


class Stage:
    """Everything that is open for a show: shaders in one GL context, and studios.

    `size` is (width, height) of the show in pixels; `footage` opens films, stills and cameras.
    """

    def __init__(
        self,
        library: Library,
        context: Any,
        size: tuple[int, int],
        studios: Studios,
        footage: Opener | None = None,
    ) -> None:
        self.library, self.size, self.faults = library, size, Faults()
        self._footage = footage or Opener()
        self._context, self._studios = context, studios
        self._black = context.texture((1, 1), 4, bytes((0, 0, 0, 255)))  # of a source that never drew
        self._spare: list[Contained | ContainedVoice] = []  # open units that the show no longer needs
        self._made: list[Contained | ContainedVoice] = []  # units opened for the setlist being opened

    def open(self, setlist: Setlist, before: Sequence[CueInstance] = ()) -> list[CueInstance]:
        """The cues of a setlist, ready to play; a scene in several cues is opened once.

        What has not changed since `before` goes on as it is: formulas, latent paths, feedback with what
        it holds. When something cannot be opened, nothing of `before` has changed.
        """
        self._spare, self._made = _units(before), []
        try:
            cues = self._cues(setlist, {one.cue.scene.file.name: one.scene for one in before})
        except Exception:
            for unit in self._made:
                unit.release()
            raise
        for unit in self._spare:
            unit.release()
        if not before:
            self._fill([one.scene for one in setlist.cues])
        return cues

    def ready(self, setlist: Setlist, shown: Sequence[Path]) -> bool | None:
        """Whether what the scenes of the files `shown` play is open; else it is being opened, or (None)
        it cannot be."""
        names = [file.name for file in shown]
        scenes = [cue.scene for cue in setlist.cues if cue.scene.model and cue.scene.file.name in names]
        states = [self._studios.ready(self._wanted(scene)) for scene in scenes]
        return None if None in states else all(states)

    def retry(self, setlist: Setlist) -> None:
        """Forget what could not be opened: after an edit it may be."""
        for cue in setlist.cues:
            if cue.scene.model:
                self._studios.forget(self._wanted(cue.scene))

    def _fill(self, scenes: Sequence[Scene]) -> None:
        """Open what the first scenes play, as much as fits: what is open needs no opening on stage."""
        opened: list[Wanted] = []
        for wanted in dict.fromkeys(self._wanted(scene) for scene in scenes if scene.model):
            if opened and not self._studios.fits([*opened, wanted]):
                return
            self._studios.open(wanted)
            opened.append(wanted)

    def pictures_made(self) -> int:
        """How many pictures the generators have drawn."""
        return self._studios.made()

    def close(self) -> None:
        """Give back networks, and stop decoding films."""
        self._footage.close()
        self._studios.close()

    def _cues(self, setlist: Setlist, old: Mapping[str, SceneInstance]) -> list[CueInstance]:
        scenes: dict[Path, SceneInstance] = {}
        cues = []
        for cue in setlist.cues:
            file, entrance = cue.scene.file, cue.entrance.shader
            if file not in scenes:
                scenes[file] = self._scene(cue.scene, old.get(file.name))
            cues.append(
                CueInstance(cue, scenes[file], self._shader(entrance, "transition"), entrance.start())
            )
        return cues

    def _scene(self, scene: Scene, old: SceneInstance | None) -> SceneInstance:
        likes = [*(old.filters if old else ()), *[None] * len(scene.filters)]
        filters = [self._shader(one, "filter", like) for one, like in zip(scene.filters, likes, strict=False)]
        source = None if scene.latent else self._source(scene.source, old.source if old else None)
        voice = self._voice(scene, old) if scene.latent else None
        if old and (old.scene, old.source, old.voice, old.filters) == (scene, source, voice, filters):
            return old
        beyond = self._beyond(scene, voice) if voice else ()
        made = SceneInstance(scene, source, voice, self._path(scene, voice, old), filters, *beyond)
        if old:
            made.follow(old)
        return made

    def _beyond(self, scene: Scene, voice: ContainedVoice) -> tuple[list[Floats], Centre | None]:
        """What of a model's space a scene plays beside its path: steps in directions, and kept points."""
        assert scene.model
        known = self.library.directions(scene.model) if scene.directions else None
        steps = [known.step(one.name) for one in scene.directions] if known else []
        seeds, kept = (scene.source.with_defaults.get(key) for key in ("centre", "kept"))
        if not seeds and not kept:
            return steps, None
        points = self.library.latents(scene.model, kept) if kept else None
        return steps, Centre(generators.header(voice.wanted.model)[0].space, seeds or (), points)

    def _path(
        self, scene: Scene, voice: ContainedVoice | None, old: SceneInstance | None
    ) -> LatentPath | None:
        """The scene's latent path; the old one, where it is, if it is of the same kind and model."""
        if voice is None or scene.latent is None:
            return None
        if old and old.scene.latent and old.scene.latent.name == scene.latent.name:
            before = old.voice
            if isinstance(before, ContainedVoice) and before.wanted.model == voice.wanted.model:
                return old.path  # also when other bends or another blend made it another voice
        return open_path(scene.latent.name, generators.header(voice.wanted.model)[0].space)

    def _source(self, settings: Settings, like: Unit | None = None) -> Contained:
        """A generator shader, a film, a still or a camera."""
        if settings.kind == "shader":
            return self._shader(settings, "generator", like)
        kind, name, key = settings.kind, settings.name, self._key(settings, "generator")
        if there := self._there(key, like):
            return there
        where = self._context, self.size
        if kind == "camera":
            fallback = settings.images.get("fallback")
            unit = self._footage.camera(name, *where, self._source(fallback) if fallback else None)
        else:
            file = self.library.footage_file(name)
            unit = (self._footage.film if kind == "film" else self._footage.still)(file, *where)
        return self._contained(unit, f"{kind} {name}".rstrip(), key)

    def _shader(self, settings: Settings, role: Role, like: Unit | None = None) -> Contained:
        """A shader with what is played into it, one that is open if its files are as they were, by
        preference `like`."""
        key = self._key(settings, role)
        if there := self._there(key, like):
            return there
        shader = Shader(self._context, self.library.isf(settings.name, role), self.size)
        made = self._contained(shader, f"{role} {settings.name}", key)
        shader.warm()
        if settings.images:
            sources = {name: self._source(image) for name, image in settings.images.items()}
            made.unit = Fed(shader, sources, len(isf.LEADING[role]))
        return made

    def _key(self, settings: Settings, role: Role) -> Any:
        """What a unit is made from: units with equal keys may stand in for each other."""
        match settings.kind:
            case "shader":
                made_from: Any = self.library.isf(settings.name, role)
            case "camera":
                made_from = settings.name
            case _:  # what plays a file takes it up by itself when it is saved anew
                made_from = self.library.footage_file(settings.name)
        images = [(name, self._key(image, "generator")) for name, image in settings.images.items()]
        return settings.kind, made_from, images

    def _there(self, key: Any, like: Unit | None) -> Contained | None:
        """An open unit that the show no longer needs and that was made from the same."""
        for unit in sorted(self._spare, key=lambda unit: unit is not like):
            if isinstance(unit, Contained) and not unit.failed and unit.key == key:
                self._spare.remove(unit)
                return unit
        return None

    def _contained(self, unit: Unit, name: str, key: Any) -> Contained:
        self._made.append(made := Contained(unit, name, self.faults, self._black, key))
        return made

    def _voice(self, scene: Scene, old: SceneInstance | None) -> ContainedVoice:
        assert scene.model
        wanted = self._wanted(scene)
        if old and isinstance(old.voice, ContainedVoice) and old.voice.wanted == wanted:
            self._spare.remove(old.voice)
            return old.voice
        studios, pictures = self._studios, Pictures(self._context, self.size)
        voice = GeneratorVoice(partial(studios.find, wanted), partial(studios.ready, wanted), pictures)
        self._made.append(made := ContainedVoice(voice, wanted, f"model {scene.model}", self.faults))
        pictures.warm(generators.header(wanted.model)[0].size)
        return made

    def _wanted(self, scene: Scene) -> Wanted:
        """What a scene with a model plays: the model, and what of its bends is compiled into it."""
        assert scene.model
        bends = tuple(bend(one.name, one.with_defaults) for one in scene.bends)
        other = scene.blend
        mixed = blend(self.library.model_name(other.name), other.with_defaults) if other else None
        return Wanted(self.library.model_name(scene.model), bends, mixed)


def _units(cues: Sequence[CueInstance]) -> list[Contained | ContainedVoice]:
    """Every unit of some cues, once."""
    units: dict[int, Contained | ContainedVoice] = {}
    for one in cues:
        for unit in (one.scene.source, one.scene.voice, *one.scene.filters, one.transition):
            if isinstance(unit, Contained | ContainedVoice):
                units[id(unit)] = unit
    return list(units.values())
