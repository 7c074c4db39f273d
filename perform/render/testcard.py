"""Test cards: what a technician sees while displays are set up, at the pixels of a display or a canvas.

The outermost pixels are a white frame; circles show a wrong shape, and lines that are not alike a display
that scales. A hand turns around the large circle once a second, so that a photograph of two displays shows
how late one is: a tick is 20 ms. A line crosses the card in two seconds; where it is broken, the display
tears.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from perform.arrays import Pixels
from perform.render.card_drawing import (
    AXIS,
    BACKGROUND,
    BLACK,
    BOLD,
    MONO,
    WHITE,
    WRITING,
    Box,
    CardDrawing,
    Colour,
    Place,
)
from perform.render.strips import Strip
from perform.render.targets import Target

if TYPE_CHECKING:
    import moderngl

# One for each display: apart in hue, and about as bright as each other.
NUMBERED: tuple[Colour, ...] = (
    (94, 200, 212),
    (244, 162, 74),
    (150, 214, 96),
    (230, 124, 196),
    (240, 214, 84),
    (134, 156, 246),
    (240, 112, 104),
    (170, 170, 176),
)
RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)
BARS: tuple[Colour, ...] = (WHITE, (255, 255, 0), (0, 255, 255), GREEN, (255, 0, 255), RED, BLUE, BLACK)
RAMPS: tuple[Colour, ...] = (WHITE, RED, GREEN, BLUE)
NEAR_BLACK, NEAR_WHITE = (2, 4, 8, 12, 16), (253, 251, 247, 243, 239)
GREYS = 11  # of grey, from black to white
OVERLAP: Colour = (62, 66, 72)  # the ground where two displays overlap
TURN, CROSSING = 1.0, 2.0  # seconds of the hand and of the line
_MOVING = """
uniform sampler2D card;
uniform vec3 ink;
uniform vec3 dial;      // middle from the lower left, radius
uniform vec2 hand;      // where it points
uniform float swept;    // where the line is, in pixels from the left
uniform float wide;     // of both in pixels

float line(float away) { return clamp(wide / 2.0 + 0.5 - away, 0.0, 1.0); }

void main() {
    vec2 from = gl_FragCoord.xy - dial.xy;
    float along = dot(from, hand), beside = abs(dot(from, vec2(hand.y, -hand.x)));
    float pointing = line(beside / 2.0) * step(0.88 * dial.z, along) * step(along, dial.z);
    float lit = max(pointing, line(abs(gl_FragCoord.x - swept)));
    color = vec4(mix(texelFetch(card, ivec2(gl_FragCoord.xy), 0).rgb, ink, lit), 1.0);
}
"""


@dataclass(frozen=True, slots=True)
class Shown:
    """A display on a card: its number from 1, name, size in pixels, and its part of the canvas."""

    number: int
    name: str
    size: tuple[int, int]
    part: tuple[float, float, float, float]

    @property
    def colour(self) -> Colour:
        """The colour of its number."""
        return NUMBERED[(self.number - 1) % len(NUMBERED)]


@dataclass(frozen=True, slots=True)
class Drawn:
    """A card [height, width, 3] without what moves, and the dial around which its hand turns."""

    pixels: Pixels
    middle: Place
    radius: float
    colour: Colour


class Card:
    """A card that moves, as a texture. To draw one takes about a tenth of a second, so `drawn` comes from
    outside of the frame."""

    def __init__(self, context: moderngl.Context, drawn: Drawn) -> None:
        height, width, _ = drawn.pixels.shape
        self._drawn = drawn
        rows = np.ascontiguousarray(drawn.pixels[::-1])
        self._still = context.texture((width, height), 3, rows, alignment=1)
        self._target = Target(context, (width, height))
        self._strip = Strip(context, _MOVING)

    def render(self, seconds: float) -> moderngl.Texture:
        """The card at a time; its own until it renders again."""
        drawn, (width, height) = self._drawn, self._target.size
        angle = math.tau * (seconds / TURN % 1)
        (x, y), red_green_blue = drawn.middle, tuple(value / 255 for value in drawn.colour)
        self._still.use(0)
        self._strip.draw(
            self._target,
            card=0,
            ink=red_green_blue,
            dial=(x, height - y, drawn.radius),
            hand=(math.sin(angle), math.cos(angle)),
            swept=seconds / CROSSING % 1 * width,
            wide=max(min(width, height) / 360, 2.0),
        )
        return self._target.texture

    def release(self) -> None:
        """Release textures."""
        self._still.release()
        self._target.release()


def display_card(shown: Shown) -> Drawn:
    """The card of one display."""
    drawing = CardDrawing(shown.size)
    drawing.grid()
    drawing.edge_names()
    drawing.frame(shown.colour)
    unit, (width, height) = drawing.unit, shown.size
    long, short = max(shown.size) / 2, min(shown.size) / 2
    radius = max(min(short - unit / 2, long - 2.5 * unit), unit)
    drawing.dial(drawing.middle, radius)
    drawing.cross(radius / 8)
    _title(drawing, shown, radius)
    for x in (1.4 * unit, width - 1.4 * unit):
        for y in (1.4 * unit, height - 1.4 * unit):
            drawing.ring((x, y), unit, 2, AXIS)
            drawing.ring((x, y), unit / 2, 1, AXIS)
    first, second = _panels(drawing, radius)
    _colours(drawing, first)
    _greys(drawing, second)
    return Drawn(drawing.pixels(), drawing.middle, radius, shown.colour)


def canvas_card(size: tuple[int, int], displays: Sequence[Shown] = ()) -> Drawn:
    """The card of a canvas of `size` (width, height), which goes on from display to display.

    Every cell has its name, so that you find the same cell in the pictures of two projectors that overlap.
    """
    drawing = CardDrawing(size)
    boxes = [drawing.box(one.part) for one in displays]
    for number, box in enumerate(boxes):
        for other in boxes[:number]:
            drawing.fill(_shared(box, other), OVERLAP)
    for shown, box in zip(displays, boxes, strict=True):
        _numbered(drawing, shown, box)
    drawing.grid()
    drawing.cell_names()
    drawing.frame(AXIS)
    for shown, box in zip(displays, boxes, strict=True):
        drawing.outline(box, shown.colour)
    radius = max(min(size) / 2 - drawing.unit / 2, drawing.unit)
    drawing.dial(drawing.middle, radius)
    drawing.cross(drawing.unit / 2)
    return Drawn(drawing.pixels(), drawing.middle, radius, NUMBERED[0])


def _numbered(drawing: CardDrawing, shown: Shown, box: Box) -> None:
    """The number and name of a display behind the grid, and its circle."""
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    radius = max(min(box[2] - box[0], box[3] - box[1]) / 2 - drawing.unit, drawing.unit)
    drawing.ring((x, y), radius, 3, shown.colour)
    deep = _mixed(shown.colour, 0.55)
    drawing.write(str(shown.number), (x, y - 0.38 * radius), 0.8 * radius, deep, BOLD, border=False)
    drawing.write(
        shown.name,
        (x, y + 0.45 * radius),
        0.22 * radius,
        _mixed(AXIS, 0.55),
        BOLD,
        1.5 * radius,
        border=False,
    )


def _mixed(colour: Colour, share: float) -> Colour:
    """A colour, mixed with the ground."""
    red, green, blue = (round(a * share + b * (1 - share)) for a, b in zip(colour, BACKGROUND, strict=True))
    return red, green, blue


def _title(drawing: CardDrawing, shown: Shown, radius: float) -> None:
    """What a display is, in the circle: its number above the middle, its name and size below."""
    x, y = drawing.middle
    number = str(shown.number)
    drawing.write(number, (x, y - 0.48 * radius), 0.5 * radius, shown.colour, BOLD, 1.1 * radius)
    part = "  ".join(f"{round(value, 4):g}" for value in shown.part)
    lines = (
        (shown.name, 0.33, 0.13, WHITE, BOLD),
        (f"{shown.size[0]} × {shown.size[1]}", 0.54, 0.1, WRITING, BOLD),
        (f"part  {part}", 0.7, 0.06, WRITING, MONO),
    )
    for text, down, tall, colour, font in lines:
        chord = 1.7 * radius * math.sqrt(1 - down**2)
        drawing.write(text, (x, y + down * radius), tall * radius, colour, font, chord)


def _panels(drawing: CardDrawing, radius: float) -> tuple[Box, Box]:
    """The boxes at both sides of the circle, or above and below it."""
    unit, (x, y) = drawing.unit, drawing.middle
    room = max(drawing.size) / 2 - radius - 0.8 * unit  # to the names along the side
    deep = min(room, 3 * unit)
    near = radius + 0.2 * unit + (room - deep) / 2  # from the middle
    far, half = near + deep, 1.9 * unit
    if drawing.lying:
        return (x - far, y - half, x - near, y + half), (x + near, y - half, x + far, y + half)
    return (x - half, y - far, x + half, y - near), (x - half, y + near, x + half, y + far)


def _divided(box: Box, count: int, upright: bool) -> Iterator[Box]:
    """A box in `count` equal parts, from the left or from the top."""
    left, top, right, bottom = box
    for number in range(count):
        first, last = number / count, (number + 1) / count
        if upright:
            yield left, top + (bottom - top) * first, right, top + (bottom - top) * last
        else:
            yield left + (right - left) * first, top, left + (right - left) * last, bottom


def _halves(box: Box, share: float, upright: bool, gap: float) -> tuple[Box, Box]:
    """A box in two, with a gap between them; the first has `share`."""
    left, top, right, bottom = box
    if upright:
        at = top + (bottom - top) * share
        return (left, top, right, at - gap / 2), (left, at + gap / 2, right, bottom)
    at = left + (right - left) * share
    return (left, top, at - gap / 2, bottom), (at + gap / 2, top, right, bottom)


def _colours(drawing: CardDrawing, box: Box) -> None:
    """Bars of the full colours, and ramps of white, red, green and blue."""
    lying = drawing.lying
    bars, ramps = _halves(box, 0.55, not lying, drawing.unit * 0.12)
    for part, colour in zip(_divided(bars, len(BARS), lying), BARS, strict=True):
        drawing.fill(part, colour)
    for part, colour in zip(_divided(ramps, len(RAMPS), not lying), RAMPS, strict=True):
        drawing.ramp(part, colour)


def _greys(drawing: CardDrawing, box: Box) -> None:
    """Steps from black to white with their values, and what is nearly black and nearly white."""
    lying = drawing.lying
    steps, near = _halves(box, 0.5, not lying, drawing.unit * 0.12)
    for number, part in enumerate(_divided(steps, GREYS, lying)):
        value = round(255 * number / (GREYS - 1))
        drawing.fill(part, (value, value, value))
        drawing.label(str(value), part, WHITE if value < 128 else BLACK)
    for half, ground, values in zip(
        _halves(near, 0.5, lying, 0), (0, 255), (NEAR_BLACK, NEAR_WHITE), strict=True
    ):
        drawing.fill(half, (ground, ground, ground))
        for value, part in zip(
            values, _divided(_inset(half, drawing.unit * 0.15), len(values), lying), strict=True
        ):
            patch, name = _halves(part, 0.5, not lying, 0)
            drawing.fill(patch, (value, value, value))
            drawing.label(str(value), name, (96, 96, 96) if ground == 0 else (140, 140, 140))


def _inset(box: Box, by: float) -> Box:
    return box[0] + by, box[1] + by, box[2] - by, box[3] - by


def _shared(one: Box, other: Box) -> Box:
    """Where two boxes lie over each other; its right is left of its left if they do not."""
    return max(one[0], other[0]), max(one[1], other[1]), min(one[2], other[2]), min(one[3], other[3])
