"""The stage: opens the units of a show's scenes, and closes those that they no longer need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from perform.faults import Faults, steps
from perform.footage.opening import Opener
from perform.library import Library
from perform.performance import CueInstance, SceneInstance
from perform.performance.transition import Law
from perform.render import Image, isf
from perform.render.compositing import Compositor
from perform.render.trials import Trials
from perform.scenes.controls import UnitSettings
from perform.scenes.readiness import Readiness
from perform.scenes.scene import Role
from perform.scenes.setlist import Setlist
from perform.signals import Event
from perform.stage.ahead import MADE_AHEAD, Making
from perform.stage.coming import Coming, played_units
from perform.stage.contained import ContainedUnit
from perform.stage.governor import NetworkTime
from perform.stage.making import SceneMaker
from perform.stage.pool import ModelPool, PoolKey
from perform.stage.units import StageUnit, cue_units, scene_units, staged, taken, variants

if TYPE_CHECKING:
    import moderngl

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
        self.faults = Faults()
        self._library, self._footage, self._pool, self._trials = library, footage or Opener(), pool, trials
        self._context = context
        self._maker = SceneMaker(
            library, self._isf, context, size, pool, self._footage, self.faults, bool(trials)
        )
        self.feedback, self._frozen = self._maker.feedback, self._maker.buffer()
        if trials:
            self._frozen.use(self)  # compiles what freeze needs before a hand presses it
        self.over: SceneInstance | None = None  # what the open setlist has over its scenes
        self.law: Law | None = None  # of the open setlist's crossfader
        self._coming: Coming | None = None  # the setlist that is asked for, until it is open
        self._shrunk: SceneInstance | None = None  # the scene that is drawn smaller
        self.rejected: list[Exception] = []  # why scenes could not be opened by the last edit

    @property
    def size(self) -> tuple[int, int]:
        """The (width, height) of the scenes in pixels; a show may begin with another."""
        return self._maker.size

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
        for one in made:
            one.resize(self.size)
        units = [*cue_units(before), *self._show_units()]
        try:
            with self._maker.opening(units, made) as self.rejected:
                cues = self._cues(setlist, before)
                over = self._maker.scene_or_before(setlist.over, self.over) if setlist.over else None
                law = self._law(setlist.crossfader) if setlist.crossfader else None
                self.over, self.law = over, law
        finally:
            self._coming = None
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
        return self._coming_of(setlist).pool_keys(self._maker.shape, shown)

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
        self._maker.resize(size)
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
        unit = self._maker.shader(settings, "transition", before.unit if before else None)
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
            self._coming = Coming(setlist, self._library, self._trials, self._coming)
        return self._coming

    def _missing(self, coming: Coming, before: Sequence[CueInstance]) -> Iterator[Making]:
        """What makes the units of a setlist that are not open, and the programs of its layers."""
        units = (*cue_units(before), *self._show_units(), *coming.ahead.made)
        recipes = [one.recipe for one in units if isinstance(one, ContainedUnit) and not one.failed]
        for settings, role in played_units(coming.setlist):
            if settings.kind not in MADE_AHEAD:
                continue
            with suppress(Exception):  # `open` meets it again, and tells what is wrong
                recipe = self._maker.recipe(settings, role)
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
        with self._maker.opening():
            is_shader = settings.kind == "shader"
            made = self._maker.shader(settings, role) if is_shader else self._maker.source(settings)
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
                scenes[file] = self._maker.scene_or_before(cue.scene, taken(old, file))
                if files[file] > 1:
                    twins[file] = self._maker.scene_or_before(scenes[file].scene, taken(old_twins, file))
            played = replace(cue, scene=scenes[file].scene)
            unit = self._maker.shader(transition, "transition")
            cues.append(CueInstance(played, scenes[file], unit, transition.start(), twins.get(file)))
        return cues
