"""`perform venue`, and the options of a show in a venue."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import typer

from perform import paths, show
from perform.cli import app
from perform.commands import play as playing
from perform.venue import read_venue
from perform.venue.reader import OPTIONS
from tests.doubles.command import finished, run
from tests.doubles.library import save, write_library

HALL = """public = true
size = "640x360"
gamma = 1.2
[sound]
device = "none"
[osc]
listen = 0
[midi]
port = "MIDImix"
[camera]
mirror = false
region = [0.1, 0, 0.9, 1]
[models]
memory = 2
"""


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, on a machine without a desktop."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    for name in [one for one in os.environ if "DISPLAY" in one]:
        monkeypatch.delenv(name)
    return tmp_path


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> list[show.Options]:
    """The options of the shows that were played."""
    found: list[show.Options] = []
    monkeypatch.setattr(playing, "_play", lambda options, _context: found.append(options))
    return found


def test_a_new_venue_is_written_and_never_replaced(nowhere: Path) -> None:
    assert "venue.toml: " in run("venue", "new")
    text = (nowhere / "venue.toml").read_text(encoding="utf-8")
    assert read_venue(Path("venue.toml")).title == nowhere.name
    assert "is there already" in run("venue", "new", expect=1)
    assert (nowhere / "venue.toml").read_text(encoding="utf-8") == text
    assert "must be a .toml" in run("venue", "new", "hall.txt", expect=1)
    run("venue", "new", "venues/hall.toml")
    assert read_venue(Path("venues/hall.toml")).title == "hall"


def test_check_says_every_fault_and_warns_of_the_rest() -> None:
    save(Path("venue.toml"), 'fps = 0\n[[display]]\nmonitor = "a"\nrotate = 1\n')
    done = finished("venue", "check")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == "perform: venue.toml: fps = 0, must be greater than or equal to 1"
    assert "display[0].rotate = 1, must be 0, 90, 180 or 270" in done.stderr
    save(Path("venues/hall.toml"), '[[display]]\nmonitor = "a"\nshows = [0, 0, 2, 1]\n')
    done = finished("venue", "check", "hall")
    assert done.returncode == 0 and done.stdout.endswith("hall.toml: 1 display, 0 faults\n")
    assert "no desktop here" in done.stderr and "is partly outside of the canvas" in done.stderr


def test_check_of_a_folder_reads_its_venue(nowhere: Path) -> None:
    save(nowhere / "tour/venue.toml", "fps = 0\n")
    assert "venue.toml: fps = 0, must be greater than or equal to 1" in run("check", "tour", expect=1)


def test_a_venue_is_known_by_its_tables(nowhere: Path) -> None:
    save(nowhere / "hall.toml", '[sound]\ndevice = "USB"\n[midi]\nport = 3\n')
    assert "hall.toml: midi.port = 3" in run("check", "hall.toml", expect=1)


def test_a_venue_is_no_show(nowhere: Path) -> None:
    save(nowhere / "venue.toml", HALL)
    fault = run("play", "venue.toml", "--headless", expect=1)
    assert "venue.toml is a venue: perform play SHOW --venue venue.toml plays in it" in fault


def test_what_a_venue_sets_replaces_what_was_not_given(played: list[show.Options]) -> None:
    save(Path("venue.toml"), HALL)
    run("play", "demo", "--venue", "venue.toml", "--headless", "--gamma", "0.9", "--flashes", "off")
    (options,) = played
    assert (options.size, options.gamma, options.flashes) == ((640, 360), 0.9, "off")
    assert (options.sound, options.osc_port, options.midi) == (None, 0, "MIDImix")
    assert options.view and (options.view.mirror, options.view.region) == (False, (0.1, 0, 0.9, 1))
    assert options.memory == 2 * 2**30
    assert options.venue == read_venue(Path("venue.toml"))


def test_a_public_venue_limits_flashes(played: list[show.Options]) -> None:
    save(Path("venue.toml"), HALL)
    run("play", "--venue", "venue.toml", "--audio", "demo.wav")
    assert (played[0].flashes, played[0].sound) == ("on", "demo.wav")
    run("play", "song.wav", "--scene", "demo", "--venue", "venue.toml")
    assert (played[1].setlist, played[1].sound) == ("demo", "song.wav")


def test_a_projects_venue_is_taken_by_itself(nowhere: Path, played: list[show.Options]) -> None:
    write_library(nowhere / "tour")
    save(nowhere / "tour/venue.toml", HALL)
    save(nowhere / "tour/venues/small.toml", 'size = "320x180"')
    save(paths.user_data() / "venues/mine.toml", 'size = "160x90"')
    sizes = []
    for words in (["tour"], ["tour", "--venue", "none"], ["tour", "--venue", "mine"]):
        run("play", *words)
        sizes.append(played[-1].size)
    save(nowhere / "tour/setlist.toml", 'title = "a"\n[[cue]]\nscene = "red"\n')
    run("play", "tour", "--venue", "small")
    assert [*sizes, played[-1].size] == [(640, 360), (1280, 720), (160, 90), (320, 180)]


def test_a_missing_venue_is_named_with_those_that_are_there(played: list[show.Options]) -> None:
    save(Path("venues/hall.toml"), HALL)
    assert "there is no such venue; did you mean hall?" in run("play", "--venue", "hal", expect=1)
    assert played == []


def test_a_display_of_the_options_has_no_place_in_a_venue_with_displays() -> None:
    save(Path("venue.toml"), '[[display]]\nmonitor = "a"\n')
    fault = run("play", "--venue", "venue.toml", "--display", "b", expect=1)
    assert "--display: venue.toml has the displays; --venue none plays without it" in fault


def test_the_help_lists_few_options_first_and_those_of_venues_apart() -> None:
    listed: Any = typer.main.get_command(app).commands["play"]  # type: ignore[attr-defined]
    panels: dict[str, list[str]] = {}
    for one in listed.params:
        if one.param_type_name == "option":
            panels.setdefault(one.rich_help_panel or "", []).append(one.name)
    assert len(panels[""]) <= 10
    assert {*OPTIONS} - {"audio"} <= {*panels["Venue"]}


FEED = 'kind = "mqtt"\ntopic = "door"\nlow = 0\nhigh = 10\n'


def test_a_venue_has_its_own_ranges_and_addresses_of_feeds(nowhere: Path) -> None:
    save(nowhere / "feeds/door.toml", FEED)
    save(nowhere / "venue.toml", '[feed.door]\nhigh = 40\nhost = "10.0.0.9"\n')
    venue = read_venue(Path("venue.toml"))
    (feed,) = show.open_library("", venue=venue).feeds(["feed.door"])
    text: Any = feed.text
    assert (text.low, text.high, text.host, text.topic) == (0, 40, "10.0.0.9", "door")
    (own,) = show.open_library("").feeds(["feed.door"])
    assert own.text.high == 10
    run("venue", "check")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[feed.door]\nhigh = 0", "venue.toml: feed.door.low and high, must both be given and differ"),
        ("[feed.door]\nhots = 'a'", "venue.toml: feed.door.hots is unknown; did you mean host?"),
        ("[feed.door]\nport = 0", "venue.toml: feed.door.port = 0, must be greater than or equal to 1"),
        ("[feed.doer]\nlow = 0", "there is no such feed doer; did you mean door?"),
        ("feed = 3", "venue.toml: feed = 3, must be a table headed [feed]"),
    ],
)
def test_a_fault_of_a_feed_of_a_venue_names_the_venue(nowhere: Path, text: str, fault: str) -> None:
    save(nowhere / "feeds/door.toml", FEED)
    save(nowhere / "venue.toml", text)
    assert fault in run("venue", "check", expect=1).replace("\n", "")


def test_cards_need_a_desktop() -> None:
    assert "run it from a desktop session" in finished("venue", "card").stderr
