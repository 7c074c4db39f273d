"""The mouse over a window, as events: an XY pad."""

from __future__ import annotations

import glfw

from perform.outputs.window.handles import WindowHandle
from perform.signals import Event

MOUSE_BUTTONS = {
    glfw.MOUSE_BUTTON_LEFT: "left",
    glfw.MOUSE_BUTTON_RIGHT: "right",
    glfw.MOUSE_BUTTON_MIDDLE: "middle",
}
WHEEL_NOTCH = 1 / 16  # of the wheel's way per notch


class Pointer:
    """`mouse.x` and `mouse.y` are 0..1 from the lower left, `mouse.left` and the other buttons 1 while they
    are down, `mouse.wheel` a wheel from 0 to 1. Outside the window it stays at the edge."""

    def __init__(self) -> None:
        self._wheel = 0.0
        self._moves: dict[str, float] = {}
        self._strokes: list[tuple[str, float]] = []

    def watch(self, window: WindowHandle) -> None:
        """Receive the events of a window."""
        glfw.set_cursor_pos_callback(window, self._moved)
        glfw.set_mouse_button_callback(window, self._clicked)
        glfw.set_scroll_callback(window, self._scrolled)

    def poll(self, until: float) -> list[Event]:
        """The events since the last call, of each button one, as of keys."""
        events, self._moves = self._moves, {}
        strokes, self._strokes = self._strokes, []
        for name, value in strokes:
            if name in events:
                self._strokes.append((name, value))
            else:
                events[name] = value
        return [Event(until, name, value) for name, value in events.items()]

    def _moved(self, window: WindowHandle, x: float, y: float) -> None:
        width, height = (max(side - 1, 1) for side in glfw.get_window_size(window))
        self._moves["mouse.x"] = min(max(x / width, 0.0), 1.0)
        self._moves["mouse.y"] = min(max(1 - y / height, 0.0), 1.0)

    def _clicked(self, _window: WindowHandle, button: int, action: int, _mods: int) -> None:
        if button in MOUSE_BUTTONS:
            self._strokes.append((f"mouse.{MOUSE_BUTTONS[button]}", float(action == glfw.PRESS)))

    def _scrolled(self, _window: WindowHandle, _across: float, up: float) -> None:
        self._wheel = min(max(self._wheel + up * WHEEL_NOTCH, 0.0), 1.0)
        self._moves["mouse.wheel"] = self._wheel
