"""The images of the last moments, so that a display may show the picture later than others do.

What shows a delayed image gives it the look of now: blackout and master are never late.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from perform.render.strips import Strip
from perform.render.targets import Target

if TYPE_CHECKING:
    import moderngl

MOST_IMAGES = 64  # half a second at 120 frames a second; of 1920x1080 they take 530 MB
_KEEP = """
uniform sampler2D image;
void main() { color = vec4(dithered(texture(image, place).rgb, gl_FragCoord.xy), 1.0); }
"""


class DelayLine:
    """Keeps copies, of 8 bits, of the images of the last `longest` seconds; none if that is 0.

    `longest` may be set at any time: the longest delay of all displays.
    """

    def __init__(self, context: moderngl.Context, longest: float) -> None:
        self.longest = longest
        self._context = context
        self._strip: Strip | None = None
        self._kept: deque[tuple[float, Target]] = deque()  # the oldest first
        self._newest: tuple[float, moderngl.Texture] | None = None

    def push(self, image: moderngl.Texture, now: float) -> None:
        """The image of the frame at `now` (seconds)."""
        if self.longest <= 0 or (self._newest and now < self._newest[0]):
            self._forget()
        self._newest = now, image
        if self.longest > 0:
            self._kept.append((now, self._copied(image, self._spare(now))))

    def ago(self, delay: float) -> moderngl.Texture:
        """The image that was pushed nearest to `delay` seconds before the newest one; for 0, the newest as it
        came. LookupError before the first."""
        if self._newest is None:
            raise LookupError("no image was pushed yet")
        now, image = self._newest
        if delay <= 0 or not self._kept:
            return image
        return min(self._kept, key=lambda one: abs(one[0] - (now - delay)))[1].texture

    def release(self) -> None:
        """Release all copies; safe to call twice."""
        self._forget()
        self._newest = None

    def _copied(self, image: moderngl.Texture, spare: Target | None) -> Target:
        if spare and spare.size != image.size:
            spare.release()
            spare = None
        spare = spare or Target(self._context, image.size)
        self._strip = self._strip or Strip(self._context, _KEEP)
        image.use(0)
        self._strip.draw(spare, image=0)
        return spare

    def _spare(self, now: float) -> Target | None:
        """A copy that no display can ask for any more: one is drawn over, others are released."""
        spare = None
        while len(self._kept) > 1 and self._is_spare(now):
            if spare:
                spare.release()
            spare = self._kept.popleft()[1]
        return spare

    def _is_spare(self, now: float) -> bool:
        """Whether the oldest copy is: the next one is old enough."""
        return self._kept[1][0] <= now - self.longest or len(self._kept) >= MOST_IMAGES

    def _forget(self) -> None:
        while self._kept:
            self._kept.popleft()[1].release()
