"""The folder of a run from one picture: its settings, its checkpoints, its log, and the model.

run.json                       the options
picture0.png …                 the training pictures, at the finest size
log.jsonl                      losses, a line every few steps
samples/2-000400.jpg           of scale 2 after 400 steps: the picture, its reconstruction, random ones
checkpoints/2-000400.safetensors    the last two states that the run can resume from
latest.safetensors             the model with the scales that are trained so far, to play
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from torch import Tensor

from perform.paths import quoted, write_whole
from perform.sampling.pictures import encode_png
from perform.training.checkpoint import checkpoint_tensors
from perform.training.files import RunFolder, save_tensors
from perform.training.run_folder import SINGLE
from perform.training.settings import RunError
from perform.training.single import SingleSettings
from perform.training.single.pyramid import fit_pictures, read_picture, rounded

SINGLE_FORMAT = 1


@dataclass(frozen=True, slots=True)
class SingleFolder(RunFolder):
    """Paths and files of one run."""

    @property
    def begun(self) -> bool:
        """Whether there is a run in it."""
        return self.description.exists()

    def begin(self, options: SingleSettings, real: Tensor) -> None:
        """Make the folder of a run with training pictures [f, 3, h, w] of -1..1."""
        self.path.mkdir(parents=True, exist_ok=True)
        for i, picture in enumerate(rounded(real)):
            png = encode_png(picture.permute(1, 2, 0).numpy())
            write_whole(self.path / f"picture{i}.png", png, synced=True)
        settings = asdict(replace(options, size=None))
        self.make({"format": SINGLE_FORMAT, "kind": SINGLE, "frames": len(real), "options": settings})

    def read(self) -> tuple[SingleSettings, Tensor]:
        """Settings and pictures of the run. ValueError if it cannot be resumed."""
        try:
            run = json.loads(self.description.read_bytes())
            if not isinstance(run, dict) or run.get("kind") != SINGLE:
                raise ValueError(
                    f"it is not a run from a picture: perform train --resume {quoted(self.path)} continues it"
                )
            if run["format"] != SINGLE_FORMAT:
                raise ValueError(f"it is of format {run['format']}, must be {SINGLE_FORMAT}")
            options = SingleSettings(**{**run["options"], "ground": tuple(run["options"]["ground"])})
            frames = int(run["frames"])
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise ValueError(f"{self.description} cannot be resumed: {error}") from error
        pictures = [read_picture(self.path / f"picture{i}.png") for i in range(frames)]
        height, width = pictures[0].shape[:2]
        return options, fit_pictures(pictures, (width, height))

    def save(self, scale: int, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Write a checkpoint, whole or not at all; delete older ones but the last."""
        save_tensors(self.path / "checkpoints" / f"{scale:02}-{step:06}.safetensors", tensors)
        self.drop_old_checkpoints()

    def newest(self) -> tuple[int, int, dict[str, Tensor]] | None:
        """Scale, step and tensors of the last checkpoint; None if there is none yet. ValueError if it is not
        readable."""
        files = self.checkpoints()
        if not files:
            return None
        scale, step = map(int, files[-1].stem.split("-"))
        try:
            return scale, step, checkpoint_tensors(files[-1])
        except RunError as error:
            raise ValueError(f"{error}; delete it to resume from the one before") from error

    def rewind(self, scale: int, step: int) -> None:
        """Drop the log's lines after a checkpoint, and a half-written line."""
        self.filter_log(lambda line: (line["scale"], line["step"]) <= (scale, step))
