"""The stage takes an edit whose shaders are tried, and no frame waits for that or reads files meanwhile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from perform.library import Library
from perform.render.context import headless
from perform.render.isf import ISF
from perform.render.standstills import Watched
from perform.scenes.scene import Role
from perform.show import find, load
from perform.stage import Stage
from perform.stage.pool import ModelPool
from tests.doubles.footage_shows import SIZE, nobody
from tests.doubles.library import BLUE, INVERT, save, write_library
from tests.doubles.trials import Judge

SECOND, THIRD = INVERT.replace("1.0 - c.rgb", "c.gbr"), INVERT.replace("1.0 - c.rgb", "c.brg * 1.0")


class CountingLibrary(Library):
    reads = 0

    def isf(self, name: str, role: Role) -> ISF:
        self.reads += 1
        return super().isf(name, role)


def test_an_edit_waits_for_its_trials_without_stopping_a_frame(tmp_path: Path) -> None:
    library, judge, context = CountingLibrary(write_library(tmp_path)), Judge(), headless()
    trials: Any = judge
    stage = Stage(library, context, SIZE, ModelPool(nobody), trials=trials)
    file = find("inverted", library)
    before = stage.open(load(file, library))
    judge.may_wait = False

    save(tmp_path / "shaders/filters/invert.fs", SECOND)
    edit = load(file, library)
    assert not stage.tried(edit)
    library.reads = 0
    assert not any(stage.tried(edit) for _ in range(100))
    assert library.reads == 0

    save(tmp_path / "shaders/filters/invert.fs", THIRD)  # once more, while the second is tried
    judge.over = True
    assert not stage.tried(edit)
    assert stage.tried(edit)
    (cue,) = stage.open(edit, before)
    assert "c.brg * 1.0" in library.isf("invert", "filter").fragment
    (opened,) = cue.scene.filters
    assert isinstance(opened.unit, Watched)  # type: ignore[attr-defined]
    assert opened.unit.isf is library.isf("invert", "filter")  # type: ignore[attr-defined]
    stage.close()
    context.release()


def test_a_shader_that_is_refused_keeps_its_scene_and_the_others_change(tmp_path: Path) -> None:
    library, judge, context = Library(write_library(tmp_path)), Judge(), headless()
    judge.over = True
    trials: Any = judge
    stage = Stage(library, context, SIZE, ModelPool(nobody), trials=trials)
    save(tmp_path / "setlists/two.toml", 'title = "A"\n[[cue]]\nscene = "red"\n[[cue]]\nscene = "inverted"\n')
    file = find("two", library)
    before = stage.open(load(file, library))

    save(tmp_path / "shaders/filters/invert.fs", SECOND)
    save(tmp_path / "presets/red.toml", BLUE)
    judge.refuses = "c.gbr"
    edit = load(file, library)
    assert stage.tried(edit)
    after = stage.open(edit, before)
    assert [str(error) for error in stage.rejected] == ["it is too slow"]
    assert after[0].scene.scene.title == "Blue"
    assert after[1].scene is before[1].scene

    save(tmp_path / "shaders/filters/invert.fs", THIRD)
    again = load(file, library)
    assert stage.tried(again)
    last = stage.open(again, after)
    assert stage.rejected == []
    assert last[0].scene is after[0].scene
    assert last[1].scene is not before[1].scene
    stage.close()
    context.release()


def test_without_trials_all_is_tried(tmp_path: Path) -> None:
    library, context = Library(write_library(tmp_path)), headless()
    stage = Stage(library, context, SIZE, ModelPool(nobody))
    assert stage.tried(load(find("inverted", library), library))
    stage.close()
    context.release()
