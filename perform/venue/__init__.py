"""Venues: what belongs to a place stands in one file, `venue.toml`, and not in the show.

`reader` checks the file, `checks` compares it with the displays that are plugged in, `template` writes a new
one for this machine, `saving` writes projections into it. In a show, `wall` has a window for each display,
`editor` and `live` edit them.
"""

from perform.venue.reader import Operator, Venue, VenueDisplay, read_venue

__all__ = ["Operator", "Venue", "VenueDisplay", "read_venue"]
