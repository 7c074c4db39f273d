"""Shows: opened from options, and edits that take effect while they play."""

import re
import signal
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import moderngl
import pytest

from perform import paths
from perform.commands.dashboard import run_with_dashboard
from perform.documents import SceneError
from perform.faults import Health
from perform.inputs.audio import Silence, tracked
from perform.library import Library
from perform.outputs import window
from perform.render.context import headless
from perform.render.shader import ShaderError
from perform.scenes.look import Look
from perform.scenes.setlist import Setlist
from perform.show import Options, demo_track, find, load, opening, play, render
from perform.show.edits import FileWatcher
from perform.show.status import StatusMeter, unnamed
from perform.signals import Event
from perform.venue import read_venue
from tests.doubles.library import BLUE, INVERT, RED, save, write_library
from tests.doubles.shaders import HEAVY
from tests.doubles.shows import plays_until, watched
from tests.doubles.waiting import TIMEOUT, eventually

SIZE = (64, 36)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.chdir(write_library(tmp_path))
    return Library(tmp_path)


def test_setlists_and_presets_are_found_by_name_or_file(library: Library, tmp_path: Path) -> None:
    assert find("demo", library) == tmp_path / "setlists/demo.toml"
    assert find("red", library) == tmp_path / "presets/red.toml"
    assert find("presets/blue.toml", library) == Path("presets/blue.toml")
    with pytest.raises(LookupError, match="there is no such setlist or preset; did you mean blue"):
        find("bleu", library)
    with pytest.raises(LookupError, match=r"none\.toml: there is no such file"):
        find("none.toml", library)
    assert [len(load(find(name, library), library).cues) for name in ("demo", "red")] == [2, 1]


def test_every_signal_without_its_file_is_reported(library: Library, tmp_path: Path) -> None:
    text = 'title = "A"\n[generator]\nshader = "colour"\n[[filter]]\nshader = "invert"\namount = '
    file = tmp_path / "presets/lost.toml"
    save(file, text + '"feed.desk + feed.rain + learned.pose + midi.box.knob1"\n')
    with pytest.raises(SceneError) as caught:
        load(file, library)
    names = ("feed desk;", "feed rain;", "mapping pose;", "midi.box.knob1:")
    assert all(name in fault for name, fault in zip(names, caught.value.faults, strict=True))


def test_a_missing_model_is_reported_immediately(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="model 'flora': there is no such model; there are: untrained"):
        Library(tmp_path, model="flora")


def test_saved_files_take_effect_during_the_show(library: Library, tmp_path: Path) -> None:
    rig = play(Options("inverted", size=SIZE, headless=True, osc_port=0), library)
    memory = watched(rig)
    try:
        plays_until(rig, memory, (0, 255, 255))
        save(tmp_path / "shaders/filters/invert.fs", INVERT.replace("1.0 - c.rgb", "c.gbr"))
        plays_until(rig, memory, (0, 0, 255))
        save(tmp_path / "presets/inverted.toml", "broken")
        save(tmp_path / "presets/inverted.toml", BLUE.replace("[0, 0,", "[0, 1,"))
        plays_until(rig, memory, (0, 255, 255))
    finally:
        rig.close()


SLOW = INVERT.replace("1.0 - c.rgb", "vec3(heavy(c.r))").replace("void main", f"{HEAVY}void main")


def test_a_shader_that_is_too_slow_is_refused_with_its_cost_and_the_picture_goes_on(
    library: Library, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    rig = play(Options("inverted", size=(1280, 720), headless=True, osc_port=0), library)
    memory = watched(rig)
    try:
        plays_until(rig, memory, (0, 255, 255))
        save(tmp_path / "shaders/filters/invert.fs", SLOW)
        before = rig.timings.count
        eventually(lambda: rig.frame() or "kept the last good version" in caplog.text)
        assert rig.timings.count > before + 3  # it went on while the shader was tried
        assert re.search(r"invert\.fs:1: takes about [\d.]+ s a frame at 640x360", caplog.text)
        rig.frame()
        assert tuple(memory.frames[-1].pixels[0, 0]) == (0, 255, 255)
        save(tmp_path / "shaders/filters/invert.fs", INVERT.replace("1.0 - c.rgb", "c.gbr"))
        plays_until(rig, memory, (0, 0, 255))
    finally:
        rig.close()


def test_a_show_does_not_begin_with_a_shader_that_is_too_slow(library: Library, tmp_path: Path) -> None:
    save(tmp_path / "shaders/filters/invert.fs", SLOW)
    with pytest.raises(ShaderError, match=r"invert\.fs:1: takes about [\d.]+ s a frame at 640x360"):
        play(Options("inverted", size=(1280, 720), headless=True, osc_port=0), library)


def test_a_long_setlist_is_read_while_the_show_goes_on(library: Library, tmp_path: Path) -> None:
    reading, go_on = threading.Event(), threading.Event()

    def read() -> Setlist:
        reading.set()
        assert go_on.wait(TIMEOUT)
        return load(find("red", library), library)

    watcher = FileWatcher([tmp_path / "presets"], read)
    found: list[Setlist] = []

    def taken() -> bool:
        found.extend(edit for edit in [watcher.take()] if edit)
        return bool(found)

    try:
        eventually(lambda: save(tmp_path / "presets/red.toml", RED) or reading.is_set())
        assert not taken()
        go_on.set()
        eventually(taken)
        assert found[0].cues[0].scene.file.stem == "red"
        save(tmp_path / "presets/red.toml", "broken")
        with pytest.raises(SceneError, match="not valid TOML"):
            eventually(lambda: taken() and False)
    finally:
        watcher.close()


class Unplugged(Silence):
    """An input whose health cannot be told."""

    def health(self) -> Health:
        raise OSError("the driver is gone")


def test_a_show_goes_on_without_its_dashboard(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signal, "signal", lambda *_: None)  # those of the tests stay
    rig = play(Options("red", size=SIZE, headless=True, osc_port=0), library)
    rig.inputs.append(Unplugged())
    run_with_dashboard(rig, finished=lambda playing: playing.timings.count > 20)
    assert rig.timings.count > 20
    assert rig.faults.counts["the dashboard shows an old state: the driver is gone"] >= 3


def test_files_that_learning_saves_for_a_new_user_are_watched(
    library: Library, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "nobody"))  # where nothing has been saved yet
    shipped = Library(tmp_path, paths.user_data())
    folders: list[Path] = []

    class Folders(FileWatcher):
        def __init__(self, watched: Iterable[Path], read: Callable[[], Setlist]) -> None:
            folders.extend(watched)
            super().__init__(folders, read)

    monkeypatch.setattr(opening, "FileWatcher", Folders)
    monkeypatch.setattr(window, "Window", lambda *of: FakeScreen())
    play(Options("demo", size=SIZE, osc_port=0), shipped).close()
    assert {paths.user_data() / kind for kind in ("presets", "setlists")} <= {*folders}


class FakeScreen:
    """A window that nobody sees."""

    name, closed, notice, presenter = "screen", False, "", None

    def __init__(self) -> None:
        self.context = headless()

    def health(self) -> Health:
        return Health("ok")

    def poll(self, until: float) -> list[Event]:
        return []

    def show(self, image: moderngl.Texture, look: Look) -> None: ...

    def notify(self, note: str) -> None: ...

    def close(self) -> None: ...


def test_the_status_describes_the_rig(library: Library) -> None:
    rig = play(Options("demo", size=SIZE, headless=True, osc_port=0, watch=False), library)
    watcher = StatusMeter(Path("a.mp4"))
    try:
        for _ in range(3):
            rig.frame()
        status = watcher.status(rig)
    finally:
        rig.close()
    assert (status.scene, status.next_scene, status.cue, status.cues) == ("Red", "Blue", 1, 2)
    assert (status.bpm, status.source, status.master, status.recording) == (120.0, "free", 1.0, "a.mp4")
    assert [name for name, _ in status.devices] == ["silence", "midi", "lights"]
    assert status.devices[0] == ("silence", Health("ok", ""))  # its name, which stands beside it, is left out


@pytest.mark.parametrize(
    ("detail", "shown"),
    [
        ("osc :9000, query 9000", "query 9000"),
        ("osc :9000: the cable is out", "the cable is out"),
        ("osc :9000", ""),
        ("osc :90001, query 9000", "osc :90001, query 9000"),
        ("no network", "no network"),
    ],
)
def test_the_status_says_the_name_of_a_device_once(detail: str, shown: str) -> None:
    assert unnamed("osc :9000", Health("waiting", detail)) == Health("waiting", shown)


def test_an_osc_port_in_use_is_reported_and_the_show_continues(
    library: Library, caplog: pytest.LogCaptureFixture
) -> None:
    first = play(Options("red", size=SIZE, headless=True, osc_port=9871, watch=False), library)
    second = play(Options("red", size=SIZE, headless=True, osc_port=9871, watch=False), library)
    second.frame()
    for rig in (first, second):
        rig.close()
    assert (
        "osc: 127.0.0.1:9871 cannot be listened to (Address already in use):"
        " --osc 127.0.0.1:9872 is another port"
    ) in caplog.messages


def test_an_osc_host_that_is_not_here_is_reported(library: Library, caplog: pytest.LogCaptureFixture) -> None:
    options = Options("red", size=SIZE, headless=True, osc_host="192.0.2.1", osc_port=9873, watch=False)
    play(options, library).close()
    assert "osc: 192.0.2.1:9873 cannot be listened to (Cannot assign requested address)" in caplog.messages


def test_the_demo_track_sets_its_tempo() -> None:
    track = demo_track()
    assert track is not None
    found = tracked(track)
    sure = [beat for beat in found if beat.confidence > 0.5 and beat.time > 10]
    assert len(sure) > 80
    assert sorted(beat.bpm for beat in sure)[len(sure) // 2] == pytest.approx(122, abs=1)


def test_offline_each_frame_gets_the_sound_up_to_its_time(library: Library) -> None:
    track = demo_track()
    assert track is not None
    rig = render(Options("blue", str(track), size=SIZE, fps=30))
    for _ in range(30):
        rig.frame()
    level = rig.performance.signals.number("audio.level")
    rig.close()
    assert 0 < level <= 1


def test_the_feeds_of_a_rendered_show_are_as_its_venue_has_them(library: Library, tmp_path: Path) -> None:
    save(tmp_path / "feeds" / "rows.csv", "20\n")
    save(tmp_path / "feeds" / "rows.toml", 'kind = "csv"\nfile = "rows.csv"\nlow = 0\nhigh = 100\n')
    save(
        tmp_path / "presets" / "fed.toml",
        RED.replace("[transition]", 'tint = ["feed.rows", 0, 0, 1]\n[transition]'),
    )
    save(tmp_path / "venue.toml", "[feed.rows]\nhigh = 40\n")
    seen = []
    for venue in (None, read_venue(tmp_path / "venue.toml")):
        rig = render(Options("fed", size=SIZE, venue=venue))
        rig.frame()
        seen.append(rig.performance.signals.number("feed.rows"))
        rig.close()
    assert seen == pytest.approx([0.2, 0.5])
