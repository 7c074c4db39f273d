"""Bridges that stay on the card: textures and buffers of OpenGL that CUDA writes, by NVIDIA's cuda-bindings.

The copy has a stream of its own with a high priority: it does not wait for the network's next picture.
Each call is that of the "CUDA Runtime API", module "OpenGL Interoperability".
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Any

from perform.arrays import DevicePixels
from perform.render.bridges import BridgeError

if TYPE_CHECKING:
    import moderngl

GL_TEXTURE_2D = 0x0DE1  # of OpenGL
WRITE_DISCARD = 2  # cudaGraphicsRegisterFlagsWriteDiscard: CUDA writes all of it, and reads nothing
NON_BLOCKING = 1  # cudaStreamNonBlocking: it does not wait for the default stream
PRIORITY = -5  # the highest; a lower number is brought into the range of the card
MOST_DEVICES = 16


class CudaRuntime:
    """The calls of the CUDA runtime, with BridgeError for what they return. `cudart` is for tests."""

    def __init__(self, cudart: Any = None) -> None:
        self._cudart = cudart = cudart or import_module("cuda.bindings.runtime")
        self.device_to_device = cudart.cudaMemcpyKind.cudaMemcpyDeviceToDevice
        self._check_device()
        self.stream = self("cudaStreamCreateWithPriority", NON_BLOCKING, PRIORITY)

    def __call__(self, name: str, *arguments: Any) -> Any:
        """Call a function; its value, a list of several, or None."""
        error, *values = getattr(self._cudart, name)(*arguments)
        if int(error):
            raise BridgeError(f"{name}: {getattr(error, 'name', error)}")
        return values[0] if len(values) == 1 else values or None

    @contextmanager
    def mapped(self, resource: Any) -> Iterator[None]:
        """While the block runs, CUDA has the resource; afterwards its work on it is done."""
        self("cudaGraphicsMapResources", 1, resource, self.stream)
        try:
            yield
        finally:
            self("cudaGraphicsUnmapResources", 1, resource, self.stream)
        self("cudaStreamSynchronize", self.stream)

    def close(self) -> None:
        """Release the stream; safe to call twice."""
        stream, self.stream = self.stream, None
        if stream is not None:
            self("cudaStreamDestroy", stream)

    def _check_device(self) -> None:
        """Raises BridgeError if the device that computes is not the one that draws."""
        here = self("cudaGetDevice")
        every = self._cudart.cudaGLDeviceList.cudaGLDeviceListAll
        count, devices = self("cudaGLGetDevices", MOST_DEVICES, every)
        if here not in list(devices)[:count]:
            raise BridgeError(f"CUDA device {here} does not draw the picture, another one does")


class TextureBridge:
    """CUDA writes into the texture itself."""

    name = "texture"
    direct = True

    def __init__(self, context: moderngl.Context, runtime: CudaRuntime | None = None) -> None:
        self._runtime = runtime or CudaRuntime()
        self._resources: dict[int, Any] = {}  # by the texture's number

    def upload(self, texture: moderngl.Texture, picture: DevicePixels) -> None:
        """Copy the picture into the texture."""
        check_fits(texture, picture)
        height, width, channels = picture.shape
        row, call = width * channels, self._runtime
        if texture.glo not in self._resources:
            texture.build_mipmaps()  # before: they may give the texture another memory
            resource = call("cudaGraphicsGLRegisterImage", texture.glo, GL_TEXTURE_2D, WRITE_DISCARD)
            self._resources[texture.glo] = resource
        resource = self._resources[texture.glo]
        with call.mapped(resource):
            array = call("cudaGraphicsSubResourceGetMappedArray", resource, 0, 0)
            kind, stream = call.device_to_device, call.stream
            call("cudaMemcpy2DToArrayAsync", array, 0, 0, picture.pointer, row, row, height, kind, stream)

    def forget(self, texture: moderngl.Texture) -> None:
        """Unregister the texture."""
        resource = self._resources.pop(texture.glo, None)
        if resource is not None:
            self._runtime("cudaGraphicsUnregisterResource", resource)

    def close(self) -> None:
        """Unregister all textures, and release the stream."""
        while self._resources:
            self._runtime("cudaGraphicsUnregisterResource", self._resources.popitem()[1])
        self._runtime.close()


class BufferBridge:
    """CUDA writes into a buffer of OpenGL, which the driver copies into the texture."""

    name = "buffer"
    direct = True

    def __init__(self, context: moderngl.Context, runtime: CudaRuntime | None = None) -> None:
        self._context = context
        self._runtime = runtime or CudaRuntime()
        self._buffer: moderngl.Buffer | None = None
        self._resource: Any = None

    def upload(self, texture: moderngl.Texture, picture: DevicePixels) -> None:
        """Copy the picture into the buffer, and that into the texture."""
        check_fits(texture, picture)
        height, width, channels = picture.shape
        size, call = height * width * channels, self._runtime
        buffer = self._of_size(size)
        with call.mapped(self._resource):
            pointer, _ = call("cudaGraphicsResourceGetMappedPointer", self._resource)
            call("cudaMemcpyAsync", pointer, picture.pointer, size, call.device_to_device, call.stream)
        texture.write(buffer, alignment=1)

    def forget(self, texture: moderngl.Texture) -> None:
        """It knows no texture."""

    def close(self) -> None:
        """Unregister and release the buffer, and release the stream."""
        self._release()
        self._runtime.close()

    def _of_size(self, size: int) -> moderngl.Buffer:
        """The buffer, registered; another one if the size is another."""
        if self._buffer is None or self._buffer.size != size:
            self._release()
            self._buffer = self._context.buffer(reserve=size)
            call = self._runtime
            self._resource = call("cudaGraphicsGLRegisterBuffer", self._buffer.glo, WRITE_DISCARD)
        return self._buffer

    def _release(self) -> None:
        resource, self._resource = self._resource, None
        buffer, self._buffer = self._buffer, None
        try:
            if resource is not None:
                self._runtime("cudaGraphicsUnregisterResource", resource)
        finally:
            if buffer is not None:
                buffer.release()


def check_fits(texture: moderngl.Texture, picture: DevicePixels) -> None:
    """Raises BridgeError if a texture has another size or depth than the picture: a copy would write beyond
    it."""
    height, width, channels = picture.shape
    if (texture.width, texture.height, texture.components, channels) != (width, height, 4, 4):
        raise BridgeError(
            f"a picture of {width}x{height} with {channels} channels for a texture of "
            f"{texture.width}x{texture.height} with {texture.components}, both must have 4"
        )
