"""The performance: one frame is one sentence, read here from left to right.

    events -> signals -> parameters -> latent -> image -> pixels -> outputs

`Performance.step` is the only place where the state of the show changes. It knows protocols, not
devices: the rig hands it units that are open, and takes its pictures to the outputs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from perform import formula
from perform.arrays import Floats
from perform.clock import BEATS_PER_BAR, Moment, Tempo
from perform.latent.centre import Centre
from perform.latent.directions import moved
from perform.latent.paths import Path
from perform.latent.space import Mapper, morph, truncate
from perform.parameters import Values
from perform.render import Image, Rewinds, Unit
from perform.rhythm.tempo import Authority
from perform.scenes.controls import Controls, UnitSettings
from perform.scenes.cues import CuePosition, Cues
from perform.scenes.mapping import MappingPlayers, SignalMapper
from perform.scenes.nodes import units
from perform.scenes.readiness import Readiness
from perform.scenes.router import AddressRouter
from perform.scenes.scene import Scene
from perform.scenes.setlist import Cue, Setlist
from perform.scenes.snapshot import Snapshot
from perform.signals import Event, Signals

NUDGE = 1 / 32  # beats
LABEL_STEPS = 64  # from one class to the next


class NeuralSource(Protocol):
    """A trained generator on stage: draws latents as images at the show's size."""

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

    def render(self, moment: Moment, values: Values, latent: Floats) -> Image:
        """The image of a latent ws [num_ws, w_dim]."""
        ...


@dataclass(frozen=True, slots=True)
class Picture:
    """What a step gives: the image, and what the last stage does with it."""

    image: Image
    master: float
    blackout: bool
    freeze: bool


class SceneInstance:
    """A scene on stage: its units open, its formulas running."""

    def __init__(
        self,
        scene: Scene,
        source: Unit | None,
        generator: NeuralSource | None,
        path: Path | None,
        filters: Sequence[Unit],
        steps: Sequence[Floats] = (),
        centre: Centre | None = None,
    ) -> None:
        """`steps` [w_dim] are what 1 of each of the scene's directions is; without a `centre` truncation
        is towards the generator's mean."""
        self.scene = scene
        self.source, self.generator, self.path, self.filters = source, generator, path, filters
        self.steps, self.centre = steps, centre
        self._mappings: dict[float, Mapper] = {}
        self._start()

    def enter(self) -> None:
        """Begin anew: formulas forget, films go back to their beginning."""
        self._start()
        for unit in (self.source, *self.filters):
            if isinstance(unit, Rewinds):
                unit.rewind()

    def follow(self, before: SceneInstance) -> None:
        """Go on as the scene did before an edit, in what the edit did not touch."""
        known = dict(zip((key for key, _ in units(before.scene)), before.controls, strict=True))
        for (key, _), controls in zip(units(self.scene), self.controls, strict=True):
            if key in known:
                controls.follow(known[key])

    def _start(self) -> None:
        scene = self.scene
        self._source = scene.source.start()
        self._latent = scene.latent.start() if scene.latent else None
        self._filters = [settings.start() for settings in scene.filters]
        inside = {f"bend[{i}]": bend for i, bend in enumerate(scene.bends)}
        inside |= {"blend": scene.blend} if scene.blend else {}
        self._inside = {key: settings.start() for key, settings in inside.items()}
        self._directions = [settings.start() for settings in scene.directions]

    @property
    def controls(self) -> list[Controls]:
        """The running controls of `nodes.units` of its scene, in their order."""
        *bends, blend = [*self._inside.values()] if self.scene.blend else [*self._inside.values(), None]
        first = [one for one in (self._source, self._latent, blend) if one]
        return [*first, *self._directions, *bends, *self._filters]

    @property
    def readiness(self) -> Readiness:
        """Whether it can be played."""
        return self.generator.readiness if self.generator else Readiness.READY

    def request(self) -> None:
        """Open what it plays, if it is not open."""
        if self.generator:
            self.generator.request()

    def parameters(self, moment: Moment, signals: Signals) -> tuple[Values, ...]:
        """The values of the source with its bends and blend, the latent path with the directions, and
        each filter."""
        latent = self._latent.at(moment, signals) if self._latent else {}
        latent["directions"] = [controls.at(moment, signals) for controls in self._directions]
        source = self._source.at(moment, signals)
        for key, controls in self._inside.items():
            source |= {f"{key}.{name}": value for name, value in controls.at(moment, signals).items()}
        return (
            source,
            latent,
            *(controls.at(moment, signals) for controls in self._filters),
        )

    def latent(self, moment: Moment, parameters: tuple[Values, ...]) -> Floats | None:
        """The point of the latent space ws [num_ws, w_dim]; None for a shader.

        Directions come after truncation, as in GANSpace: they lead as far at any truncation.
        """
        source, latent = parameters[:2]
        if self.generator is None or self.path is None:
            return None
        label = round(source["label"] * LABEL_STEPS) / LABEL_STEPS
        mapping, cutoff = self._mapping(label), source["cutoff"]
        ws = self.path.step(moment, latent, mapping)
        centre = self.centre.at(ws, mapping) if self.centre else self.generator.mean(label)
        ws = truncate(ws, centre, source["truncation"], None if cutoff < 0 else cutoff)
        return moved(ws, self.steps, latent["directions"])

    def image(self, moment: Moment, parameters: tuple[Values, ...], latent: Floats | None) -> Image:
        """The source's image."""
        if self.generator is not None and latent is not None:
            return self.generator.render(moment, parameters[0], latent)
        assert self.source is not None
        return self.source.render(moment, parameters[0])

    def _mapping(self, label: float) -> Mapper:
        """The mapping of a class; one object per class, since paths remember what it gave."""
        assert self.generator is not None
        if label not in self._mappings:
            if len(self._mappings) == 4 * LABEL_STEPS:
                self._mappings.clear()
            self._mappings[label] = partial(self.generator.map, label=label)
        return self._mappings[label]

    def filtered(self, moment: Moment, parameters: tuple[Values, ...], image: Image) -> Image:
        """The image after every filter."""
        for unit, values in zip(self.filters, parameters[2:], strict=True):
            image = unit.render(moment, values, image)
        return image


@dataclass(slots=True)
class CueInstance:
    """A cue on stage: its scene, and the transition that brings it in."""

    cue: Cue
    scene: SceneInstance
    transition: Unit
    controls: Controls


class Performance:
    """A setlist being played."""

    def __init__(self, setlist: Setlist, cues: Sequence[CueInstance], tempo: Tempo | None = None) -> None:
        self.signals = Signals()
        self.authority = Authority(tempo or Tempo(), setlist.clock)
        self._image: Image | None = None
        self._asked = 0
        self._bpm = 0.0
        self.setlist, self.cues = setlist, cues
        self.mappings: SignalMapper = MappingPlayers(setlist.mappings)
        self._show = setlist.show.start()
        self._cues = Cues([one.cue for one in cues], setlist.quantise, setlist.loop)
        self.position = CuePosition(0)
        self._router = self._routed()

    @property
    def tempo(self) -> Tempo:
        """The tempo of the show."""
        return self.authority.tempo

    def change(self, setlist: Setlist, cues: Sequence[CueInstance]) -> None:
        """Play an edited setlist, from where the show is if its scene is still there."""
        self.position = _found(self.position, [one.cue for one in self.cues], [one.cue for one in cues])
        self._cues = Cues([one.cue for one in cues], setlist.quantise, setlist.loop, self.position)
        if setlist.show != self.setlist.show:
            self._show = setlist.show.start()
        if setlist.clock != self.setlist.clock:
            self.authority.clock = setlist.clock
        self.mappings.use(setlist.mappings)
        self.setlist, self.cues = setlist, cues
        self._router = self._routed()

    def snapshot(self) -> Snapshot:
        """What plays, as its addresses tell it."""
        position, router = self.position, self._router
        now: dict[str, float | str] = {
            "/now/cue": position.cue + 1.0,
            "/now/title": self.cues[position.cue].cue.scene.title,
            "/now/queued": 0.0 if position.queued is None else position.queued + 1.0,
            "/now/beat": self.signals.number("beat.barphase") * BEATS_PER_BAR // 1 + 1,
            "/now/held": float(router.held),
            "/scene": position.cue + 1.0,
            "/tempo/bpm": self.tempo.bpm,
        }
        return Snapshot(router.nodes, router.values(self.signals, now))

    def step(self, moment: Moment, events: Sequence[Event]) -> Picture:
        """One frame of the show."""
        events = self._router.route(events)
        signals = self.signals.after(moment, events).joined(self.authority.signals())
        signals = self.signals = signals.joined(self.mappings.at(moment, signals))
        show = self._show.at(moment, signals)
        if show["panic"]:
            show |= self._router.panic()
        self._conduct(moment, events, show)
        self._move(moment, show)
        if self._image is None or not show["freeze"]:
            self._image = self._draw(moment, signals)
        return Picture(self._image, show["master"], show["blackout"], show["freeze"])

    def _conduct(self, moment: Moment, events: Sequence[Event], show: Values) -> None:
        """The tempo after what clocks and hands said; a tap counts from when it was made."""
        tempo, now = self.authority, moment.seconds
        tempo.hear(events)
        if show["clock"] >= 0:
            tempo.pin(show["clock"])
        if show["nextclock"]:
            tempo.pin_next()
        if show["listen"]:
            tempo.release()
        if show["tap"]:
            tempo.tap(_said(self.setlist.show, "tap", events, now))
        if show["resync"]:
            tempo.resync(_said(self.setlist.show, "resync", events, now))
        if show["double"] or show["halve"]:
            tempo.scale(2.0 if show["double"] else 0.5, now)
        if show["later"] or show["sooner"]:
            tempo.nudge(NUDGE if show["sooner"] else -NUDGE)
        asked, self._bpm = show["tempo"] != self._bpm, show["tempo"]
        if asked and self._bpm:
            tempo.set(self._bpm, now)
        tempo.step(now)

    def _move(self, moment: Moment, show: Values) -> None:
        """On through the setlist; a scene that comes in begins anew."""
        asked, self._asked = show["scene"] if show["scene"] != self._asked else 0, show["scene"]
        before = self.position
        self._cues.choose(show["go"], show["back"], asked)
        self._request_upcoming()
        self.position = self._cues.step(moment, show["crossfade"], self._readiness)
        if self.position.cue != before.cue:
            if self.position.cue != before.before:  # which a crossfader came back to
                self.cues[self.position.cue].scene.enter()
            self._router = self._routed()

    def _request_upcoming(self) -> None:
        """Open what comes next, if it is not open, or what comes after it when that has failed."""
        for cue in self._cues.upcoming():
            self.cues[cue].scene.request()
            if self._readiness(cue) is not Readiness.FAILED:
                return

    def _readiness(self, cue: int) -> Readiness:
        return self.cues[cue].scene.readiness

    def _routed(self) -> AddressRouter:
        """What messages reach on the cue that is on."""
        now = self.cues[self.position.cue]
        return AddressRouter(self.setlist, now.cue, self._show, now.scene.controls, now.controls)

    def _draw(self, moment: Moment, signals: Signals) -> Image:
        """The image of the scene that is on, or of two scenes and the transition between them."""
        now, position = self.cues[self.position.cue], self.position
        scene = now.scene
        parameters = scene.parameters(moment, signals)
        latent = scene.latent(moment, parameters)
        before = None if position.before is None else self.cues[position.before].scene
        if before is None or before is scene:
            return scene.filtered(moment, parameters, scene.image(moment, parameters, latent))
        from_parameters = before.parameters(moment, signals)
        from_latent = before.latent(moment, from_parameters)
        if _morphs(now.cue, before.scene) and latent is not None and from_latent is not None:
            image = scene.image(moment, parameters, morph(from_latent, latent, position.progress))
            from_image = image
        else:
            image = scene.image(moment, parameters, latent)
            from_image = before.image(moment, from_parameters, from_latent)
        values = now.controls.at(moment, signals) | {"progress": position.progress}
        start = before.filtered(moment, from_parameters, from_image)
        return now.transition.render(moment, values, start, scene.filtered(moment, parameters, image))


def _found(position: CuePosition, old: Sequence[Cue], new: Sequence[Cue]) -> CuePosition:
    """A position of an old setlist in a new one; a scene's file may have moved to another folder."""
    files = [cue.scene.file.name for cue in new]
    if files == [cue.scene.file.name for cue in old]:
        return position
    file = old[position.cue].scene.file.name
    here = position.cue if file in files[position.cue : position.cue + 1] else None
    here = here if here is not None else files.index(file) if file in files else 0
    return CuePosition(here, bar=position.bar)


def _morphs(cue: Cue, before: Scene) -> bool:
    return cue.transition.morph and cue.scene.model is not None and cue.scene.model == before.model


def _said(settings: UnitSettings, name: str, events: Sequence[Event], now: float) -> float:
    """When the trigger of a formula was said: the time of the newest of its events."""
    bound = settings.values.get(name)
    names: Any = bound.names if isinstance(bound, formula.Formula) else ()
    return max((event.time for event in events if event.name in names), default=now)
