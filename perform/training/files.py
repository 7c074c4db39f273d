"""Files of a run: whole or not at all, whatever kills the process that writes them."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from perform.arrays import Pixels

if TYPE_CHECKING:
    from torch import Tensor

    from perform.networks.weights import Weights

KEPT = 2  # checkpoints
QUALITY = 92  # of the JPEGs


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths and files that every kind of run has."""

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
    def told(self) -> Path:
        """What the run began with."""
        return self.path / "run.json"

    def make(self, said: Mapping[str, Any]) -> None:
        """Make the folder, with what the run begins with."""
        for name in ("samples", "checkpoints"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        written(self.told, f"{json.dumps(said, indent=1)}\n".encode())

    def checkpoints(self) -> list[Path]:
        """Newest last; what was being written when the run was killed does not count."""
        return sorted((self.path / "checkpoints").glob("*.safetensors"))

    def thin(self) -> None:
        """Drop all checkpoints but the last."""
        for old in self.checkpoints()[:-KEPT]:
            old.unlink()

    def export(self, file: Path, weights: Weights) -> None:
        """Write a model to be played; whole or not at all."""
        from perform.networks.modelfiles import write_weights

        beside = file.with_name(f"{file.name}.new")
        write_weights(beside, weights)
        settled(beside, file)

    def add(self, line: Mapping[str, Any]) -> None:
        """A line of the log."""
        with self.log.open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")

    def cut(self, keep: Callable[[dict[str, Any]], bool]) -> None:
        """Drop lines of the log, and one that was half written."""
        if self.log.exists():
            lines = self.log.read_bytes().split(b"\n")[:-1]
            written(self.log, b"".join(line + b"\n" for line in lines if keep(json.loads(line))))

    def show(self, name: str, sheet: Pixels) -> Path:
        """Keep a sheet of pictures [height, width, 3]."""
        from PIL import Image

        content = BytesIO()
        Image.fromarray(sheet).save(content, "JPEG", quality=QUALITY)
        file = self.path / "samples" / f"{name}.jpg"
        written(file, content.getvalue())
        return file


def written(path: Path, content: bytes) -> None:
    """Write a file; whole or not at all. OSError when there is no room."""
    partial = path.with_name(f"{path.name}.part")
    try:
        partial.write_bytes(content)
        settled(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OSError(f"{path} cannot be written: {error.strerror or error}") from error


def saved(path: Path, tensors: Mapping[str, Tensor], words: dict[str, str] | None = None) -> None:
    """Write tensors, with words as their metadata; whole or not at all. OSError when there is no room."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    partial = path.with_name(f"{path.name}.part")
    try:
        save_file({name: tensor.cpu().contiguous() for name, tensor in tensors.items()}, partial, words)
        settled(partial, path)
    except (SafetensorError, OSError) as error:
        partial.unlink(missing_ok=True)
        raise OSError(f"{path} cannot be written: {error}") from error


def settled(partial: Path, path: Path) -> None:
    """Force a file to the disk and give it its name; a loss of power leaves the old or the new one."""
    with partial.open("rb+") as file:
        os.fsync(file.fileno())
    partial.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Stop:
    """Within it Ctrl-C and a polite kill are only `asked` for; a second one ends at once."""

    def __init__(self) -> None:
        self.asked = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Stop:
        self._before = {
            number: signal.signal(number, self._ask) for number in (signal.SIGINT, signal.SIGTERM)
        }
        return self

    def __exit__(self, *_fault: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
