"""A network's picture that stays in the memory of its GPU."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from perform.arrays import Pixels


@dataclass(frozen=True, slots=True, eq=False)
class DevicePicture:
    """A picture [height, width, 4], RGBA, sRGB, top row first: `DevicePixels`. It is complete, and nothing
    writes over it."""

    tensor: Tensor

    @classmethod
    def of(cls, output: Tensor) -> DevicePicture:
        """A copy of what a network draws, uint8 [height, width, 1 | 3 | 4]; waits until it is drawn."""
        channels = output.shape[2]
        colours = output.expand(-1, -1, 3) if channels == 1 else output
        missing = 4 - colours.shape[2]
        picture = cls(torch.nn.functional.pad(colours, (0, missing), value=255).contiguous())
        if picture.tensor.is_cuda:
            torch.cuda.current_stream().synchronize()
        return picture

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels."""
        height, width, channels = self.tensor.shape
        return height, width, channels

    @property
    def pointer(self) -> int:
        """The address of the first byte, on the device."""
        return self.tensor.data_ptr()

    def copy(self) -> DevicePicture:
        """Itself: the memory is its own."""
        return self

    def pixels(self) -> Pixels:
        """A copy in the machine's memory."""
        pixels: Pixels = self.tensor.cpu().numpy()
        return pixels
