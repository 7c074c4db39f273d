"""The command `perform render`, and a show as a video with a progress bar, for other commands, too."""

from __future__ import annotations

import math
import signal
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self, get_args

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from perform.clock import stopwatch
from perform.parameters import choice, size_of
from perform.paths import quoted
from perform.scenes.look import FlashMode
from perform.terminal import (
    DEVICES,
    ENDLESS,
    PRECISIONS,
    FilmCodec,
    FilmQuality,
    Force,
    NetworkDevice,
    NetworkPrecision,
    PictureSize,
    PlayedModel,
    SceneScale,
    check_new,
    complaints,
    err,
    existing,
    one_of,
    opening,
    options_of,
    out,
    say_cut_short,
    show_names,
    under_way,
)

if TYPE_CHECKING:
    from perform.outputs import Output
    from perform.rig import Rig
    from perform.show import Options


SceneOption = Annotated[
    str | None, typer.Option(help="A preset or setlist, by name or file.", autocompletion=show_names)
]
FlashLimit = Annotated[
    str,
    typer.Option(
        help="More than 3 flashes a second over a quarter of the picture: off, warn, or on (soften them).",
        autocompletion=one_of(*get_args(FlashMode)),
    ),
]


def render(
    context: typer.Context,
    out_file: Annotated[Path, typer.Option("--out", help="The video file to write: .mp4, .mov or .mkv.")],
    what: Annotated[
        str | None,
        typer.Argument(metavar="SOUND", help="The sound file to play to; with --audio SOUND, the show."),
    ] = None,
    scene: SceneOption = None,
    audio: Annotated[str | None, typer.Option(help="The sound file to play to.")] = None,
    size: PictureSize = "1280x720",
    fps: Annotated[float, typer.Option(min=1, max=240, help="Frames a second.")] = 30.0,
    scale: SceneScale = None,
    start: Annotated[
        float,
        typer.Option(
            "--from",
            min=0,
            max=ENDLESS,
            help="Begin at this second: all before is played, but not kept.",
        ),
    ] = 0.0,
    seconds: Annotated[
        float | None, typer.Option(min=0, max=ENDLESS, help="Render only this many seconds.")
    ] = None,
    codec: FilmCodec = "h264",
    quality: FilmQuality = None,
    model: PlayedModel = None,
    precision: NetworkPrecision = "auto",
    device: NetworkDevice = "auto",
    flashes: FlashLimit = "off",
    digest: Annotated[bool, typer.Option("--digest", help="Print the SHA-256 of all frames.")] = False,
    force: Force = False,
) -> None:
    """Render a sound to a video, every frame exact.

    As you like: perform render SOUND --scene SHOW, or perform render SHOW --audio SOUND.
    """
    with complaints():
        with opening("loading the program"):
            import perform.show  # noqa: F401 - what takes seconds is loaded here
        show, sound = show_and_sound(what if scene or audio else None, scene, audio or what)
        if sound is None:
            raise ValueError("the sound is missing: perform render SOUND --out FILE")
        if scene is audio is None and _is_show(sound):
            raise ValueError(
                f"{sound} is a show, its sound is missing: perform render {quoted(sound)} --audio SOUND"
            )
        check_new(out_file, force=force, reads=(sound, show))
        options = show_options(
            context, setlist=show, sound=str(existing(Path(sound))), record=out_file, headless=True
        )
        render_show(options, seconds, digest, start)


def _is_show(name: str) -> bool:
    """Whether this is the name, the folder or the .toml of a show, and no sound."""
    from perform.show import find, open_library

    if Path(name).is_file() and not name.lower().endswith(".toml"):
        return False
    try:
        find(name, open_library(name))
    except (LookupError, OSError):
        return False
    return True


def show_and_sound(what: str | None, scene: str | None, audio: str | None) -> tuple[str, str | None]:
    """The show, and its sound or None, of SHOW --audio SOUND or SOUND --scene SHOW. ValueError if one of them
    is given twice."""
    from perform.show.options import DEMO

    if scene is None:
        return what or DEMO, audio
    if what is not None and audio is not None and what != audio:
        raise ValueError(f"{what!r} is one too many: the show is {scene}, and its sound {audio}")
    return scene, audio or what


def show_options(context: typer.Context, **changed: object) -> Options:
    """The options of a show: those of a command, but for those that are `changed`."""
    from perform.show import Options

    options = options_of(context, Options) | {
        "size": size_of(context.params["size"]),
        "precision": choice("precision", context.params["precision"], PRECISIONS),
        "device": choice("device", context.params["device"], DEVICES),
        "flashes": choice("flashes", context.params["flashes"], get_args(FlashMode)),
    }
    return Options(**options | changed)


def render_show(options: Options, seconds: float | None, digested: bool = False, start: float = 0.0) -> None:
    """Render a show from `start` (seconds) on, as long as its sound and at most `seconds`; `digested`: print
    the digest of its frames. If Ctrl-C or SIGTERM ends it, what was rendered plays, and the exit code is 130
    or 143; a second one ends it at once. Raises ValueError for a sound shorter than a frame, or than `start`.
    """
    from perform import show
    from perform.outputs.digest import Digest

    fps = options.fps or show.RENDER_FPS
    if options.sound is None and seconds is None:
        raise ValueError("without a sound the length is unknown: give --seconds")
    first = round(start * fps)
    longest = math.inf if seconds is None else first + round(seconds * fps)
    heard = expected_frames(options.sound, fps)
    if 0 < heard <= first:
        raise ValueError(f"--from {start:g}: the sound ends at {heard / fps:g} s")
    expected = min(longest, heard)
    with opening(f"reading {options.setlist}"):
        rig = show.render(options)
    digest = Digest()
    rig.outputs += [digest] if digested else []
    if first:
        rig.outputs = [_excerpt(one, first) for one in rig.outputs]
    came = end_on_signals(rig)

    def whole(rendering: Rig) -> bool:
        done = rendering.timings.count
        return done >= longest or _sound_ends_by(rendering, done / fps)

    def how_far() -> str:
        of = "" if math.isinf(expected) else f" of {(expected - first) / fps:.1f} s"
        return f"{max(rig.timings.count - first, 0) / fps:.1f} s{of} are rendered"

    began = stopwatch()
    with RenderProgress(options, fps, first, expected) as progress:

        def over(rendering: Rig) -> bool:
            progress.update(rendering.timings.count)
            under_way(how_far())
            return rendering.lost > 0 or whole(rendering)

        rig.run(over)
    under_way()
    made, took = max(rig.timings.count - first, 0), stopwatch() - began
    sha = f", sha256 {digest.hexadecimal}" if digested else ""
    before = f" after {first} that are not kept" if first else ""
    rate = rig.timings.count / took
    out.print(f"{made} frames{before} in {took:.1f} s: {rate:.1f} frames/s{sha}", soft_wrap=True)
    cut_short = bool(came) and not whole(rig)
    if cut_short:
        say_cut_short(how_far())
    report_end(rig, options)
    if cut_short:
        raise typer.Exit(128 + came[0])


def _excerpt(output: Output, first: int) -> Output:
    """An output that gets the frames of a show from number `first` on."""
    from perform.outputs import FrameOutput
    from perform.outputs.excerpt import Excerpt

    if isinstance(output, FrameOutput):
        return Excerpt(output, first)
    return output


class RenderProgress:
    """The progress bar of a render of frames `first` to `last` (infinite if unknown). It says once, as soon
    as the first second is in its file, that the film can be watched while it grows."""

    def __init__(self, options: Options, fps: float, first: int, last: float) -> None:
        self._options, self._fps, self._first = options, fps, first
        self._last = None if math.isinf(last) else last
        self._growing = options.record if last - first > fps else None
        self._size = 0
        self._began = stopwatch()
        self._bar = Progress(
            TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(),
            TextColumn("{task.fields[rate]:.1f} frames/s"), TimeRemainingColumn(), console=err,
        )  # fmt: skip

    def __enter__(self) -> Self:
        self._task = self._bar.add_task("", total=self._last, rate=0.0)
        self._bar.start()
        return self

    def __exit__(self, *_fault: object) -> None:
        self._bar.stop()

    def update(self, done: int) -> None:
        """So many frames are done, of those before the first, too."""
        what = f"playing up to {self._first / self._fps:g} s of" if done < self._first else "rendering"
        rate = done / max(stopwatch() - self._began, 1e-6)
        description = f"{what} {self._options.setlist}"
        self._bar.update(self._task, completed=done, rate=rate, description=description)
        if self._growing and self._can_be_watched(self._growing):
            text = f"the first second can be watched now, while the film grows: {self._growing}"
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
            self._growing = None

    def _can_be_watched(self, film: Path) -> bool:
        """Whether the first second is in the file; looks only if it has grown."""
        from perform.outputs.recorder import holds

        try:
            size, self._size = self._size, film.stat().st_size
        except OSError:  # somebody moved it
            return False
        return size != self._size and holds(film, math.ceil(self._fps))


def end_on_signals(rig: Rig) -> list[int]:
    """Ctrl-C or SIGTERM ends the show after its frame, a second one at once; the list gets its number."""
    came: list[int] = []

    def end(number: int, _frame: object) -> None:
        came.append(number)
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        rig.end()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    return came


def report_end(rig: Rig, options: Options) -> None:
    """Print how many faults there were and where the recording is; exit code 1 if it stopped early."""
    total = sum(rig.stage.faults.counts.values())
    if total:
        sorts = len(rig.stage.faults.counts)
        err.print(f"{total} fault{'s' * (total != 1)} on stage, of {sorts} sort{'s' * (sorts != 1)}")
    if options.record:
        whole = "recorded to" if not rig.lost else "the recording stopped early; what there is of it is in"
        out.print(f"{whole} {options.record}", highlight=False, soft_wrap=True)
    if rig.lost:
        raise typer.Exit(1)


def expected_frames(sound: str | None, fps: float) -> float:
    """About how many frames a sound file takes; infinite if unknown or without a file. ValueError if it
    is shorter than one."""
    from perform.inputs.audio import SoundFile

    if sound is None:
        return math.inf
    with closing(SoundFile(sound)) as file:
        ended = file.ends_by(1 / fps)
        length = math.inf if file.duration is None else file.duration
    if ended and length < 1 / fps:
        raise ValueError(f"{sound} is {1000 * length:.0f} ms long, a frame is {1000 / fps:.0f} ms")
    return length * fps


def _sound_ends_by(rig: Rig, seconds: float) -> bool:
    """Whether the sound file that is rendered has come to its end by a time."""
    from perform.inputs.audio import SoundFile

    return isinstance(rig.sound, SoundFile) and rig.sound.ends_by(seconds)
