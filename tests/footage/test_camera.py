"""Cameras as sources: the picture of a lost camera is held, fades to the fallback, and returns with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import moderngl
import numpy as np
import pytest

from perform.arrays import Pixels
from perform.clock import Moment, stopwatch
from perform.footage.opening import Opener
from perform.footage.units import CameraSource
from perform.inputs import camera
from perform.inputs.camera import Cameras
from perform.render.pictures import Pictures
from perform.render.readback import Readback
from tests.doubles.footage_shows import CAMERA, FILM, SIZE, FootageShow
from tests.doubles.library import save
from tests.doubles.waiting import eventually


class FakeCamera:
    """A camera of a test: it gives `picture` with changing grain, or fails by `trouble`."""

    def __init__(self) -> None:
        self.picture = np.zeros((48, 64, 3), np.uint8)
        self.trouble = ""
        self.opened = 0
        self._pause = threading.Event()
        self._count = 0

    def open(self, _name: str) -> FakeCamera:
        if self.trouble == "gone":
            raise OSError("no such device")
        self.opened += 1
        return self

    def read(self) -> tuple[Any, float]:
        self._pause.wait(0.005)
        if self.trouble == "gone":
            raise OSError("unplugged")
        while self.trouble == "freezes":
            self._pause.wait(0.01)
        if self.trouble != "stale":
            self._count += 1
        pixels = self.picture.copy()
        pixels[:, :, 1] ^= np.uint8(self._count & 1)
        return pixels, stopwatch()

    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeCamera:
    for name, short in (("REOPEN_INTERVAL", 0.05), ("LATE", 0.6), ("STILL", 0.6), ("CHECK_INTERVAL", 0.01)):
        monkeypatch.setattr(camera, name, short)
    return FakeCamera()


@pytest.fixture
def opener(fake: FakeCamera) -> Iterator[Opener]:
    cameras = Cameras(lambda: 0.0, open=fake.open)
    yield Opener(background=True, cameras=cameras)
    fake.trouble = ""
    cameras.close()


def side(frame: Pixels, which: int) -> int:
    """The brightness of the left (0) or right (1) half."""
    return int(np.round(frame[:, 8 + 32 * which : 24 + 32 * which].mean()))


@pytest.mark.parametrize("trouble", ["gone", "freezes", "stale"])
def test_a_lost_camera_holds_its_picture_fades_and_returns(
    play: Callable[..., FootageShow], opener: Opener, fake: FakeCamera, trouble: str
) -> None:
    fake.picture[:] = 255
    text = CAMERA + 'hold = 0.4\nfade = 1\n[source.fallback]\nshader = "colour"\ntint = [0, 0, 0, 1]\n'
    show = play("camera", text, opener)
    assert side(show.frame(), 0) == 0  # nothing has been seen yet
    assert opener.cameras is not None
    device = opener.cameras.camera()
    eventually(lambda: device.here, "the camera")
    seen = [side(show.frame(), 0) for _ in range(15)]
    assert seen == sorted(seen)  # comes in, in half a second
    assert seen[-1] > 250
    fake.trouble = trouble
    eventually(lambda: not device.here, "the loss of it", show.frame)
    held = [side(show.frame(), 0) for _ in range(9)]
    assert min(held) > 250
    fading = [side(show.frame(), 0) for _ in range(28)]
    assert fading == sorted(fading, reverse=True)
    assert fading[13] == pytest.approx(127, abs=21)
    assert fading[-1] == 0
    fake.trouble = ""
    eventually(lambda: side(show.frame(), 0) > 250, "the camera")
    assert show.faults == []


OTHER = CAMERA.replace('camera = ""', 'ndi = "stage"')


@pytest.mark.parametrize("trouble", ["gone", "freezes"])
def test_the_last_picture_of_another_program_stays_until_it_is_back(
    play: Callable[..., FootageShow], opener: Opener, fake: FakeCamera, trouble: str
) -> None:
    fake.picture[:] = 255
    show = play("other", OTHER + "hold = 0.2\nfade = 0.2\n", opener)
    assert opener.cameras is not None
    device = opener.cameras.camera("ndi:stage")
    eventually(lambda: side(show.frame(), 0) > 250, "its picture")
    fake.trouble = trouble
    eventually(lambda: not device.here, "the loss of it", show.frame)
    assert min(side(show.frame(), 0) for _ in range(30)) > 250
    fake.picture[:, :32] = 0
    fake.trouble = ""
    eventually(lambda: side(show.frame(), 0) < 5, "its new picture")
    assert side(show.frame(), 1) > 250  # not mirrored
    assert len(opener.cameras) == 1


def test_another_program_may_show_a_still_and_has_a_fallback(
    play: Callable[..., FootageShow], opener: Opener, fake: FakeCamera
) -> None:
    fake.picture[:], fake.trouble = 255, "stale"
    text = OTHER + 'hold = 0.2\nfade = 0.2\n[source.fallback]\nshader = "colour"\ntint = [0, 0, 0, 1]\n'
    show = play("other", text, opener)
    assert opener.cameras is not None
    device = opener.cameras.camera("ndi:stage")
    eventually(lambda: side(show.frame(), 0) > 250, "its picture")
    numbers = device.newest.number if device.newest else 0
    eventually(lambda: device.newest is not None and device.newest.number > numbers + 200, "many pictures")
    assert (device.here, device.opened) == (True, 1)
    fake.trouble = "gone"
    eventually(lambda: side(show.frame(), 0) == 0, "the fallback")
    fake.trouble = "stale"
    eventually(lambda: side(show.frame(), 0) > 250, "the same picture again")


def test_another_program_is_the_second_picture_of_a_shader(
    play: Callable[..., FootageShow], opener: Opener, fake: FakeCamera
) -> None:
    fake.picture[:, 32:] = 255
    text = FILM + '[[filter]]\nshader = "over"\n[filter.over]\nsyphon = "stage"\nfit = "fill"\n'
    show = play("second", text, opener)
    eventually(lambda: side(show.frame(), 1) > 250, "its picture")
    assert side(show.frame(), 0) < 5  # opaque over the film


def test_offline_another_program_is_its_fallback(play: Callable[..., FootageShow]) -> None:
    text = OTHER + '[source.fallback]\nfilm = "film.mp4"\nfit = "fill"\nsharpness = 0\n'
    assert play("other", text).numbers(5) == [0, 1, 2, 3, 4]
    assert (play("black", OTHER).frame() == 0).all()


def test_a_camera_is_mirrored_by_default(context: moderngl.Context, fake: FakeCamera, opener: Opener) -> None:
    fake.picture[:, :32] = 255
    assert opener.cameras is not None
    device = opener.cameras.camera()
    eventually(lambda: device.here, "the camera")
    unit = CameraSource(device, Pictures(context, SIZE), context)
    values = {parameter.name: parameter.default for parameter in unit.parameters}
    for mirror, lit in ((True, 1), (False, 0)):
        for frame in range(3):
            image = unit.render(Moment(frame, frame, 1.0, 0, 0, 120), values | {"mirror": mirror})
        shown = Readback(context, SIZE).read(image)
        assert side(shown, lit) > 250
        assert side(shown, 1 - lit) < 5
    unit.release()


def test_without_cameras_the_fallback_shader_plays(play: Callable[..., FootageShow]) -> None:
    text = CAMERA + '[source.fallback]\nfilm = "film.mp4"\nfit = "fill"\nsharpness = 0\n'
    assert play("camera", text).numbers(5) == [0, 1, 2, 3, 4]
    assert (play("black", CAMERA).frame() == 0).all()


def test_two_scenes_share_one_camera(folder: Path, opener: Opener, fake: FakeCamera) -> None:
    save(folder / "presets/other.toml", CAMERA)
    save(folder / "setlists/two.toml", 'title = "T"\n[[cue]]\nscene = "camera"\n[[cue]]\nscene = "other"\n')
    show = FootageShow(folder, "two", opener)
    show.frame()
    assert opener.cameras is not None
    assert len(opener.cameras) == 1
    show.rig.close()
