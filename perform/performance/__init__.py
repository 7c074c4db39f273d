"""The performance: one frame is one sentence, read here from left to right.

    events -> signals -> parameters -> latent -> image

`Performance.step` is the only place where the state of the show changes. It knows protocols, not
devices: the rig gives it open units, and brings its pictures to the screens and outputs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

from perform import formula
from perform.clock import BEATS_PER_BAR, Moment, Tempo
from perform.parameters import Values
from perform.performance import decks
from perform.performance.cue import CueInstance
from perform.performance.preview import Preview
from perform.performance.scene import SceneInstance
from perform.performance.transition import Law
from perform.render import Image, Keeps
from perform.rhythm.tempo import TempoAuthority
from perform.scenes.controls import RunningControls, UnitSettings
from perform.scenes.cue_places import cue_with
from perform.scenes.cues import CueSequencer
from perform.scenes.mapping import MappingPlayers, SignalMapper
from perform.scenes.nodes import DECK, deck_scene, show_nodes
from perform.scenes.readiness import Readiness
from perform.scenes.router import AddressRouter, CueControls
from perform.scenes.saved import KEPT_CONTROLS, SavedState
from perform.scenes.setlist import Cue, Setlist
from perform.scenes.show import DECKS, SHOW_CONTROLS
from perform.scenes.snapshot import Snapshot
from perform.signals import Event, Signals

__all__ = ["CueInstance", "Performance", "Picture", "SceneInstance"]


@dataclass(frozen=True, slots=True)
class Picture:
    """The result of a step: the image, and how the rig presents it."""

    image: Image
    master: float
    blackout: bool
    freeze: bool


class Performance:
    """A setlist being played."""

    def __init__(
        self,
        setlist: Setlist,
        cues: Sequence[CueInstance],
        tempo: Tempo | None = None,
        over: SceneInstance | None = None,
        feedback: Keeps | None = None,
        copied: Callable[[Image], Image] = lambda image: image,
        preview: Preview | None = None,
        law: Law | None = None,
        holds: bool = False,
    ) -> None:
        """`over` is what the setlist has over its scenes; `feedback` keeps the image of the whole stage;
        `copied` gives a copy of an image that stays, whatever is edited, until the next; `preview` plays the
        free deck; `law` is the transition that the crossfader makes, None: that of the cue; it `holds`: in a
        transition between two networks, the one that goes out keeps its last picture."""
        self.viewers = 0  # how many look at the preview
        self._preview = preview or Preview()
        self.over, self._law, self._feedback = over, law, feedback
        self._holds = holds
        self._copied, self._frozen = copied, False
        self.signals = Signals()
        self.authority = TempoAuthority(tempo or Tempo(), setlist.lead)
        self._image: Image | None = None
        self._chosen: dict[str, int] = {}  # the values of the controls that choose a cue on the last frame
        self.setlist, self.cues = setlist, cues
        self.mappings: SignalMapper = MappingPlayers(setlist.mappings)
        self._show = setlist.show.start()
        self._sequencer = CueSequencer([one.cue for one in cues], setlist.quantise, setlist.loop)
        self._faded = 0.0  # how far the picture is faded out
        self._begin()

    def _begin(self) -> None:
        """Begin where the sequencer is."""
        self.position = self._sequencer.position
        decks.part(self.position, self.cues)
        self._until = self._until_before = _start_until(self.cues[self.position.cue].cue)
        self._use_decks()

    @property
    def following(self) -> int:
        """The cue that comes next, the one that is on at the end of the setlist."""
        return self._sequencer.following

    @property
    def preview(self) -> Image | None:
        """The image of the free deck while there are `viewers`; None during a transition, while the deck is
        empty or its model is not open, and after a fault. It stays until the next frame."""
        return self._preview.image

    def took(self, late: bool) -> None:
        """The last frame was `late`, or it was not: a preview that made it late is drawn more seldom."""
        self._preview.took(late)

    @property
    def loaded_first(self) -> list[CueInstance]:
        """All cues: first the one that is on, then the one on the free deck."""
        return decks.loaded_first(self.position, self.cues)

    @property
    def tempo(self) -> Tempo:
        """The tempo of the show."""
        return self.authority.tempo

    def is_on(self, switch: str) -> bool:
        """Whether a switch of the show, such as `pause`, was on in the last frame."""
        return bool(self._show.last.get(switch))

    def change(
        self,
        setlist: Setlist,
        cues: Sequence[CueInstance],
        over: SceneInstance | None = None,
        law: Law | None = None,
    ) -> None:
        """Play an edited setlist, with the cue that is on if its scene still is there. Transitions go on."""
        self.over, self._law = over, law
        self._sequencer.use([one.cue for one in cues], setlist.quantise, setlist.loop)
        before = self.position
        position = self.position = replace(self._sequencer.position, progress=before.progress)
        self._until = _until_after(self._until, self.cues[before.cue], cues[position.cue])
        if before.before is not None and position.before is not None:
            out, out_now = self.cues[before.before], cues[position.before]
            self._until_before = _until_after(self._until_before, out, out_now)
        decks.load_edited(before, self.cues, position, cues)
        if setlist.show != self.setlist.show:
            self._show = setlist.show.start()
        if setlist.lead != self.setlist.lead:
            self.authority.lead = setlist.lead
        self.mappings.use(setlist.mappings)
        self.setlist, self.cues = setlist, cues
        self._use_decks()

    def snapshot(self) -> Snapshot:
        """What plays: the nodes by address, and their values."""
        position, router = self.position, self._router
        cue = self.cues[position.cue].cue
        now: dict[str, float | str] = {
            "/now/cue": position.cue + 1.0,
            "/now/title": cue.scene.title,
            "/now/number": cue.number,
            "/now/name": cue.name,
            "/now/notes": cue.notes,
            "/now/queued": _counted(position.queued),
            "/now/deck": DECKS[position.deck],
            "/now/standby": _counted(position.standby),
            "/now/beat": self.signals.number("beat.barphase") * BEATS_PER_BAR // 1 + 1,
            "/now/held": float(router.held),
            "/scene": position.cue + 1.0,
            "/standby": _counted(position.standby),
            "/crossfader": position.crossfader,
            **{deck_scene(name): _counted(cue) for name, (cue, _) in zip(DECKS, position.decks, strict=True)},
            "/tempo/bpm": self.tempo.bpm,
        }
        return Snapshot(router.nodes, router.values(self.signals, now))

    def saved(self) -> SavedState:
        """What hands have changed, to be restored in another run."""
        values, by_hand, position = self._show.last, self.tempo.source == "hand", self.position
        return SavedState(
            cue=position.cue,
            scene=self._file_name(position.cue),
            deck=DECKS[position.deck],
            standby=position.standby if position.loaded else None,
            standby_scene="" if position.standby is None else self._file_name(position.standby),
            bpm=round(self.tempo.bpm, 3) if by_hand else None,
            controls={name: float(values[name]) for name in KEPT_CONTROLS if name in values},
            held=self._router.held_values(both=position.before is None),
        )

    def restore(self, state: SavedState) -> None:
        """Begin where another run of the setlist was; if its scene has gone, with the first that is armed.
        What was held of a scene that is not on its deck any more is forgotten."""
        cues = [one.cue for one in self.cues]
        first = cue_with(state.scene, state.cue, cues)
        turn = DECKS.index(state.deck)
        self._sequencer = CueSequencer(cues, self.setlist.quantise, self.setlist.loop, first=first, turn=turn)
        if state.standby is not None:
            standby = cue_with(state.standby_scene, state.standby, cues)
            if self._file_name(standby) == state.standby_scene:
                self._sequencer.choose(standby=standby + 1)
        self._begin()
        for control in SHOW_CONTROLS:
            if control.name in state.controls:
                self._router.hold(control.address, 0, state.controls[control.name])
        if state.bpm is not None:
            self._router.hold("/tempo/bpm", 0, state.bpm)
        always = show_nodes(self.setlist)
        on, following = (self._file_name(cue) for cue in (self.position.cue, self._sequencer.following))
        for address, parts in state.held.items():
            fits = following == state.standby_scene if address.startswith(DECK) else on == state.scene
            for part, value in parts.items() if fits or address in always else ():
                self._router.hold(address, part, value)

    def step(self, moment: Moment, events: Sequence[Event]) -> Picture:
        """One frame of the show."""
        events = self._router.route(events)
        signals = self.signals.after(moment, events).joined(self.authority.signals())
        signals = self.signals = signals.joined(self.mappings.step(moment, signals))
        show = self._show.step(moment, signals)
        if show["panic"]:
            show |= self._router.panic()
        self._update_tempo(moment, events, show)
        self._move(moment, signals, show)
        self._fade(moment, show["fadeout"])
        if self._image is None or not (show["freeze"] or self._faded == 1):
            self._image, self._frozen = self._draw(moment, signals), False
            if self._feedback:
                self._feedback.keep(self._image)
        elif not self._frozen:
            self._image, self._frozen = self._copied(self._image), True
        self._preview.step(moment, signals, self.viewers > 0)
        return Picture(self._image, show["master"] * (1 - self._faded), show["blackout"], show["freeze"])

    def _fade(self, moment: Moment, out: bool) -> None:
        """Fade the picture out, or in again, over the seconds of the setlist."""
        step = moment.dt / self.setlist.fade if self.setlist.fade else 1.0
        self._faded = min(self._faded + step, 1.0) if out else max(self._faded - step, 0.0)

    def _update_tempo(self, moment: Moment, events: Sequence[Event], show: Values) -> None:
        """Update the tempo from clocks, and from taps at the time when they were made."""
        now = moment.seconds
        self.authority.update(events)
        pressed_at = partial(_pressed_at, self.setlist.show, events, now)
        self.authority.control(show, pressed_at, now + moment.delay)
        self.authority.step(now, moment.delay)

    def _move(self, moment: Moment, signals: Signals, show: Values) -> None:
        """Move through the setlist; a scene that comes in starts again."""
        before = self.position
        self._choose(show)
        self._request()
        over = bool(self._until and self._until.step(moment, signals)["until"])
        paused = bool(show["pause"] or show["fadeout"])
        position = self.position = self._sequencer.step(
            moment, show["crossfader"], self._readiness, over, paused
        )
        if position.turn > before.turn:
            self._until_before, self._until = self._until, _start_until(self.cues[position.cue].cue)
        elif position.turn < before.turn:
            self._until = self._until_before
        if position.turn != before.turn or position.decks != before.decks:
            by_law = self._law is not None and (before.by_hand or position.by_hand)
            decks.load_changed(before, position, self.cues, morphs=not by_law)
            self._use_decks()

    def _choose(self, show: Values) -> None:
        """Choose the cues that hands have chosen on this frame."""
        free = f"deck_{DECKS[1 - self.position.deck]}"
        chosen = {name: show[name] for name in ("scene", "standby", "deck_a", "deck_b")}
        new = {name: cue for name, cue in chosen.items() if cue != self._chosen.get(name, 0)}
        self._chosen = chosen
        standby = new.get("standby") or new.get(free, 0)
        self._sequencer.choose(show["go"], show["back"], new.get("scene", 0), standby, show["load_next"])

    def _request(self) -> None:
        """Request what is on show, so that it stays open, and the next cue, while one has FAILED the cue
        after it."""
        for scene in filter(None, (self.over, self.cues[self.position.cue].scene)):
            scene.request()
        for cue in self._sequencer.upcoming():
            self.cues[cue].scene.request()
            if self._readiness(cue) is not Readiness.FAILED:
                return

    def _file_name(self, cue: int) -> str:
        return self.cues[cue].cue.scene.file.name

    def _readiness(self, cue: int) -> Readiness:
        return self.cues[cue].scene.readiness

    def _use_decks(self) -> None:
        """Route addresses to what is on the decks now, and preview the free one."""
        position, over = self.position, self.over.controls if self.over else []
        cues = [decks.on_deck(deck, position, self.cues) for deck in range(len(DECKS))]
        controls = [CueControls(one.cue, one.scene.controls, one.controls) if one else None for one in cues]
        law = self._law.controls if self._law else None
        self._router = AddressRouter(self.setlist, self._show, controls, position.deck, over, law)
        self._preview.load(cues[1 - position.deck] if position.before is None else None)

    def _draw(self, moment: Moment, signals: Signals) -> Image:
        """The image of the current scene, or of the transition to it, under what is over all scenes."""
        position = self.position
        before = None if position.before is None else self.cues[position.before].scene
        law = self._law if position.by_hand else None
        if self._law and not law:
            self._law.controls.step(moment, signals)  # its addresses have values all the time
        image_source = self.cues[position.cue].image_source(before, position.progress, law, self._holds)
        image = image_source.render(moment, signals)
        return self.over.over(image, moment, signals) if self.over else image


def _counted(cue: int | None) -> float:
    """A cue counted from 1; 0: none."""
    return 0.0 if cue is None else cue + 1.0


def _start_until(cue: Cue) -> RunningControls | None:
    """The formula that ends a cue, running."""
    return cue.until.start() if cue.until else None


def _until_after(until: RunningControls | None, was: CueInstance, now: CueInstance) -> RunningControls | None:
    """The running formula of a cue after an edit: the same if it has not changed."""
    goes_on = now.cue.until == was.cue.until and decks.is_same(now, was)
    return until if goes_on else _start_until(now.cue)


def _pressed_at(settings: UnitSettings, events: Sequence[Event], now: float, name: str) -> float:
    """When the trigger of a setting was pressed: the time of the newest event in its formula."""
    bound = settings.values.get(name)
    names = bound.names if isinstance(bound, formula.Formula) else frozenset()
    return max((event.time for event in events if event.name in names), default=now)
