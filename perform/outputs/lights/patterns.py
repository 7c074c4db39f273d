"""What the lights of a controller show of a show.

Pads show scenes as empty, loaded, playing or queued; rings, and the lights of buttons, show the parameter
whose formula hears the control that they are on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from perform import formula
from perform.midi.profiles import LightState, Profile, signals_of
from perform.parameters import Parameter
from perform.scenes.nodes import Node
from perform.scenes.snapshot import Snapshot

BLINKS = 2.0  # a second, of lights that cannot do it themselves
SCENES = ("/scene", "/now")  # what the pads of scenes show already

Shown: TypeAlias = dict[str, bytes]  # the message for each control
Sources: TypeAlias = Mapping[str, tuple[str, int]]  # by signal: the address that it plays, and which part


class Lights:
    """The lights of one controller; `device` is what formulas call it (the profile's name)."""

    def __init__(self, profile: Profile, device: str = "") -> None:
        self._profile, self._device = profile, device or profile.name
        self._nodes: Mapping[str, Node] | None = None
        self._plays: Sources = {}  # by control

    def lit(self, snapshot: Snapshot, seconds: float) -> Shown:
        """What every light shows of a show that stands so, at `seconds`; scenes come first."""
        if snapshot.nodes is not self._nodes:
            self._nodes, self._plays = snapshot.nodes, self._played(heard(snapshot))
        profile, shown = self._profile, {}
        for cue, name in enumerate(profile.scenes, 1):
            if name in profile.lights and name not in self._plays:
                shown[name] = _message(profile, name, state(snapshot, cue), seconds)
        for name in profile.lights:
            if name not in shown:
                on = self._worth(name, snapshot) > 0.5
                shown[name] = _message(profile, name, "on" if on else "off", seconds)
        for name in _rings(profile):
            shown[name] = profile.ring(name, self._worth(name, snapshot)) or b""
        return {name: message for name, message in shown.items() if message}

    def _played(self, sources: Sources) -> Sources:
        """What each control plays."""
        found = {}
        for name, control in self._profile.controls.items():
            signal = next((one for one in signals_of(control, self._device) if one in sources), None)
            if signal is not None:
                found[name] = sources[signal]
        return found

    def _worth(self, name: str, snapshot: Snapshot) -> float:
        """What the parameter that a control plays is worth, 0..1 of its range; 0 without one."""
        if name not in self._plays:
            return 0.0
        address, part = self._plays[name]
        values = snapshot.values.get(address, ())
        value = values[part] if part < len(values) else None
        return _share(snapshot.nodes[address].parameter, value) if isinstance(value, int | float) else 0.0


def dark(profile: Profile) -> list[bytes]:
    """What turns every light and ring off."""
    rings = [profile.ring(name, 0.0) for name in _rings(profile)]
    return [*profile.dark, *(message for message in rings if message)]


def state(snapshot: Snapshot, cue: int) -> LightState:
    """How a cue, counted from 1, is to be shown."""
    if f"/scene/{cue}" not in snapshot.nodes:
        return "empty"
    if snapshot.values.get("/now/queued") == (cue,):
        return "queued"
    return "playing" if snapshot.values.get("/now/cue") == (cue,) else "loaded"


def heard(snapshot: Snapshot) -> Sources:
    """What each signal of a controller plays: the first parameter whose formula hears it."""
    found: dict[str, tuple[str, int]] = {}
    for node in snapshot.nodes.values():
        if not node.address.startswith(SCENES) and node.parameter.kind != "event":
            for part, text in _texts(node):
                for signal in _signals(text):
                    found.setdefault(signal, (node.address, part))
    return found


def _rings(profile: Profile) -> list[str]:
    return [name for name in profile.controls if name in profile.rings]


def _message(profile: Profile, name: str, shown: LightState, seconds: float) -> bytes:
    light = profile.light(name, shown)
    if light and light.blink and int(seconds * 2 * BLINKS) % 2:
        light = profile.light(name, "off")
    return light.message if light else b""


def _share(parameter: Parameter, value: float) -> float:
    low = 0.0 if parameter.low is None else parameter.low
    high = 1.0 if parameter.high is None else parameter.high
    return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.0


def _texts(node: Node) -> Iterator[tuple[int, str]]:
    """The formulas of a node that hear a controller, by the number that each gives."""
    parts: list[Any] = node.setting if isinstance(node.setting, list) else [node.setting]
    yield from ((part, text) for part, text in enumerate(parts) if isinstance(text, str) and "midi." in text)


@lru_cache(maxsize=1024)
def _signals(text: str) -> tuple[str, ...]:
    """The signals of controllers that a formula hears."""
    try:
        names = formula.compile(text, formula.ANY).names
    except formula.FormulaError:  # a text that is no formula, such as a choice
        return ()
    return tuple(sorted(name for name in names if name.startswith("midi.")))
