"""A network with a live share of a second model's weights, in torch."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from perform.generators.blending import Second


class Blended(nn.Module):
    """A synthesis that takes the second model's share [1] after its inputs.

    The weights that are mixed leave their modules: each picture they are set there anew, as plain
    tensors. (torch.func.functional_call would say the same; it cannot be traced.)
    """

    def __init__(self, synthesis: nn.Module, other: Second) -> None:
        super().__init__()
        self.synthesis = synthesis
        self._places: list[tuple[nn.Module, str]] = []
        for module in synthesis.modules():
            if "scaled" in module._buffers:  # what was scaled once is scaled anew from mixed weights
                module.register_buffer("scaled", None, persistent=False)
                module.register_buffer("power", None, persistent=False)
        for name, own in [*synthesis.named_parameters(), *synthesis.named_buffers()]:
            if name in other.arrays:
                path, _, leaf = name.rpartition(".")
                module = synthesis.get_submodule(path)
                self.register_buffer(f"own{len(self._places)}", own.detach(), persistent=False)
                its = torch.tensor(other.arrays[name]).to(own)
                self.register_buffer(f"other{len(self._places)}", its, persistent=False)
                self._places.append((module, leaf))
                delattr(module, leaf)

    def forward(self, ws: Tensor, *rest: Tensor) -> Tensor:
        """The picture of the mixed network."""
        *inputs, share = rest
        for i, (module, leaf) in enumerate(self._places):
            own, other = self.get_buffer(f"own{i}"), self.get_buffer(f"other{i}")
            setattr(module, leaf, own + share.to(own).reshape(()) * (other - own))
        picture: Tensor = self.synthesis(ws, *inputs)
        for module, leaf in self._places:
            delattr(module, leaf)
        return picture
