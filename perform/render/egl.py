"""The devices of EGL, and which of them is a device of CUDA: a picture can stay on a card only if the same
card draws it (EGL_EXT_device_enumeration, EGL_EXT_device_query, EGL_NV_device_cuda)."""

from __future__ import annotations

import ctypes
from typing import Any

CUDA_DEVICE = 0x323A  # EGL_CUDA_DEVICE_NV
MOST_DEVICES = 32


def device_of(cuda: int, egl: Any = None) -> int | None:
    """The number of the device of EGL that is this device of CUDA; None if none says so. `egl` is for
    tests."""
    devices = cuda_devices(egl)
    return devices.index(cuda) if cuda in devices else None


def cuda_devices(egl: Any = None) -> list[int | None]:
    """Of each device of EGL the number that it has in CUDA, None for one that CUDA does not know. Empty if
    EGL cannot be asked."""
    try:
        library = egl or ctypes.CDLL("libEGL.so.1")
    except OSError:
        return []
    query = _function(library, b"eglQueryDevicesEXT")
    attribute = _function(library, b"eglQueryDeviceAttribEXT")
    found, count = (ctypes.c_void_p * MOST_DEVICES)(), ctypes.c_int()
    if not query or not attribute or not query(MOST_DEVICES, found, ctypes.byref(count)):
        return []
    return [_cuda_of(attribute, device) for device in found[: count.value]]


def _cuda_of(attribute: Any, device: int | None) -> int | None:
    number = ctypes.c_ssize_t(-1)
    told = attribute(ctypes.c_void_p(device), CUDA_DEVICE, ctypes.byref(number))
    return number.value if told and number.value >= 0 else None


def _function(library: Any, name: bytes) -> Any:
    """A function of an extension that returns a Boolean; None if the library does not have it."""
    find = library.eglGetProcAddress
    find.restype, find.argtypes = ctypes.c_void_p, [ctypes.c_char_p]
    address = find(name)
    return ctypes.CFUNCTYPE(ctypes.c_uint)(address) if address else None
