"""Rendering: pictures through OpenGL shaders to pixels."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from perform.clock import Moment
from perform.parameters import Parameter, Values

Image = Any  # a moderngl.Texture; opaque above this rack


class Unit(Protocol):
    """A stage of the picture: no image in for a generator, one for a filter, two for a transition."""

    parameters: tuple[Parameter, ...]

    def render(self, moment: Moment, values: Values, *images: Image) -> Image:
        """The unit's image at this moment; `values` has one entry for every parameter."""
        ...

    def release(self) -> None:
        """Give back textures and programs."""
        ...


@runtime_checkable
class Rewinds(Protocol):
    """A unit that begins anew when its scene is entered."""

    def rewind(self) -> None:
        """Go back to the beginning."""
        ...
