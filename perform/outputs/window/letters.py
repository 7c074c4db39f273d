"""Letters drawn with a pen: a small alphabet as strokes, and their picture at any size.

Every letter is a line of strokes on a grid 4 wide and 8 high (descenders 0..2, baseline 2, x-height 6,
capitals 8); a stroke is a row of points xy, and `~` rounds its corners. So the help needs no font
file, and is as sharp on a dense display as on a coarse one.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Coverage = NDArray[np.float32]
Points = NDArray[np.float64]

CELL = (6, 14)  # width and height of a letter with its space, in units of the grid
BELOW = 3  # units under the lowest point of a letter
PEN, DOT = 0.9, 1.3  # units: the width of a line, and of a point
UNKNOWN = "02084842 0242"  # a box, for letters that are not here

STROKES = {
    "A": "022842 1434", "B": "0208 ~08484505 ~05454202", "C": "~474808024243", "D": "0208 ~08484202",
    "E": "48080242 0535", "F": "480802 0535", "G": "~474808024245 4525", "H": "0208 4248 0545",
    "I": "2228 1232 1838", "J": "~48420204", "K": "0208 480542", "L": "080242", "M": "0208254842",
    "N": "02084248", "O": "~050848420205", "P": "0208 ~08484505", "Q": "~050848420205 2441",
    "R": "0208 ~08484505 2542", "S": "~4748080545420203", "T": "0848 2228", "U": "~08024248",
    "V": "082248", "W": "0812263248", "X": "0248 0842", "Y": "082548 2522", "Z": "08480242",
    "a": "~46060242 4642", "b": "0802 ~06464202", "c": "~454606024243", "d": "4842 ~46060242",
    "e": "0444 ~444606024243", "f": "~381812 0636", "g": "~46060242 ~464000", "h": "0208 ~064642",
    "i": "162622 1232 2828", "j": "1636 ~363010 3838", "k": "0208 460442", "l": "1828 ~282242",
    "m": "0206 ~062622 ~264642", "n": "0206 ~064642", "o": "~040646420204", "p": "0006 ~06464202",
    "q": "4046 ~46060242", "r": "0206 ~04064645", "s": "~4546060444420203", "t": "~181242 0636",
    "u": "~060242 4642", "v": "062246", "w": "0612253246", "x": "0246 0642", "y": "0622 4610",
    "z": "06460242", "0": "~050848420205 1436", "1": "172822 1232", "2": "~0708484502 0242",
    "3": "~0708484525 ~2545420203", "4": "3832 380444", "5": "480805 ~0646420203", "6": "~47480802424505",
    "7": "084812", "8": "~250508484525 ~250502424525", "9": "~03024248080545", ".": "2222", ",": "2221",
    ":": "2222 2525", ";": "2525 2221", "!": "2824 2222", "?": "~070848452524 2222", "'": "2826",
    '"': "1816 3836", "(": "~38161432", ")": "~18363412", "[": "38181232", "]": "18383212",
    "{": "~382825 ~2515 ~252232", "}": "~182825 ~2535 ~252212", "/": "0148", "\\": "0841", "|": "2129",
    "-": "1535", "+": "0545 2327", "=": "0444 0646", "_": "0141", "*": "2327 1436 1634",
    "#": "1218 3238 0444 0646", "%": "0248 0808 4242", "&": "~4206183836040232 3244", "^": "162836",
    "<": "460442", ">": "064402", "`": "1827", "~": "~04153546", "$": "~4748080545420203 2129",
    "@": "~351513333533 ~3343480802", "–": "0545", "×": "0347 0743", "·": "2525", "…": "0202 2222 4242",
    "→": "0545 274523", "←": "0545 270523", "↑": "2228 062846", "↓": "2228 042244", " ": "",
}  # fmt: skip


def _line(stroke: str) -> Points:
    """The points [n, 2] of a stroke, its corners cut three times (Chaikin 1974) where it is a round one."""
    digits = stroke.removeprefix("~")
    points = np.array([(int(x), int(y)) for x, y in zip(digits[::2], digits[1::2], strict=True)], float)
    for _ in range(3 if stroke.startswith("~") else 0):
        before, after = points[:-1], points[1:]
        cut = np.stack([0.75 * before + 0.25 * after, 0.25 * before + 0.75 * after], axis=1).reshape(-1, 2)
        points = np.concatenate([points[:1], cut[1:-1], points[-1:]])
    return points


def _distance(place: Points, line: Points) -> NDArray[np.float64]:
    """From places [h, w, 2] to the nearest point of a line [n, 2], in units."""
    nearest = np.full(place.shape[:2], np.inf)
    for start, end in pairwise(line):
        along = end - start
        share = np.clip((place - start) @ along / max(along @ along, 1e-9), 0, 1)
        nearest = np.minimum(nearest, np.linalg.norm(place - start - share[..., None] * along, axis=-1))
    return nearest


@lru_cache(maxsize=1024)
def letter(character: str, unit: float) -> Coverage:
    """How far the pen covers each pixel, 0..1, [14 * unit, 6 * unit]; top row first."""
    width, height = (round(side * unit) for side in CELL)
    x = (np.arange(width) + 0.5) / unit - 1
    y = CELL[1] - BELOW - (np.arange(height) + 0.5) / unit
    place = np.stack(np.meshgrid(x, y), axis=-1)
    covered = np.zeros((height, width))
    for points in map(_line, STROKES.get(character, UNKNOWN).split()):
        pen = DOT if np.ptp(points, axis=0).max() == 0 else PEN
        covered = np.maximum(covered, np.clip(0.5 + (pen / 2 - _distance(place, points)) * unit, 0, 1))
    return covered.astype(np.float32)


def line(text: str, unit: float) -> Coverage:
    """A line of text [14 * unit, 6 * unit * letters], every letter as wide as the next."""
    return np.concatenate([letter(one, unit) for one in text or " "], axis=1)
