"""The folder of a run: what it began with, what it can go on from, how it went, and what can be played.

run.json                       the options
picture0.png …                 what is learnt, at the finest size
log.jsonl                      losses, a line every few steps
samples/2-000400.jpg           of scale 2 after 400 steps: the picture, what its own noise gives, free ones
checkpoints/2-000400.safetensors    the last two moments that the run can go on from
latest.safetensors             the model, with the scales that are learnt so far, to be played
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from torch import Tensor

from perform.sampling.pictures import encode_png
from perform.training.files import RunFolder, saved, written
from perform.training.single import Options
from perform.training.single.pyramid import fitted, read, rounded

KIND, FORMAT = "single", 1


@dataclass(frozen=True, slots=True)
class Folder(RunFolder):
    """Paths and files of one run."""

    @property
    def begun(self) -> bool:
        """Whether there is a run in it."""
        return self.told.exists()

    def begin(self, options: Options, real: Tensor) -> None:
        """Make the folder of a run that learns pictures [f, 3, h, w] of -1..1."""
        self.path.mkdir(parents=True, exist_ok=True)
        for i, picture in enumerate(rounded(real)):
            written(self.path / f"picture{i}.png", encode_png(picture.permute(1, 2, 0).numpy()))
        kept = asdict(replace(options, size=None))
        self.make({"format": FORMAT, "kind": KIND, "frames": len(real), "options": kept})

    def read(self) -> tuple[Options, Tensor]:
        """Options and pictures of the run. ValueError when it cannot be gone on with."""
        try:
            told = json.loads(self.told.read_text(encoding="utf-8"))
            if (told["kind"], told["format"]) != (KIND, FORMAT):
                raise ValueError(f"it is a run of kind {told['kind']!r}, must be {KIND!r} of this version")
            options = {**told["options"], "ground": tuple(told["options"]["ground"])}
            frames = int(told["frames"])
            found = Options(**options)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise ValueError(f"{self.told} cannot be gone on with: {error}") from error
        pictures = [read(self.path / f"picture{i}.png") for i in range(frames)]
        height, width = pictures[0].shape[:2]
        return found, fitted(pictures, (width, height))

    def keep(self, scale: int, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Write a checkpoint, whole or not at all; of the old ones all but the last are dropped."""
        saved(self.path / "checkpoints" / f"{scale:02}-{step:06}.safetensors", tensors)
        self.thin()

    def newest(self) -> tuple[int, int, dict[str, Tensor]] | None:
        """Scale, step and tensors of the last checkpoint, None when there is none yet. ValueError when it is
        not readable."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        files = self.checkpoints()
        if not files:
            return None
        scale, step = map(int, files[-1].stem.split("-"))
        try:
            return scale, step, load_file(files[-1])
        except (SafetensorError, OSError) as error:
            told = f"{files[-1]} is not readable as a checkpoint: {error}; removed, the one before is taken"
            raise ValueError(told) from error

    def forget(self, scale: int, step: int) -> None:
        """Drop what the log says of later than a checkpoint, and a line that was half written."""
        self.cut(lambda line: (line["scale"], line["step"]) <= (scale, step))
