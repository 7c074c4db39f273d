"""A training run: begins or resumes, takes step after step, writes checkpoints, and says why it stops."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from perform import __version__, faults, generators
from perform.arrays import Pixels
from perform.clock import stopwatch
from perform.networks.modelfiles import parse_config
from perform.networks.runtimes.torch.network import to_pixels
from perform.networks.weights import Arrays
from perform.training.checkpoint import TrainingState, checkpoint_metadata, load_checkpoint
from perform.training.files import GracefulStop
from perform.training.loader import DataLoader, PictureDataset, shrink_factor
from perform.training.metrics.evaluator import Evaluator, Measurement
from perform.training.metrics.features import network_features, scattering
from perform.training.networks import TrainedConfig, build_networks, freeze, network_config
from perform.training.pretrained import (
    UNKNOWN_LICENCE,
    Pretrained,
    adapted_settings,
    compatible_config,
)
from perform.training.process_group import ProcessGroup
from perform.training.random_streams import RandomStreams
from perform.training.run_folder import TrainingFolder
from perform.training.settings import RunError, TrainingSettings
from perform.training.step import TrainingStep, optimiser

LOG_EVERY = 16  # steps
CHECKPOINT_SECONDS = 300.0  # at most between two checkpoints, however slow the training is
HEAD_START = 4000  # pictures that a new discriminator sees before a pretrained generator trains
SHEET_PICTURES = 36  # pictures on a sheet
SHEET_BATCH = 12

ReportLine = Callable[[Mapping[str, float]], None]  # the newest line of the log
ReportStep = Callable[[int], None]  # the pictures after each step
Measure = Callable[[generators.Generator, PictureDataset], Measurement]


@dataclass(frozen=True, slots=True)
class StopConditions:
    """When to stop: after so many pictures since the beginning, or so many minutes from now."""

    pictures: int | None = None
    minutes: float | None = None


class TrainingRun:
    """One run in its folder.

    `metrics` measures the averaged generator every so many pictures (None: as the settings say). The model
    whose first figure is lowest is the best one.
    """

    def __init__(
        self, folder: Path, dataset: PictureDataset, device: str = "cpu", metrics: Measure | None = None
    ) -> None:
        self.folder, self.dataset, self.metrics = TrainingFolder(folder), dataset, metrics
        self.group = ProcessGroup()
        self.device = torch.device(f"cuda:{self.group.local}" if device == "cuda" else device)
        self.settings: TrainingSettings
        self.state: TrainingState
        self._stop = GracefulStop()

    def begin(
        self,
        settings: TrainingSettings,
        begun_from: Path | None = None,
        grow: bool = False,
        place: Path = Path(),
        strict: bool = False,
    ) -> None:
        """Make the folder and the first state. `place` is the dataset's folder; with `strict` the model that
        it begins from must have the settings' channels. RunError or ModelError if something does not fit."""
        source = Pretrained.of(begun_from) if begun_from else None
        if grow and source is None:
            raise RunError("--grow needs --from: a run or a model of half the size")
        wanted = network_config(settings)
        config = wanted
        if source:
            try:
                config = compatible_config(settings, source.weights, grow)
            except RunError as error:
                raise RunError(f"--from {begun_from}: {error}") from error
        if strict and config.channels[1:] != wanted.channels[1:]:
            raise RunError(
                f"channels {list(wanted.channels[1:])} are asked for, but {begun_from} has "
                f"{list(config.channels[1:])}: leave --channels away"
            )
        self.settings = adapted_settings(settings, config)
        self._facts = self._facts_of(source, place)
        self._build(config)
        streams = RandomStreams(settings.seed)
        with torch.no_grad():
            self.state.generator.initialise(streams)
            if self.state.discriminator is not None:
                self.state.discriminator.initialise(streams)
            if source:
                self.state.generator.adopt(source.weights)
                self._adopt_discriminator(source.discriminator, grow)
        self.state.average.load_state_dict(self.state.generator.state_dict())
        self.state.p = settings.augment or 0.0
        if self.group.is_main:
            self.folder.begin(self.settings, self._facts)

    def _facts_of(self, source: Pretrained | None, place: Path) -> dict[str, Any]:
        """The facts in run.json besides the settings."""
        return {
            "dataset": {
                "path": str(place.resolve()),
                "from_run": os.path.relpath(place.resolve(), self.folder.path.resolve()),
                "digest": self.dataset.digest,
                "pictures": len(self.dataset),
            },
            "from": source.description if source else "",
            "licence": source.weights.notes.get("licence", UNKNOWN_LICENCE) if source else UNKNOWN_LICENCE,
            "versions": versions(),
            "processes": self.group.count,
            "device": self.device.type,
        }

    def _adopt_discriminator(self, tensors: Arrays, grow: bool) -> None:
        """Take over the tensors of a discriminator that fit; a new or grown one gets a head start."""
        discriminator = self.state.discriminator
        if discriminator is None:
            return
        adopted = discriminator.adopt(tensors)
        self._facts["discriminator"] = "taken over" if adopted else "new"
        if self.settings.head_start is None and (grow or not adopted):
            self.settings = replace(self.settings, head_start=HEAD_START)

    def resume(self) -> None:
        """Go on exactly from the newest checkpoint. RunError if it does not fit."""
        self.settings, self._facts = self.folder.read()
        if (digest := self._facts["dataset"]["digest"]) != self.dataset.digest:
            raise RunError(
                f"the dataset has digest {self.dataset.digest}, that of the run {digest}: it was changed"
            )
        newest = self.folder.newest()
        if newest is None:
            raise RunError(f"{self.folder.path} has no checkpoint yet: give the command again that began it")
        metadata = checkpoint_metadata(newest)
        config = parse_config(newest, metadata["kind"], metadata["shape"])
        if not isinstance(config, TrainedConfig):
            raise RunError(f"{newest} is of a {config.family}, which is not trained here")
        self._build(config)
        load_checkpoint(newest, self.state)
        if self.group.is_main:
            self.folder.rewind(self.state.pictures)

    def _build(self, config: TrainedConfig) -> None:
        """Build networks and optimisers; all weights are still 0."""
        settings, group = self.settings, self.group
        check_dataset(settings, self.dataset)
        if settings.batch % group.count:
            raise RunError(f"batch = {settings.batch}, must be a multiple of the {group.count} processes")
        if settings.threads:
            torch.set_num_threads(settings.threads)
        if self.device.type == "cuda":
            torch.cuda.set_device(self.device)
            torch.backends.cudnn.benchmark = True
            torch.set_float32_matmul_precision("high")
        if self.metrics is None and group.is_main:
            self.metrics = Evaluator(
                network_features(Path(settings.features)) if settings.features else scattering
            )
        group.join(self.device)
        generator, discriminator = build_networks(config, settings, group.count)
        average = build_networks(config, settings)[0].to(self.device).eval().requires_grad_(False)
        generator.to(self.device)
        freeze(generator, discriminator, settings)
        optimisers = {"generator": optimiser(generator, settings, settings.path > 0, settings.path_every)}
        if discriminator is not None:
            discriminator.to(self.device)
            penalised = settings.penalty > 0
            optimisers["discriminator"] = optimiser(discriminator, settings, penalised, settings.r1_every)
        length = torch.zeros((), device=self.device)
        self.state = TrainingState(generator, average, discriminator, optimisers, length)

    @property
    def interrupted(self) -> bool:
        """Whether a signal asked it to stop."""
        return self._stop.requested

    def learn(
        self, limits: StopConditions, report: ReportLine, passed: ReportStep = lambda pictures: None
    ) -> str:
        """Train until a limit, a signal or a fault; returns the reason as a sentence.

        RunError if a loss is not finite, OSError if the disk is full: the checkpoints stay as they were.
        """
        settings, streams = self.settings, RandomStreams(self.settings.seed)
        step = TrainingStep(self.state, settings, streams, self.group, self.device, not self._facts["from"])
        loader = DataLoader(self.dataset, settings, streams)
        try:
            with self._stop:
                reason = self._steps(step, loader, limits, report, passed)
            if self._saved != self.state.pictures:
                self._save()
                self._save_sheet()
        except OSError as error:
            newest = self.folder.newest()
            kept = f"the last good state is {newest}" if newest else "nothing was saved before"
            raise OSError(f"{faults.reason(error)}; {kept}") from error
        finally:
            loader.close()
        self.group.leave()
        return reason

    def _steps(
        self,
        step: TrainingStep,
        loader: DataLoader,
        limits: StopConditions,
        report: ReportLine,
        passed: ReportStep,
    ) -> str:
        state, settings = self.state, self.settings
        began = since = stopwatch()
        self._saved, self._saved_at, marked = -1, since, state.pictures
        if state.pictures == 0:
            self._save_sheet()
            self._save()
        while not (reason := self._reason_to_stop(limits, stopwatch() - began)):
            before, at = state.pictures, stopwatch()
            numbers = self._tally(step(loader.batch(step.samples(), settings.batch)))
            if "real" in numbers:
                step.adapt(numbers["real"])
            state.seconds += stopwatch() - at
            passed(state.pictures)
            if state.steps % LOG_EVERY == 0:
                rate = (state.pictures - marked) / max(stopwatch() - since, 1e-9)
                since, marked = stopwatch(), state.pictures
                report(self._log(rate))
            due = _passed(before, state.pictures, settings.snapshot_every)
            if due:
                self._save_sheet()
            if due or self.group.any(stopwatch() - self._saved_at > CHECKPOINT_SECONDS, self.device):
                self._save()
            if _passed(before, state.pictures, settings.measure_every):
                self._measure()
        return reason

    def _reason_to_stop(self, limits: StopConditions, seconds: float) -> str:
        """Why to stop now; empty to go on."""
        if limits.pictures is not None and self.state.pictures >= limits.pictures:
            return f"learnt from {self.state.pictures} pictures"
        late = limits.minutes is not None and seconds >= 60 * limits.minutes
        if self.group.any(late or self._stop.requested, self.device):
            why = "interrupted" if self._stop.requested else "time is up"
            return f"{why} after {self.state.pictures} pictures"
        return ""

    def _tally(self, values: Mapping[str, Tensor]) -> dict[str, float]:
        """Add losses to the next line of the log; one that is not finite ends the run.

        The GPU is asked once for all of them, because each question waits for its whole queue.
        """
        numbers = self.group.mean(torch.stack([value.float() for value in values.values()])).tolist()
        for name, number in zip(values, numbers, strict=True):
            if not isfinite(number):
                raise RunError(self._diverged(f"the loss of {name} is {number}"))
            total, count = self.state.tally.get(name, (0.0, 0))
            self.state.tally[name] = (total + number, count + 1)
        return dict(zip(values, numbers, strict=True))

    def _log(self, rate: float) -> Mapping[str, float]:
        state = self.state
        means = {name: total / count for name, (total, count) in state.tally.items()}
        now = {"augment": state.p, "seconds": state.seconds, "rate": rate}
        line = {"pictures": state.pictures, **means, **now}
        state.tally.clear()
        if self.group.is_main:
            self.folder.add_log_line(line)
        return line

    def _save(self) -> None:
        """Write a checkpoint; RunError if a weight is not finite."""
        self._saved, self._saved_at = self.state.pictures, stopwatch()
        if not self.state.finite():
            raise RunError(self._diverged("a weight is no longer finite"))
        if self.group.is_main:
            self.state.average.calibrate(RandomStreams(self.settings.seed))
            self.folder.save(self.state, self._notes())

    def _diverged(self, what: str) -> str:
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
    def _save_sheet(self) -> None:
        """Write a sheet of the averaged generator's pictures."""
        if not self.group.is_main:
            return
        average, streams = self.state.average, RandomStreams(self.settings.seed)
        average.calibrate(streams)
        z = streams.normal("show", range(SHEET_PICTURES), average.config.space.z_dim).to(self.device)
        drawn: list[Pixels] = []
        for part in torch.split(z, SHEET_BATCH):
            drawn.extend(to_pixels(average.shown(part)).cpu().numpy())
        self.folder.save_grid(self.state.pictures, drawn)

    def _measure(self) -> None:
        """Write the figures of the averaged generator to the log, and the model if it is the best so far."""
        if self.metrics is None or not self.group.is_main:
            return
        self.state.average.calibrate(RandomStreams(self.settings.seed))
        weights = self.state.average.weights(self._notes())
        generator = generators.open(weights, "cpu" if self.device.type == "cpu" else "auto")
        try:
            figures, sheet = self.metrics(generator, self.dataset)
        finally:
            generator.close()
        self.folder.save_sheet(f"neighbours-{self.state.pictures:09}", sheet)
        self.folder.add_log_line({"pictures": self.state.pictures, **figures})
        first = next(iter(figures.values()), None)
        if first is not None and (self.state.best is None or first < self.state.best):
            self.state.best = first
            self.folder.export(self.folder.best, weights)


def check_dataset(settings: TrainingSettings, dataset: PictureDataset) -> None:
    """RunError if the settings ask for more than the dataset has."""
    shrink_factor(dataset.size, settings.size)
    if len(dataset) < 2:
        raise RunError(f"the dataset has {len(dataset)} pictures, must have 2 or more")
    if settings.teacher:
        known = dataset.latent(0)
        if known is None:
            raise RunError("teacher needs the latent of every picture, which this dataset does not have")
        if len(known) > settings.z_dim:
            raise RunError(f"z_dim = {settings.z_dim}, must be {len(known)} or more: the teacher's latents")


def training_device(wanted: str) -> str:
    """cuda or cpu; auto and others take a GPU if torch finds one. ValueError if cuda is not there."""
    there = torch.cuda.is_available()
    if wanted == "cuda" and not there:
        raise ValueError("device 'cuda', but torch finds none here; must be auto or cpu")
    return "cuda" if there and wanted != "cpu" else "cpu"


def versions() -> dict[str, str]:
    """Versions of the libraries that a run's figures depend on."""
    return {
        "perform": __version__,
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
    }


def _passed(before: int, now: int, every: int) -> bool:
    """Whether the count passed a multiple of `every`."""
    return before // every != now // every
