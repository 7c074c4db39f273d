"""Rendering: pictures through OpenGL shaders to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias, runtime_checkable

from perform.clock import Moment
from perform.parameters import Parameter, Values

if TYPE_CHECKING:
    import moderngl

Image: TypeAlias = "moderngl.Texture"  # opaque above this rack
Alpha: TypeAlias = Literal["straight", "premultiplied", "ignored"]


class Releases(Protocol):
    """Anything that holds memory of the graphics card."""

    def release(self) -> object:
        """Release it."""
        ...


class Unit(Protocol):
    """A stage of the picture: no image in for a generator, one for a filter, two for a transition."""

    parameters: tuple[Parameter, ...]

    def render(self, moment: Moment, values: Values, *images: Image) -> Image:
        """The unit's image at this moment; `values` has one entry for every parameter."""
        ...

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size (width, height) from the next image on; what it keeps of the images before
        goes on at the new size."""
        ...

    def release(self) -> None:
        """Release textures and programs."""
        ...


@dataclass(frozen=True, slots=True)
class DrawnLayer:
    """A layer's image, the values of its controls (`LAYER_PARAMETERS`), and what its `alpha` is:
    `premultiplied`, if its colours are times their alpha, or `ignored`, if it is opaque. It is seen through
    the image `matte`, if it has one."""

    image: Image
    values: Values
    alpha: Alpha = "straight"
    matte: Image | None = None


class Keeps(Protocol):
    """Keeps the last image, for feedback."""

    def keep(self, image: Image) -> None:
        """Keep an image until the next."""
        ...

    def clear(self) -> None:
        """Forget it."""
        ...


class Composites(Protocol):
    """Draws layers over each other."""

    def render(self, layers: Sequence[DrawnLayer]) -> Image:
        """The image of the layers, the lowest first."""
        ...


@runtime_checkable
class Rewinds(Protocol):
    """A unit that starts again when its scene is entered."""

    def rewind(self) -> None:
        """Go back to the beginning."""
        ...
