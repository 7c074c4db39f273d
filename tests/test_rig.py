"""The rig in a show: a failing unit fails alone, and the picture continues."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest

from perform.clock import Moment, OfflineClock, Tempo
from perform.outputs.memory import Memory
from perform.performance import Performance
from perform.rig import Incoming
from perform.scenes.look import Look
from perform.stage.pool import PoolKey
from perform.stage.worker import Worker
from tests.doubles.inputs import PlayedInput
from tests.doubles.library import BLUE, NEURAL
from tests.doubles.rig_shows import BLUE_PIXEL, CYAN_PIXEL, RED_PIXEL, SIZE, Show, shows, worker


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Show]]:
    yield from shows(tmp_path)


def test_go_blackout_and_master_reach_the_pixels(opened: Callable[..., Show]) -> None:
    show = opened()
    assert show.pixel() == RED_PIXEL
    assert show.pixel(("key.space", 1)) == BLUE_PIXEL
    assert show.pixel(("key.b", 1)) == (0, 0, 0)
    assert show.pixel(("key.b", 0)) == (0, 0, 0)
    assert show.pixel(("key.b", 1)) == BLUE_PIXEL


def test_a_failing_input_is_dropped_and_the_picture_continues(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture
) -> None:
    show = opened()
    show.says.fault = OSError("the cable is out")
    assert [show.pixel() for _ in range(3)] == [RED_PIXEL] * 3
    assert [r.message for r in caplog.records if r.levelno > logging.INFO] == [
        "input says is dropped: the cable is out"
    ]


def test_a_failing_filter_returns_its_input_image(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    show = opened("inverted")
    assert show.pixel() == CYAN_PIXEL
    unit: Any = show.rig.performance.cues[0].scene.filters[0]

    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(unit.unit, "render", fail)
    assert [show.pixel() for _ in range(3)] == [RED_PIXEL] * 3
    assert [r.message for r in caplog.records if r.levelno > logging.INFO] == [
        "filter invert is dropped: out of memory"
    ]


def test_a_failing_network_keeps_its_last_picture(opened: Callable[..., Show]) -> None:
    made: list[Any] = []

    def failing(key: PoolKey) -> Worker:
        made.append(worker(key))
        return made[0]  # type: ignore[no-any-return]

    show = opened("neural", failing)
    before = show.pixel()

    def fail(*_: object) -> None:
        raise RuntimeError("device lost")

    made[0].request = fail
    assert show.pixel() == before
    assert show.rig.stage.faults.counts["model untrained-small is dropped: device lost"] == 1


def test_a_failing_output_is_closed_and_the_others_continue(opened: Callable[..., Show]) -> None:
    class Full(Memory):
        closed = False

        def write(self, frame: object) -> None:
            raise OSError(28, "no space left on device")

        def close(self) -> None:
            self.closed = True

    show, full = opened("red"), Full()
    show.rig.outputs.insert(0, full)
    assert [show.pixel() for _ in range(3)] == [RED_PIXEL] * 3
    assert full.closed
    assert sum(show.rig.stage.faults.counts.values()) == 1


def test_a_failing_frame_shows_the_one_before(
    opened: Callable[..., Show], monkeypatch: pytest.MonkeyPatch
) -> None:
    show = opened("red")
    assert show.pixel() == RED_PIXEL

    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(Performance, "step", fail)
        assert show.pixel() == RED_PIXEL
    assert show.pixel(("key.space", 1)) == RED_PIXEL  # a setlist of one
    assert show.rig.stage.faults.counts["the frame failed: ZeroDivisionError"] == 1


def test_neural_frames_are_the_same_twice(opened: Callable[..., Show]) -> None:
    frames = []
    for _ in range(2):
        show = opened("neural")
        for _ in range(5):
            show.rig.frame()
        assert show.memory.last is not None
        frames.append(show.memory.last.pixels)
    assert np.array_equal(*frames)
    assert frames[0].std() > 5


BENT = """
[[generator.bend]]
operation = "invert"
layer = "b32.conv1"
amount = "key.a"
"""


def test_a_bend_in_a_preset_reaches_the_pixels(opened: Callable[..., Show]) -> None:
    show = opened("neural")
    plain = show.pixel()
    show.edit("presets/neural.toml", NEURAL.replace("[latent]", BENT + "[latent]"))
    assert show.pixel() == plain
    assert show.pixel(("key.a", 1.0)) != plain
    assert not show.rig.stage.faults.counts


def test_close_is_safe_twice_and_closes_inputs(opened: Callable[..., Show]) -> None:
    show = opened("red")
    show.pixel()
    show.rig.close()
    show.rig.close()
    assert show.says.closed


def test_a_source_that_never_drew_is_black_and_the_show_continues(
    opened: Callable[..., Show], monkeypatch: pytest.MonkeyPatch
) -> None:
    show = opened()
    assert show.pixel() == RED_PIXEL
    blue: Any = show.rig.performance.cues[1].scene.layers[0].source

    def fail(*_: object) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(blue.unit, "render", fail)
    assert show.pixel(("key.space", 1)) == (0, 0, 0)
    assert show.pixel(("key.space", 0), ("key.backspace", 1)) == RED_PIXEL


def test_a_frame_that_cannot_be_shown_does_not_end_the_show(
    opened: Callable[..., Show], monkeypatch: pytest.MonkeyPatch
) -> None:
    show = opened("red")
    show.pixel()

    def fail(*_: object) -> None:
        raise RuntimeError("lost")

    with monkeypatch.context() as patch:
        patch.setattr(show.rig.present, "render", fail)
        show.pixel()
    assert show.pixel() == RED_PIXEL
    assert show.rig.stage.faults.counts["the frame could not be shown: lost"] == 1


class Mirror(PlayedInput):
    """A screen that keeps how its frames looked."""

    name = "mirror"
    notice = ""

    def __init__(self) -> None:
        super().__init__()
        self.looks: list[Look] = []

    def show(self, image: moderngl.Texture, look: Look) -> None:
        assert image.size == SIZE
        self.looks.append(look)


def test_every_screen_shows_the_picture_and_the_first_ends_the_show(opened: Callable[..., Show]) -> None:
    show, first, second = opened(), Mirror(), Mirror()
    show.rig.gamma = 2.0
    show.rig.screens += [first, second]
    show.pixel()
    second.next = [("key.space", 1)]
    assert show.pixel() == BLUE_PIXEL, "what is pressed on a screen reaches the show"
    assert show.pixel(("key.b", 1)) == (0, 0, 0)
    look = Look(gamma=2.0)
    assert first.looks == second.looks
    assert first.looks == [look, replace(look, frame=1), replace(look, frame=2, blackout=True)]
    second.closed = True
    assert show.pixel() == (0, 0, 0)
    assert show.rig.screens == [first], "the show goes on without a further screen that is closed"
    first.closed = True
    show.rig.run(lambda _: False)
    assert (len(first.looks), len(second.looks)) == (4, 3)
    assert not show.rig.faults.counts


def test_the_clock_learns_when_a_frame_is_seen(opened: Callable[..., Show]) -> None:
    """After every screen has it, and before it is written to outputs."""
    show, screen, drawn = opened(), Mirror(), []

    class Watched(OfflineClock):
        def shown(self) -> None:
            drawn.append((len(screen.looks), show.memory.count))

    show.rig.clock = Watched(30)
    show.rig.screens.append(screen)
    for _ in range(3):
        show.pixel()
    assert drawn == [(1, 0), (2, 1), (3, 2)]


def test_a_new_tempo_by_hand_counts_from_when_its_frame_is_seen(opened: Callable[..., Show]) -> None:
    show = opened()

    class Slow(OfflineClock):
        def moment(self, tempo: Tempo) -> Moment:
            return replace(super().moment(tempo), delay=0.1)

    show.rig.clock = Slow(30)
    for _ in range(31):
        show.pixel()
    before = show.rig.performance.tempo
    show.pixel(('osc["/tempo/bpm"]', 60.0))
    after = show.rig.performance.tempo
    seen = 31 / 30 + 0.1
    assert after.bpm == 60
    assert after.beat(seen) == pytest.approx(before.beat(seen))
    assert after.beat(seen + 1) == pytest.approx(before.beat(seen) + 1)


def test_a_take_is_recorded_and_replayed(opened: Callable[..., Show]) -> None:
    show, taken = opened(), []

    def recorded(incoming: Incoming) -> Incoming:
        taken.append(incoming)
        return incoming

    show.rig = replace(show.rig, take=recorded)
    first = show.pixel()
    show.edit("presets/blue.toml", BLUE.replace("[0, 0,", "[0, 1,"))
    pixels = [first, show.pixel(), show.pixel(("key.space", 1))]
    assert pixels[-1] == CYAN_PIXEL
    again = opened()
    replayed = iter(taken)
    again.rig = replace(again.rig, take=lambda _: next(replayed))
    assert [again.pixel() for _ in pixels] == pixels
    again.rig.close()
