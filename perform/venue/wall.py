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
from perform.venue.cards import CardKind, Cards
from perform.venue.drawing import DisplayPresenter, Overlay

if TYPE_CHECKING:
    import moderngl

    from perform.scenes.projection import Projection
    from perform.venue.reader import VenueDisplay


@dataclass(frozen=True, slots=True)
class WallDisplay:
    """One display: what the venue says of it, and its window."""

    text: VenueDisplay
    window: DisplayWindow[DisplayPresenter]


class Wall:
    """All displays, as one screen of the show. `context` is that of the images, `faults` gets what goes wrong
    with a display while the others go on. While a `card` is set, displays show that instead, as soon as it is
    drawn, also in a blackout."""

    name = "displays"
    closed = False
    notice = ""

    def __init__(
        self,
        displays: Sequence[WallDisplay],
        context: moderngl.Context,
        canvas: tuple[int, int],
        faults: Faults,
    ) -> None:
        self.displays = displays
        self.card: CardKind = ""
        self.pointed: list[Event] = []  # what the mouse did over the display that is edited
        self._edited: int | None = None
        self._context, self._faults = context, faults
        self._line = DelayLine(context, max((one.text.delay for one in displays), default=0.0))
        self._cards = Cards(context, canvas, [one.text for one in displays])
        self._now = 0.0

    def health(self) -> Health:
        """Which displays are not plugged in."""
        ill = [health.detail for one in self.displays if (health := one.window.health()).state != "ok"]
        return Health("waiting", ", ".join(ill)) if ill else Health("ok", f"{len(self.displays)} displays")

    def poll(self, until: float) -> list[Event]:
        """The mouse over all displays but the edited one; displays that came or went have their windows."""
        self._now, self.pointed = until, []
        events = []
        for number, one in enumerate(self.displays):
            events_there = one.window.poll(until)
            if number == self._edited:
                self.pointed = events_there
            else:
                events += events_there
        return events

    def show(self, image: moderngl.Texture, look: Look) -> None:
        """Bring the picture of the canvas to all displays; to one with a delay, that of a moment ago."""
        self._line.push(image, self._now)
        canvas = self.canvas_card() if self.card == "canvas" else None
        cards = [canvas or self._own_card(number) for number in range(len(self.displays))]
        self._context.finish()  # other contexts do not wait for it
        for one, card in zip(self.displays, cards, strict=True):
            with self._faults.contain(f"display {one.text.name} cannot be drawn"):
                if card:
                    one.window.show(card, Look())
                else:
                    one.window.show(self._line.ago(one.text.delay), look)

    def canvas_card(self) -> moderngl.Texture | None:
        """The test card of the whole canvas; None while it is being drawn."""
        return self._cards.canvas(self._now)

    def use(self, projections: Mapping[str, Projection]) -> None:
        """Show through these projections, by the names of their displays, from the next frame on."""
        for one in self.displays:
            if one.text.name in projections:
                one.window.presenter.projection = projections[one.text.name]

    def edit(self, number: int | None, overlay: Overlay | None = None) -> None:
        """Draw the editor over a display, by its number, and take the mouse there; None: over none."""
        self._edited = number
        for index, one in enumerate(self.displays):
            one.window.presenter.overlay = overlay if index == number else None
            one.window.show_pointer(index == number)

    def close(self) -> None:
        """Close all windows; safe to call twice."""
        for one in self.displays:
            one.window.close()
        self._line.release()
        self._cards.release()

    def _own_card(self, number: int) -> moderngl.Texture | None:
        """The test card of a display, where such cards are shown, as soon as it is drawn."""
        window, card = self.displays[number].window, None
        if self.card == "display" and min(window.size) > 0:
            card = self._cards.display(number, window.size, self._now)
        window.presenter.plain = card is not None
        return card
