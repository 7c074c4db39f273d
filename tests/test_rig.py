"""The rig in a show: a failing unit fails alone, and the picture continues."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest

from perform import generators
from perform.clock import Moment, OfflineClock, Tempo
from perform.documents import SceneError
from perform.library import Library
from perform.outputs.memory import Memory
from perform.performance import Performance
from perform.performance.scene import LatentSource
from perform.render.context import headless
from perform.render.present import Present
from perform.render.shader import Shader
from perform.rig import Incoming, Rig
from perform.scenes.look import Look
from perform.show import find, load
from perform.stage import Stage
from perform.stage.pool import ModelPool, PoolKey
from perform.stage.worker import Worker
from tests.doubles.edits import Edited
from tests.doubles.inputs import PlayedInput
from tests.doubles.library import BLUE, INVERT, NEURAL, RED, save, write_library

SIZE = (64, 36)
RED_PIXEL, BLUE_PIXEL, CYAN_PIXEL = (255, 0, 0), (0, 0, 255), (0, 255, 255)


class Show:
    """A rig on an offline clock, whose folder a test can edit."""

    def __init__(self, folder: Path, name: str, worker: Callable[[PoolKey], Worker]) -> None:
        self.folder, self.says, self.memory = folder, PlayedInput(), Memory()
        library = Library(folder)
        file = find(name, library)
        setlist = load(file, library)
        context = headless()
        stage = Stage(library, context, SIZE, ModelPool(worker))
        performance = Performance(setlist, stage.open(setlist))
        self.edits = Edited(file, library)
        self.rig = Rig(
            OfflineClock(30), context, stage, performance, Present(context, SIZE), [self.says],
            outputs=[self.memory], edits=self.edits,
        )  # fmt: skip

    def edit(self, name: str, text: str) -> None:
        save(self.folder / name, text)
        self.edits.saved = True

    def pixel(self, *said: tuple[str, float]) -> tuple[int, ...]:
        """The middle of the next frame."""
        self.says.next = list(said)
        self.rig.frame()
        frame = self.memory.last
        assert frame is not None
        return tuple(int(v) for v in frame.pixels[SIZE[1] // 2, SIZE[0] // 2])


def worker(key: PoolKey) -> Worker:
    return Worker(generators.open(key.model, device="cpu", bends=key.bends))


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Show]]:
    shows: list[Show] = []

    def start(name: str = "demo", worker: Callable[[PoolKey], Worker] = worker) -> Show:
        shows.append(Show(write_library(tmp_path), name, worker))
        return shows[-1]

    yield start
    for show in shows:
        show.rig.close()


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


def test_a_saved_preset_takes_effect_and_a_broken_one_does_not(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "perform")
    show = opened("red")
    show.edit("presets/red.toml", BLUE)
    assert show.pixel() == BLUE_PIXEL
    show.edit("presets/red.toml", RED.replace("colour", "color"))
    assert show.pixel() == BLUE_PIXEL
    assert "kept the last good version" in caplog.text
    assert (
        "generator.shader = 'color': there is no such generator shader; did you mean colour?" in caplog.text
    )
    show.edit("presets/red.toml", "title = ")
    assert show.pixel() == BLUE_PIXEL
    show.edit("presets/red.toml", RED)
    assert show.pixel() == RED_PIXEL


def test_a_saved_shader_takes_effect_and_a_broken_one_does_not(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture
) -> None:
    show = opened("inverted")
    assert show.pixel() == CYAN_PIXEL
    show.edit("shaders/filters/invert.fs", INVERT.replace("1.0 - c.rgb", "c.gbr"))
    assert show.pixel() == BLUE_PIXEL
    show.edit("shaders/filters/invert.fs", INVERT.replace("mix(", "mixx("))
    assert show.pixel() == BLUE_PIXEL
    assert "invert.fs" in caplog.text
    show.edit("shaders/filters/invert.fs", "no shader at all")
    assert show.pixel() == BLUE_PIXEL


def test_an_edit_keeps_the_cue_and_the_switches(opened: Callable[..., Show]) -> None:
    show = opened()
    show.pixel()
    assert show.pixel(("key.space", 1)) == BLUE_PIXEL
    show.edit("presets/red.toml", NEURAL)
    assert show.pixel() == BLUE_PIXEL


def test_a_missing_model_file_is_rejected_at_load_and_ignored_in_a_show(
    opened: Callable[..., Show], caplog: pytest.LogCaptureFixture
) -> None:
    show = opened("red")
    show.edit("presets/red.toml", NEURAL.replace("untrained-small", "flora"))
    assert show.pixel() == RED_PIXEL
    assert "generator.model = 'flora': there is no such model" in caplog.text
    library = Library(show.folder)
    with pytest.raises(SceneError, match="there is no such model"):
        load(show.folder / "presets/red.toml", library)


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
    blue: Any = show.rig.performance.cues[1].scene.source

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


def test_an_edit_of_another_file_does_not_change_a_scene(opened: Callable[..., Show]) -> None:
    show = opened()
    show.pixel()
    scenes = [one.scene for one in show.rig.performance.cues]
    show.edit("presets/blue.toml", BLUE + "# again\n")
    show.pixel()
    assert [one.scene for one in show.rig.performance.cues] == scenes
    show.edit("presets/blue.toml", BLUE.replace("+ 1", "+ 0.5"))
    show.pixel()
    changed = [one.scene for one in show.rig.performance.cues]
    assert changed[0] is scenes[0]
    assert changed[1] is not scenes[1]


def path_of(show: Show) -> object:
    """The latent path of the first scene."""
    source = show.rig.performance.cues[0].scene.source
    assert isinstance(source, LatentSource)
    return source.path


def test_another_model_gets_its_own_path(opened: Callable[..., Show]) -> None:
    show = opened("neural")
    show.pixel()
    path = path_of(show)
    show.edit("presets/neural.toml", NEURAL.replace("untrained-small", "untrained-medium"))
    show.pixel()
    assert path_of(show) is not path
    assert not show.rig.stage.faults.counts


def test_a_hundred_edits_release_what_they_opened(
    opened: Callable[..., Show], monkeypatch: pytest.MonkeyPatch
) -> None:
    show = opened("inverted")
    show.pixel()
    released: list[Shader] = []
    give_back = Shader.release

    def release(shader: Shader) -> None:
        released.append(shader)
        give_back(shader)

    monkeypatch.setattr(Shader, "release", release)
    for n in range(100):
        broken = "mixx(" if n % 2 else "mix("
        show.edit("shaders/filters/invert.fs", INVERT.replace("mix(", broken) + f"// {n}\n")
        assert show.pixel() == CYAN_PIXEL
    assert len(released) >= 50


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
