"""The commands `perform venue`: the file of a place, its displays and devices."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from perform.paths import quoted
from perform.terminal import StopAfter, complain, complaints, err, opening, program, say, venue_names

if TYPE_CHECKING:
    from perform.venue import Venue
    from perform.venue.template import Found

app = typer.Typer(help="The displays and devices of a place, in one file.", no_args_is_help=True)

VenueFile = Annotated[Path, typer.Argument(metavar="FILE", help="The file. (default: venue.toml)")]
VenueToRead = Annotated[
    str, typer.Argument(metavar="VENUE", help="A venue, by name or file.", autocompletion=venue_names)
]


@app.command("new")
def new_venue(file: VenueFile = Path("venue.toml")) -> None:
    """Write a venue for this machine: its displays, sound devices, MIDI ports and cameras."""
    from perform.paths import whole_file
    from perform.terminal import check_new, check_suffix
    from perform.venue.template import template

    with complaints():
        check_suffix(file, ".toml")
        check_new(file, force=False)
        title = file.absolute().parent.name if file.name == "venue.toml" else file.stem
        text = template(_found(), title, quoted(file))
        file.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(file) as partial:
            partial.write_bytes(text.encode())
    say(f"{file}: {program()} play SHOW --venue {quoted(file)} plays a show there")


@app.command("check")
def check_venue(name: VenueToRead = "venue.toml") -> None:
    """Find every fault of a venue, and warn of what is perhaps a mistake. Displays that are not plugged in
    are only a warning. The exit code is 1 for faults."""
    from perform.show import open_library, venue_of
    from perform.venue.checks import warnings

    with complaints():
        found = venue_of("", name)
        assert found is not None
        open_library("", venue=found).placed_feeds()
        monitors = _monitor_names()
        if monitors is None:
            err.print("no desktop here: whether the displays are plugged in is not known")
        for sentence in warnings(found, monitors):
            complain(f"{found.file}: {sentence}")
    count = len(found.displays)
    say(f"{found.file}: {count} display{'s' * (count != 1)}, 0 faults")


@app.command("card")
def card(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="VENUE",
            help="A venue, by name or file. (default: venue.toml, else all displays that are plugged in)",
            autocompletion=venue_names,
        ),
    ] = None,
    seconds: StopAfter = None,
) -> None:
    """Show a numbered test card on every display, and edit the displays with E, without a show. Esc twice
    ends."""
    with complaints():
        with opening("opening the displays"):
            from perform.show import venue_of
            from perform.show.cards import show_cards

            known = name or ("venue.toml" if Path("venue.toml").is_file() else None)
            found = venue_of("", known) if known else None
            place = found if found and found.displays else _all_displays()
        show_cards(place, seconds)


def _all_displays() -> Venue:
    """A venue of all displays that are plugged in, each with the whole canvas; not to be saved."""
    from perform.outputs.window import displays
    from perform.venue import Venue, VenueDisplay

    present = displays()
    return Venue(Path("venue.toml"), displays=tuple(VenueDisplay(one.name, one.name) for one in present))


def _monitor_names() -> list[str] | None:
    """The monitors that are plugged in; None without a desktop."""
    from perform.outputs.window import WindowError, displays

    try:
        return [one.name for one in displays()]
    except WindowError:
        return None


def _found() -> Found:
    """The devices of this machine."""
    from perform.commands.doctor.devices import found
    from perform.outputs.window import WindowError, displays
    from perform.venue.template import Found, FoundMonitor

    kinds = found()
    try:
        monitors = [FoundMonitor(one.name, one.size, one.rate, one.position[0]) for one in displays()]
    except WindowError:
        monitors = []
    sounds = list(dict.fromkeys([*kinds["sound inputs"], *kinds["sound outputs"]]))
    return Found(monitors, sounds, kinds["MIDI ports"], kinds["MIDI outputs"], kinds["cameras"])
