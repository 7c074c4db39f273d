"""The folder of a run: everything that is needed to repeat it, to go on with it, and to see how it went.

run.json                     settings, the dataset and its digest, versions, what it began from
log.jsonl                    losses, rate and figures, a line every few steps
samples/000123456.jpg        what the averaged generator draws after so many pictures, of the same latents
checkpoints/….safetensors    the last two moments that the run can go on from
latest.safetensors, best.safetensors    the averaged generator, to play
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perform.training.files import RunFolder
from perform.training.settings import RunError, Settings, read
from perform.training.state import State, save, words

FORMAT = 1


@dataclass(frozen=True, slots=True)
class Folder(RunFolder):
    """Paths and files of one run."""

    @property
    def best(self) -> Path:
        """The model of the best figure."""
        return self.path / "best.safetensors"

    def begin(self, settings: Settings, facts: Mapping[str, Any]) -> None:
        """Make the folder. RunError when there is a run in it already."""
        if self.told.exists():
            raise RunError(f"{self.path} holds a run already: --resume goes on with it")
        self.make({"format": FORMAT, **facts, "settings": json.loads(settings.text())})

    def read(self) -> tuple[Settings, dict[str, Any]]:
        """Settings and facts of the run. RunError when there is none."""
        try:
            said = json.loads(self.told.read_bytes())
        except (OSError, ValueError) as error:
            raise RunError(f"{self.told} is not readable: there is no run to go on with") from error
        if not isinstance(said, dict) or said.get("format") != FORMAT or "settings" not in said:
            raise RunError(f"{self.told} is not a run of this version")
        return read(said.pop("settings")), said

    def newest(self) -> Path | None:
        """The newest checkpoint that can be read; None when there is none yet."""
        for file in reversed(self.checkpoints()):
            try:
                words(file)
            except RunError:
                continue
            return file
        return None

    def keep(self, state: State, notes: Mapping[str, str]) -> None:
        """Write a checkpoint and the model to be played; of the old ones all but the last are dropped."""
        save(self.path / "checkpoints" / f"{state.pictures:09}.safetensors", state, notes)
        self.thin()
        self.export(self.latest, state.average.weights(notes))

    def forget(self, pictures: int) -> None:
        """Drop what the log says of later than a checkpoint, and what was half written."""
        for pattern in ("*.part", ".tmp*"):  # the second are safetensors' own
            for half in (self.path / "checkpoints").glob(pattern):
                half.unlink()
        self.cut(lambda line: line["pictures"] <= pictures)

    def show_grid(self, pictures: int, drawn: Sequence[NDArray[np.uint8]]) -> Path:
        """Keep a sheet of pictures [height, width, 3]."""
        from perform.sampling.sheets import join_pictures

        columns = ceil(sqrt(len(drawn)))
        rows = [join_pictures(drawn[i : i + columns], 1) for i in range(0, len(drawn), columns)]
        return self.show(f"{pictures:09}", join_pictures(rows, 0))
