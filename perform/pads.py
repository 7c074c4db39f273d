"""Gamepads: the names of what they say."""

from __future__ import annotations

STICKS = ("lx", "ly", "rx", "ry")
TRIGGERS = ("lt", "rt")
# In GLFW's order, by the layout of an Xbox pad: others have the same in the same places.
BUTTONS = (
    "a", "b", "x", "y", "lb", "rb", "back", "start", "guide", "ls", "rs", "up", "right", "down", "left",
)  # fmt: skip
NUMBERED = (  # of what has no layout that is known
    *(f"axis{number}" for number in range(1, 9)),
    *(f"button{number}" for number in range(1, 33)),
    *(f"hat{number}{way}" for number in (1, 2) for way in "xy"),
)
PLACES = range(1, 9)
SIGNALS = frozenset(
    f"pad.{place}{control}"
    for place in ("", *(f"{place}." for place in PLACES))
    for control in (*STICKS, *TRIGGERS, *BUTTONS, *NUMBERED)
)
