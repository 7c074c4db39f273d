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


class FeedbackBuffer:
    """Keeps an image until the next one, if any feedback source shows it. It is black at first."""

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self._black = context.texture((1, 1), 4, b"\0\0\0\xff")
        self._copy: Strip | None = None
        self._target: Target | None = None

    @property
    def image(self) -> Image:
        """The image that was kept last."""
        return self._target.texture if self._target else self._black

    def use(self) -> None:
        """Keep images from now on."""
        self._copy = self._copy or Strip(self._context, COPY)

    def keep(self, image: Image) -> None:
        """Keep a copy of an image, if one is used."""
        if not self._copy:
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

    def release(self) -> None:
        """Release textures and programs; safe to call twice."""
        self.clear()
        self._black.release()
        if self._copy:
            self._copy.release()
            self._copy = None


class Feedback:
    """The image of a buffer, as a unit."""

    parameters: tuple[Parameter, ...] = ()

    def __init__(self, buffer: FeedbackBuffer) -> None:
        self._buffer = buffer
        buffer.use()

    def render(self, moment: Moment, values: Values, *_images: Image) -> Image:
        """The image of the frame before."""
        return self._buffer.image

    def resize(self, size: tuple[int, int]) -> None:
        """It is as large as what is kept."""

    def release(self) -> None:
        """Nothing: the buffer stays for others."""
