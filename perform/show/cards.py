"""Test cards on the displays of a venue, without a show: to align projectors before there is one."""

from __future__ import annotations

from contextlib import ExitStack

from perform.clock import Clock, LiveClock
from perform.faults import Faults
from perform.parameters import size_of
from perform.scenes.look import Look
from perform.show.operator import OperatorView
from perform.show.options import Options
from perform.show.screens import open_live, open_wall, open_window
from perform.venue import Venue

CARD_FPS = 30.0


class CardShow:
    """Shows a card on every display, numbered, and edits the displays. Raises WindowError without a
    desktop."""

    def __init__(self, venue: Venue, clock: Clock | None = None) -> None:
        size = size_of(venue.options.get("size", "1280x720"))
        self._clock = clock or LiveClock(venue.options.get("fps", CARD_FPS))
        self._open, faults = ExitStack(), Faults()
        with ExitStack() as opened:  # a window is closed again if the next one cannot be opened
            self.window = open_window(Options(venue=venue, size=size, keys=(), watch=False))
            opened.callback(self.window.close)
            self.wall = open_wall(venue, self.window, size, faults)
            opened.callback(self.wall.close)
            self.live = open_live(venue, self.wall, self.window, faults, True, None, "display")
            opened.callback(self.live.close)
            self._image = self.window.context.texture(size, 3, bytes(3 * size[0] * size[1]), alignment=1)
            self._open = opened.pop_all()

    def frame(self) -> float:
        """Show one frame; the seconds since the first one."""
        now = self._clock.advance()
        self.live.process(now, [*self.window.poll(now), *self.wall.poll(now)])
        self.wall.show(self._image, Look())
        if isinstance(self.window.presenter, OperatorView):
            self.window.presenter.notice = self.window.notice
        self.window.show(self.wall.canvas_card() or self._image, Look())
        return now

    def close(self) -> None:
        """Close all windows; safe to call twice."""
        self._open.close()


def show_cards(venue: Venue, seconds: float | None) -> None:
    """Show cards until the operator leaves, or `seconds` are over."""
    cards = CardShow(venue)
    try:
        while not cards.window.closed:
            now = cards.frame()
            if seconds is not None and now >= seconds:
                break
    finally:
        cards.close()
