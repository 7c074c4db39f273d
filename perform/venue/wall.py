"""The displays of a venue in a show: a window fills each, and draws its part of the canvas in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from perform.faults import Faults, Health
from perform.outputs.window import DisplayWindow
from perform.render.delay import DelayLine
from perform.scenes.look import Look
from perform.signals import Event

if TYPE_CHECKING:
    import moderngl

    from perform.render.projection import Projector
    from perform.scenes.projection import Projection
    from perform.venue.reader import VenueDisplay


@dataclass(frozen=True, slots=True)
class WallDisplay:
    """One display: what the venue says of it, and its window."""

    text: VenueDisplay
    window: DisplayWindow[Projector]


class Wall:
    """All displays, as one screen of the show. `context` is that of the images, `faults` gets what goes wrong
    with a display while the others go on."""

    name = "displays"
    closed = False
    notice = ""

    def __init__(self, displays: Sequence[WallDisplay], context: moderngl.Context, faults: Faults) -> None:
        self.displays = displays
        self._context, self._faults = context, faults
        self._line = DelayLine(context, max((one.text.delay for one in displays), default=0.0))
        self._now = 0.0

    def health(self) -> Health:
        """Which displays are not plugged in."""
        ill = [health.detail for one in self.displays if (health := one.window.health()).state != "ok"]
        return Health("waiting", ", ".join(ill)) if ill else Health("ok", f"{len(self.displays)} displays")

    def poll(self, until: float) -> list[Event]:
        """The mouse over all displays; displays that came or went have their windows."""
        self._now = until
        return [event for one in self.displays for event in one.window.poll(until)]

    def show(self, image: moderngl.Texture, look: Look) -> None:
        """Bring the picture of the canvas to all displays; to one with a delay, that of a moment ago."""
        self._line.push(image, self._now)
        self._context.finish()  # other contexts do not wait for it
        for one in self.displays:
            with self._faults.contain(f"display {one.text.name} cannot be drawn"):
                one.window.show(self._line.ago(one.text.delay), look)

    def use(self, projections: Mapping[str, Projection]) -> None:
        """Show through these projections, by the names of their displays, from the next frame on."""
        for one in self.displays:
            if one.text.name in projections:
                one.window.presenter.projection = projections[one.text.name]

    def close(self) -> None:
        """Close all windows; safe to call twice."""
        for one in self.displays:
            one.window.close()
        self._line.release()
