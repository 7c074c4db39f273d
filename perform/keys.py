"""Keyboard, mouse and gamepads: the names of their signals."""

from __future__ import annotations

KEYS = (
    *"abcdefghijklmnopqrstuvwxyz0123456789",
    *("space", "escape", "return", "tab", "backspace", "insert", "delete", "shift"),
    *("left", "right", "up", "down", "pageup", "pagedown", "home", "end"),
    *("minus", "equal", "comma", "period"),
    *(f"f{n}" for n in range(1, 13)),
)
MOUSE = ("x", "y", "left", "right", "middle", "wheel")

# Gamepads.
PAD_STICKS = ("lx", "ly", "rx", "ry")
PAD_TRIGGERS = ("lt", "rt")
# In GLFW's order, by the layout of an Xbox pad: others have the same in the same places.
PAD_BUTTONS = (
    "a", "b", "x", "y", "lb", "rb", "back", "start", "guide", "ls", "rs", "up", "right", "down", "left",
)  # fmt: skip
NUMBERED_CONTROLS = (  # of pads without a known layout
    *(f"axis{number}" for number in range(1, 9)),
    *(f"button{number}" for number in range(1, 33)),
    *(f"hat{number}{way}" for number in (1, 2) for way in "xy"),
)
PAD_PLACES = range(1, 9)
PAD_SIGNALS = frozenset(
    f"pad.{place}{control}"
    for place in ("", *(f"{place}." for place in PAD_PLACES))
    for control in (*PAD_STICKS, *PAD_TRIGGERS, *PAD_BUTTONS, *NUMBERED_CONTROLS)
)
KEY_SIGNALS = PAD_SIGNALS.union((f"key.{key}" for key in KEYS), (f"mouse.{word}" for word in MOUSE))
