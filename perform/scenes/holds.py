"""Holds: parameters that are set by hand, over their formulas."""

from __future__ import annotations

import math
from collections.abc import Mapping
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
        self._before: Constant | None = None  # the formula's value on the last frame, None once set by hand
        self.over = False

    @property
    def parts(self) -> Mapping[int, float | str]:
        """The values that were set, by the part of the parameter, counted from 0."""
        return self._parts

    def set(self, part: int, value: float | str) -> bool:
        """Set the parameter, or its part counted from 0, to `value`; returns whether it fits."""
        if not fits(self._parameter, part, value):
            return False
        self._parts[part] = value
        self._before = None
        return True

    def step(self, value: Constant) -> Constant:
        """The parameter's value on a frame on which its formula, or its constant, gives `value`."""
        if not self._parts:
            return value
        before, self._before = self._before, value
        moved = self._mode == "moved" and before is not None and value != before
        if moved and self._parameter.kind == "bool":
            self._parts = {0: float(not self._held(value))}
        elif moved:
            self.over = True
            return value
        self.over = self._mode == "once"
        return self._held(value)

    def _held(self, value: Constant) -> Constant:
        """The parts that were set, over those of `value`."""
        cast = self._parameter.cast
        if isinstance(value, tuple):
            return tuple(cast(float(self._parts.get(i, part))) for i, part in enumerate(value))
        held = self._parts[0]
        if isinstance(held, str):
            return held
        return f"{held:g}" if self._parameter.kind == "message" else cast(held)


def fits(parameter: Parameter, part: int, value: float | str) -> bool:
    """Whether a parameter, or its part counted from 0, can be set to `value`."""
    if not isinstance(value, str) and not math.isfinite(value):
        return False
    if parameter.kind == "choice":
        return part == 0 and value in parameter.choices
    if parameter.kind == "message":
        return part == 0
    return isinstance(value, int | float) and 0 <= part < SIZES.get(parameter.kind, 1)


def holdable(parameter: Parameter) -> bool:
    """Whether it can be set by hand while it plays."""
    chosen = parameter.kind == "choice" and parameter.choices
    return parameter.playable or bool(chosen) or parameter.kind == "message"
