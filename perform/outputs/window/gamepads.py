"""Gamepads and joysticks, as events. GLFW reads them, so they belong to the window."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import glfw

from perform import paths
from perform.documents import SceneError, read_text
from perform.outputs.window.displays import attempt, text_of
from perform.signals import PAD_BUTTONS, PAD_STICKS, PAD_TRIGGERS, Event

GamepadApi: TypeAlias = Any  # GLFW, which has no types, or a double of it

log = logging.getLogger("perform")
STICK_MIDDLE, STICK_EDGE = 0.12, 0.97  # of a stick's way
USER_LAYOUTS = "gamecontrollerdb.txt"  # of the user's own, in SDL's format


@dataclass(slots=True)
class _Pad:
    """A pad in its place (1, 2 …), its kind, and its last values."""

    place: int
    kind: str
    values: dict[str, float] = field(default_factory=dict)


class Gamepads:
    """Every gamepad: `pad.lx`, `pad.ly`, `pad.rx`, `pad.ry` are its sticks, -1..1 from the left and from
    below, `pad.lt` and `pad.rt` its triggers, 0..1, `pad.a` and the other PAD_BUTTONS 1 while they are down;
    the same of the first as `pad.1.lx`, of the second as `pad.2.lx`. `pad.lx` is whichever moved last.

    A pad without a known layout has `pad.axis1`, `pad.button1`, `pad.hat1x`, `pad.hat1y` and so on. A pad
    that goes releases everything; one of its kind that comes gets its place. `api` is GLFW.
    """

    def __init__(self, api: GamepadApi = glfw) -> None:
        self._api = api
        self._pads: dict[int, _Pad] = {}
        self._places: dict[int, str] = {}  # what was there last
        self._fault = ""
        self._load_layouts()

    @property
    def names(self) -> list[str]:
        """The pads that are there, in their places."""
        return [pad.kind.partition(" ")[2] for pad in sorted(self._pads.values(), key=lambda pad: pad.place)]

    def poll(self, until: float) -> list[Event]:
        """The events since the last call; none from a driver that fails."""
        try:
            return [Event(until, name, value) for name, value in self._changed().items()]
        except Exception as error:  # noqa: BLE001 - a window goes on without pads
            if str(error) != self._fault:
                self._fault = str(error)
                log.error("gamepads: %s", error)
            return []

    def _load_layouts(self) -> None:
        """Load the layouts that the user has."""
        file = paths.user_data() / USER_LAYOUTS
        try:
            if file.is_file() and not self._api.update_gamepad_mappings(read_text(file).encode()):
                log.error("%s: no layouts of gamepads, must be in SDL's format", file)
        except (OSError, SceneError) as error:
            log.error("%s cannot be read: %s", file, error)

    def _changed(self) -> dict[str, float]:
        there = [one for one in range(self._api.JOYSTICK_LAST + 1) if self._api.joystick_present(one)]
        changes: dict[str, float] = {}
        for one in [one for one in self._pads if one not in there]:
            changes |= self._changes(self._pads.pop(one), {})
        for one in there:
            state, kind = self._state(one), self._kind(one)
            if one in self._pads and self._pads[one].kind != kind:
                changes |= self._changes(self._pads.pop(one), {})
            if one not in self._pads:
                self._pads[one] = _Pad(self._place(kind), kind)
            changes |= self._changes(self._pads[one], state)
        return changes

    def _kind(self, one: int) -> str:
        """The kind of a pad: SDL's number of its model, and its name."""
        number, name = self._api.get_joystick_guid(one), self._api.get_joystick_name(one)
        return f"{text_of(number)} {text_of(name)}"

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
            _list_of(self._api.get_joystick_axes(one)),
            _list_of(self._api.get_joystick_buttons(one)),
            _list_of(self._api.get_joystick_hats(one)),
        )

    def _changes(self, pad: _Pad, state: Mapping[str, float]) -> dict[str, float]:
        """The values of a pad that have changed; those that are gone are 0."""
        now = dict.fromkeys(pad.values, 0.0) | {**state}
        new = {name: value for name, value in now.items() if value != pad.values.get(name, 0.0)}
        pad.values = now
        return {f"pad.{which}{name}": value for which in ("", f"{pad.place}.") for name, value in new.items()}


def gamepad_names(api: GamepadApi = glfw) -> list[str]:
    """The pads that are there, in their places. Raises WindowError without a desktop."""
    attempt(api.init)
    pads = Gamepads(api)
    pads.poll(0.0)
    return pads.names


def gamepad(buttons: Sequence[int], axes: Sequence[float]) -> dict[str, float]:
    """A gamepad's state by the names of its controls."""
    left, right = stick(axes[0], -axes[1]), stick(axes[2], -axes[3])
    values = dict(zip(PAD_STICKS, (*left, *right), strict=True))
    values |= dict(zip(PAD_TRIGGERS, map(trigger, axes[4:]), strict=True))
    return values | {name: float(down) for name, down in zip(PAD_BUTTONS, buttons, strict=True)}


def joystick(axes: list[float], buttons: list[int], hats: list[int]) -> dict[str, float]:
    """The state of a joystick without a known layout. GLFW repeats the hats among the buttons."""
    values = {f"axis{number}": stick(value, 0.0)[0] for number, value in enumerate(axes, 1)}
    own = buttons[: len(buttons) - 4 * len(hats)]
    values |= {f"button{number}": float(down) for number, down in enumerate(own, 1)}
    for number, hat in enumerate(hats, 1):
        values[f"hat{number}x"] = float(bool(hat & glfw.HAT_RIGHT)) - float(bool(hat & glfw.HAT_LEFT))
        values[f"hat{number}y"] = float(bool(hat & glfw.HAT_UP)) - float(bool(hat & glfw.HAT_DOWN))
    return values


def stick(x: float, y: float) -> tuple[float, float]:
    """A stick's position, with a round dead zone: slow movements start at 0 in any direction, and corners are
    reached."""
    way = math.hypot(x, y)
    if way <= STICK_MIDDLE:
        return 0.0, 0.0
    scale = (way - STICK_MIDDLE) / (STICK_EDGE - STICK_MIDDLE) / way
    return min(max(x * scale, -1.0), 1.0), min(max(y * scale, -1.0), 1.0)


def trigger(value: float) -> float:
    """A trigger from -1..1 to 0..1, at rest and held down with some room."""
    return min(max(((value + 1) / 2 - 0.02) / 0.96, 0.0), 1.0)


def _list_of(found: tuple[Any, int]) -> list[Any]:
    """GLFW's arrays: a pointer and a count."""
    return [found[0][at] for at in range(found[1])]
