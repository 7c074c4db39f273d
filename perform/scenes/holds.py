"""Holds: parameters that a hand has set directly, over what their formulas say."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

from perform.parameters import SIZES, Parameter

Until: TypeAlias = Literal["release", "moved", "once"]


class Hold:
    """What a hand said of one parameter.

    It holds until it is let go (`release`); or until its formula says something new (`moved`: of two
    hands on the same control the newest wins, and a switch flips when its formula does); or for one
    frame (`once`). Of a point or a colour the parts that were not said stay with their formulas.
    """

    def __init__(self, parameter: Parameter, until: Until) -> None:
        self._parameter = parameter
        self._until = "once" if parameter.kind == "event" else until
        self._said: dict[int, float | str] = {}
        self._formula: Any = None  # what the formula said when the hand did
        self.over = False

    def say(self, part: int, value: float | str) -> None:
        """The hand says `value` of the parameter, or of its part counted from 0."""
        if fits(self._parameter, part, value):
            self._said[part] = value
            self._formula = None

    def at(self, formula: Any) -> Any:
        """What the parameter is worth on a frame on which its formula, or its constant, says `formula`."""
        if not self._said:
            return formula
        before, self._formula = self._formula, formula
        moved = self._until == "moved" and before is not None and formula != before
        if moved and self._parameter.kind == "bool":
            self._said = {0: float(not self._worth(formula))}
        elif moved:
            self.over = True
            return formula
        self.over = self._until == "once"
        return self._worth(formula)

    def _worth(self, formula: Any) -> Any:
        if self._parameter.kind in SIZES:
            return tuple(self._number(self._said.get(i, part)) for i, part in enumerate(formula))
        said = self._said[0]
        return said if self._parameter.kind == "choice" else self._number(said)

    def _number(self, said: float | str) -> Any:
        number = self._parameter.clip(float(said))
        match self._parameter.kind:
            case "int":
                return round(number)
            case "bool" | "event":
                return number > 0.5
        return number


def fits(parameter: Parameter, part: int, value: float | str) -> bool:
    """Whether a parameter, or its part counted from 0, could be worth `value`."""
    if parameter.kind == "choice":
        return part == 0 and value in parameter.choices
    return isinstance(value, int | float) and 0 <= part < SIZES.get(parameter.kind, 1)


def holdable(parameter: Parameter) -> bool:
    """Whether a hand can set it while it plays."""
    return parameter.playable or bool(parameter.kind == "choice" and parameter.choices)
