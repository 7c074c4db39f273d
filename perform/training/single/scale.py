"""The training of one scale: a generator against a critic that sees only small patches.

The critic's loss is Wasserstein's with a gradient penalty (Gulrajani et al. 2017, arXiv:1704.00028). The
generator's loss also has the distance of the reconstruction (the picture of the fixed noise) from the
training picture (Shaham, Dekel, Michaeli 2019, section 2). Large scales train on crops, because the critic
sees patches only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from perform.generators.singan.network import SLOPE, Scale, unit
from perform.training.single import SingleSettings

FAKE_PIXELS = 8192  # of all fakes in a step, about
MOST_FAKES = 8  # fakes in a step
BETAS = (0.5, 0.999)
RATES = 1.0, 2.0  # generator, critic: the critic stays ahead (Heusel et al. 2017, arXiv:1706.08500)
DECAY = 0.8  # of the steps have the full rate, the others a tenth of it


class ScaleLosses(NamedTuple):
    """Losses of a step: the critic's distance between real and fake, the penalty, the mean square error."""

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


class ScaleData(NamedTuple):
    """The training data of a scale.

    `real` [f, c, h, w] are the frames at its size, `before` [p, c, h, w] random pictures of the scale
    before, enlarged, and `base` [f, c, h, w] its reconstructions, enlarged. At the coarsest scale `before`
    and `base` are the ground and `fixed` [f, c, h, w] is the fixed noise; else `fixed` is 0. With `alike` the
    random noise is one map for all channels.
    """

    real: Tensor
    before: Tensor
    base: Tensor
    fixed: Tensor
    alike: bool = False


class ScaleTrainer:
    """Trains one scale. The same steps from the same state give the same state."""

    def __init__(self, scale: Scale, data: ScaleData, options: SingleSettings) -> None:
        self.scale, self.data, self.options = scale, data, options
        channels, height, width = data.real.shape[1:]
        self.critic = Critic(channels, options.width, options.depth)
        self.size = min(options.crop, height), min(options.crop, width)
        self.batch = max(1, min(MOST_FAKES, FAKE_PIXELS // (self.size[0] * self.size[1])))
        self.optimizers = [
            torch.optim.Adam(network.parameters(), options.rate, BETAS) for network in (scale, self.critic)
        ]

    def begin(self, random: torch.Generator) -> None:
        """Set initial weights for leaky ReLUs (He et al. 2015); the generator's last ones are small."""
        for network in (self.scale, self.critic):
            for module in network.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, SLOPE, generator=random)
                    nn.init.zeros_(module.bias) if module.bias is not None else None
        last = self.scale.get_submodule(f"conv{self.scale.depth - 1}")
        assert isinstance(last, nn.Conv2d)
        with torch.no_grad():
            last.weight.mul_(0.1)

    def step(self, done: int, random: torch.Generator) -> ScaleLosses:
        """Take one step after `done` steps."""
        rate = self.options.rate * (1.0 if done < DECAY * self.options.steps else 0.1)
        for optimizer, ratio in zip(self.optimizers, RATES, strict=True):
            optimizer.param_groups[0]["lr"] = rate * ratio
        fakes, reconstruction, wanted = self._fakes(random)
        distance, penalty = self._train_critic(fakes.detach(), random)
        likeness = functional.mse_loss(reconstruction, wanted)
        loss = self.options.fidelity * likeness - self.critic(fakes).mean()
        self._descend(0, loss)
        return ScaleLosses(distance, penalty, float(likeness.detach()))

    def _fakes(self, random: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Crops of fakes, a crop of a reconstruction, and the same crop of its training picture."""
        data, edge = self.data, 2 * self.scale.depth
        which = torch.randint(len(data.before), (self.batch,), generator=random)
        before = data.before[which]
        noise = self._noise(before, random) * self.scale.amplitude
        frame = int(torch.randint(len(data.real), (1,), generator=random))
        bases = torch.cat([before, data.base[frame : frame + 1]])
        whole = self.scale.edged(bases + torch.cat([noise, data.fixed[frame : frame + 1]]))
        corners = [self._corner(random) for _ in range(self.batch + 1)]
        seen = torch.stack([self._crop(x, corner, edge) for x, corner in zip(whole, corners, strict=True)])
        base = torch.stack([self._crop(x, corner) for x, corner in zip(bases, corners, strict=True)])
        fakes = base + self.scale.added(seen)
        return fakes[:-1], fakes[-1], self._crop(data.real[frame], corners[-1])

    def _noise(self, before: Tensor, random: torch.Generator) -> Tensor:
        """Random noise as it is played."""
        if self.data.alike:
            return unit(torch.randn((len(before), 1, *before.shape[2:]), generator=random)).expand_as(before)
        return torch.randn(before.shape, generator=random)

    def _train_critic(self, fakes: Tensor, random: torch.Generator) -> tuple[float, float]:
        """One step of the critic: the distance and the penalty."""
        frames = torch.randint(len(self.data.real), (self.batch,), generator=random)
        real = torch.stack([self._crop(self.data.real[i], self._corner(random)) for i in frames])
        distance = self.critic(real).mean() - self.critic(fakes).mean()
        share = torch.rand(self.batch, 1, 1, 1, generator=random)
        between = (share * real + (1 - share) * fakes).requires_grad_()
        (slope,) = torch.autograd.grad(self.critic(between).sum(), between, create_graph=True)
        penalty = (slope.norm(dim=1) - 1).square().mean()  # at each pixel, as each has its own patch
        self._descend(1, self.options.penalty * penalty - distance)
        return float(distance.detach()), float(penalty.detach())

    def _descend(self, which: int, loss: Tensor) -> None:
        optimizer = self.optimizers[which]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    def _corner(self, random: torch.Generator) -> tuple[int, int]:
        """A crop's top and left; crops at the picture's edges are as frequent as elsewhere."""
        spare = [whole - part for whole, part in zip(self.data.real.shape[2:], self.size, strict=True)]
        more = [part // 4 if left else 0 for left, part in zip(spare, self.size, strict=True)]
        drawn = [
            int(torch.randint(-m, left + m + 1, (1,), generator=random))
            for left, m in zip(spare, more, strict=True)
        ]
        top, left = (min(max(at, 0), most) for at, most in zip(drawn, spare, strict=True))
        return top, left

    def _crop(self, x: Tensor, corner: tuple[int, int], edge: int = 0) -> Tensor:
        """The crop of [c, h, w] at a corner, larger by `edge` pixels each way."""
        (top, left), (height, width) = corner, self.size
        return x[:, top : top + height + edge, left : left + width + edge]

    def state(self) -> dict[str, Tensor]:
        """The state besides the scale's own weights: critic and optimizers."""
        named = {f"critic.{name}": tensor for name, tensor in self.critic.state_dict().items()}
        for which, optimizer in enumerate(self.optimizers):
            for number, moments in optimizer.state_dict()["state"].items():
                named |= {f"adam{which}.{number}.{name}": value for name, value in moments.items()}
        return named

    def restore(self, named: Mapping[str, Tensor]) -> None:
        """Restore a state."""
        critic = {name[7:]: tensor for name, tensor in named.items() if name.startswith("critic.")}
        self.critic.load_state_dict(critic)
        for which, optimizer in enumerate(self.optimizers):
            state: dict[int, dict[str, Tensor]] = {}
            for name, tensor in named.items():
                if name.startswith(f"adam{which}."):
                    _, number, moment = name.split(".")
                    state.setdefault(int(number), {})[moment] = tensor
            optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
