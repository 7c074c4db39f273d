"""A run from one picture: one scale after the other trains, until the run is stopped or done."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from enum import IntEnum
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.generators.singan import BASE, FIXED, Config
from perform.generators.singan.network import Scale, Synthesis, enlarged, unit
from perform.networks.runtimes.torch.network import to_pixels
from perform.networks.weights import Weights, checked_weights
from perform.sampling.sheets import join_pictures
from perform.training.files import GracefulStop
from perform.training.single import SingleSettings
from perform.training.single.pyramid import fields, read_fitted, rounded, sizes, smaller
from perform.training.single.run_folder import SingleFolder
from perform.training.single.scale import ScaleData, ScaleLosses, ScaleTrainer

ReportStep: TypeAlias = Callable[[int, int, ScaleLosses], None]  # scale, steps done, losses

LOG_EVERY = 20  # steps
SHEET_SAMPLES = 6  # random pictures on a sheet


class Stream(IntEnum):
    """What random numbers are for. Each step and scale has its own stream: a run keeps no generator state."""

    NOISE = 0
    STEP = 1
    BEGIN = 2
    POOL = 3
    SHEET = 4


class SingleRun:
    """The run in a folder, at its newest checkpoint. ValueError if there is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = SingleFolder(folder)
        self.options, self.real = options, real = self.folder.read()
        frames, channels, height, width = real.shape
        found, ground = sizes((width, height), options), options.ground[::-1]
        self.config = Config(found, (options.width,) * len(found), options.depth, channels, frames, ground)
        self.network = Synthesis(self.config)
        self.network.base.copy_(fields(real, ground))
        self.fixed = unit(torch.randn((frames, 1, *found[0]), generator=self._generator(Stream.NOISE)))
        self.scale = self.step = 0
        self._trained: dict[str, Tensor] = {}
        self._stop = GracefulStop()
        self._restore()

    def train(self, report: ReportStep = lambda scale, step, losses: None) -> bool:
        """Train until all scales are done, or until Ctrl-C; whether all are done.

        ValueError if a loss is not finite: the checkpoints stay as they were.
        """
        with self._stop:
            while not self._stop.requested:
                trainer = self._trainer()
                self._train(trainer, report)
                if self.step < self.options.steps or self.scale == self.config.scales - 1:
                    break
                self._trained, self.scale, self.step = trainer.state(), self.scale + 1, 0
        return not self._stop.requested

    def weights(self) -> Weights:
        """The model with the scales so far, two at least."""
        arrays = {name: tensor.detach().numpy() for name, tensor in self.network.state_dict().items()}
        arrays |= {FIXED: self.fixed[:, 0].numpy(), BASE: self.network.base[0].numpy()}
        count = max(self.scale + 1, 2)
        config = replace(self.config, sizes=self.config.sizes[:count], widths=self.config.widths[:count])
        what = "a picture" if config.frames == 1 else f"{config.frames} pictures"
        name = self.folder.path.resolve().name
        notes = {"title": f"{name}: singan of {what}", "source": "perform train single", "kind": "single"}
        return checked_weights(config, arrays, notes)

    def _train(self, trainer: ScaleTrainer, report: ReportStep) -> None:
        """Take the remaining steps of one scale."""
        begun, steps = stopwatch(), self.options.steps
        while self.step < steps and not self._stop.requested:
            losses = trainer.step(self.step, self._generator(Stream.STEP, self.scale, self.step))
            if not all(map(math.isfinite, losses)):
                raise ValueError(
                    f"losses {tuple(losses)} at scale {self.scale}, step {self.step}, must be finite; "
                    "the last checkpoint is kept"
                )
            self.step += 1
            if self.step == steps or self.step % LOG_EVERY == 0:
                seconds = round(stopwatch() - begun, 3)
                self.folder.add_log_line(
                    {"scale": self.scale, "step": self.step, **losses._asdict(), "seconds": seconds}
                )
            report(self.scale, self.step, losses)
            if self.step == steps or self.step % self.options.every == 0 or self._stop.requested:
                self._save(trainer)

    def _trainer(self) -> ScaleTrainer:
        """The trainer of the current scale, which begins with the weights of the scale before."""
        scale = self._module(self.scale)
        trainer = ScaleTrainer(scale, self._data(scale), self.options)
        if self.step:
            trainer.restore(self._trained)
            return trainer
        trainer.begin(self._generator(Stream.BEGIN, self.scale))
        if self.scale:
            before = self._module(self.scale - 1).state_dict()
            scale.load_state_dict({**before, "amplitude": scale.amplitude})
            trainer.restore({name: t for name, t in self._trained.items() if name.startswith("critic.")})
        return trainer

    @torch.no_grad()
    def _data(self, scale: Scale) -> ScaleData:
        """The scale's training data; sets the strength of its noise. That is a share of the reconstruction's
        error (the paper's section 3); at the coarsest scale it is the whole error of the ground, so that the
        ground remains visible through the noise."""
        n, channels, pool = self.scale, self.config.image_channels, self.options.pool
        size = self.config.sizes[n]
        real = smaller(self.real, size)
        if n == 0:
            ground = enlarged(self.network.base, size)
            scale.amplitude.copy_((ground - real).square().mean().sqrt())
            fixed = self.fixed.expand(-1, channels, -1, -1) * scale.amplitude
            before, base = ground.expand(pool, -1, -1, -1), ground.expand_as(real)
            return ScaleData(real, before, base, fixed, alike=True)
        base = enlarged(self.reconstruct(n), size)
        scale.amplitude.copy_(self.options.noise * (base - real).square().mean().sqrt())
        random = self._generator(Stream.POOL, n)
        drawn = [enlarged(self._sample(n, random), size) for _ in range(pool)]
        return ScaleData(real, torch.cat(drawn), base, torch.zeros_like(real))

    def reconstruct(self, scales: int) -> Tensor:
        """The training pictures [frames, c, h, w] as these scales make them from the fixed noise."""
        return self._generate(scales, self.fixed, None)

    def _sample(self, scales: int, random: torch.Generator) -> Tensor:
        """A random picture of the first so many scales."""
        return self._generate(scales, unit(torch.randn(self.fixed[:1].shape, generator=random)), random)

    @torch.no_grad()
    def _generate(self, scales: int, layout: Tensor, random: torch.Generator | None) -> Tensor:
        noise = layout.expand(-1, self.config.image_channels, -1, -1)
        first = self._module(0)
        picture: Tensor = first(noise * first.amplitude, enlarged(self.network.base, self.config.sizes[0]))
        for n in range(1, scales):
            scale, before = self._module(n), enlarged(picture, self.config.sizes[n])
            white = torch.zeros(()) if random is None else torch.randn(before.shape, generator=random)
            picture = scale(white * scale.amplitude, before)
        return picture

    def _module(self, n: int) -> Scale:
        module = self.network.get_submodule(f"scale{n}")
        assert isinstance(module, Scale)
        return module

    def _generator(self, purpose: Stream, *numbers: int) -> torch.Generator:
        seeds = np.random.SeedSequence([self.options.seed, int(purpose), *numbers])
        return torch.Generator().manual_seed(int(seeds.generate_state(1, np.uint64)[0]) % 2**63)

    def _save(self, trainer: ScaleTrainer) -> None:
        """Write a checkpoint, the model, and a sheet of its pictures."""
        named = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        named |= {f"learner.{name}": tensor for name, tensor in trainer.state().items()}
        self.folder.save(self.scale, self.step, named)
        if self.scale:
            self.folder.export(self.folder.latest, self.weights())
        self.folder.save_sheet(f"{self.scale}-{self.step:06}", self._sheet(trainer.data.real))

    def _sheet(self, real: Tensor) -> Pixels:
        """The training picture, its reconstruction, and random pictures."""
        random, count = self._generator(Stream.SHEET), self.scale + 1
        samples = [self._sample(count, random) for _ in range(SHEET_SAMPLES)]
        drawn = [*to_pixels(torch.cat([real[:1], self.reconstruct(count)[:1], *samples])).numpy()]
        return join_pictures([join_pictures(drawn[:4], 1), join_pictures(drawn[4:], 1)], 0)

    def _restore(self) -> None:
        """Load the newest checkpoint. ValueError if it is of another run."""
        found = self.folder.newest()
        if found is None:
            return
        self.scale, self.step, named = found
        own = {name[8:]: tensor for name, tensor in named.items() if name.startswith("network.")}
        try:
            self.network.load_state_dict(own)
        except RuntimeError as error:
            raise ValueError(f"{self.folder.path} has a checkpoint of another run") from error
        self._trained = {name[8:]: tensor for name, tensor in named.items() if name.startswith("learner.")}
        self.folder.rewind(self.scale, self.step)


def open_run(pictures: Sequence[Path], folder: Path, given: Mapping[str, Any]) -> SingleRun:
    """The run of a folder, or a new one of `pictures`, with the given settings.

    ValueError if a picture or a setting is invalid, or differs from the run's.
    """
    if not SingleFolder(folder).begun:
        return begin_run(pictures, folder, SingleSettings(**given))
    run = SingleRun(folder)
    settings = {**asdict(run.options), "size": tuple(run.real.shape[:1:-1])}
    for name, value in given.items():
        if settings[name] != value:
            raise ValueError(f"{name} = {value}, but the run in {folder} was begun with {settings[name]}")
    if pictures:
        wanted = read_fitted(pictures, settings["size"])
        if not torch.equal(rounded(wanted), rounded(run.real)):
            raise ValueError(f"the run in {folder} has another picture; give another folder")
    return run


def begin_run(pictures: Sequence[Path], folder: Path, options: SingleSettings) -> SingleRun:
    """A new run in a folder. ValueError if a picture is invalid."""
    if not pictures:
        raise ValueError(f"{folder} has no run; give a picture to begin one")
    SingleFolder(folder).begin(options, read_fitted(pictures, options.size))
    return SingleRun(folder)
