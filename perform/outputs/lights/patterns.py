"""The lights of a controller for a snapshot of the show.

Pads show scenes as empty, loaded, playing or queued; rings and the lights of buttons show the parameter whose
formula uses their control.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import TypeAlias

from perform import formula
from perform.midi.profiles import LightState, Profile, signals_of
from perform.parameters import Parameter
from perform.scenes.nodes import DECK, Node
from perform.scenes.snapshot import Snapshot

BLINKS_PER_SECOND = 2.0  # of lights that cannot blink themselves
# Those that the pads of scenes show already, and those of what is not on yet
SCENE_ADDRESSES = ("/scene", "/now", "/standby", DECK)

PlayedParts: TypeAlias = Mapping[str, tuple[str, int]]  # the address that plays, and which part


class LightPattern:
    """The lights of one controller; `device` is its name in formulas (by default the profile's)."""

    def __init__(self, profile: Profile, device: str = "") -> None:
        self._profile, self._device = profile, device or profile.name
        self._nodes: Mapping[str, Node] | None = None
        self._plays: PlayedParts = {}  # by control

    def messages(self, snapshot: Snapshot, seconds: float) -> dict[str, bytes]:
        """The message for each control that shows the snapshot at `seconds`; scenes come first."""
        if snapshot.nodes is not self._nodes:
            self._nodes, self._plays = snapshot.nodes, self._played(played_parts(snapshot))
        profile, shown = self._profile, {}
        for cue, name in enumerate(profile.scenes, 1):
            if name in profile.lights and name not in self._plays:
                shown[name] = _light_message(profile, name, cue_state(snapshot, cue), seconds)
        for name in profile.lights:
            if name not in shown:
                on = self._level(name, snapshot) > 0.5
                shown[name] = _light_message(profile, name, "on" if on else "off", seconds)
        for name in _rings(profile):
            shown[name] = profile.ring(name, self._level(name, snapshot)) or b""
        return {name: message for name, message in shown.items() if message}

    def _played(self, sources: PlayedParts) -> PlayedParts:
        """The address that each control plays."""
        found = {}
        for name, control in self._profile.controls.items():
            signal = next((one for one in signals_of(control, self._device) if one in sources), None)
            if signal is not None:
                found[name] = sources[signal]
        return found

    def _level(self, name: str, snapshot: Snapshot) -> float:
        """The value of the parameter that a control plays, 0..1 of its range; 0 without one."""
        if name not in self._plays:
            return 0.0
        address, part = self._plays[name]
        values = snapshot.values.get(address, ())
        value = values[part] if part < len(values) else None
        if not isinstance(value, int | float):
            return 0.0
        return _part_of_range(snapshot.nodes[address].parameter, value)


def dark(profile: Profile) -> list[bytes]:
    """The messages that turn every light and ring off."""
    rings = [profile.ring(name, 0.0) for name in _rings(profile)]
    return [*profile.dark, *(message for message in rings if message)]


def cue_state(snapshot: Snapshot, cue: int) -> LightState:
    """The state of a cue, counted from 1."""
    if f"/scene/{cue}" not in snapshot.nodes:
        return "empty"
    if snapshot.values.get("/now/queued") == (cue,):
        return "queued"
    return "playing" if snapshot.values.get("/now/cue") == (cue,) else "loaded"


def played_parts(snapshot: Snapshot) -> PlayedParts:
    """The first parameter whose formula uses a signal, by signal."""
    found: dict[str, tuple[str, int]] = {}
    for node in snapshot.nodes.values():
        if not node.address.startswith(SCENE_ADDRESSES) and node.parameter.kind != "event":
            for part, text in _formulas(node):
                for signal in _controller_signals(text):
                    found.setdefault(signal, (node.address, part))
    return found


def _rings(profile: Profile) -> list[str]:
    return [name for name in profile.controls if name in profile.rings]


def _light_message(profile: Profile, name: str, shown: LightState, seconds: float) -> bytes:
    light = profile.light(name, shown)
    if light and light.blink and int(seconds * 2 * BLINKS_PER_SECOND) % 2:
        light = profile.light(name, "off")
    return light.message if light else b""


def _part_of_range(parameter: Parameter, value: float) -> float:
    low = 0.0 if parameter.low is None else parameter.low
    high = 1.0 if parameter.high is None else parameter.high
    return min(max((value - low) / (high - low), 0.0), 1.0) if high > low else 0.0


def _formulas(node: Node) -> Iterator[tuple[int, str]]:
    """The formulas of a node that use a controller, by the number that each gives."""
    parts = node.setting if isinstance(node.setting, list) else [node.setting]
    yield from ((part, text) for part, text in enumerate(parts) if isinstance(text, str) and "midi." in text)


@lru_cache(maxsize=1024)
def _controller_signals(text: str) -> tuple[str, ...]:
    """The signals of controllers in a formula."""
    try:
        names = formula.compile(text, formula.ANY).names
    except formula.FormulaError:  # a text that is no formula, such as a choice
        return ()
    return tuple(sorted(name for name in names if name.startswith("midi.")))
