"""A run: one scale after the other learns, until it is stopped or done."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
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
from perform.training.files import Stop
from perform.training.single import Options
from perform.training.single.folder import Folder
from perform.training.single.pyramid import fields, fitted, read, rounded, sizes, smaller
from perform.training.single.scale import Learner, Losses, Material

Report: TypeAlias = Callable[[int, int, Losses], None]  # scale, steps done, losses

LOGGED = 20  # steps from one line to the next
SHOWN = 6  # free pictures on a sheet
# What chance is for; each step and scale draws from a stream of its own, so that no state of it is kept.
NOISE, STEP, BEGIN, POOL, SHEET = range(5)


class Run:
    """A run at the state that its folder has. ValueError when there is none."""

    def __init__(self, folder: Path) -> None:
        self.folder = Folder(folder)
        self.options, self.real = options, real = self.folder.read()
        frames, channels, height, width = real.shape
        found, ground = sizes((width, height), options), options.ground[::-1]
        self.config = Config(found, (options.width,) * len(found), options.depth, channels, frames, ground)
        self.network = Synthesis(self.config)
        self.network.base.copy_(fields(real, ground))
        self.fixed = unit(torch.randn((frames, 1, *found[0]), generator=self._draw(NOISE)))
        self.scale = self.step = 0
        self._learnt: dict[str, Tensor] = {}
        self._stop = Stop()
        self._restore()

    def train(self, report: Report = lambda scale, step, losses: None) -> bool:
        """Learn what is left, or until Ctrl-C; whether all is learnt.

        ValueError when a loss is no number: the checkpoints are then those of before.
        """
        with self._stop:
            while not self._stop.asked:
                learner = self._learner()
                self._learn(learner, report)
                if self.step < self.options.steps or self.scale == self.config.scales - 1:
                    break
                self._learnt, self.scale, self.step = learner.state(), self.scale + 1, 0
        return not self._stop.asked

    def weights(self) -> Weights:
        """The network with the scales so far, two at least, to be played."""
        arrays = {name: tensor.detach().numpy() for name, tensor in self.network.state_dict().items()}
        arrays |= {FIXED: self.fixed[:, 0].numpy(), BASE: self.network.base[0].numpy()}
        count = max(self.scale + 1, 2)
        config = replace(self.config, sizes=self.config.sizes[:count], widths=self.config.widths[:count])
        what = "a picture" if config.frames == 1 else f"{config.frames} pictures"
        name = self.folder.path.resolve().name
        notes = {"title": f"{name}: singan of {what}", "source": "perform train single", "kind": "single"}
        return checked_weights(config, arrays, notes)

    def _learn(self, learner: Learner, report: Report) -> None:
        """The steps of one scale that are left."""
        begun, steps = stopwatch(), self.options.steps
        while self.step < steps and not self._stop.asked:
            losses = learner.step(self.step, self._draw(STEP, self.scale, self.step))
            if not all(map(math.isfinite, losses)):
                raise ValueError(
                    f"losses {tuple(losses)} at scale {self.scale}, step {self.step}, must be finite; "
                    "the last checkpoint is kept"
                )
            self.step += 1
            if self.step == steps or self.step % LOGGED == 0:
                seconds = round(stopwatch() - begun, 3)
                self.folder.add(
                    {"scale": self.scale, "step": self.step, **losses._asdict(), "seconds": seconds}
                )
                report(self.scale, self.step, losses)
            if self.step == steps or self.step % self.options.every == 0 or self._stop.asked:
                self._keep(learner)

    def _learner(self) -> Learner:
        """The scale that is being learnt; at its beginning it is as the one before was at its end."""
        scale = self._module(self.scale)
        learner = Learner(scale, self._material(scale), self.options)
        if self.step:
            learner.restore(self._learnt)
            return learner
        learner.begin(self._draw(BEGIN, self.scale))
        if self.scale:
            before = self._module(self.scale - 1).state_dict()
            scale.load_state_dict({**before, "amplitude": scale.amplitude})
            learner.restore({name: t for name, t in self._learnt.items() if name.startswith("critic.")})
        return learner

    @torch.no_grad()
    def _material(self, scale: Scale) -> Material:
        """What the scale learns from, and how strong its noise is: a share of what is missing in the picture
        that the fixed noise gives (the paper's section 3), at the coarsest all that the ground lacks, so that
        the ground stays to be seen through it."""
        n, channels, pool = self.scale, self.config.image_channels, self.options.pool
        size = self.config.sizes[n]
        real = smaller(self.real, size)
        if n == 0:
            ground = enlarged(self.network.base, size)
            scale.amplitude.copy_((ground - real).square().mean().sqrt())
            fixed = self.fixed.expand(-1, channels, -1, -1) * scale.amplitude
            before, told = ground.expand(pool, -1, -1, -1), ground.expand_as(real)
            return Material(real, before, told, fixed, alike=True)
        told = enlarged(self.told(n), size)
        scale.amplitude.copy_(self.options.noise * (told - real).square().mean().sqrt())
        draw = self._draw(POOL, n)
        drawn = [enlarged(self._free(n, draw), size) for _ in range(pool)]
        return Material(real, torch.cat(drawn), told, torch.zeros_like(real))

    def told(self, scales: int) -> Tensor:
        """What the first so many scales make of the fixed noise [frames, c, h, w]: the learnt pictures."""
        return self._made(scales, self.fixed, None)

    def _free(self, scales: int, draw: torch.Generator) -> Tensor:
        """A picture that the first so many scales make."""
        return self._made(scales, unit(torch.randn(self.fixed[:1].shape, generator=draw)), draw)

    @torch.no_grad()
    def _made(self, scales: int, layout: Tensor, draw: torch.Generator | None) -> Tensor:
        noise = layout.expand(-1, self.config.image_channels, -1, -1)
        first = self._module(0)
        picture: Tensor = first(noise * first.amplitude, enlarged(self.network.base, self.config.sizes[0]))
        for n in range(1, scales):
            scale, before = self._module(n), enlarged(picture, self.config.sizes[n])
            white = torch.zeros(()) if draw is None else torch.randn(before.shape, generator=draw)
            picture = scale(white * scale.amplitude, before)
        return picture

    def _module(self, n: int) -> Scale:
        module = self.network.get_submodule(f"scale{n}")
        assert isinstance(module, Scale)
        return module

    def _draw(self, *what: int) -> torch.Generator:
        state = np.random.SeedSequence([self.options.seed, *what]).generate_state(1, np.uint64)[0]
        return torch.Generator().manual_seed(int(state) % 2**63)

    def _keep(self, learner: Learner) -> None:
        """A checkpoint, the model as it is now, and a sheet of its pictures."""
        named = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        named |= {f"learner.{name}": tensor for name, tensor in learner.state().items()}
        self.folder.keep(self.scale, self.step, named)
        if self.scale:
            self.folder.export(self.folder.latest, self.weights())
        self.folder.show(f"{self.scale}-{self.step:06}", self._sheet(learner.material.real))

    def _sheet(self, real: Tensor) -> Pixels:
        """The learnt picture, what the fixed noise gives, and free ones."""
        draw, count = self._draw(SHEET), self.scale + 1
        free = [self._free(count, draw) for _ in range(SHOWN)]
        drawn = [*to_pixels(torch.cat([real[:1], self.told(count)[:1], *free])).numpy()]
        return join_pictures([join_pictures(drawn[:4], 1), join_pictures(drawn[4:], 1)], 0)

    def _restore(self) -> None:
        """Take up the newest checkpoint. ValueError when it is not of this run."""
        found = self.folder.newest()
        if found is None:
            return
        self.scale, self.step, named = found
        own = {name[8:]: tensor for name, tensor in named.items() if name.startswith("network.")}
        try:
            self.network.load_state_dict(own)
        except RuntimeError as error:
            raise ValueError(f"{self.folder.path} has a checkpoint of another run") from error
        self._learnt = {name[8:]: tensor for name, tensor in named.items() if name.startswith("learner.")}
        self.folder.forget(self.scale, self.step)


def opened(pictures: Sequence[Path], folder: Path, given: Mapping[str, Any]) -> Run:
    """The run of a folder, or a new one that learns `pictures`, with the options that are given.

    ValueError when a picture or an option is not as it must be, or is another than the run's.
    """
    if not Folder(folder).begun:
        return begin(pictures, folder, Options(**given))
    run = Run(folder)
    told: dict[str, Any] = {**asdict(run.options), "size": tuple(run.real.shape[:1:-1])}
    for name, value in given.items():
        if told[name] != value:
            raise ValueError(f"{name} = {value}, but the run in {folder} was begun with {told[name]}")
    if pictures and not torch.equal(rounded(fitted([*map(read, pictures)], told["size"])), rounded(run.real)):
        raise ValueError(f"the run in {folder} learns another picture; another folder must be given")
    return run


def begin(pictures: Sequence[Path], folder: Path, options: Options) -> Run:
    """A new run in a folder. ValueError when a picture is not as it must be."""
    if not pictures:
        raise ValueError(f"{folder} has no run, a picture must be given to begin one")
    Folder(folder).begin(options, fitted([*map(read, pictures)], options.size))
    return Run(folder)
