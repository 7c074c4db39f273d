"""Files of a run. Each is written whole or not at all, even if the process is killed."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from perform.arrays import Pixels
from perform.networks.modelfiles import tensor_file
from perform.paths import write_whole

if TYPE_CHECKING:
    from torch import Tensor

    from perform.networks.weights import Weights

CHECKPOINTS_KEPT = 2
JPEG_QUALITY = 92  # of the JPEGs


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths and files that every kind of run has."""

    path: Path

    @property
    def latest(self) -> Path:
        """The newest model."""
        return self.path / "latest.safetensors"

    @property
    def log(self) -> Path:
        """The log, a JSON object a line."""
        return self.path / "log.jsonl"

    @property
    def description(self) -> Path:
        """The settings and facts that the run began with, as JSON."""
        return self.path / "run.json"

    def make(self, facts: Mapping[str, object]) -> None:
        """Make the folder, with the settings and facts that the run begins with."""
        for name in ("samples", "checkpoints"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        write_whole(self.description, f"{json.dumps(facts, indent=1)}\n".encode(), synced=True)

    def checkpoints(self) -> list[Path]:
        """All finished checkpoints, newest last."""
        return sorted((self.path / "checkpoints").glob("*.safetensors"))

    def drop_old_checkpoints(self) -> None:
        """Delete all checkpoints but the last ones."""
        for old in self.checkpoints()[:-CHECKPOINTS_KEPT]:
            old.unlink()

    def export(self, file: Path, weights: Weights) -> None:
        """Write a model file that can be played."""
        from perform.networks.modelfiles import write_weights

        write_weights(file, weights, synced=True)

    def add_log_line(self, line: Mapping[str, object]) -> None:
        """Append a line to the log."""
        with self.log.open("ab") as file:
            file.write(json.dumps(line).encode() + b"\n")

    def filter_log(self, keep: Callable[[dict[str, Any]], bool]) -> None:
        """Keep only these lines of the log; a half-written last line goes too."""
        if self.log.exists():
            lines = self.log.read_bytes().split(b"\n")[:-1]
            kept = b"".join(line + b"\n" for line in lines if keep(json.loads(line)))
            write_whole(self.log, kept, synced=True)

    def save_sheet(self, name: str, sheet: Pixels) -> Path:
        """Write a sheet of pictures [height, width, 3]."""
        from PIL import Image

        content = BytesIO()
        Image.fromarray(sheet).save(content, "JPEG", quality=JPEG_QUALITY)
        file = self.path / "samples" / f"{name}.jpg"
        write_whole(file, content.getvalue(), synced=True)
        return file


def save_tensors(path: Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Write tensors and their metadata, whole or not at all. OSError if the disk is full."""
    from safetensors.torch import save_file

    plain = {name: tensor.cpu().contiguous() for name, tensor in tensors.items()}
    with tensor_file(path, synced=True) as partial:
        save_file(plain, partial, metadata)


class GracefulStop:
    """Within it, Ctrl-C or SIGTERM only sets `requested`; a second one ends the process at once."""

    def __init__(self) -> None:
        self.requested = False
        self._handlers = ExitStack()

    def __enter__(self) -> GracefulStop:
        for number in (signal.SIGINT, signal.SIGTERM):
            self._handlers.callback(signal.signal, number, signal.signal(number, self._request))
        return self

    def __exit__(self, *_fault: object) -> None:
        self._handlers.close()

    def _request(self, _number: int, _frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True
