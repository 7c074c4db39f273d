"""The file of a venue: what it says, every fault at once, and projections written into it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perform.documents import SceneError
from perform.scenes.projection import ColourCorrection, EdgeBlend, Mask, Projection, white_gains
from perform.venue import Operator, Venue, VenueDisplay, read_venue
from perform.venue.saving import save_projections

HALL = """# The hall.
title = "Blue hall"
public = true
size = "3840x1080"
fps = 50
offset = 40      # the projectors are slow
share = ["ndi:Blue hall", "v4l2:/dev/video10"]

[sound]
device = "USB"

[midi]
port = "MIDImix"
lights = false

[osc]
listen = 9001
feedback = ["192.168.0.7:9000", 9002]

[clock]
lead = "midi"

[camera]
region = [0.1, 0, 0.9, 1]

[models]
memory = 8

# left of the stage
[[display]]
name = "left"
monitor = "HDMI-1"
size = "1920x1080"
refresh = 60
shows = [0, 0, 0.55, 1]
blend = { right = 0.1 }   # soft
colour = { white = 5600 }
masks = [{ points = [[0, 0], [0.2, 0], [0, 0.2]], feather = 0.02, invert = true }]
delay = 40

[[display]]   # right
monitor = "HDMI-2"
shows = [0.45, 0, 0.55, 1]
rotate = 180
flip = true
corners = [[0.1, 0], [1, 0], [1, 1], [0, 1]]
mesh = [[[0, 0], [1, 0]], [[0, 1], [1, 1.2]]]

[operator]
monitor = "eDP-1"
size = "1600x900"
"""


@pytest.fixture
def hall(tmp_path: Path) -> Path:
    file = tmp_path / "venue.toml"
    file.write_text(HALL, encoding="utf-8")
    return file


def faults(folder: Path, text: str) -> list[str]:
    """The faults of a text, without the name of the file."""
    file = folder / "venue.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SceneError) as error:
        read_venue(file)
    return [fault.removeprefix(f"{file}: ") for fault in error.value.faults]


def test_a_venue_says_all_of_a_place(hall: Path) -> None:
    mask = Mask(((0.0, 0.0), (0.2, 0.0), (0.0, 0.2)), 0.02, invert=True)
    left = Projection(
        (0.0, 0.0, 0.55, 1.0),
        blend=EdgeBlend(right=0.1),
        masks=(mask,),
        colour=ColourCorrection(white=white_gains(5600)),
    )
    right = Projection(
        (0.45, 0.0, 0.55, 1.0),
        180,
        True,
        ((0.1, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)),
        (((0.0, 0.0), (1.0, 0.0)), ((0.0, 1.0), (1.0, 1.2))),
    )
    displays = (
        VenueDisplay("left", "HDMI-1", (1920, 1080), 60, left, 0.04),
        VenueDisplay("HDMI-2", "HDMI-2", None, None, right),
    )
    options = {
        "size": "3840x1080", "fps": 50, "offset": 40, "flashes": "on", "audio": "USB", "midi": "MIDImix",
        "lights": False, "osc": "9001", "osc_feedback": ["192.168.0.7:9000", "9002"], "clock": "midi",
        "region": "0.1,0,0.9,1", "memory": 8, "share": ["ndi:Blue hall", "v4l2:/dev/video10"],
    }  # fmt: skip
    operator = Operator(True, "eDP-1", (1600, 900))
    assert read_venue(hall) == Venue(hall, "Blue hall", displays, operator, options)


def test_an_empty_file_is_a_venue_with_one_window(tmp_path: Path) -> None:
    file = tmp_path / "venue.toml"
    file.write_text("", encoding="utf-8")
    assert read_venue(file) == Venue(file)


def test_the_sound_of_a_venue_may_lie_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "hall.toml"
    file.write_text('[sound]\ndevice = "rain.wav"\n', encoding="utf-8")
    assert read_venue(file).options == {"audio": "rain.wav"}, "perhaps it is in the current folder"
    (tmp_path / "rain.wav").touch()
    assert read_venue(file).options == {"audio": str(tmp_path / "rain.wav")}


def test_a_public_place_limits_flashes_unless_it_says_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "venue.toml"
    for text, flashes in (("", None), ("public = true", "on"), ('public = true\nflashes = "off"', "off")):
        file.write_text(text, encoding="utf-8")
        assert read_venue(file).options.get("flashes") == flashes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("titel = 'a'", "titel is unknown; did you mean title?"),
        ("size = '1920'", "size = '1920', must be WIDTHxHEIGHT in quotes, each 16..16384 pixels"),
        ("size = [1, 2]", "size = [1, 2], must be WIDTHxHEIGHT in quotes, each 16..16384 pixels"),
        (
            "share = ['srt:a']",
            'share[0] = \'srt:a\', must be "KIND:NAME", such as "ndi:stage", '
            "with KIND one of ndi, v4l2, spout, syphon",
        ),
        ("offset = 900", "offset = 900, must be less than or equal to 200"),
        ("flashes = 'maybe'", "flashes = 'maybe', must be 'off', 'warn' or 'on'"),
        ("[osc]\nlisten = 'abc'", "osc.listen = 'abc', must be \"HOST:PORT\" or a port 0..65535"),
        (
            "[camera]\nregion = [0.5, 0, 0.1, 1]",
            "camera.region = [0.5, 0, 0.1, 1], must be [left, top, right, bottom], each 0..1, left below"
            " right and top below bottom",
        ),
        ("[[display]]\nmonitr = 'a'", "display[0].monitr is unknown; did you mean monitor?"),
        (
            "[[display]]\nmonitor = 'a'\nrotate = 45",
            "display[0].rotate = 45, must be 0, 90, 180 or 270",
        ),
        (
            "[[display]]\nmonitor = 'a'\nshows = [0, 0, 0, 1]",
            "display[0].shows = [0, 0, 0, 1], must be [left, bottom, width, height], 1 is the whole canvas,"
            " width and height above 0",
        ),
        (
            "[[display]]\nmonitor = 'a'\ncorners = [[0, 0], [1, 0], [1, nan], [0, 1]]",
            "display[0].corners = [[0, 0], [1, 0], [1, nan], [0, 1]], must be 4 points [x, y] within -10..11:"
            " lower left, lower right, upper right, upper left",
        ),
        (
            "[[display]]\nmonitor = 'a'\nmesh = [[[0, 0], [1, 0]], [[0, 1]]]",
            "display[0].mesh = [[[0, 0], [1, 0]], [[0, 1]]], must be rows of points [x, y] within -10..11,"
            " the lowest row first, all of one length, 2x2 or more",
        ),
        (
            "[[display]]\nmonitor = 'a'\ncolour = { white = 100 }",
            "display[0].colour.white = 100, must be a colour temperature 1667..25000 (kelvin), or the gains"
            " [red, green, blue], each 0..4",
        ),
        (
            "[[display]]\nmonitor = 'a'\nblend = { rigth = 0.1 }",
            "display[0].blend.rigth is unknown; did you mean right?",
        ),
        (
            "[[display]]\nmonitor = 'a'\nmasks = [{ points = [[0, 0], [1, 1]] }]",
            "display[0].masks[0].points = [[0, 0], [1, 1]], must be 3 points [x, y] or more, each within"
            " -10..11",
        ),
        (
            "[[display]]\nmonitor = 'a'\ncorners = [[0, 0], [1, 1], [1, 0], [0, 1]]",
            "display[0].corners: the sides cross, or a corner points inwards; must be lower left, lower"
            " right, upper right, upper left of a picture without a dent",
        ),
        (
            "[[display]]\nmonitor = 'a'\n[[display]]\nmonitor = 'A'\nname = 'b'",
            "display[1].monitor = 'A' is there already, each display has its own",
        ),
    ],
)
def test_a_fault_says_key_value_and_what_is_allowed(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in faults(tmp_path, text)


def test_every_fault_is_found_in_one_run(tmp_path: Path) -> None:
    text = "fps = 0\nnonsense = 1\n[midi]\nport = 3\n[[display]]\nsize = '1x1'\n[operator]\nsize = 2\n"
    assert [fault.split(" ")[0] for fault in faults(tmp_path, text)] == [
        "fps", "midi.port", "display[0].monitor", "display[0].size", "operator.size", "nonsense",
    ]  # fmt: skip


def test_a_setlist_or_a_preset_is_no_venue(tmp_path: Path) -> None:
    for kind, text in {"setlist": '[[cue]]\nscene = "a"\n', "preset": '[source]\ntext = "a"\n'}.items():
        file = tmp_path / f"{kind}.toml"
        file.write_text(f'title = "Friday"\n{text}', encoding="utf-8")
        with pytest.raises(SceneError) as caught:
            read_venue(file)
        assert caught.value.faults == [f"{file} is a {kind}, must be a venue"]


def test_a_long_value_is_cut_in_the_message(tmp_path: Path) -> None:
    rows = ", ".join("[[0, 0], [1, 0]]" for _ in range(30))
    (fault,) = faults(tmp_path, f"[[display]]\nmonitor = 'a'\nmesh = [{rows}, [[0, 0]]]")
    assert len(fault) < 220 and "…, must be rows" in fault


json = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(-9, 9) | st.text("abc", max_size=3),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner),
    max_leaves=8,
)
KEYS = ("shows", "rotate", "flip", "corners", "mesh", "blend", "masks", "colour", "delay", "size", "refresh")


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.dictionaries(st.sampled_from(KEYS), json, min_size=1))
def test_whatever_a_display_says_is_read_or_rejected_with_its_key(
    tmp_path: Path, values: dict[str, Any]
) -> None:
    file = tmp_path / "venue.toml"
    values = {key: value for key, value in values.items() if "None" not in repr(value)}
    file.write_text(tomlkit.dumps({"display": [{"monitor": "a", **values}]}), encoding="utf-8")
    try:
        (display,) = read_venue(file).displays
    except SceneError as error:
        assert all(fault.startswith(f"{file}: display[0].") for fault in error.faults)
    else:
        assert display.projection.faults() == []


def test_saving_writes_only_what_changed(hall: Path) -> None:
    left, right = (display.projection for display in read_venue(hall).displays)
    moved = ((0.1, 0.0), (1.0, 0.0), (1.0, 0.9), (0.0, 1.0))
    save_projections(hall, {"HDMI-2": replace(right, corners=moved)})
    before = "corners = [[0.1, 0], [1, 0], [1, 1], [0, 1]]"
    after = "corners = [[0.1, 0], [1, 0], [1, 0.9], [0, 1]]"
    assert hall.read_text(encoding="utf-8") == HALL.replace(before, after)
    assert [display.projection for display in read_venue(hall).displays] == [
        left,
        replace(right, corners=moved),
    ]


def test_a_soft_edge_is_added_to_the_others_and_the_white_keeps_its_kelvin(hall: Path) -> None:
    left = read_venue(hall).displays[0].projection
    blend, colour = replace(left.blend, top=0.25), replace(left.colour, contrast=1.5)
    save_projections(hall, {"left": replace(left, blend=blend, colour=colour)})
    text = HALL.replace("blend = { right = 0.1 }", "blend = { right = 0.1, top = 0.25}")
    text = text.replace("{ white = 5600 }", "{ white = 5600, contrast = 1.5}")
    assert hall.read_text(encoding="utf-8") == text


def test_tables_with_headers_of_their_own_are_kept(tmp_path: Path) -> None:
    file = tmp_path / "venue.toml"
    text = """[[display]]
monitor = "a"
[display.blend]
left = 0.1  # soft
[[display.masks]]
points = [[0, 0], [1, 0], [1, 1]]
[[display.masks]]
points = [[0, 0], [0.5, 0], [1, 1]]

[[display]]
monitor = "b"
"""
    file.write_text(text, encoding="utf-8")
    before = read_venue(file).displays[0].projection
    after = replace(
        before,
        corners=((0.0, 0.0), (0.9, 0.0), (1.0, 1.0), (0.0, 1.0)),
        blend=replace(before.blend, left=0.2),
        masks=before.masks[:1],
    )
    save_projections(file, {"a": after})
    assert read_venue(file).displays[0].projection == after
    assert "left = 0.2  # soft" in file.read_text(encoding="utf-8")


def test_a_save_that_fails_leaves_the_file(hall: Path) -> None:
    with pytest.raises(LookupError, match="there is no display 'middle' any more, it has left, HDMI-2"):
        save_projections(hall, {"middle": Projection()})
    assert hall.read_text(encoding="utf-8") == HALL
    hall.write_text(HALL + "nonsense", encoding="utf-8")
    with pytest.raises(SceneError):
        save_projections(hall, {"left": Projection()})
    assert hall.read_text(encoding="utf-8") == HALL + "nonsense"


def test_a_saved_file_keeps_its_mode_its_mark_and_its_line_ends(hall: Path) -> None:
    hall.write_bytes(b"\xef\xbb\xbf" + HALL.replace("\n", "\r\n").encode())
    hall.chmod(0o640)
    left = read_venue(hall).displays[0].projection
    save_projections(hall, {"left": replace(left, mesh=(((0.0, 0.0), (1.0, 0.0)), ((0.0, 1.0), (1.0, 1.0))))})
    content = hall.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf# The hall.\r\n")
    assert content.count(b"\n") == content.count(b"\r\n") > HALL.count("\n")
    assert hall.stat().st_mode & 0o777 == 0o640


share = st.floats(0, 1).map(lambda value: round(value, 6))
offset = st.floats(-0.2, 0.2)
polygon = st.lists(st.tuples(share, share), min_size=3, max_size=5).map(tuple)
corner_moves = st.lists(st.tuples(offset, offset), min_size=4, max_size=4)
projections = st.builds(
    lambda moves, blend, masks, colour, rotation, flip: Projection(
        rotation=rotation,
        flip=flip,
        corners=tuple(
            (round(x + dx, 6), round(y + dy, 6))
            for (x, y), (dx, dy) in zip(((0, 0), (1, 0), (1, 1), (0, 1)), moves, strict=True)
        ),
        blend=blend,
        masks=tuple(masks),
        colour=colour,
    ),
    corner_moves,
    st.builds(EdgeBlend, share, share, share, share),
    st.lists(st.builds(Mask, polygon, share, st.booleans()), max_size=2),
    st.builds(ColourCorrection, share, share, share.map(lambda value: round(0.3 + value, 6))),
    st.sampled_from([0, 90, 180, 270]),
    st.booleans(),
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=projections, second=projections)
def test_what_is_saved_is_read_again(tmp_path: Path, first: Projection, second: Projection) -> None:
    file = tmp_path / "hall.toml"
    file.write_text(HALL, encoding="utf-8")
    for projection in (first, second):
        assert save_projections(file, {"left": projection}).displays[0].projection == projection
    text = file.read_text(encoding="utf-8")
    assert "# left of the stage" in text and "[[display]]   # right" in text
