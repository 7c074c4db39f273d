"""Cues on stage."""

from __future__ import annotations

from dataclasses import dataclass

from perform.latent import curves
from perform.performance.morph import Morph, matched
from perform.performance.scene import SceneInstance
from perform.performance.transition import ImageSource, Law, TransitionInstance
from perform.render import Unit
from perform.scenes.controls import RunningControls
from perform.scenes.setlist import Cue


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
        self, before: SceneInstance | None, progress: float, law: Law | None = None, holds: bool = False
    ) -> ImageSource:
        """The scene, or while it comes in the transition from the scene before: its own, or that of a law."""
        after = self.scene
        if before is None or before is after:
            return after
        if law:
            return TransitionInstance(before, after, law.unit, law.controls, progress, holds)
        pairs = matched(before, after) if self.cue.transition.morph else ()
        if pairs:
            eased = curves.eased(progress, 1.0)
            return Morph(before, after, self.transition, self.controls, eased, holds, pairs)
        return TransitionInstance(before, after, self.transition, self.controls, progress, holds)
