"""A scene on stage, its units open and its formulas running: signals -> parameters -> latent -> image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Protocol

from perform.arrays import Floats
from perform.clock import Moment
from perform.latent.centre import Centre
from perform.latent.directions import moved
from perform.latent.paths import Path
from perform.latent.space import LatentMapper, truncate
from perform.networks.controls import NetworkValues
from perform.parameters import Values
from perform.render import Image, Rewinds, Unit
from perform.scenes.nodes import units
from perform.scenes.readiness import Readiness
from perform.scenes.scene import Scene
from perform.signals import Signals

LABEL_STEPS = 64  # from one class to the next


class SceneGenerator(Protocol):
    """A trained generator in a scene: draws latents as images of the show's size."""

    @property
    def readiness(self) -> Readiness:
        """Whether its model is open."""
        ...

    def request(self) -> None:
        """Open its model, if it is not open."""
        ...

    def map(self, z: Floats, label: float) -> Floats:
        """z [n, z_dim] of a class, or of a mix of two, to w [n, w_dim]."""
        ...

    def mean(self, label: float) -> Floats:
        """The centre of truncation [w_dim]."""
        ...

    def render(self, moment: Moment, values: NetworkValues, latent: Floats) -> Image:
        """The image of a latent ws [num_ws, w_dim]."""
        ...


@dataclass(frozen=True, slots=True)
class SceneParameters:
    """The values of every parameter of a scene at one moment, by unit; without directions that are left
    out."""

    source: Values
    bends: tuple[Values, ...]
    blend: Values
    latent: Values
    directions: tuple[Values, ...]
    filters: tuple[Values, ...]

    @property
    def network(self) -> NetworkValues:
        """Those of its generator."""
        return NetworkValues(self.source, self.bends, self.blend)


@dataclass
class LatentSource:
    """A generator and how its latent space is played: along a path, truncated, moved in directions.

    `steps` [w_dim] are what 1 of each direction is; without a `centre` truncation is towards the
    generator's mean.
    """

    generator: SceneGenerator
    path: Path
    steps: Sequence[Floats] = ()
    centre: Centre | None = None
    _mappings: dict[float, LatentMapper] = field(default_factory=dict, init=False)

    def latent(self, moment: Moment, parameters: SceneParameters) -> Floats:
        """The point of the latent space ws [num_ws, w_dim].

        Directions come after truncation, as in GANSpace: they lead as far at any truncation.
        """
        source = parameters.source
        label = round(source["label"] * LABEL_STEPS) / LABEL_STEPS
        mapping, cutoff = self._mapping(label), source["cutoff"]
        ws = self.path.step(moment, parameters.latent, mapping)
        centre = self.centre.at(ws, mapping) if self.centre else self.generator.mean(label)
        ws = truncate(ws, centre, source["truncation"], None if cutoff < 0 else cutoff)
        return moved(ws, self.steps, parameters.directions)

    def _mapping(self, label: float) -> LatentMapper:
        """The mapping of a class; one object per class, since paths remember what it gave."""
        if label not in self._mappings:
            if len(self._mappings) == 4 * LABEL_STEPS:
                self._mappings.clear()
            self._mappings[label] = partial(self.generator.map, label=label)
        return self._mappings[label]


class SceneInstance:
    """A scene on stage. Its source is a unit that draws, or a latent space that is played."""

    def __init__(self, scene: Scene, source: Unit | LatentSource, filters: Sequence[Unit]) -> None:
        self.scene, self.source, self.filters = scene, source, filters
        self._start()

    def render(self, moment: Moment, signals: Signals) -> Image:
        """The scene's image at this moment."""
        parameters = self.parameters(moment, signals)
        if isinstance(self.source, LatentSource):
            latent = self.source.latent(moment, parameters)
            image = self.source.generator.render(moment, parameters.network, latent)
        else:
            image = self.source.render(moment, parameters.source)
        return self.filtered(moment, parameters, image)

    def parameters(self, moment: Moment, signals: Signals) -> SceneParameters:
        """The values of its parameters at this moment."""
        scene, values = self.scene, iter([controls.step(moment, signals) for controls in self.controls])
        return SceneParameters(
            source=next(values),
            latent=next(values) if scene.latent else {},
            blend=next(values) if scene.blend else {},
            directions=tuple(filter(None, islice(values, len(scene.directions)))),
            bends=tuple(islice(values, len(scene.bends))),
            filters=tuple(values),
        )

    def filtered(self, moment: Moment, parameters: SceneParameters, image: Image) -> Image:
        """An image after every filter of the scene."""
        for unit, values in zip(self.filters, parameters.filters, strict=True):
            image = unit.render(moment, values, image)
        return image

    def enter(self) -> None:
        """Begin again: formulas forget, films go back to their beginning."""
        self._start()
        for unit in (self.source, *self.filters):
            if isinstance(unit, Rewinds):
                unit.rewind()

    def resume_from(self, before: SceneInstance) -> None:
        """Go on as the scene did before an edit, in what the edit did not touch."""
        known = dict(zip((key for key, _ in units(before.scene)), before.controls, strict=True))
        for (key, _), controls in zip(units(self.scene), self.controls, strict=True):
            if key in known:
                controls.resume_from(known[key])

    def _start(self) -> None:
        """Start the formulas: `controls` are those of `nodes.units` of the scene, in their order."""
        self.controls = [settings.start() for _, settings in units(self.scene)]

    @property
    def readiness(self) -> Readiness:
        """Whether it can be played."""
        return self.source.generator.readiness if isinstance(self.source, LatentSource) else Readiness.READY

    def request(self) -> None:
        """Open what it plays, if it is not open."""
        if isinstance(self.source, LatentSource):
            self.source.generator.request()
