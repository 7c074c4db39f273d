"""Pictures of other programs: NDI with its real library on this machine, Spout and Syphon on doubles."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import pytest

from perform.arrays import Pixels
from perform.inputs import CameraDevice
from perform.inputs import sharing as inputs
from perform.inputs.camera import Camera, Cameras
from perform.inputs.sharing import RECEIVERS, ndi, open_receiver, sender_of, shared_kind
from perform.inputs.sharing import spout as spout_input
from perform.inputs.sharing import syphon as syphon_input
from tests.doubles.sharing import NdiSource, SpoutBus, SyphonMachine, corners, need, quarters
from tests.doubles.waiting import eventually

SIZE = 320, 180


class Program(Protocol):
    """Another program that sends."""

    def send(self, pixels: Pixels) -> None: ...

    def close(self) -> None: ...


@dataclass
class Way:
    """How a program of a test begins to send, the name by which it is found, and the names that are there."""

    kind: str
    name: str
    begin: Callable[[], Program]
    senders: Callable[[], list[str]]
    off: int = 0  # of 255 that colours may differ

    def open(self) -> CameraDevice:
        return open_receiver(f"{self.kind}:{self.name}")


def with_ndi(patch: pytest.MonkeyPatch, folder: Path) -> Way:
    need("ndi")
    name = f"from {folder.name} {os.getpid()}"
    return Way("ndi", name, lambda: NdiSource(name, SIZE), ndi.ndi_senders, 16)


class SpoutProgram:
    def __init__(self, bus: SpoutBus) -> None:
        self.bus, self.count = bus, 0

    def send(self, pixels: Pixels) -> None:
        self.count += 1
        opaque = np.dstack((pixels, np.full(pixels.shape[:2], 255, np.uint8)))
        self.bus.senders["Arena of a test"] = opaque, self.count

    def close(self) -> None:
        self.bus.senders.clear()


def with_spout(patch: pytest.MonkeyPatch, folder: Path) -> Way:
    bus = SpoutBus()
    patch.setattr(sys, "platform", "win32")
    patch.setattr("perform.sharing.version", lambda _kind: "0.1.1")
    patch.setitem(sys.modules, "SpoutGL", bus.module())
    return Way("spout", "arena", lambda: SpoutProgram(bus), spout_input.spout_senders)


class SyphonProgram:
    def __init__(self, mac: SyphonMachine) -> None:
        self.mac, self.count = mac, 0
        mac.servers["Test output"] = None, 0

    def send(self, pixels: Pixels) -> None:
        self.count += 1
        bgra = np.dstack((pixels[..., ::-1], np.full(pixels.shape[:2], 255, np.uint8)))
        self.mac.servers["Test output"] = bgra[::-1], self.count

    def close(self) -> None:
        self.mac.servers.clear()


def with_syphon(patch: pytest.MonkeyPatch, folder: Path) -> Way:
    mac = SyphonMachine()
    patch.setattr(sys, "platform", "darwin")
    patch.setattr("perform.sharing.version", lambda _kind: "0.1.1")
    for name, module in mac.modules().items():
        patch.setitem(sys.modules, name, module)
    return Way("syphon", "test", lambda: SyphonProgram(mac), syphon_input.syphon_senders)


WAYS = {"ndi": with_ndi, "spout": with_spout, "syphon": with_syphon}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Way:
    return WAYS[request.param](monkeypatch, tmp_path)


@pytest.fixture
def program(way: Way) -> Iterator[Program]:
    begun = way.begin()
    begun.send(quarters(SIZE))
    yield begun
    begun.close()


def near(seen: Pixels, sent: Pixels, off: int) -> bool:
    return seen.shape[:2] == sent.shape[:2] and bool(
        np.abs(np.subtract(corners(seen), corners(sent))).max() <= off
    )


def opened(way: Way) -> CameraDevice:
    """The receiver, as soon as the sender is found."""
    found: list[CameraDevice] = []

    def found_it() -> bool:
        with suppress(LookupError):
            found.append(way.open())
        return bool(found)

    eventually(found_it, "the sender")
    return found[0]


def test_every_receiver_is_in_this_suite() -> None:
    modules = {path.stem for path in Path(inputs.__file__).parent.glob("[!_]*.py")}
    assert modules == WAYS.keys() == RECEIVERS.keys()


def test_a_picture_arrives_upright_and_in_its_colours(way: Way, program: Program) -> None:
    device, sent = opened(way), quarters(SIZE)
    program.send(sent)
    seen: list[Pixels] = []

    def arrived() -> bool:
        seen.append(device.read()[0])
        return near(seen[-1], sent, way.off)

    eventually(arrived, "the picture", lambda: program.send(sent))
    assert seen[-1].flags.c_contiguous
    assert seen[-1].dtype == np.uint8
    device.close()


def test_a_sender_that_shows_a_still_is_there(way: Way, program: Program) -> None:
    device = opened(way)
    program.send(quarters(SIZE))
    seen = [device.read()[0] for _ in range(4)]
    assert near(seen[-1], quarters(SIZE), way.off)
    device.close()


def test_a_sender_that_has_gone_is_an_error_and_comes_back(way: Way) -> None:
    program = way.begin()
    program.send(quarters(SIZE))
    device = opened(way)
    program.send(quarters(SIZE))
    device.read()
    program.close()
    with pytest.raises(OSError, match="the sender has gone"):
        for _ in range(40):  # the last picture counts for a while
            device.read()
    device.close()
    eventually(lambda: not any(way.name in one.casefold() for one in way.senders()), "its end")
    with pytest.raises(LookupError, match="there is no such sender"):
        way.open()
    back, sent = way.begin(), quarters(SIZE)[::-1].copy()
    back.send(sent)
    device = opened(way)
    eventually(lambda: near(device.read()[0], sent, way.off), "the picture", lambda: back.send(sent))
    device.close()
    back.close()


def test_a_sender_is_found_by_a_part_of_its_name() -> None:
    there = ["DESK (out)", "LAPTOP (Stage Left)", "LAPTOP (Stage)"]
    assert sender_of("stage", there) == "LAPTOP (Stage Left)"
    assert sender_of("LAPTOP (Stage)", there) == "LAPTOP (Stage)"
    assert sender_of("", there) == "DESK (out)"
    with pytest.raises(LookupError, match=r"no such sender \(there are: DESK \(out\), LAPTOP"):
        sender_of("projector", there)


def test_names_of_senders_are_not_those_of_cameras() -> None:
    assert [shared_kind(name) for name in ("ndi:x", "syphon:", "spout: a:b")] == ["ndi", "syphon", "spout"]
    assert [shared_kind(name) for name in ("", "ndi", "0", "/dev/video0", "USB: camera")] == [""] * 5


def test_without_the_library_a_receiver_waits_and_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("perform.sharing.version", lambda _kind: "")
    camera = Camera("ndi:stage")
    eventually(lambda: "pip install 'perform-live[ndi]'" in camera.health().detail)
    assert (camera.health().state, camera.name) == ("waiting", "ndi:stage")
    camera.close()


def test_a_show_has_the_signals_of_its_usual_camera() -> None:
    class Grey:
        def __init__(self, value: int) -> None:
            self.value = value

        def read(self) -> tuple[Pixels, float]:
            return np.full((16, 16, 3), self.value, np.uint8), 0.0

        def close(self) -> None: ...

    cameras = Cameras(lambda: 9.0, "usual", lambda name: Grey(255 if name == "usual" else 0))
    try:
        for name in ("ndi:stage", "usual"):
            eventually(lambda name=name: cameras.camera(name).newest, name)  # type: ignore[misc]
        (level, *_) = cameras.poll(9.0)
        assert (level.name, level.value) == ("camera.level", 1.0)
    finally:
        cameras.close()


def test_two_threads_that_begin_together_both_have_the_whole_library() -> None:
    need("ndi")
    text = (
        "import sys, threading; sys.setswitchinterval(1e-6)\n"
        "from perform.inputs.sharing.ndi import _finder\n"
        "from perform.outputs.sharing.ndi import NdiSender\n"
        "done, ready = [], threading.Barrier(2)\n"
        "def run(work):\n"
        "    ready.wait(); done.append(work())\n"
        "works = _finder, lambda: NdiSender(f'both {sys.argv[1]}', (64, 36), 30)\n"
        "threads = [threading.Thread(target=run, args=(one,)) for one in works]\n"
        "[one.start() for one in threads], [one.join() for one in threads]\n"
        "sys.exit(len(done) != 2)"
    )
    done = subprocess.run([sys.executable, "-c", text, str(os.getpid())], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_no_library_is_imported_before_somebody_asks_for_it() -> None:
    text = (
        "import sys; import perform.show; from perform.inputs.sharing import ndi, spout, syphon; "
        "sys.exit(any(one in sys.modules for one in ('cyndilib', 'SpoutGL', 'syphon')))"
    )
    assert subprocess.run([sys.executable, "-c", text]).returncode == 0
