"""v4l2loopback: a device of Linux that other programs open as a camera, filled with the show's picture.

The kernel's module makes the device (`modprobe v4l2loopback`); no library is needed. The structures and
numbers are those of <linux/videodev2.h>, described in the kernel's "Video for Linux API".
"""

from __future__ import annotations

import ctypes
import errno
import os
from pathlib import Path

from perform.arrays import Pixels
from perform.outputs.bt709 import converted, video_frame

DRIVER = b"v4l2 loopback"
CAN_OUTPUT, HAS_OWN_CAPABILITIES = 0x2, 0x80000000  # bits of capabilities: of a device, of this node of it
OUTPUT = 2  # the type of buffer that a program fills
YUYV = int.from_bytes(b"YUYV", "little")  # two pixels in four bytes: every program takes it from a camera
PROGRESSIVE = 1  # V4L2_FIELD_NONE
REC709, MATRIX_709, LIMITED_RANGE = 3, 2, 2  # colour space, matrix and range


class Capability(ctypes.Structure):
    """struct v4l2_capability."""

    _fields_ = (
        ("driver", ctypes.c_char * 16),
        ("card", ctypes.c_char * 32),
        ("bus_info", ctypes.c_char * 32),
        ("version", ctypes.c_uint32),
        ("capabilities", ctypes.c_uint32),
        ("device_caps", ctypes.c_uint32),
        ("reserved", ctypes.c_uint32 * 3),
    )


class PixFormat(ctypes.Structure):
    """struct v4l2_pix_format."""

    _fields_ = tuple(
        (name, ctypes.c_uint32)
        for name in (
            "width", "height", "pixelformat", "field", "bytesperline", "sizeimage", "colorspace", "priv",
            "flags", "ycbcr_enc", "quantization", "xfer_func",
        )
    )  # fmt: skip


class _Formats(ctypes.Union):
    """The union within struct v4l2_format; a pointer in another of its members aligns it."""

    _fields_ = (("pix", PixFormat), ("raw_data", ctypes.c_uint8 * 200), ("pointer", ctypes.c_void_p))


class Format(ctypes.Structure):
    """struct v4l2_format."""

    _fields_ = (("type", ctypes.c_uint32), ("fmt", _Formats))


def _request(number: int, structure: type[ctypes.Structure], write: bool) -> int:
    """The number of an ioctl that reads, and perhaps writes, a structure (asm-generic/ioctl.h)."""
    return (2 | write) << 30 | ctypes.sizeof(structure) << 16 | ord("V") << 8 | number


QUERYCAP = _request(0, Capability, write=False)
SET_FORMAT = _request(5, Format, write=True)


class V4l2Sender:
    """A device of v4l2loopback, by its path, filled with pictures in YUYV of BT.709."""

    def __init__(self, name: str, size: tuple[int, int], fps: float) -> None:
        self._file = os.open(name, os.O_RDWR | os.O_CLOEXEC)
        try:
            _check_output(self._file)
            _set_format(self._file, size)
        except BaseException:
            os.close(self._file)
            raise

    def send(self, pixels: Pixels) -> None:
        """Write a picture: the driver copies it, and each reader takes the newest."""
        data = converted(video_frame(pixels), "yuyv422").to_ndarray().tobytes()
        if os.write(self._file, data) != len(data):
            raise OSError(errno.EIO, "the device took a part of a picture")

    def receivers(self) -> int | None:
        """The driver does not tell."""
        return None

    def close(self) -> None:
        """Close the device: readers then see what the driver shows without a sender."""
        os.close(self._file)


def loopbacks() -> list[str]:
    """The paths of the devices of v4l2loopback."""
    return [str(path) for path in sorted(Path("/dev").glob("video*")) if _driver(path) == DRIVER]


def _driver(path: Path) -> bytes:
    """The name of a device's driver; empty if it cannot be asked."""
    try:
        file = os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return bytes(_capability(file).driver)
    except OSError:
        return b""
    finally:
        os.close(file)


def _check_output(file: int) -> None:
    try:
        found = _capability(file)
    except OSError as error:
        raise OSError("it is no video device") from error
    own = found.capabilities & HAS_OWN_CAPABILITIES
    if not (found.device_caps if own else found.capabilities) & CAN_OUTPUT:
        raise OSError(f"{found.card.decode(errors='replace')} takes no pictures, must be of v4l2loopback")


def _capability(file: int) -> Capability:
    import fcntl

    found = Capability()
    fcntl.ioctl(file, QUERYCAP, found)
    return found


def _set_format(file: int, size: tuple[int, int]) -> None:
    """Ask for pictures of `size`. Raises OSError if the driver keeps another format, as while somebody
    reads."""
    import fcntl

    width, height = size
    wanted = Format(type=OUTPUT)
    wanted.fmt.pix = PixFormat(
        width=width, height=height, pixelformat=YUYV, field=PROGRESSIVE,
        bytesperline=2 * width, sizeimage=2 * width * height,
        colorspace=REC709, ycbcr_enc=MATRIX_709, quantization=LIMITED_RANGE,
    )  # fmt: skip
    fcntl.ioctl(file, SET_FORMAT, wanted)
    got = wanted.fmt.pix
    if (got.width, got.height, got.pixelformat, got.sizeimage) != (width, height, YUYV, 2 * width * height):
        kind = got.pixelformat.to_bytes(4, "little").decode("ascii", "replace")
        raise OSError(
            f"the device stays at {got.width}x{got.height} {kind}: end the programs that read it, "
            f"or play at that size"
        )
