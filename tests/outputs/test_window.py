"""The window, on a real X server; run as a script, this file is the process that it runs in."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from perform.outputs.window.help import ACCENT, CELL, GROUND, TEXT, page
from perform.scenes.look import Look
from tests.doubles.windows import MANY, Stage, answer, real, x_server

ROWS = [["B", "blackout"], ["space", "go"]]
KEYS_TITLE = "perform – keys"
STROKES_AND_NAMES = (
    *(("b", "b"), ("B", "b"), ("7", "7"), ("space", "space"), ("F5", "f5"), ("Left", "left"), ("Up", "up")),
    *(("Return", "return"), ("KP_Enter", "return"), ("Tab", "tab"), ("BackSpace", "backspace")),
)


@pytest.fixture(scope="module")
def screen() -> Iterator[str]:
    with x_server() as name:
        yield name


@pytest.fixture
def stage(screen: str) -> Iterator[Stage]:
    stage = Stage(__file__, screen)
    yield stage
    stage.close()


@real
def test_a_window_shows_what_is_drawn(stage: Stage) -> None:
    assert stage.open([320, 180], False, None, ROWS)["version"] >= 410
    seen = stage.frame()
    assert (seen["size"], seen["left"], seen["right"]) == ([320, 180], [255, 0, 0], [0, 0, 255])
    assert (seen["fullscreen"], seen["closed"], stage.titles()) == (None, False, ["perform"])


@real
def test_keys_become_events_stamped_with_the_frame(stage: Stage) -> None:
    stage.open([320, 180], False, None, ROWS)
    stage.frame()
    for key, name in STROKES_AND_NAMES:
        events = [event for event in stage.press(key) if event[0] != "key.shift"]
        down, up = events
        assert (down[:2], up[:2]) == ((f"key.{name}", 1.0), (f"key.{name}", 0.0))
        assert 0 < down[2] < up[2] <= stage.seconds, "a frame sees the key down"


@real
def test_a_second_escape_closes_the_window(stage: Stage) -> None:
    stage.open([320, 180], False, None, ROWS)
    stage.frame()
    stage.press("Escape")
    seen = stage.frame()
    assert not seen["closed"] and seen["notice"] == "press Esc again to leave"
    assert stage.titles() == ["perform – press Esc again to leave"]
    stage.press("Escape")
    assert stage.frame()["closed"]


@real
def test_an_escape_is_forgotten_after_three_seconds(stage: Stage) -> None:
    stage.open([320, 180], False, None, ROWS)
    stage.frame()
    stage.press("Escape")
    stage.seconds += 3.1
    assert stage.frame()["notice"] == ""
    stage.press("Escape")
    assert not stage.frame()["closed"]


@real
def test_a_note_is_in_the_title_until_it_is_removed(stage: Stage) -> None:
    stage.open([320, 180], False, None, ROWS)
    stage.frame()
    stage.ask("say", "learn: move a control")
    stage.press("Escape")
    assert stage.titles() == ["perform – press Esc again to leave"]
    stage.seconds += 3.1
    assert stage.frame()["notice"] == "learn: move a control"
    assert stage.titles() == ["perform – learn: move a control"]
    stage.ask("say", "")
    assert (stage.frame()["notice"], stage.titles()) == ("", ["perform"])


@real
def test_the_mouse_gives_signals(stage: Stage) -> None:
    stage.open([320, 180], False, None, ROWS)
    stage.frame()
    window = stage.xdotool("search", "--onlyvisible", "--name", "^perform$")
    said: dict[str, float] = {}

    def told(*names: str) -> bool:
        said.update({name: value for name, value, _ in stage.frame()["events"]})
        return all(name in said for name in names)

    for x, y, expected in ((80, 45, (0.25, 0.75)), (319, 0, (1.0, 1.0))):
        said.clear()
        stage.xdotool("mousemove", "--window", window, str(x), str(y))
        assert any(told("mouse.x", "mouse.y") for _ in range(MANY))
        assert (said["mouse.x"], said["mouse.y"]) == pytest.approx(expected, abs=0.01)
    for button, name in (("1", "left"), ("3", "right"), ("4", "wheel")):
        said.clear()
        stage.xdotool("click", button)
        assert any(told(f"mouse.{name}") for _ in range(MANY))


@real
def test_f11_and_alt_return_toggle_full_screen(stage: Stage) -> None:
    stage.open([320, 180], False, None, ROWS)
    stage.frame()
    for key in ("F11", "alt+Return"):
        stage.xdotool("key", key)
        seen = stage.until(lambda seen: seen["size"] == [800, 600])
        assert (seen["fullscreen"], seen["cursor"], seen["right"]) == ("screen", False, [0, 0, 255])
        stage.xdotool("key", key)
        seen = stage.until(lambda seen: seen["size"] == [320, 180])
        assert (seen["fullscreen"], seen["cursor"]) == (None, True)


@real
def test_full_screen_opens_on_a_display_by_name(stage: Stage) -> None:
    stage.open([320, 180], True, "Scr", ROWS)
    assert stage.until(lambda seen: seen["size"] == [800, 600])["fullscreen"] == "screen"


@real
def test_a_missing_display_is_rejected_with_a_list_of_displays(stage: Stage) -> None:
    error = stage.open([320, 180], True, "projector", ROWS)["error"]
    assert error == "display 'projector' is not plugged in; the displays are: screen 800x600"
    assert stage.ask("displays") == [["screen", [0, 0], [800, 600], True]]


@real
def test_an_unplugged_display_leaves_a_window_and_is_filled_again(stage: Stage) -> None:
    stage.open([320, 180], True, "screen", ROWS)
    stage.until(lambda seen: seen["size"] == [800, 600])
    stage.ask("pull")
    seen = stage.until(lambda seen: seen["size"] == [320, 180])
    assert (seen["fullscreen"], seen["cursor"], seen["closed"], seen["left"]) == (
        None,
        True,
        False,
        [255, 0, 0],
    )
    stage.ask("plug")
    assert stage.until(lambda seen: seen["size"] == [800, 600])["fullscreen"] == "screen"


@real
def test_the_picture_has_the_size_of_the_window(stage: Stage) -> None:
    stage.open([320, 180], False, None, ROWS)
    stage.frame()
    stage.xdotool("search", "--name", "^perform$", "windowsize", "500", "400")
    seen = stage.until(lambda seen: seen["size"] == [500, 400])
    assert (seen["left"], seen["right"]) == ([255, 0, 0], [0, 0, 255])


@real
def test_the_keys_are_shown_in_their_own_window(stage: Stage) -> None:
    stage.open([320, 180], False, None, ROWS)
    stage.frame()
    stage.press("h")
    stage.until(lambda _: stage.titles() == ["perform", KEYS_TITLE])
    seen = stage.frame()
    assert (seen["left"], seen["right"]) == ([255, 0, 0], [0, 0, 255]), "the picture is drawn as before"
    stage.press("h")
    stage.until(lambda _: stage.titles() == ["perform"])


@real
def test_the_keys_are_never_shown_to_the_audience(stage: Stage) -> None:
    stage.open([320, 180], False, None, ROWS)
    stage.frame()
    stage.press("h")
    stage.until(lambda _: KEYS_TITLE in stage.titles())
    stage.xdotool("key", "F11")
    stage.until(lambda seen: seen["fullscreen"])
    assert KEYS_TITLE not in stage.titles()
    stage.press("h")
    assert KEYS_TITLE not in stage.titles()


@real
def test_a_window_opens_only_on_the_main_thread(stage: Stage) -> None:
    assert "must be opened by the main one" in stage.ask("open_beside")["error"]


def test_without_a_desktop_the_error_says_what_to_do() -> None:
    stage = Stage(__file__, None)
    error = stage.open([320, 180], False, None, ROWS)["error"]
    stage.close()
    assert error.startswith("no window: ")
    if sys.platform.startswith("linux"):
        assert "DISPLAY" in error and error.endswith("or with --headless")


def inked(picture: Any, colour: tuple[int, int, int]) -> Any:
    """The columns of the page that have a colour."""
    return np.flatnonzero((picture == colour).all(axis=-1).any(axis=0))


def test_the_page_has_two_columns_and_a_note_in_one_accent() -> None:
    wide, down = CELL
    picture = page([("B", "blackout"), ("space", "go")])
    keys, words = inked(picture, ACCENT), inked(picture, TEXT)
    assert keys[0] >= 4 * wide and keys[-1] < words[0] - 2 * wide
    assert (picture[-round(2 * down) :] == GROUND).all()
    note = page([("B", "blackout"), ("space", "go")], "press Esc again to leave", wide=28)
    assert inked(note, ACCENT)[-1] > words[0]
    assert not (note[-round(3.5 * down) :] == GROUND).all()


def test_a_page_is_drawn_larger_on_a_display_with_more_pixels() -> None:
    coarse, fine = page([("B", "blackout")], density=1), page([("B", "blackout")], density=2)
    assert fine.shape[:2] == (coarse.shape[0] * 2, coarse.shape[1] * 2)


def drawn(text: str) -> Any:
    """The page of one key, as its shares of the accent's red."""
    return page([(text, "")])[..., 0]


def test_every_letter_exists_and_differs_from_the_others() -> None:
    printable = [*map(chr, range(33, 127)), *"–×·…→←↑↓"]
    missing = drawn("\uffff")
    assert all(ink.max() > 80 and not np.array_equal(ink, missing) for ink in map(drawn, printable))
    assert len({drawn(one).tobytes() for one in printable}) == len(printable)


def test_an_unknown_letter_is_a_box_and_a_line_is_even() -> None:
    assert np.array_equal(drawn("\uffff"), drawn("\ufffe")) and drawn("\uffff").max() > 80
    assert page([("MMMM", "")]).shape == page([("iiii", "")]).shape
    last = [np.flatnonzero((page([(word, "")]) != GROUND).any(axis=(0, 2)))[-1] for word in ("MMMM", "iiiM")]
    assert last[0] == last[1]  # every letter is as wide as the next
    assert (page([("", "")]) == GROUND).all()


class Player:
    """The other side of Stage: the window itself, and what draws in it."""

    window: Any = None
    handle: Any = None  # glfw's
    seen: dict[str, Any]

    def open(self, size: list[int], fullscreen: bool, display: str | None, rows: list[list[str]]) -> Any:
        import glfw

        from perform.outputs.window import Window, WindowError
        from perform.render.context import of_window

        try:
            keys = [(key, what) for key, what in rows]
            self.window = Window(
                (size[0], size[1]), of_window, lambda *_: self, "perform", fullscreen, display, keys
            )
            self.handle = glfw.get_current_context()
        except WindowError as error:
            return {"error": str(error)}
        return {"version": self.window.context.version_code}

    def open_beside(self) -> Any:
        answers: list[Any] = []
        thread = threading.Thread(target=lambda: answers.append(self.open([64, 64], False, None, [])))
        thread.start()
        thread.join()
        return answers[0]

    def frame(self, seconds: float) -> Any:
        import glfw

        events = [[event.name, event.value, event.time] for event in self.window.poll(seconds)]
        seen: dict[str, Any] = {"events": events, "closed": self.window.closed, "notice": self.window.notice}
        seen["fullscreen"] = self.window.fullscreen
        seen["cursor"] = glfw.get_input_mode(self.handle, glfw.CURSOR) == glfw.CURSOR_NORMAL
        self.window.show(None, Look())
        return seen | self.seen

    def show(self, _image: None, size: tuple[int, int], _look: Look) -> None:
        """Red on the left, blue on the right, and the pixels in the corners."""
        (width, height), target = size, self.window.context.screen
        target.clear(1, 0, 0, 1)
        target.clear(0, 0, 1, 1, viewport=(width // 2, 0, width - width // 2, height))
        self.seen = {"size": [width, height]}
        for name, x in (("left", 0), ("right", width - 1)):
            self.seen[name] = list(target.read(viewport=(x, height - 1, 1, 1)))

    def release(self) -> None:
        """Nothing is kept."""

    def say(self, note: str) -> None:
        self.window.notify(note)

    def displays(self) -> Any:
        from perform.outputs.window import displays

        return [[one.name, one.position, one.size, one.primary] for one in displays()]

    def pull(self) -> None:
        """What glfw does when a display is unplugged: it moves the window off it, then calls the callback."""
        import glfw

        from perform.outputs.window import placing

        self.plugged, placing.monitors = placing.monitors, lambda: iter(())
        glfw.set_window_monitor(self.handle, None, 0, 0, 800, 600, 0)
        self._report(glfw.DISCONNECTED)

    def plug(self) -> None:
        import glfw

        from perform.outputs.window import placing

        placing.monitors = self.plugged
        self._report(glfw.CONNECTED)

    def _report(self, event: int) -> None:
        """Call what the window gave glfw to call."""
        import glfw

        callback = glfw.set_monitor_callback(None)
        glfw.set_monitor_callback(callback)
        callback(None, event)


if __name__ == "__main__":
    player = Player()
    answer(player)
    if player.window:
        player.window.close()
