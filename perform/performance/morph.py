"""Morphs: transitions through a latent space that two scenes share.

Layers that play the same model are paired. A pair has one latent between those of the two scenes, and the
values of its network between theirs. If its two layers are one network, that draws one picture for both
scenes; if something that is compiled into it is different (bends, a blend), each draws the latent in its own
way. Both scenes are composited and filtered as ever, and the transition's unit mixes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from perform.clock import Moment
from perform.latent.space import morph
from perform.networks.controls import NetworkValues
from perform.parameters import SIZES, Parameter, Values
from perform.performance.scene import LayerInstance, LayerParameters, SceneInstance
from perform.performance.transition import TransitionInstance
from perform.render import Image
from perform.signals import Signals


def matched(before: SceneInstance, after: SceneInstance) -> list[tuple[int, int]]:
    """The layers of two scenes that play the same model, as pairs of their numbers: those of one name, then
    the others in their order."""
    free, others = [*before.latent_sources], [*after.latent_sources]
    pairs: list[tuple[int, int]] = []
    for by_name in (True, False):
        for there in [*others]:
            layer = after.layers[there].layer
            for here in free:
                one = before.layers[here].layer
                if one.model == layer.model and (one.name == layer.name or not by_name):
                    pairs.append((here, there))
                    free.remove(here)
                    others.remove(there)
                    break
    return pairs


def go_on_from(scene: SceneInstance, other: SceneInstance) -> None:
    """Show in a scene what its layers have shown in a morph with another."""
    for here, there in matched(scene, other):
        generator, shown = scene.latent_sources[here].generator, other.latent_sources[there].generator
        if generator.key == shown.key:
            generator.go_on_from(shown)


@dataclass(frozen=True, slots=True)
class Morph(TransitionInstance):
    """A transition of two scenes with `pairs` of layers that morph; other layers only cross-fade."""

    pairs: Sequence[tuple[int, int]] = ()

    def images(self, moment: Moment, signals: Signals) -> tuple[Image, Image]:
        """The image of each."""
        before, earlier = self.before.parameters(moment, signals)
        after, later = self.after.parameters(moment, signals)
        drawn: dict[int, Image] = {}
        coming: dict[int, Image] = {}
        for here, there in self.pairs:
            images = self._morphed(moment, here, before[here], there, after[there])
            drawn[here], coming[there] = images[0], images[-1]
        drawn |= self.held(moment, before, besides=drawn)
        return (
            self.before.draw(moment, before, earlier, drawn),
            self.after.draw(moment, after, later, coming),
        )

    def _morphed(
        self, moment: Moment, here: int, before: LayerParameters, there: int, after: LayerParameters
    ) -> tuple[Image, ...]:
        """The image of a pair for the scene before and the one after: one image if it is one network."""
        start, end = self.before.latent_sources[here], self.after.latent_sources[there]
        layer = self.after.layers[there]
        latent = morph(start.latent(moment, before), end.latent(moment, after), self.progress)
        parameters = mixed(layer.layer.source.parameters, before.source, after.source, self.progress)
        if start.generator.key == end.generator.key:
            return (end.generator.render(moment, self._network(layer, before, after, parameters), latent),)
        if self.holds:
            left = start.generator.hold(moment, before.network)
        else:
            values = NetworkValues(parameters, before.bends, before.blend)
            left = start.generator.render(moment, values, latent)
        return left, end.generator.render(moment, NetworkValues(parameters, after.bends, after.blend), latent)

    def _network(
        self, layer: LayerInstance, before: LayerParameters, after: LayerParameters, parameters: Values
    ) -> NetworkValues:
        """The values of one network between those of two scenes."""
        settings, blend = layer.layer.bends, layer.layer.blend
        bends = [
            mixed(one.parameters, here, there, self.progress)
            for one, here, there in zip(settings, before.bends, after.bends, strict=True)
        ]
        mix = mixed(blend.parameters, before.blend, after.blend, self.progress) if blend else {}
        return NetworkValues(parameters, bends, mix)


def mixed(parameters: Sequence[Parameter], before: Values, after: Values, t: float) -> Values:
    """The values of a unit at `t` (0..1) on the way from some to others: numbers go straight, and what has
    steps (whole numbers, choices, switches) switches at the middle."""
    values = dict(before if t < 0.5 else after)
    for parameter in parameters:
        start, end = before[parameter.name], after[parameter.name]
        if parameter.kind == "float":
            values[parameter.name] = (1 - t) * start + t * end
        elif parameter.kind in SIZES:
            values[parameter.name] = tuple((1 - t) * a + t * b for a, b in zip(start, end, strict=True))
    return values
