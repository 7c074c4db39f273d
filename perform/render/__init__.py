"""Rendering: pictures through OpenGL shaders to pixels."""

from __future__ import annotations

<<<<<<< HEAD
from typing import Any, Protocol, runtime_checkable
=======
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, runtime_checkable
>>>>>>> f2e849c (Footage and rendering in plain words and with types; films and stills run in the background by one base)

from perform.clock import Moment
from perform.parameters import Parameter, Values

<<<<<<< HEAD
Image = Any  # a moderngl.Texture; opaque above this rack
=======
if TYPE_CHECKING:
    import moderngl

Values = Mapping[str, Any]
Image: TypeAlias = "moderngl.Texture"  # opaque above this rack


class Releases(Protocol):
    """Anything that holds memory of the graphics card."""

    def release(self) -> object:
        """Give it back."""
        ...
>>>>>>> f2e849c (Footage and rendering in plain words and with types; films and stills run in the background by one base)


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
    """A unit that starts again when its scene is entered."""

    def rewind(self) -> None:
        """Go back to the beginning."""
        ...
