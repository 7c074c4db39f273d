"""The flash limiter: measures what the audience sees, and softens what would flash too much.

A picture that would be one flash too many is mixed with the one before, as much as it needs. It is a help,
not a medical device: distance, room and screen count, too.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from perform.render.flashes import Flashing, FlashMeter, Numbers
from perform.render.strips import Strip
from perform.render.targets import Target
from perform.scenes.look import FlashMode, Look
from perform.scenes.projection import WHOLE, ShownPart

if TYPE_CHECKING:
    import moderngl

log = logging.getLogger("perform")
CELLS = (32, 18)
SHARES = (0.0, 0.3, 0.5, 0.7, 0.85, 1.0)  # of the picture before
_CELL = """
uniform sampler2D image;
void main() {
    vec4 sum = vec4(0.0);
    vec2 step = 1.0 / vec2(COLUMNS, ROWS) / 8.0;
    vec2 corner = floor(gl_FragCoord.xy) / vec2(COLUMNS, ROWS);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 8; x++)
            sum += texture(image, corner + (vec2(x, y) + 0.5) * step);
    color = sum / 64.0;
}
""".replace("COLUMNS", f"{CELLS[0]}.0").replace("ROWS", f"{CELLS[1]}.0")
_MIX = """
uniform sampler2D image;
uniform sampler2D before;
uniform float share;
void main() {
    color = texture(image, place);
    if (share > 0.0) color = mix(color, texture(before, place), share);
}
"""


@dataclass(frozen=True, slots=True)
class _View:
    """The flashes that are seen on one display: of the `rows` and `columns` of the cells that it shows, at
    full light or `dimmed` by master and blackout."""

    rows: slice
    columns: slice
    dimmed: bool
    meter: FlashMeter = field(default_factory=FlashMeter)

    @classmethod
    def of(cls, part: ShownPart, dimmed: bool) -> _View:
        """That of a display which shows this part of the image."""
        left, bottom, width, height = part
        across, up = _covered(left, width, CELLS[0]), _covered(bottom, height, CELLS[1])
        return cls(up, across, dimmed)

    def seen(self, cells: Numbers, light: float) -> Numbers:
        """The cells as they are seen in this light."""
        return cells[self.rows, self.columns] * (light if self.dimmed else 1.0)


def _covered(begin: float, extent: float, count: int) -> slice:
    """The cells of `count` in a row, one at least, that this range of 0..1 covers."""
    first = min(max(math.floor(begin * count + 1e-6), 0), count - 1)
    return slice(first, min(max(math.ceil((begin + extent) * count - 1e-6), first + 1), count))


class FlashLimiter:
    """Warns of flashes (`warn`), or softens them (`on`), in the whole image and in each of the `parts`
    (left, bottom, width, height, 0..1) that a display shows alone.

    Where a display shows images `later`, with the master and the blackout of then, they are softened as if
    they were seen at full light, too: a blackout may end before a display shows what came during it.
    """

    def __init__(
        self,
        context: moderngl.Context,
        mode: FlashMode,
        later: bool = False,
        parts: Sequence[ShownPart] = (),
    ) -> None:
        self._context, self._mode = context, mode
        self._cells = Target(context, CELLS)
        self._shrink = Strip(context, _CELL)
        self._mix = Strip(context, _MIX)
        self._shown: Target | None = None
        self._before: Numbers | None = None  # the cells of what was shown, at full light
        lights = (True, False) if later else (True,)
        self._views = [_View.of(part, dimmed) for part in {WHOLE, *parts} for dimmed in lights]
        self._warned = False
        self.flashing = Flashing()  # of the last second
        self.share = 0.0  # of the picture before, in the last one

    def limited(self, seconds: float, image: moderngl.Texture, look: Look) -> moderngl.Texture:
        """The image to show at this second of the show; `look` is what the last pass makes of it."""
        if self._mode == "off":
            return image
        light = 0.0 if look.blackout else look.master
        cells = self._measured(image)
        before = self._before if self._before is not None else cells
        self.share = self._needed(seconds, cells, before, light) if self._mode == "on" else 0.0
        self._before = cells + self.share * (before - cells)
        shown = [one.meter.show(seconds, one.seen(self._before, light)) for one in self._views]
        seen = [flashing for flashing, one in zip(shown, self._views, strict=True) if one.dimmed]
        self.flashing = Flashing(max(one.general for one in seen), max(one.red for one in seen))
        self._warn()
        return self._softened(image) if self._mode == "on" else image

    def release(self) -> None:
        """Release textures; safe to call twice."""
        self._cells.release()
        if self._shown:
            self._shown.release()
        self._shown = None

    def _measured(self, image: moderngl.Texture) -> Numbers:
        """The mean colours of the cells [height, width, 3], 0..1."""
        image.use(0)
        self._shrink.draw(self._cells, image=0)
        pixels = np.frombuffer(self._cells.texture.read(), np.uint8)
        return pixels.reshape(CELLS[1], CELLS[0], 4)[..., :3].astype(np.float64) / 255

    def _needed(self, seconds: float, cells: Numbers, before: Numbers, light: float) -> float:
        """The least share of the picture before with which there are not too many flashes."""
        for share in SHARES:
            mixed = cells + share * (before - cells)
            if not any(one.meter.would_be(seconds, one.seen(mixed, light)).too_many for one in self._views):
                return share
        return SHARES[-1]

    def _softened(self, image: moderngl.Texture) -> moderngl.Texture:
        """The image, mixed with the one that was shown before."""
        floating, last = image.dtype != "f1", self._shown
        if last is None or last.size != image.size or (last.texture.dtype != "f1") != floating:
            self._shown = Target(self._context, image.size, floating=floating, double=True)
        assert self._shown
        image.use(0)
        (last or self._shown).texture.use(1)
        self._mix.draw(self._shown, image=0, before=1, share=self.share)
        if last and last is not self._shown:
            last.release()
        return self._shown.texture

    def _warn(self) -> None:
        """One line of the log when it begins to flash too much."""
        too_many = self.flashing.too_many or self.share > 0
        if too_many and not self._warned:
            what = "softened"
            if self._mode == "warn":
                what = "they can hurt people: --flashes on softens them"
            elif self.flashing.too_many:
                what = "they can hurt people: master or blackout makes them, and is not softened"
            log.warning("more than 3 flashes a second over a quarter of the picture; %s", what)
        self._warned = too_many
