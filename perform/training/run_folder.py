"""The folder of a run: all that you need to repeat it, to resume it, and to see how it went.

run.json                     settings, the dataset and its digest, versions, the model it began from
log.jsonl                    losses, rate and figures, a line every few steps
samples/000123456.jpg        what the averaged generator draws from the same latents after so many pictures
checkpoints/….safetensors    the last two states that the run can resume from
latest.safetensors, best.safetensors    the averaged generator, to play
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Any

from perform.arrays import Pixels
from perform.paths import quoted
from perform.training.checkpoint import TrainingState, checkpoint_metadata, save_checkpoint
from perform.training.files import RunFolder
from perform.training.settings import RunError, TrainingSettings, read_settings

RUN_FORMAT = 1
SINGLE = "single"  # the kind of a run from one picture, in its run.json


@dataclass(frozen=True, slots=True)
class TrainingFolder(RunFolder):
    """Paths and files of one run."""

    @property
    def best(self) -> Path:
        """The model with the best figure."""
        return self.path / "best.safetensors"

    def begin(self, settings: TrainingSettings, facts: Mapping[str, object]) -> None:
        """Make the folder. RunError if there is already a run in it that can be resumed."""
        if self.description.exists() and self.checkpoints():
            raise RunError(f"{self.path} holds a run already: --resume continues it")
        self.make({"format": RUN_FORMAT, **facts, "settings": json.loads(settings.text())})

    def read(self) -> tuple[TrainingSettings, dict[str, Any]]:
        """Settings and facts of the run. RunError if there is none."""
        try:
            facts = json.loads(self.description.read_bytes())
        except (OSError, ValueError) as error:
            raise RunError(f"{self.description} is not readable: there is no run to resume") from error
        if isinstance(facts, dict) and facts.get("kind") == SINGLE:
            raise RunError(
                f"{self.path} is a run from a picture: perform train single {quoted(self.path)} continues it"
            )
        if not isinstance(facts, dict) or facts.get("format") != RUN_FORMAT or "settings" not in facts:
            raise RunError(f"{self.description} is not a run of this version")
        return read_settings(facts.pop("settings")), facts

    def dataset(self) -> Path:
        """The folder of the run's dataset: where it was, or, if run and dataset were moved together, where it
        is from the run. RunError if it is at neither place."""
        facts = self.read()[1]["dataset"]
        places = Path(facts["path"]), self.path / facts.get("from_run", "dataset")
        found = next((place for place in places if place.is_dir()), None)
        if found is None:
            raise RunError(
                f"{places[0]}: there is no such folder; it is the dataset of {self.path}: put it back"
            )
        return found

    def newest(self) -> Path | None:
        """The newest readable checkpoint; None if there is none yet."""
        for file in reversed(self.checkpoints()):
            try:
                checkpoint_metadata(file)
            except RunError:
                continue
            return file
        return None

    def save(self, state: TrainingState, notes: Mapping[str, str]) -> None:
        """Write a checkpoint and the newest model; delete older checkpoints but the last."""
        save_checkpoint(self.path / "checkpoints" / f"{state.pictures:09}.safetensors", state, notes)
        self.drop_old_checkpoints()
        self.export(self.latest, state.average.weights(notes))

    def rewind(self, pictures: int) -> None:
        """Drop the log's lines after a checkpoint, and half-written files."""
        for pattern in ("*.part", ".tmp*"):  # safetensors writes the second ones
            for half in (self.path / "checkpoints").glob(pattern):
                half.unlink()
        self.filter_log(lambda line: line["pictures"] <= pictures)

    def save_grid(self, pictures: int, drawn: Sequence[Pixels]) -> Path:
        """Write a sheet of pictures [height, width, 3]."""
        from perform.sampling.sheets import join_pictures

        columns = ceil(sqrt(len(drawn)))
        rows = [join_pictures(drawn[i : i + columns], 1) for i in range(0, len(drawn), columns)]
        return self.save_sheet(f"{pictures:09}", join_pictures(rows, 0))
