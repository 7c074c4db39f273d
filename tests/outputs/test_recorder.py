from __future__ import annotations

import errno
import subprocess
import sys
import threading
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from perform.clock import Moment
from perform.outputs import Frame
from perform.outputs.recorder import MOST_PICTURES, Recorder, _VideoFile, holds
from tests.doubles.frames import RATE, SIZE, frame
from tests.doubles.waiting import eventually

GREY = np.array([0.2126, 0.7152, 0.0722])


def film(path: Path, fps: Fraction | float, frames: int, flashes: set[int], live: bool = False) -> Recorder:
    """A film whose white frames sound with a click that begins with them."""
    sound = np.zeros((round(frames / fps * RATE) + 1, 2), np.float32)
    for flash in flashes:
        at = round(flash / fps * RATE)
        sound[at : at + 240] = np.where(np.arange(240) % 24 < 12, 0.7, -0.7)[:, None]
    recorder = Recorder(path, SIZE, fps, RATE, live)
    passed = 0
    for number in range(frames):
        until = round(number / fps * RATE)
        recorder.write(frame(number, fps, 255 * (number in flashes), sound[passed:until]))
        passed = until
    recorder.close()
    return recorder


def seen(path: Path) -> list[float]:
    """When the film is white."""
    with av.open(str(path)) as file:
        return [one.time for one in file.decode(video=0) if one.to_ndarray(format="gray").mean() > 128]


def heard(path: Path) -> list[float]:
    """When the film begins to click."""
    found: list[float] = []
    resampler = av.AudioResampler(format="flt", layout="stereo")
    with av.open(str(path)) as file:
        for one in file.decode(audio=0):
            for packed in resampler.resample(one):
                loud = np.abs(packed.to_ndarray().reshape(-1, 2)[:, 0]) > 0.2
                found += [packed.time + at / RATE for at in np.nonzero(loud)[0]]
    return [time for n, time in enumerate(found) if n == 0 or time - found[n - 1] > 0.1]


def shown(path: Path) -> list[float]:
    """When each picture of the film is shown."""
    with av.open(str(path)) as file:
        return [one.time for one in file.decode(video=0)]


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
@pytest.mark.parametrize("fps", [60, 25, Fraction(30000, 1001)])
def test_sound_and_picture_are_in_sync_from_start_to_end(tmp_path: Path, ending: str, fps: Fraction) -> None:
    path = tmp_path / f"film.{ending}"
    frames = round(6 * fps)
    flashes = {0, frames // 2, frames - 8}
    recorder = film(path, fps, frames, flashes)
    assert (recorder.written, recorder.dropped) == (frames, 0)
    expected = [float(flash / fps) for flash in sorted(flashes)]
    assert seen(path) == pytest.approx(expected, abs=0.002)
    assert heard(path) == pytest.approx(expected, abs=0.002)
    assert len(shown(path)) == frames


def test_colours_are_bt709_and_survive_within_three_levels(tmp_path: Path) -> None:
    colours = np.random.default_rng(5).integers(0, 256, (40, 3))
    colours[:6] = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255), (0, 0, 0), (128, 128, 128)]
    recorder = Recorder(tmp_path / "film.mkv", SIZE, 30)
    for number, colour in enumerate(colours):
        recorder.write(frame(number, 30, colour))
    recorder.close()
    with av.open(str(tmp_path / "film.mkv")) as file:
        coder = file.streams.video[0].codec_context
        tags = coder.colorspace, coder.color_primaries, coder.color_trc, coder.color_range
        assert tags == (1, 1, 1, 1)
        for one, colour in zip(file.decode(video=0), colours, strict=True):
            assert np.abs(rgb(one.to_ndarray()) - colour).max() <= 3


def rgb(planes: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The mean colour of a yuv420p picture by ITU-R BT.709-6."""
    luma = (planes[: SIZE[1]].mean() - 16) / 219
    blue, red = np.split(planes[SIZE[1] :].astype(float), 2)
    b = luma + 1.8556 * (blue.mean() - 128) / 224
    r = luma + 1.5748 * (red.mean() - 128) / 224
    return 255 * np.array([r, (luma - GREY[0] * r - GREY[2] * b) / GREY[1], b])


def test_a_live_recording_drops_pictures_and_keeps_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, go, begun = tmp_path / "film.mkv", threading.Event(), threading.Event()
    encode = _VideoFile.picture

    def slow(film: _VideoFile, picture: object, place: int) -> None:
        begun.set()
        go.wait(20)
        encode(film, picture, place)  # type: ignore[arg-type]

    monkeypatch.setattr(_VideoFile, "picture", slow)
    recorder = Recorder(path, SIZE, 25, RATE, live=True)
    recorder.write(frame(0, 25))
    assert begun.wait(20)  # the first picture has left the queue
    click = np.zeros((1920, 2), np.float32)
    for number in range(1, 40):
        click[:240] = 0.7 * (number == 31)  # 1.2 s: the sound of a frame is that before it
        recorder.write(frame(number, 25, sound=click.copy()))
    assert (recorder.written, recorder.dropped) == (MOST_PICTURES + 1, 39 - MOST_PICTURES)
    go.set()
    recorder.close()
    assert shown(path) == pytest.approx([number / 25 for number in range(MOST_PICTURES + 1)], abs=0.002)
    assert heard(path) == pytest.approx([1.2], abs=0.002)


def test_an_offline_recording_waits_for_the_encoder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    turns, taken = threading.Semaphore(0), []
    encode = _VideoFile.picture

    def slow(film: _VideoFile, picture: object, place: int) -> None:
        taken.append(place)
        turns.acquire(timeout=20)
        encode(film, picture, place)  # type: ignore[arg-type]

    monkeypatch.setattr(_VideoFile, "picture", slow)
    recorder = Recorder(tmp_path / "film.mp4", SIZE, 25)
    writer = threading.Thread(target=lambda: [recorder.write(frame(n, 25)) for n in range(40)])
    writer.start()
    for _ in range(40):
        assert recorder.written <= MOST_PICTURES + 1 + len(taken)
        turns.release()
    writer.join()
    recorder.close()
    assert (recorder.written, recorder.dropped) == (40, 0)
    assert len(shown(tmp_path / "film.mp4")) == 40


def test_pictures_are_placed_by_their_time(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "film.mkv", SIZE, 25)
    for seconds in (5.0, 5.041, 5.079, 5.08, 5.081, 5.32):  # the first one's time is the beginning
        recorder.write(Frame(Moment(seconds, 0, 0, 0, 0, 120), frame(0, 25).pixels))
    recorder.close()
    assert shown(tmp_path / "film.mkv") == pytest.approx([0, 0.04, 0.08, 0.12, 0.32], abs=0.002)
    assert recorder.dropped == 1


@pytest.mark.parametrize("ending", ["mp4", "mov", "mkv"])
def test_a_film_plays_while_it_is_written(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"film.{ending}"
    assert not holds(path, 1)
    recorder = Recorder(path, SIZE, 25, RATE)
    assert not holds(path, 1)
    for number in range(150):
        recorder.write(frame(number, 25, number, np.zeros((1920, 2), np.float32)))
    eventually(lambda: holds(path, 25), "the first second")
    assert not holds(path, 150)  # the encoder has the last ones
    assert len(playable(path)) >= 25
    recorder.close()
    assert holds(path, 150) and not holds(path, 151)


@pytest.mark.parametrize("ending", ["mp4", "mov"])
def test_a_film_that_is_complete_is_an_ordinary_file(tmp_path: Path, ending: str) -> None:
    """Some editors do not open fragments; while it grows, nothing else plays."""
    path = tmp_path / f"film.{ending}"
    recorder = Recorder(path, SIZE, 25, RATE)
    for number in range(150):
        recorder.write(frame(number, 25, number, np.zeros((1920, 2), np.float32)))
    eventually(lambda: {"moov", "moof"} <= {*boxes(path)}, "a fragment")
    recorder.close()
    assert [kind for kind in boxes(path) if kind not in ("free", "wide")] == ["ftyp", "mdat", "moov"]


def boxes(path: Path) -> list[str]:
    """The kinds of the outermost boxes of a file (ISO/IEC 14496-12, 4.2)."""
    data, at, kinds = path.read_bytes(), 0, []
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        kinds.append(data[at + 4 : at + 8].decode("latin-1"))
        at += size or len(data)
    return kinds


DYING = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
import numpy as np
from tests.doubles.frames import RATE, SIZE, frame
from perform.outputs.recorder import MOST_PICTURES, Recorder
recorder = Recorder(Path(sys.argv[1]), SIZE, 25, RATE)
for number in range(150 + MOST_PICTURES):  # so many may still wait
    recorder.write(frame(number, 25, number, np.zeros((1920, 2), np.float32)))
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_film_of_a_killed_program_plays(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"film.{ending}"
    subprocess.run([sys.executable, "-c", DYING, str(path)], check=False)
    assert len(shown(path)) >= 75  # the encoder looks ahead, and a fragment is a second


FILLING = """
import os, resource, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
import numpy as np
from perform.outputs import Frame
from tests.doubles.frames import RATE, SIZE, frame
from perform.outputs.recorder import Recorder
random = np.random.default_rng(0)
resource.setrlimit(resource.RLIMIT_FSIZE, (700_000, 700_000))
recorder = Recorder(Path(sys.argv[1]), SIZE, 25, RATE)
told = []
for number in range(200):
    noise = random.integers(0, 256, (SIZE[1], SIZE[0], 3), dtype=np.uint8)
    try:
        recorder.write(Frame(frame(number, 25).moment, noise, np.zeros((1920, 2), np.float32)))
    except OSError as error:
        told.append(str(error))
try:
    recorder.close()
except OSError as error:
    told.append(str(error))
print(len(told), told[0])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no limits of a file's size on Windows")
@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_a_file_at_its_size_limit_ends_the_recording_and_plays(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"film.{ending}"
    said = subprocess.run(
        [sys.executable, "-c", FILLING, str(path)], capture_output=True, text=True, check=True
    )
    assert said.stdout.startswith("1 ")
    assert f"film.{ending}: recording ended (File too large)" in said.stdout
    assert 500_000 < path.stat().st_size <= 700_000
    assert len(playable(path)) >= 10


def playable(path: Path) -> list[float]:
    """The pictures of a film up to where it is cut off."""
    times: list[float] = []
    with av.open(str(path)) as file, suppress(av.error.InvalidDataError):
        for one in file.decode(video=0):
            times.append(one.time)
    return times


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_is_reported_once(tmp_path: Path) -> None:
    path = tmp_path / "film.mkv"
    path.symlink_to("/dev/full")
    recorder = Recorder(path, SIZE, 25)
    told = []
    for number in range(100):
        try:
            recorder.write(frame(number, 25, number))
        except OSError as error:
            told.append(error)
    try:
        recorder.close()
    except OSError as error:
        told.append(error)
    recorder.close()
    assert [error.errno for error in told] == [errno.ENOSPC]
    assert "film.mkv: recording ended (the disk is full)" in str(told[0])


def test_impossible_recordings_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="size = 641x360, must be even"):
        Recorder(tmp_path / "a.mp4", (641, 360), 25)
    with pytest.raises(ValueError, match=r"fps = 0.5, must be 1..1000"):
        Recorder(tmp_path / "a.mp4", SIZE, 0.5)
    with pytest.raises(ValueError, match=r"quality '60' of h264, must be 0..51, less is better"):
        Recorder(tmp_path / "a.mp4", SIZE, 25, quality="60")
    with pytest.raises(ValueError, match=r"must end in .mp4, .mov, .mkv"):
        Recorder(tmp_path / "a.avi", SIZE, 25)
    with pytest.raises(OSError, match=r"a.mp4: cannot be written \(No such file"):
        Recorder(tmp_path / "no" / "a.mp4", SIZE, 25)
    recorder = Recorder(tmp_path / "a.mp4", SIZE, 25)
    with pytest.raises(ValueError, match="a frame of shape"):
        recorder.write(Frame(Moment(0, 0, 0, 0, 0, 120), np.zeros((8, 8, 3), np.uint8)))
    recorder.close()


MEASURE = """
import os, sys
from pathlib import Path
sys.path.insert(0, os.getcwd())
import numpy as np
from tests.doubles.frames import SIZE, frame
from perform.outputs.recorder import Recorder
RATE = 16_000
def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
recorder = Recorder(Path(sys.argv[1]), SIZE, 5, RATE)
for number in range(int(sys.argv[2])):
    if number == 300:
        before = resident()
    recorder.write(frame(number, 5, number % 256, np.zeros((RATE // 5, 2), np.float32)))
print(resident() - before)
recorder.close()
"""


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="no /proc")
def test_long_recordings_use_no_more_memory(tmp_path: Path) -> None:
    frames = 3000  # ten minutes
    command = [sys.executable, "-c", MEASURE, str(tmp_path / "film.mp4"), str(frames)]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    assert int(said.stdout) < 5_000_000


@pytest.mark.parametrize("ending", ["mp4", "mkv"])
def test_samples_that_are_no_numbers_do_not_end_a_recording(tmp_path: Path, ending: str) -> None:
    path = tmp_path / f"film.{ending}"
    recorder = Recorder(path, SIZE, 25, RATE)
    for number in range(50):
        sound = np.full((1920, 2), 1e30 if number == 9 else 0.0, np.float32)
        sound[:480] = 0.7 * (np.arange(480) % 24 < 12)[:, None] * (number == 40)
        sound[960:970] = [np.nan, np.inf]
        recorder.write(frame(number, 25, sound=sound))
    recorder.close()
    assert len(shown(path)) == 50
    assert heard(path)[-1] == pytest.approx(39 / 25, abs=0.002)  # the sound of a frame is that before it


def test_a_name_with_a_colon_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("12:30.mp4", "rtmp:1%d.MKV"):
        recorder = Recorder(Path(name), SIZE, 25)
        recorder.write(frame(0, 25))
        recorder.close()
        assert len(shown(tmp_path / name)) == 1


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"folder/film.mp4: cannot be written \(No such file or directory\)"):
        Recorder(tmp_path / "folder/film.mp4", SIZE, 25)
