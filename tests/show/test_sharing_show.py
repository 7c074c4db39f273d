"""A show that shares its picture."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from perform import sharing
from perform.library import Library
from perform.render.readback import Readback
from perform.rig import Rig
from perform.scenes.look import Look
from perform.sharing import Share
from perform.show import Options, play
from perform.show.status import StatusMeter
from tests.doubles.library import CUT, save, write_library
from tests.doubles.sharing import NdiProgram, NdiSource, need
from tests.doubles.waiting import eventually

SIZE = (64, 36)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Library:
    monkeypatch.chdir(write_library(tmp_path))
    return Library(tmp_path)


def shown(library: Library, share: Share) -> Rig:
    options = Options("red", size=SIZE, headless=True, osc_port=0, watch=False, lights=False, shares=(share,))
    return play(options, library)


def test_the_picture_reaches_a_program_on_the_network(library: Library) -> None:
    need("ndi")
    name = f"show {os.getpid()}"
    rig, program, meter = shown(library, Share("ndi", name)), NdiProgram(name), StatusMeter()
    try:
        eventually(lambda: program.look() is not None, "the picture", rig.frame)
        picture = program.look()
        assert picture is not None
        assert picture.shape == (36, 64, 4)
        red, green, blue = picture[18, 32, :3]
        assert red > 200
        assert max(green, blue) < 40
        told = lambda: dict(meter.status(rig).devices)[f"ndi:{name}"].detail  # noqa: E731
        eventually(lambda: told() == "64x36, 1 receiver", "its health", rig.frame)
    finally:
        rig.close()
        program.close()
    assert not rig.faults.counts


def test_a_scene_shows_the_picture_of_another_program(library: Library, tmp_path: Path) -> None:
    need("ndi")
    name = f"scene {os.getpid()}"
    text = f'title = "Other"\n{CUT}[source]\nndi = "{name}"\nfit = "fill"\nhold = 0\nfade = 0\n'
    save(tmp_path / "presets/other.toml", text)
    options = Options("other", size=SIZE, headless=True, osc_port=0, watch=False, lights=False)
    rig, program, meter = play(options, library), NdiSource(name, SIZE), StatusMeter()
    readback = Readback(rig.context, SIZE)

    def grey() -> int:
        rig.frame()
        assert rig.picture is not None
        return int(readback.read(rig.present.render(rig.picture.image, Look()))[18, 32, 1])

    def sends(value: int) -> Callable[[], None]:
        return lambda: program.send(np.full((SIZE[1], SIZE[0], 3), value, np.uint8))

    try:
        eventually(lambda: abs(grey() - 180) < 12, "the picture", sends(180))
        assert dict(meter.status(rig).devices)["cameras"].state == "ok"
        program.close()
        eventually(
            lambda: dict(meter.status(rig).devices)["cameras"].state == "waiting", "its end", rig.frame
        )
        assert abs(grey() - 180) < 12
        program = NdiSource(name, SIZE)
        eventually(lambda: abs(grey() - 90) < 12, "the next picture", sends(90))
    finally:
        program.close()
        rig.close()
    assert not rig.faults.counts


def test_a_show_plays_on_without_the_device(library: Library, tmp_path: Path) -> None:
    rig = shown(library, Share("v4l2", str(tmp_path / "video10")))
    (output,) = [one for one in rig.outputs if one.name.startswith("v4l2:")]
    eventually(lambda: "No such file or directory" in output.health().detail, "the fault", rig.frame)
    assert output.health().state == "waiting"
    assert output in rig.outputs
    rig.close()
    assert rig.lost == 0


def test_a_share_that_cannot_be_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    ndi, device = Share("ndi", "stage"), Share("v4l2", "/dev/video10")
    with pytest.raises(RuntimeError, match="share spout:stage: Spout is of Windows"):
        Options(shares=(Share("spout", "stage"),))
    monkeypatch.setattr(sharing, "version", lambda _kind: "")
    with pytest.raises(RuntimeError, match=r"share ndi:stage: .* pip install 'perform-live\[ndi\]'"):
        Options(shares=(ndi,))
    monkeypatch.setattr(sharing, "version", lambda _kind: "1.0")
    with pytest.raises(ValueError, match="share ndi:stage is given twice"):
        Options(shares=(ndi, device, ndi))
    with pytest.raises(ValueError, match="size 65x36, must have an even width for v4l2"):
        Options(shares=(device,), size=(65, 36))
    assert Options(shares=(ndi, device)).shares == (ndi, device)
