"""The stage: opens the units of a show's scenes, and closes those that they no longer need."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from itertools import chain, repeat
from pathlib import Path
from typing import TYPE_CHECKING

from perform.clock import stopwatch
from perform.faults import Faults, steps
from perform.footage.opening import Opener
from perform.footage.units import FedShader
from perform.library import Library
from perform.performance import CueInstance, SceneInstance
from perform.performance.scene import LatentSource, LayerInstance, Programme, SceneGenerator
from perform.performance.transition import Law
from perform.render import Composites, Image, Unit, isf
from perform.render.compositing import Compositor, Variant
from perform.render.feedback import Feedback, FeedbackBuffer
from perform.render.pictures import Pictures
from perform.render.shader import Shader
from perform.render.standstills import Watched
from perform.render.trials import Trials
from perform.scenes.controls import UnitSettings
from perform.scenes.readiness import Readiness
from perform.scenes.scene import LIVE, PROGRAMME, SHARED, Layer, Role, Scene
from perform.scenes.setlist import Setlist
from perform.signals import Event
from perform.stage.ahead import MADE_AHEAD, Making
from perform.stage.coming import Coming, played_units
from perform.stage.contained import ContainedCompositor, ContainedUnit
from perform.stage.generator import PooledGenerator
from perform.stage.governor import NetworkTime
from perform.stage.pool import ModelPool, PoolKey
from perform.stage.units import (
    StageUnit,
    cue_units,
    latent_path,
    release,
    scene_units,
    staged,
    taken,
    truncation_centre,
    variant,
    variants,
)

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger("perform")
COSTLY = 3.0  # seconds of a shader's first frame, from which on a render says so
PREVIEW_SCALE = 0.5  # of the scenes' size, where the processor draws


class Stage:
    """Everything that is open for a show: shaders in one GL context, and the pool of models.

    `size` is (width, height) of the show in pixels; `footage` opens films, stills and cameras. `trials` draws
    the shaders of a live show before they play.
    """

    def __init__(
        self,
        library: Library,
        context: moderngl.Context,
        size: tuple[int, int],
        pool: ModelPool,
        footage: Opener | None = None,
        trials: Trials | None = None,
    ) -> None:
        self.library, self.size, self.faults = library, size, Faults()
        self._shape = size  # for networks that are extended; another size of the scenes does not change it
        self._footage = footage or Opener()
        self._context, self._pool, self._trials = context, pool, trials
        self._black = context.texture((1, 1), 4, bytes(4))  # of a source that never drew; clear over layers
        self.feedback, self._frozen = (FeedbackBuffer(context, self._black) for _ in range(2))
        if trials:
            self._frozen.use(self)  # compiles what freeze needs before a hand presses it
        self._scene_feedback = self.feedback  # of the scene that is opened; at first of the whole stage
        self.over: SceneInstance | None = None  # what the open setlist has over its scenes
        self.law: Law | None = None  # of the open setlist's crossfader
        self._reusable: list[StageUnit] = []  # units of the old setlist that the new one may take
        self._opened: list[StageUnit] = []  # units that were opened for the new setlist
        self._coming: Coming | None = None  # the setlist that is asked for, until it is open
        self._shrunk: SceneInstance | None = None  # the scene that is drawn smaller
        self.rejected: list[Exception] = []  # why scenes could not be opened by the last edit

    def open(self, setlist: Setlist, before: Sequence[CueInstance] = ()) -> list[CueInstance]:
        """The cues of a setlist, ready to play; a scene in several cues is opened twice, once for each deck.

        What has not changed since `before` goes on as it is: formulas, latent paths, the images of feedback;
        of a scene that is open twice and only needed once, the one of the first cue of `before`.
        A scene that cannot be opened any more goes on as it was, and `rejected` has the reason. If a new
        scene or a transition cannot be opened, `before` has not changed. Only without `before` it waits for
        the trials of the shaders: an edit is opened on the thread of the frames, after `tried`.
        """
        coming = self._coming_of(setlist)
        self.shrink(None)
        if not before:
            coming.wait()
        made = coming.ahead.made
        self._reusable = [*cue_units(before), *self._show_units(), *made]
        self._opened, self.rejected = [], []
        for one in made:
            one.resize(self.size)
        try:
            cues = self._cues(setlist, before)
            over = self._scene_or_before(setlist.over, self.over) if setlist.over else None
            law = self._law(setlist.crossfader) if setlist.crossfader else None
        except Exception:
            release([*self._opened, *made])
            raise
        finally:
            self._coming = None
        self.over, self.law = over, law
        release(self._reusable)
        if not before:
            self._fill(self._pool_keys(setlist))
        return cues

    def tried(self, setlist: Setlist) -> bool:
        """Whether the trials of all its shaders are over; the first call reads them and begins their trials,
        and `open` plays what was read, but for those that are too slow for a show or never end."""
        return self._coming_of(setlist).tried()

    def prepared(self, setlist: Setlist, before: Sequence[CueInstance]) -> bool:
        """Whether all is made that `open` would compile for an edit of `before`. Each call makes one thing of
        it: many would take longer than a frame."""
        coming = self._coming_of(setlist)
        return not self._trials or coming.ahead.step(lambda: self._missing(coming, before))

    def readiness(self, setlist: Setlist, shown: Sequence[Path]) -> Readiness:
        """Whether the models of the scenes in the files `shown` are open."""
        return Readiness.of_all(self._pool.readiness(key) for key in self._pool_keys(setlist, shown))

    def request(self, setlist: Setlist, shown: Sequence[Path]) -> None:
        """Open the models of the scenes in the files `shown`."""
        for key in self._pool_keys(setlist, shown):
            self._pool.request(key)

    def poll(self, seconds: float) -> list[Event]:
        """The models that were opened or failed since the last poll, as events that the show may keep."""
        return [
            Event(seconds, f"model.{state.value}", key.model.name)
            for key, state in self._pool.changes()
            if state is not Readiness.ABSENT
        ]

    def retry(self, setlist: Setlist) -> None:
        """Let models that have failed be opened again, after an edit."""
        for key in self._pool_keys(setlist):
            self._pool.allow_retry(key)

    def _pool_keys(self, setlist: Setlist, shown: Sequence[Path] | None = None) -> list[PoolKey]:
        """The keys of the models of all scenes, or of those in some files, each once."""
        return self._coming_of(setlist).pool_keys(self._shape, shown)

    def _fill(self, keys: Sequence[PoolKey]) -> None:
        """Open the first models, as many as fit, before the show begins."""
        opened: list[PoolKey] = []
        for key in keys:
            if opened and not self._pool.fits([*opened, key]):
                return
            self._pool.open(key)
            opened.append(key)

    def pictures_made(self) -> int:
        """How many pictures the generators have drawn."""
        return self._pool.network_time().pictures

    def network_time(self) -> NetworkTime:
        """How many pictures the networks have drawn, and how long they took."""
        return self._pool.network_time()

    def resize(self, size: tuple[int, int], cues: Sequence[CueInstance]) -> None:
        """Draw the scenes of these cues at another size (width, height) from now on; feedback goes on as it
        is."""
        self.size = size
        for unit in (*cue_units(cues), *self._show_units()):
            unit.resize(size)
        shrunk, self._shrunk = self._shrunk, None
        self.shrink(shrunk)

    def shrink(self, scene: SceneInstance | None) -> None:
        """Draw a scene at PREVIEW_SCALE of the size from now on, and the one before at the size again; None:
        no scene."""
        if scene is self._shrunk:
            return
        width, height = (max(round(side * PREVIEW_SCALE), 1) for side in self.size)
        for one, size in ((self._shrunk, self.size), (scene, (width, height))):
            for unit in scene_units(one) if one else ():
                unit.resize(size)
        self._shrunk = scene

    def copied(self, image: Image) -> Image:
        """A copy of an image that stays, whatever is edited, until the next one."""
        self._frozen.use(self)
        self._frozen.keep(image)
        return self._frozen.image

    def _show_units(self) -> list[StageUnit]:
        """The units of what is over the scenes, and of the crossfader."""
        over = scene_units(self.over) if self.over else []
        return over + (staged([self.law.unit]) if self.law else [])

    def _law(self, settings: UnitSettings) -> Law:
        """The transition of the crossfader; what a hand holds of it stays."""
        before = self.law
        unit = self._shader(settings, "transition", before.unit if before else None)
        controls = settings.start()
        if before:
            controls.resume_from(before.controls)
        return Law(unit, controls)

    def close(self) -> None:
        """Close networks, and stop decoding films."""
        if self._trials:
            self._trials.close()
        self._footage.close()
        self._pool.close()

    def _coming_of(self, setlist: Setlist) -> Coming:
        """What is known of a setlist that is not open yet."""
        if self._coming is None or self._coming.setlist is not setlist:
            self._coming = Coming(setlist, self.library, self._trials, self._coming)
        return self._coming

    def _missing(self, coming: Coming, before: Sequence[CueInstance]) -> Iterator[Making]:
        """What makes the units of a setlist that are not open, and the programs of its layers."""
        units = (*cue_units(before), *self._show_units(), *coming.ahead.made)
        recipes = [one.recipe for one in units if isinstance(one, ContainedUnit) and not one.failed]
        for settings, role in played_units(coming.setlist):
            if settings.kind not in MADE_AHEAD:
                continue
            with suppress(Exception):  # `open` meets it again, and tells what is wrong
                recipe = self._recipe(settings, role)
                if recipe in recipes:
                    recipes.remove(recipe)
                else:
                    yield partial(self._make, coming, settings, role)
        layers = [layer for scene in coming.setlist.scenes for layer in scene.layers if layer.placement]
        compositor = Compositor(self._context, self.size)
        for one in dict.fromkeys(one for layer in layers for one in variants(layer)):
            yield partial(compositor.warm, [one])

    def _make(self, coming: Coming, settings: UnitSettings, role: Role) -> bool:
        """Make a unit ahead."""
        self._reusable, self._opened = [], []
        try:
            made = self._shader(settings, role) if settings.kind == "shader" else self._source(settings)
        except Exception:
            release(self._opened)
            raise
        coming.ahead.made.append(made)
        return True

    def _isf(self, name: str, role: Role) -> isf.ISF:
        """A shader of the setlist that is opened."""
        assert self._coming
        return self._coming.shader(name, role)

    def _cues(self, setlist: Setlist, before: Sequence[CueInstance]) -> list[CueInstance]:
        files = Counter(cue.scene.file for cue in setlist.cues)
        old = {one.cue.scene.file: one.scene for one in reversed(before)}
        old_twins = {one.cue.scene.file: one.twin for one in reversed(before) if one.twin}
        scenes: dict[Path, SceneInstance] = {}
        twins: dict[Path, SceneInstance] = {}
        cues = []
        for cue in setlist.cues:
            file, transition = cue.scene.file, cue.transition.shader
            if file not in scenes:
                steps.info("opening the scene %s", cue.scene.title)
                scenes[file] = self._scene_or_before(cue.scene, taken(old, file))
                if files[file] > 1:
                    twins[file] = self._scene_or_before(scenes[file].scene, taken(old_twins, file))
            played = replace(cue, scene=scenes[file].scene)
            unit = self._shader(transition, "transition")
            cues.append(CueInstance(played, scenes[file], unit, transition.start(), twins.get(file)))
        return cues

    def _scene_or_before(self, scene: Scene, old: SceneInstance | None) -> SceneInstance:
        """The scene; if it cannot be opened, the old one with all its units, unless they play elsewhere."""
        reusable, opened = [*self._reusable], len(self._opened)
        try:
            return self._scene(scene, old)
        except Exception as error:
            units = scene_units(old) if old else []
            if old is None or any(unit not in reusable for unit in units):
                raise
            release(self._opened[opened:])
            del self._opened[opened:]
            self._reusable = [unit for unit in reusable if unit not in units]
            self.rejected.append(error)
            return old

    def _scene(self, scene: Scene, old: SceneInstance | None) -> SceneInstance:
        kept = old.feedback if old else None
        self._scene_feedback = (
            kept if isinstance(kept, FeedbackBuffer) else FeedbackBuffer(self._context, self._black)
        )
        known = {one.layer.name: one for one in old.layers} if old else {}
        layers = [self._layer(layer, known.get(layer.name)) for layer in scene.layers]
        filters = self._filters(scene.filters, old.filters if old else ())
        compositor = None
        if any(layer.placement for layer in scene.layers):
            compositor = self._compositor(scene.title, old.compositor if old else None)
            compositor.warm(one for layer in scene.layers for one in self._variants(layer))
        if old and (old.scene, old.layers, old.filters) == (scene, layers, filters):
            return old
        instance = SceneInstance(scene, layers, filters, compositor, self._scene_feedback)
        if old:
            instance.resume_from(old)
        return instance

    def _layer(self, layer: Layer, old: LayerInstance | None) -> LayerInstance:
        if layer.source.kind == PROGRAMME:
            source: Unit | LatentSource = old.source if old else Programme()
        elif layer.latent:
            source = self._latent_source(layer, old)
        else:
            source = self._source(layer.source, old.source if old else None)
        return LayerInstance(layer, source, self._filters(layer.filters, old.filters if old else ()))

    def _filters(self, filters: Sequence[UnitSettings], old: Sequence[Unit]) -> list[ContainedUnit]:
        before = chain(old, repeat(None))
        return [self._shader(one, "filter", unit) for one, unit in zip(filters, before, strict=False)]

    def _variants(self, layer: Layer) -> Iterator[Variant]:
        """What is compiled for a layer: in a live show also what a hand may choose."""
        return variants(layer) if self._trials else iter([variant(layer)])

    def _compositor(self, title: str, old: Composites | None) -> ContainedCompositor:
        """What draws the layers of a scene; the old one if there is one."""
        if isinstance(old, ContainedCompositor) and not old.failed and old in self._reusable:
            self._reusable.remove(old)
            return old
        compositor = Compositor(self._context, self.size)
        contained = ContainedCompositor(compositor, f"layers of {title}", self.faults, self._black)
        self._opened.append(contained)
        return contained

    def _latent_source(self, layer: Layer, old: LayerInstance | None) -> LatentSource:
        """The generator of a layer and how its latent space is played; the old one if nothing has changed."""
        before = old.source if old and isinstance(old.source, LatentSource) else None
        generator = self._generator(layer, before.generator if before else None)
        if old and before and (old.layer, before.generator) == (layer, generator):
            return before
        model = generator.key.model
        played = [one.name for one in layer.directions if one.parameters]
        known = self.library.directions(layer.source.name) if played else None
        steps = [known.step(name) for name in played] if known else []
        return LatentSource(
            generator, latent_path(layer, model, old), steps, truncation_centre(layer, model, self.library)
        )

    def _source(self, settings: UnitSettings, preferred: object = None) -> ContainedUnit:
        """A generator shader, a film, a still, a live picture, or feedback."""
        if settings.kind == "shader":
            return self._shader(settings, "generator", preferred)
        kind, name, recipe = settings.kind, settings.name, self._recipe(settings, "generator")
        if reused := self._reuse(recipe, preferred):
            return reused
        where = self._context, self.size
        if kind == "feedback":
            unit: Unit = Feedback(self.feedback if name == "stage" else self._scene_feedback)
        elif kind == "text":
            font, words = (settings.with_defaults[key] for key in ("font", "file"))
            unit = self._footage.text(font, words, *where)
        elif kind in LIVE:
            fallback = settings.images.get("fallback")
            camera = f"{kind}:{name}" if kind in SHARED else name
            unit = self._footage.camera(camera, *where, self._source(fallback) if fallback else None)
        else:
            file = self.library.footage_file(name)
            unit = (self._footage.film if kind == "film" else self._footage.still)(file, *where)
        return self._contained(unit, f"{kind} {name}".rstrip(), recipe)

    def _shader(self, settings: UnitSettings, role: Role, preferred: object = None) -> ContainedUnit:
        """A shader and the sources of its images: an open one of the same files, `preferred` if it can be."""
        recipe = self._recipe(settings, role)
        if reused := self._reuse(recipe, preferred):
            return reused
        shader = Shader(self._context, self._isf(settings.name, role), self._warm_size)
        watched = Watched(self._context, shader) if self._trials else shader
        contained = self._contained(watched, f"{role} {settings.name}", recipe)
        began = stopwatch()
        shader.warm()
        shader.resize(self.size)
        self._context.finish()
        if not self._trials and (seconds := stopwatch() - began) > COSTLY:
            log.warning("%s: takes about %.0f s a frame at %dx%d", shader.isf.name, seconds, *self.size)
        if settings.images:
            sources = {name: self._source(image) for name, image in settings.images.items()}
            contained.unit = FedShader(watched, sources, len(isf.LEADING[role]))
        return contained

    @property
    def _warm_size(self) -> tuple[int, int]:
        """The size at which shaders are drawn first: small in a live show, where a frame may wait for it.
        Drivers have one form for sides that are powers of two, and another for those that are not."""
        width, height = self.size
        return (max(width // 8, 1), max(height // 8, 1)) if self._trials else self.size

    def _recipe(self, settings: UnitSettings, role: Role) -> object:
        """What a unit is made from: units with equal recipes can replace each other."""
        match settings.kind:
            case "shader":
                made_from: object = self._isf(settings.name, role)
            case kind if kind in LIVE:
                made_from = settings.name
            case "text":
                made_from = [settings.with_defaults.get(key) for key in ("font", "file")]
            case "feedback":
                made_from = self.feedback if settings.name == "stage" else self._scene_feedback
            case _:  # its unit reads the file again when it is saved
                made_from = self.library.footage_file(settings.name)
        images = [(name, self._recipe(image, "generator")) for name, image in settings.images.items()]
        return settings.kind, made_from, images

    def _reuse(self, recipe: object, preferred: object) -> ContainedUnit | None:
        """An open unit of the old setlist that was made from the same recipe."""
        for unit in sorted(self._reusable, key=lambda unit: unit is not preferred):
            if isinstance(unit, ContainedUnit) and not unit.failed and unit.recipe == recipe:
                self._reusable.remove(unit)
                return unit
        return None

    def _contained(self, unit: Unit, name: str, recipe: object) -> ContainedUnit:
        contained = ContainedUnit(unit, name, self.faults, self._black, recipe)
        self._opened.append(contained)
        return contained

    def _generator(self, layer: Layer, old: SceneGenerator | None) -> PooledGenerator:
        """The generator of a layer; the old one if it is of the same model, bends and blend."""
        key = PoolKey.of(layer, self.library, self._shape)
        if isinstance(old, PooledGenerator) and old.key == key:
            self._reusable.remove(old)
            return old
        pictures = Pictures(self._context, self.size, bridges=self._pool.bridges)
        generator = PooledGenerator(self._pool, key, pictures, f"model {layer.model}", self.faults)
        self._opened.append(generator)
        pictures.warm(key.size)
        return generator
