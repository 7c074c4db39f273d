"""Makes the scenes and the transitions of a setlist out of units: those that are open, else new ones."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import chain, repeat
from typing import TYPE_CHECKING

from perform.clock import stopwatch
from perform.faults import Faults
from perform.footage.opening import Opener
from perform.footage.units import FedShader
from perform.library import Library
from perform.performance import SceneInstance
from perform.performance.scene import LatentSource, LayerInstance, Programme, SceneGenerator
from perform.render import Composites, Unit, isf
from perform.render.compositing import Compositor, Variant
from perform.render.feedback import Feedback, FeedbackBuffer
from perform.render.pictures import Pictures
from perform.render.shader import Shader
from perform.render.standstills import Watched
from perform.scenes.controls import UnitSettings
from perform.scenes.scene import LIVE, PROGRAMME, SHARED, Layer, Role, Scene
from perform.stage.contained import ContainedCompositor, ContainedUnit
from perform.stage.generator import PooledGenerator
from perform.stage.pool import ModelPool, PoolKey
from perform.stage.units import (
    StageUnit,
    latent_path,
    release,
    scene_units,
    truncation_centre,
    variant,
    variants,
)

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger("perform")
COSTLY = 3.0  # seconds of a shader's first frame, from which on a render says so


class SceneMaker:
    """Makes scenes and their units, at `size` (width, height) in pixels.

    In a `live` show no frame may wait: what a hand may choose is compiled with the scene, and shaders that
    stand still are watched. `isf_of` gives a shader of the setlist; `feedback` is that of the whole stage.
    """

    def __init__(
        self,
        library: Library,
        isf_of: Callable[[str, Role], isf.ISF],
        context: moderngl.Context,
        size: tuple[int, int],
        pool: ModelPool,
        footage: Opener,
        faults: Faults,
        live: bool,
    ) -> None:
        self.size, self.shape = size, size  # `shape` is for networks that are extended, and never changes
        self._library, self._isf, self._context = library, isf_of, context
        self._pool, self._footage, self._faults, self._live = pool, footage, faults, live
        self._black = context.texture((1, 1), 4, bytes(4))  # of a source that never drew; clear over layers
        self.feedback = self.buffer()
        self._scene_feedback = self.feedback  # of the scene that is made; at first of the whole stage
        self._reusable: list[StageUnit] = []  # units that are open, and may be taken
        self._opened: list[StageUnit] = []  # units that were opened for the setlist
        self._rejected: list[Exception] = []

    @contextmanager
    def opening(
        self, reusable: Sequence[StageUnit] = (), ahead: Sequence[StageUnit] = ()
    ) -> Iterator[list[Exception]]:
        """Make the units of a setlist here. Those that are `reusable`, or were made `ahead`, are taken where
        they fit, and released at the end where they do not. An error releases all but the reusable ones. It
        gives why scenes could not be made any more, which stay as they were."""
        self._reusable, self._opened, self._rejected = [*reusable, *ahead], [], []
        try:
            yield self._rejected
        except Exception:
            release([*self._opened, *ahead])
            raise
        release(self._reusable)

    def resize(self, size: tuple[int, int]) -> None:
        """Make scenes of another size (width, height) from now on."""
        self.size = size

    def buffer(self) -> FeedbackBuffer:
        """A new buffer of feedback, black at first."""
        return FeedbackBuffer(self._context, self._black)

    def scene_or_before(self, scene: Scene, old: SceneInstance | None) -> SceneInstance:
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
            self._rejected.append(error)
            return old

    def _scene(self, scene: Scene, old: SceneInstance | None) -> SceneInstance:
        kept = old.feedback if old else None
        self._scene_feedback = kept if isinstance(kept, FeedbackBuffer) else self.buffer()
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
            source = self.source(layer.source, old.source if old else None)
        return LayerInstance(layer, source, self._filters(layer.filters, old.filters if old else ()))

    def _filters(self, filters: Sequence[UnitSettings], old: Sequence[Unit]) -> list[ContainedUnit]:
        before = chain(old, repeat(None))
        return [self.shader(one, "filter", unit) for one, unit in zip(filters, before, strict=False)]

    def _variants(self, layer: Layer) -> Iterator[Variant]:
        """What is compiled for a layer: in a live show also what a hand may choose."""
        return variants(layer) if self._live else iter([variant(layer)])

    def _compositor(self, title: str, old: Composites | None) -> ContainedCompositor:
        """What draws the layers of a scene; the old one if there is one."""
        if isinstance(old, ContainedCompositor) and not old.failed and old in self._reusable:
            self._reusable.remove(old)
            return old
        compositor = Compositor(self._context, self.size)
        contained = ContainedCompositor(compositor, f"layers of {title}", self._faults, self._black)
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
        known = self._library.directions(layer.source.name) if played else None
        steps = [known.step(name) for name in played] if known else []
        return LatentSource(
            generator, latent_path(layer, model, old), steps, truncation_centre(layer, model, self._library)
        )

    def source(self, settings: UnitSettings, preferred: object = None) -> ContainedUnit:
        """A generator shader, a film, a still, a live picture, or feedback."""
        if settings.kind == "shader":
            return self.shader(settings, "generator", preferred)
        kind, name, recipe = settings.kind, settings.name, self.recipe(settings, "generator")
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
            unit = self._footage.camera(camera, *where, self.source(fallback) if fallback else None)
        else:
            file = self._library.footage_file(name)
            unit = (self._footage.film if kind == "film" else self._footage.still)(file, *where)
        return self._contained(unit, f"{kind} {name}".rstrip(), recipe)

    def shader(self, settings: UnitSettings, role: Role, preferred: object = None) -> ContainedUnit:
        """A shader and the sources of its images: an open one of the same files, `preferred` if it can be."""
        recipe = self.recipe(settings, role)
        if reused := self._reuse(recipe, preferred):
            return reused
        sources = {name: self.source(image) for name, image in settings.images.items()}
        shader = Shader(self._context, self._isf(settings.name, role), self._warm_size)
        watched = Watched(self._context, shader) if self._live else shader
        unit = FedShader(watched, sources, len(isf.LEADING[role])) if sources else watched
        contained = self._contained(unit, f"{role} {settings.name}", recipe)
        began = stopwatch()
        shader.warm()
        shader.resize(self.size)
        self._context.finish()
        if not self._live and (seconds := stopwatch() - began) > COSTLY:
            log.warning("%s: takes about %.0f s a frame at %dx%d", shader.isf.name, seconds, *self.size)
        return contained

    @property
    def _warm_size(self) -> tuple[int, int]:
        """The size at which shaders are drawn first: small in a live show, where a frame may wait for it.
        Drivers have one form for sides that are powers of two, and another for those that are not."""
        width, height = self.size
        return (max(width // 8, 1), max(height // 8, 1)) if self._live else self.size

    def recipe(self, settings: UnitSettings, role: Role) -> object:
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
                made_from = self._library.footage_file(settings.name)
        images = [(name, self.recipe(image, "generator")) for name, image in settings.images.items()]
        return settings.kind, made_from, images

    def _reuse(self, recipe: object, preferred: object) -> ContainedUnit | None:
        """An open unit of the old setlist that was made from the same recipe."""
        for unit in sorted(self._reusable, key=lambda unit: unit is not preferred):
            if isinstance(unit, ContainedUnit) and not unit.failed and unit.recipe == recipe:
                self._reusable.remove(unit)
                return unit
        return None

    def _contained(self, unit: Unit, name: str, recipe: object) -> ContainedUnit:
        contained = ContainedUnit(unit, name, self._faults, self._black, recipe)
        self._opened.append(contained)
        return contained

    def _generator(self, layer: Layer, old: SceneGenerator | None) -> PooledGenerator:
        """The generator of a layer; the old one if it is of the same model, bends and blend."""
        key = PoolKey.of(layer, self._library, self.shape)
        if isinstance(old, PooledGenerator) and old.key == key:
            self._reusable.remove(old)
            return old
        pictures = Pictures(self._context, self.size, bridges=self._pool.bridges)
        generator = PooledGenerator(self._pool, key, pictures, f"model {layer.model}", self._faults)
        self._opened.append(generator)
        pictures.warm(key.size)
        return generator
