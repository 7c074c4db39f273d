"""A network with a live share of a second model's weights, in torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

LINEAR_TOLERANCE = 1e-5  # of the largest value: a smaller bow between two networks counts as straight


class BlendedSynthesis(nn.Module):
    """A synthesis that takes the second model's share [1] after its inputs.

    What a network derives from its weights is linear in them (a kernel in another layout) or quadratic (the
    power of a kernel). So the networks for shares of 0, 1/2 and 1 determine all between them. The mixed
    tensors leave their modules and are set there again for each picture, as torch.func.functional_call does,
    which cannot be traced.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        super().__init__()
        for network in networks:
            _drop_normalised(network)
        first, half, last = (_tensors(network) for network in networks)
        self.synthesis = networks[0]
        self._places: list[tuple[nn.Module, str]] = []
        for name, own in first.items():
            if torch.equal(own, last[name]):
                continue
            path, _, leaf = name.rpartition(".")
            module = self.synthesis.get_submodule(path)
            self._keep(own, half[name], last[name])
            self._places.append((module, leaf))
            module._parameters.pop(leaf, None)
            module._buffers[leaf] = None

    def _keep(self, own: Tensor, middle: Tensor, other: Tensor) -> None:
        """A tensor as own + share way + share (1 - share) bow."""
        place, bow = len(self._places), 4 * middle - 2 * (own + other)
        straight = bow.abs().max() <= LINEAR_TOLERANCE * torch.maximum(own.abs().max(), other.abs().max())
        self.register_buffer(f"own{place}", own, persistent=False)
        self.register_buffer(f"way{place}", other - own, persistent=False)
        self.register_buffer(f"bow{place}", None if straight else bow, persistent=False)

    def forward(self, ws: Tensor, *rest: Tensor) -> Tensor:
        """The picture of the mixed network."""
        *inputs, share = rest
        for i, (module, leaf) in enumerate(self._places):
            own, way, bow = (self._buffers[f"{kind}{i}"] for kind in ("own", "way", "bow"))
            assert own is not None and way is not None
            part = share.to(own).reshape(())
            mixed = own + part * way
            module._buffers[leaf] = mixed if bow is None else mixed + part * (1 - part) * bow
        picture: Tensor = self.synthesis(ws, *inputs)
        for module, leaf in self._places:
            module._buffers[leaf] = None
        return picture


def _drop_normalised(network: nn.Module) -> None:
    """Remove what was normalised once: it is no polynomial of the weights, so mixed ones make their own."""
    for module in network.modules():
        if "scaled" in module._buffers:
            module._buffers["scaled"] = module._buffers["power"] = None


def _tensors(network: nn.Module) -> dict[str, Tensor]:
    named = [*network.named_parameters(), *network.named_buffers()]
    return {name: tensor.detach() for name, tensor in named}
