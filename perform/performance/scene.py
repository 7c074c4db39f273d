"""A scene on stage, its units open and its formulas running: signals -> parameters -> latent -> image.

Its layers are drawn from the lowest up, and its filters change the image of all of them.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from types import MappingProxyType
from typing import Protocol

from perform.arrays import Floats
from perform.clock import Moment
from perform.latent.centre import Centre
from perform.latent.directions import moved
from perform.latent.paths import Path
from perform.latent.space import LatentMapper, truncate
from perform.networks.controls import NetworkValues
from perform.parameters import Parameter, Values
from perform.render import Alpha, Composites, DrawnLayer, Image, Keeps, Rewinds, Unit
from perform.scenes.layers import is_seen
from perform.scenes.nodes import named_units, units
from perform.scenes.readiness import Readiness
from perform.scenes.scene import PROGRAMME, Layer, Scene
from perform.signals import Signals

LABEL_STEPS = 64  # from one class to the next


class SceneGenerator(Protocol):
    """A trained generator in a scene: draws latents as images of the show's size. Generators with equal keys
    draw the same."""

    @property
    def key(self) -> Hashable:
        """What network it is."""
        ...

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

    def hold(self, moment: Moment, values: NetworkValues) -> Image:
        """The image of the last picture; no network works for it."""
        ...

    def go_on_from(self, other: SceneGenerator) -> None:
        """Show what another generator with the same key shows, until it has a picture of its own."""
        ...


@dataclass(frozen=True, slots=True)
class LayerParameters:
    """The values of every parameter of a layer at one moment, by unit; without directions that are left
    out."""

    placement: Values
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

    def latent(self, moment: Moment, parameters: LayerParameters) -> Floats:
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


class Programme:
    """The image of the scenes, as the lowest layer of what is over them."""

    parameters: tuple[Parameter, ...] = ()
    image: Image

    def render(self, moment: Moment, values: Values, *_images: Image) -> Image:
        """The image that it was given."""
        return self.image

    def resize(self, size: tuple[int, int]) -> None:
        """It is as large as the scenes are."""

    def release(self) -> None:
        """It owns nothing."""


@dataclass(frozen=True, slots=True)
class LayerInstance:
    """A layer on stage. Its source is a unit that draws, or a latent space that is played."""

    layer: Layer
    source: Unit | LatentSource
    filters: Sequence[Unit] = ()

    def image(self, moment: Moment, parameters: LayerParameters, drawn: Image | None = None) -> Image:
        """Its image at this moment, by itself; `drawn` is that of its source, if that is drawn already."""
        image = self._drawn(moment, parameters) if drawn is None else drawn
        return filtered(self.filters, moment, parameters.filters, image)

    def _drawn(self, moment: Moment, parameters: LayerParameters) -> Image:
        if isinstance(self.source, LatentSource):
            latent = self.source.latent(moment, parameters)
            return self.source.generator.render(moment, parameters.network, latent)
        return self.source.render(moment, parameters.source)

    def go_on(self, moment: Moment, parameters: LayerParameters) -> None:
        """Go along its latent path without an image."""
        if isinstance(self.source, LatentSource):
            self.source.latent(moment, parameters)

    def parameters(self, values: Iterator[Values]) -> LayerParameters:
        """Its parameters, from the next values of its units."""
        layer = self.layer
        return LayerParameters(
            placement=next(values) if layer.placement else {},
            source=next(values),
            latent=next(values) if layer.latent else {},
            blend=next(values) if layer.blend else {},
            directions=tuple(filter(None, islice(values, len(layer.directions)))),
            bends=tuple(islice(values, len(layer.bends))),
            filters=tuple(islice(values, len(layer.filters))),
        )

    @property
    def units(self) -> list[object]:
        """What is open for it: its source, and its filters."""
        return [self.source, *self.filters]

    @property
    def readiness(self) -> Readiness:
        """Whether it can be played."""
        return self.source.generator.readiness if isinstance(self.source, LatentSource) else Readiness.READY

    @property
    def is_ready(self) -> bool:
        """Whether it can be played now."""
        return self.readiness is Readiness.READY

    def request(self) -> None:
        """Open what it plays, if it is not open."""
        if isinstance(self.source, LatentSource):
            self.source.generator.request()


class SceneInstance:
    """A scene on stage. Without a `compositor` its only layer is its image."""

    def __init__(
        self,
        scene: Scene,
        layers: Sequence[LayerInstance],
        filters: Sequence[Unit],
        compositor: Composites | None = None,
        feedback: Keeps | None = None,
    ) -> None:
        self.scene, self.layers, self.filters = scene, layers, filters
        self.compositor, self.feedback = compositor, feedback
        self._start()

    def render(self, moment: Moment, signals: Signals) -> Image:
        """The scene's image at this moment."""
        return self.draw(moment, *self.parameters(moment, signals))

    def draw(
        self,
        moment: Moment,
        layers: Sequence[LayerParameters],
        filters: Sequence[Values],
        drawn: Mapping[int, Image] = MappingProxyType({}),
    ) -> Image:
        """Its image with these values; `drawn` are the images of sources that are drawn already, by the
        number of their layer. Feedback shows it on the next frame."""
        image = filtered(self.filters, moment, filters, self._composite(moment, layers, drawn))
        if self.feedback:
            self.feedback.keep(image)
        return image

    def over(self, image: Image, moment: Moment, signals: Signals) -> Image:
        """Its image, with that of the scenes as its lowest layer."""
        programme = self.layers[0].source
        assert isinstance(programme, Programme)
        programme.image = image
        return self.render(moment, signals)

    def parameters(
        self, moment: Moment, signals: Signals
    ) -> tuple[Sequence[LayerParameters], Sequence[Values]]:
        """The values of the parameters of each layer and of each filter over all, at this moment."""
        values = iter([controls.step(moment, signals) for controls in self.controls])
        return [layer.parameters(values) for layer in self.layers], [*values]

    def _composite(
        self, moment: Moment, parameters: Sequence[LayerParameters], drawn: Mapping[int, Image]
    ) -> Image:
        """The image of all layers; one that nobody sees, or whose model is not open, is not drawn."""
        if not self.compositor:
            return self.layers[0].image(moment, parameters[0], drawn.get(0))
        ready = [number for number, layer in enumerate(self.layers) if layer.is_ready]
        seen = [(self.layers[n], parameters[n]) for n in ready if is_seen(parameters[n].placement)]
        wanted = {name for one, _ in seen for name in (one.layer.name, one.layer.matte)}
        images: dict[str, Image] = {}
        for number in ready:
            one, values = self.layers[number], parameters[number]
            if one.layer.name in wanted:
                images[one.layer.name] = one.image(moment, values, drawn.get(number))
            elif number not in drawn:
                one.go_on(moment, values)
        placed = [
            DrawnLayer(
                images[one.layer.name],
                values.placement,
                alpha(one.layer),
                images[one.layer.matte] if one.layer.matte else None,
            )
            for one, values in seen
            if not one.layer.matte or one.layer.matte in images
        ]
        return self.compositor.render(placed)

    def load(self) -> None:
        """Begin on a deck, with nothing held by hand."""
        for controls in self.controls:
            controls.release()
        self.enter()

    def enter(self) -> None:
        """Begin again: formulas forget, films go back to their beginning; what hands hold stays."""
        before = self.controls
        self._start()
        for controls, one in zip(self.controls, before, strict=True):
            controls.keep_held(one)
        if self.feedback:
            self.feedback.clear()
        for unit in self.units:
            if isinstance(unit, Rewinds):
                unit.rewind()

    def resume_from(self, before: SceneInstance) -> None:
        """Go on as the scene did before an edit, in what the edit did not touch."""
        known = dict(zip(named_units(before.scene), before.controls, strict=True))
        for name, controls in zip(named_units(self.scene), self.controls, strict=True):
            if name in known:
                controls.resume_from(known[name])

    def _start(self) -> None:
        """Start the formulas: `controls` are those of `nodes.units` of the scene, in their order."""
        self.controls = [unit.settings.start() for unit in units(self.scene)]

    @property
    def units(self) -> list[object]:
        """What is open for it: sources and filters."""
        return [*(unit for layer in self.layers for unit in layer.units), *self.filters]

    @property
    def latent_sources(self) -> dict[int, LatentSource]:
        """The latent spaces that it plays, whose models are open, by the number of their layer."""
        sources = {number: one.source for number, one in enumerate(self.layers) if one.is_ready}
        return {number: one for number, one in sources.items() if isinstance(one, LatentSource)}

    @property
    def readiness(self) -> Readiness:
        """Whether it can be played."""
        return Readiness.of_all(layer.readiness for layer in self.layers)

    def request(self) -> None:
        """Open what it plays, if it is not open."""
        for layer in self.layers:
            layer.request()


def filtered(filters: Sequence[Unit], moment: Moment, values: Sequence[Values], image: Image) -> Image:
    """An image after some filters, with the values of each."""
    for unit, own in zip(filters, values, strict=True):
        image = unit.render(moment, own, image)
    return image


def alpha(layer: Layer) -> Alpha:
    """What the alpha of its image is: pictures and films have colours times their alpha, shaders do not, and
    what the show has drawn before is seen as it is."""
    if layer.source.kind in (PROGRAMME, "feedback"):
        return "ignored"
    return "straight" if layer.source.kind == "shader" else "premultiplied"
