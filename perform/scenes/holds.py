"""Holds: parameters that are set by hand, over their formulas."""

from __future__ import annotations

from typing import Literal, TypeAlias

from perform.parameters import SIZES, Constant, Parameter

HoldMode: TypeAlias = Literal["release", "moved", "once"]


class Hold:
    """The value that a hand has set a parameter to.

    It holds until it is released (`release`); or until its formula's value changes (`moved`: of two
    hands on the same control the newest wins, and a switch flips when its formula does); or for one
    frame (`once`). The parts of a point or a colour that were not set stay with their formulas.
    """

    def __init__(self, parameter: Parameter, mode: HoldMode) -> None:
        self._parameter = parameter
        self._mode = "once" if parameter.kind == "event" else mode
        self._parts: dict[int, float | str] = {}
        self._formula: Constant | None = None  # the formula's value when the hand set the parameter
        self.over = False

    def set(self, part: int, value: float | str) -> None:
        """Set the parameter, or its part counted from 0, to `value`."""
        if fits(self._parameter, part, value):
            self._parts[part] = value
            self._formula = None

    def at(self, formula: Constant) -> Constant:
        """The parameter's value on a frame on which its formula, or its constant, gives `formula`."""
        if not self._parts:
            return formula
        before, self._formula = self._formula, formula
        moved = self._mode == "moved" and before is not None and formula != before
        if moved and self._parameter.kind == "bool":
            self._parts = {0: float(not self._value(formula))}
        elif moved:
            self.over = True
            return formula
        self.over = self._mode == "once"
        return self._value(formula)

    def _value(self, formula: Constant) -> Constant:
        if isinstance(formula, tuple):
            return tuple(self._number(self._parts.get(i, part)) for i, part in enumerate(formula))
        value = self._parts[0]
        return value if self._parameter.kind == "choice" else self._number(value)

    def _number(self, value: float | str) -> float:
        number = self._parameter.clip(float(value))
        match self._parameter.kind:
            case "int":
                return round(number)
            case "bool" | "event":
                return number > 0.5
        return number


def fits(parameter: Parameter, part: int, value: float | str) -> bool:
    """Whether a parameter, or its part counted from 0, can be set to `value`."""
    if parameter.kind == "choice":
        return part == 0 and value in parameter.choices
    return isinstance(value, int | float) and 0 <= part < SIZES.get(parameter.kind, 1)


def holdable(parameter: Parameter) -> bool:
    """Whether it can be set by hand while it plays."""
    return parameter.playable or bool(parameter.kind == "choice" and parameter.choices)
