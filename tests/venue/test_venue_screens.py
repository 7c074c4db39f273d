"""The displays of a venue, on a real X server with several; run as a script, this file is the process that
the windows are in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perform.faults import Faults
from perform.scenes.look import Look
from perform.show import Options
from perform.show.screens import open_wall, open_window
from perform.venue import read_venue
from tests.doubles.windows import MANY, SCREEN, Screens, Stage, answer, real_screens, x_screens

WIDTH, HEIGHT = SCREEN
CANVAS = (2 * WIDTH, HEIGHT)
TWO = """size = "1280x480"
[operator]
size = "320x240"
[[display]]
name = "left"
monitor = "DUMMY1"
shows = [0, 0, 0.5, 1]
[[display]]
name = "right"
monitor = "DUMMY2"
shows = [0.5, 0, 0.5, 1]
"""


def canvas() -> Any:
    """A picture [height, width, 3] with another colour at every place."""
    x, y = np.arange(CANVAS[0]), np.arange(CANVAS[1])[:, None]
    parts = np.broadcast_arrays(x % 256, y % 256, (x // 256) * 40 + (y // 256) * 20)
    return np.stack(parts, 2).astype(np.uint8)


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screens]:
    with x_screens(3, tmp_path_factory.mktemp("screens")) as screens:
        yield screens


@pytest.fixture
def stage(screens: Screens) -> Iterator[Stage]:
    stage = Stage(__file__, screens.display)
    yield stage
    stage.close()
    for number in range(screens.count):
        screens.plug(number)


def play(stage: Stage, folder: Path, text: str = TWO) -> dict[str, Any]:
    file = folder / "venue.toml"
    file.write_text(text, encoding="utf-8")
    stage.ask("open_show", str(file))
    return stage.frame()


def shows(stage: Stage, screens: Screens, number: int, picture: Any) -> None:
    """Play until a display shows a picture, pixel for pixel."""
    for _ in range(MANY // 10):
        stage.frame()
        if np.abs(screens.pixels(number).astype(int) - picture).max() <= 1:  # dither
            return
    raise AssertionError(f"display {number} never shows it")


def filled(stage: Stage, *names: str | None) -> dict[str, Any]:
    return stage.until(lambda seen: seen["filled"] == [*names])


@real_screens
def test_each_display_shows_its_part_of_the_canvas(stage: Stage, screens: Screens, tmp_path: Path) -> None:
    play(stage, tmp_path)
    shows(stage, screens, 1, canvas()[:, :WIDTH])
    shows(stage, screens, 2, canvas()[:, WIDTH:])
    assert stage.frame()["cursors"] == [False, False]


@real_screens
def test_two_displays_may_show_the_same_part_turned_and_mirrored(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    text = TWO.replace("shows = [0.5", "rotate = 180\nshows = [0")
    play(stage, tmp_path, text)
    left = canvas()[:, :WIDTH]
    shows(stage, screens, 1, left)
    shows(stage, screens, 2, left[::-1, ::-1])


@real_screens
def test_a_display_that_is_pulled_and_plugged_in_again_shows_its_part_again(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    play(stage, tmp_path)
    filled(stage, "DUMMY1", "DUMMY2")
    screens.pull(1)
    seen = filled(stage, None, "DUMMY2")
    assert seen["health"] == ["waiting", "DUMMY1 is not plugged in"]
    shows(stage, screens, 2, canvas()[:, WIDTH:])
    screens.plug(1)
    assert filled(stage, "DUMMY1", "DUMMY2")["health"] == ["ok", "2 displays"]
    shows(stage, screens, 1, canvas()[:, :WIDTH])
    shows(stage, screens, 2, canvas()[:, WIDTH:])


@real_screens
@pytest.mark.parametrize("mode", ["", 'size = "640x480"\n'])
def test_a_display_that_gets_another_mode_or_place_is_filled_again(
    stage: Stage, screens: Screens, tmp_path: Path, mode: str
) -> None:
    small = screens.add_small_mode(1)
    play(stage, tmp_path, TWO.replace('monitor = "DUMMY1"\n', f'monitor = "DUMMY1"\n{mode}'))
    shows(stage, screens, 1, canvas()[:, :WIDTH])
    screens.plug(1, small)
    size = [WIDTH, HEIGHT] if mode else [320, 240]  # the mode that the venue wants, or that of the desktop
    stage.until(lambda seen: stage.ask("sizes")[0] == size)
    assert stage.frame()["places"] == [[WIDTH, 0], [2 * WIDTH, 0]]
    screens.plug(1)
    screens.plug(2, left=0)
    seen = stage.until(lambda seen: seen["places"][1] == [0, 0])
    assert seen["filled"] == ["DUMMY1", "DUMMY2"]
    shows(stage, screens, 1, canvas()[:, :WIDTH])


@real_screens
def test_a_display_keeps_its_picture_when_another_comes_whose_name_begins_alike(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    screens.pull(0)
    screens.pull(2)
    play(stage, tmp_path, '[[display]]\nmonitor = "dummy"\nshows = [0, 0, 0.5, 1]\n')
    filled(stage, "DUMMY1")
    screens.plug(2)
    for _ in range(3 * 64):
        assert stage.frame()["filled"] == ["DUMMY1"]
    shows(stage, screens, 1, canvas()[:, :WIDTH])


@real_screens
def test_a_name_that_could_be_any_of_several_is_said(stage: Stage, screens: Screens, tmp_path: Path) -> None:
    seen = play(stage, tmp_path, '[[display]]\nmonitor = "dummy"\n')
    assert seen["filled"] == [None] and seen["health"] == ["waiting", "dummy could be any of several"]
    (said,) = seen["log"]
    assert said.startswith("display dummy could be any of several: its picture is ")


@real_screens
def test_displays_of_one_name_come_back_where_they_belong(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    stage.ask("same_names")
    text = TWO.replace('"DUMMY1"', '"projector 2"').replace('"DUMMY2"', '"projector 3"')
    play(stage, tmp_path, text)
    filled(stage, "projector 2", "projector 3")
    screens.pull(1)
    screens.pull(2)
    filled(stage, None, None)
    screens.plug(2)
    filled(stage, None, "projector 3")
    shows(stage, screens, 2, canvas()[:, WIDTH:])
    screens.plug(1)
    filled(stage, "projector 2", "projector 3")
    shows(stage, screens, 1, canvas()[:, :WIDTH])


@real_screens
def test_a_display_that_is_missing_at_first_is_in_a_window_beside_the_operators(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    screens.pull(1)
    seen = play(stage, tmp_path)
    assert seen["filled"] == [None, "DUMMY2"] and seen["visible"] == [True, True]
    assert seen["places"][0] == [WIDTH - 480, 48], "at the right of the operator's display"
    assert "display DUMMY1 is not plugged in: its picture is now in a window" in seen["log"]
    screens.plug(1)
    filled(stage, "DUMMY1", "DUMMY2")
    shows(stage, screens, 1, canvas()[:, :WIDTH])


@real_screens
def test_the_frame_of_a_missing_display_never_covers_another_one(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    screens.pull(0)
    screens.pull(1)
    seen = play(stage, tmp_path, TWO)
    assert seen["filled"] == [None, "DUMMY2"] and seen["visible"] == [False, True]
    shows(stage, screens, 2, canvas()[:, WIDTH:])
    screens.plug(0)
    seen = stage.until(lambda seen: seen["visible"] == [True, True])
    assert seen["filled"] == [None, "DUMMY2"], "there is a display for its frame now"
    screens.plug(1)
    filled(stage, "DUMMY1", "DUMMY2")
    shows(stage, screens, 1, canvas()[:, :WIDTH])
    shows(stage, screens, 2, canvas()[:, WIDTH:])


@real_screens
def test_a_display_that_is_moved_on_the_desktop_keeps_its_picture(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    play(stage, tmp_path)
    filled(stage, "DUMMY1", "DUMMY2")
    before = stage.frame()["places"]
    screens.pull(0)
    assert stage.until(lambda seen: seen["places"] != before)["filled"] == ["DUMMY1", "DUMMY2"]
    shows(stage, screens, 1, canvas()[:, :WIDTH])
    shows(stage, screens, 2, canvas()[:, WIDTH:])


@real_screens
def test_nobody_closes_a_display_and_its_keys_are_those_of_the_show(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    play(stage, tmp_path)
    filled(stage, "DUMMY1", "DUMMY2")
    stage.ask("ask_to_close", 0)
    seen = stage.frame()
    assert not seen["closed"] and seen["filled"] == ["DUMMY1", "DUMMY2"]
    stage.ask("focus", 1)
    stage.frame()
    stage.xdotool("key", "space")
    assert stage.until(lambda seen: ["key.space", 1.0] in seen["events"])
    stage.xdotool("key", "Escape")
    stage.until(lambda seen: ["key.escape", 0.0] in seen["events"])
    stage.xdotool("key", "Escape")
    assert stage.until(lambda seen: seen["closed"])


@real_screens
def test_the_operators_window_never_fills_a_display_of_the_wall(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    third = '[[display]]\nname = "third"\nmonitor = "DUMMY0"\nshows = [0, 0, 0.5, 1]\n'
    play(stage, tmp_path, TWO + third)
    filled(stage, "DUMMY1", "DUMMY2", "DUMMY0")
    stage.ask("focus", 1)
    stage.frame()
    stage.xdotool("key", "F11")
    stage.until(lambda seen: ["key.f11", 0.0] in seen["events"])
    assert stage.frame()["operator_fills"] is None
    for number in (0, 1):
        shows(stage, screens, number, canvas()[:, :WIDTH])


@real_screens
def test_a_gallery_has_no_operators_window_and_esc_on_a_display_ends_the_show(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    seen = play(stage, tmp_path, TWO.replace("[operator]", "[operator]\nwindow = false"))
    assert not seen["operator"]
    shows(stage, screens, 2, canvas()[:, WIDTH:])
    assert not screens.pixels(0).any(), "nothing is on the third display"
    stage.ask("focus", 1)
    stage.frame()
    stage.xdotool("key", "F11")
    stage.until(lambda seen: ["key.f11", 0.0] in seen["events"])
    assert not stage.frame()["operator"], "there is no window that could cover a display"
    shows(stage, screens, 2, canvas()[:, WIDTH:])
    stage.xdotool("key", "Escape", "Escape")
    assert stage.until(lambda seen: seen["closed"])


@real_screens
def test_a_delayed_display_shows_the_picture_of_a_moment_ago(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    play(stage, tmp_path, TWO.replace('name = "right"', 'name = "right"\ndelay = 125'))
    filled(stage, "DUMMY1", "DUMMY2")
    colours = [[number, 0, 0] for number in range(40)]
    stage.ask("paint", colours)
    seen = [stage.frame() and (screens.pixels(1)[9, 9, 0], screens.pixels(2)[9, 9, 0]) for _ in colours]
    late = [int(left) - int(right) for left, right in seen[-8:]]
    assert late == pytest.approx([8] * 8, abs=1), "8 frames of 1/64 s are 125 ms"


class Player:
    """The other side of Stage: the operator's window, and a wall."""

    def open_show(self, file: str) -> None:
        import logging

        from perform.outputs.window import displays

        self.log: list[str] = []
        handler = logging.Handler()
        handler.emit = lambda record: self.log.append(record.getMessage())  # type: ignore[method-assign]
        logging.getLogger("perform").addHandler(handler)
        venue = read_venue(Path(file))
        self.window = open_window(Options(venue=venue, watch=False, size=CANVAS))
        self.wall = open_wall(venue, self.window, CANVAS, Faults())
        assert displays()
        self.image = self.window.context.texture(CANVAS, 3, canvas()[::-1].tobytes(), alignment=1)
        self.colours: list[list[int]] = []

    def same_names(self) -> None:
        import glfw

        glfw.get_monitor_name = lambda _monitor: b"projector"

    def paint(self, colours: list[list[int]]) -> None:
        self.colours = colours

    def frame(self, seconds: float) -> dict[str, Any]:
        import glfw

        events = [*self.window.poll(seconds), *self.wall.poll(seconds)]
        if self.colours:
            self.image.write(bytes(self.colours.pop(0)) * (CANVAS[0] * CANVAS[1]))
        self.wall.show(self.image, Look())
        self.window.show(self.image, Look())
        handles = [one.window._window for one in self.wall.displays]
        health = self.wall.health()
        return {
            "events": [[event.name, event.value] for event in events],
            "closed": self.window.closed,
            "operator": bool(glfw.get_window_attrib(self.window.handle, glfw.VISIBLE)),
            "operator_fills": self.window.fullscreen,
            "filled": [one.window.fullscreen for one in self.wall.displays],
            "health": [health.state, health.detail],
            "visible": [bool(glfw.get_window_attrib(one, glfw.VISIBLE)) for one in handles],
            "places": [list(glfw.get_window_pos(one)) for one in handles],
            "cursors": [glfw.get_input_mode(one, glfw.CURSOR) == glfw.CURSOR_NORMAL for one in handles],
            "log": self.log,
        }

    def sizes(self) -> list[list[int]]:
        return [list(one.window.size) for one in self.wall.displays]

    def ask_to_close(self, number: int) -> None:
        import glfw

        handle = self.wall.displays[number].window._window
        glfw.set_window_should_close(handle, True)
        close = glfw.set_window_close_callback(handle, None)
        glfw.set_window_close_callback(handle, close)
        close(handle)

    def focus(self, number: int) -> None:
        import glfw

        glfw.focus_window(self.wall.displays[number].window._window)


if __name__ == "__main__":
    player = Player()
    answer(player)
    player.wall.close()
    player.window.close()
    sys.exit()
