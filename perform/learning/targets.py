"""The parameters that can be learned: every number of a preset, and the show's own controls of a setlist."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

from perform.clock import Moment
from perform.formula import Formula
from perform.parameters import SIZES, Parameter, number_text
from perform.scenes import nodes
from perform.scenes.addresses import segment
from perform.scenes.controls import UnitSettings
from perform.scenes.scene import Scene
from perform.scenes.setlist import Setlist
from perform.scenes.show import SHOW_CONTROLS
from perform.signals import Signals

PARTS = {"point": ("x", "y"), "color": ("red", "green", "blue", "alpha")}
WIDEST_RANGE = 200.0  # in a wider range a hand cannot set single values
KNOB_STEPS = 127
OTHER_TABLE = {"generator": "source", "source": "generator"}
SOURCE_TABLE = re.compile(r"(?:^|(?<=\]\.))(?:generator|source)(?=\.)")  # of a scene, or of a layer
BEGINNING = Moment(0.0, 0, 0.0, 0.0, 0.0, 120.0)
SET_BY_SHOW = ("progress",)  # parameters that the show sets


@dataclass(frozen=True, slots=True)
class LearnTarget:
    """A number of a preset: its `key` such as `filter[0].zoom`, its `setting`, its live `address`, and
    `part`, the number within a point or a colour."""

    key: str
    parameter: Parameter
    setting: Any
    address: str
    part: int | None = None
    span: tuple[float, float] | None = None  # the part of its range that is played; None: all

    @property
    def name(self) -> str:
        """The key, with the word of its part: `filter[0].centre.x`."""
        return self.key if self.part is None else f"{self.key}.{PARTS[self.parameter.kind][self.part]}"

    @property
    def low(self) -> float:
        """The value at the control's lower end."""
        return self._ends[0]

    @property
    def high(self) -> float:
        """The value at the control's upper end."""
        return self._ends[1]

    @property
    def constant(self) -> float:
        """The setting; of a formula its value at the beginning, before anything has sent a signal."""
        if isinstance(self.setting, int | float):
            return float(self.setting)
        if isinstance(self.setting, Formula):
            value = self.setting.start()(Signals(BEGINNING.signals()), BEGINNING)
            return float(self.parameter.clip(value))
        default = self.parameter.default
        return float(default if self.part is None else default[self.part])

    @property
    def _ends(self) -> tuple[float, float]:
        """The span, else the range. If that is too wide, values near the setting: as many whole numbers as a
        knob has steps, or one unit down and up."""
        if self.span:
            return self.span
        low, high, worth = self.parameter.low, self.parameter.high, self.constant
        if low is not None and high is not None and high - low <= WIDEST_RANGE:
            return low, high
        if self.parameter.kind == "int":
            first = worth if low is None or worth > low + KNOB_STEPS else low
            return first, self.parameter.clip(first + KNOB_STEPS)
        return self.parameter.clip(worth - 1), self.parameter.clip(worth + 1)

    def between(self, low: float | None, high: float | None) -> LearnTarget:
        """The same, played between these numbers. ValueError if they are not within its range."""
        ends = self.low if low is None else low, self.high if high is None else high
        if any(self.parameter.clip(end) != end for end in ends) or ends[0] == ends[1]:
            allowed = f"must be two numbers within {self.parameter.range}"
            raise ValueError(f"{self.name} from {ends[0]:g} to {ends[1]:g}, {allowed}")
        return replace(self, span=ends)


def scene_units(scene: Scene) -> dict[str, UnitSettings]:
    """The units of a scene, by the names of their tables; in the order of a scene's running controls."""
    return {unit.key: unit.settings for unit in nodes.units(scene)}


def other_name(key: str) -> str:
    """A key of a source under the other name of its table: `source.speed` for `generator.speed`. Any other
    key is the same."""
    return SOURCE_TABLE.sub(lambda match: OTHER_TABLE[match[0]], key)


def scene_targets(scene: Scene) -> list[LearnTarget]:
    """Every number of a preset that a formula can play, in the order of the text."""
    found: list[LearnTarget] = []
    for unit in nodes.units(scene):
        found += _of_unit(unit.prefix, unit.key, unit.settings)
    return [*found, *_of_unit("/transition", "transition", scene.transition.shader)]


def over_targets(setlist: Setlist) -> list[LearnTarget]:
    """The same of the overlays of a setlist and of its filters."""
    found: list[LearnTarget] = []
    for unit in nodes.units(setlist.over) if setlist.over else ():
        if unit.key:  # the programme has no table
            found += _of_unit(unit.prefix, unit.key, unit.settings)
    return found


def show_targets(setlist: Setlist) -> list[LearnTarget]:
    """The show's own controls, which a setlist binds."""
    settings = setlist.show.with_defaults
    return [
        LearnTarget(f"bindings.{control.name}", control.parameter, settings[control.name], control.address)
        for control in SHOW_CONTROLS
        if control.name not in ("scene", "clock")  # numbers in a list: not for a knob or a button
    ]


def find_target(targets: Sequence[LearnTarget], name: str) -> LearnTarget:
    """The target of a name: a key, an address, or a key's last word if it is unique. LookupError names the
    nearest ones."""
    for target in targets:
        if name in (target.name, target.address, other_name(target.name)):
            return target
    last = [target for target in targets if name in (target.parameter.name, target.name.rpartition(".")[2])]
    if len(last) == 1:
        return last[0]
    if last:
        raise LookupError(f"parameter {name!r}: which of {', '.join(one.name for one in last)}?")
    words = [(word, target.name) for target in targets for word in (target.parameter.name, target.name)]
    near = get_close_matches(name, {word for word, _ in words}, 3)
    meant = dict.fromkeys(key for one in near for word, key in words if word == one)
    hint = f"did you mean {' or '.join(meant)}?" if meant else "perform learn PRESET lists them"
    raise LookupError(f"there is no parameter {name!r} to learn; {hint}")


def _of_unit(prefix: str, key: str, settings: UnitSettings) -> Iterator[LearnTarget]:
    for parameter in settings.parameters:
        if parameter.playable and parameter.name not in SET_BY_SHOW:
            setting = settings.values.get(parameter.name, parameter.default)
            address = f"{prefix}/{segment(parameter.name)}"
            yield from _parts(f"{key}.{parameter.name}", parameter, setting, address)
    for name, image in settings.images.items():
        yield from _of_unit(f"{prefix}/{segment(name)}", f"{key}.{name}", image)


def _parts(key: str, parameter: Parameter, setting: Any, address: str) -> Iterator[LearnTarget]:
    if parameter.kind not in SIZES:
        yield LearnTarget(key, parameter, setting, address)
        return
    for part in range(SIZES[parameter.kind]):
        yield LearnTarget(key, parameter, setting[part], address, part)


def setting_text(setting: object) -> str:
    """A setting as text."""
    if isinstance(setting, Formula):
        return setting.text
    if isinstance(setting, int | float) and not isinstance(setting, bool):
        return number_text(setting)
    return str(setting).lower()
