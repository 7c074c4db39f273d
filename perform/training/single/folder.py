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
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from io import BytesIO
from pathlib import Path

from torch import Tensor

from perform.generators import Pixels
from perform.generators.weights import Weights, write
from perform.models.sample import png_of
from perform.training.single import Options
from perform.training.single.pyramid import fitted, read, rounded

KIND, FORMAT = "single", 1
KEPT = 2  # checkpoints
QUALITY = 92  # of the JPEGs


@dataclass(frozen=True, slots=True)
class Folder:
    """Paths and files of one run."""

    path: Path

    @property
    def latest(self) -> Path:
        """The model as of now."""
        return self.path / "latest.safetensors"

    @property
    def log(self) -> Path:
        """The log, a JSON object a line."""
        return self.path / "log.jsonl"

    @property
    def begun(self) -> bool:
        """Whether there is a run in it."""
        return (self.path / "run.json").exists()

    def begin(self, options: Options, real: Tensor) -> None:
        """Make the folder of a run that learns pictures [f, 3, h, w] of -1..1."""
        for name in ("samples", "checkpoints"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        for i, picture in enumerate(rounded(real)):
            self._write(f"picture{i}.png", png_of(picture.permute(1, 2, 0).numpy()))
        told = {
            "format": FORMAT,
            "kind": KIND,
            "frames": len(real),
            "options": asdict(replace(options, size=None)),
        }
        self._write("run.json", f"{json.dumps(told, indent=1)}\n".encode())

    def read(self) -> tuple[Options, Tensor]:
        """Options and pictures of the run. ValueError when it cannot be gone on with."""
        file = self.path / "run.json"
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            if (told["kind"], told["format"]) != (KIND, FORMAT):
                raise ValueError(f"it is a run of kind {told['kind']!r}, must be {KIND!r} of this version")
            options = {**told["options"], "ground": tuple(told["options"]["ground"])}
            frames = int(told["frames"])
            found = Options(**options)
        except (ValueError, KeyError, TypeError, OSError) as error:
            raise ValueError(f"{file} cannot be gone on with: {error}") from error
        pictures = [read(self.path / f"picture{i}.png") for i in range(frames)]
        height, width = pictures[0].shape[:2]
        return found, fitted(pictures, (width, height))

    def keep(self, scale: int, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Write a checkpoint, whole or not at all; of the old ones all but the last are dropped."""
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        file = self._checkpoint(scale, step)
        partial = file.with_name(f"{file.name}.part")
        try:
            save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, partial)
            _settled(partial, file)
        except (SafetensorError, OSError) as error:
            partial.unlink(missing_ok=True)
            raise OSError(f"{file} cannot be written: {error}") from error
        for old in self._checkpoints()[:-KEPT]:
            old.unlink()

    def newest(self) -> tuple[int, int, dict[str, Tensor]] | None:
        """Scale, step and tensors of the last checkpoint, None when there is none yet. ValueError when it is
        not readable."""
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        files = self._checkpoints()
        if not files:
            return None
        scale, step = map(int, files[-1].stem.split("-"))
        try:
            return scale, step, load_file(files[-1])
        except (SafetensorError, OSError) as error:
            told = f"{files[-1]} is not readable as a checkpoint: {error}; removed, the one before is taken"
            raise ValueError(told) from error

    def export(self, weights: Weights) -> None:
        """Write the model to be played; whole or not at all."""
        write(self.latest, weights)

    def add(self, line: Mapping[str, float]) -> None:
        """A line of the log."""
        with self.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")

    def forget(self, scale: int, step: int) -> None:
        """Drop what the log says of later than a checkpoint, and a line that was half written."""
        if self.log.exists():
            lines = self.log.read_bytes().split(b"\n")[:-1]
            told = [(line, json.loads(line)) for line in lines]
            kept = [line for line, said in told if (said["scale"], said["step"]) <= (scale, step)]
            self._write("log.jsonl", b"".join(line + b"\n" for line in kept))

    def show(self, scale: int, step: int, sheet: Pixels) -> None:
        """Keep a sheet of pictures."""
        from PIL import Image

        content = BytesIO()
        Image.fromarray(sheet).save(content, "JPEG", quality=QUALITY)
        self._write(f"samples/{scale}-{step:06}.jpg", content.getvalue())

    def _checkpoint(self, scale: int, step: int) -> Path:
        return self.path / "checkpoints" / f"{scale:02}-{step:06}.safetensors"

    def _checkpoints(self) -> list[Path]:
        """Newest last; what was being written when the run was killed does not count."""
        return sorted((self.path / "checkpoints").glob("*.safetensors"))

    def _write(self, name: str, content: bytes) -> None:
        """Write a file; whole or not at all."""
        file = self.path / name
        partial = file.with_name(f"{file.name}.part")
        partial.write_bytes(content)
        _settled(partial, file)


def _settled(partial: Path, file: Path) -> None:
    """Force a file to the disk and give it its name; a loss of power leaves the old or the new one."""
    with partial.open("rb+") as written:
        os.fsync(written.fileno())
    partial.replace(file)
