"""A demonstration in a show: search for pictures, keep them with the posture of the moment, play them.

During the search the chosen parameters have the preset's own values, which its knobs and formulas change, or
random ones, or those that you turn by hand. Each kept example starts a fit in the background; after it the
posture can play the mapping.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence

from perform.clock import Moment
from perform.demonstrations.fit import fit
from perform.demonstrations.search import LiveTargets, PictureSearch
from perform.demonstrations.targets import MappingTarget
from perform.demonstrations.trainer import MappingTrainer
from perform.parameters import Parameter
from perform.scenes.controls import UnitSettings, bound
from perform.scenes.mapping import (
    MAX_EXAMPLES,
    Example,
    MappingPlayer,
    MappingPlayers,
    MappingText,
    SignalMapping,
)
from perform.signals import Signals

log = logging.getLogger("perform")
DEMONSTRATION_CONTROLS = {  # the key and the meaning of each
    "keep": ("k", "keep this posture with this picture"),
    "undo": ("z", "undo the last one"),
    "play": ("p", "play the mapping, and back to the search"),
    "new": ("n", "another picture"),
    "own": ("o", "the preset's own picture"),
    "previous": ("left", "the value before"),
    "next": ("right", "the value after"),
    "up": ("up", "more of the value"),
    "down": ("down", "less of it"),
}
DISPLACED_CONTROLS = ("double", "halve", "later", "sooner")  # of the show: a demonstration needs their keys


def bindings() -> dict[str, str]:
    """The formula of each control: a key, or an OSC message such as /demonstrate/keep."""
    return {
        name: f'max(onset(key.{key}), onset(osc["/demonstrate/{name}"]))'
        for name, (key, _) in DEMONSTRATION_CONTROLS.items()
    }


class Demonstration:
    """A mapping in the making. It takes the place of the show's mappings, together with the `others`. An
    example keeps the values of the playing scene (`live`), or those of the search."""

    def __init__(
        self,
        name: str,
        method: str,
        signals: Sequence[str],
        search: PictureSearch,
        trainer: MappingTrainer,
        examples: Iterable[Example] = (),
        others: Iterable[SignalMapping] = (),
        live: LiveTargets | None = None,
    ) -> None:
        self.examples = list(examples)
        self.learned: SignalMapping | None = None
        self.playing = False
        self.search = search
        self._name, self._method, self._signals = name, method, list(signals)
        self._trainer, self._others, self._live = trainer, MappingPlayers(others), live
        self._values = [target.value for target in search.targets]
        self._player: MappingPlayer | None = None
        self._posture = dict.fromkeys(self._signals, 0.0)
        rows = DEMONSTRATION_CONTROLS.items()
        controls = tuple(Parameter(word, False, 0, 1, "", about, "event") for word, (_, about) in rows)
        self._controls = bound("demonstrate", controls, bindings()).start()
        if self.examples:
            self._learn()

    @property
    def placeholder(self) -> SignalMapping:
        """A mapping of the same names, for the formulas that use it before the first fit."""
        zeros = Example(signals=[0.0] * len(self._signals), values=[0.0] * len(self._values))
        return SignalMapping(self._name, fit("nearest", self._signals, self._values, [zeros]))

    def use(self, learned: Iterable[SignalMapping]) -> None:
        """Nothing to do: the demonstration takes the place of the show's mappings."""

    def step(self, moment: Moment, signals: Signals) -> dict[str, float]:
        """The signals `learned.NAME.VALUE`: values of the search, or of the mapping at the posture."""
        self._take()
        wanted = self.search.values(moment, signals)
        for name in self._signals:
            self._posture[name] = signals.number(name, self._posture[name])
        self._handle(self._controls.step(moment, signals), wanted)
        wanted |= self.search.hand
        found = dict(self._others.step(moment, signals))
        answer = self._player.step(signals) if self._player else {}  # in the search too, as it has a state
        if self.playing and answer:
            return found | answer
        found |= {f"learned.{self._name}.{value}": number for value, number in wanted.items()}
        return found | ({f"learned.{self._name}": wanted[self._values[0]]} if len(wanted) == 1 else {})

    def _handle(self, pressed: Mapping[str, bool], now: Mapping[str, float]) -> None:
        """Handle the controls of this frame."""
        if pressed["keep"]:
            self._keep({**now, **(self._live.values() if self._live else {})})
        if pressed["undo"] and self.examples:
            self.examples.pop()
            log.info("%s: examples: %d", self._name, len(self.examples))
            self._learn()
        if pressed["new"]:
            self.search.new()
        if pressed["own"]:
            self.search.own()
        if self._live and (pressed["new"] or pressed["own"] or pressed["play"]):
            self._live.release()
        if pressed["play"]:
            self.playing = not self.playing
            log.info("%s: %s", self._name, "played" if self.playing else "searching for pictures")
        if pressed["previous"] or pressed["next"]:
            self.search.choose(1 if pressed["next"] else -1)
            log.info("%s: %s", self._name, self.search.targets[self.search.at].key)
        if pressed["up"] or pressed["down"]:
            self.search.turn(1.0 if pressed["up"] else -1.0, now)

    def _keep(self, now: Mapping[str, float]) -> None:
        if len(self.examples) == MAX_EXAMPLES:
            log.error("%s: %d examples, there is no room for more", self._name, MAX_EXAMPLES)
            return
        posture = [self._posture[name] for name in self._signals]
        self.examples.append(Example(signals=posture, values=[now[value] for value in self._values]))
        log.info("%s: examples: %d", self._name, len(self.examples))
        self._learn()

    def _learn(self) -> None:
        if self.examples:
            self._trainer.request(self._method, self._signals, self._values, self.examples)
        else:
            self._player, self.playing = None, False

    def _take(self) -> None:
        """Take over a new mapping."""
        player = self._trainer.take()
        if player is not None and self.examples:
            self.learned, self._player = player.mapping, player


def matches_mapping(text: MappingText, signals: Sequence[str], targets: Sequence[MappingTarget]) -> bool:
    """Whether a mapping has these signals and values, so that examples can be added."""
    return text.signals == list(signals) and text.values == [target.value for target in targets]


def without_displaced(settings: UnitSettings) -> UnitSettings:
    """The show's bindings without those whose keys a demonstration needs."""
    bound = {name: value for name, value in settings.values.items() if name not in DISPLACED_CONTROLS}
    return UnitSettings(settings.name, settings.parameters, bound)
