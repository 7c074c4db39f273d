"""The operator's window: the picture, the preview of the free deck, and what the show is doing."""

from __future__ import annotations

import logging
from textwrap import wrap
from typing import TYPE_CHECKING

import numpy as np

from perform.outputs.window.help import ACCENT, CELL, COLUMN_GAP, GROUND, page
from perform.render.present import Present
from perform.render.strips import Region
from perform.scenes.look import Look
from perform.show.status import Status, StatusMeter

if TYPE_CHECKING:
    import moderngl

    from perform.rig import Rig

LETTERS = 44  # of a line of text
MOST_LINES = 4  # lines of a text that is longer
LABELS = 8  # letters of them for what it is
DENSE = 900  # pixels of a window's height, from one and a half of which on letters are larger
FAULT_TIME = 30.0  # seconds for which a fault stays
REFRESH = 0.25  # seconds between two texts
MARGIN = 12  # pixels around everything
METER = 8  # pixels, its height
BEATS = 4
DIM = (64, 66, 70)
CARD_KEYS = (("E", "edit the displays; and back"), ("H", "list the keys"), ("Esc Esc", "leave"))


class LastFault(logging.Handler):
    """The last error of the log."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self._fault, self._shown, self._until = "", "", 0.0

    def emit(self, record: logging.LogRecord) -> None:
        self._fault = " ".join(record.getMessage().split())

    def text(self, seconds: float) -> str:
        """What to show at this time of the show: the newest error, for `FAULT_TIME`."""
        if self._fault:
            self._shown, self._fault, self._until = self._fault, "", seconds + FAULT_TIME
        return self._shown if seconds < self._until else ""


class OperatorView:
    """Draws the operator's window in its context, which is that of the show's images, of which the canvas has
    `canvas` (width, height). Without a rig it lists the keys of the test cards; `notice` stands below."""

    def __init__(self, context: moderngl.Context, canvas: tuple[int, int]) -> None:
        self._context, self._canvas = context, canvas
        self._present = Present(context, canvas)
        self._meter = StatusMeter()
        self._status = Status()
        self._written: object = None  # what the text says
        self._due = 0.0
        self._text: moderngl.Texture | None = None
        self._rig: Rig | None = None
        self._faults = LastFault()
        self.notice = ""

    def watch(self, rig: Rig) -> None:
        """Show the state of a rig, and the preview of its free deck, from now on."""
        self._rig = rig
        rig.performance.viewers += 1
        logging.getLogger("perform").addHandler(self._faults)

    def show(self, image: moderngl.Texture, size: tuple[int, int], look: Look) -> None:
        """Draw into the window, which is of `size` (width, height) in pixels."""
        screen = self._context.screen
        screen.use()
        self._bar((0, 0, *size), GROUND)
        density = max(1, round(size[1] / DENSE))
        text, margin = self._drawn_text(density), MARGIN * density
        panel = min(text.width, size[0] // 2)
        room = margin, margin, size[0] - panel - margin, size[1] - 2 * margin
        self._present.draw(image, screen, fitted_into(room, self._canvas), look)
        right, width = size[0] - panel, panel - 2 * margin
        if self._rig:
            self._meters((right + margin, margin, width, METER))
        low = margin + 3 * METER
        height = min(width * self._canvas[1] // self._canvas[0], size[1] - low - text.height - margin)
        preview = self._rig.performance.preview if self._rig else None
        if preview and height > 0:
            room = right + margin, size[1] - margin - height, width, height
            self._present.draw(preview, screen, fitted_into(room, self._canvas), Look())
        top = size[1] - max(margin + height, 0)  # below the preview, where it stays also without one
        place = right, max(top - text.height, low), text.width, text.height
        self._present.draw(text, screen, place, Look())

    def release(self) -> None:
        """Release what it draws with."""
        logging.getLogger("perform").removeHandler(self._faults)
        self._present.release()
        if self._text:
            self._text.release()

    def _drawn_text(self, density: int) -> moderngl.Texture:
        """The text as a texture, drawn again when it is another; its letters are `density` times as large."""
        rig = self._rig
        if rig and rig.moment and rig.moment.seconds >= self._due:
            self._due = rig.moment.seconds + REFRESH
            self._status = self._meter.status(rig)
            self.notice = self._status.notice or self._faults.text(rig.moment.seconds)
        rows = lines(self._status) if rig else [(key.ljust(LABELS), what) for key, what in CARD_KEYS]
        written = rows, "\n".join(_broken(self.notice, LETTERS)), density
        if self._text is None or written != self._written:
            self._written = written
            pixels = page(*written, LETTERS, MARGIN / CELL[0])
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
        ("next", status.next_scene),
        ("tempo", f"{status.bpm:.1f} bpm, {status.source}"),
        ("frames", f"{numbers[0]}/s, pictures {numbers[1]}/s"),
        ("master", " ".join([f"{status.master:.0%}", *status.switches])),
        ("devices", ", ".join(dict.fromkeys(_ill(status))) or "ok"),
        ("notes", status.notes),  # last, since they are of any length
    ]
    return [line for name, text in rows if text for line in _wrapped(name, text)]


def _wrapped(name: str, text: str) -> list[tuple[str, str]]:
    """A text as lines, the first of which has its name."""
    first, *rest = _broken(text, LETTERS - LABELS - COLUMN_GAP) or [""]
    return [(name.ljust(LABELS), first), *((" " * LABELS, line) for line in rest)]


def _broken(text: str, width: int) -> list[str]:
    """A text as at most `MOST_LINES` lines."""
    return wrap(text, width, max_lines=MOST_LINES, placeholder="…")


def _ill(status: Status) -> list[str]:
    return [health.detail or name for name, health in status.devices if health.state != "ok"]


def fitted_into(room: Region, shape: tuple[int, int]) -> Region:
    """The largest place of a shape (width, height) in the middle of a room."""
    left, bottom, width, height = room
    factor = max(min(width / shape[0], height / shape[1]), 1 / min(shape))
    across, up = max(round(shape[0] * factor), 1), max(round(shape[1] * factor), 1)
    return left + max(width - across, 0) // 2, bottom + max(height - up, 0) // 2, across, up
