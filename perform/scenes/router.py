"""The address router: takes messages to the parameters that they name.

A message is an event that has an address as its name, from any input: `/filter/grade/gain` for a parameter,
`/filter/grade/dark.1` for the second part of a colour or a point. With `/norm` after the address the value is
0..1 of the parameter's range, with `/release` the parameter goes back to its formula. The OSC input names the
same message `osc["/filter/grade/gain"]`.

A message whose address a formula names goes to the formula, as the signal `osc["ADDRESS"]`; else, if the
address is a parameter's own, the parameter is held at the message's value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from perform.parameters import Constant, Parameter
from perform.scenes.controls import RunningControls
from perform.scenes.holds import HoldMode
from perform.scenes.nodes import (
    CROSSFADER,
    DECK,
    NORM,
    OSC_SIGNAL,
    READ,
    RELEASE,
    Node,
    all_nodes,
    cue_address,
    cue_rows,
    deck_prefix,
    unit_addresses,
    units,
)
from perform.scenes.setlist import Cue, Setlist
from perform.scenes.show import DECKS, SHOW_CONTROLS
from perform.scenes.snapshot import Arguments
from perform.signals import Event, Signals

SOURCE = re.compile(r"^(/deck/\w)?(/(?:layer|overlay)/\d+)?/source/")


@dataclass(frozen=True, slots=True)
class CueControls:
    """The running controls of a cue: those of `units(cue.scene)` in their order, and of its transition."""

    cue: Cue
    scene: Sequence[RunningControls]
    transition: RunningControls

    @property
    def all(self) -> tuple[RunningControls, ...]:
        """Those of the scene and of the transition."""
        return *self.scene, self.transition


@dataclass(slots=True)
class Destination:
    """The parameter of running controls that an address leads to. `number` is the value that a press of
    the address gives it; None: the value of the message."""

    controls: RunningControls
    parameter: Parameter
    mode: HoldMode = "release"
    number: float | None = None

    def hold(self, part: int, value: float | str) -> None:
        """Hold the parameter, or its part counted from 0, at a message's value."""
        if self.number is None:
            self.controls.hold(self.parameter, part, value, self.mode)
        elif value:
            self.controls.hold(self.parameter, part, self.number, self.mode)


class AddressRouter:
    """Routes messages to what is on the decks: the cue that is on has two addresses, with its deck and
    without."""

    def __init__(
        self,
        setlist: Setlist,
        show: RunningControls,
        decks: Sequence[CueControls | None],
        deck: int = 0,
        over: Sequence[RunningControls] = (),
        law: RunningControls | None = None,
    ) -> None:
        """`decks` are the cues on A and B, or None, `deck` is the number of the one that is on; `over` are
        the controls of what is over the scenes, `law` those of the crossfader's transition."""
        on = decks[deck]
        assert on
        cues = [one.cue if one else None for one in decks]
        self.nodes: Mapping[str, Node] = MappingProxyType(all_nodes(setlist, on.cue, cues))
        self._in_formulas = {address for address, node in self.nodes.items() if node.in_formulas}
        self._show = show
        self._decks = {f"{deck_prefix(name)}{RELEASE}": one for name, one in zip(DECKS, decks, strict=True)}
        self._on = deck_prefix(DECKS[deck]) + "/"
        self._held = [*(controls for one in decks if one for controls in one.all), *over]
        self._held += [law] if law else []
        self._destinations: dict[str, Destination] = {}
        self._add_cue("", on)
        if law:
            self._add(CROSSFADER, law)
        for unit, controls in zip(units(setlist.over) if setlist.over else (), over, strict=True):
            self._add(unit.prefix, controls)
        for name, loaded in zip(DECKS, decks, strict=True):
            if loaded:
                self._add_cue(deck_prefix(name), loaded)
        for control in SHOW_CONTROLS:
            self._destinations[control.address] = Destination(show, control.parameter, control.mode)
        scene_number = self._destinations["/scene"]
        for n, one in enumerate(setlist.cues, 1):
            there = replace(scene_number, number=n)
            self._destinations[f"/scene/{n}"] = there
            if one.number:
                self._destinations[cue_address(one)] = there

    def route(self, events: Iterable[Event]) -> list[Event]:
        """Hold and release what messages ask for; within one moment, releases come first.

        Returns the events with the names that formulas know: `osc["/wild"]` for the message `/wild`.
        """
        routed: list[Event] = []
        messages: list[tuple[Event, str, int]] = []
        for event in events:
            if event.name.startswith("/"):
                address, number = self._split(event.name)
                signal = f'osc["{address}"].{number}' if number else f'osc["{address}"]'
                messages.append((event, address, int(number or 0)))
                routed.append(replace(event, name=signal))
                continue
            if match := OSC_SIGNAL.fullmatch(event.name):
                messages.append((event, match["address"], int(match["part"] or 0)))
            routed.append(event)
        for event, address, part in sorted(messages, key=_order):
            if address not in self._in_formulas and isinstance(event.value, float | str):
                self._set(address, part, event.value)
        return routed

    def panic(self) -> dict[str, float]:
        """Release everything, and hold the show's parameters that can hide the picture at values that show
        it; returns these by name."""
        self.release()
        cleared: dict[str, float] = {}
        for control in SHOW_CONTROLS:
            if control.panic is not None:
                self._destinations[control.address].hold(0, control.panic)
                cleared[control.name] = control.panic
        return cleared

    def held_values(self, both: bool = True) -> dict[str, dict[int, float | str]]:
        """What hands hold of the scene that is on, of what is over it and (`both`) of the free deck, by
        address and part."""
        hidden = self._on if both else DECK
        found = {}
        for address, destination in self._destinations.items():
            if destination.controls is not self._show and not address.startswith(hidden):
                found[address] = dict(destination.controls.held_parts(destination.parameter))
        return {address: parts for address, parts in found.items() if parts}

    def hold(self, address: str, part: int, value: float | str) -> None:
        """Hold a parameter, or its part, by its address; an address that is not there does nothing."""
        if destination := self._destinations.get(address):
            destination.hold(part, value)

    def release(self) -> None:
        """Release everything but the crossfader."""
        for controls in self._held:
            controls.release()
        for control in SHOW_CONTROLS:
            if control.released:
                self._show.release(control.parameter)

    @property
    def held(self) -> int:
        """How many parameters of the scenes on both decks, and of what is over them, are held."""
        return sum(controls.held for controls in self._held)

    def values(self, signals: Signals, status: Mapping[str, float | str]) -> dict[str, Arguments]:
        """The value of every address that can be read; for one that formulas name, its last message.
        `status` adds values by address."""
        values: dict[str, Arguments] = {}
        for address, destination in self._destinations.items():
            value = destination.controls.last.get(destination.parameter.name)
            if value is not None and self.nodes[address].access & READ:
                values[address] = _arguments(value)
        for address in self._in_formulas:
            message = signals.values.get(f'osc["{address}"]')
            if isinstance(message, float | str) and self.nodes[address].access & READ:
                values[address] = (message,)
        return values | {address: (value,) for address, value in status.items() if address in self.nodes}

    def _split(self, name: str) -> tuple[str, str]:
        """An event's name such as `/generator/ink.1` as address and number of the part, "" without one."""
        address, _, part = name.rpartition(".")
        return (name, "") if name in self.nodes or not part.isdecimal() else (address, part)

    def _add_cue(self, prefix: str, one: CueControls) -> None:
        for (start, _), controls in zip(cue_rows(one.cue), one.all, strict=True):
            self._add(f"{prefix}{start}", controls)

    def _add(self, prefix: str, controls: RunningControls) -> None:
        for address, parameter, owner in unit_addresses(prefix, controls):
            self._destinations[address] = Destination(owner, parameter)

    def _set(self, address: str, part: int, value: float | str) -> None:
        address = SOURCE.sub(r"\1\2/generator/", address)  # the other name of a source
        if address == RELEASE and value:
            self.release()
        elif (one := self._decks.get(address)) and value:
            for controls in one.all:
                controls.release()
        elif destination := self._destinations.get(address):
            destination.hold(part, value)
        elif (destination := self._destinations.get(address.removesuffix(RELEASE))) and value:
            destination.controls.release(destination.parameter)
        elif destination := self._destinations.get(address.removesuffix(NORM)):
            destination.hold(part, _scaled(destination.parameter, value))


def _order(message: tuple[Event, str, int]) -> tuple[float, bool]:
    """By time, releases first."""
    event, address, _ = message
    return event.time, not address.endswith(RELEASE)


def _scaled(parameter: Parameter, value: float | str) -> float | str:
    """0..1 as a part of the parameter's range; as it is where that has no ends."""
    if isinstance(value, str) or parameter.low is None or parameter.high is None:
        return value
    return parameter.low + value * (parameter.high - parameter.low)


def _arguments(value: Constant) -> Arguments:
    if isinstance(value, tuple):
        return tuple(float(part) for part in value)
    return (value if isinstance(value, str) else float(value),)
