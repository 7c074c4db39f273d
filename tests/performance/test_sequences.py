"""Any sequence of what hands, edits and failing models do: the picture goes on, and is the right one."""

from collections.abc import Sequence
from itertools import count
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from perform.clock import OfflineClock, Tempo
from perform.performance import CueInstance, Performance, SceneInstance
from perform.performance.scene import LayerInstance
from perform.scenes.controls import UnitSettings, bound
from perform.scenes.position import CuePosition
from perform.scenes.readiness import Readiness
from perform.scenes.saved import SavedState
from perform.scenes.scene import Transition
from perform.scenes.setlist import Cue, Setlist
from perform.scenes.show import BINDINGS, DECKS, SHOW_PARAMETERS
from perform.signals import Event
from tests.doubles.performances import FakeUnit, shader_scene

SCENES = {name: shader_scene(name) for name in "abcd"}
NUMBERED = count(1)
STATES = st.sampled_from(
    [Readiness.READY, Readiness.READY, Readiness.ABSENT, Readiness.OPENING, Readiness.FAILED]
)


def cue(scene: str, beats: float, bars: float | None, wait: float, armed: bool) -> Cue:
    transition = Transition(beats, UnitSettings("dissolve", (), {}))
    follow = "follow" if bars else "stay"
    number = str(next(NUMBERED))
    return Cue(SCENES[scene], transition, bars, follow=follow, pre_wait=wait, armed=armed, number=number)


CUES = st.builds(
    cue,
    st.sampled_from("aabcd"),
    st.sampled_from([0.0, 0.5, 1.0]),
    st.sampled_from([None, None, 0.5]),
    st.sampled_from([0.0, 0.0, 0.2]),
    st.sampled_from([True, True, True, False]),
)
NUMBERS = st.integers(0, 6).map(float)
AMOUNTS = st.sampled_from([0.25, 0.5, 1.0])
SWITCHES = st.sampled_from(["/freeze", "/pause", "/fadeout", "/blackout"])


class ScriptedScene(SceneInstance):
    """A scene whose model is as far as `states` says; it notes in `drawn` that it was drawn."""

    states: dict[str, Readiness]
    drawn: list[SceneInstance]

    @property
    def readiness(self) -> Readiness:
        return self.states[self.scene.title]

    def draw(self, *arguments: Any) -> Any:
        self.drawn.append(self)
        return super().draw(*arguments)


def turns(show: Performance) -> dict[int, int | None]:
    """The cue on each deck, by its turn."""
    return {turn: cue for cue, turn in show.position.decks}


class Sequences(RuleBasedStateMachine):
    """A show. `held` is what hands hold of the scenes on the decks, by their turn."""

    @initialize(cues=st.lists(CUES, min_size=1, max_size=5), loop=st.booleans(), quantise=st.integers(0, 1))
    def begin(self, cues: list[Cue], loop: bool, quantise: int) -> None:
        self.states = dict.fromkeys(SCENES, Readiness.READY)
        self.drawn: list[SceneInstance] = []
        self.held: dict[int, float] = {}
        self.clock, self.loop, self.quantise = OfflineClock(30), loop, quantise
        self.image: Any = None
        self.show = self.started(cues)
        self.frame()

    def started(self, cues: Sequence[Cue]) -> Performance:
        instances = self.opened(cues)
        return Performance(self.setlist(cues), instances, Tempo(bpm=120))

    def setlist(self, cues: Sequence[Cue]) -> Setlist:
        show = bound("show", SHOW_PARAMETERS, BINDINGS)
        return Setlist("t", tuple(cues), show, self.quantise, self.loop, fade=0.1)

    def opened(self, cues: Sequence[Cue], before: Sequence[CueInstance] = ()) -> list[CueInstance]:
        """The cues on stage, each scene that was open before as it was."""
        files = [cue.scene.file for cue in cues]
        old = {one.cue.scene.file: one.scene for one in reversed(before)}
        twins = {one.cue.scene.file: one.twin for one in reversed(before)}
        scenes = {cue.scene.file: old.get(cue.scene.file) or self.scene(cue) for cue in cues}
        second = {
            cue.scene.file: twins.get(cue.scene.file) or self.scene(cue)
            for cue in cues
            if files.count(cue.scene.file) > 1
        }
        return [
            CueInstance(
                cue,
                scenes[cue.scene.file],
                FakeUnit("dissolve"),
                cue.transition.shader.start(),
                second.get(cue.scene.file),
            )
            for cue in cues
        ]

    def scene(self, cue: Cue) -> SceneInstance:
        [layer] = cue.scene.layers
        scene = ScriptedScene(cue.scene, [LayerInstance(layer, FakeUnit(cue.scene.title))], [])
        scene.states, scene.drawn = self.states, self.drawn
        return scene

    @rule(frames=st.integers(1, 20))
    def wait(self, frames: int) -> None:
        for _ in range(frames):
            self.frame()
            self.check()

    def frame(self, *said: tuple[str, float]) -> None:
        """A frame with these messages."""
        self.drawn.clear()
        before, loads, seconds = self.show.position, turns(self.show), self.clock.advance()
        events = [Event(seconds, name, value) for name, value in said]
        picture = self.show.step(self.clock.moment(self.show.tempo), events)
        if picture.freeze or not picture.master:
            assert picture.image == (self.image or picture.image)
        after = turns(self.show)
        self.held = {turn: held for turn, held in self.held.items() if after.get(turn, -1) == loads[turn]}
        self.picture, self.image = picture, picture.image
        position = self.show.position
        if position.turn > before.turn:
            assert self.states[self.title(position.cue)] is Readiness.READY

    def file(self, cue: int | None) -> str:
        return "" if cue is None else self.show.cues[cue].cue.scene.file.name

    def title(self, cue: int) -> str:
        return self.show.cues[cue].cue.scene.title

    def press(self, address: str) -> None:
        self.frame((address, 1.0))
        self.check()
        self.frame((address, 0.0))

    @rule(address=st.sampled_from(["/go", "/back", "/standby/next"]))
    def presses(self, address: str) -> None:
        self.press(address)

    @rule()
    def go(self) -> None:
        position = self.show.position
        free = position.before is None and position.queued is None and not self.quantise
        there = position.standby
        if there is None or not free or self.show.is_on("pause") or self.show.is_on("fadeout"):
            return
        if self.states[self.title(there)] is Readiness.READY and not self.show.cues[there].cue.pre_wait:
            self.frame(("/go", 1.0))
            assert self.show.position.cue == there
            self.check()
            self.frame(("/go", 0.0))

    @rule(address=st.sampled_from(["/scene", "/standby", "/deck/a/scene", "/deck/b/scene"]), number=NUMBERS)
    def choose(self, address: str, number: float) -> None:
        self.frame((address, number))

    @rule(at=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0]))
    def crossfade(self, at: float) -> None:
        self.frame(("/crossfader", at))

    @rule(switch=SWITCHES, on=st.booleans())
    def switch(self, switch: str, on: bool) -> None:
        self.frame((switch, float(on)))

    @rule(deck=st.sampled_from([0, 1]), amount=AMOUNTS)
    def hold(self, deck: int, amount: float) -> None:
        cue, turn = self.show.position.decks[deck]
        if cue is not None:
            self.held[turn] = amount
        self.frame((f"/deck/{DECKS[deck]}/generator/amount", amount))

    @rule(deck=st.sampled_from([0, 1]))
    def release(self, deck: int) -> None:
        self.held.pop(self.show.position.decks[deck][1], None)
        self.press(f"/deck/{DECKS[deck]}/release")

    @rule()
    def panic(self) -> None:
        self.held.clear()
        self.press("/panic")
        assert not self.picture.freeze and not self.picture.blackout

    @rule(scene=st.sampled_from("abcd"), state=STATES)
    def model(self, scene: str, state: Readiness) -> None:
        self.states[scene] = state
        self.frame()

    @rule(viewers=st.sampled_from([0, 1]))
    def look(self, viewers: int) -> None:
        self.show.viewers = viewers
        self.frame()

    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        """Some cues go, new ones come, and the order may be another."""
        cues = [one.cue for one in self.show.cues]
        kept = data.draw(st.lists(st.sampled_from(cues), max_size=4, unique_by=id))
        self.change(data.draw(st.permutations([*kept, *data.draw(st.lists(CUES, max_size=2))])) or cues)

    @rule(at=st.integers(0, 5), cue=CUES)
    def insert(self, at: int, cue: Cue) -> None:
        cues = [one.cue for one in self.show.cues]
        before = self.show.position
        after = self.change([*cues[:at], cue, *cues[at:]])
        assert (after.turn, after.before is None) == (before.turn, before.before is None)
        assert after.progress == before.progress

    def change(self, cues: Sequence[Cue]) -> CuePosition:
        """The show plays these cues; the position at once."""
        before, scenes = self.show.position, self.scenes()
        instances = self.opened(cues, self.show.loaded_first)
        self.show.change(self.setlist(cues), instances)
        after = self.show.position
        kept = {turn for turn, scene in self.scenes().items() if scenes.get(turn) == scene}
        if before.before is not None and after.before is None:
            kept &= {after.turn}
        self.held = {turn: held for turn, held in self.held.items() if turn in kept}
        self.frame()
        return after

    def scenes(self) -> dict[int, str]:
        return {turn: self.title(cue) for turn, cue in turns(self.show).items() if cue is not None}

    @rule()
    def crash(self) -> None:
        """A transition is over in the show that comes back."""
        before, state = self.show, self.show.saved()
        self.show = self.started([one.cue for one in before.cues])
        self.show.restore(SavedState.model_validate_json(state.model_dump_json()))
        after = self.show.position
        assert (after.cue, after.deck) == (before.position.cue, before.position.deck)
        turns_of = {after.turn: before.position.turn}
        if before.position.before is None and state.standby_scene == self.file(after.standby):
            turns_of[after.turn + 1] = before.position.turn + 1
        self.held = {new: self.held[old] for new, old in turns_of.items() if old in self.held}
        self.image = None
        self.frame()

    @invariant()
    def check(self) -> None:
        show = self.show
        position = show.position
        assert 0 <= position.progress <= 1
        on = show.cues[position.cue]
        assert position.before != position.cue != position.standby
        free = position.before if position.before is not None else position.standby
        assert free is None or show.cues[free].scene is not on.scene
        assert len({id(scene) for scene in self.drawn}) <= 2
        if not self.picture.freeze and self.picture.master:
            assert self.picture.image == self.expected()
        if show.viewers and position.before is None and position.standby is not None:
            ready = self.states[self.title(position.standby)] is Readiness.READY
            assert show.preview == (self.of(position.standby, position.turn + 1) if ready else None)
        else:
            assert show.preview is None

    def expected(self) -> Any:
        position = self.show.position
        image = self.of(position.cue, position.turn)
        if position.before is None:
            return image
        return "dissolve", position.progress, self.of(position.before, position.turn - 1), image

    def of(self, cue: int, turn: int) -> Any:
        return self.title(cue), self.held.get(turn, 0.0)


Sequences.TestCase.settings = settings(max_examples=50, stateful_step_count=30, deadline=None)
test_any_sequence = Sequences.TestCase
