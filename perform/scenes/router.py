"""The address router: takes messages to the parameters that they name.

Whoever sends it, a message is an event that is named by an address: `/filter/grade/gain` for a parameter,
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
from perform.scenes.controls import Controls
from perform.scenes.holds import HoldMode
from perform.scenes.nodes import (
    NORM,
    OSC_SIGNAL,
    READ,
    RELEASE,
    Node,
    declared,
    show_address,
    unit_addresses,
    units,
)
from perform.scenes.setlist import Cue, Setlist
from perform.scenes.snapshot import Arguments
from perform.signals import Event, Signals

ONCE = ("scene", "tempo", "clock")  # numbers that count for one frame and are not held
STAYS = ("crossfade",)  # the picture would jump if it were released
CLEAR = {"master": 1.0, "blackout": False, "freeze": False}  # what panic sets


@dataclass(slots=True)
class Destination:
    """The parameter of running controls that an address leads to. `number` is the value that a press of
    the address gives it; None: the value of the message."""

    controls: Controls
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
    """Routes messages while a cue is on."""

    def __init__(
        self, setlist: Setlist, cue: Cue, show: Controls, scene: Sequence[Controls], transition: Controls
    ) -> None:
        """`scene` are the controls of `units(cue.scene)`, in their order."""
        self.nodes: Mapping[str, Node] = MappingProxyType(declared(setlist, cue))
        self._in_formulas = {address for address, node in self.nodes.items() if node.in_formulas}
        self._show = show
        self._scene = [*scene, transition]
        self._destinations: dict[str, Destination] = {}
        for (prefix, _), controls in zip(units(cue.scene), scene, strict=True):
            self._add(prefix, controls)
        self._add("/transition", transition)
        for parameter in show.parameters:
            mode: HoldMode = "once" if parameter.name in ONCE else "moved"
            address = show_address(parameter)
            self._destinations[address] = Destination(show, parameter, mode)
            if parameter.name == "scene":
                for n in range(1, len(setlist.cues) + 1):
                    self._destinations[f"{address}/{n}"] = Destination(show, parameter, "once", n)

    def route(self, events: Iterable[Event]) -> list[Event]:
        """Hold and release what messages ask for; within one moment, releases come first.

        Returns the events with the names that formulas know: `osc["/wild"]` for the message `/wild`.
        """
        events = [self._renamed(event) if event.name.startswith("/") else event for event in events]
        messages = [(event, match) for event in events if (match := OSC_SIGNAL.fullmatch(event.name))]
        for event, match in sorted(messages, key=_order):
            if match["address"] not in self._in_formulas and isinstance(event.value, float | str):
                self._set(match["address"], int(match["part"] or 0), event.value)
        return events

    def panic(self) -> dict[str, float]:
        """Release everything, and hold the show's parameters that can hide the picture at values that show
        it; returns these by name."""
        self.release()
        for name, value in CLEAR.items():
            self._destinations[f"/{name}"].hold(0, value)
        return dict(CLEAR)

    def release(self) -> None:
        """Release everything but the parameters that stay."""
        for controls in self._scene:
            controls.release()
        for parameter in self._show.parameters:
            if parameter.name not in STAYS:
                self._show.release(parameter)

    @property
    def held(self) -> int:
        """How many parameters of the scene are held."""
        return sum(controls.held for controls in self._scene)

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

    def _renamed(self, message: Event) -> Event:
        """A message that is named by an address, named by its signal."""
        address, dot, part = message.name.rpartition(".")
        if message.name in self.nodes or not part.isdecimal():
            return replace(message, name=f'osc["{message.name}"]')
        return replace(message, name=f'osc["{address}"]{dot}{part}')

    def _add(self, prefix: str, controls: Controls) -> None:
        for address, parameter, owner in unit_addresses(prefix, controls):
            self._destinations[address] = Destination(owner, parameter)

    def _set(self, address: str, part: int, value: float | str) -> None:
        if address == RELEASE and value:
            self.release()
        elif destination := self._destinations.get(address):
            destination.hold(part, value)
        elif (destination := self._destinations.get(address.removesuffix(RELEASE))) and value:
            destination.controls.release(destination.parameter)
        elif destination := self._destinations.get(address.removesuffix(NORM)):
            destination.hold(part, _scaled(destination.parameter, value))


def _order(message: tuple[Event, re.Match[str]]) -> tuple[float, bool]:
    """By time, releases first."""
    event, match = message
    return event.time, not match["address"].endswith(RELEASE)


def _scaled(parameter: Parameter, value: float | str) -> float | str:
    """0..1 as a part of the parameter's range; as it is where that has no ends."""
    if isinstance(value, str) or parameter.low is None or parameter.high is None:
        return value
    return parameter.low + value * (parameter.high - parameter.low)


def _arguments(value: Constant) -> Arguments:
    if isinstance(value, tuple):
        return tuple(float(part) for part in value)
    return (value if isinstance(value, str) else float(value),)
