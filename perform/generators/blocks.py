"""The shape of networks whose pictures double in size from block to block."""

from __future__ import annotations

from typing import ClassVar

from perform.generators.mapping import MappedConfig
from perform.latent.space import Space


class BlocksConfig(MappedConfig):
    """What the configuration of a network of blocks has: two layers each, whose widths are in `channels`."""

    __slots__ = ()

    channels: tuple[int, ...]

    @property
    def blocks(self) -> int:
        return len(self.channels) // 2

    @property
    def resolutions(self) -> tuple[int, ...]:
        """The blocks' nominal resolutions: 4, 8, …; they name the blocks."""
        return tuple(4 << block for block in range(self.blocks))

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers in order."""
        return tuple(f"b{resolution}.conv{half}" for resolution in self.resolutions for half in (0, 1))

    @property
    def bendable(self) -> tuple[str, ...]:
        """The layers whose activations can be bent, coarse to fine."""
        return self.layers


class StyleGANConfig(BlocksConfig):
    """What the configurations of StyleGAN and StyleGAN2 share: layer i takes ws[i] and noise of its own.

    `channels` holds the width of the constant and of the output of each convolution, `start` is (height,
    width) of the constant. The first `skipped` layers of the first block are not there.
    """

    __slots__ = ()

    skipped: ClassVar[int] = 0
    start: tuple[int, int]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the pictures."""
        height, width = self.start
        return width << (self.blocks - 1), height << (self.blocks - 1)

    @property
    def layers(self) -> tuple[str, ...]:
        """The layers in order."""
        return super().layers[self.skipped :]

    @property
    def space(self) -> Space:
        return Space(self.z_dim, self.w_dim, 2 * self.blocks, self.c_dim)

    def noise_shape(self, layer: int) -> tuple[int, int]:
        """(height, width) of the noise of a layer."""
        height, width = self.start
        block = (layer + self.skipped) // 2
        return height << block, width << block

    @property
    def noise_shapes(self) -> tuple[tuple[int, int], ...]:
        """(height, width) of the noise of each layer."""
        return tuple(self.noise_shape(layer) for layer in range(len(self.layers)))
