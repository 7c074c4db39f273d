"""Two windows of one show, on a real X server; run as a script, this file is the process that they run in."""

from __future__ import annotations

import ctypes
import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import moderngl
import pytest

from perform.clock import OfflineClock
from perform.library import Library
from perform.outputs.memory import Memory
from perform.performance import Performance
from perform.render.context import of_window
from perform.render.present import Present
from perform.rig import Incoming, Rig
from perform.scenes.look import Look
from perform.show import find, load
from perform.signals import Event
from perform.stage import Stage as UnitStage
from perform.stage.pool import ModelPool
from tests.doubles.library import save, write_library
from tests.doubles.windows import MANY, Stage, answer, real, x_server

SIZE = (320, 180)
RAMP = """/*{"ISFVSN": "2", "INPUTS": []}*/
void main() { gl_FragColor = vec4(isf_FragNormCoord, fract(TIME), 1.0); }
"""
RAMPS = 'title = "Ramps"\n[generator]\nshader = "ramp"\n[transition]\nbeats = 0\n'


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A show in two windows: the second one has the keyboard."""
    write_library(tmp_path)
    save(tmp_path / "shaders/generators/ramp.fs", RAMP)
    save(tmp_path / "presets/red.toml", RAMPS)
    with x_server() as display:
        stage = Stage(__file__, display)
        stage.ask("open_show", str(tmp_path))
        stage.frame()
        yield stage
        stage.close()


def digest(*pixels: int) -> str:
    """The digest of a picture of one colour."""
    return hashlib.sha256(bytes(pixels) * (SIZE[0] * SIZE[1])).hexdigest()


def strike(stage: Stage, key: str) -> dict[str, Any]:
    """Strike a key; the frame on which it is up again."""
    stage.xdotool("key", key)
    return stage.until(lambda seen: any(name[:3] == "key" and not value for name, value in seen["events"]))


@real
def test_both_windows_show_every_frame_pixel_for_pixel(stage: Stage) -> None:
    digests = set()
    for _ in range(20):
        seen = stage.frame()
        first, second = seen["windows"]
        assert first == second == seen["frame"]
        assert seen["first is current"] and seen["errors"] == ["GL_NO_ERROR"] * 3
        digests.add(first)
    assert len(digests) == 20, "the picture moves"
    assert stage.ask("intervals") == [1, 0, 0], "only the first window waits for its display"


@real
def test_a_window_of_another_size_shows_the_picture_in_its_own(stage: Stage) -> None:
    strike(stage, "space")
    windows = stage.xdotool("search", "--onlyvisible", "--name", "^perform$").split()
    stage.xdotool("windowsize", windows[-1], "200", "150")
    sizes = sorted(stage.until(lambda seen: [200, 150] in seen["sizes"])["sizes"])
    assert sizes == [[200, 150], [320, 180]]
    assert stage.frame()["corners"] == [[0, 0, 255]] * 2


@real
def test_keys_in_either_window_play_the_show(stage: Stage) -> None:
    strike(stage, "space")
    seen = stage.frame()
    assert seen["windows"] == [digest(0, 0, 255)] * 2 and seen["frame"] == digest(0, 0, 255)
    stage.ask("focus_first")
    strike(stage, "b")
    assert stage.frame()["windows"] == [digest(0, 0, 0)] * 2


@real
def test_mouse_and_gamepads_are_reported_once(stage: Stage) -> None:
    stage.ask("plug_pad")
    assert [name for name, _ in stage.frame()["events"]].count("pad.a") == 1
    stage.xdotool("mousemove", "420", "310")
    names = [name for name, _ in stage.until(lambda seen: "mouse.x" in dict(seen["events"]))["events"]]
    assert names.count("mouse.x") == names.count("mouse.y") == 1
    stage.xdotool("click", "1")
    values: list[float] = []
    for _ in range(MANY):
        values += [value for name, value in stage.frame()["events"] if name == "mouse.left"]
        if 0 in values:
            break
    assert values == [1, 0]


@real
def test_the_second_fills_a_display_alone_and_leaves_it_when_it_is_pulled(stage: Stage) -> None:
    strike(stage, "F11")
    seen = stage.until(lambda seen: seen["sizes"][1] == [800, 600])
    assert seen["fullscreen"] == [None, "screen"]
    stage.ask("focus_first")
    strike(stage, "h")
    assert "perform – keys" not in stage.titles(), "the audience of the second does not see the keys"
    stage.ask("pull")
    seen = stage.until(lambda seen: seen["sizes"][1] == [320, 180])
    assert seen["fullscreen"] == [None, None] and seen["windows"][0] == seen["windows"][1]
    strike(stage, "h")
    assert stage.titles() == ["perform", "perform", "perform – keys"]


@real
def test_the_show_continues_without_the_second_and_ends_with_the_first(stage: Stage) -> None:
    strike(stage, "Escape")
    assert stage.titles() == ["perform", "perform – press Esc again to leave"]
    stage.xdotool("key", "Escape")
    seen = stage.until(lambda seen: len(seen["windows"]) == 1)
    for _ in range(3):
        seen = stage.frame()
        assert seen["windows"] == [seen["frame"]] and seen["first is current"]
        assert seen["errors"] == ["GL_NO_ERROR"] * 2
    assert stage.titles() == ["perform"]
    assert stage.ask("leave") == {"faults": {}, "closed": [True, True]}


class ReadPresent(Present):
    """Keeps what it draws in a window."""

    def show(self, image: moderngl.Texture, size: tuple[int, int], look: Look) -> None:
        super().show(image, size, look)
        self.error, self.shown = self._context.error, size
        self.pixels = self._context.screen.read(viewport=(0, 0, *size), alignment=1)
        assert self._context.error  # moderngl reads a window by the buffer of a texture, which is an error


class Pad:
    """A gamepad whose button is pressed on every frame."""

    def poll(self, until: float) -> list[Event]:
        return [Event(until, "pad.a", 1.0)]


class Player:
    """The other side of Stage: a rig with two windows."""

    rig: Rig

    def open_show(self, folder: str) -> None:
        import glfw

        from perform.outputs.window import Window

        self.swaps: list[int] = []
        swap_interval = glfw.swap_interval
        glfw.swap_interval = lambda interval: (self.swaps.append(interval), swap_interval(interval))
        first = Window(SIZE, of_window, ReadPresent)
        self.windows = first, Window(SIZE, of_window, ReadPresent, first=first)
        library = Library(Path(folder))
        setlist = load(find("demo", library), library)
        stage = UnitStage(library, first.context, SIZE, ModelPool(lambda _: None))  # type: ignore[arg-type, return-value]
        self.memory = Memory()
        self.rig = Rig(
            OfflineClock(64),
            first.context,
            stage,
            Performance(setlist, stage.open(setlist)),
            Present(first.context, SIZE),
            screens=[*self.windows],
            outputs=[self.memory],
            take=self.taken,
        )

    def taken(self, incoming: Incoming) -> Incoming:
        self.events = [[event.name, event.value] for event in incoming.events]
        return incoming

    def frame(self, _seconds: float) -> dict[str, Any]:
        import glfw

        self.rig.frame()
        shown: list[Any] = self.rig.screens
        frame = self.memory.last
        assert frame is not None
        now, own = glfw.get_current_context(), self.windows[0]._window
        return {
            "events": self.events,
            "windows": [hashlib.sha256(window.presenter.pixels).hexdigest() for window in shown],
            "corners": [list(window.presenter.pixels[:3]) for window in shown],
            "sizes": [list(window.presenter.shown) for window in shown],
            "fullscreen": [window.fullscreen for window in shown],
            "frame": hashlib.sha256(frame.pixels[::-1].tobytes()).hexdigest(),
            "first is current": ctypes.addressof(now.contents) == ctypes.addressof(own.contents),
            "errors": [self.rig.context.error, *(window.presenter.error for window in shown)],
        }

    def intervals(self) -> list[int]:
        return self.swaps

    def focus_first(self) -> None:
        import glfw

        glfw.focus_window(self.windows[0]._window)

    def plug_pad(self) -> None:
        for window in self.windows:
            window._pads = Pad()  # type: ignore[assignment]

    def pull(self) -> None:
        """What glfw does when a display is unplugged: it moves the window off it, then calls the callback."""
        import glfw

        from perform.outputs.window import placing

        monitors, placing.monitors = placing.monitors, lambda: iter(())
        glfw.set_window_monitor(self.windows[1]._window, None, 0, 0, 800, 600, 0)
        listener = glfw.set_monitor_callback(None)
        listener(None, glfw.DISCONNECTED)
        glfw.set_monitor_callback(listener)
        self.rig.frame()
        placing.monitors = monitors

    def leave(self) -> dict[str, Any]:
        import glfw

        glfw.set_window_should_close(self.windows[0]._window, True)
        self.rig.run(lambda _: False)
        return {
            "faults": dict(self.rig.faults.counts),
            "closed": [window._window is None for window in self.windows],
        }


if __name__ == "__main__":
    player = Player()
    answer(player)
    player.rig.close()
    sys.exit()
