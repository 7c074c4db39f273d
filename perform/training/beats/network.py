"""The network as it learns: the same as rhythm/hearing.py plays."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from perform.rhythm.features import MEL_BANDS
from perform.rhythm.hearing import ENTRY, INPUTS

UNITS = 96


class BeatNetwork(nn.Module):
    """From what is heard [lanes, hops, INPUTS] to the logits of a beat and of a downbeat [lanes, hops, 2]."""

    def __init__(self, units: int = UNITS) -> None:
        super().__init__()
        self.entry = nn.Linear(INPUTS + MEL_BANDS, ENTRY)
        self.layers = nn.ModuleList(
            [nn.GRU(ENTRY, units, batch_first=True), nn.GRU(units, units, batch_first=True)]
        )
        self.exit = nn.Linear(2 * units, 2)
        self._units = units

    def silent(self, lanes: int) -> list[Tensor]:
        """The states before the first sound."""
        return [torch.zeros(1, lanes, self._units) for _ in self.layers]

    def forward(self, heard: Tensor, states: list[Tensor], before: Tensor) -> tuple[Tensor, list[Tensor]]:
        """Logits, and the states after; `states` [1, lanes, units] of each layer before, `before` [lanes, 1,
        INPUTS] is the hop before the first."""
        earlier = torch.cat((before, heard[:, :-1]), dim=1)
        rise = torch.relu(heard - earlier)[..., :MEL_BANDS]
        flow = torch.relu(self.entry(torch.cat((heard, rise), dim=-1)))
        after, seen = [], []
        for layer, state in zip(self.layers, states, strict=True):
            flow, state = layer(flow, state)
            after.append(state)
            seen.append(flow)
        return self.exit(torch.cat(seen, dim=-1)), after
