"""The editor and the file of a venue in a playing show, on a real X server with two displays; run as a
script, this file is the process that the show is in."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from perform.scenes.projection import SQUARE, Projection
from perform.show import Options, play
from perform.venue import VenueDisplay, read_venue
from perform.venue.live import restarts
from perform.venue.reader import Operator, Venue
from tests.doubles.library import save
from tests.doubles.windows import (
    MANY,
    SCREEN,
    Screens,
    Stage,
    answer,
    real_screens,
    share,
    show_stage,
    x_screens,
)

VENUE = """# The hall.
size = "640x480"

[operator]
size = "400x300"

[[display]]
name = "wall"          # the only one
monitor = "DUMMY1"
"""
RED, BLUE, BLACK, MARK = (255, 0, 0), (0, 0, 255), (0, 0, 0), (0, 217, 255)


@pytest.fixture(scope="module")
def screens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screens]:
    with x_screens(2, tmp_path_factory.mktemp("screens")) as screens:
        yield screens


@pytest.fixture
def stage(screens: Screens, tmp_path: Path) -> Iterator[Stage]:
    with show_stage(__file__, screens.display, tmp_path, VENUE) as stage:
        stage.until(lambda seen: bool(share(screens.pixels(1), RED) == 1))
        stage.ask("focus_operator")
        stage.until(lambda seen: seen["focused"])
        yield stage


def press(stage: Stage, *keys: str) -> None:
    """Strike keys, each after the one before was seen."""
    for key in keys:
        count = stage.frame()["strokes"]
        stage.xdotool("key", key)
        stage.until(lambda seen: seen["strokes"] > count)  # noqa: B023 - used before the next one


def edit(stage: Stage) -> None:
    """Begin to edit."""
    stage.xdotool("key", "e")
    stage.until(lambda seen: seen["on"])


@real_screens
def test_keys_move_the_picture_and_handles_are_seen_only_while_editing(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    edit(stage)
    stage.until(lambda _: share(screens.pixels(1), MARK) > 0)
    press(stage, *["Right"] * 3, "shift+Right")
    seen = stage.frame()
    assert seen["notice"] == "edit wall corners 1/4: 3.1, 0.0"
    assert seen["corners"][0] == pytest.approx([3.1 / SCREEN[0], 0])
    stage.xdotool("key", "space")
    stage.until(lambda _: share(screens.pixels(1), BLUE) > 0.9)
    stage.xdotool("key", "e")
    stage.until(lambda _: share(screens.pixels(1), MARK) == 0)
    pixels = screens.pixels(1)
    assert np.abs(pixels[-1, :3].astype(int)).max() == 0, "black beside the moved corner"
    assert (pixels[-1, 4] == BLUE).all() and (pixels[0, 3] == BLUE).all()
    assert stage.frame()["notice"] == "the displays are not saved: E, then S"
    assert (tmp_path / "venue.toml").read_text(encoding="utf-8") == VENUE, "nothing was saved"


@real_screens
def test_an_arrow_that_is_held_goes_on_and_is_one_step(stage: Stage, screens: Screens) -> None:
    edit(stage)
    stage.xdotool("keydown", "Up")
    stage.until(lambda seen: seen["corners"][0][1] > 8 / SCREEN[1])
    stage.xdotool("keyup", "Up")
    stage.until(lambda seen: seen["strokes"] >= 2)
    there = stage.frame()["corners"][0]
    for _ in range(5):
        assert stage.frame()["corners"][0] == there, "it stands still again"
    assert there[0] == 0 and stage.frame()["undo"] == 1


@real_screens
def test_the_mouse_drags_a_corner_and_s_saves_it(stage: Stage, screens: Screens, tmp_path: Path) -> None:
    edit(stage)
    x, y = SCREEN[0] + SCREEN[0] - 3, SCREEN[1] - 3  # the lower right corner of the second display
    stage.xdotool("mousemove", str(x), str(y))
    stage.frame()
    stage.xdotool("mousedown", "1")
    stage.until(lambda seen: seen["held"])
    stage.xdotool("mousemove", str(SCREEN[0] + 480), "360")
    stage.until(lambda seen: seen["corners"][1][0] < 0.8)
    stage.xdotool("mouseup", "1")
    seen = stage.until(lambda seen: not seen["held"])
    assert seen["corners"][1] == pytest.approx([480 / 639, 1 - 360 / 479])
    assert share(screens.pixels(1), BLACK) > 0.15
    stage.xdotool("key", "s")
    seen = stage.until(lambda seen: seen["notice"] == "saved venue.toml")
    text = (tmp_path / "venue.toml").read_text(encoding="utf-8")
    assert text == VENUE + "corners = [[0, 0], [0.751174, 0.248434], [1, 1], [0, 1]]\n"
    assert seen["undo"] == 1
    for _ in range(20):
        assert stage.frame()["undo"] == 1, "what it saved is not read back as another hand's"
    press(stage, "z")
    assert stage.frame()["corners"] == [list(one) for one in SQUARE]


@real_screens
def test_e_begins_only_in_the_operators_window(stage: Stage, screens: Screens) -> None:
    stage.ask("focus_wall")
    stage.until(lambda seen: not seen["focused"])
    press(stage, "e")
    assert not stage.frame()["on"] and share(screens.pixels(1), RED) == 1


@real_screens
def test_a_saved_file_is_applied_at_once_and_what_needs_a_restart_is_said(
    stage: Stage, screens: Screens, tmp_path: Path
) -> None:
    half = VENUE.replace('"640x480"', '"320x240"') + "corners = [[0, 0], [0.5, 0], [0.5, 1], [0, 1]]\n"
    save(tmp_path / "venue.toml", half)
    seen = stage.until(lambda seen: "applied" in seen["notice"])
    assert seen["notice"] == "venue.toml is applied; size needs a restart"
    stage.frame()
    assert share(screens.pixels(1), RED) == pytest.approx(0.5, abs=0.01)
    save(tmp_path / "venue.toml", half + "nonsense = 1\n")
    stage.until(
        lambda seen: "the displays stay as they are: venue.toml: display[0].nonsense" in seen["notice"]
    )
    assert share(screens.pixels(1), RED) == pytest.approx(0.5, abs=0.01)
    save(tmp_path / "venue.toml", VENUE)
    stage.until(lambda _: share(screens.pixels(1), RED) == 1)


@real_screens
def test_a_test_card_is_shown_and_put_away(stage: Stage, screens: Screens) -> None:
    edit(stage)
    press(stage, "k")
    stage.until(lambda _: share(screens.pixels(1), RED) < 0.2)
    press(stage, "k", "k")
    stage.until(lambda _: share(screens.pixels(1), RED) > 0.9)


@real_screens
def test_cards_without_a_show_are_numbered_and_displays_can_be_edited(
    screens: Screens, tmp_path: Path
) -> None:
    save(tmp_path / "venue.toml", VENUE)
    stage = Stage(__file__, screens.display)
    try:
        stage.ask("open_cards", str(tmp_path))
        for _ in range(MANY):
            stage.ask("card_frame")
            if share(screens.pixels(1), (94, 200, 212)) > 0.005:  # the colour of the first number
                break
        assert share(screens.pixels(1), (94, 200, 212)) > 0.005 and share(screens.pixels(1), BLACK) < 0.9
        before = screens.pixels(1)
        stage.xdotool("key", "e")
        for _ in range(MANY):
            if stage.ask("card_frame")["on"] and share(screens.pixels(1), MARK) > 0:
                break
        assert share(screens.pixels(1), MARK) > 0
        stage.xdotool("key", "Right")
        for _ in range(MANY):
            state = stage.ask("card_frame")
            if state["corners"][0][0] > 0:
                break
        assert "corners 1/4" in state["notice"], "the operator's window says what is edited"
        assert not np.array_equal(screens.pixels(1), before)
        stage.xdotool("key", "Escape", "Escape")
        assert any(stage.ask("card_frame")["closed"] for _ in range(MANY))
    finally:
        stage.ask("close_cards")
        stage.close()


def test_what_needs_a_restart_is_named_by_its_key() -> None:
    before = Venue(
        Path("venue.toml"),
        displays=(VenueDisplay("a", "A"),),
        options={"audio": "x", "fps": 50, "memory": 2},
    )
    after = Venue(
        Path("venue.toml"),
        displays=(VenueDisplay("a", "A", projection=Projection(rotation=90)),),
        operator=Operator(False),
        options={"audio": "y", "fps": 50},
    )
    assert restarts(before, after) == ["sound.device", "models.memory", "operator"]
    moved = Venue(Path("venue.toml"), displays=(VenueDisplay("a", "B"),), options=before.options)
    assert restarts(before, moved) == ["display"]
    assert restarts(before, before) == []


class Player:
    """The other side of Stage: a show in a venue."""

    rig: Any = None

    def open_show(self, folder: str) -> None:
        import os

        os.chdir(folder)
        venue = read_venue(Path("venue.toml"))
        self.rig = play(Options("demo", size=(640, 480), venue=venue, osc_port=0, lights=False))
        self.live: Any = self.rig.learner
        self.strokes = 0
        process = self.live.process

        def counted(now: float, events: list[Any]) -> Any:
            self.strokes += sum(event.name.startswith("key.") and event.value == 0 for event in events)
            return process(now, events)

        self.live.process = counted

    def frame(self, _seconds: float) -> dict[str, Any]:
        self.rig.frame()
        editor = self.live.editor
        window: Any = self.rig.screens[0]
        return {
            "on": self.live.on,
            "focused": window.focused,
            "notice": window.notice,
            "corners": editor.projection.corners,
            "held": editor.held,
            "undo": len(editor.past),
            "strokes": self.strokes,
            "faults": dict(self.rig.faults.counts),
        }

    def open_cards(self, folder: str) -> None:
        import glfw

        from perform.clock import OfflineClock
        from perform.show.cards import CardShow

        self.cards = CardShow(read_venue(Path(folder) / "venue.toml"), OfflineClock(64))
        glfw.focus_window(self.cards.window.handle)

    def card_frame(self) -> dict[str, Any]:
        self.cards.frame()
        live = self.cards.live
        window: Any = self.cards.window
        state = {"on": live.on, "closed": window.closed, "notice": window.presenter.notice}
        return {"corners": live.editor.projection.corners, **state}

    def close_cards(self) -> None:
        self.cards.close()

    def focus_operator(self) -> None:
        import glfw

        window: Any = self.rig.screens[0]
        glfw.focus_window(window.handle)

    def focus_wall(self) -> None:
        import glfw

        wall: Any = self.rig.screens[1]
        glfw.focus_window(wall.displays[0].window._window)


if __name__ == "__main__":
    player = Player()
    answer(player)
    if player.rig:
        player.rig.close()
    sys.exit()
