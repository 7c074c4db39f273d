"""Cameras: doubles that freeze, repeat a picture, raise, hang and return; and FFmpeg as a device."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import pytest

from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.inputs import camera as module
from perform.inputs.camera import Camera, Cameras, View, camera_path, changed, cropped, lifted, region_of
from tests.doubles.waiting import eventually

FAST = 200.0  # pictures a second


class Double:
    """A camera that behaves as `mode` says: well, still (the same picture as success), frozen (no
    answer), gone (an error) or away (it cannot be opened)."""

    def __init__(self) -> None:
        self.mode = "well"
        self.opened = self.closed = self.count = 0
        self._pause = threading.Event()

    def __call__(self, name: str) -> Double:
        if self.mode == "away":
            raise OSError("no such device")
        self.opened += 1
        return self

    def read(self) -> tuple[Pixels, float]:
        self._pause.wait(1 / FAST)
        while self.mode == "frozen":
            self._pause.wait(0.01)
        if self.mode in ("gone", "away"):
            raise OSError("unplugged")
        self.count += self.mode == "well"
        return np.full((48, 64, 3), self.count % 200, np.uint8), stopwatch()

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def double() -> Double:
    return Double()


@pytest.fixture
def camera(double: Double, monkeypatch: pytest.MonkeyPatch) -> Iterator[Camera]:
    """A camera in a hurry: all its times a fifth."""
    for name in ("REOPEN_INTERVAL", "OPENING", "LATE", "STILL", "CHECK_INTERVAL"):
        monkeypatch.setattr(module, name, getattr(module, name) / 5)
    unit = Camera("double", double)
    eventually(lambda: unit.here)
    yield unit
    double.mode = "gone"
    unit.close()


def test_the_newest_picture_is_available_and_wait_gives_a_newer_one(camera: Camera) -> None:
    shot = camera.newest
    assert shot is not None and shot.pixels.shape == (48, 64, 3)
    later = camera.wait(shot.number, 5.0)
    assert later is not None and later.number > shot.number and later.taken > shot.taken
    assert camera.wait(later.number + 10**6, 0.01) is None
    assert camera.health().state == "ok" and "64x48" in camera.health().detail


def test_a_picture_is_read_only(camera: Camera) -> None:
    shot = camera.newest
    assert shot is not None
    with pytest.raises(ValueError, match="read-only"):
        shot.pixels[0] = 0


@pytest.mark.parametrize("mode", ["gone", "frozen", "still", "away"])
def test_a_lost_camera_returns(camera: Camera, double: Double, mode: str) -> None:
    opened, before = double.opened, camera.newest
    double.mode = mode
    eventually(lambda: not camera.here, "the loss")
    assert camera.health().state == "waiting" and camera.health().detail
    assert camera.newest is not None and before is not None  # the last picture holds
    number = camera.newest.number
    double.mode = "well"
    eventually(lambda: camera.here and (camera.newest or before).number > number, "the return")
    assert double.opened > opened


def test_a_camera_reconnects_a_hundred_times(camera: Camera, double: Double) -> None:
    for i in range(100):
        double.mode = ("gone", "well")[i % 2] if i < 99 else "well"
        threading.Event().wait(0.005)
    eventually(lambda: camera.here)
    assert double.closed in (double.opened, double.opened - 1)  # each is closed but the one that is open


def test_a_device_that_never_answers_uses_few_threads(camera: Camera, double: Double) -> None:
    double.mode = "frozen"
    readers = lambda: sum(one.name == "camera double reader" for one in threading.enumerate())  # noqa: E731
    opened = module.MOST_HUNG  # a reader's thread is there a moment before its camera is open
    eventually(lambda: readers() == double.opened == opened, "the last of them")
    threading.Event().wait(5 * module.LATE)
    assert double.opened == opened and readers() == module.MOST_HUNG  # no more are tried
    double.mode = "well"
    eventually(lambda: camera.here)


def test_a_still_picture_is_reopened_ever_less_often(camera: Camera, double: Double) -> None:
    double.mode = "still"
    # patience is seconds: a test that waited for them would test the clock
    eventually(lambda: camera._patience >= 4 * module.STILL, "patience")
    assert "does not change" in camera.health().detail or camera.here
    double.mode = "well"
    eventually(lambda: camera._patience == module.STILL and camera.here)


def test_motion_is_the_share_of_pixels_that_differ() -> None:
    before = np.full((6, 8), 51, np.uint8)
    after = before.copy()
    assert changed(before, after) == (0.0, False)
    after[:3] += module.MOVED
    assert changed(before, after) == (0.0, True)  # noise is no movement, but no standstill either
    after[:3] += 1
    assert changed(before, after) == (0.5, True)
    assert changed(after, before) == (0.5, True)


def test_a_missing_camera_lists_the_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "cameras", lambda: {"/dev/video0": "HD Webcam"})
    unit = Camera("C920")
    eventually(lambda: "HD Webcam" in unit.health().detail)
    unit.close()
    unit.close()


THERE = {"/dev/video0": "HD Webcam", "/dev/video2": "C920 Pro"}


@pytest.mark.parametrize(
    ("name", "where"),
    [("", "/dev/video0"), ("c920", "/dev/video2"), ("1", "/dev/video2"), ("/dev/video2", "/dev/video2")],
)
def test_a_camera_is_found_by_name_number_or_path(name: str, where: str) -> None:
    assert camera_path(name, THERE) == where


def test_a_wrong_name_lists_the_cameras() -> None:
    with pytest.raises(LookupError, match=r"there is no such camera \(there are: HD Webcam, C920 Pro\)"):
        camera_path("Brio", THERE)
    with pytest.raises(LookupError, match="there are: none"):
        camera_path("", {})


def test_each_device_is_opened_once_for_all_users(double: Double) -> None:
    pool = Cameras(lambda: 2.0, "usual", double)
    assert not pool and pool.poll(1.0) == []
    pool.use(frozenset({"audio.low"}))
    assert not pool
    pool.use(frozenset({"camera.motion"}))
    assert pool.camera() is pool.camera("usual") and len(pool) == 1
    eventually(lambda: pool.camera().here)
    assert double.opened == 1
    events = pool.poll(1.0)
    assert {event.name for event in events} == {"camera.level", "camera.motion", "camera.age"}
    assert all(event.time <= 1.0 and np.isfinite(event.value) for event in events)
    assert pool.health().state == "ok"
    double.mode = "gone"
    pool.close()


def test_a_view_is_a_mirrored_region() -> None:
    pixels = np.arange(40 * 80 * 3, dtype=np.uint32).reshape(40, 80, 3).astype(np.uint8)
    assert (View(mirror=False).of(pixels) == pixels).all()
    assert (View().of(pixels) == pixels[:, ::-1]).all()
    seen = View((0.25, 0.5, 0.75, 1.0)).of(pixels)
    assert (seen == pixels[20:, 20:60][:, ::-1]).all()


def test_a_region_is_never_empty() -> None:
    pixels = np.zeros((40, 80, 3), np.uint8)
    for region in ((0.999, 0.999, 1.0, 1.0), (0.0, 0.0, 0.001, 0.001), (0.5, 0.5, 0.501, 0.501)):
        assert min(cropped(pixels, region).shape[:2]) >= 16


def test_dark_pictures_are_brightened_and_bright_ones_are_kept() -> None:
    rng = np.random.default_rng(0)
    dark, bright = (rng.integers(0, high, (64, 64, 3)).astype(np.uint8) for high in (60, 255))
    assert lifted(bright) is bright
    assert dark.mean() < 32 < 90 < lifted(dark).mean() < 130
    assert (lifted(np.zeros((64, 64, 3), np.uint8)) == 0).all()
    order = np.argsort(dark.ravel(), kind="stable")
    assert (np.diff(lifted(dark).ravel()[order].astype(int)) >= 0).all()  # nothing changes places


@pytest.mark.parametrize("text", ["", "0,0,1", "a,b,c,d", "0,0,0,1", "0.5,0,0.4,1", "0,0,1,1.1", "nan,0,1,1"])
def test_a_wrong_region_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"region .*must be"):
        region_of(text)


def test_a_region_is_read() -> None:
    assert region_of("0.1, 0,0.9,1") == (0.1, 0.0, 0.9, 1.0)


def test_ffmpeg_reads_a_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """FFmpeg's own test source stands for a driver; it is read as v4l2, avfoundation and dshow are."""
    monkeypatch.setattr(module, "CAPTURE_FORMATS", {sys.platform: "lavfi"})
    film = module._FfmpegDevice("testsrc=size=96x64:rate=30:duration=0.2")
    pictures = [film.read()[0] for _ in range(6)]
    assert all(picture.shape == (64, 96, 3) and picture.dtype == np.uint8 for picture in pictures)
    assert any((a != b).any() for a, b in pairwise(pictures))
    with pytest.raises(OSError, match="sends no more"):
        film.read()
    film.close()


def test_pictures_are_never_written_to_disk(camera: Camera) -> None:
    """No file is opened for writing while pictures come, by any thread."""
    opened: list[object] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        if listening and event == "open" and not str(arguments[1] or "r").startswith("r"):
            opened.append(arguments)

    listening = True
    sys.addaudithook(watch)
    number = camera.newest.number if camera.newest else 0
    eventually(lambda: (camera.newest or camera.wait(0, 1)).number > number + 50)  # type: ignore[union-attr]
    listening = False
    assert opened == []
