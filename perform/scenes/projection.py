"""How one display of a venue shows the canvas: values alone, which `render/projection.py` draws.

The picture goes through them in this order: the `part` of the canvas is turned and mirrored, corrected in
colour, softened at its edges, bent by the mesh, and pinned by its corners; then masks hide parts of the
display.

Coordinates are 0..1 from the lower left: of the canvas for `part`; of the picture before mesh and corner pin
for `blend`, so that a soft edge follows the picture; of the display for corners and masks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import numpy as np

from perform.arrays import Doubles

Point: TypeAlias = tuple[float, float]
Corners: TypeAlias = tuple[Point, Point, Point, Point]  # lower left, lower right, upper right, upper left
Mesh: TypeAlias = tuple[tuple[Point, ...], ...]  # rows of points, the lowest row first
ShownPart: TypeAlias = tuple[float, float, float, float]  # left, bottom, width, height, of the canvas

WHOLE: ShownPart = (0.0, 0.0, 1.0, 1.0)
SQUARE: Corners = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))
LONGEST_DELAY = 0.5  # seconds
NEUTRAL_KELVIN = 6504.0
LEAST_TURN = 1e-6  # of three corners, as twice the area that they span; flatter ones have no picture


@dataclass(frozen=True, slots=True)
class EdgeBlend:
    """The widths of the soft edges, as parts of the picture's width or height, 0..1, and the `gamma` of the
    projector's light. Where two projectors overlap by their widths, their light sums to that of one."""

    left: float = 0.0
    right: float = 0.0
    bottom: float = 0.0
    top: float = 0.0
    gamma: float = 2.2

    @property
    def is_plain(self) -> bool:
        """Whether no edge is soft."""
        return not (self.left or self.right or self.bottom or self.top)


@dataclass(frozen=True, slots=True)
class Mask:
    """A polygon of the display, black inside, or outside if inverted. The black part stays black; beside it
    the light rises over `feather`, a part of the display's height."""

    points: tuple[Point, ...]
    feather: float = 0.0
    invert: bool = False


@dataclass(frozen=True, slots=True)
class ColourCorrection:
    """Of encoded values, in this order: `contrast` 0..4 around the middle, `brightness` -1..1 that is added,
    `gamma` 0.3..3 (more is lighter), and the gains of red, green and blue that make its `white`."""

    brightness: float = 0.0
    contrast: float = 1.0
    gamma: float = 1.0
    white: tuple[float, float, float] = (1.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class Projection:
    """What a display shows of the canvas, and how.

    `part` is left, bottom, width and height of what it shows. It fills the picture; the whole canvas, without
    corner pin or mesh, is cropped to the display's shape. `rotation` turns the picture to the left, in
    degrees; `flip` mirrors it, for rear projection. `corners` are where the corners of the picture are, which
    may be outside of the display; `mesh` has rows of points of a smooth surface, 2x2 or more, where they are
    before the corner pin.
    """

    part: ShownPart = WHOLE
    rotation: Literal[0, 90, 180, 270] = 0
    flip: bool = False
    corners: Corners = SQUARE
    mesh: Mesh = ()
    blend: EdgeBlend = field(default_factory=EdgeBlend)
    masks: tuple[Mask, ...] = ()
    colour: ColourCorrection = field(default_factory=ColourCorrection)

    @property
    def is_warped(self) -> bool:
        """Whether corner pin or mesh move the picture."""
        return self.corners != SQUARE or bool(self.mesh)

    @property
    def is_plain(self) -> bool:
        """Whether there is nothing to do: the picture is shown as it is."""
        neutral = self.blend.is_plain and not self.masks and self.colour == ColourCorrection()
        upright = self.part == WHOLE and self.rotation == 0 and not self.flip
        return neutral and upright and not self.is_warped

    def faults(self) -> list[str]:
        """What of its geometry cannot be drawn, as `key: what, what is allowed`; it is drawn black then."""
        found = []
        if not (np.isfinite(self.part).all() and min(self.part[2:]) > 0):
            found.append(f"part: {self.part[2]:g} wide, {self.part[3]:g} high, both must be above 0")
        if homography(self.corners) is None:
            found.append(
                "corners: the sides cross, or a corner points inwards; must be lower left, lower right, upper"
                " right, upper left of a picture without a dent"
            )
        columns = {len(row) for row in self.mesh}
        if self.mesh and (len(self.mesh) < 2 or len(columns) > 1 or min(columns) < 2):
            found.append("mesh: must be at least 2 rows of at least 2 points, all rows of one length")
        elif self.mesh and not np.isfinite(self.mesh).all():
            found.append("mesh: must be numbers")
        found += [
            f"masks[{number}]: {len(mask.points)} points, must be 3 or more"
            for number, mask in enumerate(self.masks)
            if len(mask.points) < 3
        ]
        return found


def homography(corners: Corners) -> Doubles | None:
    """The matrix [3, 3] that maps the square 0..1 to four corners and keeps straight lines straight; None if
    they are not the corners of a convex quadrilateral.

    Source: Heckbert, Fundamentals of texture mapping and image warping, 1989, section 2.2.3.
    """
    points = np.array(corners, np.float64)
    if not np.isfinite(points).all():
        return None
    sides = np.roll(points, -1, 0) - points
    after = np.roll(sides, -1, 0)
    turns = sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0]
    if abs(turns).min() < LEAST_TURN or len(set(np.sign(turns))) > 1:
        return None
    first, second, third, fourth = points
    bent = first - second + third - fourth
    g, h = np.linalg.solve(np.stack([second - third, fourth - third], 1), bent)
    right, up = second - first + g * second, fourth - first + h * fourth
    return np.array([[right[0], up[0], first[0]], [right[1], up[1], first[1]], [g, h, 1.0]])


def white_gains(kelvin: float) -> tuple[float, float, float]:
    """The gains of red, green and blue for a white of a colour temperature, 1667..25000 K; none is above 1,
    and 6504 K changes nothing. They are for encoded values.

    Source: the Planckian locus of Kang et al., Design of advanced color temperature control system for HDTV
    applications, 2002; the primaries of sRGB (IEC 61966-2-1); the whole relative to the locus at 6504 K.
    """
    light = _locus_light(kelvin) / _locus_light(NEUTRAL_KELVIN)
    red, green, blue = (np.maximum(light / light.max(), 0.0) ** (1 / 2.2)).tolist()
    return red, green, blue


def _locus_light(kelvin: float) -> Doubles:
    """The linear red, green and blue [3] of a black body's light."""
    if not 1667 <= kelvin <= 25000:
        raise ValueError(f"{kelvin:g} K, must be 1667 to 25000")
    t = 1000 / kelvin
    if kelvin <= 4000:
        x = -0.2661239 * t**3 - 0.2343589 * t**2 + 0.8776956 * t + 0.179910
    else:
        x = -3.0258469 * t**3 + 2.1070379 * t**2 + 0.2226347 * t + 0.240390
    if kelvin <= 2222:
        y = -1.1063814 * x**3 - 1.34811020 * x**2 + 2.18555832 * x - 0.20219683
    elif kelvin <= 4000:
        y = -0.9549476 * x**3 - 1.37418593 * x**2 + 2.09137015 * x - 0.16748867
    else:
        y = 3.0817580 * x**3 - 5.87338670 * x**2 + 3.75112997 * x - 0.37001483
    to_rgb = np.array([[3.2406, -1.5372, -0.4986], [-0.9689, 1.8758, 0.0415], [0.0557, -0.2040, 1.0570]])
    light: Doubles = to_rgb @ np.array([x / y, 1.0, (1 - x - y) / y])
    return light
