"""Bridges through the machine's memory: page-locked, which the card copies at full speed, or any."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from perform.arrays import DevicePixels

if TYPE_CHECKING:
    import moderngl


class PlainBridge:
    """A copy in memory, uploaded."""

    name = "plain"
    direct = False

    def __init__(self, context: moderngl.Context) -> None:
        """It needs nothing of the context."""

    def upload(self, texture: moderngl.Texture, picture: DevicePixels) -> None:
        """Copy the picture and upload it."""
        texture.write(picture.pixels(), alignment=1)

    def forget(self, texture: moderngl.Texture) -> None:
        """It knows no texture."""

    def close(self) -> None:
        """It holds nothing."""


class PinnedBridge:
    """A copy in page-locked memory, which is kept for the next picture of the same size. `lock` is for tests:
    only CUDA has page-locked memory."""

    name = "pinned"
    direct = False

    def __init__(self, context: moderngl.Context, lock: bool = True) -> None:
        self._lock = lock
        self._page: Any = None  # a tensor

    def upload(self, texture: moderngl.Texture, picture: DevicePixels) -> None:
        """Copy the picture, wait for it, and upload it."""
        import torch

        if self._page is None or tuple(self._page.shape) != picture.shape:
            self._page = torch.empty(picture.shape, dtype=torch.uint8, pin_memory=self._lock)
        self._page.copy_(picture.tensor)
        texture.write(self._page.numpy(), alignment=1)

    def forget(self, texture: moderngl.Texture) -> None:
        """It knows no texture."""

    def close(self) -> None:
        """Release the memory."""
        self._page = None
