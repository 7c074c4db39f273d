"""The terminal: what all commands share to print results, progress and faults, and to read arguments."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import errno
import io
import logging
import os
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sized
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, TextIO, TypeVar, cast, get_args, get_type_hints

import typer
from rich.console import Console
from rich.progress import Progress, ProgressColumn, SpinnerColumn, TextColumn, TimeElapsedColumn, track
from rich.table import Table
from rich.text import Text

from perform import paths
from perform.faults import reason, steps, system_reason
from perform.networks import Device, Precision
from perform.outputs.codecs import CODECS

Item = TypeVar("Item")
ENDLESS = 1e9  # seconds, minutes or pictures of an option: infinity is no number of frames
LARGEST_SEED = 2**32 - 1
INTERRUPTED = 130  # exit code after Ctrl-C: 128 and the signal's number, as of shells


class _Notes(io.TextIOBase):
    """stderr as a text file that never fails: a film or a show goes on when nobody can read its notes any
    more (a full disk, the end of a pipe)."""

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # of what it writes to at present
        return getattr(self._stream, "encoding", None) or "utf-8"

    @property
    def _stream(self) -> TextIO:
        """stderr as it is now: rich puts its own in that place while a progress bar is shown."""
        return getattr(sys.stderr, "rich_proxied_file", sys.stderr) or io.StringIO()


class _StdoutError(OSError):
    """stdout cannot be written: `written` ends the program."""


class _Printed(Console):
    """stdout; the end of a pipe is a fault like a full disk: of stdout, not of a file."""

    def print(self, *objects: Any, **settings: Any) -> None:
        try:
            super().print(*objects, **settings)
        except OSError as error:
            raise _StdoutError(error.errno, error.strerror) from error

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))


out = _Printed(emoji=False)
err = Console(file=cast("TextIO", _Notes()), emoji=False)  # a name such as spout:x: is text


def show_names(incomplete: str) -> list[str]:
    """Setlists and presets whose names begin so; the shell itself completes files."""
    from perform.library import Library

    library = Library()
    names = {*library.names("setlists"), *library.names("presets")}
    return sorted(name for name in names if name.startswith(incomplete))


def preset_names(incomplete: str) -> list[str]:
    """Presets whose names begin so."""
    from perform.library import Library

    return [name for name in Library().names("presets") if name.startswith(incomplete)]


def venue_names(incomplete: str) -> list[str]:
    """Venues whose names begin so."""
    from perform.library import Library

    return [name for name in Library().names("venues") if name.startswith(incomplete)]


def model_names(incomplete: str) -> list[str]:
    """Models whose names begin so."""
    from perform.generators.untrained import BUILT_IN
    from perform.library import Library

    return sorted(name for name in {*BUILT_IN, *Library().models()} if name.startswith(incomplete))


def one_of(*words: str) -> Callable[[str], list[str]]:
    """What completes an option that takes one of some words."""

    def beginning(incomplete: str) -> list[str]:
        return [word for word in words if word.startswith(incomplete)]

    return beginning


def signal_names(incomplete: str) -> list[str]:
    """Signals whose names begin so, those of the window left out."""
    from perform.library.vocabulary import VOCABULARY
    from perform.signals import KEY_SIGNALS

    return sorted(name for name in VOCABULARY.names - KEY_SIGNALS if name.startswith(incomplete))


AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of a table.")]
PictureSize = Annotated[str, typer.Option(help="WIDTHxHEIGHT of the picture in pixels.")]
SceneScale = Annotated[
    float | None,
    typer.Option(
        min=0.1,
        max=1,
        help="Draw scenes at this part of the size. (default: 1; live with software GL 0.5)",
    ),
]
PlayedModel = Annotated[
    str | None,
    typer.Option(help="Play this model in place of the presets' own.", autocompletion=model_names),
]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)
DEVICES: tuple[Device, ...] = get_args(Device)
NetworkPrecision = Annotated[
    str, typer.Option(help="auto, float32, bfloat16 or float16.", autocompletion=one_of(*PRECISIONS))
]
NetworkDevice = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.", autocompletion=one_of(*DEVICES))]
CODEC_HELP = "; ".join(f"{name} in {', '.join(codec.suffixes)}" for name, codec in CODECS.items())
QUALITY_HELP = "; ".join(f"{name} {codec.allowed}" for name, codec in CODECS.items())
QUALITIES = ", ".join(codec.default for codec in CODECS.values() if codec.default)
FilmCodec = Annotated[
    str,
    typer.Option("--codec", help=f"How pictures are stored: {CODEC_HELP}.", autocompletion=one_of(*CODECS)),
]
FilmQuality = Annotated[str | None, typer.Option("--quality", help=f"{QUALITY_HELP}. (default: {QUALITIES})")]
Force = Annotated[bool, typer.Option("--force", help="Replace files that are there already.")]
REGION_HELP = "The part of the camera's picture in which hands play: left,top,right,bottom, each 0..1."
OSC_HELP = (
    "Receive OSC on this port, from this machine only; or on HOST:PORT, 0.0.0.0 for all networks. 0: none."
)
OscAddress = Annotated[str, typer.Option("--osc", "--osc-port", help=OSC_HELP)]
MidiPort = Annotated[str | None, typer.Option(help="Listen to this MIDI port only.")]
StopAfter = Annotated[float | None, typer.Option(min=0, max=ENDLESS, help="Stop after this many seconds.")]
Mirror = Annotated[bool, typer.Option(help="Mirror the camera: your right hand is on the right.")]


def in_panel(command: Callable[..., None], panel: str, names: Iterable[str]) -> None:
    """List some options of a command in a panel of its help."""
    hints = get_type_hints(command, include_extras=True)
    for name in names:
        kind, option = get_args(hints[name])
        option = copy.copy(option)  # other commands have it, too
        option.rich_help_panel = panel
        command.__annotations__[name] = Annotated[kind, option]


def attended() -> bool:
    """Whether a person watches: there is a terminal to read and to type in."""
    return err.is_terminal and bool(sys.stdin) and sys.stdin.isatty()


def program() -> str:
    """What starts this program here: `perform` where the shell finds it, else with its path."""
    if shutil.which("perform"):
        return "perform"
    return sys.argv[0] if Path(sys.argv[0]).stem == "perform" else "python -m perform"


def say(text: str) -> None:
    """Print a line of text as it is: without markup, colours or line breaks."""
    out.print(text, markup=False, highlight=False, soft_wrap=True)


def printable(text: str) -> str:
    """The text without control characters: names of files and devices must not move the cursor."""
    return "".join(one if one.isprintable() else " " for one in text)


def complain(sentences: str) -> None:
    """Print what is wrong, on lines of stderr, without control characters: what a file holds may be shown."""
    text = "\n".join(map(printable, sentences.split("\n")))
    err.print(text, style="red", markup=False, highlight=False, soft_wrap=True)


def watched(items: Iterable[Item], what: str, count: int | None = None) -> Iterator[Item]:
    """The items, with a progress bar on a terminal. If Ctrl-C ends the command, it says how far they were."""
    total = len(items) if count is None and isinstance(items, Sized) else count
    shown = track(items, what, total, console=err, transient=True, disable=not err.is_terminal)
    with _noted_interrupts() as noted:
        for done, item in enumerate(shown):
            under_way(f"{what}, {done} of {total} done" if total else f"{what}, {done} done")
            if noted:
                raise KeyboardInterrupt
            yield item
    under_way()


@contextlib.contextmanager
def _noted_interrupts() -> Iterator[list[int]]:
    """Ctrl-C within it is only noted: in the middle of a drawing it may crash OpenGL. A second one
    interrupts."""
    noted: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        if noted:
            raise KeyboardInterrupt
        noted.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield noted
        return
    before = signal.signal(signal.SIGINT, note)
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def opening(first: str) -> Iterator[None]:
    """While something opens: its step and the time on a line of the terminal, which disappears at the end;
    without a terminal each step is a line of the log. `first` is the first step."""
    if not err.is_terminal:
        steps.info("%s", first)
        yield
        return
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    with progress_bar(*columns, description=first, total=None) as update:
        handler = _StepHandler(lambda step: update(description=step))
        steps.addHandler(handler)
        try:
            yield
        finally:
            steps.removeHandler(handler)


class _StepHandler(logging.Handler):
    """Gives each step to a function."""

    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        self._show(record.getMessage())


@contextlib.contextmanager
def progress_bar(*columns: ProgressColumn | str, **fields: Any) -> Iterator[Callable[..., None]]:
    """A progress bar that is shown on a terminal only, and disappears at the end. `fields` are those of its
    task at the beginning; the function changes them."""
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        yield partial(bar.update, bar.add_task(**fields))


_under_way: list[str] = []  # how far a command is at present


def under_way(*how_far: str) -> None:
    """Note how far a command is: Ctrl-C says it."""
    _under_way[:] = how_far


@contextlib.contextmanager
def complaints() -> Iterator[None]:
    """A fault ends the command with a sentence and exit code 1, without a traceback; Ctrl-C ends it with exit
    code 130."""
    try:
        yield
    except (typer.Exit, _StdoutError):  # an inner command has printed the reason, or `written` does
        raise
    except KeyboardInterrupt:
        say_cut_short(*_under_way)
        raise typer.Exit(INTERRUPTED) from None
    except (ValueError, LookupError, OSError, RuntimeError, OverflowError, MemoryError) as error:
        complain(f"perform: {reason(error)}")
        raise typer.Exit(1) from error


@contextlib.contextmanager
def written() -> Iterator[None]:
    """All that the block prints is written. If it cannot be, because the disk is full or the reader of a pipe
    has ended, the program ends with a sentence and exit code 1, without a traceback. Notes on stderr that
    cannot be written change nothing."""
    try:
        try:
            yield
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except OSError as error:
        _give_up(sys.stdout)
        err.print(f"perform: stdout: {system_reason(error)}", style="red", markup=False, highlight=False)
        sys.exit(1)
    finally:
        try:
            if sys.stderr is not None:
                sys.stderr.flush()
        except OSError:
            _give_up(sys.stderr)


def _give_up(stream: TextIO) -> None:
    """Lose what a stream holds and cannot write: Python would write it as it ends, and fail."""
    with contextlib.suppress(OSError, ValueError), Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), stream.fileno())


ALLOWED = {  # by pydantic's kind of fault
    "float_parsing": "a number, such as 3 or 0.5",
    "int_parsing": "a whole number",
    "int_from_float": "a whole number",
    "finite_number": "a number",
    "greater_than_equal": "{ge:.10g} or more",
    "less_than_equal": "{le:.10g} or less",
}


def wrong_value(error: typer.BadParameter) -> str:
    """What is wrong with the value of an option: the value and what is allowed, where Typer has Pydantic's
    words for it."""
    from pydantic import ValidationError

    if not isinstance(error.__cause__, ValidationError):
        return error.message
    first = error.__cause__.errors()[0]
    allowed = ALLOWED.get(first["type"])
    if allowed is None:
        return error.message
    return f"{first['input']!r}, must be {allowed.format(**first.get('ctx', {}))}"


def say_cut_short(*how_far: str) -> None:
    """Say that somebody ended the command before its end, and how far it was."""
    err.print(f"cut short: {', '.join(how_far) or 'nothing was done yet'}", markup=False, highlight=False)


def options_of(context: typer.Context, settings: type) -> dict[str, Any]:
    """The options of a command that are fields of a dataclass."""
    names = {one.name for one in dataclasses.fields(settings)}
    return {name: value for name, value in context.params.items() if name in names}


def print_facts(rows: Iterable[tuple[str, ...]]) -> None:
    """Print rows of a bold name and texts."""
    table = Table(box=None, pad_edge=False, show_header=False)
    for name, *texts in rows:
        table.add_row(Text(name, "bold"), *map(Text, texts))
    out.print(table, highlight=False)


def check_suffix(file: Path | None, suffix: str) -> None:
    """ValueError if a file to write has another suffix."""
    if file and file.suffix.lower() != suffix:
        raise ValueError(f"{file}, must be a {suffix}")


def check_new(*files: Path | None, force: bool, reads: Iterable[str | Path | None] = ()) -> None:
    """FileExistsError if a file to write is there already, unless `force` replaces it; it never replaces a
    folder, nor one of the files that the command `reads`, by whichever name."""
    for folder in (place for file in files if file is not None for place in file.parents):
        if folder.is_file():
            raise NotADirectoryError(f"{folder} is a file, no folder: give another name")
    there = [file for file in files if file is not None and file.exists()]
    read = [Path(name) for name in reads if name and Path(name).exists()]
    for file in there:
        if kind := "a folder" if file.is_dir() else paths.special(file):
            raise FileExistsError(f"{file} is {kind}: give the name of a file")
        if any(file.samefile(other) for other in read):
            raise FileExistsError(f"{file} is what the command reads: give another name")
        if not force:
            raise FileExistsError(f"{file} is there already: give another name, or --force to replace it")


def existing(file: Path) -> Path:
    """The file, if it is there. Raises FileNotFoundError."""
    there = paths.found(file)
    if there is None:
        paths.check_file(file)
        why = "is a folder, no file" if file.is_dir() else "there is no such file"
        raise FileNotFoundError(f"{file}: {why}")
    return there
