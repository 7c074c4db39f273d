"""A demonstration, live: pictures are looked for, kept with the posture of the moment, and played back.

While pictures are looked for, the chosen parameters are what the preset makes of them, so its own knobs and
formulas find pictures; or what was drawn or turned by hand. As soon as something was kept it is learned
beside the show, and from then on the posture can play it.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from perform.clock import Moment
from perform.demonstrations.fit import fit
from perform.demonstrations.targets import MappingTarget, scene_units
from perform.demonstrations.trainer import MappingTrainer
from perform.formula import ANY
from perform.parameters import Parameter
from perform.scenes.controls import Controls, UnitSettings
from perform.scenes.mapping import EXAMPLES, Example, MappingPlayers, Player, SignalMapping, Text
from perform.scenes.reader import Reader
from perform.scenes.scene import Scene
from perform.signals import Signals

log = logging.getLogger("perform")
TURN_SHARE = 1 / 20  # of a parameter's range
WIDEST_SPAN = 100.0  # a range beyond which new values are looked for near the default
DEMONSTRATION_CONTROLS = tuple(
    Parameter(name, False, 0, 1, "", about, "event")
    for name, about in (
        ("keep", "keep this posture with this picture"),
        ("undo", "take the last one back"),
        ("new", "another picture"),
        ("own", "the picture that the preset makes itself"),
        ("play", "play what was learned, and back to looking"),
        ("previous", "the value before"),
        ("next", "the value after"),
        ("up", "more of the value"),
        ("down", "less of it"),
    )
)
DEMONSTRATION_KEYS = {
    "keep": "k", "undo": "z", "new": "n", "own": "o", "play": "p",
    "previous": "left", "next": "right", "up": "up", "down": "down",
}  # fmt: skip
DISPLACED_CONTROLS = ("double", "halve", "later", "sooner")  # controls of the show whose keys are needed here


def bindings() -> dict[str, str]:
    """The formula of each control: a key, or an OSC message such as /demonstrate/keep."""
    return {
        name: f'max(onset(key.{key}), onset(osc["/demonstrate/{name}"]))'
        for name, key in DEMONSTRATION_KEYS.items()
    }


@dataclass(slots=True)
class PictureSearch:
    """Where pictures are looked for: what the preset makes of each target, and what the hand put there."""

    scene: Scene
    targets: Sequence[MappingTarget]
    turns: int = 0
    at: int = 0
    _own: dict[str, Controls] = field(default_factory=dict)
    hand: dict[str, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wanted = {target.unit for target in self.targets}
        self._own = {name: one.start() for name, one in scene_units(self.scene).items() if name in wanted}

    def values(self, moment: Moment, signals: Signals) -> dict[str, float]:
        """Every target's value on this frame, by the mapping's name for it."""
        made = {name: controls.at(moment, signals) for name, controls in self._own.items()}
        found = {}
        for target in self.targets:
            own = made[target.unit][target.parameter.name]
            own = own if target.part is None else own[target.part]
            found[target.value] = self.hand.get(target.value, float(own))
        return found

    def own(self) -> None:
        """Let go of what the hand put there."""
        self.hand.clear()

    def new(self) -> None:
        """Draw another picture: every value anew, of several seeds one."""
        self.turns += 1
        draw = np.random.default_rng(self.turns)
        seeds = [target.value for target in self.targets if target.key.startswith("latent.weight")]
        chosen = seeds[int(draw.integers(len(seeds)))] if seeds else ""
        for target in self.targets:
            value = draw.uniform(*_span(target))
            self.hand[target.value] = (
                float(target.value == chosen) if target.value in seeds else _fit(target, value)
            )

    def turn(self, by: float, now: Mapping[str, float]) -> None:
        """Change the value that is chosen."""
        target = self.targets[self.at]
        low, high = _span(target)
        self.hand[target.value] = _fit(target, now[target.value] + by * TURN_SHARE * (high - low))

    def choose(self, by: int) -> None:
        """Another value to turn."""
        self.at = (self.at + by) % len(self.targets)


def _span(target: MappingTarget) -> tuple[float, float]:
    """Between which values to look."""
    if target.high - target.low <= WIDEST_SPAN:
        return target.low, target.high
    default = target.parameter.default if target.part is None else target.parameter.default[target.part]
    return default - 1.0, default + 1.0


def _fit(target: MappingTarget, value: float) -> float:
    whole = target.parameter.kind in ("int", "bool")
    return float(target.parameter.clip(round(value) if whole else value))


class LiveValues(Protocol):
    """What is on show, which a hand may hold over what is looked for."""

    def values(self) -> Mapping[str, float]:
        """What each target was worth on the last frame, by its value's name; before the first nothing."""
        ...

    def release(self) -> None:
        """Let go of the targets that are held."""
        ...


class Demonstration:
    """A mapping that is being shown; it plays in the place of the show's mappings, with the `others`. What
    is kept is what is on show: `shown` says it where there is more to it than what is looked for."""

    def __init__(
        self,
        name: str,
        method: str,
        signals: Sequence[str],
        search: PictureSearch,
        trainer: MappingTrainer,
        examples: Iterable[Example] = (),
        others: Iterable[SignalMapping] = (),
        shown: LiveValues | None = None,
    ) -> None:
        self.examples = list(examples)
        self.learned: SignalMapping | None = None
        self.playing = False
        self.search = search
        self._name, self._method, self._signals = name, method, list(signals)
        self._trainer, self._others, self._shown = trainer, MappingPlayers(others), shown
        self._values = [target.value for target in search.targets]
        self._player: Player | None = None
        self._posture = dict.fromkeys(self._signals, 0.0)
        self._controls = (
            Reader(search.scene.file, ANY)
            .settings("demonstrate", "", DEMONSTRATION_CONTROLS, bindings())
            .start()
        )
        if self.examples:
            self._learn()

    @property
    def begun(self) -> SignalMapping:
        """A mapping of the same names, for what hears its signals before anything was learned."""
        nothing = Example(signals=[0.0] * len(self._signals), values=[0.0] * len(self._values))
        return SignalMapping(self._name, fit("nearest", self._signals, self._values, [nothing]))

    def use(self, learned: Iterable[SignalMapping]) -> None:
        """What is shown here takes the place of what the show would play."""

    def at(self, moment: Moment, signals: Signals) -> dict[str, float]:
        """The signals `learned.NAME.VALUE`: the picture looked for, or the mapping of the posture."""
        self._take()
        wanted = self.search.values(moment, signals)
        for name in self._signals:
            self._posture[name] = signals.number(name, self._posture[name])
        self._hear(self._controls.at(moment, signals), wanted)
        wanted |= self.search.hand
        said = dict(self._others.at(moment, signals))
        answer = self._player.at(signals) if self._player else {}  # also while it is not heard: it holds
        if self.playing and answer:
            return said | answer
        said |= {f"learned.{self._name}.{value}": number for value, number in wanted.items()}
        return said | ({f"learned.{self._name}": wanted[self._values[0]]} if len(wanted) == 1 else {})

    def _hear(self, asked: Mapping[str, bool], now: Mapping[str, float]) -> None:
        """What the hand wants of this frame."""
        if asked["keep"]:
            self._keep({**now, **(self._shown.values() if self._shown else {})})
        if asked["undo"] and self.examples:
            self.examples.pop()
            log.info("%s: examples: %d", self._name, len(self.examples))
            self._learn()
        if asked["new"]:
            self.search.new()
        if asked["own"]:
            self.search.own()
        if self._shown and (asked["new"] or asked["own"] or asked["play"]):
            self._shown.release()
        if asked["play"]:
            self.playing = not self.playing
            log.info("%s: %s", self._name, "played" if self.playing else "looking for pictures")
        if asked["previous"] or asked["next"]:
            self.search.choose(1 if asked["next"] else -1)
            log.info("%s: %s", self._name, self.search.targets[self.search.at].key)
        if asked["up"] or asked["down"]:
            self.search.turn(1.0 if asked["up"] else -1.0, now)

    def _keep(self, now: Mapping[str, float]) -> None:
        if len(self.examples) == EXAMPLES:
            log.error("%s: %d examples, there is no room for more", self._name, EXAMPLES)
            return
        posture = [self._posture[name] for name in self._signals]
        self.examples.append(Example(signals=posture, values=[now[value] for value in self._values]))
        log.info("%s: examples: %d", self._name, len(self.examples))
        self._learn()

    def _learn(self) -> None:
        if self.examples:
            self._trainer.ask(self._method, self._signals, self._values, self.examples)
        else:
            self._player, self.playing = None, False

    def _take(self) -> None:
        """Play what was learned since."""
        player = self._trainer.take()
        if player is not None and self.examples:
            self.learned, self._player = player.mapping, player


def matches_mapping(text: Text, signals: Sequence[str], targets: Sequence[MappingTarget]) -> bool:
    """Whether a mapping is of these signals and values, so that it can be gone on with."""
    return text.signals == list(signals) and text.values == [target.value for target in targets]


def without_displaced(settings: UnitSettings) -> UnitSettings:
    """The show's bindings without those whose keys a demonstration needs."""
    bound = {name: value for name, value in settings.values.items() if name not in DISPLACED_CONTROLS}
    return UnitSettings(settings.name, settings.parameters, bound)
