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
from io import BytesIO
from math import ceil, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from perform.generators.weights import Weights, write
from perform.training.settings import RunError, Settings, read
from perform.training.state import State, save, settled, words, written

KEPT = 2  # checkpoints
QUALITY = 92  # of the JPEGs
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths and files of one run."""

    path: Path

    @property
    def latest(self) -> Path:
        """The model as of now."""
        return self.path / "latest.safetensors"

    @property
    def best(self) -> Path:
        """The model of the best figure."""
        return self.path / "best.safetensors"

    @property
    def log(self) -> Path:
        """The log, a JSON object a line."""
        return self.path / "log.jsonl"

    def begin(self, settings: Settings, facts: Mapping[str, Any]) -> None:
        """Make the folder. RunError when there is a run in it already."""
        if (self.path / "run.json").exists():
            raise RunError(f"{self.path} holds a run already: --resume goes on with it")
        for name in ("samples", "checkpoints"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        said = {"format": FORMAT, **facts, "settings": json.loads(settings.text())}
        written(self.path / "run.json", f"{json.dumps(said, indent=1)}\n".encode())

    def read(self) -> tuple[Settings, dict[str, Any]]:
        """Settings and facts of the run. RunError when there is none."""
        file = self.path / "run.json"
        try:
            said = json.loads(file.read_bytes())
        except (OSError, ValueError) as error:
            raise RunError(f"{file} is not readable: there is no run to go on with") from error
        if not isinstance(said, dict) or said.get("format") != FORMAT or "settings" not in said:
            raise RunError(f"{file} is not a run of this version")
        return read(said.pop("settings")), said

    def checkpoints(self) -> list[Path]:
        """Newest last; what was being written when the run was killed does not count."""
        return sorted((self.path / "checkpoints").glob("*.safetensors"))

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
        for old in self.checkpoints()[:-KEPT]:
            old.unlink()
        self.export(self.latest, state.average.weights(notes))

    def export(self, file: Path, weights: Weights) -> None:
        """Write a model to be played; whole or not at all."""
        beside = file.with_name(f"{file.name}.new")
        write(beside, weights)
        settled(beside, file)

    def forget(self, pictures: int) -> None:
        """Drop what the log says of later than a checkpoint, and what was half written."""
        for pattern in ("*.part", ".tmp*"):  # the second are safetensors' own
            for half in (self.path / "checkpoints").glob(pattern):
                half.unlink()
        if not self.log.exists():
            return
        lines = self.log.read_bytes().split(b"\n")[:-1]
        kept = [line for line in lines if json.loads(line)["pictures"] <= pictures]
        written(self.log, b"".join(line + b"\n" for line in kept))

    def add(self, line: Mapping[str, Any]) -> None:
        """A line of the log."""
        with self.log.open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")

    def show(self, pictures: int, drawn: Sequence[NDArray[np.uint8]]) -> Path:
        """Keep a sheet of pictures [height, width, 3]."""
        from PIL import Image

        from perform.models.sheets import joined

        columns = ceil(sqrt(len(drawn)))
        rows = [joined(drawn[i : i + columns], 1) for i in range(0, len(drawn), columns)]
        content = BytesIO()
        Image.fromarray(joined(rows, 0)).save(content, "JPEG", quality=QUALITY)
        file = self.path / "samples" / f"{pictures:09}.jpg"
        written(file, content.getvalue())
        return file
