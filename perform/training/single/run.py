"""A run: a folder from which it can be seen, gone on with after a kill at any moment, and repeated.

run.json (the options), picture0.png … (what is learnt, at the finest size), checkpoint.safetensors (whole, or
the one before), log.jsonl (a line now and then), samples/, and at the end model.safetensors, to be played.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor

from perform.clock import stopwatch
from perform.generators import Pixels
from perform.generators.singan import FIXED, Config
from perform.generators.singan.network import Scale, Synthesis, enlarged, unit
from perform.generators.weights import Weights, checked, write
from perform.models.sample import png_of
from perform.training.single import Options
from perform.training.single.pyramid import fitted, read, sizes, smaller
from perform.training.single.scale import Learner, Losses, Material

Report: TypeAlias = Callable[[int, int, Losses], None]  # scale, steps done, losses

LOGGED = 20  # steps from one line to the next
SHOWN = 6  # pictures on a sheet, beside the learnt one and what the fixed noise gives
POOLED = 4  # pictures at once, to keep the memory small
CHECKPOINT, MODEL, OPTIONS = "checkpoint.safetensors", "model.safetensors", "run.json"
KIND = "single"


class Run:
    """A run at the state that its folder has."""

    def __init__(self, folder: Path, options: Options, real: Tensor) -> None:
        self.folder, self.options, self.real = folder, options, real
        frames, channels, height, width = real.shape
        found = sizes((width, height), options)
        self.config = Config(found, (options.width,) * len(found), options.depth, channels, frames)
        self.network = Synthesis(self.config)
        self.fixed = unit(torch.randn((frames, 1, *found[0]), generator=self._draw(0)))
        self.scale = self.step = 0
        self._learnt: dict[str, Tensor] = {}
        if (folder / CHECKPOINT).exists():
            self._restore()

    def train(self, report: Report = lambda scale, step, losses: None) -> Path:
        """Learn what is left to be learnt; the model's file. FloatingPointError when a loss is no number:
        the checkpoint is then the last good one."""
        while True:
            learner = self._learner()
            self._scale(learner, report)
            if self.scale == self.config.scales - 1:
                break
            self._learnt, self.scale, self.step = learner.state(), self.scale + 1, 0
        write(self.folder / MODEL, self.weights())
        return self.folder / MODEL

    def weights(self) -> Weights:
        """The network as it is now, to be played."""
        arrays = {name: tensor.detach().numpy() for name, tensor in self.network.state_dict().items()}
        title = f"learnt from {self.config.frames} picture" + "s" * (self.config.frames > 1)
        return checked(self.config, {**arrays, FIXED: self.fixed[:, 0].numpy()}, {"title": title})

    def _scale(self, learner: Learner, report: Report) -> None:
        """The steps of one scale that are left."""
        begun = stopwatch()
        while self.step < self.options.steps:
            losses = learner.step(self.step, self._draw(1, self.scale, self.step))
            if not all(map(math.isfinite, losses)):
                raise FloatingPointError(
                    f"scale {self.scale}, step {self.step}: the losses are {tuple(losses)}, must be finite; "
                    "the last checkpoint is kept"
                )
            self.step += 1
            last = self.step == self.options.steps
            if last or self.step % LOGGED == 0:
                self._log(losses, stopwatch() - begun)
                report(self.scale, self.step, losses)
            if last or self.step % self.options.every == 0:
                self._keep(learner)

    def _learner(self) -> Learner:
        """The scale that is being learnt; at its beginning it is as the one before was at its end."""
        scale = self._module(self.scale)
        learner = Learner(scale, self._material(scale), self.options)
        if self.step:
            learner.restore(self._learnt)
            return learner
        learner.begin(self._draw(2, self.scale))
        if self.scale:
            before = self._module(self.scale - 1).state_dict()
            scale.load_state_dict({**before, "amplitude": scale.amplitude})
            learner.restore({name: t for name, t in self._learnt.items() if name.startswith("critic.")})
        return learner

    @torch.no_grad()
    def _material(self, scale: Scale) -> Material:
        """What the scale learns from, and how strong its noise is: as what is missing in the picture that
        the fixed noise gives (the paper's section 3)."""
        n, channels = self.scale, self.config.image_channels
        real = smaller(self.real, self.config.sizes[n])
        if n == 0:
            fixed = self.fixed.expand(-1, channels, -1, -1)
            nothing = torch.zeros_like(real)
            return Material(real, nothing[:1].expand(self.options.pool, -1, -1, -1), nothing, fixed)
        told = enlarged(self._told(n), self.config.sizes[n])
        scale.amplitude.copy_(self.options.noise * (told - real).square().mean().sqrt())
        draw = self._draw(3, n)
        pool = [enlarged(self._free(n, draw), self.config.sizes[n]) for _ in range(self.options.pool)]
        return Material(real, torch.cat(pool), told, torch.zeros_like(real))

    def _told(self, scales: int) -> Tensor:
        """What the first so many scales make of the fixed noise."""
        return self._made(scales, self.fixed, None)

    def _free(self, scales: int, draw: torch.Generator) -> Tensor:
        """A picture that the first so many scales make."""
        return self._made(scales, unit(torch.randn(self.fixed[:1].shape, generator=draw)), draw)

    @torch.no_grad()
    def _made(self, scales: int, layout: Tensor, draw: torch.Generator | None) -> Tensor:
        noise = layout.expand(-1, self.config.image_channels, -1, -1)
        picture: Tensor = self._module(0)(noise, torch.zeros_like(noise))
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
        """Chance that belongs to the run's seed and a place in it, so that no state of it is kept."""
        state = np.random.SeedSequence([self.options.seed, *what]).generate_state(1, np.uint64)[0]
        return torch.Generator().manual_seed(int(state) % 2**63)

    def _log(self, losses: Losses, seconds: float) -> None:
        line = {"scale": self.scale, "step": self.step, "seconds": round(seconds, 3), **losses._asdict()}
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def _keep(self, learner: Learner) -> None:
        """Write the checkpoint, and a sheet of what is made now."""
        from safetensors.torch import save_file

        named = {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        named |= {f"learner.{name}": tensor for name, tensor in learner.state().items()}
        partial = self.folder / (CHECKPOINT + ".part")
        save_file(named, partial, {"scale": str(self.scale), "step": str(self.step)})
        partial.replace(self.folder / CHECKPOINT)
        file = self.folder / "samples" / f"scale{self.scale}-step{self.step:06}.png"
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(png_of(self._sheet(learner.material.real)))

    def _sheet(self, real: Tensor) -> Pixels:
        """The learnt picture, what the fixed noise gives, and free ones, beside each other."""
        draw = self._draw(4)
        free = [self._free(self.scale + 1, draw) for _ in range(SHOWN)]
        row = torch.cat([real[:1], self._told(self.scale + 1)[:1], *free]).permute(2, 0, 3, 1).flatten(1, 2)
        pixels: Pixels = (row * 127.5 + 128).clamp(0, 255).to(torch.uint8).numpy()
        return pixels

    def _restore(self) -> None:
        """Take up the checkpoint. ValueError when it is not of this run."""
        from safetensors import SafetensorError, safe_open

        file = self.folder / CHECKPOINT
        try:
            with safe_open(str(file), framework="pt") as stored:
                told = stored.metadata() or {}
                named = {name: stored.get_tensor(name) for name in stored.keys()}  # noqa: SIM118 - no mapping
            own = {name[8:]: tensor for name, tensor in named.items() if name.startswith("network.")}
            self.network.load_state_dict(own)
            self.scale, self.step = int(told["scale"]), int(told["step"])
        except (SafetensorError, OSError, RuntimeError, KeyError, ValueError) as error:
            raise ValueError(
                f"{file} is not a checkpoint of this run: {str(error).splitlines()[0]}"
            ) from error
        self._learnt = {name[8:]: tensor for name, tensor in named.items() if name.startswith("learner.")}


def opened(pictures: Sequence[Path], folder: Path, given: Mapping[str, Any]) -> Run:
    """The run of a folder, or a new one that learns `pictures`, with the options that are given.

    ValueError when a picture or an option is not as it must be, or is another than the run's.
    """
    if not (folder / OPTIONS).exists():
        return begin(pictures, folder, Options(**given))
    run = resume(folder)
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
    real = rounded(fitted([*map(read, pictures)], options.size))
    folder.mkdir(parents=True, exist_ok=True)
    for i, picture in enumerate(real):
        (folder / f"picture{i}.png").write_bytes(png_of(picture.permute(1, 2, 0).numpy()))
    told = {"kind": KIND, "frames": len(real), "options": asdict(replace(options, size=None))}
    partial = folder / (OPTIONS + ".part")
    partial.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    partial.replace(folder / OPTIONS)
    return resume(folder)


def resume(folder: Path) -> Run:
    """A run as its folder has it. ValueError when it cannot be gone on with."""
    file = folder / OPTIONS
    try:
        told = json.loads(file.read_text(encoding="utf-8"))
        if told["kind"] != KIND:
            raise ValueError(f"it is a run of kind {told['kind']!r}, must be {KIND!r}")
        options, frames = Options(**told["options"]), int(told["frames"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{file} cannot be gone on with: {error}") from error
    pictures = [read(folder / f"picture{i}.png") for i in range(frames)]
    height, width = pictures[0].shape[:2]
    return Run(folder, options, fitted(pictures, (width, height)))


def rounded(pictures: Tensor) -> Tensor:
    """Pictures of -1..1 as bytes."""
    return ((pictures + 1) * 127.5).round().to(torch.uint8)
