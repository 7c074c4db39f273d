"""The operator's window of a show in a venue, on a real X server; run as a script, this file is the process
that the show is in."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from perform.faults import Health
from perform.outputs.window.help import ACCENT, GROUND
from perform.show import Options, play
from perform.show.operator import LastFault, fitted_into, lines
from perform.show.status import Status
from perform.venue import read_venue
from tests.doubles.windows import (
    SCREEN,
    Screens,
    Stage,
    answer,
    real_screens,
    share,
    show_stage,
    x_screens,
)

NOTES = "watch Mika. When she lifts her left hand, the blue light goes out, then GO"
VENUE = """size = "320x180"
[operator]
size = "640x480"
[[display]]
name = "wall"
monitor = "DUMMY1"
shows = [0, 0, 1, 1]
"""
RED, BLUE, BLACK = (255, 0, 0), (0, 0, 255), (0, 0, 0)


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screens]:
    with x_screens(2, tmp_path_factory.mktemp("screens")) as screens:
        yield screens


@pytest.fixture
def stage(screens: Screens, tmp_path: Path) -> Iterator[Stage]:
    with show_stage(__file__, screens.display, tmp_path, VENUE) as stage:
        yield stage


@real_screens
def test_the_operator_sees_picture_preview_and_meters_and_the_wall_the_picture_alone(
    stage: Stage, screens: Screens
) -> None:
    stage.until(lambda _: share(screens.pixels(1), RED) == 1 and share(screens.pixels(0), BLUE) > 0)
    operator, (width, height) = screens.pixels(0), SCREEN
    assert share(operator[:, : width // 2 - 24], RED) > 0.3, "the picture, on the left"
    assert share(operator[: height // 2, width // 2 :], BLUE) > 0.2, "the preview, above on the right"
    assert share(operator[height // 2 :, width // 2 :], ACCENT) > 0.003, "text and meters below"
    assert share(operator, GROUND) > 0.2
    ink = share(operator[height // 2 :, width // 2 :], ACCENT)
    stage.ask("notify", "MMMM MMMM MMMM MMMM")
    stage.until(lambda _: share(screens.pixels(0)[height // 2 :, width // 2 :], ACCENT) > 1.2 * ink)
    assert share(screens.pixels(1), RED) == 1, "a note is the operator's alone"
    stage.xdotool("key", "space")
    stage.until(lambda _: share(screens.pixels(1), BLUE) == 1)
    stage.xdotool("key", "b")
    stage.until(lambda _: share(screens.pixels(1), BLACK) == 1)


def test_the_text_says_where_the_show_is() -> None:
    status = Status(
        scene="Rings", number="2.5", notes=NOTES, cue=3, cues=12, bpm=128.04, source="link",
        next_scene="A very long title of a scene (opening)", display_fps=59.96, master=0.5,
        blackout=True, pause=True,
        devices=(("midi", Health("ok", "")), ("displays", Health("waiting", "HDMI-1 is not plugged in")),
                 *((kind, Health("waiting", "no sequencer")) for kind in ("lights", "midi"))),
    )  # fmt: skip
    assert [(name.strip(), text) for name, text in lines(status)] == [
        ("cue", "3/12: 2.5 Rings"),
        ("next", "A very long title of a scene"),
        ("", "(opening)"),
        ("tempo", "128.0 bpm, link"),
        ("frames", "60/s, pictures –/s"),
        ("master", "50% blackout pause"),
        ("devices", "HDMI-1 is not plugged in, no"),
        ("", "sequencer"),
        ("notes", "watch Mika. When she lifts her"),
        ("", "left hand, the blue light goes"),
        ("", "out, then GO"),
    ]


def test_an_error_of_the_log_is_shown_for_half_a_minute_and_a_warning_is_not() -> None:
    faults = LastFault()
    log = logging.getLogger("perform.test_operator")
    log.addHandler(faults)
    log.warning("midi waits")
    assert faults.text(1.0) == ""
    log.error("kept the last good version:\na.toml: %s is unknown", "titel")
    assert faults.text(2.0) == faults.text(31.9) == "kept the last good version: a.toml: titel is unknown"
    assert faults.text(32.0) == ""
    log.error("a film stopped")
    assert faults.text(40.0) == "a film stopped"
    log.removeHandler(faults)


@pytest.mark.parametrize(
    ("room", "shape", "expected"),
    [
        ((0, 0, 200, 100), (100, 100), (50, 0, 100, 100)),
        ((10, 20, 100, 200), (200, 100), (10, 95, 100, 50)),
        ((10, 20, 0, 0), (200, 100), (10, 20, 2, 1)),
    ],
)
def test_a_picture_is_as_large_as_its_room_allows(
    room: tuple[int, int, int, int], shape: tuple[int, int], expected: tuple[int, int, int, int]
) -> None:
    assert fitted_into(room, shape) == expected


class Player:
    """The other side of Stage: a show in a venue."""

    def open_show(self, folder: str) -> None:
        import os

        os.chdir(folder)
        venue = read_venue(Path("venue.toml"))
        self.rig = play(Options("demo", size=(320, 180), venue=venue, watch=False, osc_port=0, lights=False))

    def notify(self, note: str) -> None:
        window: Any = self.rig.screens[0]
        window.notify(note)

    def frame(self, _seconds: float) -> dict[str, Any]:
        self.rig.frame()
        return {"faults": dict(self.rig.faults.counts)}


if __name__ == "__main__":
    player = Player()
    answer(player)
    player.rig.close()
    sys.exit()
