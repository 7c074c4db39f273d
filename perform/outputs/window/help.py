"""The keys on the operator's screen: a window of its own, never part of the picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, TypeAlias

import glfw
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from perform import paths
from perform.arrays import Pixels
from perform.outputs.window.displays import Display, attempt
from perform.outputs.window.handles import WindowHandle, current, hints

if TYPE_CHECKING:
    import moderngl

Rows: TypeAlias = Sequence[tuple[str, str]]

GROUND, TEXT, ACCENT = (16, 17, 20), (196, 199, 204), (94, 200, 212)
FONT = "fonts/DejaVuSansMono.ttf"
CELL = (10, 24)  # pixels of a letter with its line, on a display of ordinary density
FONT_SIZE = 16.61  # pixels: a letter is 0.602 of it wide
BASELINE = 17  # pixels from the top of a line
MARGIN = 4  # letters, on every side
COLUMN_GAP = 3  # letters between the columns
CORNER = (40, 24)  # units of the desktop from the display's corner to that of the page
NOTE_WIDTH = 28  # letters: room for the note


def page(rows: Rows, note: str = "", density: float = 1.0, wide: int = 0, margin: float = MARGIN) -> Pixels:
    """The keys in one column and what they do in the next, a note below; [height, width, 3].

    `density` is the display's, `wide` the least width of the text and `margin` its distance from the edges,
    both in letters.
    """
    keys = max((len(key) for key, _ in rows), default=0)
    notes = note.split("\n")
    text = max([wide, *map(len, notes), *(keys + COLUMN_GAP + len(what) for _, what in rows)])
    across, down = CELL[0] * density, CELL[1] * density
    size = round((text + 2 * margin) * across), round((len(rows) + 1 + len(notes) + margin) * down)
    picture = Image.new("RGB", size, GROUND)
    draw = ImageDraw.Draw(picture)
    font = ImageFont.truetype(paths.shipped() / FONT, FONT_SIZE * density)

    def write(text: str, line: float, column: float, colour: tuple[int, int, int]) -> None:
        place = (margin + column) * across, (margin / 2 + line) * down + BASELINE * density
        draw.text(place, text, colour, font, anchor="ls")

    for line, (key, what) in enumerate(rows):
        write(key, line, 0, ACCENT)
        write(what, line, keys + COLUMN_GAP, TEXT)
    for line, words in enumerate(notes, len(rows) + 1):
        write(words, line, 0, ACCENT)
    return np.array(picture)


class Help:
    """The window of the keys: hidden until it is shown, drawn again only when it changed.

    It is opened hidden, with the picture's window, because making a context takes longer than a
    frame. `attach` gives the context that is current; `pressed` gets the keys, as that of the picture's
    window does.
    """

    def __init__(
        self, title: str, rows: Rows, attach: Callable[[], moderngl.Context], pressed: Callable[..., None]
    ) -> None:
        self._rows, self._note = rows, ""
        self._room: tuple[int, int] | None = None  # of the display that it is on, below its corner
        hints(visible=False, resizable=False, focus_on_show=False, auto_iconify=False)
        self._window: WindowHandle = attempt(glfw.create_window, 64, 64, f"{title} – keys", None, None)
        with current(self._window):
            glfw.swap_interval(0)  # it must not make the picture wait
            self._context = attach()
        self._stale = True
        self._page()  # loads the font now, not during the show
        glfw.set_key_callback(self._window, pressed)
        glfw.set_window_refresh_callback(self._window, self._redraw)
        glfw.set_window_content_scale_callback(self._window, self._redraw)
        glfw.set_framebuffer_size_callback(self._window, self._redraw)

    @property
    def shown(self) -> bool:
        """Whether it is visible."""
        return bool(self._window and glfw.get_window_attrib(self._window, glfw.VISIBLE))

    def show(self, display: Display) -> None:
        """Show it in the upper left of a display."""
        if glfw.get_platform() != glfw.PLATFORM_WAYLAND:  # there windows are placed by the desktop
            left, top = display.position
            glfw.set_window_pos(self._window, left + CORNER[0], top + CORNER[1])
        self._room = display.size[0] - CORNER[0], display.size[1] - CORNER[1]
        glfw.show_window(self._window)
        self._stale = True

    def hide(self) -> None:
        """Hide it."""
        glfw.hide_window(self._window)

    def notify(self, note: str) -> None:
        """Show a line below the keys; an empty one removes it."""
        self._stale |= note != self._note
        self._note = note

    def draw(self) -> None:
        """Draw what changed; the context that was current is current again."""
        if not self.shown:
            return
        if glfw.window_should_close(self._window):
            glfw.set_window_should_close(self._window, False)
            self.hide()
        elif self._stale:
            self._stale = False
            with current(self._window):
                self._draw()

    def close(self) -> None:
        """Close it; safe to call twice."""
        if self._window:
            glfw.destroy_window(self._window)
            self._window = None

    def _draw(self) -> None:
        picture = self._page()
        height, width = picture.shape[:2]
        self._fit(width, height)
        drawn = self._context.texture((width, height), 3, np.flipud(picture).tobytes(), alignment=1)
        source = self._context.framebuffer([drawn])
        for _ in range(2):  # both buffers, so that a later swap does not bring back an old one
            self._context.copy_framebuffer(self._context.detect_framebuffer(0), source)
            glfw.swap_buffers(self._window)
        source.release()
        drawn.release()

    def _page(self) -> Pixels:
        """The page, as large as the display wants its letters, or smaller, so that all of it is there."""
        density, _ = glfw.get_window_content_scale(self._window)
        note = "\n".join(wrap(self._note, max([NOTE_WIDTH, *(len(what) for _, what in self._rows)])))
        if self._room:
            height, width = page(self._rows, note, 1.0, NOTE_WIDTH).shape[:2]
            units, pixels = glfw.get_window_size(self._window), glfw.get_framebuffer_size(self._window)
            most = min(self._room[0] / width, self._room[1] / height) * pixels[0] / max(units[0], 1)
            density = min(density, most)
        return page(self._rows, note, density, NOTE_WIDTH)

    def _fit(self, width: int, height: int) -> None:
        """The window as large as the page, which is in pixels, the window in the desktop's units."""
        units, pixels = glfw.get_window_size(self._window), glfw.get_framebuffer_size(self._window)
        density = pixels[0] / max(units[0], 1)
        if pixels != (width, height):
            glfw.set_window_size(self._window, round(width / density), round(height / density))

    def _redraw(self, *_: object) -> None:
        self._stale = True
