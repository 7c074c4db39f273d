"""One training step: the discriminator, the generator, their penalties now and then, the averaged generator.

A penalty is a step of its own, taken every so many steps and weighted by that number. Adam's rate and betas
are corrected, so that the result is the same as with the penalty in every step (Karras et al. 2020, Analyzing
and improving the image quality of StyleGAN, appendix B, "lazy regularization").
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import Adam

from perform.training import losses
from perform.training.augment import augment
from perform.training.checkpoint import TrainingState
from perform.training.loader import Batch
from perform.training.process_group import ProcessGroup
from perform.training.random_streams import RandomStreams
from perform.training.settings import TrainingSettings

BETAS = (0.0, 0.99)  # for a DCGAN too: with the paper's 0.5 its colours went round in circles
TEACHER_BETAS = (0.9, 0.99)  # without a discriminator nothing goes round in circles
LENGTH_DECAY = 0.01  # of the mean path length
RAMP = 0.05  # the average's half-life is at most this share of the pictures so far
ADAPT_EVERY = 4  # steps between two changes of the augmentation probability
TEACHER = 10.0  # weight of the comparison of pictures beside the adversarial loss, at equal shares


def optimiser(network: nn.Module, settings: TrainingSettings, penalised: bool, every: int) -> Adam:
    """Adam for the parameters that are not frozen, corrected for a penalty that is a step of its own."""
    share = every / (every + 1) if penalised else 1.0
    first, second = TEACHER_BETAS if settings.teacher == 1 else BETAS
    trained = [one for one in network.parameters() if one.requires_grad]
    return Adam(trained, settings.rate * share, betas=(first**share, second**share), eps=1e-8)


@dataclass
class TrainingStep:
    """Takes a batch, changes the state, and returns the losses by name."""

    state: TrainingState
    settings: TrainingSettings
    streams: RandomStreams
    group: ProcessGroup
    device: torch.device
    ramp: bool

    def __call__(self, batch: Batch) -> dict[str, Tensor]:
        """Train on this process's part of a batch."""
        state, settings = self.state, self.settings
        samples = self.samples()
        real = batch.floats(self.device)
        values: dict[str, Tensor] = {}
        if state.discriminator is not None:
            values |= self.discriminator(real, samples)
            if settings.penalty and state.steps % settings.r1_every == 0:
                values["r1"] = self.gradient_penalty(real, samples)
        if state.pictures >= (settings.head_start or 0):
            values |= self.generator(real, batch.latents, samples)
            if self._takes_path():
                values["path"] = self.path_penalty(samples[::2])
        self.average()
        state.pictures += settings.batch
        state.steps += 1
        return values

    def samples(self) -> list[int]:
        """The numbers of this process's samples in the next step."""
        return [self.state.pictures + position for position in self.group.positions(self.settings.batch)]

    def discriminator(self, real: Tensor, samples: list[int]) -> dict[str, Tensor]:
        """A step of the discriminator: real pictures against generated ones."""
        state = self.state
        discriminator = state.discriminator
        assert discriminator is not None
        with torch.no_grad():
            fake, _ = state.generator.drawn(self.streams, "fake", samples, mixing=self.settings.mixing)
        real_logits = discriminator(self._augmented(real, "real", samples))
        fake_logits = discriminator(self._augmented(fake, "fake", samples))
        loss = losses.discriminator_loss(real_logits, fake_logits)
        self._descend("discriminator", loss)
        return {"discriminator": loss.detach(), "real": real_logits.detach().sign().mean()}

    def gradient_penalty(self, real: Tensor, samples: list[int]) -> Tensor:
        """A step of R1, at the augmented pictures: torch has no second derivative of reading a grid."""
        seen = self._augmented(real, "real", samples).detach().requires_grad_(True)
        assert self.state.discriminator is not None
        penalty = losses.gradient_penalty(self.state.discriminator(seen), seen)
        weight = self.settings.penalty * self.settings.r1_every
        self._descend("discriminator", penalty * weight)
        return penalty.detach()

    def generator(self, real: Tensor, latents: Tensor | None, samples: list[int]) -> dict[str, Tensor]:
        """A step of the generator: deceive the discriminator, and draw the teacher's pictures."""
        state, settings = self.state, self.settings
        z = None if latents is None else self._completed(latents, samples)
        fake, ws = state.generator.drawn(self.streams, "generator", samples, z, settings.mixing)
        values: dict[str, Tensor] = {}
        loss = torch.zeros((), device=self.device)
        if state.discriminator is not None:
            with _without_gradients(state.discriminator):
                logits = state.discriminator(self._augmented(fake, "generator", samples))
            values["generator"] = losses.generator_loss(logits)
            loss = loss + (1 - settings.teacher) * values["generator"]
        if settings.teacher:
            values["teacher"] = losses.teacher_loss(fake, real, settings.teacher_gamma)
            loss = loss + settings.teacher * TEACHER * values["teacher"]
        self._descend("generator", loss)
        state.generator.track(self.group.mean(ws.detach()[:, 0].mean(0)) if ws.dim() == 3 else ws)
        return {name: value.detach() for name, value in values.items()}

    def _completed(self, latents: Tensor, samples: list[int]) -> Tensor:
        """z whose first values are the picture's own latent; the others are random."""
        width = self.state.generator.config.space.z_dim
        drawn = self.streams.normal("generator.rest", samples, width)
        drawn[:, : latents.shape[1]] = latents
        return drawn

    def _takes_path(self) -> bool:
        settings = self.settings
        lazy = settings.kind == "stylegan2" and settings.path > 0 and settings.teacher < 1
        return lazy and self.state.steps % settings.path_every == 0

    def path_penalty(self, samples: list[int]) -> Tensor:
        """A step of the path-length penalty: equal steps in w change the picture equally. The mean length."""
        state = self.state
        pictures, ws = state.generator.drawn(self.streams, "path", samples)
        shape = (pictures.shape[2], pictures.shape[3] * pictures.shape[1])
        (noise,) = self.streams.noise("path.direction", samples, [shape], self.device)
        lengths = losses.path_lengths(pictures, ws, noise.reshape(pictures.shape))
        mean = self.group.mean(lengths.detach().mean())
        state.length.lerp_(mean, LENGTH_DECAY if state.length > 0 else 1.0)
        penalty = (lengths - state.length).square().mean()
        self._descend("generator", penalty * self.settings.path * self.settings.path_every)
        return state.length.clone()

    def _descend(self, name: str, loss: Tensor) -> None:
        """A step of one network's optimiser along the gradients of a loss."""
        optimiser = self.state.optimisers[name]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        parameters = [one for group in optimiser.param_groups for one in group["params"]]
        if self.settings.precision == "float16":
            for one in parameters:  # an overflow must not reach the weights; the paper does the same
                if one.grad is not None:
                    torch.nan_to_num(one.grad, nan=0.0, posinf=1e5, neginf=-1e5, out=one.grad)
        self.group.average_gradients(parameters)
        optimiser.step()

    @torch.no_grad()
    def average(self) -> None:
        """Move the averaged generator towards the trained one."""
        half = self.settings.half_life
        if self.ramp:
            half = min(half, RAMP * max(self.state.pictures, 1))
        kept = 0.5 ** (self.settings.batch / max(half, 1e-8))
        averaged: list[Tensor] = [*self.state.average.parameters()]
        trained: list[Tensor] = [*self.state.generator.parameters()]
        torch._foreach_lerp_(averaged, trained, 1 - kept)
        for buffer, now in zip(self.state.average.buffers(), self.state.generator.buffers(), strict=True):
            buffer.copy_(now)

    def _augmented(self, pictures: Tensor, purpose: str, samples: list[int]) -> Tensor:
        return augment(pictures, self.state.p, self.streams, purpose, samples)

    def adapt(self, real: float) -> None:
        """Raise the augmentation probability if the discriminator knows the real pictures too well, else
        lower it; `real` is the mean sign of its logits of them in the last step."""
        total, count = self.state.signs[0] + real, self.state.signs[1] + 1
        self.state.signs = (total, count)
        if self.state.steps % ADAPT_EVERY == 0:
            if self.settings.augment is None:
                change = ADAPT_EVERY * self.settings.batch / self.settings.augment_speed
                direction = (total / count > self.settings.target) - (total / count < self.settings.target)
                self.state.p = min(max(self.state.p + direction * change, 0.0), 1.0)
            self.state.signs = (0.0, 0.0)


@contextmanager
def _without_gradients(network: nn.Module) -> Iterator[None]:
    """Compute no gradients of the network's parameters."""
    trained = [one for one in network.parameters() if one.requires_grad]
    for one in trained:
        one.requires_grad_(False)
    try:
        yield
    finally:
        for one in trained:
            one.requires_grad_(True)
