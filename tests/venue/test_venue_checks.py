"""What `perform venue check` warns of, and the file that `perform venue new` writes."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from perform.inputs.feeds.document import PlacedFeeds
from perform.scenes.projection import EdgeBlend, Mask, Projection
from perform.venue import Operator, Venue, VenueDisplay, read_venue
from perform.venue.checks import picture_edge, warnings
from perform.venue.template import Found, FoundMonitor, template
from tests.folders import ROOT

LEFT, RIGHT = (0.0, 0.0, 0.55, 1.0), (0.45, 0.0, 0.55, 1.0)
ALL = ((0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0))


def wall(*projections: Projection) -> Venue:
    """A venue of displays a, b …, each plugged into a monitor of its name."""
    names = "abc"[: len(projections)]
    displays = zip(names, names.upper(), [None] * 3, [None] * 3, projections, strict=False)
    return Venue(Path("venue.toml"), displays=tuple(VenueDisplay(*one) for one in displays))


def told(venue: Venue) -> list[str]:
    return warnings(venue, ["A", "B", "C"])


def test_an_aligned_wall_has_no_warnings() -> None:
    soft = 0.1 / 0.55
    left = Projection(LEFT, blend=EdgeBlend(right=soft))
    right = Projection(RIGHT, blend=EdgeBlend(left=soft))
    assert told(wall(left, right)) == []
    assert told(wall(Projection((0, 0, 0.5, 1)), Projection((0.5, 0, 0.5, 1)))) == []
    assert told(wall(Projection(LEFT), Projection(LEFT))) == [], "the same picture twice"


def test_an_overlap_without_soft_edges_is_warned_with_the_width_that_it_needs() -> None:
    assert told(wall(Projection(LEFT), Projection(RIGHT, blend=EdgeBlend(left=0.2)))) == [
        "display a overlaps b without a soft edge: blend = { right = 0.1818 }"
    ]
    assert told(wall(Projection(RIGHT), Projection(LEFT))) == [
        "display b overlaps a without a soft edge: blend = { right = 0.1818 }",
        "display a overlaps b without a soft edge: blend = { left = 0.1818 }",
    ]
    low, high = Projection((0, 0, 1, 0.6)), Projection((0, 0.5, 1, 0.5))
    assert [one.partition(": ")[2] for one in told(wall(low, high))] == [
        "blend = { top = 0.1667 }",
        "blend = { bottom = 0.2 }",
    ]


@pytest.mark.parametrize(
    ("edge", "rotation", "flip", "expected"),
    [
        ("right", 0, False, "right"),
        ("right", 90, False, "top"),
        ("right", 180, False, "left"),
        ("right", 270, False, "bottom"),
        ("right", 0, True, "left"),
        ("left", 90, True, "bottom"),
        ("top", 90, True, "right"),
    ],
)
def test_the_soft_edge_is_that_of_the_turned_picture(
    edge: str, rotation: Any, flip: bool, expected: str
) -> None:
    assert picture_edge(edge, Projection(rotation=rotation, flip=flip)) == expected


def test_a_part_outside_of_the_canvas_and_too_wide_edges_are_warned() -> None:
    odd = Projection((0.5, 0, 0.6, 1), blend=EdgeBlend(left=0.7, right=0.5))
    assert told(wall(odd)) == [
        "display a: shows = [0.5, 0, 0.6, 1] is partly outside of the canvas, there it is black",
        "display a: blend left and right are 1.2 together, more than 1",
    ]


def test_masks_that_hide_everything_are_warned() -> None:
    low = Mask(((0, 0), (1, 0), (1, 0.5), (0, 0.5)))
    high = Mask(((-1, 0.5), (2, 0.5), (2, 2), (-1, 2)))
    hole = Mask(((0.4, 0.4), (0.6, 0.4), (0.5, 0.6)), invert=True)
    everything = ["display a: its masks hide everything"]
    assert told(wall(Projection(masks=(Mask(ALL),)))) == everything
    assert told(wall(Projection(masks=(low, high)))) == everything
    assert told(wall(Projection(masks=(Mask(ALL, invert=True),)))) == []
    assert told(wall(Projection(masks=(low,)))) == []
    assert told(wall(Projection(masks=(hole,)))) == []
    assert told(wall(Projection(masks=(hole, low, high)))) == everything


def test_monitors_that_are_not_plugged_in_are_warned_with_those_that_are() -> None:
    venue = Venue(
        Path("venue.toml"),
        displays=(VenueDisplay("a", "hdmi"), VenueDisplay("b", "DP-1"), VenueDisplay("c", "dp-2")),
        operator=Operator(monitor="eDP"),
    )
    assert warnings(venue, ["HDMI-1", "HDMI-2", "DP-2"]) == [
        "display a: monitor 'hdmi' could be any of several: HDMI-1, HDMI-2",
        "display b: monitor 'DP-1' is not plugged in; there are: HDMI-1, HDMI-2, DP-2",
        "the operator's window: monitor 'eDP' is not plugged in; there are: HDMI-1, HDMI-2, DP-2",
    ]
    assert warnings(venue, None) == []


FULL = Found(
    monitors=[
        FoundMonitor("eDP-1", (1920, 1200), 60),
        FoundMonitor("HDMI-2", (1920, 1080), 50, 3840),
        FoundMonitor('Odd "name"', (1280, 1080), 60, 1920),
    ],
    sounds=['Tool "X"', "Mic"],
    midi_inputs=["MIDImix"],
    midi_outputs=["Synth"],
    cameras=["Cam\nera"],
)


def test_a_new_venue_shares_the_canvas_among_the_displays_from_left_to_right(tmp_path: Path) -> None:
    file = tmp_path / "venue.toml"
    file.write_text(template(FULL, 'Blue "hall"', "venue.toml"), encoding="utf-8")
    venue = read_venue(file)
    assert (venue.title, venue.options) == ('Blue "hall"', {"size": "3200x1080"})
    assert venue.operator == Operator(True, "eDP-1")
    first, second = venue.displays
    assert (first.name, first.monitor, first.size, first.refresh) == (
        "wall 1",
        'Odd "name"',
        (1280, 1080),
        60,
    )
    assert (second.name, second.monitor, second.size, second.refresh) == (
        "wall 2",
        "HDMI-2",
        (1920, 1080),
        50,
    )
    assert [one.projection.part for one in venue.displays] == [(0, 0, 0.4, 1), (0.4, 0, 0.6, 1)]
    assert warnings(venue, [one.name for one in FULL.monitors]) == []


@pytest.mark.parametrize("found", [Found(), Found(FULL.monitors[:1])])
def test_a_machine_without_a_second_display_has_the_operators_window_alone(
    tmp_path: Path, found: Found
) -> None:
    file = tmp_path / "venue.toml"
    file.write_text(template(found, "Hall", "venue.toml"), encoding="utf-8")
    assert read_venue(file) == Venue(file, "Hall", options={"size": "1280x720"})


def test_every_line_of_a_new_venue_may_be_taken_as_it_is(tmp_path: Path) -> None:
    text = template(FULL, "Hall", "venue.toml")
    lines = [line.removeprefix("# ") if " = " in line else line for line in text.splitlines()]
    file = tmp_path / "venue.toml"
    file.write_text("\n".join(lines).replace("window = false", ""), encoding="utf-8")
    venue = read_venue(file)
    assert venue.options["audio"] == 'Tool "X"' and venue.options["midi"] == "MIDImix"
    assert venue.options["camera"] == "Cam era" and venue.options["flashes"] == "on"
    assert venue.displays[0].projection.rotation == 90
    assert venue.feeds == PlacedFeeds(file, {"gallery": {"low": 0, "high": 40}})


def test_the_wall_of_the_page_has_no_faults_and_no_warnings(tmp_path: Path) -> None:
    page = (ROOT / "docs/venue.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"^ *```toml\n(.*?)^ *```", page, re.MULTILINE | re.DOTALL)
    file = tmp_path / "venue.toml"
    file.write_text(dedent(text), encoding="utf-8")
    venue = read_venue(file)
    assert [one.name for one in venue.displays] == ["left", "right"]
    assert warnings(venue, ["HDMI-1", "HDMI-2", "eDP-1"]) == []
