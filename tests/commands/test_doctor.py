"""The doctor: every check answers in time, with a remedy, on any machine."""

from __future__ import annotations

import json
import shutil
import socket
import sys
import threading
from collections import namedtuple
from collections.abc import Callable, Iterator
from ctypes import POINTER, c_int, cast
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from types import SimpleNamespace
from typing import Any, TypeAlias

import glfw
import pytest

from perform import paths, sharing
from perform.commands import doctor
from perform.commands.doctor import checks, devices, machine
from perform.commands.doctor import sharing as shared_checks
from perform.commands.doctor.finding import REINSTALL, Check, Finding
from perform.inputs import audio, camera, link
from perform.inputs.sharing import ndi
from perform.outputs import window
from perform.outputs.window import gamepads
from perform.render import context
from perform.render.bridges import Bridges

OneCheck: TypeAlias = Callable[..., Check]
Usage = namedtuple("Usage", "total used free")


@pytest.fixture(scope="module")
def found() -> list[Check]:
    return checks()


def test_every_check_answers_in_order_and_is_json(found: list[Check]) -> None:
    assert [one.name for one in found] == [name for name, _, _ in doctor.CHECKS]
    assert json.loads(json.dumps([asdict(one) for one in found]))[0] == asdict(found[0])


def test_every_line_that_is_not_ok_has_a_remedy(found: list[Check]) -> None:
    assert all(one.why for one in found)
    assert all(bool(one.remedy) == (one.state != "ok") for one in found)
    assert all("\n" not in one.why + one.remedy for one in found)


@pytest.mark.parametrize("name", ["python", "processor", "video"])
def test_checks_of_pinned_packages_do_not_fail_here(found: list[Check], name: str) -> None:
    (one,) = (one for one in found if one.name == name)
    assert one.state != "fail", one


@pytest.fixture
def one_check(monkeypatch: pytest.MonkeyPatch) -> OneCheck:
    """A doctor with one check."""

    def check(look: object, timeout: float | None = 10.0) -> Check:
        monkeypatch.setattr(doctor, "CHECKS", [("x", look, timeout)])
        (found,) = checks()
        return found

    return check


def test_a_check_that_raises_is_a_finding(one_check: OneCheck) -> None:
    def broken() -> Finding:
        raise RuntimeError("driver\nfell over")

    check = one_check(broken)
    assert (check.state, check.why) == ("fail", "RuntimeError: driver fell over")
    assert check.remedy
    assert one_check(broken, None) == check


def test_a_missing_package_is_a_finding(one_check: OneCheck, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    assert one_check(machine.video).remedy == REINSTALL


def test_a_hanging_check_is_abandoned(one_check: OneCheck) -> None:
    let_go = threading.Event()

    def hangs() -> Finding:
        let_go.wait()
        return "ok", "at last", ""

    check = one_check(hangs, timeout=0.01)
    let_go.set()
    assert check.state == "fail" and check.why == "no answer within 0.01 s"


@pytest.mark.parametrize(
    ("version", "state"), [((3, 10), "fail"), ((3, 11), "ok"), ((3, 14), "ok"), ((3, 15), "fail")]
)
def test_python_versions_with_wheels_pass(
    version: tuple[int, int], state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "version_info", (*version, 0))
    assert machine.python()[0] == state


def test_empty_folders_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path)
    for name in ("shaders/filters/a.fs", "presets/b.toml", "demo/track.opus"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    assert machine.shipped()[:2] == ("fail", f"nothing in setlists of {tmp_path}")
    (tmp_path / "setlists").mkdir()
    (tmp_path / "setlists" / "c.toml").touch()
    assert machine.shipped() == ("ok", "1 shader, 1 preset, 1 setlist, the demo track", "")


@pytest.mark.parametrize(("renderer", "state"), [("llvmpipe", "warn"), ("Apple M2", "ok")])
def test_software_rendering_is_a_warning(renderer: str, state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    info = {"GL_RENDERER": renderer, "GL_VENDOR": "", "GL_VERSION": "4.5"}
    fake = SimpleNamespace(info=info, release=lambda: None)
    monkeypatch.setattr(context, "headless", lambda: fake)
    assert devices.opengl()[0] == state


def test_missing_opengl_says_why_and_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise context.GLError("no OpenGL 4.1 without a window: no libEGL; install a driver")

    monkeypatch.setattr(context, "headless", none)
    assert devices.opengl() == ("fail", "no OpenGL 4.1 without a window: no libEGL", "install a driver")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="DISPLAY is an affair of X11 and Wayland")
def test_without_a_display_the_show_becomes_a_video(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    glfw.terminate()  # it may keep a desktop from before
    state, why, remedy = devices.display()
    assert state == "warn" and "video" in why and "--headless" in remedy


def test_a_machine_without_portaudio_gets_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sounddevice.py").write_text("raise OSError('PortAudio library not found')\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    state, why, remedy = devices.sound()
    assert (state, why) == ("fail", "PortAudio library not found")
    assert "libportaudio2" in remedy or not sys.platform.startswith("linux")


def test_devices_are_listed_by_kind_and_a_failing_kind_is_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = [
        audio.AudioDevice(0, "room", "ALSA", 2, 0, 48000),
        audio.AudioDevice(1, "hall", "ALSA", 1, 8, 48000),
    ]
    monkeypatch.setattr(audio, "audio_devices", lambda: there)
    monkeypatch.setitem(sys.modules, "mido", None)
    monkeypatch.setattr(window, "displays", lambda: ["beamer"])
    monkeypatch.setattr(gamepads, "gamepad_names", lambda: ["Xbox 360"])
    monkeypatch.setattr(camera, "cameras", lambda: {"/dev/video0": "C920"})
    monkeypatch.setattr(link, "session_found", lambda: "1 peer at 120.0 bpm")
    monkeypatch.setattr(devices, "lacking", lambda kind: "" if kind == "ndi" else "of another system")
    monkeypatch.setattr(ndi, "ndi_senders", lambda: ["DESK (out)"])
    assert devices.found() == {
        "sound inputs": ["room", "hall"],
        "sound outputs": ["hall"],
        "MIDI ports": [],
        "MIDI outputs": [],
        "Ableton Link": ["1 peer at 120.0 bpm"],
        "cameras": ["C920"],
        "NDI senders": ["DESK (out)"],
        "gamepads": ["Xbox 360"],
        "displays": ["beamer"],
    }
    assert devices.sound() == ("ok", "2 to listen to, 1 to play on: room, hall, hall", "")
    there.clear()
    assert devices.sound()[0] == "warn"


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("0.0.0.0", 0))
        yield other.getsockname()[1]


def test_a_port_of_another_program_is_a_warning(taken: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "OSC_PORT", taken)
    state, why, _ = devices.osc()
    assert state == "warn" and why.startswith(f"UDP port {taken} cannot be opened")


@pytest.mark.parametrize(("free", "state"), [(0.4, "fail"), (4.0, "warn"), (50.0, "ok")])
def test_the_disk_check_warns_about_little_space(
    free: float, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "output", lambda: tmp_path / "not" / "there")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(0, 0, free * machine.GIB))
    assert machine.disk()[:2] == (state, f"{free:.1f} GiB free in {tmp_path}")


def test_folders_that_cannot_be_written_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(paths, "user_data", lambda: tmp_path / "file" / "perform")
    monkeypatch.setattr(paths, "user_cache", lambda: tmp_path / "not yet there")
    state, why, _ = machine.folders()
    assert (state, why) == ("fail", f"cannot write to {tmp_path / 'file' / 'perform'}")
    assert [one.name for one in tmp_path.iterdir()] == ["file"]


class TwoGpus:
    """A CUDA driver that sees two devices."""

    def cuInit(self, flags: int) -> int:  # noqa: N802 - the driver's name
        return flags

    def cuDeviceGetCount(self, count: Any) -> int:  # noqa: N802
        cast(count, POINTER(c_int))[0] = 2
        return 0


def test_a_gpu_that_this_pytorch_cannot_use_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(machine, "CDLL", lambda name: TwoGpus())
    monkeypatch.setattr(metadata, "version", lambda _: "2.13.0+cpu")
    state, why, remedy = machine.accelerator()
    assert (state, why) == ("warn", "2 CUDA device(s), which PyTorch 2.13.0+cpu cannot use")
    assert "docs/troubleshooting.md" in remedy


def test_no_gpu_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")

    def missing(name: str) -> None:
        raise OSError(f"{name}: no such file")

    monkeypatch.setattr(machine, "CDLL", missing)
    assert machine.accelerator()[0] == "ok"


class NoStream:
    """A bridge that stays on the card, as far as the doctor sees."""

    name, direct = "buffer", True

    def close(self) -> None: ...


@pytest.mark.parametrize("direct", [True, False])
def test_the_bridge_to_the_textures_is_named_with_what_the_others_lack(
    monkeypatch: pytest.MonkeyPatch, direct: bool
) -> None:
    monkeypatch.setattr(machine, "_cuda_devices", lambda: 1)
    monkeypatch.setattr(machine, "_cuda", lambda _count: ("ok", "CUDA 13", ""))
    monkeypatch.setattr("perform.networks.devices.cuda_device", lambda: 0)
    monkeypatch.setattr(NoStream, "direct", direct)
    made = Bridges([NoStream()], {"texture": "cudaGraphicsGLRegisterImage: cudaErrorUnknown"})  # type: ignore[list-item]
    monkeypatch.setattr("perform.render.bridges.opening.open_bridges", lambda _context: made)
    state, why, remedy = machine.bridge()
    assert why == "buffer; no texture: cudaGraphicsGLRegisterImage: cudaErrorUnknown"
    assert (state, bool(remedy)) == (("ok", False) if direct else ("warn", True))


def test_without_cuda_pictures_are_uploaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_cuda_devices", lambda: 0)
    assert machine.bridge() == ("ok", "no CUDA device that PyTorch can use: pictures are uploaded", "")


@pytest.mark.parametrize("kind", sharing.KINDS)
def test_a_way_to_share_pictures_is_there_or_says_why_not(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setattr(sys, "platform", sharing.KINDS[kind].systems[0])
    monkeypatch.setattr(sharing, "version", lambda _kind: "9.9")
    monkeypatch.setattr(shared_checks, "version", lambda _kind: "9.9")
    state, why, _ = shared_checks.shared(kind)
    assert state == "ok"
    if kind == "v4l2":
        assert why.startswith("/dev/video") or "sudo modprobe v4l2loopback" in why
    else:
        assert why == f"{sharing.KINDS[kind].library} 9.9: perform play --share {kind}:NAME"
    monkeypatch.setattr(sys, "platform", "plan9")
    assert shared_checks.shared(kind)[1].startswith(f"{sharing.KINDS[kind].title} is of ")
