"""Text as a source: letters of an open font, sharp at any size of the show.

The letters are drawn by Pillow as a mask when they change, and coloured and placed on whole pixels by the
graphics card, so that text may move and change its colour on every frame.
"""

from __future__ import annotations

import logging
import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from perform import paths
from perform.arrays import Pixels
from perform.clock import Moment
from perform.documents import SceneError, read_text
from perform.faults import reason
from perform.footage import FootageError
from perform.footage.changes import Changes
from perform.parameters import Parameter, Values
from perform.paths import check_file
from perform.render import Image
from perform.render.strips import Strip
from perform.render.targets import Target

if TYPE_CHECKING:
    import moderngl
    from PIL.ImageFont import FreeTypeFont

log = logging.getLogger("perform")
FONTS = {"sans": "fonts/DejaVuSans-Bold.ttf", "mono": "fonts/DejaVuSansMono.ttf"}
MOST_LETTERS = 2000  # letters; what is longer is cut
TALLEST = 3  # heights of the frame: lines that are farther from the middle one are never seen
LINE = 1.25  # sizes of the letters from one line to the next
NO_LETTER = "\uffff"  # which no font has
MOST_FONTS = 64  # that are kept open: one size of a font each
VALUE = re.compile(r"\{value(?::(?P<form>(?:(?!\d{3})[^{}])*))?\}")  # with numbers of two digits

TEXT = (
    Parameter(
        "text", "", kind="message", description="what is written; in it {value} or {value:.1f} is the value"
    ),
    Parameter("value", 0.0, -1e9, 1e9, description="the number that stands for {value}"),
    Parameter("size", 0.12, 0.005, 1.0, description="the size of the letters, of the frame's height"),
    Parameter("color", (1.0, 1.0, 1.0, 1.0), 0.0, 1.0, kind="color", description="its colour"),
    Parameter(
        "align",
        "center",
        kind="choice",
        choices=("left", "center", "right"),
        description="which end of the lines stands at its place",
    ),
    Parameter(
        "place",
        (0.5, 0.5),
        0.0,
        1.0,
        kind="point",
        description="where it stands: 0 0 is the lower left corner",
    ),
    Parameter("width", 0.9, 0.05, 1.0, description="a line that is wider, of the frame's width, is broken"),
    Parameter("font", "sans", kind="text", description="sans, mono, or a file of a font"),
    Parameter("file", "", kind="text", description="a text file that is shown, and again when it is saved"),
)
_WRITE = """
uniform sampler2D mask;
uniform vec4 ink;
uniform vec2 origin;  // of the mask in pixels, its lower left corner
uniform vec2 extent;  // of the mask in pixels

void main() {
    vec2 at = (gl_FragCoord.xy - origin) / extent;
    bool inside = all(greaterThanEqual(at, vec2(0.0))) && all(lessThan(at, vec2(1.0)));
    float alpha = inside ? texture(mask, vec2(at.x, 1.0 - at.y)).r * ink.a : 0.0;
    color = vec4(ink.rgb * alpha, alpha);
}
"""


@dataclass(frozen=True, slots=True)
class Lettering:
    """What letters look like: `size`, the widest line and the tallest picture in pixels."""

    words: str
    font: Path
    size: int
    widest: int
    tallest: int
    align: str

    def mask(self) -> Pixels:
        """The letters [height, width], 255 where there is ink."""
        from PIL import Image as Picture
        from PIL import ImageDraw

        font = opened(self.font, self.size)
        lines = [part for line in self.words.splitlines() for part in broken(line, font, self.widest)] or [""]
        high = round(self.size * LINE)
        unseen = max(len(lines) - self.tallest // high, 0) // 2  # at either end
        lines = lines[unseen : len(lines) - unseen]
        width = min(max(max(round(font.getlength(line)) for line in lines), 1), self.widest)
        picture = Picture.new("L", (width, high * len(lines)))
        draw = ImageDraw.Draw(picture)
        left, anchor = {"left": (0, "ls"), "right": (width, "rs")}.get(self.align, (width / 2, "ms"))
        for number, line in enumerate(lines):
            draw.text((left, high * number + self.size), line, 255, font, anchor=anchor)
        return np.asarray(picture)


@lru_cache(MOST_FONTS)
def opened(font: Path, size: int) -> FreeTypeFont:
    """A font at a size in pixels. Raises FootageError if it cannot be read."""
    from PIL import ImageFont

    if not font.exists():
        known = " and ".join(FONTS)
        raise FootageError(f"there is no such file: write the path of a font; {known} are fonts, too")
    try:
        check_file(font)
        return ImageFont.truetype(font, size)
    except (OSError, ValueError) as error:
        raise FootageError(f"{font} cannot be read as a font") from error


def without_glyph(words: str, font: Path) -> str:
    """The letters and signs of a text that a font does not have, each once."""
    seen = (one for one in dict.fromkeys(words) if unicodedata.category(one)[0] in "LNPS")
    return "".join(one for one in seen if not _has(font, one))


@lru_cache(4096)
def _has(font: Path, letter: str) -> bool:
    """Whether a letter is another picture than the box of those that a font does not have."""
    drawn, box = (opened(font, 16).getmask(one) for one in (letter, NO_LETTER))
    return drawn.size != box.size or bytes(drawn) != bytes(box)


def broken(line: str, font: FreeTypeFont, widest: float) -> list[str]:
    """A line, broken between words so that no part is wider than `widest` pixels, if it can be."""
    parts = [""]
    for word in line.split(" "):
        longer = f"{parts[-1]} {word}" if parts[-1] else word
        if parts[-1] and font.getlength(longer) > widest:
            parts.append(word)
        else:
            parts[-1] = longer
    return parts


def filled(text: str, value: float) -> str:
    """A text with a number in the place of {value}; a form that no number has stays as it is written."""

    def shown(match: re.Match[str]) -> str:
        try:
            return format(value, match["form"] or "g")
        except ValueError:
            return match[0]

    return VALUE.sub(shown, text)[:MOST_LETTERS]


def font_file(name: str) -> Path:
    """The file of a font by name or path."""
    return paths.shipped() / FONTS[name] if name in FONTS else Path(name)


def check_text(setting: str, file: str) -> None:
    """Raise FootageError if the `font`, or the `file`, of a text cannot be read."""
    if setting == "font":
        opened(font_file(file), 16)
    else:
        read_words(Path(file))


class Text:
    """Words of a preset, of a message, or of a file, as a source for images of `size` (width, height).

    Raises FootageError if the font or the file cannot be read. `watched`: the file is read again when it is
    saved.
    """

    parameters: tuple[Parameter, ...] = TEXT

    def __init__(
        self, context: moderngl.Context, size: tuple[int, int], font: str, file: str, watched: bool = False
    ) -> None:
        self._context, self.size, self._font = context, size, font_file(font)
        opened(self._font, 16)
        self._file = Path(file) if file else None
        self._from_file = read_words(self._file) if self._file else ""
        self._changes = Changes(self._file) if self._file and watched else None
        self._strip = Strip(context, _WRITE)
        self._target: Target | None = None
        self._mask: moderngl.Texture | None = None
        self._drawn: Lettering | None = None
        self._shown: Sequence[object] = ()
        self._missing = ""
        self._image(
            {parameter.name: parameter.default for parameter in TEXT}
        )  # drivers compile when they draw

    def render(self, moment: Moment, values: Values, *_images: Image) -> Image:
        """The text at this moment, on nothing."""
        return self._image(values)

    def _image(self, values: Values) -> Image:
        width, height = self.size
        words = filled(values["text"] or self._read_again(), values["value"])
        size, widest = (max(round(part), 1) for part in (values["size"] * height, values["width"] * width))
        lettering = Lettering(words, self._font, size, widest, TALLEST * height, values["align"])
        if lettering != self._drawn:
            self._draw(lettering)
        self._write(lettering, values)
        assert self._target
        return self._target.texture

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size from now on."""
        self.size = size

    def release(self) -> None:
        """Release textures; safe to call twice."""
        for thing in (self._target, self._mask):
            if thing is not None:
                thing.release()
        self._target = self._mask = None

    def _read_again(self) -> str:
        """The words of the file as they were saved last."""
        if self._file and self._changes and self._changes.seen():
            try:
                self._from_file = read_words(self._file)
            except FootageError as error:
                log.error("kept the last good text: %s", error)
        return self._from_file

    def _draw(self, lettering: Lettering) -> None:
        mask = lettering.mask()
        if self._mask:
            self._mask.release()
        self._mask = self._context.texture(mask.shape[::-1], 1, mask.tobytes(), alignment=1)
        self._mask.repeat_x = self._mask.repeat_y = False
        self._drawn = lettering
        missing = without_glyph(lettering.words, self._font)
        if missing and missing != self._missing:
            log.error("text: %s has no %s: choose a font that has", self._font.name, " ".join(missing[:8]))
        self._missing = missing

    def _write(self, lettering: Lettering, values: Values) -> None:
        """Draw the image, if it is another than before."""
        ink, (x, y) = tuple(values["color"]), values["place"]
        shown = lettering, ink, x, y, self.size
        if shown == self._shown:
            return
        if self._target is None or self._target.size != self.size:
            if self._target:
                self._target.release()
            self._target = Target(self._context, self.size)
        assert self._mask
        width, height = self._mask.size
        share = {"left": 0.0, "right": 1.0}.get(lettering.align, 0.5)
        left, low = x * self.size[0] - share * width, y * self.size[1] - height / 2
        origin = math.floor(left + 0.5), math.floor(low + 0.5)  # on whole pixels
        self._mask.use(0)
        self._strip.draw(self._target, mask=0, ink=ink, origin=origin, extent=(width, height))
        self._shown = shown


def read_words(file: Path) -> str:
    """The words of a text file. Raises FootageError."""
    try:
        return read_text(file, lenient=True).rstrip("\r\n")[:MOST_LETTERS]
    except (OSError, SceneError) as error:
        raise FootageError(reason(error)) from error
