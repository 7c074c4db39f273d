"""Feedback: the last image of a scene, or of the whole stage, as a source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perform.clock import Moment
from perform.parameters import Parameter, Values
from perform.render import Image
from perform.render.strips import COPY, Strip
from perform.render.targets import Target

if TYPE_CHECKING:
    import moderngl


WARM = 30, 20  # (width, height) of an image that is drawn to compile; drivers have another form for 1x1


class FeedbackBuffer:
    """Keeps an image until the next one, while anything uses it. `nothing` is the image before
    the first one."""

    def __init__(self, context: moderngl.Context, nothing: Image) -> None:
        self._context, self._nothing = context, nothing
        self._users: set[object] = set()
        self._copy: Strip | None = None
        self._target: Target | None = None

    @property
    def image(self) -> Image:
        """The image that was kept last."""
        return self._target.texture if self._target else self._nothing

    def use(self, user: object) -> None:
        """Keep images for a user, such as a source, from now on."""
        self._users.add(user)
        if self._copy is None:
            self._copy = Strip(self._context, COPY)
            image = Target(self._context, WARM)
            self.keep(image.texture)  # drivers compile when they draw first
            self.clear()
            image.release()

    def leave(self, user: object) -> None:
        """Keep no images for it any more; safe to call twice."""
        self._users.discard(user)
        if not self._users and self._copy:
            self.clear()
            self._copy = None

    def keep(self, image: Image) -> None:
        """Keep a copy of an image, if anything uses it."""
        if not self._copy or image is self.image:
            return
        if self._target is None or self._target.size != image.size:
            self.clear()
            self._target = Target(self._context, image.size, floating=image.dtype != "f1")
        image.use(0)
        self._copy.draw(self._target, image=0)

    def clear(self) -> None:
        """Forget the image."""
        if self._target:
            self._target.release()
            self._target = None


class Feedback:
    """The image of a buffer, as a unit."""

    parameters: tuple[Parameter, ...] = ()

    def __init__(self, buffer: FeedbackBuffer) -> None:
        self._buffer = buffer
        buffer.use(self)

    def render(self, moment: Moment, values: Values, *_images: Image) -> Image:
        """The image of the frame before."""
        return self._buffer.image

    def resize(self, size: tuple[int, int]) -> None:
        """It is as large as what is kept."""

    def release(self) -> None:
        """The buffer stays for others; safe to call twice."""
        self._buffer.leave(self)
