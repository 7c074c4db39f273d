"""UnitSettings: what a preset sets the parameters of a unit to, and the formulas among them at work."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from perform import formula
from perform.clock import Moment
from perform.parameters import Constant, Parameter, Values
from perform.scenes.holds import Hold, HoldMode
from perform.signals import Signals

RunNumber: TypeAlias = Callable[[Parameter, Signals, Moment], float]
RunSetting: TypeAlias = Callable[[Parameter, Signals, Moment], Constant]
Setting: TypeAlias = Constant | formula.Formula | tuple[float | formula.Formula, ...]


@dataclass(frozen=True, slots=True)
class UnitSettings:
    """A unit by name, with what its parameters are set to: constants, formulas, or tuples of both.

    `kind` is what sort of unit it is (shader, model, path, film, still, camera …), `images` the sources
    that are played into it, by the names of what takes them.
    """

    name: str
    parameters: tuple[Parameter, ...]
    values: Mapping[str, Setting]
    kind: str = "shader"
    images: Mapping[str, UnitSettings] = field(default_factory=dict)

    @property
    def with_defaults(self) -> dict[str, Any]:
        """Every parameter's value, or the formula that gives it."""
        return {p.name: self.values.get(p.name, p.default) for p in self.parameters}

    @property
    def signal_names(self) -> frozenset[str]:
        """The signals that its formulas name, and those of its images."""
        values = self.values.values()
        parts = [part for value in values for part in (value if isinstance(value, tuple) else (value,))]
        names = (part.names for part in parts if isinstance(part, formula.Formula))
        return frozenset().union(*names, *(image.signal_names for image in self.images.values()))

    def start(self) -> RunningControls:
        """The settings running: formulas with fresh state."""
        return RunningControls(self)


class RunningControls:
    """Running settings: gives a value for every parameter of the unit, frame after frame. `last` is
    what it gave last."""

    def __init__(self, settings: UnitSettings) -> None:
        self.parameters = settings.parameters
        self.images = {name: image.start() for name, image in settings.images.items()}
        self.last: Values = {}
        self._settings = settings.with_defaults
        self._holds: dict[str, Hold] = {}
        self._constants: dict[str, Any] = {}
        self._running: dict[Parameter, RunSetting] = {}
        self._sounds: dict[str, str] = {}  # signals by parameter
        for p in settings.parameters:
            setting = self._settings[p.name]
            if run := _start(setting):
                self._running[p] = run
            elif p.kind == "sound":
                self._sounds[p.name] = str(setting)
            else:
                self._constants[p.name] = setting

    def step(self, moment: Moment, signals: Signals) -> dict[str, Any]:
        """The value of every parameter at this moment, within its range; those of an image under its name."""
        values = dict(self._constants)
        values |= {name: controls.step(moment, signals) for name, controls in self.images.items()}
        for name, signal in self._sounds.items():
            values[name] = signals.values.get(signal)
        for parameter, run in self._running.items():
            values[parameter.name] = run(parameter, signals, moment)
        for name, hold in [*self._holds.items()]:
            values[name] = hold.step(values[name])
            if hold.over:
                del self._holds[name]
        self.last = values
        return values

    def resume_from(self, before: RunningControls) -> None:
        """Take over the state of other controls of the unit where the setting is the same: formulas remember,
        and what is held stays."""
        known = {p.name: (p, before._settings[p.name]) for p in before.parameters}
        for p in self.parameters:
            if known.get(p.name) == (p, self._settings[p.name]):
                self._running |= {p: before._running[p]} if p in before._running else {}
                self._holds |= {p.name: before._holds[p.name]} if p.name in before._holds else {}
        for name, image in self.images.items():
            if name in before.images:
                image.resume_from(before.images[name])

    def keep_held(self, before: RunningControls) -> None:
        """Hold what other controls of the same settings hold."""
        self._holds |= before._holds
        for name, image in self.images.items():
            image.keep_held(before.images[name])

    @property
    def held(self) -> int:
        """How many parameters are held by hand, those of its images with them."""
        return len(self._holds) + sum(image.held for image in self.images.values())

    def held_parts(self, parameter: Parameter) -> Mapping[int, float | str]:
        """What a hand has set a parameter to, by its parts; empty if it is not held."""
        hold = self._holds.get(parameter.name)
        return hold.parts if hold else {}

    def hold(self, parameter: Parameter, part: int, value: float | str, mode: HoldMode = "release") -> None:
        """Hold a parameter, or its part counted from 0, at a value set by hand, over its formula."""
        hold = self._holds.get(parameter.name) or Hold(parameter, mode)
        if hold.set(part, value):
            self._holds[parameter.name] = hold

    def release(self, parameter: Parameter | None = None) -> None:
        """Release a parameter; None: all, those of its images with them."""
        if parameter is not None:
            self._holds.pop(parameter.name, None)
            return
        self._holds.clear()
        for image in self.images.values():
            image.release()


def _start(setting: Setting) -> RunSetting | None:
    """A formula, or a tuple with formulas in it, running; None for a constant."""
    if isinstance(setting, formula.Formula):
        return _number(setting)
    if not isinstance(setting, tuple) or not any(isinstance(part, formula.Formula) for part in setting):
        return None
    parts = [_number(part) if isinstance(part, formula.Formula) else _constant(part) for part in setting]
    return lambda p, signals, moment: tuple(part(p, signals, moment) for part in parts)


def _number(setting: formula.Formula) -> RunNumber:
    run = setting.start()
    was = False

    def number(parameter: Parameter, signals: Signals, moment: Moment) -> float:
        nonlocal was
        value = parameter.cast(run(signals, moment))
        if parameter.kind != "event":
            return value
        before, was = was, bool(value)  # a key held down is one event, not one a frame
        return was and not before

    return number


def bound(name: str, parameters: tuple[Parameter, ...], texts: Mapping[str, str]) -> UnitSettings:
    """A unit with formulas that are known to be valid."""
    return UnitSettings(
        name, parameters, {key: formula.compile(text, formula.ANY) for key, text in texts.items()}
    )


def _constant(value: float) -> RunNumber:
    return lambda _parameter, _signals, _moment: value
