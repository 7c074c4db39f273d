"""A shader of a live show that would hold it up: a loop that ends at the values that were tried, and not at
those that the show has now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perform.clock import Moment, stopwatch
from perform.parameters import Values
from perform.render import Image
from perform.render.costs import STANDSTILL, Costs
from perform.render.shader import Shader, ShaderError

if TYPE_CHECKING:
    import moderngl

HELD_UP = 5.0  # seconds from one frame to the next, after which each shader of the show is measured


class Watched:
    """A shader that fails when the show stood still, and its next frame would do that again.

    The frame that takes so long cannot be stopped: that one the show waits for.
    """

    def __init__(self, context: moderngl.Context, shader: Shader) -> None:
        self.shader, self.isf, self.parameters = shader, shader.isf, shader.parameters
        self._context = context
        self._frame, self._began = -2, 0.0  # the last frame, and when it was begun

    def render(self, moment: Moment, values: Values, *images: Image | None) -> Image:
        """The shader's image. Raises ShaderError when it would take many seconds."""
        now = stopwatch()
        held_up = now - self._began > HELD_UP and moment.frame == self._frame + 1
        self._frame, self._began = moment.frame, now
        if held_up:
            self._measure(moment, values, images)
        return self.shader.render(moment, values, *images)

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size from the next image on."""
        self.shader.resize(size)

    def release(self) -> None:
        """Release textures and programs; safe to call twice."""
        self.shader.release()

    def _measure(self, moment: Moment, values: Values, images: tuple[Image | None, ...]) -> None:
        """Raise ShaderError if the next frame would take longer than a show survives."""
        costs, small = Costs(self._context), Shader(self._context, self.isf, (1, 1))
        try:
            costs.seconds(small, lambda unit: unit.render(moment, values, *images))  # the driver compiles
            seconds = costs.frame(small, self.shader.size, lambda unit: unit.render(moment, values, *images))
        finally:
            small.release()
        self._began = stopwatch()
        if seconds > STANDSTILL:
            raise ShaderError(
                f"{self.isf.name}:1: takes about {seconds:.0f} s a frame with its values of now"
            )
