"""Transitions: two scenes drawn as one image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from perform.clock import Moment
from perform.latent.space import morph
from perform.performance.scene import LatentSource, LayerParameters, SceneInstance
from perform.render import Image, Unit
from perform.scenes.controls import RunningControls
from perform.scenes.setlist import Cue
from perform.signals import Signals


class ImageSource(Protocol):
    """Draws an image from signals: a scene, or two scenes in transition."""

    def render(self, moment: Moment, signals: Signals) -> Image:
        """The image at this moment."""
        ...


@dataclass(frozen=True, slots=True)
class TransitionInstance:
    """Two image sources, and the unit that draws the transition between them; `progress` is 0..1."""

    before: ImageSource
    after: ImageSource
    unit: Unit
    controls: RunningControls
    progress: float

    def render(self, moment: Moment, signals: Signals) -> Image:
        """The image between the two."""
        images = self.images(moment, signals)
        values = self.controls.step(moment, signals) | {"progress": self.progress}
        return self.unit.render(moment, values, *images)

    def images(self, moment: Moment, signals: Signals) -> tuple[Image, Image]:
        """The image of each."""
        return self.before.render(moment, signals), self.after.render(moment, signals)


@dataclass(frozen=True, slots=True)
class Morph(TransitionInstance):
    """A transition of two scenes that share a latent space: one image of a latent between theirs, with the
    other layers and the filters of each."""

    before: SceneInstance
    after: SceneInstance
    start: LatentSource
    end: LatentSource

    def images(self, moment: Moment, signals: Signals) -> tuple[Image, Image]:
        """The image, as each scene shows it."""
        before, earlier = self.before.parameters(moment, signals)
        after, later = self.after.parameters(moment, signals)
        latest = _parameters_of(self.end, self.after, after)
        start = self.start.latent(moment, _parameters_of(self.start, self.before, before))
        latent = morph(start, self.end.latent(moment, latest), self.progress)
        image = self.end.generator.render(moment, latest.network, latent)
        return (
            self.before.drawn(moment, before, earlier, image),
            self.after.drawn(moment, after, later, image),
        )


def _parameters_of(
    source: LatentSource, scene: SceneInstance, parameters: Sequence[LayerParameters]
) -> LayerParameters:
    """Those of the layer of a source."""
    return next(own for layer, own in zip(scene.layers, parameters, strict=True) if layer.source is source)


@dataclass(frozen=True, slots=True)
class Law:
    """The transition that a crossfader makes between any two scenes."""

    unit: Unit
    controls: RunningControls


@dataclass(slots=True)
class CueInstance:
    """A cue on stage: its scene, and the transition that brings it in. Where several cues play one scene,
    `twin` is the same scene, opened a second time: one of them may be on each deck."""

    cue: Cue
    scene: SceneInstance
    transition: Unit
    controls: RunningControls
    twin: SceneInstance | None = None

    def part(self, beside: SceneInstance | None) -> None:
        """Play the other of the two scenes if `beside`, the scene on the other deck, is this one."""
        if self.twin and self.scene is beside:
            self.scene, self.twin = self.twin, self.scene

    def load(self, beside: SceneInstance | None) -> None:
        """Begin on a deck, with nothing held by hand; `beside` is the scene on the other deck."""
        self.part(beside)
        if self.scene is not beside:
            self.scene.load()
        self.controls.release()

    def image_source(
        self, before: SceneInstance | None, progress: float, law: Law | None = None
    ) -> ImageSource:
        """The scene, or while it comes in the transition from the scene before: its own, or that of a law."""
        after = self.scene
        if before is None or before is after:
            return after
        if law:
            return TransitionInstance(before, after, law.unit, law.controls, progress)
        start, end = before.latent_source, after.latent_source
        shared = self.cue.transition.morph and before.scene.models == after.scene.models
        if shared and start and end:
            return Morph(before, after, self.transition, self.controls, progress, start, end)
        return TransitionInstance(before, after, self.transition, self.controls, progress)
