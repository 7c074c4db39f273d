"""How one scale learns: a generator against a critic that sees only small patches.

The critic's loss is Wasserstein's with a gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028), the
generator's has besides the distance of the picture that the fixed noise gives from the learnt one
(Shaham, Dekel, Michaeli 2019, section 2). Large scales learn from crops: a patch is all that is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from perform.generators.singan.network import SLOPE, Scale, unit
from perform.training.single import Options

CELLS = 8192  # of fakes in a step, about
MOST = 8  # fakes in a step
BETAS = (0.5, 0.999)
RATES = 1.0, 2.0  # generator, critic: it is to be ahead (Heusel et al. 2017, arXiv:1706.08500)
DECAY = 0.8  # of the steps are done at the full rate, the rest at a tenth


class Losses(NamedTuple):
    """Of one step: the critic's distance between real and made, the penalty, the likeness (mean square)."""

    distance: float
    penalty: float
    likeness: float


class Critic(nn.Sequential):
    """Pictures [n, c, h, w] to a map of how real each patch looks [n, 1, h - 2 depth, w - 2 depth]."""

    def __init__(self, channels: int, width: int, depth: int) -> None:
        layers: list[nn.Module] = []
        for i in range(depth - 1):
            layers += [nn.Conv2d(width if i else channels, width, 3), nn.LeakyReLU(SLOPE)]
        super().__init__(*layers, nn.Conv2d(width, 1, 3))


class Material(NamedTuple):
    """What a scale learns from.

    `real` [f, c, h, w] are the frames at its size; `before` [p, c, h, w] pictures of the scale before,
    enlarged, and `told` [f, c, h, w] those of them that the fixed noise gives. At the coarsest scale
    both are the ground and `fixed` [f, c, h, w] is that noise, else that is 0; free noise is there, `alike`,
    one map for all channels.
    """

    real: Tensor
    before: Tensor
    told: Tensor
    fixed: Tensor
    alike: bool = False


class Learner:
    """One scale while it learns. The same steps from the same state give the same state."""

    def __init__(self, scale: Scale, material: Material, options: Options) -> None:
        self.scale, self.material, self.options = scale, material, options
        channels, height, width = material.real.shape[1:]
        self.critic = Critic(channels, options.width, options.depth)
        self.size = min(options.crop, height), min(options.crop, width)
        self.batch = max(1, min(MOST, CELLS // (self.size[0] * self.size[1])))
        self.optimizers = [
            torch.optim.Adam(network.parameters(), options.rate, BETAS) for network in (scale, self.critic)
        ]

    def begin(self, draw: torch.Generator) -> None:
        """Weights as for leaky ReLUs (He et al. 2015), the last of the generator small: it adds little."""
        for network in (self.scale, self.critic):
            for module in network.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, SLOPE, generator=draw)
                    nn.init.zeros_(module.bias) if module.bias is not None else None
        last = self.scale.get_submodule(f"conv{self.scale.depth - 1}")
        assert isinstance(last, nn.Conv2d)
        with torch.no_grad():
            last.weight.mul_(0.1)

    def step(self, done: int, draw: torch.Generator) -> Losses:
        """One step after so many `done`."""
        rate = self.options.rate * (1.0 if done < DECAY * self.options.steps else 0.1)
        for optimizer, ratio in zip(self.optimizers, RATES, strict=True):
            optimizer.param_groups[0]["lr"] = rate * ratio
        made, told, wanted = self._made(draw)
        distance, penalty = self._judge(made.detach(), draw)
        likeness = functional.mse_loss(told, wanted)
        loss = self.options.fidelity * likeness - self.critic(made).mean()
        self._descend(0, loss)
        return Losses(distance, penalty, float(likeness.detach()))

    def _made(self, draw: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Crops that the scale makes, one that it makes of the fixed noise, and what that should be."""
        material, edge = self.material, 2 * self.scale.depth
        which = torch.randint(len(material.before), (self.batch,), generator=draw)
        before = material.before[which]
        noise = self._noise(before, draw) * self.scale.amplitude
        frame = int(torch.randint(len(material.real), (1,), generator=draw))
        bases = torch.cat([before, material.told[frame : frame + 1]])
        whole = self.scale.edged(bases + torch.cat([noise, material.fixed[frame : frame + 1]]))
        places = [self._place(draw) for _ in range(self.batch + 1)]
        seen = torch.stack([self._cut(x, place, edge) for x, place in zip(whole, places, strict=True)])
        base = torch.stack([self._cut(x, place) for x, place in zip(bases, places, strict=True)])
        made = base + self.scale.added(seen)
        return made[:-1], made[-1], self._cut(material.real[frame], places[-1])

    def _noise(self, before: Tensor, draw: torch.Generator) -> Tensor:
        """Free noise as it is played."""
        if self.material.alike:
            return unit(torch.randn((len(before), 1, *before.shape[2:]), generator=draw)).expand_as(before)
        return torch.randn(before.shape, generator=draw)

    def _judge(self, made: Tensor, draw: torch.Generator) -> tuple[float, float]:
        """One step of the critic."""
        frames = torch.randint(len(self.material.real), (self.batch,), generator=draw)
        real = torch.stack([self._cut(self.material.real[i], self._place(draw)) for i in frames])
        distance = self.critic(real).mean() - self.critic(made).mean()
        share = torch.rand(self.batch, 1, 1, 1, generator=draw)
        between = (share * real + (1 - share) * made).requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        penalty = (slope.norm(dim=1) - 1).square().mean()  # at each place, as each has a patch of its own
        self._descend(1, self.options.penalty * penalty - distance)
        return float(distance.detach()), float(penalty.detach())

    def _descend(self, which: int, loss: Tensor) -> None:
        optimizer = self.optimizers[which]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    def _place(self, draw: torch.Generator) -> tuple[int, int]:
        """A crop's top and left; its edges are where the picture's are as often as anywhere else."""
        spare = [whole - part for whole, part in zip(self.material.real.shape[2:], self.size, strict=True)]
        more = [part // 4 if left else 0 for left, part in zip(spare, self.size, strict=True)]
        drawn = [
            int(torch.randint(-m, left + m + 1, (1,), generator=draw))
            for left, m in zip(spare, more, strict=True)
        ]
        top, left = (min(max(place, 0), most) for place, most in zip(drawn, spare, strict=True))
        return top, left

    def _cut(self, x: Tensor, place: tuple[int, int], edge: int = 0) -> Tensor:
        """The crop of [c, h, w] at a place, and so many cells more each way."""
        (top, left), (height, width) = place, self.size
        return x[:, top : top + height + edge, left : left + width + edge]

    def state(self) -> dict[str, Tensor]:
        """All that changes with a step but the scale's own weights."""
        named = {f"critic.{name}": tensor for name, tensor in self.critic.state_dict().items()}
        for which, optimizer in enumerate(self.optimizers):
            for place, moments in optimizer.state_dict()["state"].items():
                named |= {f"adam{which}.{place}.{name}": value for name, value in moments.items()}
        return named

    def restore(self, named: Mapping[str, Tensor]) -> None:
        """Go on from a state."""
        critic = {name[7:]: tensor for name, tensor in named.items() if name.startswith("critic.")}
        self.critic.load_state_dict(critic)
        for which, optimizer in enumerate(self.optimizers):
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in named.items():
                if name.startswith(f"adam{which}."):
                    _, place, moment = name.split(".")
                    state.setdefault(int(place), {})[moment] = tensor
            optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
