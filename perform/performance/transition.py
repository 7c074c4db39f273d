"""Transitions: two scenes drawn as one image."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from perform.clock import Moment
from perform.performance.scene import LayerParameters, SceneInstance
from perform.render import Image, Unit
from perform.scenes.controls import RunningControls
from perform.signals import Signals


class ImageSource(Protocol):
    """Draws an image from signals: a scene, or two scenes in transition."""

    def render(self, moment: Moment, signals: Signals) -> Image:
        """The image at this moment."""
        ...


@dataclass(frozen=True, slots=True)
class TransitionInstance:
    """Two scenes, and the unit that draws the transition between them; `progress` is 0..1. The generators of
    the scene before hold their last picture if it `holds`, and the scene after has generators, too."""

    before: SceneInstance
    after: SceneInstance
    unit: Unit
    controls: RunningControls
    progress: float
    holds: bool = False

    def render(self, moment: Moment, signals: Signals) -> Image:
        """The image between the two."""
        images = self.images(moment, signals)
        values = self.controls.step(moment, signals) | {"progress": self.progress}
        return self.unit.render(moment, values, *images)

    def images(self, moment: Moment, signals: Signals) -> tuple[Image, Image]:
        """The image of each."""
        before, filters = self.before.parameters(moment, signals)
        held = self.held(moment, before)
        return self.before.draw(moment, before, filters, held), self.after.render(moment, signals)

    def held(
        self, moment: Moment, parameters: Sequence[LayerParameters], besides: Collection[int] = ()
    ) -> dict[int, Image]:
        """The images of the generators of the scene before that hold, by the number of their layer; `besides`
        are those of some layers."""
        if not self.holds or not self.after.scene.models:
            return {}
        sources = self.before.latent_sources.items()
        return {
            number: source.generator.hold(moment, parameters[number].network)
            for number, source in sources
            if number not in besides
        }


@dataclass(frozen=True, slots=True)
class Law:
    """The transition that a crossfader makes between any two scenes."""

    unit: Unit
    controls: RunningControls
