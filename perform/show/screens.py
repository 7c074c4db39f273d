"""The windows of a show: one for all, or the operator's and one for each display of a venue."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING

from perform.faults import Faults
from perform.parameters import names_meant
from perform.render.context import of_window
from perform.render.present import Present
from perform.show.edits import FileWatcher
from perform.show.operator import OperatorView
from perform.show.options import Options
from perform.venue import Venue, read_venue

if TYPE_CHECKING:
    from perform.learning.live import LiveLearning
    from perform.outputs.window import Display, Window
    from perform.venue.cards import CardKind
    from perform.venue.live import LiveVenue
    from perform.venue.wall import Wall

log = logging.getLogger("perform")


def open_window(options: Options) -> Window:
    """The first window, with the keys that its help lists: the operator's, if the venue has displays."""
    from perform.learning.live import ROWS
    from perform.outputs.window import Window

    rows = (*options.keys, *(ROWS if options.watch else ()))
    venue = options.venue
    if venue is None or not venue.displays:
        return Window(options.size, of_window, Present, "perform", options.fullscreen, options.display, rows)
    from perform.venue.editor import HELP

    operator, display = venue.operator, _free(venue)
    if operator.monitor and (display is None or not names_meant(operator.monitor, [display.name])):
        log.warning("monitor %s, the operator's, is not plugged in", operator.monitor)
    return Window(
        operator.size,
        of_window,
        lambda context, _size: OperatorView(context, options.size),
        "perform",
        display=display.name if display else None,
        rows=(*rows, *HELP),
        waits=False,
        visible=operator.window,
    )


def open_wall(venue: Venue, first: Window, canvas: tuple[int, int], faults: Faults) -> Wall:
    """The windows of a venue's displays; the first of them waits for its display. `first` is the operator's
    window."""
    from perform.outputs.window import DisplayWindow
    from perform.outputs.window.placing import VideoMode
    from perform.venue.drawing import DisplayPresenter
    from perform.venue.wall import Wall, WallDisplay

    opened = []
    for number, display in enumerate(venue.displays):
        window = DisplayWindow(
            first,
            display.monitor,
            display.name,
            of_window,
            partial(DisplayPresenter, projection=display.projection),
            VideoMode(display.size, display.refresh),
            partial(_free, venue),
            waits=number == 0,
            number=number,
        )
        opened.append(WallDisplay(display, window))
    return Wall(opened, first.context, canvas, faults)


def open_live(
    venue: Venue,
    wall: Wall,
    window: Window,
    faults: Faults,
    watch: bool,
    learner: LiveLearning | None,
    card: CardKind = "",
) -> LiveVenue:
    """The editor of the displays, before what learns; the file of the venue is watched if `watch`. `card` is
    shown while nothing is edited."""
    from perform.venue.live import LiveVenue

    watcher = FileWatcher([venue.file.parent], lambda: read_venue(venue.file)) if watch else None
    return LiveVenue(venue, wall, window, faults, watcher, learner, card)


def _free(venue: Venue) -> Display | None:
    """The display for the operator, and for the frame of one of the wall that is not plugged in: the
    operator's own, else any that is not of the wall."""
    from perform.outputs.window import displays

    present = {one.name: one for one in displays()}
    taken = {name for one in venue.displays for name in names_meant(one.monitor, present)}
    free = [one for name, one in present.items() if name not in taken]
    own = names_meant(venue.operator.monitor, [one.name for one in free]) if venue.operator.monitor else []
    return next((one for one in free if one.name in own), next(iter(free), None))
