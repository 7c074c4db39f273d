"""What test cards are drawn with: a picture with a grid, lines and circles, and sharp letters.

The cell of the grid is square and a whole number of pixels. Lines of the grid and the axes are two pixels
wide, so that the middle of an even side lies between them.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from perform import paths
from perform.arrays import Floats, Pixels

Colour: TypeAlias = tuple[int, int, int]
Box: TypeAlias = tuple[float, float, float, float]  # left, top, right, bottom in pixels
Place: TypeAlias = tuple[float, float]  # from the upper left in pixels

BOLD, MONO = "fonts/DejaVuSans-Bold.ttf", "fonts/DejaVuSansMono.ttf"
BACKGROUND, FINE, AXIS, WRITING = (26, 28, 32), (74, 78, 86), (214, 217, 222), (196, 199, 204)
WHITE, BLACK = (255, 255, 255), (0, 0, 0)
LEAST_CELLS, MOST_CELLS = 8, 14  # along the shorter side
LEAST_CELL = 16  # pixels
SMALLEST = 6  # pixels of letters
CAPITAL = 0.73  # the height of a capital, of the size of its letters
TICKS = 50  # around a dial


class CardDrawing:
    """A picture of `size` (width, height). Parts of a card are measured in its `unit`, a ninth of its shorter
    side; `cell` is that of the grid."""

    def __init__(self, size: tuple[int, int]) -> None:
        self.size = size
        self.unit = max(min(size) / 9, 4.0)
        self.middle: Place = (size[0] / 2, size[1] / 2)
        self.cell = cell(size)
        self._picture = Image.new("RGB", size, BACKGROUND)
        self._draw = ImageDraw.Draw(self._picture)

    @property
    def lying(self) -> bool:
        """Whether it is at least as wide as it is high."""
        return self.size[0] >= self.size[1]

    def pixels(self) -> Pixels:
        """What was drawn [height, width, 3]."""
        return np.array(self._picture)

    def lines(self, axis: int) -> list[int]:
        """Where the lines of the grid are, from the left (0) or the top (1): whole cells in the middle."""
        side = self.size[axis]
        return list(range(side % self.cell // 2, side + 1, self.cell))

    def box(self, part: tuple[float, float, float, float]) -> Box:
        """A part, 0..1 from the lower left, in pixels from the upper left."""
        (left, low, wide, high), (width, height) = part, self.size
        return left * width, (1 - low - high) * height, (left + wide) * width, (1 - low) * height

    def grid(self) -> None:
        """The grid, the diagonals and the axes."""
        width, height = self.size
        for rising in (False, True):
            self._diagonal(rising)
        for axis in (0, 1):
            for at in self.lines(axis):
                self._line(axis, at, FINE)
        self._line(0, width // 2, AXIS)
        self._line(1, height // 2, AXIS)

    def frame(self, colour: Colour) -> None:
        """The outermost pixels in white, the corners in a colour, and arrows to the middle of each side."""
        width, height = self.size
        for inset, ink in ((0, WHITE), (1, BLACK), (2, BLACK)):
            self._border((inset, inset, width - inset, height - inset), ink, 1)
        long, thick = round(self.unit * 0.9), max(round(self.unit / 30), 2)
        for left, x in ((3, 3), (width - 3 - long, width - 3 - thick)):
            for top, y in ((3, 3), (height - 3 - long, height - 3 - thick)):
                self.fill((left, y, left + long, y + thick), colour)
                self.fill((x, top, x + thick, top + long), colour)
        self._arrows(self.unit / 5)

    def edge_names(self) -> None:
        """The names of columns and rows along the sides: numbers and letters."""
        tall = max(self.unit * 0.19, 7)
        for axis in (0, 1):
            for number, line in enumerate(self.lines(axis)[:-1], 1):
                along = line + self.cell / 2
                if abs(along - self.middle[axis]) < self.unit / 4:  # where the arrow is
                    along += self.unit * 0.3
                for across in (tall, self.size[1 - axis] - tall):
                    place = (along, across) if axis == 0 else (across, along)
                    self.write(str(number) if axis == 0 else row_name(number), place, tall, WRITING, MONO)

    def cell_names(self) -> None:
        """The name of each cell, in its upper left corner."""
        tall = max(self.cell * 0.17, 7)
        for column, left in enumerate(self.lines(0)[:-1], 1):
            for row, top in enumerate(self.lines(1)[:-1], 1):
                name, place = f"{row_name(row)}{column}", (left + tall * 1.5, top + tall * 1.1)
                self.write(name, place, tall, WRITING, MONO)

    def dial(self, middle: Place, radius: float) -> None:
        """A large circle with ticks, each fifth one longer."""
        self.ring(middle, radius, max(self.unit / 40, 2), WHITE)
        across, down, corner = self._around(middle, radius)
        away, ink = np.hypot(across, down), np.zeros((len(down), across.size), np.float32)
        ticked = (away > radius - self.unit / 3) & (away < radius + 1)
        rows, columns = np.nonzero(ticked)
        away, turn = away[ticked], np.arctan2(across[0, columns], -down[rows, 0]) / math.tau * TICKS
        for every, long, wide in ((1, 0.1, 1.0), (5, 0.22, 2.5)):
            beside = np.abs(turn / every - np.round(turn / every)) * every / TICKS * math.tau * away
            within = np.clip(np.minimum(away - radius + long * self.unit, radius - away) + 0.5, 0, 1)
            ink[ticked] = np.maximum(ink[ticked], np.clip(wide / 2 + 0.5 - beside, 0, 1) * within)
        self._ink(ink, corner, WHITE)

    def cross(self, radius: float) -> None:
        """The middle."""
        (x, y), thick = self.middle, max(self.unit / 60, 1)
        self.fill((x - radius, y - thick, x + radius, y + thick), WHITE)
        self.fill((x - thick, y - radius, x + thick, y + radius), WHITE)
        self.ring(self.middle, radius * 0.6, 2, WHITE)

    def ring(self, middle: Place, radius: float, width: float, colour: Colour) -> None:
        """A circle of a line of `width`."""
        across, down, corner = self._around(middle, radius + width)
        away = np.abs(np.hypot(across, down) - radius)
        self._ink(np.clip(width / 2 + 0.5 - away, 0, 1), corner, colour)

    def outline(self, box: Box, colour: Colour) -> None:
        """The border of a box."""
        self._border(box, colour, max(round(self.unit / 30), 2))

    def fill(self, box: Box, colour: Colour) -> None:
        """A box of one colour, on whole pixels; none, if its right is not right of its left."""
        left, top, right, bottom = map(round, box)
        if right > left and bottom > top:
            self._draw.rectangle((left, top, right - 1, bottom - 1), colour)

    def ramp(self, box: Box, colour: Colour) -> None:
        """A box from black to a colour, along its longer side: to the right, or to the top."""
        left, top, right, bottom = map(round, box)
        shape = (max(bottom - top, 0), max(right - left, 0))
        upright = shape[0] > shape[1]
        along = np.linspace(0, 1, shape[0])[::-1, None] if upright else np.linspace(0, 1, shape[1])[None]
        values = np.broadcast_to(along, shape)[..., None] * np.array(colour)
        self._picture.paste(Image.fromarray(values.round().astype(np.uint8)), (left, top))

    def write(
        self,
        text: str,
        middle: Place,
        tall: float,
        colour: Colour,
        font: str,
        widest: float = math.inf,
        border: bool = True,
    ) -> None:
        """A text around a point, its capitals `tall`; smaller where it would be wider than `widest`. A
        border of the ground keeps lines away from it."""
        text, letters = fitting(text, font, tall, widest)
        place = round(middle[0]), round(middle[1] + letters.size * CAPITAL / 2)
        if border:
            width = max(round(letters.size / 10), 1)
            self._draw.text(place, text, BACKGROUND, letters, anchor="ms", stroke_width=width)
        self._draw.text(place, text, colour, letters, anchor="ms")

    def label(self, text: str, box: Box, colour: Colour) -> None:
        """A small text in a box, without a border."""
        middle = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
        self.write(text, middle, self.unit * 0.15, colour, MONO, (box[2] - box[0]) * 0.9, border=False)

    def _border(self, box: Box, colour: Colour, thick: int) -> None:
        left, top, right, bottom = map(round, box)
        if right > left and bottom > top:
            self._draw.rectangle((left, top, right - 1, bottom - 1), outline=colour, width=thick)

    def _line(self, axis: int, at: int, colour: Colour) -> None:
        ends = (at - 1, 0, at, self.size[1]) if axis == 0 else (0, at - 1, self.size[0], at)
        self._draw.rectangle(ends, colour)

    def _diagonal(self, rising: bool) -> None:
        """A smooth line from corner to corner: each step along the longer side lights two pixels."""
        long, short = max(self.size), min(self.size)
        along = np.arange(long)
        at = (along + 0.5) * short / long - 0.5
        first = np.floor(at).astype(int)
        ink = np.zeros((short, long), np.float32)
        for row, share in ((first, 1 - at + first), (first + 1, at - first)):
            inside = (row >= 0) & (row < short)
            ink[row[inside], along[inside]] = share[inside]
        ink = ink if self.lying else ink.T
        self._ink(ink[::-1] if rising else ink, (0, 0), FINE)

    def _arrows(self, long: float) -> None:
        (width, height), (x, y), wide = self.size, self.middle, long * 0.6
        for tip, back in ((3, 3 + long), (height - 4, height - 4 - long)):
            self._draw.polygon(((x - 0.5, tip), (x - wide, back), (x + wide - 1, back)), WHITE)
        for tip, back in ((3, 3 + long), (width - 4, width - 4 - long)):
            self._draw.polygon(((tip, y - 0.5), (back, y - wide), (back, y + wide - 1)), WHITE)

    def _around(self, middle: Place, radius: float) -> tuple[Floats, Floats, tuple[int, int]]:
        """How far pixels around a point are from it, across [1, n] and down [n, 1], and their upper left."""
        half = math.ceil(radius) + 1
        left, top = math.floor(middle[0]) - half, math.floor(middle[1]) - half
        steps = np.arange(2 * half + 1, dtype=np.float32) + 0.5
        return (
            (steps + np.float32(left - middle[0]))[None],
            (steps + np.float32(top - middle[1]))[:, None],
            (left, top),
        )

    def _ink(self, ink: Floats, corner: tuple[int, int], colour: Colour) -> None:
        """A colour where there is ink, 0..1."""
        mask = Image.fromarray((ink * 255).round().astype(np.uint8))
        self._picture.paste(colour, corner, mask)


def cell(size: tuple[int, int]) -> int:
    """The side of a square of the grid in pixels: one that divides both sides, if there is one."""
    shorter, common = min(size), math.gcd(*size)
    divide = [side for side in range(LEAST_CELL, common + 1) if common % side == 0]
    fits = [side for side in divide if LEAST_CELLS <= shorter / side <= MOST_CELLS]
    return max(fits) if fits else max(round(shorter / 9), LEAST_CELL)


def row_name(number: int) -> str:
    """The letters of a row, from 1: A to Z, then AA, AB …"""
    name = ""
    while number > 0:
        number, rest = divmod(number - 1, 26)
        name = chr(ord("A") + rest) + name
    return name


def fitting(text: str, font: str, tall: float, widest: float) -> tuple[str, ImageFont.FreeTypeFont]:
    """A text and its letters, smaller so that it is not wider than `widest`; where they cannot be smaller, it
    is cut."""
    letters = lettering(font, max(round(tall / CAPITAL), SMALLEST))
    if (wide := letters.getlength(text)) > widest:
        letters = lettering(font, max(int(letters.size * widest / wide), SMALLEST))
    while len(text) > 1 and letters.getlength(text) > widest:
        text = f"{text[:-2]}…"
    return text, letters


@lru_cache(64)
def lettering(font: str, size: int) -> ImageFont.FreeTypeFont:
    """A shipped font at a size in pixels."""
    return ImageFont.truetype(paths.shipped() / font, size)
