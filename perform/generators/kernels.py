"""Triton kernels for an NVIDIA GPU: what follows the convolutions of StyleGAN2 and StyleGAN3, in one pass.

The reference of each is the `finished` of the family's network.py, in plain torch. Triton comes with
torch for CUDA; without it `fuse` raises ImportError and nothing is changed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

TILE = 32  # cells of a side that one program of the alias-free activation holds


def fuse(network: nn.Module, tile: int = TILE) -> int:
    """Make the layers of a torch network on its device end in kernels; returns the number of these layers.

    Layers of other families, StyleGAN3's colours and its radial filters stay as they are.
    """
    from perform.generators.stylegan2 import kernel as modulated
    from perform.generators.stylegan2.network import Convolution
    from perform.generators.stylegan3 import kernel as alias_free
    from perform.generators.stylegan3.network import Layer

    count = 0
    for layer in network.modules():
        if isinstance(layer, Convolution):
            layer.finish = modulated.finished
        elif isinstance(layer, Layer) and alias_free.takes(layer):
            layer.finish = alias_free.Finish(layer, tile)
        else:
            continue
        count += 1
    return count
