"""The state of a show: what hands changed is saved, survives a kill, and is played again."""

import logging
import os
import random
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

import pytest

from perform import paths
from perform.clock import stopwatch
from perform.documents import SceneError
from perform.scenes.saved import SavedState, read_state
from perform.scenes.snapshot import Snapshot
from perform.show.state import StateKeeper, state_file
from tests.doubles.command import FromNothing, Prepared, environment, finished, start
from tests.doubles.library import write_library
from tests.doubles.performances import performance, play, shader_scene
from tests.doubles.rig_shows import Show, shows
from tests.doubles.waiting import eventually

log = logging.getLogger("perform.soak")
RESTART = 3.0  # seconds; only the soak holds a show to it
STATE = SavedState(cue=1, scene="blue.toml", bpm=133.5, controls={"master": 0.25}, held={"/a": {0: 0.5}})


@pytest.fixture
def show(tmp_path: Path) -> Iterator[Show]:
    opened = shows(tmp_path)
    yield next(opened)()
    next(opened, None)


def test_a_show_comes_back_with_its_cue_its_hands_and_its_tempo(show: Show) -> None:
    show.pixel()
    show.pixel(("/go", 1.0), ("/tempo/bpm", 98.0))
    show.pixel(("/generator/tint.0", 0.5), ("/generator/tint.1", 0.25), ("/master", 0.5), ("/freeze", 1.0))
    show.pixel()
    state = show.rig.performance.saved()
    assert (state.cue, state.scene, state.bpm) == (1, "blue.toml", 98.0)
    assert state.held == {"/generator/tint": {0: 0.5, 1: 0.25}}
    assert (state.controls["master"], state.controls["freeze"]) == (0.5, 1.0)
    again = Show(show.folder, "demo", lambda key: pytest.fail("no model"))
    again.rig.performance.restore(SavedState.model_validate_json(state.model_dump_json()))
    red, green, blue = again.pixel()  # half of what is held, and of the blue of the preset
    assert (red, green) == (64, 32)
    assert blue in (127, 128)
    again.pixel()
    assert again.rig.performance.saved() == state
    assert again.pixel(("/generator/tint/release", 1.0), ("/master", 1.0), ("/freeze", 0.0)) == (0, 0, 255)
    again.rig.close()


def test_a_scene_that_has_moved_or_gone() -> None:
    show = performance(shader_scene("a"), shader_scene("b"), shader_scene("c"))
    show.restore(STATE.model_copy(update={"scene": "c", "cue": 0}))
    assert show.position.cue == 2
    show.restore(STATE.model_copy(update={"scene": "none", "cue": 1}))
    assert show.position.cue == 0
    show.restore(STATE.model_copy(update={"scene": "b", "cue": 99}))
    assert play(show, 3)[2].image == ("b", 0.0)


def test_it_waits_for_go_where_it_was() -> None:
    show = performance(shader_scene("a"), shader_scene("b"), shader_scene("c"))
    show.restore(STATE.model_copy(update={"scene": "b", "cue": 1}))
    assert [picture.image[0] for picture in play(show, 80, {5: [("key.space", 1.0)]})][::79] == ["b", "c"]


def test_the_keeper_writes_what_changes(tmp_path: Path) -> None:
    now = [STATE]
    keeper = StateKeeper(tmp_path / "state/a.json", lambda: now[0])
    keeper.update(0.0, Snapshot)
    eventually(lambda: (tmp_path / "state/a.json").is_file())
    now[0] = STATE.model_copy(update={"cue": 2})
    keeper.update(0.1, Snapshot)  # too soon
    keeper.update(0.5, Snapshot)
    keeper.close()
    assert read_state(tmp_path / "state/a.json").cue == 2


def test_a_state_that_cannot_be_saved_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "state").write_text("a file in the place of the folder")
    now = [STATE]
    keeper = StateKeeper(tmp_path / "state/a.json", lambda: now[0])
    for number in range(3):
        now[0] = STATE.model_copy(update={"cue": number})
        keeper.update(float(number), Snapshot)
    keeper.close()
    assert keeper.health().state == "failed"
    assert len([one for one in caplog.records if "cannot be saved" in one.message]) == 1


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"cue": -1, "scene": ""}', '{"cue": 1, "scene": "a", "more": 1}', "\0"]
    + [f'{{"cue": 1, "scene": "a", "controls": {{"master": {number}}}}}' for number in ("NaN", "Infinity")]
    + ['{"cue": 1, "scene": "a", "held": {"/a": {"0": NaN}}}', '{"cue": 1, "scene": "a", "bpm": NaN}'],
)
def test_what_is_no_state(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(SceneError):
        read_state(tmp_path / "a.json")


def test_each_show_has_its_own_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert state_file(Path("a/set.toml")) != state_file(Path("b/set.toml"))
    assert state_file(Path("a/set.toml")) == state_file(tmp_path / "a/set.toml")
    assert state_file(Path("a/set.toml")).parent == paths.user_data() / "state"


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (
            STATE.model_copy(update={"scene": "gone.toml"}),
            "gone.toml is in no cue any more: the show begins with ",
        ),
        (
            SavedState(cue=0, scene="red.toml", standby=1, standby_scene="gone.toml"),
            "gone.toml, which was loaded to come next, is in no cue any more",
        ),
        (
            SavedState(
                cue=0, scene="red.toml", held={"/generator/tint": {0: 0.5, 1: "x"}, "/none": {0: 1.0}}
            ),
            "what was held does not fit the show any more: /generator/tint, /none",
        ),
    ],
)
def test_what_has_no_place_in_the_show_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: SavedState, told: str
) -> None:
    folder = write_library(tmp_path / "show")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    file = state_file(folder / "setlists/demo.toml")
    file.parent.mkdir(parents=True)
    file.write_text(state.model_dump_json())
    words = ["play", "setlists/demo.toml", "--headless", "--audio", "none", "--osc", "0", "--resume"]
    env = environment() | {"XDG_DATA_HOME": str(tmp_path / "data")}
    done = finished(*words, "--size", "64x36", "--seconds", "0.2", cwd=folder, env=env)
    assert done.returncode == 0
    assert told in done.stderr


def killed(words: Sequence[str], folder: Path, kept: Path | None, after: float, **options: Any) -> float:
    """Start a show, and kill it so many seconds after it plays; the seconds from its start until it plays,
    as the state shows that it writes into `kept`, a file in `folder`."""
    began, written = stopwatch(), kept and kept.stat().st_mtime_ns
    with start(*words, stderr=subprocess.PIPE, text=True, **options) as process:
        assert process.stderr
        try:
            if kept:
                eventually(lambda: "resumed from" in process.stderr.readline(), "the resumed show")
                eventually(lambda: kept.stat().st_mtime_ns != written, "the show on its cue")
            else:
                eventually(lambda: list(folder.glob("*.json")), "the state")
            passed = stopwatch() - began
            signal.sigtimedwait([], after)
        finally:
            process.send_signal(signal.SIGKILL)
    return passed


def test_kills_never_tear_the_file_and_the_show_is_back_on_its_cue(tmp_path: Path) -> None:
    """The soak starts Python anew each time, and logs the times of the restarts (--log-cli-level INFO)."""
    soak = bool(os.environ.get("PERFORM_SOAK"))
    kills, kind = (50, FromNothing) if soak else (3, Prepared)
    folder, dice = write_library(tmp_path / "show"), random.Random(7)
    cue = '[[cue]]\nscene = "{}"\nseconds = 0.05\ntransition = {{ beats = 0 }}\n'
    text = 'title = "Fast"\nloop = true\n' + cue.format("red") + cue.format("blue")
    (folder / "setlists/fast.toml").write_text(text)
    words = ["play", "setlists/fast.toml", "--headless", "--audio", "none", "--osc", "0", "--resume"]
    env = {**environment(), "XDG_DATA_HOME": str(tmp_path / "data"), "PYTHONPATH": str(Path.cwd())}
    states, kept, restarts = tmp_path / "data/perform/state", None, []
    for _ in range(kills):
        sized = [*words, "--size", "64x36"]
        restarts.append(killed(sized, states, kept, dice.uniform(0.05, 0.4), kind=kind, cwd=folder, env=env))
        (kept,) = states.glob("fast-*.json")
        state = read_state(kept)
        assert (state.cue, state.scene) in ((0, "red.toml"), (1, "blue.toml"))
    log.info("on the cue after %.2f s (median), %.2f s at worst", median(restarts[1:]), max(restarts[1:]))
    assert not soak or max(restarts[1:]) <= RESTART
