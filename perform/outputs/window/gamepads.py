"""Gamepads and joysticks, as events. GLFW has them, so they are heard where the window is."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import glfw

from perform import paths
from perform.keys import BUTTONS, STICKS, TRIGGERS
from perform.outputs.window.displays import attempt
from perform.signals import Event

log = logging.getLogger("perform")
DEAD, FULL = 0.12, 0.97  # of a stick's way: what counts as its middle, and as its edge
MAPPINGS = "gamecontrollerdb.txt"  # of the user's own, in SDL's format


@dataclass(slots=True)
class _Pad:
    """A pad in its place (1, 2 …), what it is, and what it said last."""

    place: int
    kind: str
    said: dict[str, float] = field(default_factory=dict)


class Pads:
    """Every gamepad: `pad.lx`, `pad.ly`, `pad.rx`, `pad.ry` are its sticks, -1..1 from the left and from
    below, `pad.lt` and `pad.rt` its triggers, 0..1, `pad.a` and the other BUTTONS 1 while they are down;
    the same of the first as `pad.1.lx`, of the second as `pad.2.lx`. `pad.lx` is whichever moved last.

    What has no layout that is known says `pad.axis1`, `pad.button1`, `pad.hat1x`, `pad.hat1y` and so on.
    A pad that goes lets go of all; one of its kind that comes gets its place. `api` is GLFW.
    """

    def __init__(self, api: Any = glfw) -> None:
        self._api = api
        self._pads: dict[int, _Pad] = {}
        self._places: dict[int, str] = {}  # what was there last
        self._fault = ""
        self._learn()

    @property
    def names(self) -> list[str]:
        """The pads that are there, in their places."""
        return [pad.kind.partition(" ")[2] for pad in sorted(self._pads.values(), key=lambda pad: pad.place)]

    def poll(self, until: float) -> list[Event]:
        """What they did since the last call; a driver that fails says nothing."""
        try:
            return [Event(until, name, value) for name, value in self._heard().items()]
        except Exception as error:  # noqa: BLE001 - a window goes on without pads
            if str(error) != self._fault:
                self._fault = str(error)
                log.error("gamepads: %s", error)
            return []

    def _learn(self) -> None:
        """Know the layouts that the user has."""
        file = paths.user_data() / MAPPINGS
        try:
            if file.is_file() and not self._api.update_gamepad_mappings(file.read_bytes()):
                log.error("%s: no layouts of gamepads, must be in SDL's format", file)
        except OSError as error:
            log.error("%s cannot be read: %s", file, error)

    def _heard(self) -> dict[str, float]:
        there = [one for one in range(self._api.JOYSTICK_LAST + 1) if self._api.joystick_present(one)]
        heard: dict[str, float] = {}
        for one in [one for one in self._pads if one not in there]:
            heard |= self._changes(self._pads.pop(one), {})
        for one in there:
            state, kind = self._state(one), self._kind(one)
            if one in self._pads and self._pads[one].kind != kind:
                heard |= self._changes(self._pads.pop(one), {})
            if one not in self._pads:
                self._pads[one] = _Pad(self._place(kind), kind)
            heard |= self._changes(self._pads[one], state)
        return heard

    def _kind(self, one: int) -> str:
        """What a pad is: SDL's number of its model, and its name."""
        number, name = self._api.get_joystick_guid(one), self._api.get_joystick_name(one)
        return f"{_text(number)} {_text(name)}"

    def _place(self, kind: str) -> int:
        """The place that one of its kind left, else the first that is free."""
        taken = {pad.place for pad in self._pads.values()}
        free = [place for place in range(1, len(taken) + len(self._places) + 2) if place not in taken]
        own = [place for place in free if self._places.get(place) == kind]
        place = [*own, *free][0]
        self._places[place] = kind
        return place

    def _state(self, one: int) -> dict[str, float]:
        if self._api.joystick_is_gamepad(one):
            state = self._api.get_gamepad_state(one)
            return gamepad(state.buttons, state.axes) if state else {}
        return joystick(
            _listed(self._api.get_joystick_axes(one)),
            _listed(self._api.get_joystick_buttons(one)),
            _listed(self._api.get_joystick_hats(one)),
        )

    def _changes(self, pad: _Pad, state: Mapping[str, float]) -> dict[str, float]:
        """What a pad says that it did not say before; what it says no longer is 0."""
        now = dict.fromkeys(pad.said, 0.0) | {**state}
        new = {name: value for name, value in now.items() if value != pad.said.get(name, 0.0)}
        pad.said = now
        return {f"pad.{which}{name}": value for which in ("", f"{pad.place}.") for name, value in new.items()}


def there(api: Any = glfw) -> list[str]:
    """The pads that are there, in their places. Raises WindowError without a desktop."""
    attempt(api.init)
    pads = Pads(api)
    pads.poll(0.0)
    return pads.names


def gamepad(buttons: Any, axes: Any) -> dict[str, float]:
    """A gamepad's state by the names of its controls."""
    left, right = stick(axes[0], -axes[1]), stick(axes[2], -axes[3])
    said = dict(zip(STICKS, (*left, *right), strict=True))
    said |= dict(zip(TRIGGERS, map(trigger, axes[4:]), strict=True))
    return said | {name: float(down) for name, down in zip(BUTTONS, buttons, strict=True)}


def joystick(axes: list[float], buttons: list[int], hats: list[int]) -> dict[str, float]:
    """The state of what has no layout that is known. GLFW repeats the hats among the buttons."""
    said = {f"axis{number}": stick(value, 0.0)[0] for number, value in enumerate(axes, 1)}
    own = buttons[: len(buttons) - 4 * len(hats)]
    said |= {f"button{number}": float(down) for number, down in enumerate(own, 1)}
    for number, hat in enumerate(hats, 1):
        said[f"hat{number}x"] = float(bool(hat & glfw.HAT_RIGHT)) - float(bool(hat & glfw.HAT_LEFT))
        said[f"hat{number}y"] = float(bool(hat & glfw.HAT_UP)) - float(bool(hat & glfw.HAT_DOWN))
    return said


def stick(x: float, y: float) -> tuple[float, float]:
    """A stick's way from its middle, with a round dead zone: slow movements begin at 0 in any direction,
    and corners are reached."""
    way = math.hypot(x, y)
    if way <= DEAD:
        return 0.0, 0.0
    scale = (way - DEAD) / (FULL - DEAD) / way
    return tuple(min(max(side * scale, -1.0), 1.0) for side in (x, y))  # type: ignore[return-value]


def trigger(value: float) -> float:
    """A trigger from -1..1 to 0..1, at rest and held down with some room."""
    return min(max(((value + 1) / 2 - 0.02) / 0.96, 0.0), 1.0)


def _listed(found: tuple[Any, int]) -> list[Any]:
    """GLFW's arrays: a pointer and a count."""
    return [found[0][at] for at in range(found[1])]


def _text(said: Any) -> str:
    return said.decode(errors="replace") if isinstance(said, bytes) else str(said or "")
