"""What commands share: the terminal, options, and how faults are printed."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

out = Console()
err = Console(stderr=True)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
PictureSize = Annotated[str, typer.Option(help="WIDTHxHEIGHT of the picture in pixels.")]
SceneScale = Annotated[
    float | None,
    typer.Option(min=0.1, max=1, help="Draw scenes at this part of the size. [1; live software GL: 0.5]"),
]
PlayedModel = Annotated[str | None, typer.Option(help="Play this model in place of the presets' own.")]
NetworkPrecision = Annotated[str, typer.Option(help="auto, float32, bfloat16 or float16.")]
NetworkDevice = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]
REGION_HELP = "The part of the camera's picture in which hands play: left,top,right,bottom, each 0..1."
MidiPort = Annotated[str | None, typer.Option(help="Listen to this MIDI port only.")]
StopAfter = Annotated[float | None, typer.Option(min=0, help="Stop after so many seconds.")]
Mirror = Annotated[bool, typer.Option(help="See hands as in a mirror.")]


@contextlib.contextmanager
def complaints() -> Iterator[None]:
    """Bad input ends a command with its sentence and exit code 1, never with a traceback."""
    try:
        yield
    except typer.Exit:  # of a command within, which has printed why
        raise
    except (ValueError, LookupError, OSError, RuntimeError) as error:
        sentence = error.args[0] if isinstance(error, LookupError) and error.args else str(error)
        err.print(f"perform: {sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise typer.Exit(1) from error


def existing(file: Path) -> Path:
    """The file, if it is there. Raises FileNotFoundError."""
    if not file.is_file():
        raise FileNotFoundError(f"{file}: there is no such file")
    return file


def place_of(text: str, host: str = "127.0.0.1") -> tuple[str, int]:
    """Host and port of a text such as 192.168.0.7:9000, or of a port alone. Raises ValueError."""
    before, _, port = text.rpartition(":")
    if not port.isdigit() or int(port) > 65535:
        raise ValueError(f"{text!r}, must be HOST:PORT or a port 0..65535")
    return before or host, int(port)


def size_of(text: str) -> tuple[int, int]:
    """Width and height of a text such as 1280x720. Raises ValueError."""
    width, _, height = text.lower().partition("x")
    if not (
        width.isdigit() and height.isdigit() and 16 <= int(width) <= 16384 and 16 <= int(height) <= 16384
    ):
        raise ValueError(f"size {text!r}, must be WIDTHxHEIGHT, each 16..16384 pixels")
    return int(width), int(height)
