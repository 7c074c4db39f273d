"""The operator's window: the picture, the preview of the free deck, and what the show is doing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from perform.outputs.window.help import ACCENT, GROUND, page
from perform.render.present import Present
from perform.render.strips import Region
from perform.scenes.look import Look
from perform.show.status import Status, StatusMeter

if TYPE_CHECKING:
    import moderngl

    from perform.rig import Rig

LETTERS = 40  # of a line of text
LABELS = 8  # letters of them for what it is
DENSE = 900  # pixels of a window's height, from one and a half of which on letters are larger
REFRESH = 0.25  # seconds between two texts
MARGIN = 12  # pixels around everything
METER = 8  # pixels, its height
BEATS = 4
DIM = (64, 66, 70)


class OperatorView:
    """Draws the operator's window in its context, which is that of the show's images, of which the canvas has
    `canvas` (width, height)."""

    def __init__(self, context: moderngl.Context, canvas: tuple[int, int]) -> None:
        self._context, self._canvas = context, canvas
        self._present = Present(context, canvas)
        self._meter = StatusMeter()
        self._status = Status()
        self._written: object = None  # what the text says
        self._due = 0.0
        self._text: moderngl.Texture | None = None
        self._rig: Rig | None = None

    def watch(self, rig: Rig) -> None:
        """Show the state of a rig, and the preview of its free deck, from now on."""
        self._rig = rig
        rig.performance.viewers += 1

    def show(self, image: moderngl.Texture, size: tuple[int, int], look: Look) -> None:
        """Draw into the window, which is of `size` (width, height) in pixels."""
        screen = self._context.screen
        screen.use()
        self._bar((0, 0, *size), GROUND)
        text = self._drawn_text(max(1, round(size[1] / DENSE)))
        panel = min(text.width + 2 * MARGIN, size[0] // 2)
        room = MARGIN, MARGIN, size[0] - panel - MARGIN, size[1] - 2 * MARGIN
        self._present.draw(image, screen, fitted_into(room, self._canvas), look)
        right = size[0] - panel
        self._present.draw(text, screen, (right, MARGIN + 4 * METER, text.width, text.height), Look())
        self._meters((right + MARGIN, MARGIN, panel - 2 * MARGIN, METER))
        above = MARGIN + 4 * METER + text.height
        preview = self._rig.performance.preview if self._rig else None
        if preview and size[1] - above > 2 * MARGIN:
            room = right, above, panel - MARGIN, size[1] - above - MARGIN
            self._present.draw(preview, screen, fitted_into(room, self._canvas), Look())

    def release(self) -> None:
        """Release what it draws with."""
        self._present.release()
        if self._text:
            self._text.release()

    def _drawn_text(self, density: int) -> moderngl.Texture:
        """The text as a texture, drawn again when it is another; its letters are `density` times as large."""
        rig = self._rig
        if rig and rig.moment and rig.moment.seconds >= self._due:
            self._due = rig.moment.seconds + REFRESH
            self._status = self._meter.status(rig)
        written = lines(self._status), cut(self._status.notice, LETTERS), density
        if self._text is None or written != self._written:
            self._written = written
            pixels = page(*written, LETTERS)
            size = pixels.shape[1], pixels.shape[0]
            if self._text and self._text.size != size:
                self._text.release()
                self._text = None
            self._text = self._text or self._context.texture(size, 3, alignment=1)
            self._text.write(np.flipud(pixels).tobytes(), alignment=1)
        return self._text

    def _meters(self, place: Region) -> None:
        """The level of the sound as a bar, and above it the beats of the bar."""
        left, bottom, width, height = place
        level = min(max(self._status.level, 0.0), 1.0)
        self._bar((left, bottom, max(round(width * level), 1), height), ACCENT)
        now = int(self._rig.moment.bar % 1 * BEATS) if self._rig and self._rig.moment else 0
        each = width // BEATS
        for beat in range(BEATS):
            shade = ACCENT if beat == now else DIM
            self._bar((left + beat * each, bottom + 2 * height, each - height, height), shade)

    def _bar(self, place: Region, colour: tuple[int, int, int]) -> None:
        red, green, blue = (one / 255 for one in colour)
        self._context.screen.clear(red, green, blue, 1.0, viewport=place)


def lines(status: Status) -> list[tuple[str, str]]:
    """The text beside the picture, as (what it is, what it says)."""
    rates = [status.display_fps, status.picture_fps]
    numbers = ["–" if rate is None else f"{rate:.0f}" for rate in rates]
    rows = [
        ("cue", f"{status.cue}/{status.cues}: {status.cue_title}"),
        ("notes", status.notes),
        ("next", status.next_scene),
        ("tempo", f"{status.bpm:.1f} bpm, {status.source}"),
        ("frames", f"{numbers[0]}/s, pictures {numbers[1]}/s"),
        ("master", " ".join([f"{status.master:.0%}", *status.switches])),
        ("devices", ill if (ill := ", ".join(_ill(status))) else "ok"),
    ]
    return [(name.ljust(LABELS), cut(text, LETTERS - LABELS - 3)) for name, text in rows]


def _ill(status: Status) -> list[str]:
    return [health.detail or name for name, health in status.devices if health.state != "ok"]


def cut(text: str, most: int) -> str:
    """A text of at most so many letters."""
    return text if len(text) <= most else f"{text[: most - 1]}…"


def fitted_into(room: Region, shape: tuple[int, int]) -> Region:
    """The largest place of a shape (width, height) in the middle of a room."""
    left, bottom, width, height = room
    factor = max(min(width / shape[0], height / shape[1]), 1 / min(shape))
    across, up = max(round(shape[0] * factor), 1), max(round(shape[1] * factor), 1)
    return left + max(width - across, 0) // 2, bottom + max(height - up, 0) // 2, across, up
