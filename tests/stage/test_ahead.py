"""What an edit needs is made before it plays, one thing a frame, and nothing is compiled when it does."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import moderngl
import pytest

from perform.clock import Moment, Tempo
from perform.library import Library
from perform.performance import CueInstance, Performance
from perform.render.context import headless
from perform.render.strips import Strip
from perform.render.targets import Target
from perform.scenes.setlist import Setlist
from perform.show import find, load
from perform.signals import Event
from perform.stage import Stage
from perform.stage.pool import ModelPool
from tests.doubles.footage_shows import SIZE, nobody
from tests.doubles.library import CUT, RED, save, write_library
from tests.doubles.trials import Judge

FILTERS = '[[filter]]\nshader = "first"\n[[filter]]\nshader = "second"\n'
LAYERS = f"""title = "Layers"
{CUT}
[[layer]]
[layer.generator]
shader = "colour"
[[layer]]
[layer.generator]
shader = "colour"
tint = [0.5, 0.5, 0.5, 1]
"""
FILTER = """/*{{"ISFVSN": "2", "INPUTS": [{{"NAME": "inputImage", "TYPE": "image"}}]}}*/
void main() {{ gl_FragColor = IMG_THIS_PIXEL(inputImage).{}; }}
"""


class Live:
    """A stage whose shaders all pass, and how many programs were compiled for it."""

    def __init__(self, folder: Path) -> None:
        self.folder = write_library(folder)
        for name, parts in (("first", "gbra"), ("second", "brga")):
            save(folder / f"shaders/filters/{name}.fs", FILTER.format(parts))
        self.library, self.context, trials = Library(folder), headless(), Judge()
        trials.over = True
        given: Any = trials
        self.stage = Stage(self.library, self.context, SIZE, ModelPool(nobody), trials=given)
        self.compiled = 0
        compile_program: Callable[..., moderngl.Program] = self.context.program

        def program(*texts: Any, **named: Any) -> moderngl.Program:
            self.compiled += 1
            return compile_program(*texts, **named)

        self.context.program = program  # type: ignore[method-assign]

    def setlist(self, name: str = "demo") -> Setlist:
        return load(find(name, self.library), self.library)

    def made(self, edit: Setlist, before: list[CueInstance]) -> list[int]:
        """How many programs each step compiled, until all is made."""
        assert self.stage.tried(edit)
        counts: list[int] = []
        done = False
        while not done:
            already = self.compiled
            done = self.stage.prepared(edit, before)
            counts.append(self.compiled - already)
        return counts


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    shown = Live(tmp_path)
    yield shown
    shown.stage.close()
    shown.context.release()


@contextmanager
def nothing_compiled(live: Live) -> Iterator[None]:
    before = live.compiled
    yield
    assert live.compiled == before


def test_each_frame_compiles_one_thing_and_the_edit_none(live: Live) -> None:
    before = live.stage.open(live.setlist())
    save(live.folder / "presets/red.toml", RED + FILTERS)
    edit = live.setlist()
    assert live.made(edit, before) == [1, 1]
    with nothing_compiled(live):
        after = live.stage.open(edit, before)
    assert [len(one.scene.filters) for one in after] == [2, 0]
    assert after[0].scene.layers[0].source is before[0].scene.layers[0].source


def test_what_is_open_is_not_made_again(live: Live) -> None:
    before = live.stage.open(live.setlist())
    save(live.folder / "presets/red.toml", RED.replace("Red", "Other"))
    edit = live.setlist()
    assert live.made(edit, before) == [0]


def test_a_new_blend_mode_of_a_hand_is_compiled_when_its_layers_are_opened(live: Live) -> None:
    save(live.folder / "presets/layers.toml", LAYERS)
    before = live.stage.open(live.setlist())
    save(live.folder / "setlists/demo.toml", 'title = "Demo"\n[[cue]]\nscene = "layers"\n')
    edit = live.setlist()
    counts = live.made(edit, before)
    assert max(counts) == 1 and sum(counts) >= 17  # blend modes, at least
    with nothing_compiled(live):
        performance = Performance(edit, live.stage.open(edit, before), Tempo())
        said = (("/layer/2/blend", "multiply"), ("/layer/2/blend", "normal"), ("/layer/2/key", "luma"))
        for frame, (name, value) in enumerate(said):
            moment = Moment(frame / 30, frame, 1 / 30, 0.0, 0.0, 120.0)
            performance.step(moment, [Event(frame / 30, name, value)])
    assert not live.stage.faults.counts


def test_a_freeze_compiles_nothing(live: Live) -> None:
    live.stage.open(live.setlist())
    image = Target(live.context, SIZE)
    with nothing_compiled(live):
        assert live.stage.copied(image.texture).size == SIZE
    image.release()


def test_what_an_edit_does_not_need_after_all_is_released(live: Live) -> None:
    before = live.stage.open(live.setlist())
    save(live.folder / "presets/red.toml", RED + FILTERS)
    live.made(live.setlist(), before)
    save(live.folder / "presets/red.toml", RED + FILTERS.replace("second", "invert"))
    newer = live.setlist()
    assert live.made(newer, before) == [1]  # the first filter is there already
    released: list[str] = []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(
            "perform.stage.contained.ContainedUnit.release", lambda unit: released.append(unit.unit.isf.name)
        )
        live.stage.open(newer, before)
    assert [Path(name).name for name in released] == ["second.fs"]


def test_what_cannot_be_made_is_told_when_the_edit_opens(live: Live) -> None:
    before = live.stage.open(live.setlist())
    save(live.folder / "shaders/filters/first.fs", FILTER.format("nothing"))
    save(live.folder / "presets/red.toml", RED + FILTERS)
    edit = live.setlist()
    live.made(edit, before)
    after = live.stage.open(edit, before)
    assert after[0].scene is before[0].scene
    assert "first.fs" in str(live.stage.rejected[0])


def test_strips_of_one_text_share_a_program_and_not_their_uniforms(live: Live) -> None:
    text = "uniform float level;\nvoid main() { color = vec4(level); }"
    one, other = Strip(live.context, text), Strip(live.context, text)
    assert live.compiled == 1 and not other.warm
    target = Target(live.context, (1, 1))
    one.set(level=1.0)
    other.draw(target, level=0.2)
    assert one.warm
    assert target.texture.read() == bytes([51] * 4)
    one.draw(target)
    assert target.texture.read() == bytes([255] * 4)
    other.draw(target)
    assert target.texture.read() == bytes([51] * 4)
    target.release()
