"""Every sender of shared pictures keeps the contract: NDI with its real library, the others on doubles."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from perform.arrays import Pixels
from perform.outputs import sharing as outputs
from perform.outputs.sharing import SENDERS, PictureSender, open_sender, v4l2
from perform.sharing import KINDS
from tests.doubles.sharing import (
    Loopback,
    NdiProgram,
    SpoutBus,
    SyphonMachine,
    corners,
    need,
    quarters,
)
from tests.doubles.waiting import eventually, needs

SIZE = 320, 180


@dataclass
class Way:
    """A sender, and what another program sees of it."""

    sender: PictureSender
    look: Callable[[], Pixels | None]
    others: Callable[[], object]  # whether other programs find it
    tells: bool = False  # whether it tells how many receive
    off: int = 2  # of 255 that colours may differ


def ndi(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[Way]:
    need("ndi")
    name = f"senders {os.getpid()} {folder.name}"  # an earlier receiver would come back to its own
    program = NdiProgram(name)
    yield Way(open_sender("ndi", name, SIZE, 30), program.look, program.there, tells=True, off=16)
    program.close()


def device(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[Way]:
    fcntl = pytest.importorskip("fcntl", reason="devices are of Unix")
    loopback = Loopback(folder / "video10")
    patch.setattr(fcntl, "ioctl", loopback.ioctl)
    sender = open_sender("v4l2", str(loopback.path), SIZE, 30)
    yield Way(sender, loopback.look, lambda: loopback.size == SIZE, off=6)


def spout(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[Way]:
    bus = SpoutBus()
    patch.setitem(sys.modules, "SpoutGL", bus.module())

    def look() -> Pixels | None:
        return bus.senders["perform"][0] if bus.senders else None

    yield Way(open_sender("spout", "perform", SIZE, 30), look, lambda: "perform" in bus.senders)


def syphon(patch: pytest.MonkeyPatch, folder: Path) -> Iterator[Way]:
    mac = SyphonMachine()
    for name, module in mac.modules().items():
        patch.setitem(sys.modules, name, module)

    def look() -> Pixels | None:
        surface = mac.servers["perform"][0]
        return None if surface is None else surface[::-1, :, [2, 1, 0]]

    yield Way(open_sender("syphon", "perform", SIZE, 30), look, lambda: "perform" in mac.servers)


WAYS = {"ndi": ndi, "v4l2": device, "spout": spout, "syphon": syphon}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Way]:
    yield from WAYS[request.param](monkeypatch, tmp_path)


def test_every_sender_is_in_this_suite() -> None:
    modules = {path.stem for path in Path(outputs.__file__).parent.glob("[!_]*.py")}
    assert modules == WAYS.keys() == SENDERS.keys() == KINDS.keys()


def test_a_picture_arrives_upright_and_in_its_colours(way: Way) -> None:
    sent = quarters(SIZE)

    def arrived() -> bool:
        seen = way.look()
        if seen is None or seen.shape[:2] != sent.shape[:2]:
            return False
        off = np.abs(np.subtract(corners(seen), corners(sent)))
        return bool(off.max() <= way.off)

    eventually(arrived, "the picture", lambda: way.sender.send(sent))
    assert way.others()
    way.sender.close()


def test_the_newest_picture_is_the_one_that_is_seen(way: Way) -> None:
    for value in (40, 90, 200):
        picture = np.full((SIZE[1], SIZE[0], 3), value, np.uint8)

        def shows(value: int = value) -> bool:
            seen = way.look()
            return seen is not None and abs(int(seen[90, 160, 1]) - value) <= way.off

        eventually(shows, f"a picture of {value}", lambda picture=picture: way.sender.send(picture))  # type: ignore[misc]
    way.sender.close()


def test_it_tells_how_many_receive_where_the_protocol_does(way: Way) -> None:
    picture = quarters(SIZE)
    way.sender.send(picture)
    if way.tells:
        eventually(lambda: way.look() is not None, "the receiver", lambda: way.sender.send(picture))
        assert way.sender.receivers() == 1
    else:
        assert way.sender.receivers() is None
    way.sender.close()


def test_a_closed_source_of_ndi_is_gone() -> None:
    need("ndi")
    name = f"closing {os.getpid()}"
    program = NdiProgram(name)
    sender = open_sender("ndi", name, SIZE, 30)
    eventually(program.there, "the source")
    sender.close()
    sender.close()
    eventually(lambda: not program.there(), "its end")
    with pytest.raises(OSError, match="takes no pictures any more"):
        sender.send(quarters(SIZE))
    program.close()


def test_two_sources_of_ndi_cannot_have_one_name(capfd: pytest.CaptureFixture[str]) -> None:
    need("ndi")
    name = f"taken {os.getpid()}"
    first = open_sender("ndi", name, SIZE, 30)
    with pytest.raises(OSError, match=f"another program on this machine sends as '{name}'"):
        open_sender("ndi", name, SIZE, 30)
    first.close()
    open_sender("ndi", name, SIZE, 30).close()
    assert capfd.readouterr() == ("", "")


def test_two_sources_of_ndi_that_open_at_once_leave_the_program_its_voice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    need("ndi")
    from cyndilib import sender

    before, both = sys.stdout, threading.Barrier(2)

    class Slow(sender.Sender):  # type: ignore[misc] - it has no types
        def open(self) -> None:
            with suppress(threading.BrokenBarrierError):
                both.wait(0.2)
            super().open()

    monkeypatch.setattr(sender, "Sender", Slow)
    names = [f"{one} {os.getpid()}" for one in ("left", "right")]
    with ThreadPoolExecutor(2) as pool:
        opened = list(pool.map(lambda name: open_sender("ndi", name, SIZE, 30), names))
    assert both.broken, "they were never open at once"
    assert sys.stdout is before
    for one in opened:
        one.close()


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Loopback:
    fcntl = pytest.importorskip("fcntl", reason="devices are of Unix")
    made = Loopback(tmp_path / "video10")
    monkeypatch.setattr(fcntl, "ioctl", made.ioctl)
    return made


def test_the_bytes_of_a_device_are_bt_709(loopback: Loopback) -> None:
    sender = open_sender("v4l2", str(loopback.path), (2, 2), 30)
    sender.send(np.full((2, 2, 3), (255, 0, 0), np.uint8))
    sender.send(np.full((2, 2, 3), 255, np.uint8))
    sender.close()
    assert [*loopback.path.read_bytes()] == [63, 102, 63, 240] * 2 + [235, 128, 235, 128] * 2


def test_a_device_that_keeps_another_format_says_so(loopback: Loopback) -> None:
    loopback.kept = 640, 480
    with pytest.raises(OSError, match="the device stays at 640x480 YUYV: end the programs that read it"):
        open_sender("v4l2", str(loopback.path), SIZE, 30)


def test_a_camera_takes_no_pictures(loopback: Loopback) -> None:
    loopback.capabilities = 0x85200001
    with pytest.raises(OSError, match="perform takes no pictures, must be of v4l2loopback"):
        open_sender("v4l2", str(loopback.path), SIZE, 30)


def test_a_file_is_no_video_device(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"")
    with pytest.raises(OSError, match="it is no video device"):
        open_sender("v4l2", str(file), SIZE, 30)
    assert v4l2.loopbacks() == [] or all(one.startswith("/dev/video") for one in v4l2.loopbacks())


C_PROGRAM = r"""
#include <linux/videodev2.h>
#include <stddef.h>
#include <stdio.h>
int main(void) {
    printf("%zu %zu ", sizeof(struct v4l2_capability), sizeof(struct v4l2_pix_format));
    printf("%zu ", sizeof(struct v4l2_format));
    printf("%zu %zu ", offsetof(struct v4l2_capability, device_caps), offsetof(struct v4l2_format, fmt));
    printf("%zu ", offsetof(struct v4l2_pix_format, quantization));
    printf("%lu %lu ", (unsigned long)VIDIOC_QUERYCAP, (unsigned long)VIDIOC_S_FMT);
    printf("%u %u %u ", V4L2_CAP_VIDEO_OUTPUT, V4L2_CAP_DEVICE_CAPS, V4L2_BUF_TYPE_VIDEO_OUTPUT);
    printf("%u %u ", V4L2_PIX_FMT_YUYV, V4L2_FIELD_NONE);
    printf("%u %u %u\n", V4L2_COLORSPACE_REC709, V4L2_YCBCR_ENC_709, V4L2_QUANTIZATION_LIM_RANGE);
}
"""


def ours() -> list[int]:
    """What the program above prints, of our structures and numbers."""
    structures = v4l2.Capability, v4l2.PixFormat, v4l2.Format
    return [
        *map(ctypes.sizeof, structures),
        v4l2.Capability.device_caps.offset, v4l2.Format.fmt.offset, v4l2.PixFormat.quantization.offset,
        v4l2.QUERYCAP, v4l2.SET_FORMAT,
        v4l2.CAN_OUTPUT, v4l2.HAS_OWN_CAPABILITIES, v4l2.OUTPUT,
        v4l2.YUYV, v4l2.PROGRESSIVE, v4l2.REC709, v4l2.MATRIX_709, v4l2.LIMITED_RANGE,
    ]  # fmt: skip


def test_structures_and_numbers_are_those_of_the_kernel() -> None:
    if ctypes.sizeof(ctypes.c_void_p) == 8:
        assert ours() == [
            104, 48, 208, 88, 8, 40, 0x80685600, 0xC0D05605, 2, 0x80000000, 2, 0x56595559, 1, 3, 2, 2,
        ]  # fmt: skip


@pytest.mark.skipif(
    not Path("/usr/include/linux/videodev2.h").exists(), reason="no headers of the kernel here"
)
def test_the_header_of_the_kernel_has_the_same(tmp_path: Path) -> None:
    needs("gcc")
    source, program = tmp_path / "v4l2.c", tmp_path / "v4l2"
    source.write_text(C_PROGRAM)
    subprocess.run(["gcc", str(source), "-o", str(program)], check=True)
    printed = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    assert [*map(int, printed.split())] == ours()
