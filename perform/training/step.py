"""One step of learning: the discriminator's, the generator's, their penalties now and then, the average.

Penalties are steps of their own, taken every so often and weighed by how seldom they are; Adam's rate and
memories are set so that the whole comes to what taking them always would (Karras et al. 2020, Analyzing and
improving the image quality of StyleGAN, appendix B, "lazy regularization").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.optim import Adam

from perform.training import losses
from perform.training.augment import augmented
from perform.training.chance import Chance
from perform.training.feed import Batch
from perform.training.settings import Settings
from perform.training.state import State
from perform.training.together import Team

BETAS = (0.0, 0.99)  # for a DCGAN too: with the paper's momentum of 0.5, its colours went round in circles
ALONE = (0.9, 0.99)  # where only the teacher speaks there is nobody to go round in circles with
LENGTH_DECAY = 0.01  # of the mean path length
RAMP = 0.05  # the average's half-life is at most this share of what was learnt from
ADAPT_EVERY = 4  # steps between changes of the augmentations' probability
TEACHER = 10.0  # weight of the comparison of pictures beside the adversarial loss, at equal shares


def optimiser(network: nn.Module, settings: Settings, penalised: bool, every: int) -> Adam:
    """Adam for what is not frozen, corrected for a penalty that is taken as a step of its own."""
    share = every / (every + 1) if penalised else 1.0
    first, second = ALONE if settings.teacher == 1 else BETAS
    learning = [one for one in network.parameters() if one.requires_grad]
    return Adam(learning, settings.rate * share, betas=(first**share, second**share), eps=1e-8)


class Step:
    """Takes a batch, changes the state, and tells its losses by name."""

    def __init__(
        self, state: State, settings: Settings, chance: Chance, team: Team, device: torch.device, ramp: bool
    ) -> None:
        self.state, self.settings, self.chance = state, settings, chance
        self.team, self.device, self.ramp = team, device, ramp

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Learn from a batch, this process's part of it."""
        state, settings = self.state, self.settings
        samples = self.samples()
        real = batch.floats(self.device)
        told: dict[str, Tensor] = {}
        if state.discriminator is not None:
            told |= self.discriminator(real, samples)
            if settings.penalty and state.steps % settings.r1_every == 0:
                told["r1"] = self.gradient_penalty(real, samples)
        if state.pictures >= (settings.head_start or 0):
            told |= self.generator(real, batch.latents, samples)
            if self._takes_path():
                told["path"] = self.path_penalty(samples[::2])
        self.average()
        state.pictures += settings.batch
        state.steps += 1
        return told

    def samples(self) -> list[int]:
        """The numbers of this process's samples in the step that comes."""
        return [self.state.pictures + place for place in self.team.share(self.settings.batch)]

    def discriminator(self, real: Tensor, samples: list[int]) -> dict[str, Tensor]:
        """Tell the real pictures from drawn ones."""
        state = self.state
        with torch.no_grad():
            fake, _ = state.generator.drawn(self.chance, "fake", samples, mixing=self.settings.mixing)
        known = state.discriminator(self._augmented(real, "real", samples))
        taken = state.discriminator(self._augmented(fake, "fake", samples))
        loss = losses.told_apart(known, taken)
        self._learn("discriminator", loss)
        return {"discriminator": loss.detach(), "real": known.detach().sign().mean()}

    def gradient_penalty(self, real: Tensor, samples: list[int]) -> Tensor:
        """R1 at what the discriminator sees: reading a grid has no second derivative in torch."""
        seen = self._augmented(real, "real", samples).detach().requires_grad_(True)
        penalty = losses.gradient_penalty(self.state.discriminator(seen), seen)
        weight = self.settings.penalty * self.settings.r1_every
        self._learn("discriminator", penalty * weight)
        return penalty.detach()

    def generator(self, real: Tensor, latents: Tensor | None, samples: list[int]) -> dict[str, Tensor]:
        """Be taken for real, and draw what the teacher shows."""
        state, settings = self.state, self.settings
        z = None if latents is None else self._known(latents, samples)
        fake, ws = state.generator.drawn(self.chance, "generator", samples, z, settings.mixing)
        told: dict[str, Tensor] = {}
        loss = torch.zeros((), device=self.device)
        if state.discriminator is not None:
            with _still(state.discriminator):
                logits = state.discriminator(self._augmented(fake, "generator", samples))
            told["generator"] = losses.taken_for_real(logits)
            loss = loss + (1 - settings.teacher) * told["generator"]
        if settings.teacher:
            told["teacher"] = losses.unlike(fake, real)
            loss = loss + settings.teacher * TEACHER * told["teacher"]
        self._learn("generator", loss)
        state.generator.track(self.team.mean(ws.detach()[:, 0].mean(0)) if ws.dim() == 3 else ws)
        return {name: value.detach() for name, value in told.items()}

    def _known(self, latents: Tensor, samples: list[int]) -> Tensor:
        """z whose first values are a picture's own latent, the rest drawn."""
        width = self.state.generator.config.space.z_dim
        drawn = self.chance.normal("generator.rest", samples, width)
        drawn[:, : latents.shape[1]] = latents
        return drawn

    def _takes_path(self) -> bool:
        settings = self.settings
        lazy = settings.kind == "stylegan2" and settings.path > 0 and settings.teacher < 1
        return lazy and self.state.steps % settings.path_every == 0

    def path_penalty(self, samples: list[int]) -> Tensor:
        """Equal steps in w shall change the picture equally. The mean length."""
        state = self.state
        pictures, ws = state.generator.drawn(self.chance, "path", samples)
        shape = (pictures.shape[2], pictures.shape[3] * pictures.shape[1])
        (noise,) = self.chance.noise("path.direction", samples, [shape], self.device)
        lengths = losses.path_lengths(pictures, ws, noise.reshape(pictures.shape))
        mean = self.team.mean(lengths.detach().mean())
        state.length.lerp_(mean, LENGTH_DECAY if state.length > 0 else 1.0)
        penalty = (lengths - state.length).square().mean()
        self._learn("generator", penalty * self.settings.path * self.settings.path_every)
        return state.length.clone()

    def _learn(self, name: str, loss: Tensor) -> None:
        """A step of one network's optimiser."""
        optimiser = self.state.optimisers[name]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        parameters = [one for group in optimiser.param_groups for one in group["params"]]
        if self.settings.precision == "float16":
            for one in parameters:  # an overflow must not spoil the weights; the paper does the same
                if one.grad is not None:
                    torch.nan_to_num(one.grad, nan=0.0, posinf=1e5, neginf=-1e5, out=one.grad)
        self.team.average(parameters)
        optimiser.step()

    @torch.no_grad()
    def average(self) -> None:
        """Bring the averaged generator nearer to the one that learns."""
        half = self.settings.half_life
        if self.ramp:
            half = min(half, RAMP * max(self.state.pictures, 1))
        kept = 0.5 ** (self.settings.batch / max(half, 1e-8))
        old, new = list(self.state.average.parameters()), list(self.state.generator.parameters())
        torch._foreach_lerp_(old, new, 1 - kept)
        for buffer, now in zip(self.state.average.buffers(), self.state.generator.buffers(), strict=True):
            buffer.copy_(now)

    def _augmented(self, pictures: Tensor, purpose: str, samples: list[int]) -> Tensor:
        return augmented(pictures, self.state.p, self.chance, purpose, samples)

    def adapt(self, real: float) -> None:
        """More augmentation when the discriminator knows the real pictures too well, less when not; `real` is
        the mean sign of its logits of them in the last step."""
        total, count = self.state.signs[0] + real, self.state.signs[1] + 1
        self.state.signs = (total, count)
        if self.state.steps % ADAPT_EVERY == 0:
            if self.settings.augment is None:
                change = ADAPT_EVERY * self.settings.batch / self.settings.augment_speed
                direction = (total / count > self.settings.target) - (total / count < self.settings.target)
                self.state.p = min(max(self.state.p + direction * change, 0.0), 1.0)
            self.state.signs = (0.0, 0.0)


@contextmanager
def _still(network: nn.Module) -> Iterator[None]:
    """The network as a measure only: no gradients of its parameters are computed."""
    learning = [one for one in network.parameters() if one.requires_grad]
    for one in learning:
        one.requires_grad_(False)
    try:
        yield
    finally:
        for one in learning:
            one.requires_grad_(True)
