"""Test cards on the displays of a venue; they are drawn beside the show, because that takes longer than a
frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, TypeAlias

from perform.render.testcard import Card, Drawn, Shown, canvas_card, display_card
from perform.threads import Background

if TYPE_CHECKING:
    import moderngl

    from perform.venue.reader import VenueDisplay

CANVAS = -1
CardKind: TypeAlias = Literal["", "canvas", "display"]  # none; one over all displays; each its own


class Cards:
    """The cards of some displays and of a canvas of `canvas` (width, height), in the context of the show's
    images."""

    def __init__(
        self, context: moderngl.Context, canvas: tuple[int, int], displays: Sequence[VenueDisplay]
    ) -> None:
        self._context, self._canvas, self._displays = context, canvas, displays
        # By the number of the display, or CANVAS: the card, what was drawn for the next one, the size of what
        # was drawn last, and the thread that draws.
        self._cards: dict[int, Card] = {}
        self._drawn: dict[int, Drawn] = {}
        self._sizes: dict[int, tuple[int, int]] = {}
        self._threads: dict[int, Background] = {}

    def canvas(self, seconds: float) -> moderngl.Texture | None:
        """The card of the canvas at a time; None while it is being drawn."""
        sizes = [one.size or (1920, 1080) for one in self._displays]
        shown = [self._shown(number, size) for number, size in enumerate(sizes)]
        return self._texture(CANVAS, self._canvas, lambda: canvas_card(self._canvas, shown), seconds)

    def display(self, number: int, size: tuple[int, int], seconds: float) -> moderngl.Texture | None:
        """The card of a display of `size` (width, height) at a time; None while it is being drawn. That of an
        older size stays until then."""
        return self._texture(number, size, lambda: display_card(self._shown(number, size)), seconds)

    def release(self) -> None:
        """Release all cards; safe to call twice."""
        for thread in self._threads.values():
            thread.close()
        for card in self._cards.values():
            card.release()
        self._cards.clear()

    def _texture(
        self, number: int, size: tuple[int, int], draw: Callable[[], Drawn], seconds: float
    ) -> moderngl.Texture | None:
        thread = self._threads.get(number)
        if thread is None or not thread.running:
            self._take_drawn(number)
            if self._sizes.get(number) != size:
                self._sizes[number] = size

                def work(_closing: object) -> None:
                    self._drawn[number] = draw()

                self._threads[number] = Background(work, "card")
        card = self._cards.get(number)
        return card.render(seconds) if card else None

    def _take_drawn(self, number: int) -> None:
        """Make a card of what was drawn, in the place of the one before."""
        drawn = self._drawn.pop(number, None)
        if drawn is None:
            return
        if number in self._cards:
            self._cards[number].release()
        self._cards[number] = Card(self._context, drawn)

    def _shown(self, number: int, size: tuple[int, int]) -> Shown:
        display = self._displays[number]
        return Shown(number + 1, display.name, size, display.projection.part)
