"""Names of keys."""

from __future__ import annotations

import glfw

KEY_NAMES = {
    glfw.KEY_SPACE: "space",
    glfw.KEY_ESCAPE: "escape",
    glfw.KEY_ENTER: "return",
    glfw.KEY_KP_ENTER: "return",
    glfw.KEY_TAB: "tab",
    glfw.KEY_BACKSPACE: "backspace",
    glfw.KEY_INSERT: "insert",
    glfw.KEY_DELETE: "delete",
    glfw.KEY_LEFT: "left",
    glfw.KEY_RIGHT: "right",
    glfw.KEY_UP: "up",
    glfw.KEY_DOWN: "down",
    glfw.KEY_PAGE_UP: "pageup",
    glfw.KEY_PAGE_DOWN: "pagedown",
    glfw.KEY_HOME: "home",
    glfw.KEY_END: "end",
    glfw.KEY_LEFT_SHIFT: "shift",
    glfw.KEY_RIGHT_SHIFT: "shift",
    glfw.KEY_MINUS: "minus",
    glfw.KEY_EQUAL: "equal",
    glfw.KEY_COMMA: "comma",
    glfw.KEY_PERIOD: "period",
} | {glfw.KEY_F1 + i: f"f{i + 1}" for i in range(12)}


def key_name(key: int, scancode: int) -> str | None:
    """A key's name: the letter on it in the layout of the person's keyboard, the digit by its place
    (on a French keyboard the digits need shift), or a word; None for keys without one."""
    if glfw.KEY_A <= key <= glfw.KEY_Z or key in (glfw.KEY_SEMICOLON, glfw.KEY_APOSTROPHE, glfw.KEY_COMMA):
        printed = glfw.get_key_name(key, scancode)
        text = printed.decode(errors="replace") if isinstance(printed, bytes) else str(printed or "")
        if len(text) == 1 and "a" <= text.lower() <= "z":
            return text.lower()
    if glfw.KEY_A <= key <= glfw.KEY_Z or glfw.KEY_0 <= key <= glfw.KEY_9:
        return chr(key).lower()
    if glfw.KEY_KP_0 <= key <= glfw.KEY_KP_9:
        return str(key - glfw.KEY_KP_0)
    return KEY_NAMES.get(key)
