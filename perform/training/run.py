"""A run: begins or goes on, learns step by step, keeps what it has, and stops for a reason that it tells."""

from __future__ import annotations

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from perform import __version__, generators
from perform.clock import stopwatch
from perform.networks.modelfiles import parse_config
from perform.networks.runtimes.torch.network import to_pixels
from perform.training import dcgan, discriminator, origin, stylegan2
from perform.training.chance import Chance
from perform.training.feed import Dataset, Feed, factor
from perform.training.files import Stop
from perform.training.folder import Folder
from perform.training.metrics.course import Course, Measured
from perform.training.metrics.features import network, scattering
from perform.training.settings import RunError, Settings
from perform.training.state import State, load, words
from perform.training.step import Step, optimiser
from perform.training.together import Team

LOG_EVERY = 16  # steps
KEEP_SECONDS = 300.0  # between checkpoints, at the most, where pictures are slow to come
HEAD_START = 4000  # pictures that a new discriminator learns from before a trained generator does
SHOWN = 36  # pictures on a sheet
SHOWN_AT_ONCE = 12

Metrics = Callable[[generators.Generator, Dataset], Measured]


@dataclass(frozen=True, slots=True)
class Limits:
    """When to stop: after so many pictures since the beginning, after so many minutes from now."""

    pictures: int | None = None
    minutes: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What is told of a run as it goes: pictures so far, pictures a second, and the line of the log."""

    pictures: int
    rate: float
    line: Mapping[str, float]


class Run:
    """One run in its folder. `metrics` (None: as the settings say) is called now and then with the averaged
    generator, ready to play; of the first of its figures less is better: it decides which model is kept as
    the best."""

    def __init__(
        self, folder: Path, dataset: Dataset, device: str = "cpu", metrics: Metrics | None = None
    ) -> None:
        self.folder, self.dataset, self.metrics = Folder(folder), dataset, metrics
        self.team = Team()
        self.device = torch.device(f"cuda:{self.team.local}" if device == "cuda" else device)
        self.settings: Settings
        self.state: State
        self._stop = Stop()

    def begin(
        self,
        settings: Settings,
        begun_from: Path | None = None,
        grow: bool = False,
        place: Path = Path(),
        strict: bool = False,
    ) -> None:
        """Make the folder and the first state; `place` is where the dataset is, `strict` whether what it
        begins from must have the settings' channels. RunError or ModelError when something does not fit."""
        source = origin.Origin.of(begun_from) if begun_from else None
        if grow and source is None:
            raise RunError("--grow needs --from: a run or a model of half the size")
        wanted = _module(settings).config_of(settings)
        config = origin.fitted(settings, source.weights, grow) if source else wanted
        if strict and config.channels[1:] != wanted.channels[1:]:
            raise RunError(
                f"channels {list(wanted.channels[1:])} are asked for, but {begun_from} has "
                f"{list(config.channels[1:])}: leave --channels away"
            )
        self.settings = origin.taken(settings, config)
        self._facts: dict[str, Any] = {
            "dataset": {
                "path": str(place.resolve()),
                "digest": self.dataset.digest,
                "pictures": len(self.dataset),
            },
            "from": source.words if source else "",
            "licence": source.weights.notes.get("licence", origin.ASK) if source else origin.ASK,
            "versions": versions(),
            "processes": self.team.count,
            "device": self.device.type,
        }
        self._prepare(config)
        chance = Chance(settings.seed)
        with torch.no_grad():
            self.state.generator.initialise(chance)
            if self.state.discriminator is not None:
                self.state.discriminator.initialise(chance)
            if source:
                self.state.generator.adopt(source.weights)
                self._meet(source.discriminator, grow)
        self.state.average.load_state_dict(self.state.generator.state_dict())
        self.state.p = settings.augment or 0.0
        if self.team.first:
            self.folder.begin(self.settings, self._facts)

    def _meet(self, known: Mapping[str, Any], grow: bool) -> None:
        """Take over a discriminator, if there is one that fits; a new or grown one gets a head start."""
        judge = self.state.discriminator
        if judge is None:
            return
        taken = judge.adopt(known)
        self._facts["discriminator"] = "taken over" if taken else "new"
        if self.settings.head_start is None and (grow or not taken):
            self.settings = replace(self.settings, head_start=HEAD_START)

    def resume(self) -> None:
        """Go on exactly where the newest checkpoint is. RunError when that cannot be."""
        self.settings, self._facts = self.folder.read()
        if (digest := self._facts["dataset"]["digest"]) != self.dataset.digest:
            raise RunError(
                f"the dataset has digest {self.dataset.digest}, that of the run {digest}: it was changed"
            )
        newest = self.folder.newest()
        if newest is None:
            raise RunError(f"{self.folder.path} has no checkpoint yet: begin anew in another folder")
        said = words(newest)
        self._prepare(parse_config(newest, said["kind"], said["shape"]))
        load(newest, self.state)
        if self.team.first:
            self.folder.forget(self.state.pictures)

    def _prepare(self, config: Any) -> None:
        """Networks and optimisers, all weights still 0."""
        settings, team = self.settings, self.team
        fit(settings, self.dataset)
        if settings.batch % team.count:
            raise RunError(f"batch = {settings.batch}, must be a multiple of the {team.count} processes")
        if settings.threads:
            torch.set_num_threads(settings.threads)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
            torch.backends.cudnn.benchmark = True
            torch.set_float32_matmul_precision("high")
        if self.metrics is None and team.first:
            self.metrics = Course(network(Path(settings.features)) if settings.features else scattering)
        team.gather(self.device)
        generator, judge = networks(config, settings, team.count)
        generator, judge = generator.to(self.device), judge and judge.to(self.device)
        average = networks(config, settings)[0].to(self.device).eval().requires_grad_(False)
        freeze(generator, judge, settings)
        optimisers = {"generator": optimiser(generator, settings, settings.path > 0, settings.path_every)}
        if judge is not None:
            optimisers["discriminator"] = optimiser(judge, settings, settings.penalty > 0, settings.r1_every)
        length = torch.zeros((), device=self.device)
        self.state = State(generator, average, judge, optimisers, length)

    def learn(self, limits: Limits, tell: Callable[[Report], None]) -> str:
        """Learn until a limit, a signal or a fault; the sentence says why it ended.

        RunError when a loss is not finite, OSError when there is no room: the checkpoints stay as they were.
        """
        settings, chance = self.settings, Chance(self.settings.seed)
        step = Step(self.state, settings, chance, self.team, self.device, not self._facts["from"])
        feed = Feed(self.dataset, settings.size, chance, settings.mirror, settings.teacher > 0)
        try:
            with self._stop:
                reason = self._steps(step, feed, limits, tell)
            if self._kept != self.state.pictures:
                self._keep()
        except OSError as error:
            why = error.strerror or error
            raise OSError(f"{why}; the last good state is {self.folder.newest()}") from error
        finally:
            feed.close()
        self.team.leave()
        return reason

    def _steps(self, step: Step, feed: Feed, limits: Limits, tell: Callable[[Report], None]) -> str:
        state, settings = self.state, self.settings
        began = since = stopwatch()
        self._kept, self._kept_at, marked = -1, since, state.pictures
        if state.pictures == 0:
            self._show()
            self._keep()
        while not (reason := self._over(limits, stopwatch() - began)):
            before, at = state.pictures, stopwatch()
            told = self._count(step(feed.batch(step.samples(), settings.batch)))
            if "real" in told:
                step.adapt(told["real"])
            state.seconds += stopwatch() - at
            if state.steps % LOG_EVERY == 0:
                rate = (state.pictures - marked) / max(stopwatch() - since, 1e-9)
                since, marked = stopwatch(), state.pictures
                tell(Report(state.pictures, rate, self._log(rate)))
            due = _passed(before, state.pictures, settings.snapshot_every)
            if due:
                self._show()
            if due or self.team.any(stopwatch() - self._kept_at > KEEP_SECONDS, self.device):
                self._keep()
            if _passed(before, state.pictures, settings.measure_every):
                self._measure()
        return reason

    def _over(self, limits: Limits, seconds: float) -> str:
        """Why to stop now; empty: not yet."""
        if limits.pictures is not None and self.state.pictures >= limits.pictures:
            return f"learnt from {self.state.pictures} pictures"
        late = limits.minutes is not None and seconds >= 60 * limits.minutes
        if self.team.any(late or self._stop.asked, self.device):
            why = "interrupted" if self._stop.asked else "time is up"
            return f"{why} after {self.state.pictures} pictures; --resume goes on"
        return ""

    def _count(self, told: Mapping[str, Tensor]) -> dict[str, float]:
        """Add to what is logged next; a loss that is not finite ends the run.

        All at once: each question to a GPU is a wait for all that it has to do."""
        numbers = self.team.mean(torch.stack([value.float() for value in told.values()])).tolist()
        for name, number in zip(told, numbers, strict=True):
            if not isfinite(number):
                raise RunError(self._spoilt(f"the loss of {name} is {number}"))
            total, count = self.state.tally.get(name, (0.0, 0))
            self.state.tally[name] = (total + number, count + 1)
        return dict(zip(told, numbers, strict=True))

    def _log(self, rate: float) -> Mapping[str, float]:
        state = self.state
        line = {name: total / count for name, (total, count) in state.tally.items()}
        line = {
            "pictures": state.pictures,
            **line,
            "augment": state.p,
            "seconds": state.seconds,
            "rate": rate,
        }
        state.tally.clear()
        if self.team.first:
            self.folder.add(line)
        return line

    def _keep(self) -> None:
        """A checkpoint, of a state that is sound."""
        self._kept, self._kept_at = self.state.pictures, stopwatch()
        if not self.state.finite():
            raise RunError(self._spoilt("a weight is no longer finite"))
        if self.team.first:
            self.state.average.settle(Chance(self.settings.seed))
            self.folder.keep(self.state, self._notes())

    def _spoilt(self, what: str) -> str:
        return (
            f"{what} after {self.state.pictures} pictures; the last good state is {self.folder.newest()}: "
            "begin from it with a lower --rate"
        )

    def _notes(self) -> dict[str, str]:
        begun = f", from {self._facts['from']}" if self._facts["from"] else ""
        return {
            "title": f"{self.folder.path.resolve().name}: {self.settings.kind} after "
            f"{self.state.pictures} pictures{begun}",
            "source": "perform train",
            "licence": self._facts["licence"],
            "kind": self.settings.kind,
        }

    @torch.no_grad()
    def _show(self) -> None:
        """Keep a sheet of the averaged generator's pictures."""
        if not self.team.first:
            return
        average, chance = self.state.average, Chance(self.settings.seed)
        average.settle(chance)
        z = chance.normal("show", range(SHOWN), average.config.space.z_dim).to(self.device)
        drawn: list[Any] = []
        for part in torch.split(z, SHOWN_AT_ONCE):
            drawn.extend(to_pixels(average.shown(part)).cpu().numpy())
        self.folder.show_grid(self.state.pictures, drawn)

    def _measure(self) -> None:
        """Figures of the averaged generator, to the log; the best model is kept."""
        if self.metrics is None or not self.team.first:
            return
        self.state.average.settle(Chance(self.settings.seed))
        weights = self.state.average.weights(self._notes())
        generator = generators.opened(weights, "cpu" if self.device.type == "cpu" else "auto")
        try:
            figures, sheet = self.metrics(generator, self.dataset)
        finally:
            generator.close()
        self.folder.show(f"neighbours-{self.state.pictures:09}", sheet)
        self.folder.add({"pictures": self.state.pictures, **figures})
        first = next(iter(figures.values()), None)
        if first is not None and (self.state.best is None or first < self.state.best):
            self.state.best = first
            self.folder.export(self.folder.best, weights)


def fit(settings: Settings, dataset: Dataset) -> None:
    """RunError when the settings ask for more than the dataset has."""
    factor(dataset.size, settings.size)
    if len(dataset) < 2:
        raise RunError(f"the dataset has {len(dataset)} pictures, must have 2 or more")
    if settings.teacher:
        known = dataset.latent(0)
        if known is None:
            raise RunError("teacher needs the latent of every picture, which this dataset does not have")
        if len(known) > settings.z_dim:
            raise RunError(f"z_dim = {settings.z_dim}, must be {len(known)} or more: the teacher's latents")


def _module(settings: Settings) -> Any:
    return stylegan2 if settings.kind == "stylegan2" else dcgan


def networks(config: Any, settings: Settings, processes: int = 1) -> tuple[Any, Any]:
    """Generator and discriminator; none of these where only the teacher speaks."""
    alone = settings.teacher == 1
    if settings.kind == "dcgan":
        made = dcgan.Generator(config, settings.precision, processes)
        widths = settings.judged(len(config.kernels))
        return made, None if alone else dcgan.Discriminator(config, settings.precision, widths)
    widths = settings.judged(config.blocks)
    judge = None if alone else discriminator.Discriminator(config, settings.precision, widths)
    return stylegan2.Generator(config, settings.precision), judge


def freeze(generator: Any, judge: Any, settings: Settings) -> None:
    """What is frozen takes no gradients."""
    wish = settings.freeze
    for name, parameter in generator.named_parameters():
        parameter.requires_grad_(not generator.frozen(name, wish.mapping, wish.generator))
    if not any(one.requires_grad for one in generator.parameters()):
        raise RunError("freeze leaves nothing of the generator to learn")
    if judge is not None:
        for name, parameter in judge.named_parameters():
            parameter.requires_grad_(not judge.frozen(name, wish.discriminator))


def versions() -> dict[str, str]:
    """Of what a run's figures depend on."""
    return {
        "perform": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _passed(before: int, now: int, every: int) -> bool:
    """Whether a multiple of `every` was reached on the way."""
    return before // every != now // every
