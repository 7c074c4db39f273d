"""The other side of shared pictures: NDI for real, and doubles of Spout, Syphon and v4l2loopback that follow
their documentation."""

from __future__ import annotations

import os
import struct
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from perform import sharing
from perform.arrays import Pixels


def need(kind: str) -> None:
    """Skip the test if the library of a kind is missing; where everything is to be there, fail."""
    if missing := sharing.lacking(kind):
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)


def quarters(size: tuple[int, int]) -> Pixels:
    """Red and green above blue and white."""
    width, height = size
    pixels = np.zeros((height, width, 3), np.uint8)
    pixels[: height // 2, : width // 2] = (255, 0, 0)
    pixels[: height // 2, width // 2 :] = (0, 255, 0)
    pixels[height // 2 :, : width // 2] = (0, 0, 255)
    pixels[height // 2 :, width // 2 :] = (255, 255, 255)
    return pixels


def corners(pixels: Pixels) -> list[list[int]]:
    """The colours in the middles of the four quarters, row by row."""
    height, width = pixels.shape[:2]
    places = [(y * height // 4, x * width // 4) for y in (1, 3) for x in (1, 3)]
    return [[int(one) for one in pixels[place][:3]] for place in places]


class NdiProgram:
    """Another program that receives a source of NDI, with the real library, on loopback."""

    def __init__(self, name: str) -> None:
        from cyndilib.finder import Finder
        from cyndilib.receiver import Receiver
        from cyndilib.video_frame import VideoFrameSync
        from cyndilib.wrapper.ndi_recv import RecvBandwidth, RecvColorFormat

        self._name, self._finder, self.frame = name, Finder(), VideoFrameSync()
        self._receiver = Receiver(
            color_format=RecvColorFormat.RGBX_RGBA, bandwidth=RecvBandwidth.highest, recv_name="a test"
        )
        self._receiver.frame_sync.set_video_frame(self.frame)
        self._connected = False

    def there(self) -> str:
        """The full name of the source; empty if it is not there."""
        names = self._finder.update_sources()
        return next((name for name in names if name.endswith(f"({self._name})")), "")

    def look(self) -> Pixels | None:
        """The newest picture, None before the first."""
        if not self._connected:
            if found := self.there():
                self._receiver.set_source(self._finder.get_source(found))
                self._connected = True
            return None
        self._receiver.frame_sync.capture_video()
        if not self.frame.xres:
            return None
        rows = self.frame.get_array().reshape(self.frame.yres, self.frame.get_line_stride())
        return rows[:, : 4 * self.frame.xres].reshape(self.frame.yres, self.frame.xres, 4)

    def close(self) -> None:
        self._receiver.set_source(None)


class NdiSource:
    """Another program that sends, with the real library, on loopback."""

    def __init__(self, name: str, size: tuple[int, int]) -> None:
        from cyndilib.sender import Sender
        from cyndilib.video_frame import VideoSendFrame
        from cyndilib.wrapper.ndi_structs import FourCC

        frame = VideoSendFrame()
        frame.set_resolution(*size)
        frame.set_fourcc(FourCC.RGBX)
        self._sender = Sender(name, clock_video=False, clock_audio=False)
        self._sender.set_video_frame(frame)
        self._sender.open()

    def send(self, pixels: Pixels) -> None:
        self._sender.write_video(np.dstack((pixels, np.full(pixels.shape[:2], 255, np.uint8))).reshape(-1))

    def close(self) -> None:
        self._sender.close()


@dataclass
class SpoutBus:
    """The senders of Spout on one machine: their pictures RGBA, top row first, and how many were sent."""

    senders: dict[str, tuple[Pixels, int]] = field(default_factory=dict)

    def module(self) -> ModuleType:
        """The module SpoutGL, as Python-SpoutGL 0.1.1 declares it. OpenGL is of one thread."""
        made = ModuleType("SpoutGL")
        made.SpoutSender = lambda: _SpoutSender(self)  # type: ignore[attr-defined]
        made.SpoutReceiver = lambda: _SpoutReceiver(self)  # type: ignore[attr-defined]
        return made


class _SpoutUnit:
    def __init__(self, bus: SpoutBus) -> None:
        self.bus, self.thread, self.name = bus, 0, ""

    def createOpenGL(self) -> bool:  # noqa: N802 - as the library has it
        self.thread = threading.get_ident()
        return True

    def closeOpenGL(self) -> bool:  # noqa: N802
        self.check()
        self.thread = 0
        return True

    def check(self) -> None:
        assert self.thread == threading.get_ident(), "OpenGL of another thread"


class _SpoutSender(_SpoutUnit):
    def setSenderName(self, name: str) -> None:  # noqa: N802
        self.name = name

    def sendImage(self, pixels: Any, width: int, height: int, format: int, invert: bool, fbo: int) -> bool:  # noqa: N802
        self.check()
        data = memoryview(pixels)
        if not data.c_contiguous or data.nbytes < width * height * 4:
            raise BufferError("Buffer not large enough")
        assert (format, fbo) == (0x1908, 0)
        rows = np.frombuffer(data, np.uint8).reshape(height, width, 4)
        count = self.bus.senders.get(self.name, (rows, 0))[1]
        self.bus.senders[self.name] = (rows[::-1] if invert else rows).copy(), count + 1
        return True

    def setFrameSync(self, name: str) -> None:  # noqa: N802
        assert name == self.name

    def releaseSender(self) -> None:  # noqa: N802
        self.check()
        self.bus.senders.pop(self.name, None)


class _SpoutReceiver(_SpoutUnit):
    """`receiveImage` updates it when a sender appears or changes its size, and later fills the buffer."""

    def __init__(self, bus: SpoutBus) -> None:
        super().__init__(bus)
        self.size: tuple[int, int] | None = None
        self.updated = self.new = False
        self.count = 0

    def setReceiverName(self, name: str) -> None:  # noqa: N802
        self.name = name

    def receiveImage(self, buffer: Any, format: int, invert: bool, fbo: int) -> bool:  # noqa: N802
        self.check()
        self.updated = self.new = False
        if self.name not in self.bus.senders:
            self.size = None
            return False
        rows, count = self.bus.senders[self.name]
        size = rows.shape[1], rows.shape[0]
        if size != self.size:
            self.size, self.updated = size, True
            return True
        if buffer is not None and memoryview(buffer).nbytes:
            data = memoryview(buffer)
            if not data.c_contiguous or data.nbytes < size[0] * size[1] * 4:
                raise BufferError("Buffer not large enough")
            np.frombuffer(data, np.uint8).reshape(rows.shape)[:] = rows[::-1] if invert else rows
            self.new, self.count = count != self.count, count
        return True

    def isUpdated(self) -> bool:  # noqa: N802
        return self.updated

    def isFrameNew(self) -> bool:  # noqa: N802
        return self.new

    def getSenderWidth(self) -> int:  # noqa: N802
        return self.size[0] if self.size else 0

    def getSenderHeight(self) -> int:  # noqa: N802
        return self.size[1] if self.size else 0

    def getSenderList(self) -> list[str]:  # noqa: N802
        return list(self.bus.senders)

    def releaseReceiver(self) -> None:  # noqa: N802
        self.check()


class _MetalTexture:
    """RGBA or BGRA, 8 bits, top row first."""

    def __init__(self, width: int, height: int, bgra: bool = False) -> None:
        self.rows, self.bgra = np.zeros((height, width, 4), np.uint8), bgra

    def width(self) -> int:
        return self.rows.shape[1]

    def height(self) -> int:
        return self.rows.shape[0]

    def pixelFormat(self) -> int:  # noqa: N802 - as Metal has it
        return 80 if self.bgra else 70


@dataclass
class SyphonMachine:
    """The servers of Syphon on one Mac: what they published last (BGRA, the bottom row first, as its surfaces
    are), and how many."""

    servers: dict[str, tuple[Pixels | None, int]] = field(default_factory=dict)

    def modules(self) -> dict[str, ModuleType]:
        """The modules of syphon-python 0.1.1 and newer."""
        syphon, utils, raw = (ModuleType(name) for name in ("syphon", "syphon.utils", "syphon.utils.raw"))
        syphon.SyphonMetalServer = lambda name: _SyphonServer(self, name)  # type: ignore[attr-defined]
        syphon.SyphonMetalClient = lambda found: _SyphonClient(self, found)  # type: ignore[attr-defined]
        syphon.SyphonServerDirectory = lambda: _SyphonDirectory(self)  # type: ignore[attr-defined]
        raw.create_mtl_texture = lambda _device, width, height: _MetalTexture(width, height)  # type: ignore[attr-defined]
        raw.copy_bytes_to_mtl_texture = _fill  # type: ignore[attr-defined]
        raw.copy_mtl_texture_to_bytes = lambda texture: texture.rows.tobytes()  # type: ignore[attr-defined]
        return {module.__name__: module for module in (syphon, utils, raw)}


def _fill(data: bytes, texture: _MetalTexture) -> None:
    assert isinstance(data, bytes)
    texture.rows[:] = np.frombuffer(data, np.uint8).reshape(texture.rows.shape)


class _SyphonServer:
    def __init__(self, machine: SyphonMachine, name: str) -> None:
        self.machine, self.name, self.device = machine, name, object()
        machine.servers[name] = (None, 0)

    def publish_frame_texture(self, texture: _MetalTexture, is_flipped: bool = False) -> None:
        rows = texture.rows[..., [2, 1, 0, 3]]
        count = self.machine.servers[self.name][1]
        self.machine.servers[self.name] = (rows[::-1] if is_flipped else rows).copy(), count + 1

    def stop(self) -> None:
        self.machine.servers.pop(self.name, None)


@dataclass
class _SyphonDescription:
    name: str
    app_name: str = "Simple Server"


class _SyphonDirectory:
    """Its list is that of the last turn of the run loop."""

    def __init__(self, machine: SyphonMachine) -> None:
        self.machine, self.run_loop_interval = machine, 1.0

    def update_run_loop(self) -> None:
        """Lets the system tell of servers, for `run_loop_interval` seconds."""

    @property
    def servers(self) -> list[_SyphonDescription]:
        assert self.run_loop_interval <= 0.2, "a second for each look"
        return [_SyphonDescription(name) for name in self.machine.servers]


class _SyphonClient:
    def __init__(self, machine: SyphonMachine, found: _SyphonDescription) -> None:
        self.machine, self.name, self.count, self.stopped = machine, found.name, 0, False

    @property
    def is_valid(self) -> bool:
        return not self.stopped and self.name in self.machine.servers

    @property
    def has_new_frame(self) -> bool:
        return self.machine.servers.get(self.name, (None, 0))[1] != self.count

    @property
    def new_frame_image(self) -> _MetalTexture | None:
        rows, self.count = self.machine.servers.get(self.name, (None, 0))
        if rows is None:
            return None
        texture = _MetalTexture(rows.shape[1], rows.shape[0], bgra=True)
        texture.rows[:] = rows
        return texture

    def stop(self) -> None:
        self.stopped = True


class Loopback:
    """A device of v4l2loopback as a file, whose driver answers ioctls by the bytes of <linux/videodev2.h> on
    machines of 64 bits. `kept` is a format (width, height) that a reader holds."""

    QUERYCAP, SET_FORMAT = 0x80685600, 0xC0D05605

    def __init__(self, path: Path) -> None:
        self.path, self.size, self.kept = path, (0, 0), None
        self.capabilities = 0x85200003  # capture, output, read/write, streaming, of this node
        path.write_bytes(b"")

    def ioctl(self, file: int, request: int, argument: Any) -> int:
        data = memoryview(argument).cast("B")
        if request == self.QUERYCAP:
            names = (b"v4l2 loopback", b"perform", b"platform:v4l2loopback-000")
            node = self.capabilities & 0x7FFFFFFF
            data[:] = struct.pack("16s32s32s3I12x", *names, 0x61200, self.capabilities, node)
            return 0
        assert request == self.SET_FORMAT
        kind, width, height, pixels, field, line, image, colours = struct.unpack_from("I4x7I", data)
        assert (kind, pixels, field) == (2, 0x56595559, 1), "not an output of progressive YUYV"
        assert (line, image, colours) == (2 * width, 2 * width * height, 3)
        self.size = self.kept or (width, height)
        width, height = self.size
        struct.pack_into("I4x7I", data, 0, kind, width, height, pixels, 1, 2 * width, 2 * width * height, 3)
        return 0

    def look(self) -> Pixels | None:
        """The newest picture that was written, None before the first."""
        width, height = self.size
        data, length = self.path.read_bytes(), 2 * width * height
        if not length or len(data) < length:
            return None
        newest = np.frombuffer(data[len(data) // length * length - length :][:length], np.uint8)
        frame = av.VideoFrame.from_ndarray(newest.reshape(height, width, 2), "yuyv422")
        return frame.reformat(
            format="rgb24", src_colorspace=Colorspace.ITU709, src_color_range=ColorRange.MPEG
        ).to_ndarray()
