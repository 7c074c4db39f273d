"""The CUDA runtime as cuda-bindings has it, without a card: its memory is the machine's, and what
it writes to a resource of OpenGL is there once the resource is unmapped."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import moderngl
import numpy as np
import torch

from perform.arrays import Pixels
from perform.networks.runtimes.torch.picture import DevicePicture

cudaError_t = IntEnum(  # noqa: N816 - as the library has it
    "cudaError_t",
    {
        "cudaSuccess": 0,
        "cudaErrorInvalidValue": 1,
        "cudaErrorOperatingSystem": 304,
        "cudaErrorInvalidResourceHandle": 400,
        "cudaErrorUnknown": 999,
    },
)
cudaMemcpyKind = IntEnum("cudaMemcpyKind", {"cudaMemcpyDeviceToDevice": 3})  # noqa: N816
cudaGLDeviceList = IntEnum("cudaGLDeviceList", {"cudaGLDeviceListAll": 1})  # noqa: N816
NO_CALLS = ("cudaMemcpyKind", "cudaGLDeviceList")
OK = cudaError_t.cudaSuccess
UNKNOWN = cudaError_t.cudaErrorUnknown
Answer = tuple[Any, ...]


@dataclass(eq=False)
class Resource:
    """A texture or a buffer of OpenGL that is registered, by its number."""

    glo: int
    image: bool
    mapped: bool = False
    staging: Pixels | None = None  # what CUDA writes while it is mapped


class CudaRuntime:
    """The module cuda.bindings.runtime. `fails` are calls by name with what they return; `device` is the one
    that computes, `drawing` those that draw."""

    cudaMemcpyKind, cudaGLDeviceList = cudaMemcpyKind, cudaGLDeviceList  # noqa: N815 - as the library has it

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self.buffers: dict[int, moderngl.Buffer] = {}
        self.resources: list[Resource] = []
        self.fails: dict[str, cudaError_t] = {}
        self.device, self.drawing = 0, [0]
        self.streams = 0
        self.done: list[str] = []  # the calls, in their order

    def buffer(self, reserve: int) -> moderngl.Buffer:
        """As the context's own, so that the double knows buffers by their numbers."""
        made = self._context.buffer(reserve=reserve)
        self.buffers[made.glo] = made
        return made

    def __getattribute__(self, name: str) -> Any:
        """Calls that a test lets fail."""
        fails = object.__getattribute__(self, "__dict__").get("fails", {})
        if name in fails:
            return lambda *_arguments: (fails[name],)
        if (
            name.startswith("cuda")
            and name[4:5].isupper()
            and name not in ("cudaMemcpyKind", "cudaGLDeviceList")
        ):
            object.__getattribute__(self, "done").append(name)
        return object.__getattribute__(self, name)

    def cudaGetDevice(self) -> Answer:  # noqa: N802
        return OK, self.device

    def cudaGLGetDevices(self, count: int, devices: cudaGLDeviceList) -> Answer:  # noqa: N802
        assert devices == cudaGLDeviceList.cudaGLDeviceListAll
        return OK, len(self.drawing), self.drawing[:count] + [0] * (count - len(self.drawing))

    def cudaStreamCreateWithPriority(self, flags: int, priority: int) -> Answer:  # noqa: N802
        assert (flags, priority < 0) == (1, True)
        self.streams += 1
        return OK, f"stream {self.streams}"

    def cudaStreamDestroy(self, stream: object) -> Answer:  # noqa: N802
        self.streams -= 1
        return (OK,)

    def cudaStreamSynchronize(self, stream: object) -> Answer:  # noqa: N802
        return (OK,)

    def cudaGraphicsGLRegisterImage(self, image: int, target: int, flags: int) -> Answer:  # noqa: N802
        assert (target, flags) == (0x0DE1, 2)
        return self._register(Resource(image, image=True))

    def cudaGraphicsGLRegisterBuffer(self, buffer: int, flags: int) -> Answer:  # noqa: N802
        assert flags == 2
        return self._register(Resource(buffer, image=False))

    def cudaGraphicsUnregisterResource(self, resource: Resource) -> Answer:  # noqa: N802
        if resource not in self.resources or resource.mapped:
            return (cudaError_t.cudaErrorInvalidResourceHandle,)
        self.resources.remove(resource)
        return (OK,)

    def cudaGraphicsMapResources(self, count: int, resource: Resource, stream: object) -> Answer:  # noqa: N802
        assert count == 1
        if resource not in self.resources:
            return (cudaError_t.cudaErrorInvalidResourceHandle,)
        if resource.mapped:
            return (UNKNOWN,)
        resource.mapped, resource.staging = True, None
        return (OK,)

    def cudaGraphicsUnmapResources(self, count: int, resource: Resource, stream: object) -> Answer:  # noqa: N802
        if not resource.mapped:
            return (UNKNOWN,)
        resource.mapped = False
        if resource.staging is not None and resource.image:
            height, row = resource.staging.shape
            texture = self._context.external_texture(resource.glo, (row // 4, height), 4, 0, "f1")
            texture.write(resource.staging, alignment=1)
        elif resource.staging is not None:
            self.buffers[resource.glo].write(resource.staging)
        return (OK,)

    def cudaGraphicsSubResourceGetMappedArray(self, resource: Resource, index: int, level: int) -> Answer:  # noqa: N802
        if not resource.mapped or not resource.image or (index, level) != (0, 0):
            return (UNKNOWN,)
        return OK, resource

    def cudaGraphicsResourceGetMappedPointer(self, resource: Resource) -> Answer:  # noqa: N802
        if not resource.mapped or resource.image:
            return (UNKNOWN,)
        size = self.buffers[resource.glo].size
        resource.staging = np.zeros(size, np.uint8)
        return OK, resource.staging.ctypes.data, size

    def cudaMemcpy2DToArrayAsync(  # noqa: N802
        self,
        array: Resource,
        x: int,
        y: int,
        source: int,
        pitch: int,
        width: int,
        height: int,
        kind: int,
        stream: object,
    ) -> Answer:
        if not array.mapped or width > pitch or (x, y, kind) != (0, 0, 3):
            return (cudaError_t.cudaErrorInvalidValue,)
        rows = np.frombuffer(ctypes.string_at(source, pitch * height), np.uint8).reshape(height, pitch)
        array.staging = rows[:, :width].copy()
        return (OK,)

    def cudaMemcpyAsync(self, target: int, source: int, count: int, kind: int, stream: object) -> Answer:  # noqa: N802
        assert kind == 3
        ctypes.memmove(target, source, count)
        return (OK,)

    def _register(self, resource: Resource) -> Answer:
        self.resources.append(resource)
        return OK, resource


def on_device(pixels: Pixels) -> DevicePicture:
    """A picture that the double takes as one on the card."""
    return DevicePicture(torch.from_numpy(pixels.copy()))
