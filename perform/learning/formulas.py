"""The formula by which a control plays a parameter, over its whole range and from its present value."""

from __future__ import annotations

import re

from perform.formula import Formula
from perform.learning import Press, Takeover
from perform.learning.movement import MOVED_FAMILIES, Control
from perform.learning.targets import LearnTarget
from perform.scenes.show import BINDINGS

KNOB = re.compile(
    r"\b(?:pickup|scaling|said)\(\s*"
    rf"""(?P<signal>(?:{"|".join(MOVED_FAMILIES)})(?:\.\w+|\[\s*(?:"[^"]*"|'[^']*')\s*\])+)(?=\s*,)"""
)


def formula(
    target: LearnTarget,
    control: Control,
    now: float | None = None,
    takeover: Takeover = "pickup",
    press: Press = "",
) -> str:
    """The text of a formula by which `control` plays `target`.

    `now` is the parameter's present value (None: the preset's), which stays until the control takes over. A
    button flips a switch, fires an event, and holds a number at its high end while it is down; `press`
    chooses another of these for a switch or a number.
    """
    value = target.constant if now is None else now
    kind = target.parameter.kind
    if kind == "event":
        return _with_binding(target, "max({0}, {1})", _pressed(control))
    if kind == "bool":
        return _with_binding(target, "({0}) != ({1})", _switch(control, value, press))
    if control.button:
        return _by_button(target, control, value, press)
    return _with_other_knob(target, control) or _by_knob(target, control, value, takeover)


def _pressed(control: Control) -> str:
    middle = (control.low + control.high) / 2
    return f"{control.signal} > {_format(0.0 if control.button else middle)}"


def _switch(control: Control, value: float, press: Press) -> str:
    if not control.button or press == "momentary":
        return _pressed(control)
    return f"toggle({control.signal})" if value <= 0.5 else f"1 - toggle({control.signal})"


def _by_button(target: LearnTarget, control: Control, value: float, press: Press) -> str:
    """A number by a button: its present value, and the high end while the button is down."""
    down = f"toggle({control.signal})" if press == "toggle" else control.signal
    other = target.high if value < target.high else target.low
    if (value, other) == (0.0, 1.0):
        return down
    return f"mix({_format(value)}, {_format(other)}, {down})"


def _with_other_knob(target: LearnTarget, control: Control) -> str | None:
    """The present formula with another knob, so that the rest of it stays."""
    setting = target.setting
    if not isinstance(setting, Formula) or (control.low, control.high) != (0.0, 1.0):
        return None
    found = KNOB.search(setting.text)
    if found is None:
        return None
    return setting.text[: found.start("signal")] + control.signal + setting.text[found.end("signal") :]


def _by_knob(target: LearnTarget, control: Control, value: float, takeover: Takeover) -> str:
    """A number by a knob."""
    slope = (target.high - target.low) / (control.high - control.low)
    at_zero = target.low - control.low * slope
    position = min(max((value - at_zero) / slope, control.low), control.high)
    plain = (control.low, control.high) == (0.0, 1.0)  # which value scaling needs
    function = "said" if takeover == "none" else takeover if plain else "pickup"
    knob = f"{function}({control.signal}, {_format(position)})"
    ends = _format(at_zero), _format(at_zero + slope)
    return knob if ends == ("0", "1") else f"scale({knob}, {ends[0]}, {ends[1]})"


def _with_binding(target: LearnTarget, both: str, learned: str) -> str:
    """The learned formula together with the show's own binding to a key or OSC."""
    table, _, name = target.key.partition(".")
    return both.format(BINDINGS[name], learned) if table == "bindings" and name in BINDINGS else learned


def _format(value: float) -> str:
    text = f"{value:.6g}"
    return "0" if text == "-0" else text
