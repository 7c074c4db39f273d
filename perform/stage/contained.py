"""Contained units: a unit's fault stays within the unit, and nothing stops the picture.

A filter that fails lets its image through, a source that fails keeps its last good image, and a transition
that fails becomes a cut.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from perform.clock import Moment
from perform.faults import Faults
from perform.parameters import Values
from perform.render import DrawnLayer, Image, Rewinds, Unit
from perform.render.compositing import Compositor, Variant


class ContainedUnit:
    """A unit that is dropped when it fails. `recipe` is what it was made from: a unit with an equal recipe
    may take its place. `black` is the image of a source that never drew."""

    def __init__(self, unit: Unit, name: str, faults: Faults, black: Image, recipe: object) -> None:
        self.unit, self.parameters, self.recipe = unit, unit.parameters, recipe
        self._name, self._faults = name, faults
        self.failed = False
        self._last = black

    def render(self, moment: Moment, values: Values, *images: Image) -> Image:
        """The unit's image; after a fault the newest image that came in, or the last good one."""
        if not self.failed:
            with self._faults.contain(f"{self._name} is dropped"):
                self._last = self.unit.render(moment, values, *images)
                return self._last
            self.failed = True
        return images[-1] if images else self._last

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size from now on; what failed stays as it is."""
        if not self.failed:
            self.unit.resize(size)

    def rewind(self) -> None:
        """Go back to the beginning, if it is a unit that can."""
        if isinstance(self.unit, Rewinds):
            self.unit.rewind()

    def release(self) -> None:
        self.unit.release()


class ContainedCompositor:
    """A compositor that is dropped when it fails: the highest layer is shown then."""

    def __init__(self, compositor: Compositor, name: str, faults: Faults, black: Image) -> None:
        self._compositor, self._name, self._faults, self._black = compositor, name, faults, black
        self.failed = False

    def warm(self, variants: Iterable[Variant]) -> None:
        """Prepare for layers of these variants."""
        self._compositor.warm(variants)

    def render(self, layers: Sequence[DrawnLayer]) -> Image:
        """The image of the layers, the lowest first."""
        if not self.failed:
            with self._faults.contain(f"{self._name} are dropped but the highest"):
                return self._compositor.render(layers)
            self.failed = True
        return layers[-1].image if layers else self._black

    def resize(self, size: tuple[int, int]) -> None:
        """Draw at another size from now on."""
        self._compositor.resize(size)

    def release(self) -> None:
        self._compositor.release()
